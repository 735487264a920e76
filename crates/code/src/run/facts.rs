//! What is known of a run when it is over: what provenance is made of.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;
use waag_evidence::Sha256Digest;
use waag_evidence::statement::provenance::BuildType;
use waag_evidence::statement::role::Role;

use super::git::Commit;
use super::level::Level;
use super::packages::Package;

/// Everything that is known.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) build_type: BuildType,
    /// The words of the command, without secrets.
    pub(super) command: Vec<String>,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) declared_inputs: Vec<(Role, String)>,
    pub(super) declared_outputs: Vec<String>,
    pub(super) observed: bool,
    pub(super) level: Level,
    pub(super) exit_code: u8,
    pub(super) started: Timestamp,
    pub(super) finished: Timestamp,
    pub(super) no_network: bool,
    pub(super) sandbox: Option<String>,
    pub(super) inputs: Vec<Input>,
    pub(super) packages: Vec<Package>,
    pub(super) surroundings: Vec<Surrounding>,
    pub(super) outputs: Vec<Output>,
    pub(super) byproducts: Vec<Output>,
    pub(super) executed: Vec<(String, Option<Sha256Digest>)>,
    pub(super) connected: BTreeSet<String>,
    pub(super) bound: BTreeSet<String>,
    pub(super) gaps: BTreeMap<String, u64>,
    pub(super) commit: Option<Commit>,
    pub(super) variables: BTreeMap<&'static str, String>,
    pub(super) machine: Value,
    pub(super) python: Vec<Value>,
    pub(super) script: Option<(String, Option<Sha256Digest>)>,
    pub(super) seed: Option<String>,
    pub(super) comparison: Option<Value>,
}

/// A file, or a folder of them, that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) role: Option<Role>,
    pub(super) digest: Option<Sha256Digest>,
    /// Of a folder: how many files of it the digest is over.
    pub(super) files: Option<u64>,
    /// It changed while the run went on, and the run did not do it.
    pub(super) changed: bool,
    /// The run wrote to it, after it was read.
    pub(super) written: bool,
    /// The user named it.
    pub(super) declared: bool,
    /// It was seen to be read.
    pub(super) observed: bool,
    /// It was read in a form that Python compiled.
    pub(super) compiled: bool,
    /// The digest of that form, which is what was read.
    pub(super) compiled_digest: Option<Sha256Digest>,
}

impl Input {
    /// Adds what is known of the same module in its other form. The digest is of the source as it was read, if it was.
    pub(super) fn merge(&mut self, other: Self) {
        if self.compiled && !other.compiled {
            self.digest = other.digest;
        }
        self.compiled_digest = self.compiled_digest.or(other.compiled_digest);
        self.compiled |= other.compiled;
        self.changed |= other.changed;
        self.written |= other.written;
        self.declared |= other.declared;
    }
}

/// Many files that the run stood on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Surrounding {
    pub(super) name: String,
    pub(super) digest: Sha256Digest,
    pub(super) files: u64,
    /// How many of them are too long to be hashed, or could not be read.
    pub(super) not_hashed: u64,
}

/// A file that was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) digest: Option<Sha256Digest>,
    /// Whether it was there before, with the same bytes.
    pub(super) unchanged: bool,
    /// Whether there was a file of this name before.
    pub(super) replaced: bool,
    /// Of a byproduct: what it is.
    pub(super) kind: &'static str,
}
