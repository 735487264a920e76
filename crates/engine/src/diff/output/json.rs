//! For programs: everything, in a form that stays. The schema is `docs/schema/diff.schema.json`.

use std::io::{self, Write};

use serde::Serialize;

use crate::diff::Diff;
use crate::output::write_json;

/// Names the form. A change that old readers do not survive gets a new number.
const SCHEMA: &str = "https://waag.dev/schema/diff-1.json";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: Tool,
    identical: bool,
    #[serde(flatten)]
    diff: &'a Diff,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Writes a comparison as JSON.
///
/// # Errors
/// When `out` cannot be written to.
pub(super) fn render(diff: &Diff, out: &mut dyn Write) -> io::Result<()> {
    let tool = Tool { name: "waag", version: env!("CARGO_PKG_VERSION") };
    write_json(&Document { schema: SCHEMA, tool, identical: diff.is_identical(), diff }, out)
}
