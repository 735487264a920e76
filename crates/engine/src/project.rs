//! What looks at a project beside the formats of its files: its packages, code and papers. Some of that lives above the
//! engine, so whoever scans brings it along.

use std::fmt;
use std::path::Path;

use waag_evidence::{Finding, ProjectEvidence};

/// Looks at a project.
pub trait Examiner: fmt::Debug + Send + Sync {
    /// Looks at a folder. It executes nothing, and what cannot be read is a finding.
    fn examine(&self, folder: &Path) -> Examined;
}

/// What was found, and what it is to be measured by.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    /// What was found. Paths in it begin with the folder, as it was named.
    pub findings: Vec<Finding>,
    /// What was looked at.
    pub evidence: ProjectEvidence,
}

impl Examined {
    /// Takes what was seen in another folder. Of a topic that both have, the places and words stand together.
    pub fn join(&mut self, other: Self) {
        self.findings.extend(other.findings);
        for look in other.evidence.looks {
            match self.evidence.looks.iter_mut().find(|known| known.topic == look.topic) {
                Some(known) => {
                    known.places.extend(look.places);
                    known.said.extend(look.said);
                    known.unknown.extend(look.unknown);
                }
                None => self.evidence.looks.push(look),
            }
        }
    }
}
