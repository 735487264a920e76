//! Datasets: those that cards name, and those whose files are here.

use std::collections::BTreeMap;

use super::document::{Document, cut};
use super::files::Found;
use super::lineage::NamedData;
use super::model::{DataUse, Dataset, Evidence, Method, Remark, Role, Text};

/// Keys of a card that only datasets have.
const MARKS: &[&str] =
    &["dataset_info", "task_categories", "size_categories", "annotations_creators", "source_datasets"];
/// Configurations and splits of one dataset that are told.
const MAX_SIZES: usize = 200;

/// Whether a card is a dataset's.
pub(super) fn is_card_of_data(card: &Document) -> bool {
    MARKS.iter().any(|mark| card.root().get(mark).is_some())
}

/// Datasets in the making: those that are here, then those that are named.
#[derive(Debug, Default)]
pub(super) struct Datasets {
    pub(super) list: Vec<Dataset>,
}

impl Datasets {
    /// Datasets of which files are here: one for each folder that has rows.
    pub(super) fn of_files(found: &[Found], card: Option<&Document>, name: &str, remarks: &mut Vec<Remark>) -> Self {
        let mut folders: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
        for file in found.iter().filter(|file| file.role == Role::Data) {
            let top = if card.is_some() {
                ""
            } else {
                file.path.rsplit_once('/').map_or("", |(folder, _)| outermost(folder))
            };
            folders.entry(top).or_default().push(file);
        }
        if card.is_some() {
            folders.entry("").or_default();
        }
        let mut list = Vec::new();
        for (folder, files) in folders {
            let only = files.first().filter(|_| files.len() == 1 && card.is_none());
            let mut dataset = Dataset { name: named(folder, name, only), ..Dataset::default() };
            dataset.files = files.iter().map(|file| file.path.clone()).collect();
            dataset.evidence.push(Evidence::of(if folder.is_empty() { "." } else { folder }, Method::Path));
            if let Some(card) = card.filter(|_| folder.is_empty()) {
                described(&mut dataset, card, remarks);
            }
            for file in files
                .iter()
                .filter(|file| file.path.ends_with("dataset_infos.json") || file.path.ends_with("dataset_info.json"))
            {
                dataset.size.extend(infos(file, remarks));
            }
            cut(&mut dataset.size, MAX_SIZES, "sizes", &dataset.name, remarks);
            list.push(dataset);
        }
        Self { list }
    }

    /// The use of a dataset that is named: of one that is known by that name already, or of a new one.
    pub(super) fn used(&mut self, named: NamedData) -> DataUse {
        let key = named.name.to_ascii_lowercase();
        let known = self.list.iter().position(|dataset| dataset.name.to_ascii_lowercase() == key);
        let dataset = known.unwrap_or_else(|| {
            let (name, address) = (named.name.clone(), named.address.clone());
            self.list.push(Dataset { name, address, ..Dataset::default() });
            self.list.len() - 1
        });
        if let Some(known) = self.list.get_mut(dataset) {
            known.revision = known.revision.take().or(named.revision);
            known.evidence.extend(named.evidence.iter().cloned());
        }
        DataUse { dataset, purpose: named.purpose, evidence: named.evidence }
    }
}

/// `data` of `data/train/a.jsonl`; the folder that holds `data` says more than `data` does.
fn outermost(folder: &str) -> &str {
    let part = |part: &&str| matches!(*part, "data" | "dataset" | "datasets");
    match folder.split('/').position(|one| part(&one)) {
        Some(at) => {
            let end: usize = folder.split('/').take(at + 1).map(|part| part.len() + 1).sum();
            folder.get(..end.saturating_sub(1)).unwrap_or(folder)
        }
        None => folder,
    }
}

/// A dataset is called by its folder; one file without a card, by its own name.
fn named(folder: &str, name: &str, only: Option<&&Found>) -> String {
    match (folder, only) {
        ("", Some(only)) => only.path.clone(),
        ("", _) => name.to_owned(),
        _ => folder.to_owned(),
    }
}

/// What the card of a dataset says.
fn described(dataset: &mut Dataset, card: &Document, remarks: &mut Vec<Remark>) {
    dataset.tasks = card.list("task_categories");
    dataset.languages = card.list("language");
    dataset.licences = super::describe::declared(card);
    dataset.size.extend(card.list("size_categories").into_iter().map(|text| ("size category".to_owned(), text)));
    for info in card.root().list("dataset_info") {
        dataset.size.extend(splits(card, &info));
    }
    dataset.description = super::sections::read(card, remarks).0;
    if let Some(name) = card.any(&["pretty_name"]) {
        dataset.evidence.push(name.evidence.clone());
        dataset.name = name.value;
    }
}

/// Rows and bytes of each split.
fn splits(document: &Document, info: &crate::import::document::Node<'_>) -> Vec<(String, Text)> {
    let configuration = info.get("config_name").and_then(|node| node.scalar()).unwrap_or_else(|| "default".to_owned());
    let Some(splits) = info.get("splits") else { return Vec::new() };
    let entries: Vec<_> = match splits.value().is_array() {
        true => splits.items(),
        false => splits.members().into_iter().map(|(_, node)| node).collect(),
    };
    let mut list = Vec::new();
    for split in entries {
        let name = split.get("name").and_then(|node| node.scalar()).unwrap_or_default();
        for (key, unit) in [("num_examples", "rows"), ("num_bytes", "bytes")] {
            let Some(said) = split.get(key).and_then(|node| document.said(&node)) else { continue };
            list.push((format!("{unit} of {configuration}/{name}"), said));
        }
    }
    list
}

fn infos(file: &Found, remarks: &mut Vec<Remark>) -> Vec<(String, Text)> {
    let Some(document) = Document::open(file, remarks) else { return Vec::new() };
    let root = document.root();
    if root.get("splits").is_some() {
        return splits(&document, &root);
    }
    root.members().iter().flat_map(|(_, info)| splits(&document, info)).collect()
}
