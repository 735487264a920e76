//! What stands in a file that is told apart but not parsed: a pickle behind a picture's first bytes or within a compiled
//! model, a program in a text that is called weights. A loader that is pointed at the file looks for neither name nor start.

use waag_formats::fact::{Anomaly, FactKind};
use waag_formats::facts::Facts;
use waag_formats::format::{Context, Depth, Format, Probe, extension};
use waag_formats::pickle::Place;
use waag_formats::text::is_text;
use waag_formats::{contents, pickle};

use crate::expectation;

/// Formats whose own bytes may be anything, and that no loader of models unpickles: values of tables, and programs, which
/// are reported for what they are.
const NOT_SEARCHED: &[&str] = &["arrow", "parquet", "executable"];

/// Formats that are text to their end, and are told by their names where the start is not.
const TEXTS: &[&str] = &["json", "onnx-text", "python-source", "settings", "text", "xml", "yaml"];
/// Endings of documents and programs, which may show what a pickle looks like.
const DOCUMENTS: &[&str] = &["md", "rst", "html", "htm", "tex", "adoc", "ipynb", "py", "pyi"];
/// Bytes of text before which nobody would take a file for one.
const LEAST_TEXT: usize = 8;

/// Looks through an artifact that was read as `formats`.
pub(crate) fn search(probe: &Probe<'_>, formats: &[&'static dyn Format], context: &Context<'_>, facts: &mut Facts) {
    let is_searched =
        |format: &&dyn Format| format.meta().depth == Depth::Surface && !NOT_SEARCHED.contains(&format.meta().id);
    if !formats.iter().all(is_searched) {
        return;
    }
    let text = is_text(&probe.head) && formats.iter().all(|format| format.meta().id != "media");
    binary_tail(probe, formats, facts);
    let is_document =
        formats.iter().all(|format| format.meta().id != "text") || DOCUMENTS.contains(&extension(probe.name).as_str());
    let place = match (text, is_document) {
        (false, _) => Place::Bytes,
        (true, false) => Place::Text,
        (true, true) => Place::Document,
    };
    pickle::search_beneath(probe.source, place, context.budget, facts);
    if place == Place::Text {
        contents::second_script(probe.source, context, facts);
    }
    if text && expectation::poses_as_weights(probe.name, formats) {
        contents::program(probe.source, context, facts);
    }
}

/// A text by its name and its first lines, behind which something else stands.
fn binary_tail(probe: &Probe<'_>, formats: &[&'static dyn Format], facts: &mut Facts) {
    let is_said = facts.list().iter().any(|fact| match &fact.kind {
        FactKind::Anomaly { anomaly, .. } => matches!(anomaly, Anomaly::HiddenContent | Anomaly::TrailingBytes),
        _ => false,
    });
    let named = !formats.is_empty() && formats.iter().all(|format| TEXTS.contains(&format.meta().id));
    let Some(end) = probe.head.iter().position(|byte| *byte == 0).filter(|_| named && !is_said) else { return };
    let start = probe.head.get(..end).unwrap_or_default();
    let lines = start.iter().rposition(|byte| *byte == b'\n').and_then(|line| start.get(..line)).unwrap_or_default();
    if lines.len() >= LEAST_TEXT && is_text(lines) {
        facts.anomaly(lines.len() as u64, Anomaly::HiddenContent, "what starts as text goes on as binary data");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waag_formats::budget::Budget;
    use waag_formats::child::Role;
    use waag_formats::recognise;

    /// The anomalies of these bytes under this name.
    fn odd(name: &str, bytes: &[u8]) -> Vec<Anomaly> {
        let probe = Probe::new(&bytes, name, Role::Unknown);
        let first =
            recognise(&probe).into_iter().map(|(format, _)| format).next().or_else(|| expectation::promised(name));
        let formats: Vec<_> = first.into_iter().collect();
        let (budget, mut facts) = (Budget::default(), Facts::new());
        search(&probe, &formats, &Context { name, role: Role::Unknown, budget: &budget }, &mut facts);
        let anomaly = |kind: &FactKind| match kind {
            FactKind::Anomaly { anomaly, .. } => Some(*anomaly),
            _ => None,
        };
        facts.list().iter().filter_map(|fact| anomaly(&fact.kind)).collect()
    }

    #[test]
    fn pickles_are_found_behind_other_formats() {
        let call = b"\x80\x02cos\nsystem\nX\x0f\0\0\0echo waag-inert\x85R.";
        for start in [&b"GIF89a"[..], b"RKNN\0\0\0\0", b"%PDF-1.4\n"] {
            assert_eq!(odd("a.bin", &[start, call].concat()), [Anomaly::HiddenContent]);
        }
        assert_eq!(odd("README.md", b"# Pickles\n\ncos\nsystem\n(S'id'\ntR.\n"), []);
        let notes = b"these are the notes of a model, and the last line is none of them\ncos\nsystem\n(S'id'\ntR.\n";
        assert_eq!(odd("notes.txt", notes), [Anomaly::HiddenContent]);
        assert_eq!(
            odd(
                "notes.txt",
                &[notes.as_slice(), b"and so on, for as long as it takes\n".repeat(9).as_slice()].concat()
            ),
            []
        );
    }

    #[test]
    fn texts_that_go_on_as_something_else_are_told() {
        for name in ["README.md", "train.py", "notes.rst"] {
            assert_eq!(odd(name, b"a line of text\n\x7fELF\x02\x01\x01\0\0\0"), [Anomaly::HiddenContent], "{name}");
            assert_eq!(odd(name, b"a line of text\nand one more\n"), [], "{name}");
        }
    }
}
