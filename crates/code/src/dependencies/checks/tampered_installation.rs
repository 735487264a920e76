//! Installed files that are not the ones that were recorded. The environment's reader finds them: it alone sees files.

use waag_engine::rules::Meta;
use waag_evidence::Finding;

use super::{Check, Scope};

/// The check.
#[derive(Debug)]
pub(super) struct TamperedInstallation;

/// Who it is.
pub(in crate::dependencies) static META: Meta = Meta {
    id: "tampered-installation",
    title: "installed files that differ from what was recorded",
    page: include_str!("tampered_installation.md"),
};

impl Check for TamperedInstallation {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, _: &Scope<'_>, _: &mut Vec<Finding>) {}
}
