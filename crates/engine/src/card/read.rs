//! A card as it is written: the YAML before its text, and the text.
//!
//! <https://huggingface.co/docs/hub/model-cards> and <https://huggingface.co/docs/hub/datasets-cards>

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::files::leads_out;
use crate::import::document::{Node, front_matter, yaml};

/// Bytes of a card that are read. The longest cards that are known have less than a tenth of it.
pub const MAX_CARD: u64 = 4 << 20;
/// Bytes of YAML before the text that are read: with a test result for every language of a large model, a fifth of it.
const MAX_MATTER: usize = 2 << 20;

/// Names under which cards are looked for.
const NAMES: [&str; 4] = ["README.md", "modelcard.md", "modelcard.yaml", "modelcard.yml"];

/// Values that cards of models and datasets have, and pages of other things have not.
const KEYS: [&str; 17] = [
    "base_model",
    "configs",
    "dataset_info",
    "datasets",
    "language",
    "library_name",
    "license",
    "license_name",
    "metrics",
    "model-index",
    "model_name",
    "pipeline_tag",
    "pretty_name",
    "size_categories",
    "task_categories",
    "task_ids",
    "widget",
];

/// What a card describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A model.
    Model,
    /// A dataset.
    Dataset,
}

impl Kind {
    /// Its name in a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
        }
    }
}

/// A card.
#[derive(Debug, Clone)]
pub struct Card {
    /// Its file.
    pub path: PathBuf,
    /// How its file is told: below the folder that was asked about.
    pub shown: String,
    /// What it describes.
    pub kind: Kind,
    /// The values before its text; null where there are none.
    pub matter: Value,
    /// The YAML as it is written.
    pub yaml: String,
    /// The line of the file at which the YAML begins.
    pub first_line: u64,
    /// The text, as Markdown.
    pub text: String,
    /// The line of the file at which the text begins.
    pub text_line: u64,
    /// What is odd about it: keys that stand twice, bytes that are no UTF-8.
    pub oddities: Vec<String>,
    /// Why the values could not be read.
    pub broken: Option<String>,
    /// Where each line of the text begins.
    pub(super) starts: Vec<usize>,
}

impl Card {
    /// Its values.
    pub(crate) fn root(&self) -> Node<'_> {
        Node::root(&self.matter)
    }

    /// Whether its values are those of a card: a page of documentation, and an application of the hub, have others.
    pub(crate) fn speaks_of_a_model(&self) -> bool {
        let has = |key: &str| match &self.broken {
            None => self.root().get(key).is_some(),
            Some(_) => self.yaml.lines().chain(self.text.lines().take(200)).any(|line| is_key(line, key)),
        };
        KEYS.iter().any(|key| has(key)) && !has("sdk")
    }

    /// Whether it has values only, and no text for people.
    pub(crate) fn is_values_only(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
    }

    /// The line at which a value stands, by the JSON pointer to it: found key by key, so that of values in one line, and
    /// of items in lists, the line of the key above them is told.
    pub(crate) fn line_of(&self, pointer: &str) -> Option<u64> {
        let mut found = None;
        let mut lines = self.yaml.lines().enumerate().peekable();
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            if step.bytes().all(|byte| byte.is_ascii_digit()) {
                continue;
            }
            let (at, _) = lines.by_ref().find(|(_, line)| is_key(line, &step))?;
            found = Some(at as u64 + self.first_line);
        }
        found
    }

    /// The line of the file at which an offset in the text lies.
    pub(crate) fn text_line_of(&self, offset: usize) -> u64 {
        self.text_line + self.starts.partition_point(|start| *start <= offset) as u64
    }

    /// The name that the card gives: of its index of results, or else its first heading.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let root = self.root();
        let index = root.list("model-index");
        let named = index.first().and_then(|entry| entry.text_of("name")).or_else(|| root.text_of("model_name"));
        let pretty = named.or_else(|| root.text_of("pretty_name")).map(str::to_owned);
        pretty.or_else(|| super::markdown::first_heading(&self.text))
    }
}

fn is_key(line: &str, key: &str) -> bool {
    let line = line.trim_start().trim_start_matches("- ").trim_start();
    let rest = line.strip_prefix(key).or_else(|| {
        let inner = line.strip_prefix(['"', '\''])?.strip_prefix(key)?;
        inner.strip_prefix(['"', '\''])
    });
    rest.is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// The card of a folder: under the first of the usual names that has values of a card, or else the first that is there. A
/// text without such values is a card where there is a model or dataset, and none elsewhere: `is_wanted` says which.
pub(crate) fn of_folder(folder: &Path, shown: &str, kind: Kind, is_wanted: bool) -> Option<Result<Card, String>> {
    let mut first = None;
    for name in NAMES {
        let path = folder.join(name);
        if !path.is_file() || leads_out(folder, &path) {
            continue;
        }
        let shown = if shown.is_empty() { name.to_owned() } else { format!("{shown}/{name}") };
        let card = read(&path, &shown, kind).map_err(|why| format!("{name}: {why}"));
        if card.as_ref().map_or(true, Card::speaks_of_a_model) {
            return Some(card);
        }
        first = first.or(Some(card));
    }
    first.filter(|_| is_wanted)
}

/// Reads a card.
///
/// # Errors
/// What is wrong, when it cannot be read at all.
pub(crate) fn read(path: &Path, shown: &str, kind: Kind) -> Result<Card, String> {
    let bytes = crate::bounded::read(path, MAX_CARD).map_err(|error| error.to_string())?;
    let mut oddities = Vec::new();
    if std::str::from_utf8(&bytes).is_err() {
        oddities.push("it is not UTF-8 throughout".to_owned());
    }
    let whole = String::from_utf8_lossy(&bytes).into_owned();
    let whole = whole.strip_prefix('\u{FEFF}').unwrap_or(&whole);
    let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let (yaml_text, text, text_line) = if is_yaml { (whole, "", 1) } else { split(whole) };
    let mut card = Card {
        path: path.to_owned(),
        shown: shown.to_owned(),
        kind,
        matter: Value::Null,
        yaml: yaml_text.to_owned(),
        first_line: if is_yaml { 1 } else { 2 },
        text: text.to_owned(),
        text_line,
        oddities,
        broken: None,
        starts: text.match_indices('\n').map(|(at, _)| at + 1).collect(),
    };
    card.fill();
    Ok(card)
}

impl Card {
    fn fill(&mut self) {
        if self.yaml.trim().is_empty() {
            if self.text.trim_start().lines().next().is_some_and(|line| line.trim_end() == "---") {
                self.broken = Some("the line of dashes that ends its values is not there".to_owned());
            }
            return;
        }
        if self.yaml.len() > MAX_MATTER {
            self.broken = Some(format!("it has more than {MAX_MATTER} bytes of values"));
            return;
        }
        match yaml(&self.yaml) {
            Ok(document) if document.root.is_object() || document.root.is_null() => {
                self.matter = document.root;
                self.oddities.extend(document.oddities);
            }
            Ok(_) => self.broken = Some("it is no mapping of keys to values".to_owned()),
            Err(why) => self.broken = Some(why),
        }
        let is_dataset = ["dataset_info", "task_categories", "annotations_creators", "size_categories", "configs"];
        if self.matter.as_object().is_some_and(|keys| is_dataset.iter().any(|key| keys.contains_key(*key))) {
            self.kind = Kind::Dataset;
        }
    }
}

/// YAML and text, and the line at which the text begins.
fn split(whole: &str) -> (&str, &str, u64) {
    let Some(matter) = front_matter(whole) else { return ("", whole, 1) };
    let start = matter.as_ptr() as usize - whole.as_ptr() as usize + matter.len();
    let rest = whole.get(start..).unwrap_or_default();
    let text = rest.split_once('\n').map_or("", |(_, text)| text);
    let lines = whole.len() - text.len();
    let before = whole.get(..lines).unwrap_or_default().bytes().filter(|byte| *byte == b'\n').count() as u64;
    (matter, text, before + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(text: &str) -> Card {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("README.md");
        std::fs::write(&path, text).unwrap();
        read(&path, "README.md", Kind::Model).unwrap()
    }

    #[test]
    fn values_and_text_have_their_lines() {
        let card = card(
            "---\r\nlicense: mit\r\nmodel-index:\r\n- name: Tiny\r\n  results: []\r\n---\r\n\r\n# Title\r\ntext\r\n",
        );
        assert_eq!(card.root().text_of("license"), Some("mit"));
        assert_eq!((card.line_of("/license"), card.line_of("/model-index/0/results")), (Some(2), Some(5)));
        assert_eq!((card.text_line, card.name().as_deref()), (7, Some("Tiny")));
        assert_eq!(card.text_line_of(card.text.find("# Title").unwrap()), 8);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(card("---\na: [1\n---\n").broken.is_some());
        assert!(card("---\nlicense: mit\n\n# Title\n").broken.is_some());
        assert!(card("---\n- a\n---\n").broken.is_some());
        assert_eq!(card("---\nlicense: mit\nlicense: isc\n---\n").oddities.len(), 1);
        let bomb = (0..40).fold("a0: &a0 [x,x]\n".to_owned(), |text, at| {
            format!("{text}a{}: &a{} [*a{at},*a{at}]\n", at + 1, at + 1)
        });
        assert!(card(&format!("---\n{bomb}---\n")).broken.is_some());
        assert_eq!(card("---\nconfigs: []\n---\n").kind, Kind::Dataset);
    }
}
