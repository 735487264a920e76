//! What stands in a file that is told apart but not parsed: a pickle behind a picture's first bytes or within a compiled
//! model, a program in a text that is called weights. A loader that is pointed at the file looks for neither name nor start.

use waag_formats::format::{Context, Depth, Format, Probe};
use waag_formats::text::is_text;
use waag_formats::{contents, pickle};

use crate::expectation;
use waag_formats::facts::Facts;

/// Formats whose own bytes may be anything, and that no loader of models unpickles: values of tables, and programs, which
/// are reported for what they are.
const NOT_SEARCHED: &[&str] = &["arrow", "parquet", "executable"];

/// Looks through an artifact that was read as `formats`.
pub(crate) fn search(probe: &Probe<'_>, formats: &[&'static dyn Format], context: &Context<'_>, facts: &mut Facts) {
    let is_searched =
        |format: &&dyn Format| format.meta().depth == Depth::Surface && !NOT_SEARCHED.contains(&format.meta().id);
    if !formats.iter().all(|format| is_searched(&format)) {
        return;
    }
    let text = is_text(&probe.head);
    pickle::search_beneath(probe.source, text, context.budget, facts);
    if text && expectation::poses_as_weights(probe.name, formats) {
        contents::program(probe.source, context, facts);
    }
}
