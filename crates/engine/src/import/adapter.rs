//! `adapter_config.json` of PEFT: the model that an adapter was trained on.

use std::path::Path;

use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::card::base_model;
use super::document::{Node, json};
use super::identity::{OwnNames, python_package};
use super::intake::Intake;
use super::page::Page;
use super::{Found, Importer, Taken};

/// The importer.
#[derive(Debug)]
pub(super) struct Adapter;

impl Importer for Adapter {
    fn name(&self) -> &'static str {
        "adapter-configuration"
    }

    fn reads(&self) -> &'static str {
        "adapter_config.json: base_model_name_or_path, revision, peft_version"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        (file.name == "adapter_config.json").then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let Some((mut page, bytes)) = Page::open(self.name(), path, Voice::DerivedFromFile, intake) else { return };
        if let Some(document) = page.document(json(&bytes)) {
            let root = Node::root(&document.root);
            let folder = path.parent().unwrap_or(Path::new("."));
            let (subject, own) = (intake.folder(folder), OwnNames::of(folder));
            if let Some((node, name)) = root.get("base_model_name_or_path").and_then(|n| Some((n.clone(), n.text()?))) {
                base_model(&mut page, &subject, &own, name, root.text_of("revision"), &node, |object| object);
            }
            if let Some((node, version)) = root.get("peft_version").and_then(|n| Some((n.clone(), n.text()?))) {
                page.claim(&subject, Role::Dependency, python_package("peft", Some(version)), node.place());
            }
        }
        intake.take(page);
    }
}
