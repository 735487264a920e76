//! What is asked about: a path is digested, anything else is looked up.

use std::path::Path;

use waag_evidence::Sha256Digest;
use waag_evidence::manifest::{HashAlgorithm, Method, Serialization, names_root};
use waag_signing::model_statement::NAMES_DIGEST;

use super::identifier::{Identifier, Naming};
use crate::hash::{HashError, Wanted, digest_files, files_of, ignored_in_models, manifest_of_files};
use crate::ledger::{Ledger, LedgerError};
use crate::sanitize::sanitize;
use crate::scan::Progress;

/// Where a walk begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Starts {
    /// Nodes of the graph.
    pub nodes: Vec<u32>,
    /// What was asked about, by every name that was looked up.
    pub asked: Vec<Identifier>,
    /// Whether the files of a folder were found where the folder itself was not.
    pub by_files: bool,
    /// Files of it, then, that the ledger knows nothing of.
    pub unknown: Vec<String>,
}

/// Files that are named before the rest is counted.
const MAX_NAMED: usize = 8;

/// The digests of a model.
#[derive(Debug, Clone)]
pub struct Digests {
    /// Of the whole.
    pub whole: Vec<Identifier>,
    /// Of each file, with its path below the model.
    pub files: Vec<(String, Identifier)>,
}

/// Digests a model.
///
/// # Errors
/// When it cannot be read.
pub fn digests_of(path: &Path, progress: &dyn Progress) -> Result<Digests, HashError> {
    let ignored = ignored_in_models();
    let listed = files_of(path, &ignored, true, None)?;
    let wanted = Wanted { files: vec![HashAlgorithm::Sha256], shards: None };
    let hashed = digest_files(&listed.files, &wanted, progress)?;
    let how = Serialization {
        method: Method::Files,
        algorithm: HashAlgorithm::Sha256,
        allow_symlinks: listed.has_links,
        ignored,
    };
    let sha256s: Vec<_> =
        hashed.iter().filter_map(|file| Some((file.file.path.as_str(), file.digests.first()?.to_sha256()?))).collect();
    let identifier = |digest: &Sha256Digest| Identifier::digest("sha256", &digest.to_string());
    let files = sha256s.iter().map(|(path, digest)| ((*path).to_owned(), identifier(digest))).collect();
    let names = names_root(sha256s.iter().copied());
    let root = manifest_of_files(listed, &hashed, &how)?.manifest.root();
    let whole = [("sha256", root), (NAMES_DIGEST, names)];
    let whole = whole.iter().map(|(algorithm, digest)| Identifier::digest(algorithm, &digest.to_string())).collect();
    Ok(Digests { whole, files })
}

impl Starts {
    /// The nodes of what is at a path, by the digests of the whole and, where nobody speaks of it, of files.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn of_digests(ledger: &Ledger, whole: Vec<Identifier>, files: Vec<Identifier>) -> Result<Self, LedgerError> {
        // One file is asked for by its own digest first.
        let single = files.len() == 1;
        let asked: Vec<_> = if single { files.iter().cloned().chain(whole).collect() } else { whole };
        let nodes = ledger.nodes_of(&asked)?;
        if !nodes.is_empty() || single {
            return Ok(Self { nodes, asked, ..Self::default() });
        }
        let nodes = ledger.nodes_of(&files)?;
        Ok(Self { by_files: !nodes.is_empty(), nodes, asked, ..Self::default() })
    }

    /// The same of a model, with the names of files that are unknown: a file that two models share says nothing of the others.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn of_model(ledger: &Ledger, digests: Digests) -> Result<Self, LedgerError> {
        let Digests { whole, files } = digests;
        let identifiers = files.iter().map(|(_, identifier)| identifier.clone()).collect();
        let mut starts = Self::of_digests(ledger, whole, identifiers)?;
        for (name, identifier) in files.iter().filter(|_| starts.by_files) {
            if ledger.nodes_of(std::slice::from_ref(identifier))?.is_empty() {
                starts.unknown.push(name.clone());
            }
        }
        Ok(starts)
    }

    /// What an answer from here on may lack, in words.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let named = self.unknown.iter().take(MAX_NAMED).map(|name| sanitize(name));
        let mut gaps: Vec<String> = named.map(|name| format!("the ledger knows nothing of {name}")).collect();
        let more = self.unknown.len().saturating_sub(MAX_NAMED);
        if more > 0 {
            gaps.push(format!("the ledger knows nothing of {more} more files"));
        }
        gaps
    }

    /// The nodes that a text stands for.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn of_text(ledger: &Ledger, text: &str) -> Result<Self, LedgerError> {
        let asked = Identifier::readings(text);
        let (bare, telling): (Vec<_>, Vec<_>) =
            asked.iter().cloned().partition(|reading| reading.naming == Naming::Name);
        let mut nodes = ledger.nodes_of(&telling)?;
        if nodes.is_empty() {
            // One bare name that somebody wrote down must not hide the artifacts that are called so.
            nodes = ledger.nodes_of(&bare)?;
            let called = ledger.nodes_like(text)?;
            nodes.extend(called.into_iter().filter(|node| !nodes.contains(node)).collect::<Vec<_>>());
        }
        let asked = vec![asked.into_iter().next().unwrap_or(Identifier::uri(text))];
        Ok(Self { nodes, asked, ..Self::default() })
    }
}
