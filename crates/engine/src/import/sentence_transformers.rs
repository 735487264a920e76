//! What Sentence Transformers leaves in a model: the versions that saved it, and its modules.

use std::path::Path;

use serde_json::Value;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::document::{Node, json};
use super::identity::python_package;
use super::intake::Intake;
use super::page::Page;
use super::{Found, Importer, Taken};

/// Names of packages under which the configuration has their versions.
const PACKAGES: &[(&str, &str)] =
    &[("sentence_transformers", "sentence-transformers"), ("transformers", "transformers"), ("pytorch", "torch")];

/// The importer.
#[derive(Debug)]
pub(super) struct SentenceTransformers;

impl Importer for SentenceTransformers {
    fn name(&self) -> &'static str {
        "sentence-transformers"
    }

    fn reads(&self) -> &'static str {
        "config_sentence_transformers.json and modules.json: versions of libraries, modules"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        let is_modules = file.name == "modules.json" && file.has("sentence_transformers");
        (file.name == "config_sentence_transformers.json" || is_modules).then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let Some((mut page, bytes)) = Page::open(self.name(), path, Voice::DerivedFromFile, intake) else { return };
        if let Some(document) = page.document(json(&bytes)) {
            let root = Node::root(&document.root);
            let subject = intake.folder(path.parent().unwrap_or(Path::new(".")));
            for (key, package) in PACKAGES {
                if let Some(node) = root.at(&["__version__", key])
                    && let Some(version) = node.text()
                {
                    let object = python_package(package, Some(version));
                    page.claim(&subject, Role::Dependency, object, node.place());
                }
            }
            let modules: Vec<Value> =
                root.items().iter().filter_map(|module| module.text_of("type")).map(Value::from).collect();
            if !modules.is_empty() {
                let object = page.description([("modules", Value::Array(modules))]);
                page.claim(&subject, Role::Description, object, "");
            }
        }
        intake.take(page);
    }
}
