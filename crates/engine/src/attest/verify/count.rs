//! Counting signatures by the trust policy: two people vouch for something together when both signed the same statement.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use waag_evidence::trust::{ProvenSignature, TrustReason, TrustVerdict};
use waag_evidence::{Sha256Digest, TrustPolicy};

use super::document::Document;
use super::report::AttestationReport;
use crate::verify::policy::identity;

/// Attestations by the type that they claim and by what they wrap.
#[derive(Default)]
pub(super) struct Counting<'a>(BTreeMap<&'a str, BTreeMap<Option<Sha256Digest>, Vec<Counted>>>);

/// An attestation, by its place among all, and what of it the policy counts.
struct Counted {
    index: usize,
    proven: Option<ProvenSignature>,
}

/// What the policy says.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) verified: bool,
    pub(super) reasons: Vec<TrustReason>,
    /// The places of attestations that count.
    pub(super) trusted: BTreeSet<usize>,
}

impl<'a> Counting<'a> {
    pub(super) fn add(&mut self, document: &'a Document, index: usize, report: &AttestationReport) {
        let of_type = self.0.entry(&document.claimed_type).or_default();
        of_type.entry(document.statement).or_default().push(Counted { index, proven: counts(report) });
    }

    /// Every type needs one statement that enough people signed.
    pub(super) fn judge(&self, policy: &TrustPolicy, name: &str, digests: &[Sha256Digest], now: Timestamp) -> Judged {
        let mut judged = Judged { verified: true, ..Judged::default() };
        for statements in self.0.values() {
            let verdicts: Vec<_> = statements
                .values()
                .map(|counted| {
                    let proven: Vec<_> = counted.iter().filter_map(|it| it.proven.clone()).collect();
                    (counted, policy.judge(name, &proven, digests, now))
                })
                .collect();
            judged.verified &= verdicts.iter().any(|(_, verdict)| verdict.trusted);
            for (counted, verdict) in verdicts.iter().filter(|(_, verdict)| verdict.trusted) {
                let trusted = counted.iter().filter(|it| it.is_trusted(verdict));
                judged.trusted.extend(trusted.map(|it| it.index));
            }
            judged.add_reasons(verdicts.into_iter().map(|(_, verdict)| verdict));
        }
        judged
    }
}

impl Counted {
    /// Whether it is one of those that satisfied the policy.
    fn is_trusted(&self, verdict: &TrustVerdict) -> bool {
        let Some(proven) = &self.proven else { return false };
        let objects = |reason: &TrustReason| match reason {
            TrustReason::SignerNotAllowed { signer }
            | TrustReason::SignatureWithoutTime { signer }
            | TrustReason::SignatureTooOld { signer, .. } => *signer == proven.signer,
            _ => true,
        };
        !verdict.reasons.iter().any(objects)
    }
}

impl Judged {
    /// Each reason once. That one statement has too few signatures says nothing where another of its type has enough.
    fn add_reasons(&mut self, verdicts: impl Iterator<Item = TrustVerdict>) {
        let verdicts: Vec<_> = verdicts.collect();
        let found = |reason: &TrustReason| match reason {
            TrustReason::TooFewSignatures { found, .. } => Some(*found),
            _ => None,
        };
        let is_enough = verdicts.iter().any(|verdict| verdict.trusted);
        let most = verdicts.iter().flat_map(|verdict| &verdict.reasons).filter_map(found).max();
        let told = |reason: &TrustReason| found(reason).is_none_or(|found| !is_enough && Some(found) == most);
        for reason in verdicts.into_iter().flat_map(|verdict| verdict.reasons).filter(told) {
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }
}

/// What of an attestation the policy counts.
fn counts(report: &AttestationReport) -> Option<ProvenSignature> {
    let (true, Some(name), Some(signer)) = (report.is_good(), &report.signer_name, &report.signer) else { return None };
    let at = signer.time.as_ref().map(|time| time.at);
    Some(ProvenSignature { signer: name.clone(), identity: identity(signer), at })
}
