//! For programs: everything, in a form that stays. The schema is `docs/schema/lineage.schema.json`.

use std::io::{self, Write};

use serde::Serialize;

use super::{Asked, Told};
use crate::lineage::answer::Answer;
use crate::output::write_json;

/// Names the form. A change that old readers do not survive gets a new number.
const SCHEMA: &str = "https://waag.dev/schema/lineage-1.json";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: Tool,
    asked: Asked,
    about: &'a str,
    #[serde(flatten)]
    answer: &'a Answer,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

pub(super) fn render(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let tool = Tool { name: "waag", version: env!("CARGO_PKG_VERSION") };
    write_json(&Document { schema: SCHEMA, tool, asked: told.asked, about: told.about, answer: told.answer }, out)
}
