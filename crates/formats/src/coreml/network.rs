//! Neural networks: layers, some with networks within them, some with classes of their own.

use crate::fact::Gap;
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

fn layer(model: &mut Model<'_, '_>, span: Span, depth: u32) {
    model.each(span, |model, number, inner| match number {
        0..=99 => {}
        CUSTOM => {
            let class = model.text(inner, 10).unwrap_or_default();
            model.operator(class, "customLayer", true, inner.offset);
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
