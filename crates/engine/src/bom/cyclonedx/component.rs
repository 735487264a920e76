//! Files as components, and the evidence of values.

use super::document::{Component, Evidence, Hash, Occurrence};
use super::{named, property};
use crate::bom::model::{self, File, Text};
use crate::bom::writing::{encoded, plain};

/// A file: its path, its digest, what it is for, and what loading it would look up.
pub(super) fn file(file: &File) -> Component {
    let mut properties =
        vec![property("waag:file:role", file.role.name()), property("waag:file:size", &file.size.to_string())];
    properties.extend(file.format.map(|format| property("waag:file:format", format)));
    let imports =
        file.imports.iter().map(|import| property(&format!("waag:pickle:import:{}", import.standing), &import.name));
    properties.extend(imports);
    Component {
        kind: "file",
        reference: format!("file:{}", encoded(&file.path)),
        name: named(&file.path),
        hashes: file.sha256.iter().map(|digest| Hash { alg: "SHA-256", content: digest.to_string() }).collect(),
        properties,
        ..Component::default()
    }
}

/// Collects where values were read.
#[derive(Debug, Default)]
pub(super) struct Occurrences(Vec<Occurrence>);

impl Occurrences {
    pub(super) fn add(&mut self, field: &str, evidence: &model::Evidence) {
        let place = evidence.place.as_deref().filter(|_| evidence.line.is_none());
        let place = place.map(|place| format!(" at {}", plain(place))).unwrap_or_default();
        let context = format!("{}{place}", evidence.method.name());
        self.0.push(Occurrence { location: named(&evidence.file), line: evidence.line, symbol: plain(field), context });
    }

    /// A text with where it stands; its text.
    pub(super) fn text(&mut self, field: &str, text: Option<&Text>) -> Option<String> {
        let text = text?;
        self.add(field, &text.evidence);
        Some(plain(&text.value))
    }

    pub(super) fn into_evidence(mut self) -> Evidence {
        self.0.sort();
        self.0.dedup();
        Evidence { occurrences: self.0, ..Evidence::default() }
    }
}
