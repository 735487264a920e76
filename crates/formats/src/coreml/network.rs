//! Neural networks: layers, some with networks within them, some with classes of their own.

use crate::fact::{FactKind, Gap, Position};
use crate::protobuf::Span;

use super::names::{LAYERS, name};
use super::{Model, numbers as weights};

const CUSTOM: u32 = 500;
const BRANCH: u32 = 605;
const LOOP: u32 = 615;

pub(super) fn read(model: &mut Model<'_, '_>, span: Span, depth: u32) {
    let Some(depth) = model.deeper(depth, span.offset) else { return };
    model.each(span, |model, number, inner| {
        if number == 1 {
            layer(model, inner, depth);
        }
    });
}

/// Texts that a custom layer is given, and its description.
fn parameters(model: &mut Model<'_, '_>, span: Span) {
    model.each(span, |model, number, inner| {
        let (key, value) = match number {
            30 => (model.text(inner, 1).unwrap_or_default(), text_of(model, inner)),
            40 => ("description".to_owned(), Some(model.reader.text(inner))),
            _ => return,
        };
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            model.reader.facts.push(Position::Offset(inner.offset), FactKind::Metadata { key, value });
        }
    });
}

/// The text of a parameter: field 20 of the value, which is field 2 of the pair.
fn text_of(model: &mut Model<'_, '_>, pair: Span) -> Option<String> {
    let mut found = None;
    model.each(pair, |model, number, value| {
        if number == 2 {
            found = model.text(value, 20);
        }
    });
    found
}

fn layer(model: &mut Model<'_, '_>, span: Span, depth: u32) {
    model.each(span, |model, number, inner| match number {
        0..=99 => {}
        CUSTOM => {
            let class = model.text(inner, 10).unwrap_or_default();
            model.operator(class, "customLayer", true, inner.offset);
            parameters(model, inner);
        }
        _ => {
            weights::look(&mut model.reader, number, inner);
            match name(LAYERS, number) {
                Some(name) => model.operator(name.to_owned(), "", false, inner.offset),
                None => {
                    let detail = format!("a layer of kind {number}, which is not known here");
                    model.reader.facts.incomplete(inner.offset, Gap::Unsupported, detail);
                }
            }
            if matches!(number, BRANCH | LOOP) {
                // Networks of a branch are 1 and 2, those of a loop 3 and 4.
                let from = if number == BRANCH { 1u32 } else { 3 };
                model.each(inner, |model, at, network| {
                    if (from..=from.saturating_add(1)).contains(&at) {
                        read(model, network, depth);
                    }
                });
            }
        }
    });
}
