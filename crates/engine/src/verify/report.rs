//! What verifying found.

use std::path::Path;

use serde::Serialize;
use waag_evidence::Sha256Digest;
use waag_evidence::trust::TrustReason;
use waag_signing::difference::Difference;
use waag_signing::model_statement::PredicateVersion;
use waag_signing::verify::Verified;
use waag_signing::{Signer, SigningError};

use crate::hash::HashError;
pub use crate::uncovered::Open;

/// Names the form of the report in JSON.
const SCHEMA: &str = "https://waag.dev/schema/verify-1.json";

/// What verifying a model found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// The form of the report in JSON: `docs/schema/verify.schema.json`.
    pub schema: &'static str,
    /// The model, as it was named.
    pub model: String,
    /// Whether the model is what trusted signers signed.
    pub verified: bool,
    /// The signatures, as they were named.
    pub signatures: Vec<SignatureReport>,
    /// What the trust policy says, where one decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<TrustReason>,
}

impl VerifyReport {
    /// A report where every signature has to be good.
    pub(super) fn new(model: &Path, signatures: Vec<SignatureReport>) -> Self {
        let verified = !signatures.is_empty() && signatures.iter().all(SignatureReport::is_good);
        Self { schema: SCHEMA, model: model.display().to_string(), verified, signatures, policy: Vec::new() }
    }

    /// The first thing that speaks against it: what is wrong with a signature, with a file, or with who signed.
    #[must_use]
    pub fn reason(&self) -> String {
        let problems = self.signatures.iter().flat_map(|signature| &signature.problems);
        let differences = self.signatures.iter().flat_map(|signature| &signature.differences);
        let mut reasons = problems
            .map(|problem| problem.message.clone())
            .chain(differences.map(|difference| format!("{} ({})", difference.name, difference.code.name())))
            .chain(self.policy.iter().map(ToString::to_string));
        reasons.next().unwrap_or_else(|| "its signature does not hold".to_owned())
    }
}

/// What is to be said of one signature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SignatureReport {
    /// The file.
    pub file: String,
    /// Who signed, where that is proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// What the trust policy calls them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer_name: Option<String>,
    /// Files that are signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// The signed digest over contents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Sha256Digest>,
    /// The digest over names and contents, where it follows from what is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names_root: Option<Sha256Digest>,
    /// Why it is not good, beside files.
    pub problems: Vec<Problem>,
    /// Files that are not as they were signed.
    pub differences: Vec<Difference>,
    /// What it does not cover.
    pub uncovered: Vec<Open>,
    /// What it carries that was not checked, in words.
    pub unchecked: Vec<String>,
}

impl SignatureReport {
    pub(super) fn new(file: &Path) -> Self {
        Self { file: file.display().to_string(), ..Self::default() }
    }

    /// Whether nothing speaks against it.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.signer.is_some() && self.problems.is_empty() && self.differences.is_empty()
    }

    pub(super) fn add(&mut self, verified: &Verified) {
        let statement = &verified.statement;
        let paths: std::collections::BTreeSet<_> =
            statement.manifest.resources.iter().map(|resource| resource.path.as_str()).collect();
        self.signer = Some(verified.signer.clone());
        self.files = Some(paths.len() as u64);
        self.root = Some(statement.manifest.root());
        self.names_root = statement.names_root();
        self.unchecked = verified.unchecked.iter().map(|what| (*what).to_owned()).collect();
        let digests = statement.unchecked_digests.iter();
        self.unchecked.extend(digests.map(|algorithm| format!("the subject's digest by {algorithm}")));
        if statement.version == PredicateVersion::Early {
            self.unchecked.push("how files were chosen, which signers of version 0.2 did not write".to_owned());
        }
    }
}

/// Why a signature is not good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// In a word that does not change.
    pub code: &'static str,
    /// In words. They may quote the bundle.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

impl Problem {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into() }
    }

    /// A problem with the model's files; none where the files could not be read, so that nothing can be said.
    pub(crate) fn of_files(error: &HashError) -> Option<Self> {
        let code = match error {
            HashError::Link { .. } => "link-not-covered",
            HashError::Special(_) => "special-file",
            HashError::Name(_) => "unsigned-file",
            HashError::TooManyShards { .. } => "shards-too-small",
            HashError::Manifest(_) => "missing-file",
            _ => return None,
        };
        Some(Self::new(code, error.to_string(), error.hint()))
    }
}

impl From<&SigningError> for Problem {
    fn from(error: &SigningError) -> Self {
        Self::new(error.code(), error.to_string(), error.hint())
    }
}
