//! Passwords and tokens in the address of an index.

use waag_engine::rules::Meta;
use waag_evidence::finding::{Finding, Severity};

use super::{Check, Scope};
use crate::dependencies::finding::risk;
use crate::dependencies::source::host;

/// The check.
#[derive(Debug)]
pub(super) struct IndexCredentials;

static META: Meta = Meta {
    id: "index-credentials",
    title: "passwords in the address of an index",
    page: include_str!("index_credentials.md"),
};

impl Check for IndexCredentials {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
        for index in scope.reading.indexes.iter().filter(|index| index.has_credentials) {
            let message = format!("a password or token for '{}' is written into the address", host(&index.url));
            let next = "make the secret invalid and take it out of the history; then use keyring, netrc or a variable \
                        (`https://${USER}:${TOKEN}@host/simple`)";
            let draft = risk(&META, Severity::High, &index.location, &message, next).subject(&index.url);
            findings.push(draft.line_of(scope.reading).done());
        }
    }
}
