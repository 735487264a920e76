//! What a subject was made from, as far as anybody kept it.

use std::path::PathBuf;

use waag_evidence::Ancestry;

/// The ancestors of what lies at some paths. Nothing is searched where no ledger is kept, and then they are unknown.
#[must_use]
pub fn ancestry_of(_paths: &[PathBuf]) -> Ancestry {
    Ancestry::default()
}
