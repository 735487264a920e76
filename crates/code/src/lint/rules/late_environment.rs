//! Settings that come too late.

use std::collections::BTreeMap;

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::problem::Problem;
use super::super::rule::{Rule, View};
use super::super::syntax::Span;

/// Who it is.
pub static META: Meta = Meta {
    id: "late-environment",
    title: "the environment is set after what reads it has started",
    page: include_str!("late_environment.md"),
};

/// The rule.
pub(crate) struct LateEnvironment;

impl Rule for LateEnvironment {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        let stores = view
            .script
            .stores
            .iter()
            .filter(|store| store.path == "os.environ")
            .filter_map(|store| Some((store.key.as_deref()?, store.span, store.scope)));
        let calls = view.script.calls.iter().filter(|call| call.is_any(&["os.environ.setdefault", "os.putenv"]));
        let calls = calls.filter_map(|call| Some((call.first()?.value.text()?, call.span, call.scope)));
        let mut by_key: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
        // A function is called nobody knows when; what Python reads when it starts is too late in any.
        let told = stores.chain(calls).filter(|(key, _, scope)| *scope == 0 || *key == "PYTHONHASHSEED");
        told.for_each(|(key, span, _)| by_key.entry(key).or_default().push(span));
        for (key, spans) in by_key {
            problems.extend(judge(view, key, &spans));
        }
    }
}

/// Judges all places where a key is set.
fn judge(view: &View<'_>, key: &str, spans: &[Span]) -> Vec<Problem> {
    let found = |span: Span, message: &str, next: &str| {
        Problem::new(&META, span, message, next).severity(Severity::Low).about(key)
    };
    if key == "PYTHONHASHSEED" {
        // For processes that are started later it counts.
        let starts = ["subprocess", "multiprocessing", "os.execv", "concurrent"]
            .iter()
            .any(|library| view.script.imports(library))
            || view.script.calls.iter().any(|call| call.callee.path.starts_with("os.exec"));
        let message = "PYTHONHASHSEED is read when Python starts: set here, it changes nothing in this process";
        let next = "Set it where the program is started: PYTHONHASHSEED=0 python train.py.";
        let late = spans.iter().filter(|_| !starts);
        return late.map(|span| found(*span, message, next)).collect();
    }
    let library = match key {
        "CUBLAS_WORKSPACE_CONFIG" => "torch",
        "TF_DETERMINISTIC_OPS" | "TF_CUDNN_DETERMINISTIC" => "tensorflow",
        "XLA_FLAGS" | "XLA_PYTHON_CLIENT_PREALLOCATE" => "jax",
        _ => return Vec::new(),
    };
    let first = view.script.imports.iter().find(|import| {
        import.level == 0 && (import.path == library || import.path.starts_with(&format!("{library}.")))
    });
    let Some(first) = first else { return Vec::new() };
    let uses = view.script.calls.iter().filter(|call| {
        call.scope == 0
            && call.span.start > first.span.end
            && call.callee.path.starts_with(&format!("{library}."))
            && touches_device(&call.callee.path, &call.callee.name)
    });
    let first_use = uses.map(|call| call.span.start).min();
    let is_read_at_import = library == "jax";
    let is_late = |span: &&Span| {
        first.span.start <= span.start && (is_read_at_import || first_use.is_some_and(|start| start < span.start))
    };
    let message = format!("{key} is set after {library} may have read it");
    let next = "Set it before the first import, or where the program is started.";
    spans.iter().filter(is_late).map(|span| found(*span, &message, next)).collect()
}

/// Whether a call starts what reads the environment.
fn touches_device(path: &str, name: &str) -> bool {
    path.starts_with("torch.cuda.") && name != "is_available"
        || path.starts_with("tensorflow.")
        || matches!(name, "cuda" | "to")
}
