//! What a trainer leaves beside a model: `trainer_state.json` and files of results. They say how long it was trained and how
//! good it is, and hardly ever from what.

use std::path::Path;

use serde_json::{Map, Value};
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::document::{Node, json};
use super::intake::{Grade, Intake};
use super::page::Page;
use super::{Found, Importer, Taken};

const NAMES: &[&str] =
    &["trainer_state.json", "all_results.json", "train_results.json", "eval_results.json", "predict_results.json"];
/// Numbers of one file that are kept.
const MAX_NUMBERS: usize = 200;

/// The importer.
#[derive(Debug)]
pub(super) struct Trainer;

impl Importer for Trainer {
    fn name(&self) -> &'static str {
        "trainer"
    }

    fn reads(&self) -> &'static str {
        "trainer_state.json, all_results.json and the like: steps, epochs and results"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        NAMES.contains(&file.name).then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let Some((mut page, bytes)) = Page::open(self.name(), path, Voice::DerivedFromFile, intake) else { return };
        if let Some(document) = page.document(json(&bytes)) {
            let root = Node::root(&document.root);
            let subject = intake.folder(path.parent().unwrap_or(Path::new(".")));
            let annotations = [("results".to_owned(), Value::Object(numbers(&root)))].into_iter().collect();
            let object = ResourceDescriptor { annotations, ..page.description([]) };
            page.claim(&subject, Role::Description, object, "");
            if let Some(node) = root.get("best_model_checkpoint")
                && let Some(name) = node.text()
            {
                let text = format!("the best checkpoint was '{name}', a path on somebody's disk");
                page.remark_at(Grade::Note, &node, text);
            }
        }
        intake.take(page);
    }
}

/// The numbers at the top.
fn numbers(root: &Node<'_>) -> Map<String, Value> {
    let members = root.members().into_iter().filter(|(_, member)| member.value().is_number());
    members.take(MAX_NUMBERS).map(|(key, member)| (key.to_owned(), member.value().clone())).collect()
}
