//! Python source beside a model: remote code when a configuration names it. Listed here, analysed elsewhere.

use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::Source;
use crate::text::is_text;

static META: Meta = Meta {
    id: "python-source",
    title: "Python source",
    extensions: &["py", "pyi", "pyw"],
    depth: Depth::Surface,
    reads: "that it is there",
    specification: "https://docs.python.org/3/reference/",
};

/// The format.
#[derive(Debug)]
pub struct PythonSource;

impl Format for PythonSource {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let named = META.extensions.contains(&probe.extension().as_str());
        (named && is_text(&probe.head)).then_some(Certainty::Likely)
    }

    fn inspect(&self, _source: &dyn Source, _context: &Context<'_>, facts: &mut Facts) {
        facts.property("language", "python");
    }
}
