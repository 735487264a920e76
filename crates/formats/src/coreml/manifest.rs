//! `Manifest.json` of an `.mlpackage`: which files it has, by paths below `Data`.

use crate::child::Role;
use crate::fact::Anomaly;
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::huggingface::inspect_json;
use crate::json::{Event, Value, looks_like_json, walk};
use crate::location;
use crate::source::Source;

static META: Meta = Meta {
    id: "coreml-manifest",
    title: "Core ML package manifest",
    extensions: &[],
    depth: Depth::Full,
    reads: "the path of every item, and every value as a configuration",
    specification: "https://github.com/apple/coremltools/tree/main/modelpackage",
};

/// The format.
#[derive(Debug)]
pub struct CoreMlManifest;

impl Format for CoreMlManifest {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        looks_like_json(&probe.head).filter(|_| probe.role == Role::Unknown)?;
        String::from_utf8_lossy(&probe.head).contains("\"itemInfoEntries\"").then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        facts.property("framework", "Core ML");
        inspect_json(source, context, false, facts);
        walk(source, 0, u64::MAX, context.budget, &mut |event| item(&event, facts));
    }
}

fn item(event: &Event<'_>, facts: &mut Facts) {
    let (Some("itemInfoEntries"), 3, Some("path")) = (event.key_at(0), event.path.len(), event.key()) else { return };
    let Value::Text(path) = event.value else { return };
    if let Some(objection) = location::objection(path) {
        let path: String = path.chars().take(300).collect();
        let detail = format!("an item of the package is '{path}', which {objection}");
        facts.anomaly(event.offset, Anomaly::ExternalData, detail);
    }
}
