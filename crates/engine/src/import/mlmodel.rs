//! `MLmodel`, MLflow's description of a packed model: the run that made it, and the model of a hub that a flavour wraps.

use std::path::Path;

use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::document::{Node, yaml};
use super::identity::{Kind, guessed, is_local, python_package};
use super::intake::{Grade, Intake};
use super::page::Page;
use super::{Found, Importer, Taken};

/// The importer.
#[derive(Debug)]
pub(super) struct MlModel;

impl Importer for MlModel {
    fn name(&self) -> &'static str {
        "mlmodel"
    }

    fn reads(&self) -> &'static str {
        "MLmodel: the run, the model that a flavour wraps, the version of MLflow"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        (file.name == "MLmodel").then_some(Taken::File)
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
    if let Some(node) = root.get("run_id")
        && let Some(run) = node.text()
    {
        let uri = Some(format!("runs:/{run}"));
        page.claim(subject, Role::Run, ResourceDescriptor { uri, ..ResourceDescriptor::default() }, node.place());
    }
    if let Some(node) = root.get("mlflow_version")
        && let Some(version) = node.text()
    {
        page.claim(subject, Role::Dependency, python_package("mlflow", Some(version)), node.place());
    }
    for (_, flavour) in root.get("flavors").map(|flavours| flavours.members()).unwrap_or_default() {
        let Some(node) = flavour.get("source_model_name") else { continue };
        match node.text() {
            Some(name) if is_local(name) => {
                page.remark_at(Grade::Note, &node, format!("'{name}' is a path on somebody's disk"));
            }
            Some(name) => {
                let object = guessed(name, Kind::Model, flavour.text_of("source_model_revision"));
                page.claim(subject, Role::BaseModel, object, node.place());
            }
            None => {}
        }
    }
}
