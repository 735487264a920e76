//! Content that only a key opens, and so nobody checked.

use waag_evidence::finding::Severity;
use waag_formats::fact::{Anomaly, FactKind};

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
            if anomaly == Anomaly::Encrypted && is_read_by_its_loader(artifact) {
                let message =
                    with_detail("a part is encrypted that the model's own loader reads without a key", detail);
                findings.add(Severity::High, position, message, NEXT_STEP);
            } else if anomaly == Anomaly::Encrypted {
                let message = with_detail("this is encrypted, so it was not analysed", detail);
                findings.add_incomplete(position, message, NEXT_STEP);
            }
        }
    }
}

/// Archives that are models by their members, whose loaders know no keys: what is encrypted there is kept from whoever
/// checks the file, or is not encrypted at all.
fn is_read_by_its_loader(artifact: &Artifact<'_>) -> bool {
    const LAYOUTS: &[&str] = &["pytorch-zip", "torchscript", "torch-package", "npz", "keras", "skops"];
    artifact.facts.iter().any(|fact| match &fact.kind {
        FactKind::Property { name, value } => name == "layout" && LAYOUTS.contains(&value.as_str()),
        _ => false,
    })
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
    fn a_locked_part_of_a_model_denies() {
        let layout = FactKind::Property { name: "layout".into(), value: "pytorch-zip".into() };
        let said = sketch("model.pt", &ZIP).fact(layout).anomaly(Anomaly::Encrypted).said(&EncryptedContent);
        assert_eq!(said, ["high: a part is encrypted that the model's own loader reads without a key: as told"]);
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("model.zip", &ZIP).anomaly(Anomaly::HiddenContent).said(&EncryptedContent).is_empty());
    }
}
