//! Chat templates: Jinja2 programs that a loader renders, in a sandbox at best.
//!
//! Read with a lexer and an expression parser of Jinja2's own grammar (string escapes included) rather than another
//! engine's dialect, and every expression is held against what chat templates need. What cannot be read is searched
//! by name and said to be incomplete, and so is a block without its end: Jinja2 refuses it, another engine might not.

mod blocks;
mod check;
mod format;
mod lexer;
mod lists;
mod names;
mod parser;
mod purpose;
mod statement;

pub use format::Jinja;

use std::collections::BTreeSet;

use crate::budget::Budget;
use crate::fact::{FactKind, Gap, Position, Reach};
use crate::facts::{Facts, MAX_TEMPLATE, shorten};
use blocks::Blocks;
use check::Check;
use lexer::Tag;
use names::Names;
use parser::{Arena, Id, Node, Parser};
use purpose::Purpose;
use statement::{Statement, statement, words};

/// Longer templates are analysed up to here; the longest known has 60 KiB.
const MAX_BYTES: usize = 256 << 10;
/// Characters of an expression that are shown.
const MAX_SHOWN: usize = 200;
/// Rounds that nested loops over constant ranges may come to.
const MAX_ROUNDS: u64 = 1_000_000;
/// Findings of one template that are listed.
const MAX_FINDINGS: usize = 200;

/// Adds a template and what it reaches for. `position` is the template's place in its artifact; the line within the
/// template is part of each expression.
pub fn inspect_template(text: &str, name: &str, position: Position, budget: &Budget, facts: &mut Facts) {
    inspect_as(Purpose::Chat, text, name, position, budget, facts);
}

fn inspect_as(purpose: Purpose, text: &str, name: &str, position: Position, budget: &Budget, facts: &mut Facts) {
    let kept = shorten(text.chars().take(MAX_TEMPLATE).collect(), MAX_TEMPLATE);
    facts.push(position, FactKind::Template { name: name.to_owned(), text: kept });
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let cut = text.get(..end).unwrap_or_default();
    let mut template = Template { text: cut, purpose, position, facts, seen: BTreeSet::new() };
    if end < text.len() {
        template.gap(Gap::Limit, "only the first MiB of the template is analysed".to_owned());
    }
    if let Err(limit) = budget.operate(end as u64) {
        return template.gap(Gap::Limit, limit.to_string());
    }
    template.inspect();
}

struct Template<'a> {
    text: &'a str,
    purpose: Purpose,
    position: Position,
    facts: &'a mut Facts,
    /// What has been reported: where it begins, and what it is.
    seen: BTreeSet<(usize, String)>,
}

impl Template<'_> {
    fn inspect(&mut self) {
        let (tags, stop) = lexer::tags(self.text);
        let (mut arena, mut names, mut loops) = (Arena::default(), Names::default(), Vec::new());
        let (mut blocks, mut doubled) = (Blocks::default(), Vec::new());
        for tag in &tags {
            let first = arena.nodes.len();
            if let Some(read) = self.tag(tag, &mut arena) {
                self.targets(tag, &read);
                doubled.extend(given_in_loop(&read, &loops));
                bind(read, &mut names, &mut loops);
            }
            blocks.tag(tag, &arena, first);
        }
        names.pass(&arena);
        let check = Check { arena: &arena, names: &names };
        let compared = compared(&arena);
        for id in 0..arena.nodes.len() {
            if let Some(reach) = check.node(id).filter(|_| !compared.contains(&id)) {
                if arena.get(id).is_some_and(|node| self.purpose.excuses(node, reach)) {
                    continue;
                }
                self.report(&arena, id, reach);
            }
        }
        self.loops(&loops, check);
        for (name, value) in doubled {
            if check.doubles(&name, value) {
                self.report(&arena, value, Reach::Exhaustion);
            }
        }
        for id in blocks.endless() {
            self.report(&arena, id, Reach::Exhaustion);
        }
        match (stop, blocks.misfitting()) {
            (Some(stop), _) => self.unread(stop),
            (None, Some(at)) => {
                let detail = format!("line {}: a block of the template has no end, or an end no block", self.line(at));
                self.gap(Gap::Unsupported, detail);
            }
            (None, None) => {}
        }
    }

    fn tag(&mut self, tag: &Tag, arena: &mut Arena) -> Option<Statement> {
        let read = if tag.is_statement { statement(tag, arena) } else { expression(tag, arena) };
        match &read {
            Some(Statement::Other) if self.purpose.has_parts(tag) => {}
            Some(Statement::Other) => self.reach(tag.start, tag.end, Reach::Host),
            Some(Statement::Unknown) => self.reach(tag.start, tag.end, Reach::Unlisted),
            Some(_) => {}
            None => {
                let detail = format!("line {}: a tag of the template is not understood", self.line(tag.start));
                let text = self.text.get(tag.start..tag.end).unwrap_or_default();
                // Whoever follows so many brackets runs out of stack.
                self.gap(if is_deep(text) { Gap::Depth } else { Gap::Unsupported }, detail);
            }
        }
        if matches!(read, None | Some(Statement::Other | Statement::Unknown)) {
            self.search(tag);
        }
        read
    }

    /// Attributes that are set, rather than read.
    fn targets(&mut self, tag: &Tag, read: &Statement) {
        let (Statement::Bind { names, .. } | Statement::Loop { names, .. }) = read else { return };
        let reach = names.iter().flat_map(|name| name.split('.').skip(1)).find_map(lists::attribute);
        if let Some(reach) = reach {
            self.reach(tag.start, tag.end, reach);
        }
    }

    /// A tag that could not be read, by its words.
    fn search(&mut self, tag: &Tag) {
        for (word, is_text, before) in words(tag) {
            let reach = match (is_text, before) {
                (true, _) => lists::text(word),
                (false, Some(".")) => lists::attribute(word),
                (false, Some("|")) => lists::filter(word),
                (false, _) => lists::variable(word, true),
            };
            let reach = reach.or_else(|| if is_text { lists::attribute(word) } else { None });
            if let Some(reach) = reach {
                self.reach(tag.start, tag.end, reach);
            }
        }
    }

    /// From here on Jinja2 would refuse the text; another engine might not.
    fn unread(&mut self, from: usize) {
        let detail = format!("line {}: the template cannot be read from here on", self.line(from));
        self.gap(Gap::Unsupported, detail);
        let rest = self.text.get(from..).unwrap_or_default().to_ascii_lowercase();
        let escapes = ["\\x5f", "\\u005f", "\\137", "|attr", "| attr"];
        if lists::mentions_special(&rest) || escapes.iter().any(|one| rest.contains(one)) {
            self.reach(from, self.text.len(), Reach::Internals);
        }
    }

    /// Loops within loops multiply.
    fn loops(&mut self, loops: &[Option<Id>], check: Check<'_>) {
        let mut open: Vec<u64> = Vec::new();
        for step in loops {
            let Some(over) = step else {
                open.pop();
                continue;
            };
            open.push(check.repetitions(*over));
            let rounds = open.iter().fold(1u64, |product, rounds| product.saturating_mul(*rounds));
            if rounds > MAX_ROUNDS {
                self.report(check.arena, *over, Reach::Exhaustion);
            }
        }
    }

    fn report(&mut self, arena: &Arena, id: Id, reach: Reach) {
        let (start, end) = arena.spans.get(id).copied().unwrap_or_default();
        self.reach(start, end, reach);
    }

    fn reach(&mut self, start: usize, end: usize, reach: Reach) {
        // The list is of what chat templates need.
        if reach == Reach::Unlisted && self.purpose == Purpose::Document {
            return;
        }
        if self.seen.len() >= MAX_FINDINGS || !self.seen.insert((start, format!("{reach:?}"))) {
            return;
        }
        let written = self.text.get(start..end).unwrap_or_default();
        let written = shorten(written.chars().take(MAX_SHOWN.saturating_add(1)).collect(), MAX_SHOWN);
        let expression = format!("line {}: {written}", self.line(start));
        self.facts.push(self.position, FactKind::TemplateReach { expression, reach });
    }

    fn gap(&mut self, reason: Gap, detail: String) {
        if self.seen.len() < MAX_FINDINGS && self.seen.insert((usize::MAX, detail.clone())) {
            self.facts.push(self.position, FactKind::Incomplete { reason, detail });
        }
    }

    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
    }
}

/// Texts that are compared with something, alone or in a list: nothing is reached by their names.
fn compared(arena: &Arena) -> BTreeSet<Id> {
    let is_text = |id: &Id| matches!(arena.get(*id), Some(Node::Text(_)));
    let mut compared = BTreeSet::new();
    for node in &arena.nodes {
        let Node::Binary("==", left, right) = node else { continue };
        for side in [left, right] {
            match arena.get(*side) {
                Some(Node::Group(items)) => compared.extend(items.iter().copied().filter(is_text)),
                _ => compared.extend(Some(*side).filter(is_text)),
            }
        }
    }
    compared
}

/// `{{ … }}`
fn expression(tag: &Tag, arena: &mut Arena) -> Option<Statement> {
    let mut parser = Parser::new(&tag.tokens, arena);
    parser.tuple()?;
    parser.at_end().then_some(Statement::Plain)
}

fn bind(statement: Statement, names: &mut Names, loops: &mut Vec<Option<Id>>) {
    match statement {
        Statement::Bind { names: targets, value } => {
            for name in targets {
                if let Some((_, attribute)) = name.split_once('.') {
                    names.bind(&format!(".{attribute}"), value);
                }
                names.bind(&name, value);
            }
        }
        Statement::Loop { names: targets, over } => {
            targets.iter().for_each(|name| names.bind(name, Some(over)));
            loops.push(Some(over));
        }
        Statement::CallBack(parameters) => names.call_back(parameters),
        Statement::LoopEnd => loops.push(None),
        Statement::Macro { name, parameters } => names.define(&name, parameters),
        _ => {}
    }
}

/// What one name is given within a loop.
fn given_in_loop(statement: &Statement, loops: &[Option<Id>]) -> Option<(String, Id)> {
    let open = loops.iter().filter(|step| step.is_some()).count().saturating_mul(2);
    match statement {
        Statement::Bind { names, value: Some(value) } if open > loops.len() => match names.as_slice() {
            [name] => Some((name.clone(), *value)),
            _ => None,
        },
        _ => None,
    }
}

/// Brackets that are open at once; Python's own parser, which Jinja is made for, stops at 200.
const MOST_OPEN: usize = 190;

fn is_deep(text: &str) -> bool {
    let mut open = 0usize;
    text.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => open = open.saturating_add(1),
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MOST_OPEN
    })
}

#[cfg(test)]
mod tests;
