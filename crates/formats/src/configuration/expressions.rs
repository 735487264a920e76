//! Texts that a configuration's reader evaluates: resolvers of OmegaConf (`${eval:…}`), expressions of MONAI (`$…`) and
//! of HyperPyYAML. Arithmetic is what they are for; what reaches beyond it is said.

use std::collections::BTreeSet;

use super::Observer;
use crate::budget::Budget;
use crate::fact::{Code, FactKind, Gap, Position, ReferenceKind, Runs, SourceReach};
use crate::facts::{Facts, shorten};
use crate::json::{Event, Value, path_text};
use crate::python::{Analysis, File};

/// Words that arithmetic and tensors have no use for.
const REACHES: &[&str] = &[
    "__import__",
    "__builtins__",
    "__class__",
    "__globals__",
    "__subclasses__",
    "__mro__",
    "__dict__",
    "eval(",
    "exec(",
    "compile(",
    "open(",
    "os.system",
    "os.popen",
    "os.exec",
    "os.spawn",
    "os.remove",
    "os.unlink",
    "os.environ",
    "subprocess",
    "socket",
    "pty.",
    "shutil.",
    "importlib",
    "getattr(",
    "setattr(",
    "globals(",
    "pickle",
    "marshal",
    "ctypes",
    "urllib",
    "requests.",
    "base64",
    "runpy",
    "builtins",
    "import os",
    "import sys",
];
/// What an expression of MONAI has when it gets hold of everything, whatever is done with it.
const ESCAPES: &[&str] = &["__import__(", "__subclasses__", "__builtins__", "__globals__", "eval(", "exec("];
/// Words that a MONAI bundle's expressions do use.
const MONAI_USES: &[&str] = &["import os", "import sys"];
/// Resolvers that evaluate.
const RESOLVERS: &[&str] = &["${eval:", "${eval ", "${py:", "${python:", "${exec:", "${oc.eval:", "${resolve:"];
/// Resolvers of variables of the environment.
const VARIABLES: &[&str] = &["${oc.env:", "${env:", "${env.", "${ENV:"];
/// Words in the names of variables that are credentials.
const CREDENTIALS: &[&str] = &["TOKEN", "KEY", "SECRET", "PASSWORD", "CREDENTIAL"];
/// Expressions of one configuration that are listed.
const MAX_LISTED: usize = 200;
/// Expressions of MONAI that are kept until the configuration is over, and bytes of one.
const MAX_KEPT: usize = 5_000;
const MAX_EXPRESSION: usize = 4_096;
/// Characters of an expression that are shown.
const MAX_SHOWN: usize = 200;

#[derive(Debug)]
struct Expressions {
    /// Whether a key was met that only such configurations have.
    is_bundle: bool,
    /// Whether the file is rows of a data set, whose texts nobody evaluates.
    is_dataset: bool,
    dollars: Vec<(u64, String, String)>,
    /// Where the first expression stands that was not kept.
    cut: Option<u64>,
    budget: Budget,
    listed: usize,
}

pub(super) fn observer(name: &str) -> Box<dyn Observer> {
    let is_dataset = name.ends_with(".jsonl") || name.ends_with(".ndjson");
    let budget = Budget::small();
    Box::new(Expressions { is_bundle: false, is_dataset, dollars: Vec::new(), cut: None, budget, listed: 0 })
}

impl Observer for Expressions {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        if matches!(event.key(), Some("_target_" | "imports" | "bundle_root")) {
            self.is_bundle = true;
        }
        let Value::Text(text) = event.value else { return };
        if text.contains("${") && sends_credential(text) {
            let (kind, target) = (ReferenceKind::Address, text.chars().take(MAX_SHOWN).collect());
            facts.push(Position::Offset(event.offset), FactKind::Reference { kind, target });
        }
        // Most texts are not even looked at: tokenizers have hundreds of thousands.
        if !text.contains('$') {
            return;
        }
        if RESOLVERS.iter().any(|resolver| text.contains(resolver)) && has_any(text, REACHES) {
            self.code(event.offset, &path_text(event.path), text, facts);
        } else if text.starts_with('$') && !text.starts_with("${") && !self.is_dataset {
            self.keep(event, text);
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        let dollars = std::mem::take(&mut self.dollars);
        let reaching = reaching(&dollars, &self.budget);
        for (index, (offset, name, text)) in dollars.iter().enumerate() {
            let is_usual = MONAI_USES.iter().any(|usual| text.trim_start_matches('$').trim() == *usual);
            let is_told = self.is_bundle && has_any(text, REACHES) && !is_usual;
            let is_read = self.is_bundle || !is_statement(text);
            if is_told || is_read && (has_any(text, ESCAPES) || reaching.contains(&index)) {
                self.code(*offset, name, text, facts);
            }
        }
        if let Some(offset) = self.cut.filter(|_| self.is_bundle) {
            facts.incomplete(offset, Gap::Limit, "more expressions, or a longer one, than are read");
        }
    }
}

fn has_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// `$x = f();`: a line of another language, which Python does not evaluate.
fn is_statement(text: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let behind = text.trim_start_matches('$').trim_start_matches(is_name).trim_start();
    text.trim_end().ends_with([';', '{', '}']) || text.starts_with("$ ") || behind.starts_with('=')
}

/// Which expressions do what no expression needs, read in one go: what one imports, the others use.
fn reaching(dollars: &[(u64, String, String)], budget: &Budget) -> BTreeSet<usize> {
    let is_import = |text: &str| text.starts_with("$import ") || text.starts_with("$from ");
    let mut order: Vec<usize> = (0..dollars.len()).collect();
    order.sort_by_key(|index| dollars.get(*index).is_none_or(|(_, _, text)| !is_import(text)));
    let mut analysis = Analysis::new(budget, Runs::Loaded, File::Other);
    for index in order {
        let Some((_, _, text)) = dollars.get(index) else { continue };
        let before = analysis.mark();
        if analysis.read(&plain(text)).is_err() {
            break;
        }
        analysis.place(before, index as u64);
    }
    let found = analysis.finish().into_iter().filter(|(found, _)| is_grave(found.reach));
    let index = |position| match position {
        Position::Offset(index) => usize::try_from(index).ok(),
        _ => None,
    };
    found.filter_map(|(found, _)| index(found.position)).collect()
}

fn is_grave(reach: SourceReach) -> bool {
    matches!(
        reach,
        SourceReach::HiddenCode
            | SourceReach::Backdoor
            | SourceReach::Program
            | SourceReach::Evaluation
            | SourceReach::NativeCode
            | SourceReach::Credentials
            | SourceReach::Installation
    )
}

/// The Python of an expression: `@part#0::name` is what another part of the configuration gives.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.strip_prefix('$').unwrap_or(text);
    while let Some((before, after)) = rest.split_once('@') {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '#');
        let end = after.find(|c: char| !(is_part(c) || c == ':')).unwrap_or(after.len());
        let name = after.get(..end).unwrap_or_default();
        // A slice or a dictionary has one colon behind the name; a path has two within it.
        let name = name.trim_end_matches(':');
        plain.push_str(before);
        plain.push_str(if name.is_empty() { "@" } else { "part_" });
        plain.extend(name.chars().map(|c| if is_part(c) && c != '#' { c } else { '_' }));
        rest = after.get(name.len()..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// Whether a credential of the environment becomes part of an address behind its host, where it is sent.
fn sends_credential(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let Some((_, sent)) = rest.split_once(['/', '?']) else { return false };
    let names = VARIABLES.iter().flat_map(|resolver| sent.split(resolver).skip(1));
    let is_credential = |name: &str| CREDENTIALS.iter().any(|word| name.to_ascii_uppercase().contains(word));
    text.starts_with("http") && names.filter_map(|name| name.split(['}', ',']).next()).any(is_credential)
}

impl Expressions {
    /// An expression of MONAI, if it calls or imports anything.
    fn keep(&mut self, event: &Event<'_>, text: &str) {
        if !text.contains(['(', '[', '@', '.']) && !text.contains("import") {
            return;
        }
        if self.dollars.len() >= MAX_KEPT || text.len() > MAX_EXPRESSION {
            self.cut.get_or_insert(event.offset);
            return;
        }
        self.dollars.push((event.offset, path_text(event.path), text.to_owned()));
    }

    fn code(&mut self, offset: u64, name: &str, text: &str, facts: &mut Facts) {
        self.listed = self.listed.saturating_add(1);
        if self.listed > MAX_LISTED {
            return;
        }
        let excerpt = shorten(text.chars().take(MAX_SHOWN).collect(), MAX_SHOWN);
        let code = Code { name: name.to_owned(), language: "Python".into(), runs: Runs::Loaded, excerpt };
        facts.push(Position::Offset(offset), FactKind::Code(code));
    }
}
