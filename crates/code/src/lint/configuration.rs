//! Configurations of trainings: `TrainingArguments` of transformers, Hydra, axolotl, the command lines of Lightning and
//! accelerate. Told by the keys they have; everything else in JSON or YAML is nobody's business here.

use std::path::Path;

use waag_formats::budget::Budget;
use waag_formats::json::{self, Deviation, Event, Segment, Value};
use waag_formats::yaml;

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

/// Reads a configuration, if it is one of a training.
pub(crate) fn read(relative: &Path, bytes: &[u8]) -> Option<Configuration> {
    let mut reader = Reader { entries: Vec::new(), keys: Vec::new() };
    let budget = Budget::for_size(bytes.len() as u64);
    if is_json(relative) {
        let outcome = json::walk(&bytes, 0, bytes.len() as u64, &budget, &mut |event| reader.event(&event));
        let is_broken = outcome.notes.iter().any(|note| !matches!(note.kind, Deviation::Duplicate | Deviation::Lax));
        if !outcome.complete || is_broken {
            return None;
        }
    } else {
        let text = std::str::from_utf8(bytes).ok()?;
        if yaml::walk(text, 0, &budget, &mut |_, event| reader.event(event)).stopped.is_some() {
            return None;
        }
    }
    let tool = tool(relative, &reader)?;
    Some(Configuration { tool, entries: reader.entries, bytes: bytes.to_vec() })
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

#[derive(Debug)]
struct Reader {
    entries: Vec<Entry>,
    /// Every key of the outermost level.
    keys: Vec<String>,
}

impl Reader {
    fn event(&mut self, event: &Event<'_>) {
        if let [Segment::Key(key)] = event.path
            && self.keys.len() < MAX_ENTRIES
            && !self.keys.contains(key)
        {
            self.keys.push(key.clone());
        }
        let value = match event.value {
            Value::Text(text) => Scalar::Text(text.to_owned()),
            Value::Number(number) => Scalar::Number(number.to_owned()),
            Value::Bool(value) => Scalar::Bool(value),
            Value::Null => Scalar::Nothing,
            _ => return,
        };
        let Some(key) = event.key().filter(|_| self.entries.len() < MAX_ENTRIES) else { return };
        let path: Vec<&str> = event.path.iter().filter_map(Segment::key).collect();
        let offset = usize::try_from(event.offset).unwrap_or(usize::MAX);
        self.entries.push(Entry { path: path.join("."), key: key.to_owned(), value, span: Span::at(offset) });
    }

    fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|known| known == key)
    }

    fn holds(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }
}

/// Whose configuration it is, by its keys.
fn tool(relative: &Path, reader: &Reader) -> Option<Tool> {
    let is_hidden =
        relative.iter().any(|part| part.to_str().is_some_and(|part| part.starts_with('.') && part.len() > 2));
    if is_hidden {
        return None;
    }
    if reader.has("base_model") && (reader.has("datasets") || reader.has("micro_batch_size")) {
        return Some(Tool::Axolotl);
    }
    if reader.holds("per_device_train_batch_size") || reader.holds("num_train_epochs") && reader.holds("learning_rate")
    {
        return Some(Tool::Transformers);
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
