//! What a scan has to say: the one value that every output format renders.

use serde::{Deserialize, Serialize};
use waag_evidence::{Evidence, Finding, Location, Sha256Digest, Subject, Verdict};
use waag_formats::facts::TensorTotals;

/// The result of scanning and judging some paths.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The paths as they were given.
    pub paths: Vec<String>,
    /// Every file and member that was looked at, in order of path.
    pub artifacts: Vec<ArtifactReport>,
    /// Everything found, gravest first, then in order of path and position.
    pub findings: Vec<Finding>,
    /// What follows. Its indices point into `findings` and into the policy's exceptions.
    pub verdict: Verdict,
    /// The policy's exceptions, for the verdict's indices.
    pub exceptions: Vec<waag_evidence::exception::Exception>,
    /// The digest of the policy that was in force.
    pub policy: Sha256Digest,
    /// What was judged.
    pub subject: Subject,
    /// What else was known of it; the findings stand above.
    pub evidence: Evidence,
    /// Files whose results are those of an earlier scan.
    pub reused: u64,
    /// Whether it speaks of code that is run, and of no model that is loaded.
    pub is_code: bool,
}

/// One file or member.
#[derive(Debug, Clone, Serialize)]
pub struct ArtifactReport {
    /// Where it is.
    pub location: Location,
    /// Its size in bytes.
    pub size: u64,
    /// Id of the format it was read as; none when nobody here knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<&'static str>,
    /// The format's name for people; `unknown` when there is none.
    pub title: &'static str,
    /// SHA-256 of its bytes, where it was read whole anyway or asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// How far it was analysed.
    pub analysis: Analysis,
    /// Properties the format states, such as version, framework or architecture, in the order they were read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<(String, String)>,
    /// Sums over its tensors.
    pub tensors: TensorTotals,
    /// Elements per element type, most first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dtypes: Vec<(String, u64)>,
    /// What loading it would do with callables.
    pub loading: Loading,
}

/// How far an artifact was analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Analysis {
    /// All that decides what loading it does.
    Complete,
    /// Some of it; a finding says what is missing.
    Partial,
    /// Nothing but its name, size and digest; loaders of models do not execute such files.
    NotAnalysed,
}

/// Uses of callables on loading, counted by what is known of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loading {
    /// Uses that only build data.
    pub inert: u64,
    /// Uses that no list clears.
    pub unlisted: u64,
    /// Uses that are known to be dangerous.
    pub dangerous: u64,
}
