//! Blocks and their ends, and what macros do whatever their arguments are.

use std::collections::BTreeMap;

use super::lexer::{Kind, Tag};
use super::parser::{Arena, Id, Node};

/// Macros without end that are listed.
const MAX_ENDLESS: usize = 8;

/// An open block.
#[derive(Debug)]
struct Open {
    word: String,
    at: usize,
    /// The macro that runs what is in here whenever it is called.
    runs_in: Option<usize>,
}

/// The blocks of a template, as its tags go by.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    open: Vec<Open>,
    /// The first tag that fits no block.
    stray: Option<usize>,
    macros: Vec<String>,
    /// What each macro calls whenever it is called.
    calls: BTreeMap<String, BTreeMap<String, Id>>,
}

impl Blocks {
    /// Takes a tag, whose expressions are the nodes from `first` on.
    pub(super) fn tag(&mut self, tag: &Tag, arena: &Arena, first: Id) {
        let word = if tag.is_statement { name(tag, 0).unwrap_or_default() } else { "" };
        if !matches!(word, "macro" | "if" | "for" | "call") {
            self.calls(tag, arena, first);
        }
        if let Some(opened) = word.strip_prefix("end") {
            match self.open.pop() {
                Some(open) if open.word == opened => {}
                _ => self.misfit(tag.start),
            }
        } else if opens(word, tag) {
            let runs_in = self.runs_in(word, tag);
            self.open.push(Open { word: word.to_owned(), at: tag.start, runs_in });
        } else if matches!(word, "elif" | "else") {
            let fits = self.open.last().is_some_and(|open| matches!(open.word.as_str(), "if" | "for"));
            if !fits {
                self.misfit(tag.start);
            }
        }
    }

    fn misfit(&mut self, at: usize) {
        self.stray.get_or_insert(at);
    }

    /// Nothing is known to run behind a condition; other blocks run with the macro they are in.
    fn runs_in(&mut self, word: &str, tag: &Tag) -> Option<usize> {
        match word {
            "if" | "for" | "call" => None,
            "macro" => {
                self.macros.push(name(tag, 1)?.to_owned());
                self.macros.len().checked_sub(1)
            }
            _ => self.open.last()?.runs_in,
        }
    }

    /// Takes the calls of a tag down that no condition stands before.
    fn calls(&mut self, tag: &Tag, arena: &Arena, first: Id) {
        let Some(caller) = self.open.last().and_then(|open| self.macros.get(open.runs_in?)) else { return };
        let condition = |kind: &Kind| matches!(kind, Kind::Name(name) if matches!(name.as_str(), "if" | "and" | "or"));
        if tag.tokens.iter().any(|token| condition(&token.kind)) {
            return;
        }
        for id in first..arena.nodes.len() {
            let Some(Node::Call(callee, _)) = arena.get(id) else { continue };
            if let Some(Node::Name(name)) = arena.get(*callee) {
                self.calls.entry(caller.clone()).or_default().entry(name.clone()).or_insert(id);
            }
        }
    }

    /// Where a block begins that never ends, or a tag stands that fits no block: Jinja2 refuses the template.
    pub(super) fn misfitting(&self) -> Option<usize> {
        self.stray.or_else(|| self.open.last().map(|open| open.at))
    }

    /// Calls by which a macro always comes back to itself, or to another that does.
    pub(super) fn endless(&self) -> Vec<Id> {
        let mut callers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut waits: BTreeMap<&str, usize> = BTreeMap::new();
        for (caller, calls) in &self.calls {
            let known = calls.keys().filter(|name| self.calls.contains_key(*name));
            waits.insert(caller, known.clone().count());
            known.for_each(|name| callers.entry(name).or_default().push(caller));
        }
        // Whoever calls nobody that may be endless ends.
        let mut ends: Vec<&str> = waits.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
        while let Some(name) = ends.pop() {
            for caller in callers.get(name).into_iter().flatten() {
                let Some(count) = waits.get_mut(caller) else { continue };
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ends.push(caller);
                }
            }
        }
        waits.retain(|_, count| *count > 0);
        let back = |name: &&str| {
            let calls = self.calls.get(*name)?;
            calls.iter().find(|(called, _)| waits.contains_key(called.as_str())).map(|(_, id)| *id)
        };
        waits.keys().filter_map(back).take(MAX_ENDLESS).collect()
    }
}

fn name(tag: &Tag, index: usize) -> Option<&str> {
    match &tag.tokens.get(index)?.kind {
        Kind::Name(name) => Some(name),
        _ => None,
    }
}

fn opens(word: &str, tag: &Tag) -> bool {
    match word {
        "if" | "for" | "macro" | "call" | "filter" | "with" | "block" | "autoescape" | "generation" => true,
        // `{% set x %}…{% endset %}`, perhaps with filters, which may have arguments of their own.
        "set" => {
            let telling = tag.tokens.iter().find(|token| matches!(token.kind, Kind::Operator("=" | "|")));
            telling.is_none_or(|token| token.kind == Kind::Operator("|"))
        }
        _ => false,
    }
}
