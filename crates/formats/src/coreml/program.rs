//! Programs: functions with blocks of operations, whose numbers are in the model or in a file beside it.

use crate::fact::Gap;
use crate::location;
use crate::protobuf::{Message, Span, Wire};

use super::Model;

/// Where file names begin: the folder that the model is in.
const FOLDER: &str = "@model_path/";
/// Other files of one model.
const MAX_FILES: usize = 1000;

pub(super) fn read(model: &mut Model<'_, '_>, span: Span, depth: u32) {
    model.each(span, |model, number, inner| match number {
        2 => entry(model, inner, |model, function| self::function(model, function, depth)),
        4 => entry(model, inner, |model, inner| value(model, inner, depth)),
        3 => {}
        _ => {
            let detail = format!("field {number} of a program is not known here");
            model.reader.facts.incomplete(inner.offset, Gap::Unsupported, detail);
        }
    });
}

/// The value of an entry of a map.
fn entry(model: &mut Model<'_, '_>, span: Span, mut visit: impl FnMut(&mut Model<'_, '_>, Span)) {
    model.each(span, |model, number, inner| {
        if number == 2 {
            visit(model, inner);
        }
    });
}

fn function(model: &mut Model<'_, '_>, span: Span, depth: u32) {
    model.each(span, |model, number, inner| match number {
        3 => entry(model, inner, |model, inner| block(model, inner, depth)),
        4 => entry(model, inner, |model, inner| value(model, inner, depth)),
        _ => {}
    });
}

fn block(model: &mut Model<'_, '_>, span: Span, depth: u32) {
    let Some(depth) = model.deeper(depth, span.offset) else { return };
    model.each(span, |model, number, inner| match number {
        3 => operation(model, inner, depth),
        4 => entry(model, inner, |model, inner| value(model, inner, depth)),
        _ => {}
    });
}

fn operation(model: &mut Model<'_, '_>, span: Span, depth: u32) {
    let (mut name, mut is_custom) = (String::new(), false);
    model.each(span, |model, number, inner| match number {
        1 => name = model.reader.name(inner),
        2 => {
            is_custom |= model.text(inner, 1).as_deref() == Some("class_name");
            entry(model, inner, |model, argument| {
                model.each(argument, |model, number, binding| {
                    if number == 1 {
                        entry(model, binding, |model, inner| value(model, inner, depth));
                    }
                });
            });
        }
        4 => block(model, inner, depth),
        5 => {
            is_custom |= model.text(inner, 1).as_deref() == Some("class_name");
            entry(model, inner, |model, inner| value(model, inner, depth));
        }
        _ => {}
    });
    is_custom |= name == "custom_layer" || name.starts_with("custom::");
    model.operator(name, "", is_custom, span.offset);
}

/// A value in a file, or lists of values.
fn value(model: &mut Model<'_, '_>, span: Span, depth: u32) {
    let Some(depth) = model.deeper(depth, span.offset) else { return };
    model.each(span, |model, number, inner| match number {
        3 => model.each(inner, |model, number, list| {
            // Tuples and lists hold values, dictionaries pairs of them.
            if matches!(number, 2 | 3) {
                model.each(list, |model, _, inner| value(model, inner, depth));
            } else if number == 4 {
                model.each(list, |model, _, pair| model.each(pair, |model, _, inner| value(model, inner, depth)));
            }
        }),
        5 => file(model, inner),
        _ => {}
    });
}

fn file(model: &mut Model<'_, '_>, span: Span) {
    let mut message = Message::new(model.reader.source, span);
    while let Ok(Some(field)) = message.next() {
        let (1, Wire::Bytes(text)) = (field.number, field.wire) else { continue };
        let name = model.reader.name(text);
        if model.files.len() < MAX_FILES && !model.files.contains(&name) {
            let inside = name.strip_prefix(FOLDER).unwrap_or(&name);
            location::note(inside, "numbers of this model", span.offset, model.reader.facts);
            model.files.push(name);
        }
    }
}
