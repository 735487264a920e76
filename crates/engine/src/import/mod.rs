//! What people already have of where their models come from, read as claims: cards, configurations, bills of materials,
//! lock files, and the records that trackers keep of runs.
//!
//! What is read here was written by others and is signed by nobody. It becomes unsigned statements: [`Claims`], each with the
//! place where it stands, or provenance for a run that a tracker recorded. Nothing is filled in: what a source does not
//! say, such as a revision or a digest, is not there afterwards either; digests are of bytes that were read here.
//!
//! [`Claims`]: waag_evidence::statement::claims::Claims

mod adapter;
mod card;
mod checked;
pub(crate) mod conflict;
mod cyclonedx;
pub mod document;
mod dvc;
mod gguf;
mod handwritten;
pub(crate) mod identity;
mod intake;
mod mergekit;
mod metaflow;
pub mod mlflow;
mod mlmodel;
mod model_configuration;
mod oms;
pub mod output;
mod page;
mod run;
mod sentence_transformers;
mod spdx;
mod spdx3;
mod statement;
mod subject;
#[cfg(test)]
mod tests;
mod trainer;
mod wandb;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::scan::Progress;
use crate::walk::{EntryKind, walk};

pub use conflict::{Conflict, Topic, VoiceIn};
pub use intake::{Artifact, Checked, Grade, Imported, Intake, Remark, SourceRead};
pub use statement::envelope;

/// Bytes at the start of a file by which it is recognised.
const HEAD: usize = 4096;

/// Reads one kind of source.
pub trait Importer: Sync + fmt::Debug {
    /// Its name, for `--from` and in claims.
    fn name(&self) -> &'static str;
    /// What it reads, for people.
    fn reads(&self) -> &'static str;
    /// What of these files it takes: the file itself, or the folder of a store that the file belongs to.
    fn takes(&self, file: &Found<'_>) -> Option<Taken>;
    /// Reads what it has taken.
    fn read(&self, path: &Path, intake: &mut Intake<'_>);
}

/// What an importer takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// The file.
    File,
    /// A folder above it, which is read once as a whole. Files within may be taken by others, unless `alone`.
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Whether nothing within it is for others.
        alone: bool,
    },
}

/// A file that may be a source.
#[derive(Debug)]
pub struct Found<'a> {
    /// Its path.
    pub path: &'a Path,
    /// The last part of its path.
    pub name: &'a str,
    /// Its first bytes.
    pub head: &'a [u8],
}

impl Found<'_> {
    /// Whether its first bytes hold a text.
    fn has(&self, text: &str) -> bool {
        self.head.windows(text.len()).any(|window| window == text.as_bytes())
    }

    fn has_ending(&self, endings: &[&str]) -> bool {
        let name = self.name.to_ascii_lowercase();
        endings.iter().any(|ending| name.ends_with(ending))
    }
}

/// Every importer, in the order in which they are listed and asked.
pub static IMPORTERS: &[&dyn Importer] = &[
    &mlflow::folder::MlflowFolder,
    &wandb::Wandb,
    &metaflow::Metaflow,
    &dvc::Dvc,
    &handwritten::Provenance,
    &handwritten::ModelCard,
    &handwritten::Manifest,
    &card::HuggingFaceCard,
    &model_configuration::ModelConfiguration,
    &adapter::Adapter,
    &trainer::Trainer,
    &gguf::Gguf,
    &mergekit::Mergekit,
    &sentence_transformers::SentenceTransformers,
    &mlmodel::MlModel,
    &cyclonedx::CycloneDx,
    &spdx::Spdx,
    &oms::Oms,
];

/// The importer of a name.
#[must_use]
pub fn importer(name: &str) -> Option<&'static dyn Importer> {
    IMPORTERS.iter().copied().find(|importer| importer.name() == name)
}

/// Reads everything that is a source in a file or below a folder. With `from`, only what that importer reads; a file that is
/// named is read by it whatever its name.
///
/// # Errors
/// When the path does not exist or cannot be read at all. What cannot be read below it is a remark.
pub fn import_path(path: &Path, from: Option<&dyn Importer>, progress: &dyn Progress) -> io::Result<Imported> {
    let mut intake = Intake::new(path, progress);
    let chosen = |importer: &&dyn Importer| from.is_none_or(|from| from.name() == importer.name());
    let importers: Vec<_> = IMPORTERS.iter().copied().filter(chosen).collect();
    read_all(path, &importers, from.is_some(), &mut intake)?;
    Ok(intake.finish())
}

/// The claims of some kinds of sources, and where they disagree, without a digest of anything: for whoever has digested
/// the files already.
///
/// # Errors
/// As for [`import_path`].
pub(crate) fn claims_of(path: &Path, kinds: &[&str]) -> io::Result<Imported> {
    let mut intake = Intake::new(path, &crate::scan::Silent).without_digests();
    let importers: Vec<_> = IMPORTERS.iter().copied().filter(|importer| kinds.contains(&importer.name())).collect();
    read_all(path, &importers, false, &mut intake)?;
    Ok(intake.finish())
}

fn read_all(path: &Path, importers: &[&dyn Importer], is_forced: bool, intake: &mut Intake<'_>) -> io::Result<()> {
    let is_file = std::fs::metadata(path)?.is_file();
    let mut folders: BTreeSet<(PathBuf, &'static str)> = BTreeSet::new();
    let mut alone: BTreeSet<PathBuf> = BTreeSet::new();
    // Nothing is read above what was given.
    let mut above: BTreeSet<(PathBuf, &'static str)> = BTreeSet::new();
    for entry in walk(&[path.to_owned()], false)? {
        if alone.iter().any(|folder| entry.path.starts_with(folder)) {
            continue;
        }
        if let EntryKind::Unreadable(why) = &entry.kind {
            intake.remark(Grade::Unchecked, &entry.path, format!("cannot be read: {why}"));
        }
        let EntryKind::File(opened) = &entry.kind else { continue };
        let head = head_of(opened);
        let name = entry.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let found = Found { path: &entry.path, name: &name, head: &head };
        for importer in importers {
            let forced = is_file && is_forced;
            let taken = importer.takes(&found).filter(|taken| match taken {
                Taken::Folder { folder, .. } if !folder.starts_with(path) => {
                    above.insert((folder.clone(), importer.name()));
                    false
                }
                _ => true,
            });
            match taken.or(forced.then_some(Taken::File)) {
                Some(Taken::File) => importer.read(&entry.path, intake),
                Some(Taken::Folder { folder, alone: only }) => {
                    if folders.insert((folder.clone(), importer.name())) {
                        importer.read(&folder, intake);
                    }
                    if only {
                        alone.insert(folder);
                    }
                }
                None => continue,
            }
            break;
        }
    }
    for (folder, name) in above {
        let text = format!("what {name} keeps in '{}' is read as a whole: name that folder", folder.display());
        intake.remark(Grade::Unchecked, path, text);
    }
    Ok(())
}

fn head_of(path: &Path) -> Vec<u8> {
    crate::io::FileSource::open(path)
        .map(|source| waag_formats::source::read_up_to(&source, 0, HEAD))
        .unwrap_or_default()
}
