//! R's own serialisation: `.rds`, `.rda` and `.RData`, once decompressed.
//!
//! Models of R hold formulas, the calls that made them and functions: all of it is code, and all of it is ordinary. What is
//! not: a promise that is still to be evaluated where no function's frame is (CVE-2024-27322), and calls that reach the
//! machine, wherever they stand.

mod calls;
mod input;
mod walk;

use crate::child::Child;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{ReadError, Source, read_up_to};
use input::{Input, Mode};
use walk::Walk;

static META: Meta = Meta {
    id: "r-data",
    title: "R data (rds, rda)",
    extensions: &["rds", "rda", "rdata"],
    depth: Depth::Full,
    reads: "every value: promises, functions, byte code and calls in it, classes, packages, sizes",
    specification: "https://cran.r-project.org/doc/manuals/r-release/R-ints.html#Serialization-Formats",
};

/// The format.
#[derive(Debug)]
pub struct RData;

impl Format for RData {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let head = start(&probe.head).map_or(probe.head.as_slice(), |rest| rest);
        let certain = match head {
            [b'X', b'\n', 0, 0, 0, 2 | 3, ..] | [b'B', b'\n', 2 | 3, 0, 0, 0, ..] => true,
            [b'A', b'\n', b'2' | b'3', b'\n' | b'\r', digit, ..] => digit.is_ascii_digit(),
            _ => start(&probe.head).is_some(),
        };
        certain.then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        facts.property("framework", "R");
        let head = read_up_to(source, 0, 8);
        let is_image = start(&head).is_some();
        let mut input = Input::new(source, if is_image { 5 } else { 0 });
        match header(&mut input, facts) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return facts.anomaly(input.position(), Anomaly::Malformed, error.to_string()),
        }
        let Some(end) = Walk::new(source, input, context.budget, facts).run(is_image) else { return };
        let rest = source.len().saturating_sub(end);
        let glance = read_up_to(source, end, 64);
        if rest > 0 && !(rest <= 64 && glance.trim_ascii().is_empty()) {
            facts.anomaly(end, Anomaly::TrailingBytes, format!("{rest} bytes follow the value"));
            facts.push(Position::Offset(end), FactKind::Child(Child::stored(format!("trailing@{end}"), end, rest)));
        }
    }
}

/// What follows the signature of a file of several variables.
fn start(head: &[u8]) -> Option<&[u8]> {
    match head {
        [b'R', b'D', b'X' | b'A' | b'B', b'2' | b'3', b'\n', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// How values are written, and by which version. False when it is not one that is read.
fn header(input: &mut Input<'_>, facts: &mut Facts) -> Result<bool, ReadError> {
    let at = input.position();
    let mode = match input.cursor.take(2)? {
        b"X\n" => Mode::Xdr,
        b"A\n" => Mode::Ascii,
        b"B\n" => Mode::Native,
        _ => {
            facts.anomaly(at, Anomaly::Malformed, "nothing says how the values are written");
            return Ok(false);
        }
    };
    input.mode = mode;
    let (version, writer) = (input.integer()?, input.integer()?);
    input.integer()?;
    facts.property("version", version.to_string());
    let [patch, minor, major, _] = writer.to_le_bytes();
    facts.property("r_version", format!("{major}.{minor}.{patch}"));
    match version {
        2 => Ok(true),
        3 => {
            let length = u64::try_from(input.integer()?).unwrap_or(u64::MAX);
            if length > 64 {
                facts.anomaly(at, Anomaly::AllocationBomb, format!("the name of an encoding has {length} bytes"));
                return Ok(false);
            }
            let encoding = input.text(length, length)?;
            facts.property("encoding", encoding);
            Ok(true)
        }
        _ => {
            facts.incomplete(at, Gap::Unsupported, format!("version {version} of the serialisation"));
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests;
