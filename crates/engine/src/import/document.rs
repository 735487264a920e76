//! JSON and YAML as a tree, bounded: what cannot be read as a whole is not used in part.

use serde_json::{Map, Number, Value};
use waag_formats::budget::Budget;
use waag_formats::json::{self, Deviation, Event, Segment};
use waag_formats::yaml;

/// Values of one document.
const MAX_VALUES: usize = 2_000_000;
/// Bytes of text of one document, aliases counted as often as they are used.
const MAX_BYTES: usize = 256 << 20;

/// A document, and what is odd about it.
#[derive(Debug)]
pub struct Document {
    /// Everything in it.
    pub root: Value,
    /// Keys that stand twice: readers disagree about which holds.
    pub oddities: Vec<String>,
}

/// Reads JSON.
///
/// # Errors
/// What is wrong, when it cannot be read to its end or is more than is read here.
pub fn json(bytes: &[u8]) -> Result<Document, String> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut tree = Tree::default();
    let budget = Budget::for_size(bytes.len() as u64);
    let outcome = json::walk(&bytes, 0, bytes.len() as u64, &budget, &mut |event| tree.event(&event));
    if !outcome.complete || outcome.notes.iter().any(|note| !matches!(note.kind, Deviation::Duplicate | Deviation::Lax))
    {
        let why = outcome.notes.iter().rev().find(|note| note.kind != Deviation::Duplicate);
        let why = why.map_or("it ends too early".to_owned(), |note| note.detail.clone());
        return Err(format!("it is no JSON: {why}"));
    }
    let oddities = outcome.notes.into_iter().map(|note| note.detail).collect();
    tree.finish(oddities)
}

/// Reads YAML: the first document of it.
///
/// # Errors
/// As for JSON; aliases that multiply and collections that lie too deep are more than is read.
pub fn yaml(text: &str) -> Result<Document, String> {
    let mut tree = Tree::default();
    let budget = Budget::for_size(text.len() as u64);
    let outcome = yaml::walk(text, 0, &budget, &mut |_, event| tree.event(event));
    match outcome.stopped {
        Some((_, yaml::Stop::Bomb)) => return Err("aliases of aliases multiply into millions of values".to_owned()),
        Some((_, yaml::Stop::Broken(why) | yaml::Stop::Limit(why) | yaml::Stop::Deep(why))) => {
            return Err(format!("it is no YAML that can be read: {why}"));
        }
        None => {}
    }
    let mut oddities: Vec<String> =
        outcome.duplicates.into_iter().map(|(_, path)| format!("the key `{path}` is there twice")).collect();
    if outcome.documents > 1 {
        oddities.push(format!("only the first of {} documents is read", outcome.documents));
    }
    tree.finish(oddities)
}

/// The YAML before the text of a card, between lines of dashes.
#[must_use]
pub fn front_matter(text: &str) -> Option<&str> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut at = 0;
    let mut start = None;
    for line in text.split_inclusive('\n') {
        let is_dashes = line.trim_end() == "---";
        match start {
            None if line.trim().is_empty() => {
                at += line.len();
                continue;
            }
            None if !is_dashes => return None,
            Some(start) if is_dashes => return text.get(start..at),
            _ => {}
        }
        at += line.len();
        start = start.or(Some(at));
    }
    None
}

/// A tree in the making.
#[derive(Debug, Default)]
struct Tree {
    root: Option<Value>,
    values: usize,
    bytes: usize,
    /// The outermost value has ended: what follows is another document.
    is_done: bool,
}

impl Tree {
    fn event(&mut self, event: &Event<'_>) {
        let value = match event.value {
            json::Value::Object => Value::Object(Map::new()),
            json::Value::Array => Value::Array(Vec::new()),
            json::Value::ObjectEnd(_) | json::Value::ArrayEnd(_) => {
                self.is_done |= event.path.is_empty();
                return;
            }
            json::Value::Text(text) => Value::String(text.to_owned()),
            json::Value::Number(text) => text.parse::<Number>().map_or_else(|_| text.into(), Value::Number),
            json::Value::Bool(value) => Value::Bool(value),
            json::Value::Null => Value::Null,
        };
        self.values += 1;
        self.bytes += value.as_str().map_or(0, str::len) + event.key().map_or(0, str::len);
        if self.is_done || self.is_too_large() {
            return;
        }
        match (event.path, &mut self.root) {
            ([], None) => {
                self.is_done = !value.is_object() && !value.is_array();
                self.root = Some(value);
            }
            ([], Some(_)) => self.is_done = true,
            (path, Some(root)) => put(root, path, value),
            (_, None) => {}
        }
    }

    fn is_too_large(&self) -> bool {
        self.values > MAX_VALUES || self.bytes > MAX_BYTES
    }

    fn finish(self, oddities: Vec<String>) -> Result<Document, String> {
        if self.is_too_large() {
            return Err("it has more values than are read".to_owned());
        }
        Ok(Document { root: self.root.unwrap_or_default(), oddities })
    }
}

/// Puts a value where a path leads; of two at one place the later one stays.
fn put(root: &mut Value, path: &[Segment], value: Value) {
    let Some((last, above)) = path.split_last() else { return };
    let mut at = root;
    for segment in above {
        let next = match (segment, at) {
            (Segment::Key(key), Value::Object(members)) => members.get_mut(key),
            (Segment::Index(index), Value::Array(items)) => {
                usize::try_from(*index).ok().and_then(|index| items.get_mut(index))
            }
            _ => None,
        };
        let Some(next) = next else { return };
        at = next;
    }
    match (last, at) {
        (Segment::Key(key), Value::Object(members)) => {
            members.insert(key.clone(), value);
        }
        (Segment::Index(_), Value::Array(items)) => items.push(value),
        _ => {}
    }
}

/// A value of a document, and the JSON pointer to it.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    value: &'a Value,
    pointer: String,
}

impl<'a> Node<'a> {
    /// The outermost value.
    #[must_use]
    pub fn root(value: &'a Value) -> Self {
        Self { value, pointer: String::new() }
    }

    /// The JSON pointer to it.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.pointer
    }

    /// The value itself.
    #[must_use]
    pub fn value(&self) -> &'a Value {
        self.value
    }

    fn below(&self, step: &str, value: &'a Value) -> Self {
        let step = step.replace('~', "~0").replace('/', "~1");
        Self { value, pointer: format!("{}/{step}", self.pointer) }
    }

    /// A member.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.as_object()?.get(key)?;
        Some(self.below(key, value)).filter(|node| !node.value.is_null())
    }

    /// The first member that is there.
    #[must_use]
    pub fn any(&self, keys: &[&str]) -> Option<Self> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// A member of a member.
    #[must_use]
    pub fn at(&self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self.clone(), |node, key| node.get(key))
    }

    /// Members, in order of their keys.
    #[must_use]
    pub fn members(&self) -> Vec<(&'a str, Self)> {
        let members = self.value.as_object().into_iter().flatten();
        members.map(|(key, value)| (key.as_str(), self.below(key, value))).collect()
    }

    /// Items of a list; of anything else, itself.
    #[must_use]
    pub fn items(&self) -> Vec<Self> {
        match self.value {
            Value::Array(items) => {
                items.iter().enumerate().map(|(index, item)| self.below(&index.to_string(), item)).collect()
            }
            Value::Null => Vec::new(),
            _ => vec![self.clone()],
        }
    }

    /// Items of a member that may be a list or one value.
    #[must_use]
    pub fn list(&self, key: &str) -> Vec<Self> {
        self.get(key).map(|node| node.items()).unwrap_or_default()
    }

    /// Text that says something.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        self.value.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// Text, or a number or truth value as it is written.
    #[must_use]
    pub fn scalar(&self) -> Option<String> {
        match self.value {
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            _ => self.text().map(str::to_owned),
        }
    }

    /// The text of a member.
    #[must_use]
    pub fn text_of(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(|node| node.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_give_the_same_tree_with_places() {
        let from_json = json(br#"{"a": [{"b/c": 1}], "d": "x", "e": null}"#).unwrap().root;
        let from_yaml = yaml("a:\n- b/c: 1\nd: x\ne: ~\n").unwrap().root;
        assert_eq!(from_json, from_yaml);
        let root = Node::root(&from_json);
        let node = root.list("a")[0].get("b/c").unwrap();
        assert_eq!((node.place(), node.scalar().as_deref()), ("/a/0/b~1c", Some("1")));
        assert!(root.get("e").is_none());
        assert_eq!(root.list("d")[0].text(), Some("x"));
    }

    #[test]
    fn what_cannot_be_read_whole_is_refused() {
        assert!(json(br#"{"a": 1"#).is_err());
        assert!(json(br#"{"a": 1} x"#).is_err());
        assert!(json("[".repeat(100_000).as_bytes()).is_err());
        assert!(yaml("a: [1\nb: }").is_err());
        assert!(yaml(&"- ".repeat(100_000)).is_err());
        let mut laughs = "a0: &a0 [l, l, l, l, l, l, l, l, l]\n".to_owned();
        for level in 1..12 {
            let list = format!("*a{}, ", level - 1).repeat(9);
            laughs.push_str(&format!("a{level}: &a{level} [{}]\n", list.trim_end_matches(", ")));
        }
        assert!(yaml(&laughs).is_err_and(|why| why.contains("multiply")));
    }

    #[test]
    fn keys_that_stand_twice_and_second_documents_are_told() {
        assert_eq!(json(br#"{"a": 1, "a": 2}"#).unwrap().oddities.len(), 1);
        let two = yaml("a: 1\n---\na: 2\n").unwrap();
        assert_eq!((Node::root(&two.root).get("a").unwrap().scalar().as_deref(), two.oddities.len()), (Some("1"), 1));
    }

    #[test]
    fn a_card_begins_with_dashes() {
        assert_eq!(front_matter("---\na: 1\n---\ntext"), Some("a: 1\n"));
        assert_eq!(front_matter("\n \r\n---\na: 1\n---\ntext"), Some("a: 1\n"));
        assert_eq!(front_matter("# title\n---\na: 1\n---\n"), None);
    }
}
