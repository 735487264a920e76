//! Models and datasets of a hub, at whatever is newest.

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::configuration::{Configuration, Tool};
use super::super::models::{Pin, Place, is_commit, is_there, pin, place};
use super::super::problem::Problem;
use super::super::rule::{Rule, View};
use super::super::shell::{Taken, lines, taken};
use super::super::syntax::{Call, Text, Value};

/// Who it is.
pub static META: Meta = Meta {
    id: "unpinned-remote",
    title: "a model or dataset is taken as it is at the time",
    page: include_str!("unpinned_remote.md"),
};

/// The rule.
pub(crate) struct UnpinnedRemote;

impl Rule for UnpinnedRemote {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        problems.extend(view.script.calls.iter().filter_map(|call| torch_hub(call).or_else(|| metric(call))));
        // What a test takes goes into no model.
        if view.unit.is_test() {
            return;
        }
        problems.extend(view.script.calls.iter().filter_map(|call| hub(view, call).or_else(|| tracker(call))));
        for line in lines(view.script) {
            for repository in taken(&line) {
                if let Taken::Repository(address) = repository {
                    let message = format!("{address} is cloned as it is at the time");
                    let next = "Check out a commit after it: git checkout <40 digits>.";
                    problems.push(Problem::new(&META, line.span, message, next).severity(Severity::Low).about(address));
                }
            }
        }
    }

    fn configuration(&self, configuration: &Configuration, problems: &mut Vec<Problem>) {
        let (key, revisions): (_, &[&str]) = match configuration.tool {
            Tool::Axolotl => ("base_model", &["revision_of_model", "model_revision", "revision"]),
            Tool::Transformers => ("model_name_or_path", &["model_revision"]),
            Tool::Lightning | Tool::Hydra | Tool::Launch => return,
        };
        let named = configuration.find(key).and_then(|model| Some((model, model.text()?)));
        let Some((model, name)) = named.filter(|(_, name)| is_repository(name)) else { return };
        let revision = revisions.iter().find_map(|key| configuration.beside(model, key)?.text());
        if !revision.is_some_and(is_commit) {
            let next = format!("Add {} with a commit of 40 digits.", revisions[0]);
            problems.push(
                Problem::new(&META, model.span, told(name, &Pin::None), next).severity(Severity::Low).about(name),
            );
        }
    }
}

const NEXT: &str = "Name a commit: revision=\"<40 digits>\". `waag lock` writes down what the files are.";
/// Functions that take a repository as their first argument, and what it may be called.
const TAKERS: &[(&str, &str)] = &[
    ("huggingface_hub.snapshot_download", "repo_id"),
    ("huggingface_hub.hf_hub_download", "repo_id"),
    ("datasets.load_dataset", "path"),
    ("sentence_transformers.SentenceTransformer", "model_name_or_path"),
    ("sentence_transformers.CrossEncoder", "model_name"),
];
/// Datasets that are made from files of the project.
const BUILDERS: &[&str] = &[
    "csv",
    "json",
    "text",
    "parquet",
    "arrow",
    "imagefolder",
    "audiofolder",
    "videofolder",
    "webdataset",
    "xml",
    "pandas",
    "generator",
];

/// `owner/name`, and no path.
fn is_repository(name: &str) -> bool {
    name.matches('/').count() == 1 && !name.starts_with(['.', '/', '~'])
}

fn told(name: &str, pin: &Pin) -> String {
    match pin {
        Pin::Name(revision) => format!("{name} is taken at '{revision}', which can come to mean something else"),
        _ => format!("{name} is taken as it is at the time"),
    }
}

fn hub(view: &View<'_>, call: &Call) -> Option<Problem> {
    let named = if call.callee.name == "from_pretrained" && call.callee.is_method {
        call.argument("pretrained_model_name_or_path", Some(0))
    } else if call.is("transformers.pipeline") {
        call.argument("model", Some(1))
    } else {
        let (_, name) = TAKERS.iter().find(|(path, _)| call.is(path))?;
        call.argument(name, Some(0))
    };
    let named = named?;
    let name = named.value.text()?;
    let is_builder = call.is("datasets.load_dataset") && BUILDERS.contains(&name);
    let is_local = call.keyword("local_files_only").is_some_and(|value| value.is(true));
    if is_builder || is_local || where_is(view, call, &named.value) != Place::Hub {
        return None;
    }
    let pin = pin(call);
    if matches!(pin, Pin::Commit | Pin::Unknown) {
        return None;
    }
    let problem = Problem::new(&META, call.span, told(name, &pin), NEXT).severity(Severity::Low).about(name);
    Some(problem.unless_written(name, None))
}

/// What a call's name means: to sentence-transformers, one without an owner is one of its own models.
fn where_is(view: &View<'_>, call: &Call, value: &Value) -> Place {
    match value {
        Value::Text(text) if call.is("sentence_transformers.SentenceTransformer") && !text.known.contains('/') => {
            let known = format!("sentence-transformers/{}", text.known);
            if is_there(view, &text.known) {
                Place::Here
            } else {
                place(view, &Value::Text(Text { known, ..text.clone() }))
            }
        }
        _ => place(view, value),
    }
}

/// `torch.hub` runs the code of the repository.
fn torch_hub(call: &Call) -> Option<Problem> {
    if !call.is("torch.hub.load")
        || call.argument("source", Some(2)).is_some_and(|source| source.value.text() != Some("github"))
    {
        return None;
    }
    let name = call.argument("repo_or_dir", Some(0))?.value.text()?;
    let (repository, reference) =
        name.split_once(':').map_or((name, None), |(name, reference)| (name, Some(reference)));
    if reference.is_some_and(is_commit) || !is_repository(repository) {
        return None;
    }
    let pin = reference.map_or(Pin::None, |reference| Pin::Name(reference.to_owned()));
    let message = format!("code is run: {}", told(repository, &pin));
    Some(Problem::new(&META, call.span, message, "Name a commit: \"owner/name:<40 digits>\".").about(name))
}

/// The code of a metric is taken from a hub and run.
fn metric(call: &Call) -> Option<Problem> {
    let name = call.argument("path", Some(0)).filter(|_| call.is("evaluate.load"))?.value.text()?;
    let pin = pin(call);
    if matches!(pin, Pin::Commit | Pin::Unknown) || name.starts_with(['.', '/', '~']) || name.ends_with(".py") {
        return None;
    }
    // Without an owner it is one of the library's own.
    let severity = if name.contains('/') { Severity::Medium } else { Severity::Low };
    let message = format!("code is run: {}", told(name, &pin));
    Some(Problem::new(&META, call.span, message, NEXT).severity(severity).about(name))
}

/// Artifacts of a tracker under a name that moves.
fn tracker(call: &Call) -> Option<Problem> {
    let name = call.first()?.value.text()?;
    let is_wandb = call.callee.name == "use_artifact" && (name.ends_with(":latest") || !name.contains(':'));
    let is_mlflow =
        call.callee.path.starts_with("mlflow.") && name.starts_with("models:/") && name.ends_with("/latest");
    let message = format!("{name} is taken as it is at the time");
    (is_wandb || is_mlflow).then(|| {
        Problem::new(&META, call.span, message, "Name a version, as in \"name:v3\" or \"models:/name/3\".")
            .severity(Severity::Low)
            .about(name)
    })
}
