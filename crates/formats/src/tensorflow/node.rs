//! One node of a graph: `NodeDef` and its attributes.

use crate::protobuf::{Broken, Message, Span, Wire};
use crate::source::Source;

/// Bytes kept of a name.
pub(super) const MAX_NAME: usize = 1024;
/// Inputs of a node that are looked at.
const MAX_INPUTS: usize = 4096;
/// Texts of one attribute.
const MAX_TEXTS: usize = 32;

/// A node, without its inputs and the contents of its attributes.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Its name.
    pub(super) name: String,
    /// Its operator, or the function it calls. Of several, the last counts, as for every reader.
    pub(super) operator: String,
    /// The device that it wants to run on.
    pub(super) device: String,
    /// Its attributes: keys and values.
    pub(super) attributes: Vec<Span>,
}

/// Attributes of one node.
const MAX_ATTRIBUTES: usize = 1024;

impl Node {
    /// Reads a `NodeDef`.
    pub(super) fn read(source: &dyn Source, span: Span) -> Result<Self, Broken> {
        let mut node = Self::default();
        let mut message = Message::new(source, span);
        while let Some(field) = message.next()? {
            match (field.number, field.wire) {
                (1, Wire::Bytes(name)) => node.name = name.text(source, MAX_NAME),
                (2, Wire::Bytes(operator)) => node.operator = operator.text(source, MAX_NAME),
                (4, Wire::Bytes(device)) => node.device = device.text(source, MAX_NAME),
                (5, Wire::Bytes(attribute)) if node.attributes.len() < MAX_ATTRIBUTES => {
                    node.attributes.push(attribute)
                }
                _ => {}
            }
        }
        Ok(node)
    }

    /// The value of an attribute. Of several, the last counts.
    pub(super) fn attribute(&self, source: &dyn Source, wanted: &str) -> Option<Span> {
        let entries = self.attributes.iter().rev().filter_map(|entry| pair(source, *entry).ok());
        entries.into_iter().find(|(key, _)| key == wanted).and_then(|(_, value)| value)
    }

    /// The texts in an attribute: one, or a list.
    pub(super) fn texts(&self, source: &dyn Source, wanted: &str) -> Vec<String> {
        let spans = self.attribute(source, wanted).map(|value| texts(source, value).unwrap_or_default());
        spans.unwrap_or_default().iter().map(|span| span.text(source, MAX_NAME)).collect()
    }

    /// The constant in its attribute `value`.
    pub(super) fn constant(&self, source: &dyn Source) -> Option<Span> {
        let value = self.attribute(source, "value")?;
        let mut message = Message::new(source, value);
        let mut found = None;
        while let Ok(Some(field)) = message.next() {
            found = if field.number == 8 { field.span() } else { found };
        }
        found
    }

    /// The functions that its attributes name.
    pub(super) fn functions(&self, source: &dyn Source) -> Vec<String> {
        let values = self.attributes.iter().filter_map(|entry| pair(source, *entry).ok()?.1);
        values.flat_map(|value| functions(source, value).unwrap_or_default()).collect()
    }
}

/// Key and value of an entry of a map.
pub(super) fn pair(source: &dyn Source, entry: Span) -> Result<(String, Option<Span>), Broken> {
    let (mut key, mut value) = (String::new(), None);
    let mut message = Message::new(source, entry);
    while let Some(field) = message.next()? {
        match (field.number, field.wire) {
            (1, Wire::Bytes(span)) => key = span.text(source, MAX_NAME),
            (2, Wire::Bytes(span)) => value = Some(span),
            _ => {}
        }
    }
    Ok((key, value))
}

/// The inputs of a node, as it names them; control inputs, which carry no value, are left out.
pub(super) fn inputs(source: &dyn Source, span: Span) -> Result<Vec<String>, Broken> {
    let mut inputs = Vec::new();
    let mut message = Message::new(source, span);
    while let Some(field) = message.next()? {
        if let (3, Wire::Bytes(input)) = (field.number, field.wire)
            && inputs.len() < MAX_INPUTS
        {
            let input = input.text(source, MAX_NAME);
            if !input.starts_with('^') {
                inputs.push(input);
            }
        }
    }
    Ok(inputs)
}

/// The texts of an `AttrValue`.
fn texts(source: &dyn Source, value: Span) -> Result<Vec<Span>, Broken> {
    let mut list = Vec::new();
    let mut message = Message::new(source, value);
    while let Some(field) = message.next()? {
        match (field.number, field.wire) {
            (2, Wire::Bytes(text)) if list.len() < MAX_TEXTS => list.push(text),
            (1, Wire::Bytes(values)) => list.extend(bytes_fields(source, values, 2)?),
            _ => {}
        }
    }
    list.truncate(MAX_TEXTS);
    Ok(list)
}

/// The names of the functions of an `AttrValue`.
fn functions(source: &dyn Source, value: Span) -> Result<Vec<String>, Broken> {
    let mut list = Vec::new();
    let mut message = Message::new(source, value);
    while let Some(field) = message.next()? {
        match (field.number, field.wire) {
            (10, Wire::Bytes(function)) => list.push(function),
            (1, Wire::Bytes(values)) => list.extend(bytes_fields(source, values, 9)?),
            _ => {}
        }
    }
    list.truncate(MAX_TEXTS);
    let names = list.iter().filter_map(|function| bytes_fields(source, *function, 1).ok()?.pop());
    Ok(names.map(|name| name.text(source, MAX_NAME)).collect())
}

/// The ranges of one field, the first few of them.
pub(super) fn bytes_fields(source: &dyn Source, span: Span, number: u32) -> Result<Vec<Span>, Broken> {
    let mut list = Vec::new();
    let mut message = Message::new(source, span);
    while let Some(field) = message.next()? {
        if let (true, Some(range)) = (field.number == number && list.len() < MAX_TEXTS, field.span()) {
            list.push(range);
        }
    }
    Ok(list)
}
