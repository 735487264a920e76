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
pub mod callable;
pub mod child;
pub mod compressed;
pub mod cursor;
pub mod decode;
pub mod fact;
pub mod facts;
pub mod format;
pub mod huggingface;
pub mod jinja;
pub mod json;
pub mod pickle;
pub mod safetensors;
pub mod sevenzip;
pub mod source;
pub mod tar;
#[cfg(test)]
mod testing;
pub mod zip;

use format::{Certainty, Format, Probe};

/// Every format, in the order in which they are listed to people.
pub static FORMATS: &[&dyn Format] = &[
    &pickle::PICKLE,
    &safetensors::Safetensors,
    &huggingface::HuggingFaceConfig,
    &jinja::Jinja,
    &json::Json,
    &zip::Zip,
    &tar::Tar,
    &sevenzip::SevenZip,
    &compressed::GZIP,
    &compressed::BZIP2,
    &compressed::XZ,
    &compressed::LZMA,
    &compressed::ZSTD,
    &compressed::LZ4,
    &compressed::ZLIB,
];

/// The formats these bytes are, surest first. More than one is either a layering (a tar within gzip is not) or a polyglot.
#[must_use]
pub fn recognise(probe: &Probe<'_>) -> Vec<(&'static dyn Format, Certainty)> {
    let mut found: Vec<_> =
        FORMATS.iter().filter_map(|format| format.recognise(probe).map(|certainty| (*format, certainty))).collect();
    found.sort_by_key(|(_, certainty)| std::cmp::Reverse(*certainty));
    found
}
