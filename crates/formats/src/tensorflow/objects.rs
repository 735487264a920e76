//! The objects of a SavedModel, and the metadata that Keras keeps of its layers: in the model, or in a file beside it.

use super::node::MAX_NAME;
use crate::budget::Budget;
use crate::child::Child;
use crate::fact::{FactKind, Gap, Position};
use crate::facts::{Facts, shorten};
use crate::keras;
use crate::protobuf::{Broken, Message, Span, Wire};
use crate::source::Source;

/// Objects whose metadata are opened.
const MAX_OBJECTS: usize = 200_000;
/// Bytes by which metadata are told to be JSON.
const HEAD: usize = 256;
/// Registered names that are listed.
const MAX_REGISTERED: usize = 1_000;

/// Reads a `SavedObjectGraph`.
pub(super) fn read(source: &dyn Source, span: Span, budget: &Budget, facts: &mut Facts) -> Result<(), Broken> {
    let mut message = Message::new(source, span);
    let (mut objects, mut registered) = (0usize, 0usize);
    while let Some(field) = message.next()? {
        if let Err(limit) = budget.operate(1) {
            facts.incomplete(field.offset, Gap::Limit, limit.to_string());
            break;
        }
        if let (1, Wire::Bytes(object)) = (field.number, field.wire) {
            registered = registered.saturating_add(saved_object(source, object, (objects, registered), budget, facts)?);
            objects = objects.saturating_add(1);
        }
    }
    facts.property("objects", objects.to_string());
    Ok(())
}

fn saved_object(
    source: &dyn Source,
    span: Span,
    (index, registered): (usize, usize),
    budget: &Budget,
    facts: &mut Facts,
) -> Result<usize, Broken> {
    let mut found = 0usize;
    let mut message = Message::new(source, span);
    while let Some(field) = message.next()? {
        match (field.number, field.wire) {
            (4, Wire::Bytes(user)) => user_object(source, user, index, (1, 3), budget, facts)?,
            // Loaders look these names up among the classes that the process has registered itself.
            (13 | 16, Wire::Bytes(name)) if name.length > 0 && registered < MAX_REGISTERED => {
                found = found.saturating_add(1);
                let key = format!(
                    "object {index}: {}",
                    if field.number == 13 { "registered name" } else { "registered saver" }
                );
                let value = name.text(source, MAX_NAME);
                facts.push(Position::Offset(name.offset), FactKind::Metadata { key, value });
            }
            _ => {}
        }
    }
    Ok(found)
}

/// An object of a library: an identifier, and JSON that the library revives it from. `numbers` are those fields'.
fn user_object(
    source: &dyn Source,
    span: Span,
    index: usize,
    numbers: (u32, u32),
    budget: &Budget,
    facts: &mut Facts,
) -> Result<(), Broken> {
    let (mut identifier, mut metadata) = (String::new(), None);
    let mut message = Message::new(source, span);
    while let Some(field) = message.next()? {
        match field.span() {
            Some(text) if field.number == numbers.0 => identifier = shorten(text.text(source, MAX_NAME), 80),
            Some(text) if field.number == numbers.1 => metadata = Some(text),
            _ => {}
        }
    }
    let Some(metadata) = metadata.filter(|metadata| metadata.length > 2) else { return Ok(()) };
    if index >= MAX_OBJECTS {
        facts.incomplete(metadata.offset, Gap::Limit, format!("metadata of more than {MAX_OBJECTS} objects"));
        return Ok(());
    }
    let head = metadata.text(source, HEAD);
    if head.trim_start().starts_with(['{', '[']) || head.trim().is_empty() {
        keras::config::inspect_range(source, metadata.offset, metadata.length, budget, facts);
    } else {
        let child = Child::stored(format!("object {index} {identifier}"), metadata.offset, metadata.length);
        facts.push(Position::Offset(metadata.offset), FactKind::Child(child));
    }
    Ok(())
}

/// Reads a `keras_metadata.pb`: the metadata of each object of the SavedModel beside it.
pub(super) fn keras_metadata(source: &dyn Source, budget: &Budget, facts: &mut Facts) -> Result<(), Broken> {
    let mut message = Message::new(source, Span::whole(source));
    let mut index = 0usize;
    while let Some(field) = message.next()? {
        if let Err(limit) = budget.operate(1) {
            facts.incomplete(field.offset, Gap::Limit, limit.to_string());
            break;
        }
        if let (1, Wire::Bytes(object)) = (field.number, field.wire) {
            user_object(source, object, index, (4, 5), budget, facts)?;
            index = index.saturating_add(1);
        }
    }
    facts.property("objects", index.to_string());
    Ok(())
}
