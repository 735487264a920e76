//! Whether a card says what its reader needs.

use waag_evidence::finding::{Finding, Location, Persona, Severity};
use waag_formats::fact::Position;

use super::markdown::is_filled;
use super::read::Card;
use super::rules::INCOMPLETE;
use super::sections::{State, VALUES, states};
use crate::rules::finding::Findings;

/// How much of what is asked for is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Completeness {
    /// Sections and values that are filled in.
    pub filled: usize,
    /// Sections and values that are asked for.
    pub wanted: usize,
}

/// What a card leaves out. Results may lie beside it.
pub(super) fn check(card: &Card, has_results: bool, list: &mut Vec<Finding>) -> Completeness {
    let location = Location::file(card.shown.clone());
    let mut findings = Findings::new(&location, &INCOMPLETE, list);
    let mut found = Completeness { filled: 0, wanted: 0 };
    // A card in YAML has no text, so that there is nowhere to say what sections say.
    for (wanted, state) in states(card).into_iter().filter(|_| !card.is_values_only()) {
        found.wanted += 1;
        let state = if has_results && wanted.id == "evaluation" { State::Filled } else { state };
        let (position, what) = match state {
            State::Filled => {
                found.filled += 1;
                continue;
            }
            State::Empty(offset) => (Position::Line(card.text_line_of(offset)), "is not filled in"),
            State::Absent => (Position::Whole, "is not there"),
        };
        let message = format!("the section '{}' {what}", wanted.id);
        let next = format!("say under \"{}\" {}", wanted.heading, wanted.asks);
        findings.add(Severity::Low, position, message, &next).subject(wanted.id).persona(Persona::Reviewer);
    }
    let root = card.root();
    for (_, key, says) in VALUES.iter().filter(|(kind, ..)| *kind == card.kind && card.broken.is_none()) {
        found.wanted += 1;
        if root
            .get(key)
            .is_some_and(|node| node.items().iter().any(|item| item.scalar().is_none_or(|said| is_filled(&said))))
        {
            found.filled += 1;
            continue;
        }
        let message = format!("the value '{key}' is not there");
        let next = format!("add `{key}:` to the values before the text: it says {says}");
        findings.add(Severity::Low, Position::Whole, message, &next).subject(*key).persona(Persona::Reviewer);
    }
    found
}
