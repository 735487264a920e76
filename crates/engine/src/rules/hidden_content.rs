//! Content where the usual reader does not look: between records, before the start, after the end, or a second format.

use waag_evidence::finding::{Persona, Severity};
use waag_formats::fact::{Anomaly, Fact, FactKind};

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct HiddenContent;

static META: Meta = Meta {
    id: "hidden-content",
    title: "content where the usual reader does not look",
    page: include_str!("hidden_content.md"),
};

/// Formats whose own readers refuse a file with a tail, so that no honest file has one.
const NO_TAIL: &[&str] = &["safetensors", "huggingface-config"];

const NEXT_STEP: &str = "compare the digest with the publisher's: a file that was only downloaded badly differs. If it \
                         is the same, do not load it, and ask what those bytes are for";

impl Rule for HiddenContent {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            let (severity, text) = match anomaly {
                Anomaly::HiddenContent => (Severity::High, "content that the usual reader does not show"),
                // What it would do is judged where it is opened; caches keep such, so that by itself it is only told.
                Anomaly::Nested => (Severity::Info, "a pickle within a pickle, kept for somebody to load"),
                Anomaly::Polyglot => (Severity::High, "these bytes are two formats at once"),
                Anomaly::LeadingBytes => (Severity::High, "bytes before the start of the content"),
                Anomaly::TrailingBytes => (severity_of_tail(artifact), "bytes after the end of the content"),
                _ => continue,
            };
            let persona = if severity == Severity::Info { Persona::Reviewer } else { Persona::Everyone };
            findings.add(severity, position, with_detail(text, detail), NEXT_STEP).persona(persona);
        }
    }
}

/// What follows the end is read for what it is, so a tail alone is only odd, unless every reader refuses it.
fn severity_of_tail(artifact: &Artifact<'_>) -> Severity {
    let refused = artifact.format.is_some_and(|format| NO_TAIL.contains(&format.id));
    // Other programs write one value of MessagePack after the other; Flax reads one.
    let is_flax = |fact: &Fact| matches!(&fact.kind, FactKind::Property { name, value } if name == "framework" && value == "Flax");
    if refused || artifact.facts.iter().any(is_flax) { Severity::High } else { Severity::Medium }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{PICKLE, SAFETENSORS, ZIP, sketch};

    #[test]
    fn what_is_hidden_denies() {
        for anomaly in [Anomaly::HiddenContent, Anomaly::Polyglot, Anomaly::LeadingBytes] {
            let said = sketch("model.zip", &ZIP).anomaly(anomaly).said(&HiddenContent);
            assert!(said.len() == 1 && said[0].starts_with("high"), "{said:?}");
        }
    }

    #[test]
    fn a_pickle_within_a_pickle_is_only_told() {
        let said = sketch("model.pkl", &PICKLE).anomaly(Anomaly::Nested).said(&HiddenContent);
        assert_eq!(said, ["info: a pickle within a pickle, kept for somebody to load: as told"]);
    }

    #[test]
    fn flax_reads_one_value_and_refuses_a_second() {
        let flax = FactKind::Property { name: "framework".into(), value: "Flax".into() };
        let said = sketch("a.msgpack", &PICKLE).fact(flax).anomaly(Anomaly::TrailingBytes).said(&HiddenContent);
        assert!(said[0].starts_with("high"));
    }

    #[test]
    fn a_tail_is_as_grave_as_the_formats_readers_take_it() {
        let said = |name, format| sketch(name, format).anomaly(Anomaly::TrailingBytes).said(&HiddenContent);
        assert_eq!(said("a.pkl", &PICKLE), ["medium: bytes after the end of the content: as told"]);
        assert_eq!(said("a.safetensors", &SAFETENSORS), ["high: bytes after the end of the content: as told"]);
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("model.pkl", &PICKLE).anomaly(Anomaly::Executable).said(&HiddenContent).is_empty());
    }
}
