//! Shared libraries that models need.

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::models::is_downloaded;
use super::super::problem::Problem;
use super::super::rule::{Rule, View};

/// Who it is.
pub static META: Meta = Meta {
    id: "custom-operator-library",
    title: "machine code is loaded for operators of a model",
    page: include_str!("custom_operator_library.md"),
};

/// The rule.
pub(crate) struct CustomOperatorLibrary;

impl Rule for CustomOperatorLibrary {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        for call in &view.script.calls {
            let is_method = call.callee.name == "register_custom_ops_library";
            if !is_method && !call.is_any(LOADERS) {
                continue;
            }
            // What a package brings itself is installed with it.
            let text = call.first().and_then(|first| first.value.part()).unwrap_or_default();
            let is_foreign = text.contains("://")
                || text.starts_with("/tmp")
                || call.first().is_some_and(|first| is_downloaded(&first.value));
            let severity = if is_foreign { Severity::High } else { Severity::Low };
            let message = "machine code is loaded into the process";
            let next = "Build the library from source that you have read, and check its digest before it is loaded.";
            problems
                .push(Problem::new(&META, call.span, message, next).severity(severity).about(call.callee.name.clone()));
        }
    }
}

const LOADERS: &[&str] = &[
    "torch.ops.load_library",
    "torch.classes.load_library",
    "torch._export.aot_load",
    "torch._inductor.aoti_load_package",
    "tensorflow.load_op_library",
    "tensorflow.load_library",
    "tvm.runtime.load_module",
];
