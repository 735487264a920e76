//! What a model is called: by the hub's cache, by its card, by its files, by its folder, in this order. What it was made
//! from is never what it is called.

use std::path::Path;

use super::document::Document;
use super::files::Found;
use super::model::{Evidence, Method, Said, Text};
use crate::import::identity::cache_identity;

/// A name, and whose it is.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) name: Text,
    pub(super) supplier: Option<Text>,
    pub(super) version: Option<Text>,
    pub(super) package_url: Option<String>,
}

/// What a model in a folder is called. `whole` is the real path of the folder; `card` is the model's own.
pub(super) fn identity(folder: &Path, told: &str, card: Option<&Document>, weights: &[&Found]) -> Identity {
    let whole = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let here = || Evidence::of(if told.is_empty() { "." } else { told }, Method::Path);
    let said = |value: &str| Said { value: value.to_owned(), evidence: here() };
    if let Some(cached) = cache_identity(folder).or_else(|| cache_identity(&whole)) {
        let (owner, name) =
            cached.id.split_once('/').map_or((None, cached.id.as_str()), |(owner, name)| (Some(owner), name));
        let version = cached.commit().map(str::to_ascii_lowercase);
        // A name without an owner, or without a revision, is not one that leads to these bytes.
        let is_known = owner.is_some() && version.is_some();
        let package_url = cached.uri().filter(|_| is_known);
        return Identity {
            name: said(name),
            supplier: owner.map(said),
            version: version.as_deref().map(said),
            package_url,
        };
    }
    let by_folder = || said(&whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default());
    let name = card.and_then(in_card).or_else(|| in_header(weights)).unwrap_or_else(by_folder);
    Identity { name, supplier: None, version: None, package_url: None }
}

/// The name that a card gives its own model.
fn in_card(card: &Document) -> Option<Text> {
    let root = card.root();
    let node = root.get("model_name").or_else(|| root.list("model-index").first()?.get("name"))?;
    card.said(&node).filter(|name| !name.value.trim().is_empty())
}

/// The name in the header of a GGUF file, where all of them have the same.
fn in_header(weights: &[&Found]) -> Option<Text> {
    let mut names = weights.iter().filter(|file| file.format == Some("gguf")).map(|file| {
        let name = file.tensors.as_ref().and_then(|tensors| tensors.text("general.name"));
        (file, name.map(str::trim).filter(|name| !name.is_empty()))
    });
    let (file, first) = names.next()?;
    let first = first?;
    let place = Some("general.name".to_owned());
    let evidence = Evidence { place, ..Evidence::of(file.path.clone(), Method::Header) };
    names.all(|(_, name)| name == Some(first)).then(|| Said { value: first.to_owned(), evidence })
}
