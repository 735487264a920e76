//! Configurations of trainings: `TrainingArguments` of transformers, Hydra, axolotl, the command line of Lightning,
//! accelerate and DeepSpeed. Told by the keys they have; everything else in JSON or YAML is nobody's business here.

use std::collections::BTreeSet;
use std::path::Path;

use waag_formats::budget::Budget;
use waag_formats::json::{self, Deviation, Event, Note, Segment, Value};
use waag_formats::yaml::{self, Stop};

use super::syntax::{Comment, Span};

/// Entries of one file that are kept.
const MAX_ENTRIES: usize = 20_000;

/// What a configuration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// `TrainingArguments`, or a trainer's settings that contain them.
    Transformers,
    /// axolotl.
    Axolotl,
    /// The command line of Lightning.
    Lightning,
    /// Hydra.
    Hydra,
    /// How accelerate or DeepSpeed spread a training over devices. The program has its seed, model and data.
    Launch,
}

/// A scalar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Text(String),
    Number(String),
    Bool(bool),
    Nothing,
}

/// A key with a scalar.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The keys that lead to it, with dots between them.
    pub(crate) path: String,
    /// The last of them.
    pub(crate) key: String,
    pub(crate) value: Scalar,
    pub(crate) span: Span,
}

/// A configuration of a training.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    pub(crate) tool: Tool,
    pub(crate) entries: Vec<Entry>,
    /// Why it was not read to its end, where it was not.
    pub(crate) stopped: Option<String>,
    /// The texts of the file, for rules that look at all of them.
    pub(crate) bytes: Vec<u8>,
}

impl Configuration {
    /// The entry with this last key, if there is one.
    pub(crate) fn find(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The entry beside another one.
    pub(crate) fn beside(&self, entry: &Entry, key: &str) -> Option<&Entry> {
        let stem = entry.path.strip_suffix(entry.key.as_str())?;
        self.entries.iter().find(|other| other.path.strip_prefix(stem) == Some(key))
    }
}

impl Entry {
    /// Its text.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is true.
    pub(crate) fn is_true(&self) -> bool {
        self.value == Scalar::Bool(true)
    }

    /// Whether it has no value.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.value, Scalar::Nothing)
            || self.text().is_some_and(|text| matches!(text, "null" | "None" | "~" | ""))
    }
}

/// Reads a configuration, if it is one of a training as far as it can be read. The file may go on behind these bytes.
pub(crate) fn read(relative: &Path, bytes: &[u8], goes_on: bool) -> Option<Configuration> {
    let mut reader = Reader::default();
    let stopped = if is_json(relative) { read_json(bytes, &mut reader) } else { read_yaml(bytes, &mut reader) };
    let is_long = goes_on.then(|| format!("it is longer than {} bytes", bytes.len()));
    let is_full = reader.is_full.then(|| format!("it has more than {MAX_ENTRIES} entries"));
    let tool = tool(relative, &reader)?;
    let stopped = is_long.or(stopped).or(is_full);
    Some(Configuration { tool, entries: reader.entries, stopped, bytes: bytes.to_vec() })
}

/// Comments of YAML that speak to waag; JSON has none.
pub(crate) fn comments(relative: &Path, text: &str) -> Vec<Comment> {
    if is_json(relative) {
        return Vec::new();
    }
    let mut start = 0;
    let lines = text.split_inclusive('\n').filter_map(|line| {
        let at = start;
        start += line.len();
        let comment = line.find("# waag:").filter(|at| line[..*at].ends_with([' ', '\t']) || *at == 0)?;
        let span = Span { end: Span::at(at + line.trim_end().len()).end, ..Span::at(at + comment) };
        Some(Comment { text: line[comment..].trim_end().to_owned(), span })
    });
    lines.collect()
}

fn is_json(relative: &Path) -> bool {
    relative.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// Reads JSON, and says why it stopped, if it did.
fn read_json(bytes: &[u8], reader: &mut Reader) -> Option<String> {
    let budget = Budget::for_size(bytes.len() as u64);
    let outcome = json::walk(&bytes, 0, bytes.len() as u64, &budget, &mut |event| reader.event(&event));
    let is_grave = |note: &&Note| !matches!(note.kind, Deviation::Duplicate | Deviation::Lax);
    let why = outcome.notes.iter().find(is_grave).map(|note| note.detail.clone());
    why.or_else(|| (!outcome.complete).then(|| "it ends too early".to_owned()))
}

/// Reads YAML, and says why it stopped, if it did.
fn read_yaml(bytes: &[u8], reader: &mut Reader) -> Option<String> {
    let budget = Budget::for_size(bytes.len() as u64);
    let text = String::from_utf8_lossy(bytes);
    let outcome = yaml::walk(&text, 0, &budget, &mut |_, event| reader.event(event));
    let stopped = outcome.stopped.map(|(_, stop)| match stop {
        Stop::Bomb => "aliases of aliases multiply into millions of values".to_owned(),
        Stop::Broken(why) | Stop::Limit(why) | Stop::Deep(why) => why,
    });
    let is_text = std::str::from_utf8(bytes).is_ok();
    stopped.or_else(|| (!is_text).then(|| "its bytes are no text in UTF-8".to_owned()))
}

/// Keys that tell whose configuration it is.
const TELLING: &[&str] = &[
    "base_model",
    "compute_environment",
    "data",
    "datasets",
    "defaults",
    "distributed_type",
    "fit",
    "hydra",
    "learning_rate",
    "log_history",
    "lr",
    "micro_batch_size",
    "model",
    "num_train_epochs",
    "optimizer",
    "per_device_train_batch_size",
    "seed_everything",
    "train_micro_batch_size_per_gpu",
    "trainer",
    "zero_optimization",
    "_target_",
];

#[derive(Debug, Default)]
struct Reader {
    entries: Vec<Entry>,
    /// Of the keys that tell whose configuration it is, those of the outermost level.
    keys: BTreeSet<&'static str>,
    /// Of them, those that have a scalar, anywhere.
    held: BTreeSet<&'static str>,
    /// Whether there are more than are kept.
    is_full: bool,
}

impl Reader {
    fn event(&mut self, event: &Event<'_>) {
        let telling = event.key().and_then(|key| TELLING.iter().find(|telling| **telling == key));
        if event.path.len() == 1 {
            self.keys.extend(telling);
        }
        let value = match event.value {
            Value::Text(text) => Scalar::Text(text.to_owned()),
            Value::Number(number) => Scalar::Number(number.to_owned()),
            Value::Bool(value) => Scalar::Bool(value),
            Value::Null => Scalar::Nothing,
            _ => return,
        };
        let Some(key) = event.key() else { return };
        self.held.extend(telling);
        if self.entries.len() == MAX_ENTRIES {
            self.is_full = true;
            return;
        }
        let path: Vec<&str> = event.path.iter().filter_map(Segment::key).collect();
        let offset = usize::try_from(event.offset).unwrap_or(usize::MAX);
        self.entries.push(Entry { path: path.join("."), key: key.to_owned(), value, span: Span::at(offset) });
    }

    fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    fn holds(&self, key: &str) -> bool {
        self.held.contains(key)
    }
}

/// Whose configuration it is, by its keys.
fn tool(relative: &Path, reader: &Reader) -> Option<Tool> {
    let is_hidden =
        relative.iter().any(|part| part.to_str().is_some_and(|part| part.starts_with('.') && part.len() > 2));
    // What a training writes down of itself has the same keys.
    if is_hidden || reader.has("log_history") {
        return None;
    }
    if reader.has("base_model") && (reader.has("datasets") || reader.has("micro_batch_size")) {
        return Some(Tool::Axolotl);
    }
    if reader.holds("per_device_train_batch_size") || reader.holds("num_train_epochs") && reader.holds("learning_rate")
    {
        return Some(Tool::Transformers);
    }
    if reader.has("compute_environment") && reader.has("distributed_type")
        || reader.has("zero_optimization")
        || reader.has("train_micro_batch_size_per_gpu")
    {
        return Some(Tool::Launch);
    }
    if reader.has("trainer")
        && reader.has("model")
        && (reader.has("data") || reader.has("fit") || reader.has("seed_everything"))
    {
        return Some(if reader.holds("_target_") { Tool::Hydra } else { Tool::Lightning });
    }
    let trains =
        reader.holds("optimizer") || reader.holds("lr") || reader.holds("learning_rate") || reader.has("trainer");
    let is_hydra = reader.has("hydra") || reader.has("defaults") || reader.holds("_target_");
    (is_hydra && trains).then_some(Tool::Hydra)
}
