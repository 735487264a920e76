//! `config.json` of a model: what it was loaded from before it was saved, and by which version of Transformers.

use std::path::Path;

use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::card::base_model;
use super::document::{Node, json};
use super::identity::{OwnNames, python_package};
use super::intake::{Grade, Intake};
use super::page::Page;
use super::{Found, Importer, Taken};

/// The importer.
#[derive(Debug)]
pub(super) struct ModelConfiguration;

impl Importer for ModelConfiguration {
    fn name(&self) -> &'static str {
        "huggingface-config"
    }

    fn reads(&self) -> &'static str {
        "config.json: _name_or_path (also of its parts), transformers_version"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        (file.name == "config.json").then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let Some((mut page, bytes)) = Page::open(self.name(), path, Voice::DerivedFromFile, intake) else { return };
        if let Some(document) = page.document(json(&bytes)) {
            read(&mut page, path, &Node::root(&document.root), intake);
        }
        intake.take(page);
    }
}

fn read(page: &mut Page, path: &Path, root: &Node<'_>, intake: &mut Intake<'_>) {
    let parts = root.members().into_iter().map(|(_, member)| member).filter(|member| member.value().is_object());
    let places: Vec<Node<'_>> =
        std::iter::once(root.clone()).chain(parts).filter_map(|node| node.get("_name_or_path")).collect();
    let version = root.get("transformers_version");
    if places.is_empty() && version.is_none() {
        return;
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let (subject, own) = (intake.folder(folder), OwnNames::of(folder));
    for node in places {
        let Some(name) = node.text() else { continue };
        if name.contains('/') {
            base_model(page, &subject, &own, name, None, &node, |object| object);
        } else if !own.may_have(name) {
            // A folder may be called so just as well as one of the hub's oldest models.
            let text = format!("'{name}' may be a folder: it is not taken for what the model was made from");
            page.remark_at(Grade::Note, &node, text);
        }
    }
    if let Some((node, version)) = version.as_ref().and_then(|node| Some((node, node.text()?))) {
        page.claim(&subject, Role::Dependency, python_package("transformers", Some(version)), node.place());
    }
}
