//! Archives that are unpacked as they please.

use waag_engine::rules::Meta;

use super::super::problem::Problem;
use super::super::rule::{Rule, View};
use super::super::syntax::Call;

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
        let unpacking = view.script.calls.iter().filter(|call| unpacks_all(call) && !call.is_open);
        for call in unpacking.filter(|call| call.keyword("filter").is_none()) {
            let message = "before Python 3.14 the archive's members may lie anywhere, and are written there";
            let next = "Give it filter=\"data\" (Python 3.12, and the last releases of 3.8 to 3.11).";
            problems.push(Problem::new(&META, call.span, message, next).about(call.callee.path.clone()));
        }
    }
}

/// Whether a call unpacks whatever a tar archive has, without having chosen from it.
fn unpacks_all(call: &Call) -> bool {
    let path = call.callee.path.as_str();
    let chosen = || call.argument("members", Some(1)).map(|members| &members.value);
    match call.callee.name.as_str() {
        "extractall" if path.starts_with("tarfile.") => {
            // `getmembers()` is all there are.
            chosen().is_none_or(|chosen| chosen.path().is_some_and(|path| path.ends_with(".getmembers()")))
        }
        "extract" => path.starts_with("tarfile."),
        // Of zip archives it leaves out what lies elsewhere.
        _ => path == "shutil.unpack_archive" && !is_zip(call),
    }
}

fn is_zip(call: &Call) -> bool {
    let format = call.argument("format", Some(2)).and_then(|format| format.value.text());
    let name = call.argument("filename", Some(0)).and_then(|name| name.value.part());
    format.map_or_else(|| name.is_some_and(|name| name.ends_with(".zip")), |format| format == "zip")
}
