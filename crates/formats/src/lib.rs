//! Hostile bytes to facts.
//!
//! Every parser here reads through a [`source::Source`], pays from a [`budget::Budget`] and writes
//! [`fact::Fact`]s. None of them executes, writes, opens or fetches anything, and none of them fails: what goes wrong
//! is a fact too. A parser never opens what is inside an artifact; it names a [`child::Child`] and the engine walks.

#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic, clippy::unreachable)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic,
        clippy::unwrap_used,
        clippy::expect_used
    )
)]

pub mod budget;
pub mod child;
pub mod cursor;
pub mod executable;
pub mod fact;
pub mod facts;
pub mod format;
pub mod gguf;
pub mod huggingface;
pub mod jinja;
pub mod json;
pub mod media;
pub mod numpy;
pub mod python_source;
pub mod safetensors;
pub mod source;
#[cfg(test)]
mod testing;
pub mod text;

use format::{Certainty, Format, Probe};

/// Every format, in the order in which they are listed to people.
pub static FORMATS: &[&dyn Format] = &[
    &safetensors::Safetensors,
    &gguf::Gguf,
    &gguf::GgmlLegacy,
    &numpy::Npy,
    &huggingface::HuggingFaceConfig,
    &jinja::Jinja,
    &json::Json,
    &python_source::PythonSource,
    &executable::Executable,
    &media::Media,
    &text::Text,
];

/// The formats these bytes are, surest first. More than one is either a layering (a tar within gzip is not) or a polyglot.
#[must_use]
pub fn recognise(probe: &Probe<'_>) -> Vec<(&'static dyn Format, Certainty)> {
    let mut found: Vec<_> =
        FORMATS.iter().filter_map(|format| format.recognise(probe).map(|certainty| (*format, certainty))).collect();
    found.sort_by_key(|(_, certainty)| std::cmp::Reverse(*certainty));
    found
}
