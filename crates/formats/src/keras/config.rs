//! Keras configurations: every object that names a class, at any depth of any JSON.
//!
//! Keras makes a model by looking up each `class_name`, in the `module` beside it, and calling its `from_config` with
//! the `config` beside that. So the configuration is a list of what is imported and called; and some classes take code.

use std::collections::BTreeMap;

use super::bytecode::{base64, excerpt};
use super::compiled::is_looked_up;
use super::judge::{is_keras, is_known, judge};
use crate::budget::Budget;
use crate::callable;
use crate::child::{Child, Encoding, Role};
use crate::configuration::Observer;
use crate::fact::{
    Anomaly, Callable, Code, Effect, FactKind, Gap, Operator, Position, ReferenceKind, Runs, Standing, Usage,
};
use crate::facts::{Facts, shorten};
use crate::json::{Deviation, Event, Segment, Value, walk};
use crate::source::Source;

/// Texts of one key of one object that are kept: of more, the last counts, as for Python.
const MAX_TEXTS: usize = 4;
/// Texts of all objects `config` of one object.
const MAX_INNER: usize = 200;
/// Units, filters or dimensions of one layer: above this, making it takes more memory than a machine has.
const MOST_UNITS: f64 = (1u64 << 31) as f64;
/// The same of the two largest of a model together: a matrix between them is what a model would need at most.
const MOST_WEIGHTS: f64 = (1u64 << 44) as f64;
/// Characters kept of a text.
const MAX_TEXT: usize = 500;
/// Different classes that are counted.
const MAX_CLASSES: usize = 5_000;
/// Values of one key `class_name`, which an honest object has one of.
const MAX_REPEATED: usize = 16;

/// Keys whose texts are kept for the object they belong to.
const KEYS: &[&str] = &[
    "name",
    "function",
    "output_shape",
    "mask",
    "function_type",
    "module",
    "code",
    "vocabulary",
    "proto",
    "filepath",
    "fn",
    "fn_module",
    "config",
    "call_fn",
    "init_fn",
    "items",
    "dtype",
    "output_shape_type",
    "mask_type",
    "spec_name",
];

/// Keys of a Lambda layer that may be bytecode, as the first of a list.
const CODE_LISTS: &[&str] = &["function", "output_shape", "mask"];
/// Keys that say whether they are.
const CODE_TYPES: &[&str] = &["function_type", "output_shape_type", "mask_type"];
/// Keys of layers that say how much of something is made when they are.
const SIZES: &[&str] = &[
    "units",
    "filters",
    "input_dim",
    "output_dim",
    "num_heads",
    "key_dim",
    "value_dim",
    "depth_multiplier",
    "hidden_dim",
    "intermediate_dim",
    "vocabulary_size",
    "num_bins",
    "batch_shape",
    "batch_input_shape",
    "input_shape",
    "target_shape",
];

/// Objects that stand for values which no class is looked up for.
const VALUES: &[&str] = &[
    "__keras_tensor__",
    "__numpy__",
    "__tensor__",
    "__bytes__",
    "__ellipsis__",
    "__slice__",
    "__tuple__",
    "__typespec__",
    "TensorShape",
    "TypeSpec",
];

/// What lifts the protection of `safe_mode` for the whole process (CVE-2025-9906).
const UNSAFE: &str = "enable_unsafe_deserialization";

/// Layers that apply a function of TensorFlow by its name.
const OPERATOR_LAYERS: &[&str] = &["TFOpLambda", "SlicingOpLambda"];

/// Functions of TensorFlow that reach the machine, by the start of their name.
const REACHING: &[(&str, &str, bool)] = &[
    ("io.write_file", "writes files", true),
    ("io.write", "writes files", true),
    ("io.read_file", "reads files", false),
    ("io.matching_files", "lists files", false),
    ("io.gfile", "reads and writes files", true),
    ("py_function", "runs Python functions", true),
    ("numpy_function", "runs Python functions", true),
    ("compat.v1.py_func", "runs Python functions", true),
    ("load_op_library", "loads machine code", true),
    ("load_library", "loads machine code", true),
    ("saved_model", "loads other models", true),
    ("raw_ops.WriteFile", "writes files", true),
    ("raw_ops.ReadFile", "reads files", false),
    ("raw_ops.PyFunc", "runs Python functions", true),
    ("raw_ops.EagerPyFunc", "runs Python functions", true),
    ("print", "prints, also to files", false),
];

/// Reads a text that holds a Keras configuration, and writes what it makes a loader do.
///
/// `position` is where the text starts in the artifact: with an offset, what is found gets the offset it is at.
pub fn inspect_text(text: &str, position: Position, budget: &Budget, facts: &mut Facts) {
    let bytes = text.as_bytes();
    inspect(&bytes, 0, u64::MAX, KerasConfig::new(position), budget, facts);
}

/// Reads a range of an artifact that holds a Keras configuration, as [`inspect_text`] does.
pub fn inspect_range(source: &dyn Source, offset: u64, length: u64, budget: &Budget, facts: &mut Facts) {
    inspect(source, offset, length, KerasConfig::new(Position::Offset(0)), budget, facts);
}

fn inspect(
    source: &dyn Source,
    offset: u64,
    length: u64,
    mut observer: KerasConfig,
    budget: &Budget,
    facts: &mut Facts,
) {
    let outcome = walk(source, offset, length, budget, &mut |event| observer.event(&event, facts));
    observer.finish(facts);
    for note in &outcome.notes {
        let kind = match note.kind {
            // What was not read may be a configuration, whatever came before it.
            Deviation::Limit => FactKind::Incomplete { reason: Gap::Limit, detail: note.detail.clone() },
            Deviation::Deep => FactKind::Incomplete { reason: Gap::Depth, detail: note.detail.clone() },
            Deviation::Unreadable => FactKind::Incomplete { reason: Gap::Unreadable, detail: note.detail.clone() },
            _ if !observer.is_keras => continue,
            Deviation::Duplicate => FactKind::Anomaly { anomaly: Anomaly::DuplicateName, detail: note.detail.clone() },
            Deviation::Broken => FactKind::Anomaly { anomaly: Anomaly::Malformed, detail: note.detail.clone() },
            _ => continue,
        };
        facts.push(observer.at(note.offset), kind);
    }
}

/// Makes the observer of a configuration file.
#[must_use]
pub fn observer(_name: &str) -> Box<dyn Observer> {
    Box::new(KerasConfig::new(Position::Offset(0)))
}

/// A text that was kept.
#[derive(Debug, Clone)]
struct Text {
    key: &'static str,
    value: String,
    offset: u64,
    /// What the bytecode in it names, when it may be bytecode.
    code: Option<String>,
    /// Where its base64 lies, when it is long enough to hold something.
    encoded: Option<u64>,
}

/// An object that is open.
#[derive(Debug, Default)]
struct Frame {
    offset: u64,
    /// How many steps lead to it.
    depth: usize,
    key: Option<String>,
    classes: Vec<String>,
    module: Option<String>,
    registered: Option<String>,
    has_config: bool,
    texts: Vec<Text>,
    /// The texts of its `config`.
    inner: Vec<Text>,
}

impl Frame {
    fn text(&self, key: &str) -> Option<&Text> {
        self.inner.iter().find(|text| text.key == key)
    }

    /// Its name for people.
    fn title(&self, class: &str) -> String {
        match self.text("name") {
            Some(name) => format!("the layer '{}' ({class})", shorten(name.value.clone(), 100)),
            None => format!("an object of class {class}"),
        }
    }
}

/// A class or function and how often it is named.
#[derive(Debug)]
struct Named {
    position: Position,
    standing: Standing,
    count: u64,
    has_module: bool,
}

/// The observer.
#[derive(Debug)]
struct KerasConfig {
    base: Position,
    frames: Vec<Frame>,
    named: BTreeMap<(String, String), Named>,
    operators: BTreeMap<String, (Position, u64)>,
    is_keras: bool,
    is_full: bool,
    /// Sizes that are too large, and where.
    sizes: Vec<(Position, String)>,
    /// The two largest of the others, and where the larger is.
    largest: (f64, f64, Position),
}

impl KerasConfig {
    fn new(base: Position) -> Self {
        Self {
            base,
            frames: Vec::new(),
            named: BTreeMap::new(),
            operators: BTreeMap::new(),
            is_keras: false,
            is_full: false,
            sizes: Vec::new(),
            largest: (0.0, 0.0, Position::Whole),
        }
    }

    fn at(&self, offset: u64) -> Position {
        match self.base {
            Position::Offset(base) => Position::Offset(base.saturating_add(offset)),
            other => other,
        }
    }

    fn text(&mut self, event: &Event<'_>, value: &str, facts: &mut Facts) {
        if event.path.len() == 1 && event.key() == Some("keras_version") {
            self.is_keras = true;
            if facts.find_property("keras_version").is_none() {
                facts.property("keras_version", value);
            }
        }
        if value.rsplit('.').next() == Some(UNSAFE) {
            self.name(event.offset, "keras.config", UNSAFE);
        }
        if is_looked_up(event.path, value) {
            self.name(event.offset, "", value);
        }
        let Some(frame) = self.frames.last_mut() else { return };
        let key = match event.path {
            [.., Segment::Key(key)] => key.as_str(),
            // `function` may be a list: bytecode, defaults, closure.
            [.., Segment::Key(key), Segment::Index(0)] if event.path.len() == frame.depth.saturating_add(2) => key,
            // A tuple within a tuple, or a list of lists: whatever lies there is the function as well.
            [.., Segment::Key(key), Segment::Index(_), Segment::Index(0)] if key == "items" => key,
            _ => return,
        };
        let kept = || shorten(value.chars().take(MAX_TEXT.saturating_add(1)).collect(), MAX_TEXT);
        match key {
            "class_name" if frame.classes.len() < MAX_REPEATED => frame.classes.push(kept()),
            "registered_name" => frame.registered = Some(kept()),
            "config" => frame.has_config = true,
            "module" => frame.module = Some(kept()),
            _ => {}
        }
        let Some(key) = KEYS.iter().find(|known| **known == key) else { return };
        let listed = event.key().is_none();
        let is_code = *key == "code" || (listed && (*key == "items" || CODE_LISTS.contains(key)));
        let code = is_code.then(|| excerpt(value));
        let encoded = (*key == "module" && value.len() > 100).then_some(value.len() as u64);
        let text = Text { key, value: kept(), offset: event.offset, code, encoded };
        let is_full = frame.texts.iter().filter(|other| other.key == *key).count() >= MAX_TEXTS;
        match frame.texts.iter_mut().rev().find(|other| is_full && other.key == *key) {
            Some(last) => *last = text,
            None => frame.texts.push(text),
        }
    }

    /// Sizes that no machine has memory for: CVE-2026-0897 in a configuration.
    fn size(&mut self, event: &Event<'_>, number: &str) {
        let key = match event.path {
            [.., Segment::Key(key)] | [.., Segment::Key(key), Segment::Index(_)] => key.as_str(),
            _ => return,
        };
        let mut open = self.frames.iter().rev().map(|frame| frame.key.as_deref().unwrap_or_default());
        let in_config = open.next() == Some("config");
        // A number may stand for itself as an array of none.
        let key = match open.next() {
            Some(outer) if key == "value" => outer,
            _ => key,
        };
        let Some(key) = SIZES.iter().find(|known| in_config && **known == key) else { return };
        // Python has whole numbers of any length.
        let size = number.parse::<f64>().unwrap_or(f64::MAX);
        if size < MOST_UNITS {
            return self.largest(size, event.offset);
        }
        if self.sizes.len() >= MAX_REPEATED {
            return;
        }
        let detail = format!("a layer has {key} {}", shorten(number.to_owned(), 40));
        self.sizes.push((self.at(event.offset), detail));
    }

    fn largest(&mut self, size: f64, offset: u64) {
        if size > self.largest.0 {
            self.largest = (size, self.largest.0, self.at(offset));
        } else if size > self.largest.1 {
            self.largest.1 = size;
        }
    }

    fn close(&mut self, facts: &mut Facts) {
        let Some(mut frame) = self.frames.pop() else { return };
        let is_object = frame.has_config || frame.registered.is_some() || frame.module.is_some();
        let classes = std::mem::take(&mut frame.classes);
        for class in classes.iter().filter(|_| is_object) {
            self.object(&frame, class, facts);
        }
        if frame.key.as_deref() == Some("config")
            && let Some(parent) = self.frames.last_mut()
        {
            parent.has_config = true;
            if parent.inner.len() > MAX_INNER {
                parent.inner.clear();
            }
            parent.inner.append(&mut frame.texts);
        }
        self.tuple(frame);
    }

    /// A tuple in place of a list, as Keras 2 writes the function of its Lambda: bytecode, defaults, closure.
    fn tuple(&mut self, frame: Frame) {
        let Some(key) = CODE_LISTS.iter().find(|key| frame.key.as_deref() == Some(**key)) else { return };
        let Some(parent) = self.frames.last_mut() else { return };
        let items = frame.texts.into_iter().filter(|text| text.key == "items" && text.code.is_some());
        parent.texts.extend(items.map(|text| Text { key, ..text }));
    }

    /// An object that names a class.
    fn object(&mut self, frame: &Frame, class: &str, facts: &mut Facts) {
        let module = frame.module.as_deref().unwrap_or_default();
        let own = module.is_empty() || is_keras(module);
        // Many layers are of the same few classes, and asking the lists is what costs.
        let is_new = || !self.named.contains_key(&(String::new(), class.to_owned()));
        self.is_keras = self.is_keras || is_keras(module) || (module.is_empty() && is_new() && is_known(class));
        match class {
            "__lambda__" => self.code(frame, class, frame.text("code"), facts),
            "Lambda" if own => self.lambda(frame, facts),
            "TorchModuleWrapper" if own => self.torch(frame, facts),
            "TFSMLayer" if own => self.saved_model(frame, facts),
            "function" => self.function(frame, module),
            _ if OPERATOR_LAYERS.contains(&class) => self.operator(frame),
            "__numpy__" | "__tensor__" | "__typespec__" | "TypeSpec" => self.value(frame, class, module, facts),
            _ if VALUES.contains(&class) => {}
            _ => self.class(frame, class, module),
        }
        self.vocabulary(frame, class, facts);
        self.functions(frame);
    }

    /// Functions and modules that are named beside a class, as the gadgets of CVE-2025-1550 and CVE-2025-8747 do.
    fn functions(&mut self, frame: &Frame) {
        let texts = || frame.texts.iter().chain(&frame.inner);
        for text in texts().filter(|text| text.key == "fn_module") {
            if callable::judge_danger(&text.value).is_some() {
                self.name(text.offset, &text.value, "a function of it");
            }
        }
        for text in texts().filter(|text| text.key == "fn") {
            let name = text.value.rsplit('.').next().unwrap_or_default();
            let module = ["keras.utils", "keras.config", "keras.models", "keras.saving"]
                .into_iter()
                .find(|module| matches!(judge(module, name), Standing::Dangerous { .. }));
            if let Some(module) = module {
                self.name(text.offset, module, name);
            }
        }
    }

    /// Arrays and types of tensors. An array of objects is none that Keras writes; a type is a class of TensorFlow, by
    /// its name, so that a module of something else is one that nobody who writes models has put there.
    fn value(&mut self, frame: &Frame, class: &str, module: &str, facts: &mut Facts) {
        let texts = || frame.texts.iter().chain(&frame.inner);
        let is_array = matches!(class, "__numpy__" | "__tensor__");
        let objects = texts().find(|text| text.key == "dtype" && is_object_type(&text.value));
        if let Some(text) = objects.filter(|_| is_array) {
            let detail = format!("an array in the configuration is of the type '{}'", shorten(text.value.clone(), 40));
            facts.push(self.at(text.offset), FactKind::Anomaly { anomaly: Anomaly::Malformed, detail });
        }
        let name = texts().find(|text| text.key == "spec_name").map_or(class, |text| text.value.as_str());
        let root = module.split('.').next().unwrap_or_default();
        let is_own = matches!(root, "" | "builtins" | "tensorflow" | "tensorflow_core") || is_keras(module);
        if !is_array && (name.contains(['.', '/', '\\']) || !is_own) {
            self.name(frame.offset, module, name);
        }
    }

    fn class(&mut self, frame: &Frame, class: &str, module: &str) {
        // `Package>Name` is registered by the package's own code.
        let registered = frame.registered.as_deref().unwrap_or(class);
        let (module, class) = match registered.split_once('>') {
            // Keras 2 registers its own optimizers so, under the package that is meant for its users.
            Some(("Custom", name)) if module.is_empty() && is_known(name) => ("", name),
            Some((package, name)) if module.is_empty() => (package, name),
            _ => (module, class),
        };
        self.name(frame.offset, module, class);
    }

    /// A function by its name. Python says `builtins` for the module of many; the name is what is looked up.
    fn function(&mut self, frame: &Frame, module: &str) {
        let name = frame.texts.iter().find(|text| text.key == "config").map(|text| text.value.clone());
        match name {
            Some(name) => self.name(frame.offset, module, &name),
            None => self.name(frame.offset, module, "a function without a name"),
        }
    }

    fn name(&mut self, offset: u64, module: &str, name: &str) {
        let key = (module.to_owned(), name.to_owned());
        let position = self.at(offset);
        if let Some(named) = self.named.get_mut(&key) {
            named.count = named.count.saturating_add(1);
            return;
        }
        if self.named.len() >= MAX_CLASSES {
            self.is_full = true;
            return;
        }
        let standing = judge(module, name);
        self.named.insert(key, Named { position, standing, count: 1, has_module: !module.is_empty() });
    }

    /// The layer that is a function: as bytecode, or by its name.
    fn lambda(&mut self, frame: &Frame, facts: &mut Facts) {
        self.is_keras = true;
        for text in frame.inner.iter().filter(|text| text.code.is_some()) {
            self.code(frame, "Lambda", Some(text), facts);
        }
        let has_code = frame.inner.iter().any(|text| text.code.is_some());
        if says_bytecode(frame) && !has_code {
            // A text alone is bytecode too; and what is written in another way is read by somebody.
            let plain = CODE_LISTS.iter().find_map(|key| frame.text(key));
            return self.code(frame, "Lambda", plain, facts);
        }
        // A function that is an object of its own has been judged already.
        let Some(function) = frame.text("function").filter(|text| text.code.is_none()) else { return };
        if is_expression(&function.value) {
            let (name, excerpt) = (frame.title("Lambda"), function.value.clone());
            let code = Code { name, language: "Python".into(), runs: Runs::Used, excerpt };
            return facts.push(self.at(function.offset), FactKind::Code(code));
        }
        let module = frame.text("module").map(|module| module.value.clone()).unwrap_or_default();
        let module = if is_keras(&module) { String::new() } else { module };
        self.name(function.offset, &module, &function.value);
    }

    fn code(&mut self, frame: &Frame, class: &str, text: Option<&Text>, facts: &mut Facts) {
        self.is_keras = true;
        let owner = self.frames.iter().rev().find_map(|open| open.texts.iter().find(|text| text.key == "name"));
        let name = match owner.filter(|_| class == "__lambda__") {
            Some(name) => format!("the layer '{}'", shorten(name.value.clone(), 100)),
            None => frame.title(class),
        };
        let excerpt = text.map(|text| text.code.clone().unwrap_or_else(|| text.value.clone())).unwrap_or_default();
        let code = Code { name, language: "Python bytecode".into(), runs: Runs::Loaded, excerpt };
        let offset = text.map_or(frame.offset, |text| text.offset);
        facts.push(self.at(offset), FactKind::Code(code));
    }

    /// A PyTorch module, as `torch.save` writes it: a pickle that is loaded without restriction.
    fn torch(&mut self, frame: &Frame, facts: &mut Facts) {
        self.is_keras = true;
        let module = frame.text("module");
        let start = self.at(module.map_or(frame.offset, |module| module.offset));
        let excerpt = module.map(|module| shorten(module.value.clone(), 80)).unwrap_or_default();
        let name = frame.title("TorchModuleWrapper");
        let code = Code { name, language: "a pickled PyTorch module".into(), runs: Runs::Loaded, excerpt };
        facts.push(start, FactKind::Code(code));
        let (Some(length), Position::Offset(offset)) = (module.and_then(|module| module.encoded), start) else {
            return;
        };
        if module.is_some_and(|module| base64(&module.value).len() > 64) {
            let offset = offset.saturating_add(1);
            let stored = Child::stored("the wrapped module", offset, length);
            let child = Child { encoding: Encoding::Base64, declared: None, role: Role::Unknown, ..stored };
            facts.push(start, FactKind::Child(child));
        }
    }

    fn saved_model(&mut self, frame: &Frame, facts: &mut Facts) {
        let (offset, path) =
            frame.text("filepath").map_or((frame.offset, "an unknown path"), |text| (text.offset, &text.value));
        let title = frame.title("TFSMLayer");
        let detail = format!("{title} loads the SavedModel '{path}', and runs it");
        facts.push(self.at(offset), FactKind::Anomaly { anomaly: Anomaly::ExternalData, detail });
    }

    fn operator(&mut self, frame: &Frame) {
        self.is_keras = true;
        let Some(function) = frame.text("function") else { return };
        let position = self.at(function.offset);
        if self.operators.len() >= MAX_CLASSES {
            self.is_full = true;
            return;
        }
        let entry = self.operators.entry(function.value.clone()).or_insert((position, 0));
        entry.1 = entry.1.saturating_add(1);
    }

    /// A vocabulary that is a path is read from there when the layer is made, from any file or address.
    fn vocabulary(&mut self, frame: &Frame, class: &str, facts: &mut Facts) {
        // The model of a SentencePiece tokenizer stands there as base64, or is a path too.
        let proto =
            frame.text("proto").filter(|text| text.value.starts_with(['/', '\\', '~']) || text.value.contains(':'));
        let Some(text) = frame.text("vocabulary").or(proto) else { return };
        let path = text.value.as_str();
        if !is_a_lookup(class) || path.is_empty() {
            return;
        }
        let outside = path.contains("://")
            || path.starts_with(['/', '\\', '~'])
            || path.contains("..")
            || path.get(1..2) == Some(":");
        let kind = if outside {
            let detail = format!("{} reads its vocabulary from '{path}'", frame.title(class));
            FactKind::Anomaly { anomaly: Anomaly::ExternalData, detail }
        } else {
            FactKind::Reference { kind: ReferenceKind::File, target: path.to_owned() }
        };
        facts.push(self.at(text.offset), kind);
    }

    fn write(&mut self, facts: &mut Facts) {
        for ((module, name), named) in std::mem::take(&mut self.named) {
            let unsure = !named.has_module && matches!(named.standing, Standing::Unknown);
            if matches!(named.standing, Standing::Inert { .. }) || (unsure && !self.is_keras) {
                continue;
            }
            let dot = if module.is_empty() { "" } else { "." };
            let expression = format!("{module}{dot}{name}(…)");
            let Named { position, standing, count, .. } = named;
            let callable = Callable { module, name, usage: Usage::Instantiate, standing, expression, count };
            facts.push(position, FactKind::Callable(callable));
        }
        for (name, (position, count)) in std::mem::take(&mut self.operators) {
            let effect = effect(&name);
            facts.push(position, FactKind::Operator(Operator { name, domain: "tensorflow".into(), effect, count }));
        }
    }
}

impl Observer for KerasConfig {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        if event.key() == Some("config")
            && !matches!(event.value, Value::ObjectEnd(_) | Value::ArrayEnd(_))
            && let Some(frame) = self.frames.last_mut()
        {
            frame.has_config = true;
        }
        match event.value {
            Value::Object => {
                let key = event.key().map(|key| shorten(key.to_owned(), 100));
                let (offset, depth) = (event.offset, event.path.len());
                self.frames.push(Frame { offset, depth, key, ..Frame::default() });
            }
            Value::ObjectEnd(_) => self.close(facts),
            Value::Text(text) => self.text(event, text, facts),
            Value::Number(number) => self.size(event, number),
            _ => {}
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        while !self.frames.is_empty() {
            self.close(facts);
        }
        if self.is_full {
            let detail = format!("more than {MAX_CLASSES} different classes");
            facts.push(self.base, FactKind::Incomplete { reason: Gap::Limit, detail });
        }
        self.write(facts);
        let (first, second, position) = self.largest;
        if first * second >= MOST_WEIGHTS && self.sizes.is_empty() {
            let detail = format!("layers of the sizes {first} and {second} belong to one model");
            self.sizes.push((position, detail));
        }
        for (position, detail) in std::mem::take(&mut self.sizes).into_iter().filter(|_| self.is_keras) {
            facts.push(position, FactKind::Anomaly { anomaly: Anomaly::AllocationBomb, detail });
        }
        if self.is_keras && facts.find_property("framework").is_none() {
            facts.property("framework", "Keras");
        }
    }
}

/// Whether a Lambda layer says that its function, or another of its parts, is bytecode.
fn says_bytecode(frame: &Frame) -> bool {
    frame.inner.iter().any(|text| CODE_TYPES.contains(&text.key) && text.value == "lambda")
}

/// Whether the function of a layer is written out where its name should stand.
fn is_expression(function: &str) -> bool {
    let function = function.trim();
    function.starts_with("lambda ") || function.starts_with("lambda:") || function.contains(['(', '\n'])
}

/// Whether numpy makes an array of objects of this type.
fn is_object_type(dtype: &str) -> bool {
    matches!(dtype.trim_start_matches(['|', '<', '>', '=']), "object" | "O" | "O8" | "O4" | "object_" | "object0")
}

fn is_a_lookup(class: &str) -> bool {
    ["Lookup", "TextVectorization", "Tokenizer", "Vocabulary"].iter().any(|part| class.contains(part))
}

fn effect(name: &str) -> Effect {
    let plain = name.strip_prefix("tf.").unwrap_or(name);
    match REACHING.iter().find(|(start, ..)| plain.starts_with(start)) {
        Some((_, what, critical)) => Effect::Reaches { what: (*what).into(), critical: *critical },
        None => Effect::Computes,
    }
}
