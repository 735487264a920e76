//! Texts that a configuration's reader evaluates: resolvers of OmegaConf (`${eval:…}`), expressions of MONAI (`$…`) and
//! of HyperPyYAML. Arithmetic is what they are for; what reaches beyond it is said.

use super::Observer;
use crate::fact::{Code, FactKind, Position, ReferenceKind, Runs};
use crate::facts::{Facts, shorten};
use crate::json::{Event, Value, path_text};

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
/// Characters of an expression that are shown.
const MAX_SHOWN: usize = 200;

#[derive(Debug, Default)]
struct Expressions {
    /// Whether a key was met that only such configurations have.
    is_bundle: bool,
    dollars: Vec<(u64, String, String)>,
    listed: usize,
}

pub(super) fn observer(_name: &str) -> Box<dyn Observer> {
    Box::new(Expressions::default())
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
        if !text.contains('$') || !REACHES.iter().any(|word| text.contains(word)) {
            return;
        }
        let name = path_text(event.path);
        if RESOLVERS.iter().any(|resolver| text.contains(resolver)) {
            self.code(event.offset, &name, text, facts);
        } else if text.starts_with('$') && !text.starts_with("${") && self.dollars.len() < MAX_LISTED {
            self.dollars.push((event.offset, name, shorten(text.chars().take(MAX_SHOWN).collect(), MAX_SHOWN)));
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        for (offset, name, text) in std::mem::take(&mut self.dollars) {
            let is_usual = MONAI_USES.iter().any(|usual| text.trim_start_matches('$').trim() == *usual);
            if self.is_bundle && !is_usual {
                self.code(offset, &name, &text, facts);
            }
        }
    }
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
