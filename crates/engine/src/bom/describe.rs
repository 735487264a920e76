//! One model: what its card, its configurations and its weights say, put together.

use std::collections::BTreeMap;
use std::path::Path;

use waag_evidence::statement::claims::Claim;

use super::data::Datasets;
use super::document::Document;
use super::files::Found;
use super::folders::folder_of;
use super::identity::{self, identity};
use super::licence::{self, Licence, Licences};
use super::model::{
    Considerations, Evidence, Kin, Link, Method, Model, Remark, Role, Said, Text, Tokenizer, Variant, Weights,
};
use super::{Given, configuration, join, lineage, results, sections};

/// Bytes of the text of a licence that are read.
const MAX_LICENCE: u64 = 1 << 20;
/// Where papers are.
const PAPERS: &str = "https://arxiv.org/abs/";
/// Keys of a GGUF header that are settings of the model.
const HEADER: &[&str] = &[
    "general.architecture",
    "general.name",
    "general.size_label",
    "general.quantization_version",
    "context_length",
    "embedding_length",
    "block_count",
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
    "rope.dimension_count",
    "vocab_size",
    "tokenizer.ggml.model",
];

/// What a model is described from.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    /// The folder, below what was looked at.
    pub(super) folder: &'a str,
    /// The same, as it is reached.
    pub(super) reached: &'a Path,
    pub(super) files: Vec<&'a Found>,
    pub(super) card: Option<&'a Document>,
    pub(super) claims: &'a [&'a Claim],
    pub(super) given: &'a Given,
}

/// Describes a model; datasets that it names are added to `datasets`.
pub(super) fn describe(parts: &Parts<'_>, datasets: &mut Datasets, remarks: &mut Vec<Remark>) -> Model {
    let Parts { folder, files, card, .. } = parts;
    let weights: Vec<&Found> = files.iter().copied().filter(|file| file.role == Role::Weights).collect();
    let identity = identity(parts.reached, folder, *card, &weights);
    let configuration = configuration::read(files, folder);
    let mut sets = join::sets(files, folder);
    if let Some(main) = &mut sets.main {
        main.quantisation = configuration.quantisation.clone().or(main.quantisation.take());
    }
    let lineage = joined_claims(parts, &identity);
    remarks.extend(configuration.remarks);
    remarks.extend(lineage.remarks);
    remarks.append(&mut sets.remarks);
    let adapter = configuration::adapter(files, remarks);
    let others = sets.others.iter().map(|(_, weights)| weights);
    let all = sets.main.iter().chain(others).chain(adapter.iter().map(|adapter| &adapter.weights));
    remarks.extend(all.filter_map(|weights| incomplete(weights, folder)));
    let (description, considerations) = card.map(|card| sections::read(card, remarks)).unwrap_or_default();
    let mut licences = card.map(declared).unwrap_or_default();
    licences.add(&lineage.licences);
    licences.conclude(files, folder, remarks);
    let mut metrics = card.map(|card| results::of_card(card, remarks)).unwrap_or_default();
    metrics.extend(results::of_files(files, remarks));
    let by_path: BTreeMap<&str, &Found> = files.iter().map(|file| (file.path.as_str(), *file)).collect();
    let data = lineage.data.into_iter().map(|named| datasets.used(named)).collect();
    let model = Model {
        folder: (*folder).to_owned(),
        variants: sets.others.into_iter().map(|set| variant(&identity.name.value, set, &by_path)).collect(),
        tokenizer: tokenizer(files, folder, remarks),
        name: identity.name,
        supplier: identity.supplier,
        version: identity.version,
        package_url: identity.package_url,
        release: None,
        download: None,
        description,
        licences,
        architecture: configuration.architecture,
        family: configuration.family,
        task: card.and_then(|card| card.any(&["pipeline_tag"])),
        library: card.and_then(|card| card.any(&["library_name"])),
        languages: card.map(|card| card.list("language")).unwrap_or_default(),
        tags: card.map(|card| card.list("tags")).unwrap_or_default(),
        settings: settings(configuration.settings, configuration.dtype),
        weights: sets.main,
        adapter,
        lineage: lineage.ancestors,
        conflicts: lineage.conflicts,
        data,
        metrics,
        energy: card.and_then(results::energy),
        considerations: with_keys(considerations, *card),
        remote_code: configuration.remote_code,
        links: card.map(links).unwrap_or_default(),
    };
    completed(model, files, parts.given)
}

/// Why the numbers of some weights are not whole.
fn incomplete(weights: &Weights, folder: &str) -> Option<Remark> {
    let why = weights.incomplete.as_ref()?;
    let here = || if folder.is_empty() { ".".to_owned() } else { folder.to_owned() };
    let whose = weights.files.iter().find(|file| why.starts_with(file.as_str()));
    let place = whose.or(weights.index.as_ref()).cloned().unwrap_or_else(here);
    let why = why.strip_prefix(&place).and_then(|why| why.strip_prefix(": ")).unwrap_or(why);
    Some(Remark::gap(place, why))
}

fn joined_claims(parts: &Parts<'_>, identity: &identity::Identity) -> lineage::Lineage {
    let name = identity.name.value.clone();
    let full = identity.supplier.as_ref().map(|owner| format!("{}/{name}", owner.value));
    let names: Vec<String> = full.into_iter().chain([name]).collect();
    let cards: Vec<&Document> = parts.card.into_iter().collect();
    lineage::join(parts.claims, &names, &cards)
}

/// What the header of its weights says, where no configuration does, and what was given.
fn completed(mut model: Model, files: &[&Found], given: &Given) -> Model {
    let first = model.weights.as_ref().and_then(|weights| weights.files.first());
    let names = first.or_else(|| model.variants.first().and_then(|variant| variant.weights.files.first()));
    if let Some(file) = names.and_then(|name| files.iter().find(|file| file.path == *name)) {
        model.family = model.family.or_else(|| header_text(file, "general.architecture"));
        if model.settings.is_empty() {
            model.settings = header(file);
        }
    }
    let text = |value: &String, flag: &str| Said { value: value.clone(), evidence: Evidence::of(flag, Method::Given) };
    model.supplier = given.supplier.as_ref().map(|value| text(value, "--supplier")).or(model.supplier);
    model.version = given.version.as_ref().map(|value| text(value, "--model-version")).or(model.version);
    model.download = given.download.as_ref().map(|value| text(value, "--download-location"));
    model.release = given.release.map(|value| Said { value, evidence: Evidence::of("--release-time", Method::Given) });
    if model.download.is_none() && model.package_url.is_some() {
        let value = format!("https://huggingface.co/{}", model.full_name());
        model.download = Some(Said { value, evidence: model.name.evidence.clone() });
    }
    model
}

fn settings(mut settings: Vec<(String, Text)>, dtype: Option<Text>) -> Vec<(String, Text)> {
    settings.extend(dtype.map(|dtype| ("dtype".to_owned(), dtype)));
    settings.sort();
    settings
}

fn variant(name: &str, (kin, weights): (Kin, Weights), files: &BTreeMap<&str, &Found>) -> Variant {
    let file = weights.files.first().and_then(|first| files.get(first.as_str()));
    let header = file.filter(|file| file.format == Some("gguf")).map(|file| header(file)).unwrap_or_default();
    let form = || weights.quantisation.as_ref().map_or(weights.container, |text| text.value.as_str());
    let first = weights.files.first().map_or(weights.container, String::as_str);
    let form = if kin == Kin::Form { form() } else { first };
    Variant { name: format!("{name} ({form})"), kin, weights, header }
}

/// Settings in the header of a GGUF file; those of the architecture without its name.
fn header(file: &Found) -> Vec<(String, Text)> {
    let Some(tensors) = &file.tensors else { return Vec::new() };
    let architecture = tensors.text("general.architecture").unwrap_or_default();
    let key_of =
        |key: &str| key.strip_prefix(architecture).and_then(|key| key.strip_prefix('.')).unwrap_or(key).to_owned();
    let wanted = tensors.header.iter().filter(|(key, ..)| HEADER.contains(&key_of(key).as_str()));
    let mut list: Vec<(String, Text)> =
        wanted.filter_map(|(key, ..)| Some((key_of(key), header_text(file, key)?))).collect();
    list.sort();
    list.dedup_by(|one, other| one.0 == other.0);
    list
}

fn header_text(file: &Found, key: &str) -> Option<Text> {
    let value = file.tensors.as_ref()?.text(key)?.to_owned();
    let evidence = Evidence { place: Some(key.to_owned()), ..Evidence::of(file.path.clone(), Method::Header) };
    Some(Said { value, evidence })
}

/// The tokenizer in files, and the templates in headers of weights.
fn tokenizer(files: &[&Found], folder: &str, remarks: &mut Vec<Remark>) -> Option<Tokenizer> {
    let mut read = configuration::tokenizer(files, folder, remarks);
    for file in files {
        for (name, digest) in file.tensors.iter().flat_map(|tensors| &tensors.templates) {
            let place = Some(name.clone());
            let evidence = Evidence { place, ..Evidence::of(file.path.clone(), Method::Header) };
            read.get_or_insert_default().templates.push(Said { value: digest.to_string(), evidence });
        }
    }
    read
}

/// The licence that a card declares. Of several, nobody says whether one may choose.
pub(super) fn declared(card: &Document) -> Licences {
    let root = card.root();
    let Some(node) = root.any(&["license", "licence"]) else { return Licences::default() };
    let all: Vec<String> = node.items().iter().filter_map(|item| item.scalar()).collect();
    let said = all.join(", ");
    if said.trim().is_empty() {
        return Licences::default();
    }
    let mut licence = licence::read(&said, root.text_of("license_name"), root.text_of("license_link"));
    licence.expression = licence.expression.filter(|_| all.len() == 1);
    Licences { declared: Some(Said { value: licence, evidence: card.evidence(&node) }), ..Licences::default() }
}

impl Licences {
    /// Adds what other sources declare.
    fn add(&mut self, others: &[(String, Evidence)]) {
        for (said, evidence) in others {
            let is_known = self.declared.as_ref().is_some_and(|declared| declared.evidence.file == evidence.file);
            match &self.declared {
                None => {
                    self.declared = Some(Said { value: licence::read(said, None, None), evidence: evidence.clone() })
                }
                Some(_) if is_known => {}
                Some(_) => self.further.push(Said { value: said.clone(), evidence: evidence.clone() }),
            }
        }
    }

    /// What the text of the licence in the model's own folder is; those in folders below are of parts.
    fn conclude(&mut self, files: &[&Found], folder: &str, remarks: &mut Vec<Remark>) {
        let is_text = |file: &&Found| file.role == Role::Licence && licence::is_text(&file.path);
        let here = files.iter().copied().filter(|file| folder_of(&file.path) == folder).filter(is_text);
        let texts: Vec<(&Found, Option<Licence>)> = here.map(|file| (file, recognised(file, remarks))).collect();
        let Some((file, Some(value))) = texts.iter().find(|(_, text)| text.is_some()) else { return };
        if texts.iter().any(|(_, other)| other.as_ref() != Some(value)) {
            let names = texts.iter().map(|(file, _)| file.path.as_str()).collect::<Vec<_>>().join(", ");
            let text = format!("there are several texts of licences, so that none is concluded: {names}");
            return remarks.push(Remark::note(if folder.is_empty() { "." } else { folder }, text));
        }
        let evidence = Evidence::of(file.path.clone(), Method::LicenceText);
        self.concluded = Some(Said { value: value.clone(), evidence });
    }
}

fn recognised(file: &Found, remarks: &mut Vec<Remark>) -> Option<Licence> {
    match crate::bounded::read(&file.opened, MAX_LICENCE) {
        Ok(text) => licence::of_text(&String::from_utf8_lossy(&text)),
        Err(error) => {
            remarks.push(Remark::gap(&file.path, error.to_string()));
            None
        }
    }
}

/// Parts of a card that have keys rather than headings: those of `modelcard.yaml`, and of front matter alike.
fn with_keys(mut read: Considerations, card: Option<&Document>) -> Considerations {
    let Some(card) = card else { return read };
    read.uses.extend(card.list("intended_use"));
    read.limitations.extend(card.list("limitations"));
    read.ethics.extend(card.list("ethical_considerations"));
    read
}

/// Addresses that a card names: papers in its tags, and keys that people use.
fn links(card: &Document) -> Vec<Link> {
    let papers = card.list("tags").into_iter().filter_map(|tag| {
        let value = format!("{PAPERS}{}", tag.value.strip_prefix("arxiv:")?);
        Some(Link { kind: "paper", address: Said { value, ..tag } })
    });
    let keys = [
        ("paper", "paper"),
        ("home", "homepage"),
        ("repository", "repo"),
        ("repository", "repository"),
        ("demo", "demo"),
        ("home", "model_website"),
    ];
    let named = keys.iter().filter_map(|(kind, key)| Some(Link { kind, address: card.any(&[key])? }));
    let mut links: Vec<Link> = papers.chain(named).collect();
    links.sort();
    links.dedup();
    links
}
