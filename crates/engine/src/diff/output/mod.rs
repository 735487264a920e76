//! How a comparison is told: to people on one screen, to programs, and as a page.

mod html;
mod json;
mod plain;
mod rows;

use std::io::{self, Write};

use super::Diff;
use crate::output::Style;

/// A way to tell a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// For people at a terminal.
    Plain,
    /// For programs; the schema is `docs/schema/diff.schema.json`.
    Json,
    /// One self-contained page.
    Html,
}

/// Writes a comparison; the same one gives the same bytes. `top` limits the lines of each kind in what people read.
///
/// # Errors
/// When `out` cannot be written to.
pub fn render(diff: &Diff, telling: Telling, top: usize, out: &mut dyn Write, style: Style) -> io::Result<()> {
    match telling {
        Telling::Plain => plain::render(diff, top, out, style),
        Telling::Json => json::render(diff, out),
        Telling::Html => html::render(diff, top, out),
    }
}
