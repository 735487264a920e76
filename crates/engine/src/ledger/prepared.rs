//! A statement as the index takes it up: read from its bytes, whoever wrote them.

use waag_evidence::Sha256Digest;

use super::entry::{Form, Opened, open};
use super::store::{Fault, Stamp, Store};
use crate::lineage::extract::{Extracted, NotRead, extract};

/// What the index is told of one entry.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) digest: Sha256Digest,
    pub(super) read: Result<Read, Fault>,
}

/// An entry whose bytes are those that its name says.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) stamp: Stamp,
    pub(super) form: Option<Form>,
    pub(super) signatures: usize,
    pub(super) claimed_signer: Option<String>,
    /// What it says, or why nobody knows.
    pub(super) extracted: Result<Extracted, NotRead>,
}

impl Prepared {
    pub(super) fn new(store: &Store, digest: Sha256Digest) -> Self {
        let read = store.read(&digest).map(|(bytes, stamp)| Read::new(&bytes, stamp, &digest));
        Self { digest, read }
    }
}

impl Read {
    fn new(bytes: &[u8], stamp: Stamp, digest: &Sha256Digest) -> Self {
        match open(bytes) {
            Ok(Opened { form, payload, signatures, claimed_signer }) => {
                let extracted = extract(&payload, digest);
                Self { stamp, form: Some(form), signatures, claimed_signer, extracted }
            }
            Err(why) => Self { stamp, form: None, signatures: 0, claimed_signer: None, extracted: Err(why) },
        }
    }
}
