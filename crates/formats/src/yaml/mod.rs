//! YAML as hostile input: the same stream of values that JSON gives, with tags beside them.
//!
//! The grammar is `saphyr-parser`'s, which knows no recursion and builds no tree. Around it stand limits, the expansion
//! of aliases (counted, so that a "billion laughs" ends early), merge keys (what is merged is shown where it lands) and,
//! where that grammar gives up, a plain search of the remaining lines: another reader may have gone on.

mod format;
mod lines;
mod scalar;
mod tape;
mod templates;
mod walk;

pub use format::Yaml;
#[cfg(test)]
use format::find_front_matter;
pub(crate) use format::search_tags;

use crate::budget::Budget;
use crate::configuration::is_instruction;
use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;
use crate::json::Event;

/// Bytes of one file that are read. Configurations are written by people; a megabyte is a long one.
pub const MAX_BYTES: usize = 16 << 20;
/// Containers within containers.
pub const MAX_DEPTH: usize = 512;
/// Documents of one file.
const MAX_DOCUMENTS: u64 = 100_000;

/// What is called for every value: its tag, written out, and the value at its place.
pub type Visit<'v> = dyn FnMut(Option<&str>, &Event<'_>) + 'v;

/// How a walk ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many documents were read.
    pub documents: u64,
    /// Where it stopped before the end, and why.
    pub stopped: Option<(u64, Stop)>,
    /// Keys that stand twice in one mapping, with the place of the second; the first few.
    pub duplicates: Vec<(u64, String)>,
}

/// Why a walk stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It is no YAML from here on.
    Broken(String),
    /// Aliases of aliases: far more values than the text has.
    Bomb,
    /// A limit was met.
    Limit(String),
    /// Collections lie too deep in each other.
    Deep(String),
}

impl Outcome {
    /// Writes down what is odd.
    pub fn report(&self, facts: &mut Facts) {
        for (offset, path) in &self.duplicates {
            self.report_duplicate(*offset, path, facts);
        }
        match &self.stopped {
            Some((offset, Stop::Broken(why))) => facts.anomaly(*offset, Anomaly::Malformed, why.as_str()),
            Some((offset, Stop::Bomb)) => {
                facts.anomaly(*offset, Anomaly::ExpansionBomb, "aliases of aliases multiply into millions of values");
            }
            Some((offset, Stop::Limit(why))) => facts.incomplete(*offset, Gap::Limit, why.as_str()),
            Some((offset, Stop::Deep(why))) => facts.incomplete(*offset, Gap::Depth, why.as_str()),
            None => {}
        }
    }

    /// Python takes the last, others refuse. All readings are looked at, so what is not addressed to a loader is no more
    /// than untidy.
    fn report_duplicate(&self, offset: u64, path: &str, facts: &mut Facts) {
        if is_instruction(path.rsplit('.').next().unwrap_or(path)) {
            return facts.anomaly(offset, Anomaly::DuplicateName, format!("the key `{path}` is there twice"));
        }
        facts.property("duplicate key", path);
    }
}

/// Reads all documents of a text that begins `base` bytes into its file, calling `visit` for every value in it.
pub fn walk(text: &str, base: u64, budget: &Budget, visit: &mut Visit<'_>) -> Outcome {
    let outcome = walk::walk(text, base, budget, visit);
    if let Some((offset, Stop::Broken(_) | Stop::Limit(_) | Stop::Deep(_))) = &outcome.stopped {
        let start = usize::try_from(offset.saturating_sub(base)).unwrap_or(usize::MAX);
        lines::search(text, start, base, budget, visit);
    }
    outcome
}

#[cfg(test)]
mod tests;
