//! A file is not as it was locked.

use waag_evidence::finding::Severity;
use waag_formats::fact::Anomaly;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct LockDrift;

static META: Meta =
    Meta { id: "lock-drift", title: "a file that is not as it was locked", page: include_str!("lock_drift.md") };

const DRIFT: &str = "find out who changed it; `waag fetch --from FOLDER` brings back what was locked, and `waag lock` \
    accepts what is there";
const UNLOCKED: &str = "lock it with `waag lock`, and keep waag.lock with the code";

impl Rule for LockDrift {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            match anomaly {
                Anomaly::Drift => {
                    findings.add(Severity::High, position, with_detail("not as it was locked", detail), DRIFT);
                }
                Anomaly::Unlocked => {
                    findings.add(Severity::Medium, position, with_detail("not locked", detail), UNLOCKED);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, sketch};

    #[test]
    fn it_is_as_grave_as_it_is() {
        let said = |anomaly| sketch("a.safetensors", &SAFETENSORS).anomaly(anomaly).said(&LockDrift);
        assert_eq!(said(Anomaly::Drift), ["high: not as it was locked: as told"]);
        assert_eq!(said(Anomaly::Unlocked), ["medium: not locked: as told"]);
        assert!(said(Anomaly::Hole).is_empty());
    }
}
