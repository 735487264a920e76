//! Configurations of mergekit, which it leaves beside the merge: every model that went in.
//!
//! <https://github.com/arcee-ai/mergekit#merge-configuration>

use std::collections::BTreeMap;
use std::path::Path;

use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::document::{Node, yaml};
use super::identity::{Kind, guessed, is_local};
use super::intake::{Grade, Intake};
use super::page::Page;
use super::{Found, Importer, Taken};

/// The importer.
#[derive(Debug)]
pub(super) struct Mergekit;

impl Importer for Mergekit {
    fn name(&self) -> &'static str {
        "mergekit"
    }

    fn reads(&self) -> &'static str {
        "mergekit_config.yml: models, base_model, slices, experts, adapters laid over them, tokenizer"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        let names =
            ["mergekit_config.yml", "mergekit_config.yaml", "mergekit_moe_config.yml", "mergekit_moe_config.yaml"];
        names.contains(&file.name).then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let Some((mut page, bytes)) = Page::open(self.name(), path, Voice::DerivedFromFile, intake) else { return };
        if let Some(document) = page.document(yaml(&String::from_utf8_lossy(&bytes))) {
            let subject = intake.folder(path.parent().unwrap_or(Path::new(".")));
            read(&mut page, &subject, &Node::root(&document.root));
        }
        intake.take(page);
    }
}

fn read(page: &mut Page, subject: &ResourceDescriptor, root: &Node<'_>) {
    let mut found: BTreeMap<(Role, String, Option<String>), (ResourceDescriptor, Node<'_>)> = BTreeMap::new();
    let method = root.text_of("merge_method");
    for node in models(root) {
        let (model, adapter) = reference(&node);
        for (role, text) in [(Role::BaseModel, model), (Role::Adapter, adapter)] {
            let Some((name, revision)) = text else { continue };
            let mut object = guessed(&name, Kind::Model, revision.as_deref());
            if let Some(method) = method {
                object.annotations.insert("mergeMethod".to_owned(), method.into());
            }
            // A model stands once for each slice; another revision of it is another model.
            found.entry((role, name, revision)).or_insert((object, node.clone()));
        }
    }
    let tokenizer = root.get("tokenizer_source").or_else(|| root.at(&["tokenizer", "source"]));
    if let Some((node, name)) = tokenizer.and_then(|node| Some((node.clone(), node.text()?)))
        && !matches!(name, "base" | "union")
    {
        let name = name.strip_prefix("model:").unwrap_or(name).to_owned();
        let object = guessed(&name, Kind::Model, None);
        found.entry((Role::Tokenizer, name, None)).or_insert((object, node));
    }
    for ((role, name, _), (object, node)) in found {
        if is_local(&name) {
            let text = format!("'{name}' is a path on somebody's disk: which model that was is not said");
            page.remark_at(Grade::Note, &node, text);
        }
        page.claim(subject, role, object, node.place());
    }
}

/// Every place that names a model.
fn models<'a>(root: &Node<'a>) -> Vec<Node<'a>> {
    let mut list: Vec<Node<'a>> = root.get("base_model").into_iter().collect();
    list.extend(root.list("models").iter().filter_map(|entry| entry.get("model")));
    for slice in root.list("slices") {
        list.extend(slice.get("base_model"));
        list.extend(slice.list("sources").iter().filter_map(|entry| entry.get("model")));
    }
    for key in ["experts", "shared_experts"] {
        list.extend(root.list(key).iter().filter_map(|entry| entry.get("source_model")));
    }
    list
}

type Reference = Option<(String, Option<String>)>;

/// A model and the adapter laid over it: `path@revision+adapter@revision`, or the same as a mapping.
fn reference(node: &Node<'_>) -> (Reference, Reference) {
    if let Some(text) = node.text() {
        let (model, adapter) = text.split_once('+').map_or((text, None), |(model, adapter)| (model, Some(adapter)));
        return (Some(revised(model)), adapter.map(revised));
    }
    let part = |node: Option<Node<'_>>| {
        let node = node?;
        match node.text() {
            Some(text) => Some(revised(text)),
            None => {
                let path = node.text_of("path").map(str::to_owned);
                let path = path.or_else(|| Some(node.at(&["path", "path"])?.text()?.to_owned()))?;
                Some((path, node.text_of("revision").map(str::to_owned)))
            }
        }
    };
    (part(node.get("model")).or_else(|| part(Some(node.clone()))), part(node.get("lora")))
}

fn revised(text: &str) -> (String, Option<String>) {
    match text.trim().split_once('@') {
        Some((path, revision)) => (path.to_owned(), Some(revision.to_owned())),
        None => (text.trim().to_owned(), None),
    }
}
