//! Bills of materials: what a model or a project is made of, as CycloneDX, as SPDX, and for people.
//!
//! [`gather`] reads everything once into one [`Bom`]; every format is written from it. Each value has the place where it
//! was read. Nothing is filled in: what nobody wrote down is left out, and [`gaps`] says so.

mod configuration;
pub mod cyclonedx;
mod data;
mod describe;
pub mod diff;
mod document;
mod files;
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
mod training;
pub(crate) mod writing;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
use waag_evidence::Dependency;

use crate::output::Style;
use crate::scan::Progress;
use document::Document;
use files::Found;
pub use model::Bom;
use model::{File, Owner, Remark, Role};
pub use training::Recorded;

/// What is known beside the files.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Software that the project needs: whoever reads its lock files says so.
    pub dependencies: Vec<Dependency>,
    /// Provenance that is kept in a ledger.
    pub recorded: Vec<Recorded>,
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
    let (found, mut remarks) = files::find(path, progress)?;
    let claims = crate::import::claims_of(path, lineage::SOURCES)?;
    let is_file = path.is_file();
    let root = if is_file { path.parent().unwrap_or(Path::new("")) } else { path };
    let name = name_of(path);
    let top = card(&found, "", &mut remarks);
    let (of_data, of_model) = match top {
        Some(card) if data::is_card_of_data(&card) => (Some(card), None),
        other => (None, other),
    };
    let is_model = of_data.is_none()
        && (is_file || of_model.as_ref().is_some_and(is_card_of_model) || has_own_configuration(&found));
    let folders = match (&of_data, is_file) {
        (Some(_), _) => Vec::new(),
        (None, true) if !found.iter().any(|file| file.role == Role::Weights) => Vec::new(),
        (None, _) => join::folders(&found, is_model),
    };
    let mut datasets = data::Datasets::of_files(&found, of_data.as_ref(), &name);
    let mut by_model = lineage::by_model(&claims.claims, &folders);
    let mut models = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        let own = if folder.is_empty() { None } else { card(&found, folder, &mut remarks) };
        let card = if folder.is_empty() { of_model.as_ref() } else { own.as_ref() };
        let reached = reached(root, folder, path, is_file);
        let files = found.iter().filter(|file| join::model_of(&file.path, &folders) == Some(number)).collect();
        let claims = by_model.remove(&number).unwrap_or_default();
        let parts = describe::Parts { folder, reached: &reached, files, card, claims: &claims, given: &options.given };
        models.push(describe::describe(&parts, &mut datasets, &mut remarks));
    }
    let mut training = training::of_files(&found, &claims.claims);
    training.extend(training::of_ledger(&options.recorded, &found));
    remarks.extend(claims.remarks.into_iter().map(|remark| Remark {
        is_gap: remark.grade != crate::import::Grade::Note,
        location: remark.location,
        text: remark.text,
    }));
    remarks.sort();
    remarks.dedup_by(|one, other| one.location == other.location && one.text == other.text);
    let mut dependencies = options.dependencies.clone();
    dependencies.sort();
    let files = owned(found, &models, &folders, &datasets.list);
    Ok(Bom { name, models, datasets: datasets.list, dependencies, files, training, remarks, time: options.time })
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
fn card(found: &[Found], folder: &str, remarks: &mut Vec<Remark>) -> Option<Document> {
    let names = ["readme.md", "modelcard.md", "model_card.md", "modelcard.yaml", "modelcard.yml", "model_card.yaml"];
    let own = |name: &str| {
        found.iter().find(|file| {
            let lies_here = file.path.rsplit_once('/').map_or("", |(folder, _)| folder) == folder;
            lies_here && join::inside(&file.path, folder).eq_ignore_ascii_case(name)
        })
    };
    let file = names.iter().find_map(|name| own(name))?;
    let read = match file.path.ends_with("md") || file.path.ends_with("MD") {
        true => Document::card(&file.path, &file.opened),
        false => Document::yaml(&file.path, &file.opened, model::Method::Card).map(|document| (document, None)),
    };
    let (card, problem) = match read {
        Ok((card, problem)) => (Some(card), problem),
        Err(why) => (None, Some(why)),
    };
    remarks.extend(problem.map(|text| Remark { location: file.path.clone(), text, is_gap: true }));
    card
}

fn is_card_of_model(card: &Document) -> bool {
    let keys =
        ["pipeline_tag", "library_name", "base_model", "model-index", "model_name", "model_details", "inference"];
    card.root().any(&keys).is_some()
}

/// Whether the top has a configuration that is a model's and not a project's.
fn has_own_configuration(found: &[Found]) -> bool {
    let top = |name: &str| found.iter().find(|file| file.path == name);
    if top("model_index.json").or_else(|| top("adapter_config.json")).is_some() {
        return true;
    }
    let Some(file) = top("config.json") else { return false };
    let document = Document::json(&file.path, &file.opened, model::Method::Configuration);
    document.is_ok_and(|document| document.root().any(&["model_type", "architectures", "auto_map"]).is_some())
}

/// Every file, with whose it is.
fn owned(found: Vec<Found>, models: &[model::Model], folders: &[String], datasets: &[model::Dataset]) -> Vec<File> {
    let rows: BTreeMap<&str, usize> = (0..)
        .zip(datasets)
        .flat_map(|(number, dataset)| dataset.files.iter().map(move |file| (file.as_str(), number)))
        .collect();
    let owner = |file: &Found| {
        if let Some(dataset) = rows.get(file.path.as_str()) {
            return Owner::Dataset(*dataset);
        }
        let Some(number) = join::model_of(&file.path, folders) else { return Owner::Project };
        let variants = models.get(number).map(|model| model.variants.as_slice()).unwrap_or_default();
        if let Some(variant) = variants.iter().position(|variant| variant.weights.files.contains(&file.path)) {
            return Owner::Variant(number, variant);
        }
        let is_of_project = matches!(file.role, Role::Dependencies | Role::Code | Role::Data);
        let is_whole = folders.get(number).is_some_and(String::is_empty);
        if is_whole && is_of_project { Owner::Project } else { Owner::Model(number) }
    };
    let code =
        |path: &str| models.iter().flat_map(|model| &model.remote_code).any(|code| code.file.as_deref() == Some(path));
    found
        .into_iter()
        .map(|mut file| {
            if code(&file.path) {
                file.role = Role::RemoteCode;
            }
            let owner = owner(&file);
            let imports = file.tensors.map(|tensors| tensors.imports).unwrap_or_default();
            File {
                path: file.path,
                size: file.size,
                sha256: file.sha256,
                role: file.role,
                format: file.format,
                owner,
                imports,
            }
        })
        .collect()
}
