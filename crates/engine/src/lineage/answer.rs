//! An answer: the part of the graph that was asked for, with who says each thing, and what is wrong with it.

use serde::Serialize;
use waag_evidence::Sha256Digest;

use super::conflict::Conflict;
use super::extract::{ClaimedBy, short_name};
use super::relation::Relation;
use super::walk::Direction;
use crate::ledger::Fault;
use crate::ledger::assurance::Assurance;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Which way to go.
    pub direction: Direction,
    /// Edges from where the walk begins.
    pub most_depth: u32,
    /// Artifacts that are told, the nearest first. All are counted.
    pub most_nodes: usize,
}

/// The part of the graph that was asked for.
#[derive(Debug, Default, Serialize)]
pub struct Answer {
    /// What the ledger knows of, beside where the walk began: artifacts, by any edge but a description.
    pub reached: u64,
    /// Of these, those that the answer tells.
    pub nodes: Vec<Node>,
    /// What is said of them.
    pub edges: Vec<AnswerEdge>,
    /// The statements that say it.
    pub statements: Vec<Cited>,
    /// What different sources say differently.
    pub conflicts: Vec<Conflict>,
    /// Artifacts that were made from themselves, as the statements say: circles, each once.
    pub cycles: Vec<Vec<usize>>,
    /// Entries of the ledger that are not believed, and so are in no answer.
    pub left_out: Vec<LeftOut>,
    /// Why there may be more than is told, in words.
    pub incomplete: Vec<String>,
    /// Whether one of these reasons is that no more was wanted: what is not told was walked to and counted.
    #[serde(skip)]
    pub(super) is_limited: bool,
}

impl Answer {
    /// Whether there may be more than was looked at, so that an answer that is good may be none.
    #[must_use]
    pub fn is_inconclusive(&self) -> bool {
        !self.left_out.is_empty() || self.incomplete.len() > usize::from(self.is_limited)
    }
}

/// An artifact.
#[derive(Debug, Serialize)]
pub struct Node {
    /// Its best name.
    pub id: String,
    /// What kind of name that is.
    pub naming: &'static str,
    /// What people call it: a hint, and anybody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it is, as its edges tell.
    pub kind: Kind,
    /// Edges from where the walk began.
    pub depth: u32,
    /// What is missing about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    #[serde(skip)]
    pub(super) number: u32,
    /// Whether the walk only came to it as another name of something, or as a file of what was asked about.
    #[serde(skip)]
    pub(super) is_name: bool,
}

/// What an artifact is, as its edges tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A model or a part of one.
    Model,
    /// Data.
    Dataset,
    /// Code or its parameters.
    Code,
    /// A package.
    Package,
    /// An image or a list of what was installed.
    Environment,
    /// A run.
    Run,
    /// A step that made several artifacts.
    Step,
    /// An advisory.
    Advisory,
    /// A file of something.
    File,
    /// Anything else.
    Artifact,
}

impl Kind {
    /// In one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
            Self::Code => "code",
            Self::Package => "package",
            Self::Environment => "environment",
            Self::Run => "run",
            Self::Step => "step",
            Self::Advisory => "advisory",
            Self::File => "file",
            Self::Artifact => "artifact",
        }
    }
}

/// What is missing about an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Nobody gave a digest of it, so nobody can say which bytes are meant.
    Digest,
    /// No statement says where it comes from.
    Statement,
}

impl Missing {
    /// In words, after its name.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Digest => "no digest says which bytes are meant",
            Self::Statement => "no statement says where it comes from",
        }
    }
}

/// An edge, and everyone who says so.
#[derive(Debug, Serialize)]
pub struct AnswerEdge {
    /// What was made: a place in the nodes.
    pub subject: usize,
    /// What it was made from: another.
    pub object: usize,
    /// What the object is to the subject.
    pub relation: &'static str,
    /// The best that anybody says.
    pub level: Level,
    /// Who says so.
    pub said: Vec<Said>,
    #[serde(skip)]
    pub(super) meaning: Option<Relation>,
    /// Whether the walk crossed it from its object to its subject.
    #[serde(skip)]
    pub(super) backwards: bool,
}

/// How far an edge can be believed, the furthest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Somebody who is trusted signed a statement that says it.
    Signed,
    /// A tool wrote it into a file.
    DerivedFromFile,
    /// Somebody wrote it down, and nobody signed it.
    SelfDeclared,
    /// It is signed, and the signature proves nothing.
    Unverified,
}

impl Level {
    /// Whether somebody who is trusted says it, or a file has it: not what anybody could have written down.
    #[must_use]
    pub const fn is_believed(self) -> bool {
        matches!(self, Self::Signed | Self::DerivedFromFile)
    }

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::DerivedFromFile => "derived from file",
            Self::SelfDeclared => "self-declared",
            Self::Unverified => "unverified signature",
        }
    }
}

/// Who says it, and where.
#[derive(Debug, Serialize)]
pub struct Said {
    /// A place in the statements.
    pub statement: usize,
    /// How far it can be believed.
    pub level: Level,
    /// What the statement repeats, and where it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimedBy>,
}

/// A statement that an answer rests on.
#[derive(Debug, Serialize)]
pub struct Cited {
    /// Its name in the ledger.
    pub digest: Sha256Digest,
    /// What kind of statement it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// The kind of build, or what was reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Who ran it, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builder: Option<String>,
    /// When it says that it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said_at: Option<String>,
    /// Who signed it.
    pub assurance: Assurance,
}

impl Cited {
    /// What kind of statement it is, in a word or two.
    #[must_use]
    pub fn word(&self) -> &str {
        match (&self.step, &self.predicate_type) {
            (Some(step), _) => step,
            (None, Some(predicate_type)) => short_name(predicate_type),
            (None, None) => "statement",
        }
    }
}

/// An entry that is not believed.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// Which.
    pub digest: Sha256Digest,
    /// Why.
    pub fault: Fault,
}
