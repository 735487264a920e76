//! TOML, JSON and YAML as one kind of tree in which every value knows its line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use waag_formats::budget::Budget;
use waag_formats::json::{self, Deviation, Event};
use waag_formats::yaml;

use super::text::Text;

/// Values of one document.
const MAX_VALUES: usize = 1_000_000;
/// Tables within tables.
const MAX_DEPTH: usize = 100;
/// Bytes of text of one document, aliases counted as often as they are used.
const MAX_BYTES: usize = 64 << 20;
/// Dots between keys on one line: each is a table within a table.
const MAX_DOTS: usize = 64;

/// A value, and its line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Table(Vec<(String, Node)>),
    List(Vec<Node>),
    Text(String),
    Flag(bool),
    /// A number or date, as it is written.
    Plain(String),
    Nothing,
}

impl Node {
    /// A member of a table; of two with one name the later.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Table(members) => members.iter().rev().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// A member of a member.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    pub(super) fn members(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Table(members) => members,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Items of a member that is a list.
    pub(super) fn list(&self, key: &str) -> &[Self] {
        self.get(key).map(Self::items).unwrap_or_default()
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Plain(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    pub(super) fn flag_of(&self, key: &str) -> Option<bool> {
        match self.get(key)?.value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    pub(super) const fn is_table(&self) -> bool {
        matches!(self.value, Value::Table(_))
    }
}

/// Reads TOML.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn toml(text: &Text) -> Result<Node, String> {
    if text.text.lines().any(has_deep_key) {
        return Err("tables lie too deep in each other".to_owned());
    }
    let table = DeTable::parse(&text.text).map_err(|error| {
        let line = error.span().map(|span| format!(" (line {})", text.line_at(span.start))).unwrap_or_default();
        format!("it is no TOML: {}{line}", error.message())
    })?;
    let mut left = MAX_VALUES;
    let members = table_of(table.get_ref(), text, 0, &mut left)?;
    Ok(Node { line: 1, value: members })
}

/// Whether a key is of more parts than anybody writes; the text of values can have as many dots, and no such lines are read.
fn has_deep_key(line: &str) -> bool {
    let key = line.split(['=', ']', '#']).next().unwrap_or_default();
    key.len() > MAX_DOTS && key.bytes().filter(|byte| *byte == b'.').count() > MAX_DOTS
}

fn table_of(table: &DeTable<'_>, text: &Text, depth: usize, left: &mut usize) -> Result<Value, String> {
    let mut members = Vec::with_capacity(table.len());
    for (key, value) in table {
        let line = text.line_at(key.span().start);
        let mut node = node_of(value, text, depth + 1, left)?;
        // A value can begin below its key; people look for the key.
        node.line = if node.is_table() { node.line.max(line) } else { line };
        members.push((key.span().start, key.get_ref().clone().into_owned(), node));
    }
    members.sort_by_key(|(start, ..)| *start);
    Ok(Value::Table(members.into_iter().map(|(_, key, node)| (key, node)).collect()))
}

fn node_of(value: &Spanned<DeValue<'_>>, text: &Text, depth: usize, left: &mut usize) -> Result<Node, String> {
    if depth > MAX_DEPTH || *left == 0 {
        return Err("it has more values, or deeper ones, than are read".to_owned());
    }
    *left -= 1;
    let line = text.line_at(value.span().start);
    let value = match value.get_ref() {
        DeValue::String(string) => Value::Text(string.clone().into_owned()),
        DeValue::Integer(number) => Value::Plain(number.as_str().to_owned()),
        DeValue::Float(number) => Value::Plain(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(date) => Value::Plain(date.to_string()),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| node_of(item, text, depth + 1, left));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => table_of(table, text, depth, left)?,
    };
    Ok(Node { line, value })
}

/// Reads JSON.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn json(text: &Text) -> Result<Node, String> {
    let bytes = text.text.as_bytes();
    let budget = Budget::for_size(bytes.len() as u64);
    let mut maker = Maker::new(text);
    let outcome = json::walk(&bytes, 0, bytes.len() as u64, &budget, &mut |event| maker.event(&event));
    let broken = outcome.notes.iter().find(|note| !matches!(note.kind, Deviation::Duplicate | Deviation::Lax));
    match broken {
        Some(note) => Err(format!("it is no JSON: {}", note.detail)),
        None if !outcome.complete => Err("it is no JSON: it ends too early".to_owned()),
        None => maker.finish(),
    }
}

/// Reads YAML: its first document.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn yaml(text: &Text) -> Result<Node, String> {
    let budget = Budget::for_size(text.text.len() as u64);
    let mut maker = Maker::new(text);
    let outcome = yaml::walk(&text.text, 0, &budget, &mut |_, event| maker.event(event));
    match outcome.stopped {
        Some((_, yaml::Stop::Bomb)) => Err("aliases of aliases multiply into millions of values".to_owned()),
        Some((_, yaml::Stop::Broken(why) | yaml::Stop::Limit(why) | yaml::Stop::Deep(why))) => {
            Err(format!("it is no YAML that can be read: {why}"))
        }
        None => maker.finish(),
    }
}

/// A tree in the making: what is open, outermost first.
struct Maker<'t> {
    text: &'t Text,
    open: Vec<(Option<String>, Node)>,
    root: Option<Node>,
    values: usize,
    bytes: usize,
}

impl<'t> Maker<'t> {
    const fn new(text: &'t Text) -> Self {
        Self { text, open: Vec::new(), root: None, values: 0, bytes: 0 }
    }

    fn event(&mut self, event: &Event<'_>) {
        let value = match event.value {
            json::Value::Object => Value::Table(Vec::new()),
            json::Value::Array => Value::List(Vec::new()),
            json::Value::ObjectEnd(_) | json::Value::ArrayEnd(_) => return self.close(),
            json::Value::Text(text) => Value::Text(text.to_owned()),
            json::Value::Number(text) => Value::Plain(text.to_owned()),
            json::Value::Bool(flag) => Value::Flag(flag),
            json::Value::Null => Value::Nothing,
        };
        let key = event.key().map(str::to_owned);
        self.values += 1;
        self.bytes += key.as_deref().map_or(0, str::len) + if let Value::Text(text) = &value { text.len() } else { 0 };
        if self.is_too_large() {
            return;
        }
        let opens = matches!(value, Value::Table(_) | Value::List(_));
        let node = Node { line: self.text.line_at(usize::try_from(event.offset).unwrap_or(usize::MAX)), value };
        if opens { self.open.push((key, node)) } else { self.put(key, node) }
    }

    const fn is_too_large(&self) -> bool {
        self.values > MAX_VALUES || self.bytes > MAX_BYTES
    }

    fn close(&mut self) {
        if self.is_too_large() {
            return;
        }
        if let Some((key, node)) = self.open.pop() {
            self.put(key, node);
        }
    }

    fn put(&mut self, key: Option<String>, node: Node) {
        match self.open.last_mut().map(|(_, node)| &mut node.value) {
            Some(Value::Table(members)) => members.push((key.unwrap_or_default(), node)),
            Some(Value::List(items)) => items.push(node),
            _ => self.root = self.root.take().or(Some(node)),
        }
    }

    fn finish(self) -> Result<Node, String> {
        if self.is_too_large() {
            return Err("it has more values than are read".to_owned());
        }
        Ok(self.root.unwrap_or(Node { line: 1, value: Value::Nothing }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text::new("x".into(), text.as_bytes())
    }

    #[test]
    fn the_three_languages_give_one_tree() {
        let toml = toml(&text("a = ['x', 'y']\n[b]\nc = 1\n")).unwrap();
        let json = json(&text("{\"a\": [\"x\", \"y\"],\n\n\"b\": {\"c\": 1}}")).unwrap();
        let yaml = yaml(&text("a: [x, y]\n\nb:\n  c: 1\n")).unwrap();
        for tree in [&toml, &json, &yaml] {
            let items: Vec<_> = tree.list("a").iter().filter_map(Node::text).collect();
            assert_eq!(items, ["x", "y"]);
            assert_eq!(tree.at(&["b", "c"]).unwrap().text(), Some("1"));
            assert_eq!(tree.at(&["b", "c"]).unwrap().line, if tree == &yaml { 4 } else { 3 });
        }
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        let deep = format!("a{} = 1", ".a".repeat(100_000));
        assert!(toml(&text(&deep)).is_err());
        assert!(toml(&text(&format!("[a{}]", ".a".repeat(100_000)))).is_err());
        assert!(toml(&text(&format!("a = {}", "[".repeat(100_000)))).is_err());
        assert!(toml(&text(&format!("a = {}", "{a=".repeat(100_000)))).is_err());
        assert!(toml(&text(&format!("a = {{a{} = 1}}", ".a".repeat(100_000)))).is_err());
        assert!(json(&text(&"[".repeat(100_000))).is_err());
        assert!(yaml(&text("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b\n")).is_err());
    }
}
