//! Content that only a key opens, and so nobody checked.

use waag_formats::fact::Anomaly;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct EncryptedContent;

static META: Meta = Meta {
    id: "encrypted-content",
    title: "content that cannot be read without a key",
    page: include_str!("encrypted_content.md"),
};

const NEXT_STEP: &str = "decrypt it where nothing is loaded, and check what comes out; an encrypted part of a model that \
                         others load without a key is never needed";

impl Rule for EncryptedContent {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            if anomaly == Anomaly::Encrypted {
                let message = with_detail("this is encrypted, so it was not analysed", detail);
                findings.add_incomplete(position, message, NEXT_STEP);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{ZIP, sketch};

    #[test]
    fn what_is_encrypted_counts_as_not_analysed() {
        assert_eq!(
            sketch("model.zip", &ZIP).anomaly(Anomaly::Encrypted).said(&EncryptedContent),
            ["incomplete: this is encrypted, so it was not analysed: as told"]
        );
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("model.zip", &ZIP).anomaly(Anomaly::HiddenContent).said(&EncryptedContent).is_empty());
    }
}
