//! Archives that are unpacked as they please.

use waag_engine::rules::Meta;

use super::super::problem::Problem;
use super::super::rule::{Rule, View};

/// Who it is.
pub static META: Meta = Meta {
    id: "unsafe-extraction",
    title: "an archive can write outside its folder",
    page: include_str!("unsafe_extraction.md"),
};

/// The rule.
pub(crate) struct UnsafeExtraction;

impl Rule for UnsafeExtraction {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        for call in &view.script.calls {
            let path = call.callee.path.as_str();
            let is_tar = path.starts_with("tarfile.") && matches!(call.callee.name.as_str(), "extractall" | "extract");
            if !is_tar || call.is_open || call.keyword("filter").is_some() || call.keyword("members").is_some() {
                continue;
            }
            let message = "before Python 3.14 the archive's members may lie anywhere, and are written there";
            let next = "Give it filter=\"data\" (Python 3.12, and the last releases of 3.8 to 3.11).";
            problems.push(Problem::new(&META, call.span, message, next).about(path));
        }
    }
}
