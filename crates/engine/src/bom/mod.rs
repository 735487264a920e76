//! Bills of materials: what a model or a project is made of, as CycloneDX, as SPDX, and for people.
//!
//! [`gather`] reads everything once into one [`Bom`]; every format is written from it. Each value has the place where it
//! was read. Nothing is filled in: what nobody wrote down is left out, and [`gaps`] says so.

mod configuration;
pub mod cyclonedx;
mod data;
mod describe;
pub mod diff;
#[cfg(test)]
mod diff_tests;
mod document;
mod files;
mod folders;
pub mod gaps;
mod html;
mod identity;
mod join;
pub mod licence;
mod lineage;
pub mod model;
mod plain;
mod results;
mod role;
mod sections;
pub mod spdx;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_folders;
mod training;
pub(crate) mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use waag_evidence::Dependency;

use crate::output::Style;
use crate::scan::Progress;
use document::Document;
use files::Found;
pub use model::Bom;
pub use model::Remark;
use model::{File, Owner, Role};
pub use training::Recorded;

/// What is known beside the files.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Software that the project needs: whoever reads its lock files says so.
    pub dependencies: Vec<Dependency>,
    /// Provenance that is kept in a ledger.
    pub recorded: Vec<Recorded>,
    /// What could not be learnt of those two.
    pub remarks: Vec<Remark>,
    /// The file that the document is written to, which cannot list itself: its canonical path.
    pub output: Option<PathBuf>,
    /// The time that the documents bear.
    pub time: Option<Timestamp>,
    /// What only a person can say.
    pub given: Given,
}

/// What a person says of the model, where files do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Who supplies it.
    pub supplier: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// When it was released.
    pub release: Option<Timestamp>,
    /// Where it can be had.
    pub download: Option<String>,
}

/// What a bill of materials is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CycloneDX in JSON.
    CycloneDx(cyclonedx::Version),
    /// SPDX 3.0.1 in JSON-LD.
    Spdx,
    /// A page for people.
    Html,
    /// A screen for people.
    Plain,
}

/// Whether a text is an address that the documents have a field for: one of the web.
#[must_use]
pub fn is_address(text: &str) -> bool {
    writing::address(text).is_some()
}

/// Whether a file of this name names packages.
#[must_use]
pub fn names_packages(name: &str) -> bool {
    role::role_of(name, None) == Role::Dependencies
}

/// Writes a bill of materials.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(bom: &Bom, format: Format, out: &mut dyn Write, style: Style) -> io::Result<()> {
    match format {
        Format::CycloneDx(version) => cyclonedx::write(bom, version, out),
        Format::Spdx => spdx::write(bom, out),
        Format::Html => html::write(bom, out),
        Format::Plain => plain::write(bom, out, style),
    }
}

/// Reads everything below a folder, or one file.
///
/// # Errors
/// When the path does not exist or cannot be read at all; what cannot be read below it is a remark.
pub fn gather(path: &Path, options: &Options, progress: &dyn Progress) -> io::Result<Bom> {
    let (found, mut remarks) = files::find(path, options.output.as_deref(), progress)?;
    remarks.extend(options.remarks.iter().cloned());
    let claims = crate::import::claims_of(path, lineage::SOURCES)?;
    let is_file = path.is_file();
    let root = if is_file { path.parent().unwrap_or(Path::new("")) } else { path };
    let name = name_of(path);
    let top = card(found.iter(), "", &mut remarks);
    let (of_data, of_model) = match top {
        Some(card) if data::is_card_of_data(&card) => (Some(card), None),
        other => (None, other),
    };
    let is_model = is_file || of_model.as_ref().is_some_and(is_card_of_model);
    let folders = match (&of_data, is_file) {
        (Some(_), _) => Vec::new(),
        (None, true) if !found.iter().any(|file| file.role == Role::Weights) => Vec::new(),
        (None, _) => folders::folders(&found, is_model),
    };
    let mut files_of: Vec<Vec<&Found>> = folders.iter().map(|_| Vec::new()).collect();
    for file in &found {
        let own = folders::model_of(&file.path, &folders).and_then(|number| files_of.get_mut(number));
        own.into_iter().for_each(|files| files.push(file));
    }
    let mut datasets = data::Datasets::of_files(&found, of_data.as_ref(), &name, &mut remarks);
    let mut by_model = lineage::by_model(&claims.claims, &folders);
    let mut models = Vec::new();
    for (number, (folder, files)) in folders.iter().zip(files_of).enumerate() {
        let own = if folder.is_empty() { None } else { card(files.iter().copied(), folder, &mut remarks) };
        let card = if folder.is_empty() { of_model.as_ref() } else { own.as_ref() };
        let reached = reached(root, folder, path, is_file);
        let claims = by_model.remove(&number).unwrap_or_default();
        let parts = describe::Parts { folder, reached: &reached, files, card, claims: &claims, given: &options.given };
        models.push(describe::describe(&parts, &mut datasets, &mut remarks));
    }
    let mut training = training::of_files(&found, &claims.claims, &mut remarks);
    training.extend(training::of_ledger(&options.recorded, &found, &mut remarks));
    let claimed = claims.remarks.into_iter().map(|remark| Remark {
        is_gap: remark.grade != crate::import::Grade::Note,
        location: remark.location,
        text: remark.text,
    });
    // Where the model itself was told from what it was made from, a note that it may be is one too many.
    let told: BTreeSet<String> = remarks.iter().map(|remark| remark.location.clone()).collect();
    remarks.extend(claimed.filter(|remark| remark.is_gap || !told.contains(&remark.location)));
    remarks.sort();
    remarks.dedup_by(|one, other| one.location == other.location && one.text == other.text);
    let mut dependencies = options.dependencies.clone();
    dependencies.sort();
    let files = owned(found, &models, &folders, &datasets.list);
    let mut by_owner: BTreeMap<Owner, Vec<usize>> = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        by_owner.entry(file.owner).or_default().push(at);
    }
    let (datasets, time) = (datasets.list, options.time);
    Ok(Bom { name, models, datasets, dependencies, files, training, remarks, time, by_owner })
}

fn name_of(path: &Path) -> String {
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let cached = import_name(path).or_else(|| import_name(&whole));
    let last = || whole.file_name().map(|name| name.to_string_lossy().into_owned());
    cached.or_else(last).unwrap_or_else(|| "/".to_owned())
}

fn import_name(path: &Path) -> Option<String> {
    crate::import::identity::cache_identity(path).map(|identity| identity.id)
}

/// A model's folder as it is reached. One file is called by its own name, unless a cache has a better one.
fn reached(root: &Path, folder: &str, path: &Path, is_file: bool) -> std::path::PathBuf {
    match is_file {
        true if import_name(root).is_none() => path.to_owned(),
        _ => root.join(folder),
    }
}

/// The card of a folder: its `README.md`, or what there is instead.
fn card<'a>(files: impl Iterator<Item = &'a Found>, folder: &str, remarks: &mut Vec<Remark>) -> Option<Document> {
    let here = files.filter(|file| file.role == Role::Card && folders::folder_of(&file.path) == folder);
    let rank = |file: &&Found| {
        let name = folders::inside(&file.path, folder).to_ascii_lowercase();
        role::CARDS.iter().position(|card| *card == name)
    };
    let file = here.min_by_key(rank)?;
    let read = match file.path.ends_with("md") || file.path.ends_with("MD") {
        true => Document::card(&file.path, &file.opened),
        false => Document::yaml(&file.path, &file.opened, model::Method::Card).map(|document| (document, None)),
    };
    let (card, problem) = match read {
        Ok((card, problem)) => (Some(card), problem),
        Err(why) => (None, Some(why)),
    };
    remarks.extend(problem.map(|text| Remark::gap(&file.path, text)));
    card
}

fn is_card_of_model(card: &Document) -> bool {
    let keys =
        ["pipeline_tag", "library_name", "base_model", "model-index", "model_name", "model_details", "inference"];
    card.root().any(&keys).is_some()
}

/// Every file, with whose it is.
fn owned(found: Vec<Found>, models: &[model::Model], folders: &[String], datasets: &[model::Dataset]) -> Vec<File> {
    let mut owners: BTreeMap<&str, Owner> = BTreeMap::new();
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for (number, model) in (0..).zip(models) {
        for (at, variant) in (0..).zip(&model.variants) {
            owners.extend(variant.weights.files.iter().map(|file| (file.as_str(), Owner::Variant(number, at))));
        }
        used.extend(model.weights.iter().flat_map(|weights| &weights.files).map(String::as_str));
    }
    used.extend(owners.keys());
    for (number, dataset) in (0..).zip(datasets) {
        owners.extend(dataset.files.iter().map(|file| (file.as_str(), Owner::Dataset(number))));
    }
    let code: BTreeSet<&str> =
        models.iter().flat_map(|model| &model.remote_code).filter_map(|code| code.file.as_deref()).collect();
    let owner = |file: &Found, role| {
        owners.get(file.path.as_str()).copied().unwrap_or_else(|| in_folder(&file.path, role, folders))
    };
    let file = |file: Found| {
        let role = match file.role {
            _ if code.contains(file.path.as_str()) => Role::RemoteCode,
            // Arrays and objects that belong to no model may be anything.
            Role::Weights if !used.contains(file.path.as_str()) => Role::Other,
            role => role,
        };
        let owner = owner(&file, role);
        let imports = file.tensors.map(|tensors| tensors.imports).unwrap_or_default();
        let (path, size, sha256, format) = (file.path, file.size, file.sha256, file.format);
        File { path, size, sha256, role, format, owner, imports }
    };
    found.into_iter().map(file).collect()
}

/// Whose a file is by the folder that it lies in.
fn in_folder(path: &str, role: Role, folders: &[String]) -> Owner {
    let Some(number) = folders::model_of(path, folders) else { return Owner::Project };
    let is_of_project = matches!(role, Role::Dependencies | Role::Code | Role::Data);
    let is_whole = folders.get(number).is_some_and(String::is_empty);
    if is_whole && is_of_project { Owner::Project } else { Owner::Model(number) }
}
