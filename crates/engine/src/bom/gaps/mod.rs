//! What a regime asks for, and whether it is there: each element with where it was found, or where to write it.
//!
//! The lists say what they rest on. That an element is there says nothing of whether it is right or enough.

mod elements;
mod g7;
mod regimes;
mod whole;

use std::io::{self, Write};

use serde::Serialize;

use super::model::{Bom, Model};
use crate::output::Style;
use crate::output::text::{DOUBT, GOOD, Painted, excerpt};
use crate::sanitize::sanitize;

pub use regimes::REGIMES;

/// The form of the answer in JSON: `docs/schema/bom-gaps.schema.json`.
const SCHEMA: &str = "waag-bom-gaps-1";
/// Characters of a value that are shown.
const MAX_VALUE: usize = 60;

/// Something that asks for elements.
#[derive(Debug)]
pub struct Regime {
    /// Its name for `--gaps`.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What the list was made from, and what it does not claim.
    pub rests_on: &'static str,
    /// What it asks for.
    wants: &'static [Wanted],
}

/// One thing that is asked for.
#[derive(Debug)]
struct Wanted {
    /// What, in the regime's words.
    what: &'static str,
    /// Where the regime asks for it.
    clause: &'static str,
    /// How it is looked for.
    element: elements::Element,
}

/// The answer to one thing that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// What is asked for.
    pub what: &'static str,
    /// Where it is asked for.
    pub clause: &'static str,
    /// What was found; none when it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Where that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Where to write it.
    pub write: &'static str,
}

/// The regime of a name.
#[must_use]
pub fn regime(id: &str) -> Option<&'static Regime> {
    REGIMES.iter().find(|regime| regime.id == id)
}

/// What of a regime is there and what is missing, for the first model, which the answer names: whoever has several asks for
/// each.
#[must_use]
pub fn gaps(bom: &Bom, regime: &Regime) -> Vec<Gap> {
    let answer = |wanted: &Wanted| {
        let found = wanted.element.find(bom);
        let (found, place) = found.map_or((None, None), |found| (Some(found.value), found.place));
        Gap { what: wanted.what, clause: wanted.clause, found, place, write: wanted.element.write() }
    };
    regime.wants.iter().map(answer).collect()
}

/// What is judged: the model, or what was looked at as a whole.
fn subject(bom: &Bom) -> String {
    bom.models.first().map_or_else(|| bom.name.clone(), Model::full_name)
}

/// Tells them to people.
///
/// # Errors
/// When `out` cannot be written to.
pub fn plain(bom: &Bom, regime: &Regime, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let gaps = gaps(bom, regime);
    writeln!(out, "{}: {}", regime.title, sanitize(&subject(bom)))?;
    for gap in &gaps {
        let clause = if gap.clause.is_empty() { String::new() } else { format!(" ({})", gap.clause) };
        match (&gap.found, &gap.place) {
            (Some(found), place) => {
                let place = place.as_ref().map(|place| format!("  {}", sanitize(place))).unwrap_or_default();
                writeln!(
                    out,
                    "  {} {}{clause}: {}{place}",
                    Painted(style.color, GOOD, "there  "),
                    gap.what,
                    excerpt(found, MAX_VALUE)
                )?;
            }
            (None, _) => {
                writeln!(out, "  {} {}{clause}", Painted(style.color, DOUBT, "missing"), gap.what)?;
                writeln!(out, "          write: {}", gap.write)?;
            }
        }
    }
    let there = gaps.iter().filter(|gap| gap.found.is_some()).count();
    writeln!(out, "{there} of {} are there. This list rests on {}", gaps.len(), regime.rests_on)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema: &'static str,
    regime: &'static str,
    title: &'static str,
    rests_on: &'static str,
    subject: String,
    there: usize,
    elements: Vec<Gap>,
}

/// Tells them to programs.
///
/// # Errors
/// When `out` cannot be written to.
pub fn json(bom: &Bom, regime: &Regime, out: &mut dyn Write) -> io::Result<()> {
    let elements = gaps(bom, regime);
    let there = elements.iter().filter(|gap| gap.found.is_some()).count();
    let (id, title, rests_on) = (regime.id, regime.title, regime.rests_on);
    let document = Document { schema: SCHEMA, regime: id, title, rests_on, subject: subject(bom), there, elements };
    crate::output::write_json(&document, out)
}
