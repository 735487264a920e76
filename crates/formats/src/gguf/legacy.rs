//! The formats before GGUF: told apart, not read. Their loaders were C++ without checks.

use crate::fact::Gap;
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, read_up_to};

/// Signatures as stored, little-endian, and what they are called.
const MAGICS: &[(&[u8; 4], &str)] =
    &[(b"lmgg", "ggml"), (b"fmgg", "ggmf"), (b"tjgg", "ggjt"), (b"algg", "ggla"), (b"nsgg", "ggsn")];

static META: Meta = Meta {
    id: "ggml-legacy",
    title: "GGML, GGMF or GGJT",
    extensions: &["ggml"],
    depth: Depth::Surface,
    reads: "which of the formats before GGUF it is",
    specification: "https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#historical-state-of-affairs",
};

/// The formats.
#[derive(Debug)]
pub struct GgmlLegacy;

impl Format for GgmlLegacy {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        MAGICS.iter().any(|(magic, _)| probe.starts_with(*magic)).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, _context: &Context<'_>, facts: &mut Facts) {
        let head = read_up_to(source, 0, 8);
        let name = MAGICS.iter().find(|(magic, _)| head.starts_with(*magic)).map_or("ggml", |(_, name)| name);
        facts.property("container", name);
        if let (Some(version), true) = (head.get(4).copied(), name != "ggml") {
            facts.property("version", version.to_string());
        }
        facts.incomplete(0, Gap::Unsupported, format!("the {name} format was replaced by GGUF and is not read here"));
    }
}
