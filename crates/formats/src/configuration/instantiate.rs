//! Keys whose value is imported and called: Hydra's `_target_`, Lightning's `class_path`, the `target` of NeMo and of
//! latent diffusion, and, where a value is nothing but an attack, any key that some registry resolves by import.

use super::Observer;
use super::found::{Found, external, is_dotted};
use crate::callable::target::judge_danger;
use crate::fact::{FactKind, Position, ReferenceKind, Standing};
use crate::facts::Facts;
use crate::json::{Event, Segment, Value};

/// Keys that say nothing else than what is imported and called.
const STRONG: &[&str] = &["_target_", "_class_path", "class_path", "__target__", "_factory_"];
/// Keys that other formats use for other things, and that some loader resolves by import: mmengine's and AllenNLP's
/// registries take a dotted `type`, many take a `class`.
const WEAK: &[&str] = &[
    "type",
    "class",
    "class_name",
    "cls",
    "func",
    "function",
    "fn",
    "callable",
    "module",
    "name",
    "import",
    "target",
    "factory",
    "constructor",
    "loader",
    "init",
    "_class_name",
    "obj",
    "object",
    "callback",
    "entry_point",
];
/// Modules that no configuration of a model has a reason to name.
const NEVER: &[&str] = &[
    "__builtin__",
    "__builtins__",
    "builtins",
    "commands",
    "ctypes",
    "importlib",
    "marshal",
    "nt",
    "os",
    "pickle",
    "posix",
    "pty",
    "runpy",
    "shutil",
    "socket",
    "subprocess",
    "sys",
    "_pickle",
    "cffi",
    "code",
    "timeit",
];
/// Hydra's look-ups, whose argument is a callable's path.
const LOOKUPS: &[&str] =
    &["hydra.utils.get_class", "hydra.utils.get_method", "hydra.utils.get_object", "hydra.utils.get_static_method"];
/// Keys whose value names a configuration that this one is built upon.
const BASES: &[&str] = &["_base_", "__base__", "_BASE_"];
/// Mappings within mappings whose `target` waits for its `params`.
const MAX_PENDING: usize = 1024;

/// What is known of a mapping that is still open.
#[derive(Debug, Default)]
struct Pending {
    depth: usize,
    target: Option<(u64, String)>,
    has_params: bool,
    is_lookup: bool,
    path: Option<(u64, String)>,
    is_called: bool,
    /// What makes the callable beside it fetch code and run it.
    remote: Option<(u64, String)>,
}

#[derive(Debug, Default)]
struct Instantiate {
    found: Found,
    pending: Vec<Pending>,
    /// JSON is also read as a model's configuration, which says what code that names by itself.
    is_json: bool,
}

pub(super) fn observer(name: &str) -> Box<dyn Observer> {
    Box::new(Instantiate { is_json: name.ends_with(".json"), ..Instantiate::default() })
}

impl Observer for Instantiate {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        match event.value {
            Value::Text(text) => self.text(event, text, facts),
            Value::Bool(true) => self.remote(event, "true"),
            Value::ObjectEnd(_) => self.close(event, facts),
            Value::Object if event.key() == Some("params") => {
                self.pend(event.path.len(), |pending| pending.has_params = true);
            }
            _ => {}
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        while let Some(pending) = self.pending.pop() {
            self.settle(&pending, facts);
        }
        self.found.finish(facts);
    }
}

impl Instantiate {
    fn text(&mut self, event: &Event<'_>, text: &str, facts: &mut Facts) {
        let depth = event.path.len();
        self.remote(event, text);
        if self.custom_imports(event, text) {
            return;
        }
        let Some(key) = event.key() else {
            self.argument(event, text);
            return self.base(event, text, facts);
        };
        match key {
            // A bare name is looked up among what is there already: nothing is imported.
            _ if STRONG.contains(&key) && !text.contains(['.', '$']) && judge_danger(text).is_none() => {}
            _ if STRONG.contains(&key) => {
                self.found.target(event.offset, text, &format!("{key}: {text}"));
                self.pend(depth, |pending| {
                    pending.is_called = true;
                    pending.is_lookup |= LOOKUPS.contains(&text);
                });
            }
            "path" if is_path(text) => {
                self.pend(depth, |pending| pending.path = Some((event.offset, text.to_owned())));
            }
            "target" if is_dotted(text) => {
                self.pend(depth, |pending| pending.target = Some((event.offset, text.to_owned())));
            }
            _ if WEAK.contains(&key) => self.weak(event, key, text),
            _ => self.base(event, text, facts),
        }
    }

    /// `_args_: [os.system]`: the path that a look-up is given without its name.
    fn argument(&mut self, event: &Event<'_>, text: &str) {
        if let [.., Segment::Key(list), Segment::Index(0)] = event.path
            && list == "_args_"
            && is_path(text)
        {
            let members = event.path.len().saturating_sub(1);
            self.pend(members, |pending| pending.path = Some((event.offset, text.to_owned())));
        }
    }

    /// `trust_remote_code: true` and `custom_pipeline: owner/name`.
    fn remote(&mut self, event: &Event<'_>, text: &str) {
        let is_remote = match event.key() {
            Some("trust_remote_code") => ["true", "yes", "on", "1"].contains(&text.to_ascii_lowercase().as_str()),
            Some("custom_pipeline") => !text.is_empty(),
            _ => false,
        };
        if let (true, false, Some(key)) = (is_remote, self.is_json, event.key()) {
            let said = (event.offset, format!("{key}: {}", text.chars().take(200).collect::<String>()));
            self.pend(event.path.len(), |pending| pending.remote = Some(said));
        }
    }

    /// Only what can be nothing but an attack.
    fn weak(&mut self, event: &Event<'_>, key: &str, text: &str) {
        let root = text.split('.').next().unwrap_or(text);
        if !is_dotted(text) || !NEVER.contains(&root) {
            return;
        }
        if let Some(standing @ Standing::Dangerous { .. }) = judge_danger(text) {
            self.found.judged(event.offset, text, standing, &format!("{key}: {text}"));
        }
    }

    /// mmengine imports these modules before it reads on.
    fn custom_imports(&mut self, event: &Event<'_>, text: &str) -> bool {
        let under = event.path.iter().any(|segment| segment.key() == Some("custom_imports"));
        let is_import = under && event.path.iter().any(|segment| segment.key() == Some("imports"));
        if is_import {
            self.found.target(event.offset, text, &format!("custom_imports: {text}"));
        }
        is_import
    }

    fn base(&mut self, event: &Event<'_>, text: &str, facts: &mut Facts) {
        let key = event.path.iter().rev().find_map(|segment| segment.key()).unwrap_or_default();
        if !BASES.contains(&key) {
            return;
        }
        if text.contains("://") {
            let (kind, target) = (ReferenceKind::Address, text.chars().take(200).collect());
            facts.push(Position::Offset(event.offset), FactKind::Reference { kind, target });
        } else if text.starts_with(['/', '~']) {
            external(event.offset, key, text, facts);
        }
    }

    /// Changes what is remembered of the mapping whose members lie at a depth.
    fn pend(&mut self, depth: usize, change: impl FnOnce(&mut Pending)) {
        if self.pending.last().is_none_or(|pending| pending.depth != depth) {
            if self.pending.len() >= MAX_PENDING {
                self.pending.clear();
            }
            self.pending.push(Pending { depth, ..Pending::default() });
        }
        if let Some(pending) = self.pending.last_mut() {
            change(pending);
        }
    }

    fn close(&mut self, event: &Event<'_>, facts: &mut Facts) {
        let members = event.path.len().saturating_add(1);
        while self.pending.last().is_some_and(|pending| pending.depth >= members) {
            if let Some(pending) = self.pending.pop() {
                self.settle(&pending, facts);
            }
        }
    }

    fn settle(&mut self, pending: &Pending, facts: &mut Facts) {
        if let (true, Some((offset, target))) = (pending.is_called, &pending.remote) {
            let kind = FactKind::Reference { kind: ReferenceKind::RemoteCode, target: target.clone() };
            facts.push(Position::Offset(*offset), kind);
        }
        if let Some((offset, target)) = &pending.target {
            let standing = judge_danger(target);
            if standing.is_some() && !pending.has_params {
                let root = target.split('.').next().unwrap_or_default();
                if NEVER.contains(&root) {
                    self.found.target(*offset, target, &format!("target: {target}"));
                }
            } else if pending.has_params || is_class_path(target) {
                self.found.target(*offset, target, &format!("target: {target}"));
            }
        }
        if let (true, Some((offset, path))) = (pending.is_lookup, &pending.path) {
            self.found.target(*offset, path, &format!("path: {path}"));
        }
    }
}

/// Whether a text is a callable's path, or becomes one when other values are put into it.
fn is_path(text: &str) -> bool {
    is_dotted(text) || text.contains("${")
}

/// Packages whose configurations name a class by `target` alone.
fn is_class_path(target: &str) -> bool {
    let root = target.split('.').next().unwrap_or_default();
    let last = target.rsplit('.').next().unwrap_or_default();
    ["nemo", "ldm", "sgm"].contains(&root) && last.starts_with(|c: char| c.is_ascii_uppercase())
}
