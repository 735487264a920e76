//! A rule's opinion about facts.

use serde::{Deserialize, Serialize};

/// How bad it is if the finding is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Untidy; no attack is known that needs only this.
    Low,
    /// Could be part of an attack, or could not be judged.
    Medium,
    /// Loading the artifact can do what nobody asked for.
    High,
    /// Loading the artifact hands the machine over.
    Critical,
}

/// How sure the rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A hint.
    Low,
    /// Likely.
    Medium,
    /// Read in the bytes.
    High,
}

/// Who cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Persona {
    /// Whoever loads the artifact.
    Everyone,
    /// Whoever reviews it before others load it.
    Reviewer,
    /// Whoever wants to see everything.
    Auditor,
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file, as it was named to waag.
    pub file: String,
    /// Members below it, outermost first: `["archive/data.pkl"]` for a member of a zip.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Byte offset within the innermost member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Line within the innermost member, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

impl Location {
    /// A file as a whole.
    #[must_use]
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), members: Vec::new(), offset: None, line: None }
    }

    /// File and members as one readable path: `model.pt » archive/data.pkl`.
    #[must_use]
    pub fn path(&self) -> String {
        std::iter::once(&self.file).chain(&self.members).cloned().collect::<Vec<_>>().join(" » ")
    }
}

/// Whether a finding speaks of a danger seen or of bytes not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Nature {
    /// A danger, as grave as its severity says.
    Risk,
    /// Something was not analysed: never clean, whatever else was seen.
    Incomplete,
}

/// A rule's opinion about facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of the rule.
    pub rule: String,
    /// Danger seen, or bytes not seen.
    pub nature: Nature,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Who cares.
    pub persona: Persona,
    /// Where.
    pub location: Location,
    /// What, in one line.
    pub message: String,
    /// What it is about, exactly as it was read: a callable, a file, an expression. An exception may name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What was read there, as far as it helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What to do next.
    pub next_step: String,
    /// How many times the same was seen in this artifact; the location is the first.
    pub count: u64,
}
