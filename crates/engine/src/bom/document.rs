//! Documents among the files: JSON, YAML and the front matter of cards, each value with its place.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use waag_formats::budget::Budget;
use waag_formats::json::Segment;

use super::files::Found;
use super::model::{Evidence, Method, Remark, Said, Text};
use crate::import::document::{self, Node, front_matter};

/// Bytes of a document.
const MAX_DOCUMENT: u64 = 16 << 20;
/// Characters of one value that are kept.
const MAX_TEXT: usize = 2_000;
/// Values of one document whose lines are looked up.
const MAX_LINES: usize = 20_000;

/// A document that was read to its end.
#[derive(Debug)]
pub(super) struct Document {
    /// Its path below what was looked at.
    pub(super) file: String,
    method: Method,
    root: Value,
    /// Lines of values, by JSON pointer, where lines say more than pointers.
    lines: BTreeMap<String, u64>,
    /// What follows the front matter, and the line that it begins on.
    pub(super) body: Option<(u64, String)>,
}

impl Document {
    /// Reads a configuration, as its name ends; what cannot be read is a gap.
    pub(super) fn open(file: &Found, remarks: &mut Vec<Remark>) -> Option<Self> {
        let is_yaml = file.path.ends_with(".yaml") || file.path.ends_with(".yml");
        let read = if is_yaml { Self::yaml } else { Self::json };
        let read = read(&file.path, &file.opened, Method::Configuration);
        read.map_err(|why| remarks.push(Remark::gap(&file.path, why))).ok()
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn json(file: &str, opened: &Path, method: Method) -> Result<Self, String> {
        let bytes = read(opened)?;
        let root = document::json(&bytes)?.root;
        Ok(Self { file: file.to_owned(), method, root, lines: BTreeMap::new(), body: None })
    }

    /// Reads YAML.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn yaml(file: &str, opened: &Path, method: Method) -> Result<Self, String> {
        let text = String::from_utf8_lossy(&read(opened)?).into_owned();
        let root = document::yaml(&text)?.root;
        Ok(Self { file: file.to_owned(), method, root, lines: lines_of(&text, 0), body: None })
    }

    /// Reads a card: its front matter as values, the rest as text. Front matter that is no YAML is said, and leaves no
    /// values.
    ///
    /// # Errors
    /// Why it cannot be read at all.
    pub(super) fn card(file: &str, opened: &Path) -> Result<(Self, Option<String>), String> {
        let text = String::from_utf8_lossy(&read(opened)?).into_owned();
        let matter = front_matter(&text);
        let parsed = matter.map(document::yaml).transpose();
        let (root, problem) = match parsed {
            Ok(parsed) => (parsed.map(|parsed| parsed.root).unwrap_or_default(), None),
            Err(why) => (Value::Null, Some(why)),
        };
        let lines = matter.filter(|_| problem.is_none()).map(|matter| lines_of(matter, 1)).unwrap_or_default();
        let body = body_of(&text, matter);
        Ok((Self { file: file.to_owned(), method: Method::Card, root, lines, body }, problem))
    }

    pub(super) fn root(&self) -> Node<'_> {
        Node::root(&self.root)
    }

    /// Where a value stands.
    pub(super) fn evidence(&self, node: &Node<'_>) -> Evidence {
        self.evidence_at(node.place())
    }

    /// Where the value of a JSON pointer stands.
    pub(super) fn evidence_at(&self, pointer: &str) -> Evidence {
        let line = self.lines.get(pointer).copied();
        let place = Some(pointer.to_owned()).filter(|place| !place.is_empty());
        Evidence { file: self.file.clone(), line, place, method: self.method }
    }

    /// A value that is a text, a number or a truth value, with its place.
    pub(super) fn said(&self, node: &Node<'_>) -> Option<Text> {
        let value = shortened(&node.scalar()?);
        Some(Said { value, evidence: self.evidence(node) })
    }

    /// The first of some members.
    pub(super) fn any(&self, keys: &[&str]) -> Option<Text> {
        self.said(&self.root().any(keys)?)
    }

    /// Texts of a member that is a list or one value.
    pub(super) fn list(&self, key: &str) -> Vec<Text> {
        self.root().list(key).iter().filter_map(|node| self.said(node)).collect()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    crate::bounded::read(path, MAX_DOCUMENT).map_err(|error| error.to_string())
}

/// Cuts a list to what is kept of it, and says so.
pub(super) fn cut<T>(list: &mut Vec<T>, limit: usize, what: &str, location: &str, remarks: &mut Vec<Remark>) {
    if list.len() > limit {
        remarks.push(Remark::gap(location, format!("only {limit} of {} {what} are listed", list.len())));
        list.truncate(limit);
    }
}

/// A text, cut to what is kept of one.
pub(super) fn shortened(text: &str) -> String {
    waag_formats::facts::shorten(text.to_owned(), MAX_TEXT)
}

/// The text behind the front matter, and its first line.
fn body_of(text: &str, matter: Option<&str>) -> Option<(u64, String)> {
    let Some(matter) = matter else { return Some((1, text.to_owned())) };
    let start = (matter.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?.checked_add(matter.len())?;
    let rest = text.get(start..)?;
    let dashes = rest.find('\n').map_or(rest.len(), |end| end + 1);
    let before = text.get(..start + dashes)?.matches('\n').count() as u64;
    Some((before + 1, rest.get(dashes..)?.to_owned()))
}

/// The line of each value; `skipped` lines stand before the text.
fn lines_of(text: &str, skipped: u64) -> BTreeMap<String, u64> {
    let mut starts = vec![0];
    starts.extend(text.match_indices('\n').map(|(at, _)| at as u64 + 1));
    let mut lines = BTreeMap::new();
    let budget = Budget::for_size(text.len() as u64);
    waag_formats::yaml::walk(text, 0, &budget, &mut |_, event| {
        if lines.len() < MAX_LINES && !event.path.is_empty() {
            let line = starts.partition_point(|start| *start <= event.offset) as u64;
            lines.entry(pointer(event.path)).or_insert(line + skipped);
        }
    });
    lines
}

fn pointer(path: &[Segment]) -> String {
    path.iter().fold(String::new(), |mut pointer, segment| {
        let step = match segment {
            Segment::Key(key) => key.replace('~', "~0").replace('/', "~1"),
            Segment::Index(index) => index.to_string(),
        };
        pointer.push('/');
        pointer.push_str(&step);
        pointer
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_card_have_the_lines_that_an_editor_shows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("README.md");
        std::fs::write(&path, "---\nlicense: mit\ndatasets:\n- a/b\n- c/d\n---\n# Title\ntext\n").unwrap();
        let (card, problem) = Document::card("README.md", &path).unwrap();
        assert_eq!(problem, None);
        let lines: Vec<_> = card.list("datasets").iter().map(|text| text.evidence.line).collect();
        assert_eq!(lines, [Some(4), Some(5)]);
        assert_eq!(card.any(&["license"]).unwrap().evidence.place(), "README.md:2");
        assert_eq!(card.body, Some((7, "# Title\ntext\n".to_owned())));
    }

    #[test]
    fn a_card_without_front_matter_or_with_a_broken_one_is_still_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("README.md");
        std::fs::write(&path, "# Title\n").unwrap();
        assert_eq!(Document::card("README.md", &path).unwrap().0.body, Some((1, "# Title\n".to_owned())));
        std::fs::write(&path, "---\na: [1\nb: }\n---\ntext\n").unwrap();
        let (card, problem) = Document::card("README.md", &path).unwrap();
        assert!(problem.is_some() && card.any(&["a"]).is_none());
    }
}
