//! Listings of folders that nobody sorts.

use waag_engine::rules::Meta;
use waag_evidence::{Confidence, Severity};

use super::super::problem::{Edit, Problem};
use super::super::rule::Rule;
use super::super::syntax::{Call, Script, Span};
use super::super::unit::Unit;

/// Who it is.
pub static META: Meta = Meta {
    id: "unordered-listing",
    title: "files are taken in whatever order the system has them",
    page: include_str!("unordered_listing.md"),
};

/// The rule.
pub(crate) struct UnorderedListing;

impl Rule for UnorderedListing {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn member(&self, unit: &Unit, problems: &mut Vec<Problem>) {
        let script = &unit.script;
        for call in &script.calls {
            let Some(can_wrap) = lists(call) else { continue };
            if is_settled(script, call) {
                continue;
            }
            let message =
                format!("the order of {} is the file system's, and differs between machines", call.callee.name);
            let problem = Problem::new(&META, call.callee.span, message, "Put sorted(…) around it.")
                .severity(Severity::Low)
                .confidence(Confidence::Medium);
            let edits =
                if can_wrap && !is_within(script, call, &["next", "iter"]) { wrapped(call) } else { Vec::new() };
            problems.push(problem.about(call.callee.path.clone()).fixed_by(edits));
        }
    }
}

/// Whether a call lists a folder, and whether its result is a list that `sorted` leaves as it is but for its order.
fn lists(call: &Call) -> Option<bool> {
    let path = call.callee.path.as_str();
    match path {
        "os.listdir" | "glob.glob" => Some(true),
        "os.scandir" | "glob.iglob" => Some(false),
        _ if path.starts_with("pathlib.") && matches!(call.callee.name.as_str(), "glob" | "rglob" | "iterdir") => {
            Some(false)
        }
        _ => None,
    }
}

/// What does not care about an order.
const ANY_ORDER: &[&str] = &[
    "sorted",
    "len",
    "set",
    "frozenset",
    "sum",
    "min",
    "max",
    "any",
    "all",
    "bool",
    "natsorted",
    "Counter",
    "sort_values",
    "removesuffix",
    "rmtree",
];

fn is_within(script: &Script, call: &Call, names: &[&str]) -> bool {
    script.around(call).any(|around| names.contains(&around.callee.name.as_str()))
}

/// Whether the order is settled, or matters to nobody: sorted around it, sorted later by its name, or only counted.
fn is_settled(script: &Script, call: &Call) -> bool {
    if is_within(script, call, ANY_ORDER) {
        return true;
    }
    // What is only removed may go in any order.
    let index = script.index();
    let is_removed = |path: &&str| index.is_called(call.scope, path);
    if call.is_iterated && ["os.remove", "os.unlink", "shutil.rmtree"].iter().any(is_removed) {
        return true;
    }
    let outermost = script.around(call).last().unwrap_or(call);
    let name = call.assigned.as_deref().or(outermost.assigned.as_deref());
    let Some(name) = name else {
        // Gone over or handed on: taken into something. Anything else is compared or counted.
        return !(call.is_iterated || outermost.is_iterated || call.within.is_some());
    };
    let by_argument = ANY_ORDER.iter().filter(|function| **function != "len");
    ["sort", "sort_values"].iter().any(|method| index.is_asked(call.scope, method, name))
        || by_argument.into_iter().any(|function| index.is_given(call.scope, function, name))
}

fn wrapped(call: &Call) -> Vec<Edit> {
    let at = |offset: u32| Span { start: offset, end: offset };
    vec![
        Edit { span: at(call.span.start), text: "sorted(".to_owned() },
        Edit { span: at(call.span.end), text: ")".to_owned() },
    ]
}
