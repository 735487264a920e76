//! The JSON files of a model repository: what they name outside themselves, and the templates they carry.

use std::collections::BTreeSet;

use crate::child::Child;
use crate::configuration::Observers;
use crate::fact::{FactKind, Gap, Position, ReferenceKind};
use crate::facts::{Facts, MAX_TEMPLATE, MAX_TEXT, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe, extension};
use crate::jinja::inspect_template;
use crate::json::{Deviation, Event, Outcome, Segment, Value, is_json, path_text, walk, walk_lines};
use crate::source::Source;

/// Distinct files named by an index.
const MAX_FILES: usize = 100_000;
/// Templates of one file; each is kept until the walk is over.
const MAX_TEMPLATES: usize = 64;
/// Bytes of all of them.
const MAX_TEMPLATE_BYTES: usize = 16 << 20;
/// Names of template parts that are remembered while their text has not come yet.
const MAX_KEY: usize = 200;

/// Names that model repositories use. Also everything that ends in `.index.json`.
const NAMES: &[&str] = &[
    "adapter_config.json",
    "added_tokens.json",
    "chat_template.json",
    "config.json",
    "config_sentence_transformers.json",
    "feature_extractor_config.json",
    "generation_config.json",
    "image_processor_config.json",
    "model_index.json",
    "modules.json",
    "preprocessor_config.json",
    "processor_config.json",
    "quantization_config.json",
    "quantize_config.json",
    "scheduler_config.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "video_preprocessor_config.json",
    "vocab.json",
];

/// Libraries that a pipeline's parts come from.
const LIBRARIES: &[&str] = &[
    "diffusers",
    "transformers",
    "onnxruntime",
    "optimum",
    "peft",
    "flax",
    "timm",
    "stable_diffusion",
    "stable_audio",
    "latent_diffusion",
    "deepfloyd_if",
    "kandinsky",
    "wuerstchen",
    "audioldm2",
    "paint_by_example",
    "versatile_diffusion",
    "unidiffuser",
    "shap_e",
    "stable_cascade",
];

/// Libraries whose models adapters are made for. `__main__` is the script that trained it: nothing is imported.
const IMPORTED_BY_ADAPTERS: &[&str] = &[
    "__main__",
    "diffusers",
    "optimum",
    "peft",
    "sentence_transformers",
    "timm",
    "torchvision",
    "transformers",
    "trl",
];

/// Keys that say how a part of the model is computed. A name with a slash is a repository: its kernel is fetched and
/// run, whether or not remote code is trusted (CVE-2026-4372).
const KERNELS: &[&str] = &[
    "attn_implementation",
    "_attn_implementation",
    "_attn_implementation_internal",
    "experts_implementation",
    "_experts_implementation",
    "_experts_implementation_internal",
];

/// Keys whose values describe the whole model.
const PROPERTIES: &[(&str, &str)] = &[
    ("model_type", "model_type"),
    ("torch_dtype", "dtype"),
    ("dtype", "dtype"),
    ("transformers_version", "transformers_version"),
    ("_diffusers_version", "diffusers_version"),
    ("tokenizer_class", "tokenizer_class"),
    ("library_name", "library"),
    ("peft_type", "adapter"),
    ("_class_name", "class"),
];

static META: Meta = Meta {
    id: "huggingface-config",
    title: "Hugging Face configuration",
    extensions: &[],
    depth: Depth::Full,
    reads: "every key at every depth: remote code, templates, files and models named, duplicate keys",
    specification: "https://huggingface.co/docs/transformers/main_classes/configuration",
};

/// The format.
#[derive(Debug)]
pub struct HuggingFaceConfig;

impl Format for HuggingFaceConfig {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let name = probe.name.rsplit(['/', '\\', '!']).next().unwrap_or_default();
        is_json(probe)?;
        if NAMES.contains(&name) || name.ends_with(".index.json") {
            return Some(Certainty::Certain);
        }
        // The keys count wherever they are, so that a new name hides nothing.
        let head = String::from_utf8_lossy(&probe.head);
        let telling =
            ["\"auto_map\"", "\"chat_template\"", "\"trust_remote_code\"", "\"architectures\"", "\"weight_map\""];
        telling.iter().any(|key| head.contains(key)).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        // Lines of values are a data set, whose texts may have the keys of a configuration.
        let lines = matches!(extension(context.name).as_str(), "jsonl" | "ndjson");
        inspect_json(source, context, lines, facts);
    }
}

/// Reads any JSON as a model's configuration: a loader can be pointed at any name. `lines` allows several values.
pub fn inspect_json(source: &dyn Source, context: &Context<'_>, lines: bool, facts: &mut Facts) {
    let file = context.name.rsplit(['/', '\\', '!']).next().unwrap_or_default();
    let mut reader =
        Reader { file, facts, files: BTreeSet::new(), templates: Vec::new(), held: 0, name: None, words: 0 };
    let mut observers = Observers::new(context.name);
    let mut visit = |event: Event<'_>| {
        observers.event(&event, reader.facts);
        reader.event(event);
    };
    let outcome = match lines {
        true => walk_lines(source, context.budget, &mut visit),
        false => walk(source, 0, u64::MAX, context.budget, &mut visit),
    };
    let Reader { templates, words, facts, .. } = reader;
    observers.finish(facts);
    if words > 0 {
        facts.property("vocabulary", words.to_string());
    }
    if outcome.values > 1 {
        facts.property("values", outcome.values.to_string());
    }
    for (offset, name, text) in templates {
        inspect_template(&text, &name, Position::Offset(offset), context.budget, facts);
    }
    outcome.report(facts);
    rest(&outcome, source, facts);
}

/// What stands behind the value is a file of its own, whatever it is.
fn rest(outcome: &Outcome, source: &dyn Source, facts: &mut Facts) {
    let Some(note) = outcome.notes.iter().find(|note| note.kind == Deviation::Trailing) else { return };
    let length = source.len().saturating_sub(note.offset);
    let child = Child::stored(format!("bytes at {:#x}", note.offset), note.offset, length);
    facts.push(Position::Offset(note.offset), FactKind::Child(child));
}

/// What has been read so far.
struct Reader<'f> {
    /// The file's own name: some keys mean something in one file only.
    file: &'f str,
    facts: &'f mut Facts,
    files: BTreeSet<String>,
    templates: Vec<(u64, String, String)>,
    held: usize,
    /// The `name` beside a `template`, and how deep.
    name: Option<(usize, String)>,
    words: u64,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>) {
        self.vocabulary(event);
        if under(event.path, "auto_map") {
            return self.auto_map(event);
        }
        if under(event.path, "weight_map") && event.path.len() >= 2 {
            return self.file(event);
        }
        if under(event.path, "chat_template") {
            return self.template(event);
        }
        if under(event.path, "auto_mapping") {
            return self.auto_mapping(event);
        }
        self.classes(event);
        match (event.key(), event.value) {
            (Some("trust_remote_code"), Value::Bool(true)) => {
                self.reference(event.offset, ReferenceKind::RemoteCode, "trust_remote_code: true");
            }
            (Some("trust_remote_code"), Value::Text(text)) if !text.is_empty() => {
                self.reference(event.offset, ReferenceKind::RemoteCode, text);
            }
            (_, Value::Text(text)) if text.contains('/') && KERNELS.iter().any(|key| under(event.path, key)) => {
                self.reference(event.offset, ReferenceKind::RemoteCode, text);
            }
            (Some("custom_generate"), Value::Text(text)) if !text.is_empty() => {
                self.reference(event.offset, ReferenceKind::RemoteCode, text);
            }
            (Some("custom_pipelines"), Value::Object) => {}
            _ if under(event.path, "custom_pipelines") => self.pipeline(event),
            (Some("custom_pipeline"), Value::Text(text)) => {
                self.reference(event.offset, ReferenceKind::RemoteCode, text);
            }
            (Some("base_model_name_or_path"), Value::Text(text)) if is_elsewhere(text) => {
                let detail = format!("the base model is at {}, which is not part of this model", clip(text));
                self.facts.incomplete(event.offset, Gap::Missing, detail);
                // A folder of the machine it was trained on is careless; an address makes its reader fetch.
                let kind = if text.contains("://") { ReferenceKind::Address } else { ReferenceKind::Model };
                self.reference(event.offset, kind, text);
            }
            (Some("base_model_name_or_path" | "_name_or_path"), Value::Text(text)) if !text.is_empty() => {
                self.reference(event.offset, ReferenceKind::Model, text);
            }
            (
                Some("_target_" | "class_name" | "module" | "__class__" | "py_object" | "_class_path"),
                Value::Text(text),
            ) => {
                self.metadata(event, text);
            }
            _ => self.describe(event),
        }
    }

    /// Files that are lists of classes to import: those of the library are its own, others are the repository's.
    fn classes(&mut self, event: Event<'_>) {
        let Value::Text(text) = event.value else { return };
        let is_first = matches!(event.path.last(), Some(Segment::Index(0)));
        let foreign = match (self.file, event.path.len(), event.key_at(0)) {
            ("modules.json", 2, _) => event.key() == Some("type") && !text.starts_with("sentence_transformers."),
            ("model_index.json", 2, Some("_class_name")) => is_first,
            ("model_index.json", 2, Some(key)) => is_first && !key.starts_with('_') && !LIBRARIES.contains(&text),
            _ => false,
        };
        if foreign {
            self.reference(event.offset, ReferenceKind::RemoteCode, text);
        }
    }

    /// `"AutoModel": "owner/repository--module.Class"`, or a list of such, for slow and fast tokenizers.
    fn auto_map(&mut self, event: Event<'_>) {
        if let Value::Text(text) = event.value {
            self.reference(event.offset, ReferenceKind::RemoteCode, text);
            if let Some((repository, _)) = text.split_once("--") {
                self.reference(event.offset, ReferenceKind::Model, repository);
            }
        }
    }

    /// `"parent_library": "timm.models", "base_model_class": "ResNet"`: an adapter's loader imports the one and takes the
    /// other out of it.
    fn auto_mapping(&mut self, event: Event<'_>) {
        let Value::Text(text) = event.value else { return };
        let root = text.split('.').next().unwrap_or_default();
        if event.key() == Some("parent_library") && !IMPORTED_BY_ADAPTERS.contains(&root) {
            self.reference(event.offset, ReferenceKind::RemoteCode, text);
        } else {
            self.metadata(event, text);
        }
    }

    /// `"impl": "pipeline.MyPipeline"`; the other keys name classes of the library.
    fn pipeline(&mut self, event: Event<'_>) {
        if let (Some("impl"), Value::Text(text)) = (event.key(), event.value) {
            self.reference(event.offset, ReferenceKind::RemoteCode, text);
        }
    }

    fn file(&mut self, event: Event<'_>) {
        let Value::Text(text) = event.value else { return };
        if self.files.len() < MAX_FILES && !self.files.contains(text) && self.files.insert(clip(text)) {
            self.reference(event.offset, ReferenceKind::File, text);
        }
    }

    /// A template, or a list of objects with a name and a template each, or an object of templates by name.
    fn template(&mut self, event: Event<'_>) {
        let Value::Text(text) = event.value else { return };
        let depth = event.path.len();
        match event.key() {
            Some("name") => self.name = Some((depth, text.chars().take(MAX_KEY).collect())),
            Some("template") if depth > 1 => {
                let name = self.name.take().filter(|(at, _)| *at == depth).map(|(_, name)| name);
                let name = name.map_or_else(|| path_text(event.path), |name| format!("chat_template.{name}"));
                self.keep(event.offset, name, text);
            }
            _ => self.keep(event.offset, path_text(event.path), text),
        }
    }

    fn keep(&mut self, offset: u64, name: String, text: &str) {
        self.held = self.held.saturating_add(text.len());
        if self.templates.len() >= MAX_TEMPLATES || self.held > MAX_TEMPLATE_BYTES || text.len() > MAX_TEMPLATE {
            let detail = "more templates than are analysed";
            return self.facts.incomplete(offset, Gap::Limit, detail);
        }
        self.templates.push((offset, name, text.to_owned()));
    }

    fn describe(&mut self, event: Event<'_>) {
        let Some(key) = event.key() else { return self.architecture(event) };
        let text = match event.value {
            Value::Text(text) | Value::Number(text) => text,
            _ => return,
        };
        let property = PROPERTIES.iter().find(|(known, _)| *known == key);
        if let (1, Some((_, name))) = (event.path.len(), property) {
            return self.facts.property(*name, text);
        }
        match (event.path.len(), event.key_at(0), key) {
            (2, Some("quantization_config"), "quant_method") => self.facts.property("quantization", text),
            (2, Some("model"), "type") => self.facts.property("tokenizer", text),
            (1, ..) => self.metadata(event, text),
            _ => {}
        }
    }

    fn architecture(&mut self, event: Event<'_>) {
        if let (2, Some("architectures"), Value::Text(text)) = (event.path.len(), event.key_at(0), event.value) {
            self.facts.property("architecture", text);
        }
    }

    /// `model.vocab` of a tokenizer: an object by token, or a list.
    fn vocabulary(&mut self, event: Event<'_>) {
        let place = (event.path.len(), event.key_at(0), event.key_at(1));
        if let ((2, Some("model"), Some("vocab")), Value::ObjectEnd(count) | Value::ArrayEnd(count)) =
            (place, event.value)
        {
            self.words = self.words.max(count);
        }
    }

    fn reference(&mut self, offset: u64, kind: ReferenceKind, target: &str) {
        let target = clip(target);
        self.facts.push(Position::Offset(offset), FactKind::Reference { kind, target });
    }

    fn metadata(&mut self, event: Event<'_>, text: &str) {
        let key = path_text(event.path);
        self.facts.push(Position::Offset(event.offset), FactKind::Metadata { key, value: clip(text) });
    }
}

/// True when one of the keys that lead to a value is this one.
fn under(path: &[Segment], key: &str) -> bool {
    path.iter().any(|segment| segment.key() == Some(key))
}

/// Whether a model's name is an address, or a path of the machine it was made on.
fn is_elsewhere(name: &str) -> bool {
    let drive = matches!(name.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
    drive
        || name.starts_with(['/', '\\', '~'])
        || name.contains("://")
        || name.split(['/', '\\']).any(|part| part == "..")
}

fn clip(text: &str) -> String {
    shorten(text.chars().take(MAX_TEXT.saturating_add(1)).collect(), MAX_TEXT)
}

#[cfg(test)]
#[path = "huggingface_tests.rs"]
mod tests;
