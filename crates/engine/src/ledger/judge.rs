//! Verifying statements by the settings: who signed, by the policy's name for them.
//!
//! A statement is about many artifacts, and calls them what its author likes. So the rule of the trust policy that matches
//! one of these names decides; where no rule matches any, a signer counts whom some rule names. Whether a file may be
//! signed by somebody is for `waag verify` to say, which knows where the file is.

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use waag_evidence::statement::Statement;
use waag_evidence::trust::{ProvenSignature, SignerIdentity, TrustReason};
use waag_evidence::{Sha256Digest, TrustPolicy};
use waag_signing::encoding::to_hex;
use waag_signing::verify::{Trusted, verify_statement};

use super::assurance::{Assurance, Judge};
use crate::trust_store::TrustStore;
use crate::verify::VerifyError;
use crate::verify::policy::{Candidate, best, identity};

/// Names of a statement's subjects that are looked up in the policy.
const MAX_NAMES: usize = 4096;

/// Verifies by a trust policy.
pub struct PolicyJudge<'a> {
    policy: &'a TrustPolicy,
    candidates: Vec<Candidate>,
    now: Timestamp,
    basis: String,
}

impl std::fmt::Debug for PolicyJudge<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PolicyJudge").field("basis", &self.basis).finish_non_exhaustive()
    }
}

impl<'a> PolicyJudge<'a> {
    /// Reads the keys, certificates and roots that a policy names. A signer who has only a fingerprint cannot be verified.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn new(
        policy: &'a TrustPolicy,
        folder: &Path,
        store: &TrustStore,
        now: Timestamp,
    ) -> Result<Self, VerifyError> {
        let has_key = |identity: &SignerIdentity| !matches!(identity, SignerIdentity::Key { file: None, .. });
        let signers = policy.signers.iter().filter(|signer| has_key(&signer.identity));
        let candidates = signers.map(|signer| Candidate::new(signer, folder, store)).collect::<Result<Vec<_>, _>>()?;
        let basis = basis(policy, &candidates, now);
        Ok(Self { policy, candidates, now, basis })
    }

    /// Whether a signer may have signed a statement about these names and digests.
    fn objection(&self, signature: &ProvenSignature, names: &[&str], digests: &[Sha256Digest]) -> Option<String> {
        if let Some(denied) = self.policy.denied.iter().find(|denied| digests.contains(&denied.digest)) {
            let (digest, reason) = (denied.digest, denied.reason.clone());
            return Some(TrustReason::DigestDenied { digest, reason }.to_string());
        }
        match names.iter().find(|name| self.policy.rule(name).is_some()) {
            Some(name) => {
                let verdict = self.policy.judge(name, std::slice::from_ref(signature), &[], self.now);
                // That a rule asks for more signatures says nothing about this one.
                let speaks = |reason: &&TrustReason| !matches!(reason, TrustReason::TooFewSignatures { .. });
                verdict.reasons.iter().find(speaks).map(ToString::to_string)
            }
            None => {
                let is_named = self.policy.rules.iter().any(|rule| rule.signers.contains(&signature.signer));
                (!is_named).then(|| TrustReason::SignerNotAllowed { signer: signature.signer.clone() }.to_string())
            }
        }
    }
}

impl Judge for PolicyJudge<'_> {
    fn basis(&self) -> String {
        self.basis.clone()
    }

    fn judge(&self, entry: &[u8], claimed: Option<&str>) -> Assurance {
        let unverified = |reason: String| Assurance::Unverified { claimed: claimed.map(str::to_owned), reason };
        let tried =
            self.candidates.iter().map(|candidate| (candidate, verify_statement(entry, &candidate.trusted, self.now)));
        let (name, verified) = best(tried);
        let verified = match verified {
            Ok(verified) => verified,
            Err(error) => return unverified(error.to_string()),
        };
        let signer = name.unwrap_or_default();
        let at = verified.signer.time.as_ref().map(|time| time.at);
        let proven = ProvenSignature { signer: signer.clone(), identity: identity(&verified.signer), at };
        // The signed bytes say what it is about, and nothing else does.
        let Ok(statement) = serde_json::from_slice::<Statement>(&verified.payload) else {
            return unverified("what is signed is no statement".to_owned());
        };
        let subjects = || statement.subject.iter().take(MAX_NAMES);
        let names: Vec<&str> = subjects().filter_map(|subject| subject.name.as_deref()).collect();
        let digests: Vec<Sha256Digest> =
            subjects().filter_map(|subject| subject.digest.get("sha256")?.parse().ok()).collect();
        match self.objection(&proven, &names, &digests) {
            Some(objection) => unverified(objection),
            None => Assurance::Signed { signer, at },
        }
    }
}

/// What the answers depend on: the policy, whom it describes by their keys, the day, and this version.
fn basis(policy: &TrustPolicy, candidates: &[Candidate], now: Timestamp) -> String {
    let mut text = format!("{}\n{}\n", env!("CARGO_PKG_VERSION"), now.as_second().div_euclid(86_400));
    for candidate in candidates {
        let _ = writeln!(text, "signer {}", candidate.name);
        let _ = match &candidate.trusted {
            Trusted::Key(key) => writeln!(text, "key {}", key.fingerprint()),
            Trusted::Certificate { roots, name } => {
                let roots: Vec<_> = roots.iter().map(|root| to_hex(root.der())).collect();
                writeln!(text, "certificate {name} {}", roots.join(" "))
            }
            Trusted::Keyless { identity, root } => {
                writeln!(text, "keyless {} {} {}", identity.name, identity.issuer, root.json())
            }
        };
    }
    for rule in &policy.rules {
        let age = rule.max_age_days.unwrap_or(u32::MAX);
        let _ = writeln!(text, "rule {} {age} {}", rule.subject, rule.signers.join("\n"));
    }
    policy.denied.iter().for_each(|denied| text.push_str(&format!("denied {}\n", denied.digest)));
    to_hex(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use waag_evidence::statement::PAYLOAD_TYPE;
    use waag_signing::envelope::{Envelope, pae};
    use waag_signing::key::{PrivateKey, SigningKey as _};

    use super::*;

    const KEY: &str = include_str!("../../../cli/tests/signing/private.pem");
    const PUBLIC: &str = include_str!("../../../cli/tests/signing/public.pem");

    fn entry(name: &str) -> Vec<u8> {
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{name}","digest":{{"sha256":"{}"}}}}],"predicateType":"https://example.org/x","predicate":{{}}}}"#,
            "ab".repeat(32)
        );
        let key = PrivateKey::from_pem(KEY, None).unwrap();
        let signature = key.sign(&pae(PAYLOAD_TYPE, statement.as_bytes())).unwrap();
        serde_json::to_vec(&Envelope::new(PAYLOAD_TYPE, statement.as_bytes(), &signature)).unwrap()
    }

    fn judged(policy: &str, entry: &[u8]) -> Assurance {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key.pem"), PUBLIC).unwrap();
        let policy: TrustPolicy = toml::from_str(policy).unwrap();
        let judge = PolicyJudge::new(&policy, folder.path(), &TrustStore::new(None), Timestamp::UNIX_EPOCH).unwrap();
        judge.judge(entry, Some("key x"))
    }

    #[test]
    fn who_is_trusted_is_named_and_who_is_not_is_only_claimed() {
        let signer =
            "[[signer]]\nname = \"release\"\nkey = \"key.pem\"\n[[signer]]\nname = \"other\"\nkey = \"key.pem\"\n";
        let rule =
            |subject: &str, who: &str| format!("{signer}[[rule]]\nsubject = \"{subject}\"\nsigners = [\"{who}\"]\n");
        let signed = Assurance::Signed { signer: "release".to_owned(), at: None };
        assert_eq!(judged(&rule("models/**", "release"), &entry("models/a")), signed);
        assert_eq!(judged(&rule("elsewhere/**", "release"), &entry("models/a")), signed);
        let objections = [
            (rule("models/**", "other"), "may not sign"),
            (signer.to_owned(), "may not sign"),
            (
                format!("{}[[denied]]\ndigest = \"{}\"\nreason = \"bad\"\n", rule("**", "release"), "ab".repeat(32)),
                "denied",
            ),
            (String::new(), "nobody"),
        ];
        for (policy, why) in objections {
            match judged(&policy, &entry("models/a")) {
                Assurance::Unverified { reason, claimed } => {
                    assert!(reason.contains(why) && claimed.as_deref() == Some("key x"), "{reason}");
                }
                other => panic!("{other}"),
            }
        }
        let mut changed: Envelope = serde_json::from_slice(&entry("models/a")).unwrap();
        changed.payload = waag_signing::encoding::to_base64(b"{}");
        let changed = serde_json::to_vec(&changed).unwrap();
        assert!(!judged(&rule("**", "release"), &changed).is_signed());
    }
}
