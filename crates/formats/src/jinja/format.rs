//! Templates in files of their own.

use super::inspect_as;
use super::purpose::Purpose;
use crate::child::Role;
use crate::fact::{Anomaly, Gap, Position};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, read_up_to};

/// Bytes of a template file that are read.
const MAX_FILE: usize = 4 << 20;

static META: Meta = Meta {
    id: "jinja",
    title: "Jinja template",
    extensions: &["jinja", "jinja2", "j2"],
    depth: Depth::Full,
    reads: "every expression, against what chat templates need",
    specification: "https://jinja.palletsprojects.com/en/stable/templates/",
};

/// The format.
#[derive(Debug)]
pub struct Jinja;

impl Format for Jinja {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let named = META.extensions.contains(&probe.extension().as_str()) || probe.name.ends_with("chat_template");
        let text = probe.role != Role::Numbers && !probe.head.contains(&0);
        let starts = ["{%", "{{", "{#"].iter().any(|tag| probe.head.trim_ascii_start().starts_with(tag.as_bytes()));
        match (named, text, starts) {
            (true, true, _) => Some(Certainty::Likely),
            (_, true, true) => Some(Certainty::Possible),
            _ => None,
        }
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        if source.len() > MAX_FILE as u64 {
            facts.incomplete(MAX_FILE as u64, Gap::Limit, "only the first 4 MiB of the template are read");
        }
        let bytes = read_up_to(source, 0, MAX_FILE);
        if let Err(error) = std::str::from_utf8(&bytes) {
            facts.anomaly(error.valid_up_to() as u64, Anomaly::Malformed, "the template is not valid UTF-8");
        }
        let text = String::from_utf8_lossy(&bytes);
        let purpose = Purpose::of(context.name, &text);
        inspect_as(purpose, &text, context.name, Position::Whole, context.budget, facts);
    }
}
