//! `[[policy.test]]`: what the policy has to decide of a subject, written down so that a change of the policy that changes
//! that is seen.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use waag_evidence::{Decision, Evidence, Outcome, Subject};

use super::SettingsError;

/// Bytes of a file of evidence.
const MAX_EVIDENCE: u64 = 16 << 20;

/// What has to be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTest {
    /// What people call it.
    pub name: String,
    /// What is judged.
    pub of: TestSubject,
    /// What has to be decided.
    pub expect: Decision,
    /// What controls and conditions have to answer, by id.
    pub controls: BTreeMap<String, Outcome>,
}

/// What a test judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestSubject {
    /// A file or folder, from the folder of the file that has the test.
    Path(String),
    /// A file of evidence, as `waag policy explain --evidence` writes it.
    Evidence(String),
}

/// Evidence in a file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceFile {
    /// What is judged.
    pub subject: Subject,
    /// What is known of it.
    pub evidence: Evidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTest {
    name: String,
    subject: Option<String>,
    evidence: Option<String>,
    expect: Decision,
    #[serde(default)]
    controls: BTreeMap<String, Outcome>,
}

/// Why a test is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTest {
    /// It judges nothing, or two things.
    #[error("the test '{0}' needs either a subject (a path) or evidence (a file)")]
    Subject(String),
}

impl TryFrom<RawTest> for PolicyTest {
    type Error = InvalidTest;

    fn try_from(raw: RawTest) -> Result<Self, InvalidTest> {
        let RawTest { name, subject, evidence, expect, controls } = raw;
        let of = match (subject, evidence) {
            (Some(path), None) => TestSubject::Path(path),
            (None, Some(file)) => TestSubject::Evidence(file),
            _ => return Err(InvalidTest::Subject(name)),
        };
        Ok(Self { name, of, expect, controls })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestFile {
    #[serde(default, rename = "test")]
    tests: Vec<toml::Spanned<RawTest>>,
}

/// The tests of a file of their own: `[[test]]`, with the same keys.
///
/// # Errors
/// When it cannot be read or says something that is not understood.
pub fn load(path: &Path) -> Result<Vec<PolicyTest>, SettingsError> {
    let text = super::read(path)?;
    let file: TestFile = toml::from_str(&text).map_err(|error| super::invalid(&text, path, &error, 0))?;
    let tests = file.tests.into_iter().map(|raw| {
        let start = raw.span().start;
        PolicyTest::try_from(raw.into_inner()).map_err(|error| super::placed(&text, path, start, error.to_string()))
    });
    tests.collect()
}

/// Why evidence cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// It cannot be read.
    #[error("cannot read the evidence in '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is none.
    #[error("'{}' is no evidence: {}", path.display(), crate::sanitize::sanitize(&source.to_string()))]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// Reads a file of evidence.
///
/// # Errors
/// When it cannot be read or is none.
pub fn read_evidence(path: &Path) -> Result<EvidenceFile, EvidenceError> {
    let bytes = crate::bounded::read(path, MAX_EVIDENCE);
    let bytes = bytes.map_err(|source| EvidenceError::Read { path: path.to_owned(), source })?;
    serde_json::from_slice(&bytes).map_err(|source| EvidenceError::Form { path: path.to_owned(), source })
}
