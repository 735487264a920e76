//! What the machine builds.

use crate::protobuf::Span;
use crate::weights::Problem;

/// Objects that are remembered: the largest known models have some 200 000 tensors of five objects each.
const MAX_NODES: usize = 1 << 21;
/// Values in all objects together.
const MAX_ITEMS: usize = 1 << 22;
/// Bytes of all texts together.
const MAX_TEXT: usize = 32 << 20;

/// A value: 16 bytes, however large what it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// A whole number that takes more than 64 bits.
    Long,
    Float(f64),
    Text(u32),
    /// Bytes that stand in the stream.
    Bytes(u32),
    Node(u32),
    Global(u32),
    Storage(u32),
    Tensor(u32),
    /// A tensor that has no faithful plain form; the text says why.
    Refused(u32),
}

/// What kind of object a node is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Tuple,
    List,
    /// Keys and values in turns.
    Dict,
    Set,
    /// What a call of a callable makes, with its arguments and all that was set on it, of which only the name is known.
    Object(Value),
    /// A NumPy array that has no state yet.
    Array,
    /// A NumPy array with its state: the tensor that it is.
    Stated(Value),
    /// A NumPy type: its arguments, and the state that was set.
    NumpyType,
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) items: Vec<Value>,
}

/// A callable or a constant, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Global {
    pub(super) module: String,
    pub(super) name: String,
}

impl Global {
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.module, self.name)
    }
}

/// Everything that one stream builds.
#[derive(Debug, Default)]
pub(super) struct Heap {
    nodes: Vec<Node>,
    texts: Vec<String>,
    bytes: Vec<Span>,
    globals: Vec<Global>,
    items: usize,
    text_bytes: usize,
}

fn full(what: &str) -> Problem {
    Problem::unsupported(format!("the pickle holds more {what} than are followed"))
}

fn place(length: usize) -> Result<u32, Problem> {
    u32::try_from(length).map_err(|_| full("objects"))
}

impl Heap {
    pub(super) fn node(&mut self, kind: Kind, items: Vec<Value>) -> Result<Value, Problem> {
        self.count(items.len())?;
        if self.nodes.len() >= MAX_NODES {
            return Err(full("objects"));
        }
        let place = place(self.nodes.len())?;
        self.nodes.push(Node { kind, items });
        Ok(Value::Node(place))
    }

    fn count(&mut self, items: usize) -> Result<(), Problem> {
        self.items = self.items.saturating_add(items);
        if self.items > MAX_ITEMS { Err(full("values")) } else { Ok(()) }
    }

    /// Adds items to a node.
    pub(super) fn extend(&mut self, node: u32, items: &[Value]) -> Result<(), Problem> {
        self.count(items.len())?;
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.items.extend_from_slice(items);
        }
        Ok(())
    }

    pub(super) fn text(&mut self, text: String) -> Result<Value, Problem> {
        self.text_bytes = self.text_bytes.saturating_add(text.len());
        if self.text_bytes > MAX_TEXT || self.texts.len() >= MAX_ITEMS {
            return Err(full("text"));
        }
        let place = place(self.texts.len())?;
        self.texts.push(text);
        Ok(Value::Text(place))
    }

    pub(super) fn bytes(&mut self, span: Span) -> Result<Value, Problem> {
        if self.bytes.len() >= MAX_ITEMS {
            return Err(full("bytes"));
        }
        let place = place(self.bytes.len())?;
        self.bytes.push(span);
        Ok(Value::Bytes(place))
    }

    pub(super) fn global(&mut self, global: Global) -> Result<Value, Problem> {
        if let Some(known) = self.globals.iter().position(|known| *known == global) {
            return Ok(Value::Global(place(known)?));
        }
        if self.globals.len() >= 4096 {
            return Err(full("names"));
        }
        self.globals.push(global);
        Ok(Value::Global(place(self.globals.len().saturating_sub(1))?))
    }

    pub(super) fn refused(&mut self, why: impl Into<String>) -> Result<Value, Problem> {
        match self.text(why.into())? {
            Value::Text(text) => Ok(Value::Refused(text)),
            other => Ok(other),
        }
    }

    pub(super) fn get(&self, node: u32) -> Option<&Node> {
        self.nodes.get(node as usize)
    }

    pub(super) fn set_kind(&mut self, node: u32, kind: Kind) {
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.kind = kind;
        }
    }

    /// The items of a tuple, list or other node; none of anything else.
    pub(super) fn items(&self, value: Value) -> &[Value] {
        match value {
            Value::Node(node) => self.get(node).map(|node| node.items.as_slice()).unwrap_or_default(),
            _ => &[],
        }
    }

    pub(super) fn kind(&self, value: Value) -> Option<Kind> {
        match value {
            Value::Node(node) => self.get(node).map(|node| node.kind),
            _ => None,
        }
    }

    pub(super) fn text_of(&self, value: Value) -> Option<&str> {
        match value {
            Value::Text(text) | Value::Refused(text) => self.texts.get(text as usize).map(String::as_str),
            _ => None,
        }
    }

    pub(super) fn span_of(&self, value: Value) -> Option<Span> {
        match value {
            Value::Bytes(span) => self.bytes.get(span as usize).copied(),
            _ => None,
        }
    }

    pub(super) fn global_of(&self, value: Value) -> Option<&Global> {
        match value {
            Value::Global(global) => self.globals.get(global as usize),
            _ => None,
        }
    }
}
