//! Model cards of Hugging Face: the YAML before the text of `README.md`.
//!
//! <https://huggingface.co/docs/hub/model-cards>

use std::path::Path;

use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::document::{Node, front_matter, yaml};
use super::identity::{Kind, OwnNames, is_local, referred};
use super::intake::{Grade, Intake};
use super::page::Page;
use super::{Found, Importer, Taken};

/// The importer.
#[derive(Debug)]
pub(super) struct HuggingFaceCard;

impl Importer for HuggingFaceCard {
    fn name(&self) -> &'static str {
        "huggingface-card"
    }

    fn reads(&self) -> &'static str {
        "README.md: base_model, base_model_relation, datasets, license, model-index"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        let is_card = file.name.eq_ignore_ascii_case("README.md") && front_matter_begins(file.head);
        is_card.then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let Some((mut page, bytes)) = Page::open(self.name(), path, Voice::SelfDeclared, intake) else { return };
        let text = String::from_utf8_lossy(&bytes);
        let Some(matter) = front_matter(&text) else {
            page.remark(Grade::Note, "has no YAML before its text");
            return intake.take(page);
        };
        if let Some(card) = page.document(yaml(matter)) {
            let folder = path.parent().unwrap_or(Path::new("."));
            let subject = intake.folder(folder);
            read(&mut page, &subject, &OwnNames::of(folder), &Node::root(&card.root));
        }
        intake.take(page);
    }
}

fn front_matter_begins(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    // The hub reads a card that begins with blank lines, too.
    let head = head.trim_ascii_start();
    head.starts_with(b"---\n") || head.starts_with(b"---\r\n")
}

fn read(page: &mut Page, subject: &ResourceDescriptor, own: &OwnNames, card: &Node<'_>) {
    let relation = card.text_of("base_model_relation");
    for base in card.list("base_model") {
        let Some(name) = name_in(page, &base) else { continue };
        base_model(page, subject, own, name, None, &base, |mut object| {
            if let Some(relation) = relation {
                object.annotations.insert("relation".to_owned(), relation.into());
            }
            object
        });
    }
    for dataset in card.list("datasets") {
        let Some(name) = name_in(page, &dataset) else { continue };
        if is_local(name) {
            page.remark_at(
                Grade::Note,
                &dataset,
                format!("'{name}' is a path on somebody's disk, which names no dataset"),
            );
            continue;
        }
        page.claim(subject, Role::Dataset, referred(name, Kind::Dataset, None), dataset.place());
    }
    for result in card.list("model-index").iter().flat_map(|entry| entry.list("results")) {
        evaluated(page, subject, &result);
    }
    if let Some((licence, place)) = licence(card) {
        page.licence(subject, &licence, place);
    }
}

/// A name that stands alone, or in a mapping beside other things.
fn name_in<'a>(page: &mut Page, node: &Node<'a>) -> Option<&'a str> {
    let name = node.text().or_else(|| node.any(&["id", "repo_id", "name"])?.text());
    if name.is_none() {
        page.remark_at(Grade::Unchecked, node, "has the form of no name that is known here");
    }
    name
}

/// A claim that a model was made from another, unless the other is the model itself or somebody's folder.
pub(super) fn base_model(
    page: &mut Page,
    subject: &ResourceDescriptor,
    own: &OwnNames,
    name: &str,
    revision: Option<&str>,
    node: &Node<'_>,
    with: impl FnOnce(ResourceDescriptor) -> ResourceDescriptor,
) {
    if own.has(name) {
        let text = format!("'{name}' is the model itself, which is not what it was made from");
        page.remark_at(Grade::Note, node, text);
    } else if is_local(name) {
        let text = format!("'{name}' is a path on somebody's disk, which does not say what the model was made from");
        page.remark_at(Grade::Note, node, text);
    } else {
        if own.may_have(name) {
            let text =
                format!("'{name}' may be the model itself, which is called so: it is taken for what it was made from");
            page.remark_at(Grade::Note, node, text);
        }
        page.claim(subject, Role::BaseModel, with(referred(name, Kind::Model, revision)), node.place());
    }
}

/// Data that results in the card were measured with.
fn evaluated(page: &mut Page, subject: &ResourceDescriptor, result: &Node<'_>) {
    let Some(dataset) = result.get("dataset") else { return };
    let Some(name) = dataset.text_of("type").or_else(|| dataset.text_of("name")) else { return };
    let mut object = match is_local(name) {
        true => ResourceDescriptor { name: Some(name.to_owned()), ..ResourceDescriptor::default() },
        false => referred(name, Kind::Dataset, dataset.text_of("revision")),
    };
    for key in ["config", "split"] {
        if let Some(value) = dataset.text_of(key) {
            object.annotations.insert(key.to_owned(), value.into());
        }
    }
    page.claim(subject, Role::EvaluationDataset, object, dataset.place());
}

/// The licence; where the card says `other`, the name that it gives it.
fn licence(card: &Node<'_>) -> Option<(String, String)> {
    let node = card.get("license")?;
    let named = card.text_of("license_name").filter(|_| node.text() == Some("other"));
    let list: Vec<&str> = node.items().iter().filter_map(Node::text).collect();
    let licence = named.map_or_else(|| list.join(" OR "), str::to_owned);
    (!licence.is_empty()).then(|| (licence, node.place().to_owned()))
}
