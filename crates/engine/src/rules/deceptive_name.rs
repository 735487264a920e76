//! A name that is shown otherwise than it is: control characters, reversed direction, nothing at all.

use waag_evidence::finding::Severity;
use waag_formats::fact::Anomaly;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct DeceptiveName;

static META: Meta = Meta {
    id: "deceptive-name",
    title: "names that are shown otherwise than they are",
    page: include_str!("deceptive_name.md"),
};

const NEXT_STEP: &str = "do not open it by its name: list the folder with escapes (`ls -b`), and delete or rename what \
                         you did not expect";

impl Rule for DeceptiveName {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            if anomaly == Anomaly::DeceptiveName {
                let message = with_detail("this name holds characters that deceive whoever reads it", detail);
                findings.add(Severity::High, position, message, NEXT_STEP);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{ZIP, sketch};

    #[test]
    fn the_name_is_shown_with_escapes() {
        let said = sketch("a", &ZIP).told(Anomaly::DeceptiveName, "model\u{202e}tp.exe").said(&DeceptiveName);
        assert_eq!(said, ["high: this name holds characters that deceive whoever reads it: model\\u{202e}tp.exe"]);
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("a", &ZIP).anomaly(Anomaly::DuplicateName).said(&DeceptiveName).is_empty());
    }
}
