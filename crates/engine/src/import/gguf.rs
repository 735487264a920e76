//! Headers of GGUF files: `general.base_model.*`, `general.source.*`, datasets and the licence.
//!
//! <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>

use std::collections::BTreeMap;
use std::path::Path;

use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;
use waag_formats::budget::Budget;
use waag_formats::child;
use waag_formats::fact::{FactKind, Position};
use waag_formats::facts::Facts;
use waag_formats::format::{Context, Format as _};
use waag_formats::source::Source as _;

use super::identity::{Kind, referred};
use super::intake::{Artifact, Checked, Grade, Intake};
use super::page::Page;
use super::{Found, Importer, Taken};
use crate::io::{FileSource, sha256};

/// Entries of a numbered list that are taken.
const MAX_ENTRIES: usize = 1_000;

/// The importer.
#[derive(Debug)]
pub(super) struct Gguf;

impl Importer for Gguf {
    fn name(&self) -> &'static str {
        "gguf"
    }

    fn reads(&self) -> &'static str {
        "headers of .gguf: general.base_model, general.source, general.dataset, general.license"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        file.head.starts_with(b"GGUF").then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let opened = FileSource::open(path).map_err(|error| error.to_string());
        let digested = opened.and_then(|source| {
            let digest = intake.digests.then(|| sha256(&source).map_err(|error| error.to_string())).transpose()?;
            Ok((source, digest))
        });
        let (source, digest) = match digested {
            Ok(read) => read,
            Err(why) => return intake.remark(Grade::Unchecked, path, format!("cannot be read: {why}")),
        };
        let name = intake.told(path);
        if let Some(sha256) = digest {
            let checked = Checked::Unpinned;
            intake.artifact(Artifact { name: name.clone(), sha256, size: source.len(), checked });
        }
        let mut page = Page::at(self.name(), name.clone(), Voice::DerivedFromFile);
        page.source.sha256 = digest;
        let digest = digest.iter().map(|digest| ("sha256", digest)).collect();
        let subject = ResourceDescriptor { name: Some(name), digest, ..ResourceDescriptor::default() };
        let mut facts = Facts::new();
        let budget = Budget::for_size(source.len());
        let context = Context { name: "model.gguf", role: child::Role::Unknown, budget: &budget };
        waag_formats::gguf::Gguf.inspect(&source, &context, &mut facts);
        read(&mut page, &subject, &facts);
        intake.take(page);
    }
}

/// Keys of the header, with where their values stand.
type Header<'a> = BTreeMap<&'a str, (&'a str, u64)>;

fn read(page: &mut Page, subject: &ResourceDescriptor, facts: &Facts) {
    let mut header = Header::new();
    for fact in facts.list() {
        match (&fact.kind, &fact.position) {
            (FactKind::Metadata { key, value }, Position::Offset(at)) => {
                header.insert(key, (value, *at));
            }
            (FactKind::Incomplete { detail, .. }, _) => page.remark(Grade::Unchecked, detail.clone()),
            (FactKind::Anomaly { detail, .. }, _) => page.remark(Grade::Unchecked, detail.clone()),
            _ => {}
        }
    }
    for (list, role, kind) in
        [("general.base_model", Role::BaseModel, Kind::Model), ("general.dataset", Role::Dataset, Kind::Dataset)]
    {
        entries(page, subject, &header, list, role, kind);
    }
    source(page, subject, &header);
    datasets(page, subject, &header);
    if let Some((licence, at)) = header.get("general.license").filter(|(licence, _)| !licence.is_empty()) {
        page.licence(subject, licence, place("general.license", *at));
    }
}

fn place(key: &str, at: u64) -> String {
    format!("{key} @ {at:#x}")
}

/// `general.base_model.0.name`, `.organization`, `.repo_url` and so on.
fn entries(page: &mut Page, subject: &ResourceDescriptor, header: &Header<'_>, list: &str, role: Role, kind: Kind) {
    for index in 0..MAX_ENTRIES {
        let of = |part: &str| header.get(format!("{list}.{index}.{part}").as_str()).copied();
        let said = of("repo_url")
            .or_else(|| of("url"))
            .map(|found| (found, true))
            .or_else(|| of("name").map(|found| (found, false)));
        let Some(((text, at), is_address)) = said else { continue };
        let mut object = match is_address {
            true => referred(text, kind, None),
            // A name for people, "Llama 3.2 1B": no identifier is made of it.
            false => ResourceDescriptor { name: Some(text.to_owned()), ..ResourceDescriptor::default() },
        };
        for part in ["organization", "version", "author", "doi", "uuid"] {
            if let Some((value, _)) = of(part) {
                object.annotations.insert(part.to_owned(), value.into());
            }
        }
        page.claim(subject, role, object, place(&format!("{list}.{index}"), at));
    }
}

/// What the file was converted from.
fn source(page: &mut Page, subject: &ResourceDescriptor, header: &Header<'_>) {
    let keys = ["general.source.repo_url", "general.source.huggingface.repository", "general.source.url"];
    if let Some((key, (text, at))) = keys.iter().find_map(|key| Some((*key, *header.get(key)?))) {
        page.claim(subject, Role::ConvertedFrom, referred(text, Kind::Model, None), place(key, at));
    }
}

/// The older list: `general.datasets`, an array of texts of which the first are shown.
fn datasets(page: &mut Page, subject: &ResourceDescriptor, header: &Header<'_>) {
    let Some((text, at)) = header.get("general.datasets") else { return };
    let Some((_, shown)) = text.split_once(": ") else { return };
    let is_cut = shown.ends_with('…');
    let list = format!("[{}]", shown.trim_end_matches(['…', ' ', ',']));
    let names: Vec<String> = serde_json::from_str(&list).unwrap_or_default();
    if is_cut || names.is_empty() && list != "[]" {
        page.remark(Grade::Unchecked, "only the first of its datasets are read");
    }
    for name in names {
        page.claim(subject, Role::Dataset, referred(&name, Kind::Dataset, None), place("general.datasets", *at));
    }
}
