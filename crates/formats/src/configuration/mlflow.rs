//! MLflow's `MLmodel`: which module loads the model, which folder of code is put before it, and which files it reads.

use super::Observer;
use super::found::{Found, external};
use crate::callable::judge_named;
use crate::fact::{FactKind, Position, ReferenceKind};
use crate::facts::Facts;
use crate::json::{Event, Segment, Value};

/// Keys of files beside the `MLmodel` that its loader opens.
const FILES: &[&str] = &[
    "artifact_path",
    "conda",
    "data",
    "keras_module",
    "model_binary",
    "model_data",
    "model_file",
    "model_path",
    "pickled_model",
    "prompt_template_file",
    "python_model",
    "serialized_model",
    "serving_input_path",
    "virtualenv",
];

/// Files whose whole text is the name of a module that is imported to load the model.
const MODULES: &[&str] = &["keras_module.txt", "pickle_module_info.txt"];
/// Modules that MLflow writes there.
const OWN_MODULES: &[&str] = &["keras", "mlflow.pytorch.pickle_module", "tensorflow.keras", "tf_keras", "tf.keras"];

#[derive(Debug)]
struct Mlflow {
    found: Found,
    is_module: bool,
}

pub(super) fn observer(name: &str) -> Box<dyn Observer> {
    Box::new(Mlflow { found: Found::default(), is_module: MODULES.contains(&name) })
}

impl Observer for Mlflow {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        let Value::Text(text) = event.value else { return };
        if self.is_module && event.path.is_empty() {
            return self.module(event.offset, text);
        }
        if event.key() == Some("loader_module") {
            self.found.target(event.offset, text, &format!("loader_module: {text}"));
            return;
        }
        if event.key() == Some("mlflow_version") {
            facts.property("framework", "MLflow");
            facts.property("mlflow_version", text);
        }
        let is_flavor = matches!(event.path, [Segment::Key(flavors), Segment::Key(_), ..] if flavors == "flavors");
        if is_flavor {
            self.flavor(event, text, facts);
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        self.found.finish(facts);
    }
}

impl Mlflow {
    fn flavor(&mut self, event: &Event<'_>, text: &str, facts: &mut Facts) {
        let Some(key) = event.key() else { return self.trusted(event, text) };
        let is_artifact = key == "path" && event.path.iter().any(|segment| segment.key() == Some("artifacts"));
        match key {
            "code" if !text.is_empty() => {
                reference(event.offset, &format!("code: {text}"), facts);
                external(event.offset, key, text, facts);
            }
            // The path is where it lay when it was logged; what is read is the file of that name beside this one.
            "model_code_path" => reference(event.offset, &format!("model_code_path: {text}"), facts),
            _ if FILES.contains(&key) || is_artifact => external(event.offset, key, text, facts),
            _ => {}
        }
    }
}

impl Mlflow {
    /// A module that is imported, and whose `load` or `load_model` is called.
    fn module(&mut self, offset: u64, text: &str) {
        let name = text.trim();
        if !OWN_MODULES.contains(&name) {
            self.found.target(offset, name, &format!("module: {name}"));
        }
    }

    /// `skops_trusted_types: [module.Class]`: what the loader is told to trust without asking.
    fn trusted(&mut self, event: &Event<'_>, text: &str) {
        if event.path.iter().any(|segment| segment.key() == Some("skops_trusted_types")) {
            let (module, name) = text.rsplit_once('.').unwrap_or(("", text));
            self.found.judged(event.offset, text, judge_named(module, name), &format!("skops_trusted_types: {text}"));
        }
    }
}

fn reference(offset: u64, target: &str, facts: &mut Facts) {
    let (kind, target) = (ReferenceKind::RemoteCode, target.chars().take(300).collect());
    facts.push(Position::Offset(offset), FactKind::Reference { kind, target });
}
