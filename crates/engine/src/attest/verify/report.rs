//! What verifying attestations found.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use waag_evidence::Sha256Digest;
use waag_evidence::statement::Line;
use waag_evidence::statement::evidence::EvidenceType;
use waag_evidence::trust::TrustReason;
use waag_signing::Signer;
use waag_signing::difference::{Difference, DifferenceCode};

use super::document::Document;
use crate::uncovered::Open;
use crate::verify::report::Problem;

/// The problem of an attestation that says no.
pub(super) const NEGATIVE: &str = "negative-result";
/// Names the form of the report in JSON.
const SCHEMA: &str = "https://waag.dev/schema/attestations-1.json";

/// What verifying attestations found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttestationsReport {
    /// The form of the report in JSON: `docs/schema/attestations.schema.json`.
    pub schema: &'static str,
    /// What they are about, as it was named.
    pub subject: String,
    /// Whether trusted signers attest what is needed of these bytes.
    pub verified: bool,
    /// The attestations, as they were named.
    pub attestations: Vec<AttestationReport>,
    /// Why nothing can be verified, where there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// What the trust policy says, where one decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<TrustReason>,
}

impl AttestationsReport {
    /// A report where every attestation has to be good.
    pub(super) fn new(subject: &Path, attestations: Vec<AttestationReport>) -> Self {
        let verified = !attestations.is_empty() && attestations.iter().all(AttestationReport::is_good);
        let subject = subject.display().to_string();
        Self { schema: SCHEMA, subject, verified, attestations, problems: Vec::new(), policy: Vec::new() }
    }

    /// Where there is no attestation of the type that is asked for.
    pub(super) fn without(subject: &Path, evidence: Option<&EvidenceType>) -> Self {
        let kind = evidence.map_or("", |evidence| evidence.id);
        let problem = Problem::new(
            "no-attestation",
            format!("there is no attestation of the type '{kind}'"),
            "ask the publisher for one, or name the file that has it with --attestation",
        );
        Self { problems: vec![problem], ..Self::new(subject, Vec::new()) }
    }
}

/// What is to be said of one attestation.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AttestationReport {
    /// The file.
    pub file: String,
    /// The line, counted from 1, where the file has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Whether anybody signed it, well or badly.
    pub signed: bool,
    /// Who signed, where that is proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// What the trust policy calls them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer_name: Option<String>,
    /// What commands call the type, where it is known.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// The predicate type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// What it claims, in a few lines.
    pub summary: Vec<Line>,
    /// What it claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate: Option<Value>,
    /// Files whose bytes it is about.
    pub covered: Vec<Covered>,
    /// Whether the whole is as it was.
    pub whole: Whole,
    /// Files that it is not about.
    pub not_covered: Vec<String>,
    /// How many of its subjects are not here.
    pub elsewhere: u64,
    /// Why it is not good, beside files.
    pub problems: Vec<Problem>,
    /// Files that are not as it says.
    pub differences: Vec<Difference>,
    /// What no attestation is about: version control, ignored paths.
    pub left_out: Vec<Open>,
    /// What it carries that was not checked, in words.
    pub unchecked: Vec<String>,
    /// Whether the trust policy counts it and is satisfied by those who signed this very statement.
    #[serde(skip)]
    pub trusted: bool,
    /// The digest of the envelope or bundle.
    #[serde(skip)]
    pub sha256: Option<Sha256Digest>,
}

/// A file whose bytes an attestation is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// Its path below the subject.
    pub path: String,
    /// What the attestation calls it, where that is something else.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
}

/// Whether the whole is as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whole {
    /// The attestation says nothing of a whole, or of another one than what is at hand.
    #[default]
    NotSaid,
    /// It is.
    Same,
    /// It is not.
    Different,
}

impl AttestationReport {
    pub(super) fn new(document: &Document) -> Self {
        let file = document.path.display().to_string();
        let sha256 = crate::io::sha256(&document.json.as_slice()).ok();
        Self { file, line: document.line, signed: document.is_signed, sha256, ..Self::default() }
    }

    /// Whether it says no of what is at hand. One about bytes that were changed since says nothing of these.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        let is_about_these = !self.covered.is_empty() || self.whole == Whole::Same;
        let is_changed = self.differences.iter().any(|it| it.code == DifferenceCode::ChangedFile);
        is_about_these && !is_changed && self.problems.iter().any(|problem| problem.code == NEGATIVE)
    }

    /// Whether nothing speaks against it.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.signer.is_some() && self.problems.is_empty() && self.differences.is_empty()
    }
}
