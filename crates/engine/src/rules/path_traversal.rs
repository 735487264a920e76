//! Names and links that lead out of the folder they are unpacked in.

use waag_evidence::finding::Severity;
use waag_formats::fact::Anomaly;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct PathTraversal;

static META: Meta = Meta {
    id: "path-traversal",
    title: "names and links that lead out of the model's folder",
    page: include_str!("path_traversal.md"),
};

const NEXT_STEP: &str = "do not unpack it: take the files you need one by one by a name of your own, or ask the \
                         publisher for an archive with plain relative names and no links";

impl Rule for PathTraversal {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            let text = match anomaly {
                Anomaly::PathTraversal => "this name leads out of the folder it belongs in",
                Anomaly::Link => "a link or a device stands where a file should be",
                _ => continue,
            };
            findings.add(Severity::High, position, with_detail(text, detail), NEXT_STEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{ZIP, sketch};

    #[test]
    fn names_and_links_that_lead_away_deny() {
        let said = |anomaly| sketch("model.zip", &ZIP).told(anomaly, "../../.bashrc").said(&PathTraversal);
        assert_eq!(
            said(Anomaly::PathTraversal),
            ["high: this name leads out of the folder it belongs in: ../../.bashrc"]
        );
        assert_eq!(said(Anomaly::Link), ["high: a link or a device stands where a file should be: ../../.bashrc"]);
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("model.zip", &ZIP).anomaly(Anomaly::DuplicateName).said(&PathTraversal).is_empty());
    }
}
