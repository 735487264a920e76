//! Listings of folders that nobody sorts.

use std::collections::HashSet;

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
        let listings: Vec<(&Call, bool)> = script.calls.iter().filter_map(|call| Some((call, lists(call)?))).collect();
        if listings.is_empty() {
            return;
        }
        let later = Later::new(script);
        let left = listings.into_iter().filter(|(call, _)| !is_settled(script, call, &later));
        problems.extend(left.map(|(call, can_wrap)| told(script, call, can_wrap)));
    }
}

fn told(script: &Script, call: &Call, can_wrap: bool) -> Problem {
    let message = format!("the order of {} is the file system's, and differs between machines", call.callee.name);
    let problem = Problem::new(&META, call.callee.span, message, "Put sorted(…) around it.")
        .severity(Severity::Low)
        .confidence(Confidence::Medium);
    let is_stepped = script.fed(call).any(|around| ["next", "iter"].contains(&around.callee.name.as_str()));
    let edits = if can_wrap && !is_stepped { wrapped(call) } else { Vec::new() };
    problem.about(call.callee.path.clone()).fixed_by(edits)
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
    "print",
];
/// What gives the order that a name's items then have, or leaves none.
const SORTS: &[&str] = &["sorted", "natsorted", "set", "frozenset", "Counter"];
/// What is as its items are.
const SAME: &[&str] = &["list", "tuple", "iter"];

/// What a file does with its names after they are given.
struct Later<'a> {
    /// Names that are sorted, with the function in which; attributes wherever that is.
    sorted: HashSet<(&'a str, Option<usize>)>,
    /// Functions that remove files.
    removing: HashSet<usize>,
}

impl<'a> Later<'a> {
    fn new(script: &'a Script) -> Self {
        let removes = |call: &&Call| call.is_any(&["os.remove", "os.unlink", "shutil.rmtree"]);
        let removing = script.calls.iter().filter(removes).map(|call| call.scope).collect();
        let sorted = script.calls.iter().flat_map(|call| {
            let name = call.callee.name.as_str();
            let itself = call.callee.receiver.iter().filter(move |_| matches!(name, "sort" | "sort_values"));
            let given = call.positional.iter().filter(move |_| SORTS.contains(&name));
            let names = itself.chain(given.filter_map(|argument| argument.name.as_ref()));
            names.map(|name| known(name, call.scope))
        });
        Self { sorted: sorted.collect(), removing }
    }
}

/// A name means one thing in its function, an attribute in all of them.
fn known(name: &str, scope: usize) -> (&str, Option<usize>) {
    (name, (!name.contains('.')).then_some(scope))
}

/// Whether the order is settled, or matters to nobody: sorted around it, sorted later by its name, or only counted.
fn is_settled(script: &Script, call: &Call, later: &Later<'_>) -> bool {
    let is_any = |names: &[&str]| script.fed(call).any(|around| names.contains(&around.callee.name.as_str()));
    // What is only removed may go in any order.
    if is_any(ANY_ORDER) || call.is_iterated && later.removing.contains(&call.scope) {
        return true;
    }
    let outermost = script.fed(call).last().unwrap_or(call);
    let is_same = script.fed(call).all(|around| SAME.contains(&around.callee.name.as_str()));
    let name = call.assigned.as_deref().or(outermost.assigned.as_deref());
    is_same && outermost.is_tested || name.is_some_and(|name| later.sorted.contains(&known(name, call.scope)))
}

fn wrapped(call: &Call) -> Vec<Edit> {
    let at = |offset: u32| Span { start: offset, end: offset };
    vec![
        Edit { span: at(call.span.start), text: "sorted(".to_owned() },
        Edit { span: at(call.span.end), text: ")".to_owned() },
    ]
}
