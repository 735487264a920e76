//! What the machine sees, as Python that a person can read.

use crate::fact::Usage;
use crate::facts::shorten;

use super::literal::Literal;
use super::machine::Machine;
use super::value::{NodeId, NodeKind, Value};

/// Characters of one expression.
const MAX_EXPRESSION: usize = 300;
/// Characters of one text within it.
const MAX_QUOTED: usize = 120;
/// Expressions within expressions.
const MAX_NESTING: u32 = 6;
/// Items shown of one container.
const MAX_SHOWN: usize = 8;

impl Machine<'_> {
    /// A value.
    pub(super) fn express(&self, value: Value) -> String {
        shorten(self.express_at(value, 0), MAX_EXPRESSION)
    }

    /// A call with its arguments.
    pub(super) fn express_call(&self, callable: Value, arguments: Value, usage: Usage) -> String {
        let arguments = self.express_items(&self.items(arguments), 1);
        let callable = self.express_at(callable, 1);
        shorten(
            if usage == Usage::New {
                format!("{callable}.__new__({callable}, {arguments})")
            } else {
                format!("{callable}({arguments})")
            },
            MAX_EXPRESSION,
        )
    }

    /// A change to a value.
    pub(super) fn express_change(&self, target: Value, usage: Usage, with: Value) -> String {
        let target = self.express_at(target, 1);
        let with = self.express_at(with, 1);
        shorten(
            match usage {
                Usage::Append => format!("{target}.append({with})"),
                Usage::SetItem => format!("{target}[…] = {with}"),
                Usage::AddItem => format!("{target}.add({with})"),
                _ => format!("{target}.__setstate__({with})"),
            },
            MAX_EXPRESSION,
        )
    }

    fn express_at(&self, value: Value, depth: u32) -> String {
        match value {
            Value::Plain => "…".to_owned(),
            Value::Lost => "<unknown>".to_owned(),
            Value::Persistent => "<persistent object>".to_owned(),
            Value::Literal(_) => self.express_literal(value),
            Value::Global(id) => self.globals.get(id).map_or_else(String::new, super::global::Global::path),
            Value::Made(id) => self.globals.get(id).map_or_else(String::new, |global| format!("{}(…)", global.path())),
            Value::Node(_) if depth >= MAX_NESTING => "…".to_owned(),
            Value::Node(node) => self.express_node(node, depth.saturating_add(1)),
        }
    }

    fn express_literal(&self, value: Value) -> String {
        match self.read_literal(value) {
            Some(Literal::Text(text)) => quote(&text),
            Some(Literal::Number(number)) => shorten(number, MAX_QUOTED),
            Some(Literal::Bytes { offset, length }) => self.express_bytes(offset, length),
            None => "…".to_owned(),
        }
    }

    fn express_bytes(&self, offset: u64, length: u64) -> String {
        let shown = usize::try_from(length).unwrap_or(usize::MAX).min(MAX_QUOTED);
        let bytes = crate::source::read_up_to(self.source, offset, shown);
        let ellipsis = if (shown as u64) < length { "…" } else { "" };
        format!("b'{}{ellipsis}'", bytes.escape_ascii())
    }

    fn express_node(&self, node: NodeId, depth: u32) -> String {
        let items = self.nodes.items(node);
        let first = || items.first().map_or_else(String::new, |value| self.express_at(*value, depth));
        let listed = |items: &[Value]| self.express_items(items, depth);
        match self.kind_of(node) {
            Some(NodeKind::Tuple) if items.len() == 1 => format!("({},)", listed(items)),
            Some(NodeKind::Tuple) => format!("({})", listed(items)),
            Some(NodeKind::List) => format!("[{}]", listed(items)),
            Some(NodeKind::Set) => format!("{{{}}}", listed(items)),
            Some(NodeKind::Dict) => self.express_pairs(items, depth),
            Some(NodeKind::Call | NodeKind::InertCall) => {
                format!("{}({})", first(), listed(items.get(1..).unwrap_or_default()))
            }
            Some(NodeKind::Attribute) => format!("getattr({})", listed(items)),
            Some(NodeKind::Extension) => "<name computed while loading>".to_owned(),
            Some(NodeKind::Persistent) => format!("persistent_load({})", listed(items)),
            None => String::new(),
        }
    }

    fn express_items(&self, items: &[Value], depth: u32) -> String {
        let shown = items.iter().take(MAX_SHOWN).map(|item| self.express_at(*item, depth));
        let mut listed = shown.collect::<Vec<_>>().join(", ");
        if items.len() > MAX_SHOWN {
            listed.push_str(", …");
        }
        listed
    }

    fn express_pairs(&self, items: &[Value], depth: u32) -> String {
        let shown = items.chunks(2).take(MAX_SHOWN).map(|pair| {
            let texts: Vec<_> = pair.iter().map(|value| self.express_at(*value, depth)).collect();
            texts.join(": ")
        });
        let mut listed = shown.collect::<Vec<_>>().join(", ");
        if items.len().div_ceil(2) > MAX_SHOWN {
            listed.push_str(", …");
        }
        format!("{{{listed}}}")
    }
}

/// A text as Python quotes it. What could deceive on a terminal is left to whoever prints.
fn quote(text: &str) -> String {
    let text = shorten(text.to_owned(), MAX_QUOTED);
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::from(quote);
    for character in text.chars() {
        match character {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\\' => quoted.push_str("\\\\"),
            _ if character == quote => quoted.extend(['\\', quote]),
            _ => quoted.push(character),
        }
    }
    quoted.push(quote);
    quoted
}
