//! A tree, for people at a terminal. Each artifact is told in full once.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::fold::{Children, ends, fold, group_name};
use super::{Asked, Told, words};
use crate::lineage::answer::{Answer, AnswerEdge, Kind, Level, Missing};
use crate::output::Style;
use crate::output::text::{BAD, DOUBT, GOOD, HEADING, NAME, Painted, QUIET, counted};

/// Lines of the tree.
const MAX_LINES: usize = 400;
/// Items of each list below it.
const MAX_TOLD: usize = 12;
/// Names of a group that are told.
const MAX_NAMES: usize = 4;

pub(super) fn render(told: &Told<'_>, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let headline = words::headline(told);
    let counts = kinds(told);
    writeln!(out, "{}{counts}", Painted(style.color, HEADING, headline))?;
    if !told.answer.edges.is_empty() {
        writeln!(out)?;
        Tree { answer: told.answer, style, children: fold(told.answer), lines: 0 }.render(out)?;
    }
    missing(told, out, style)?;
    conflicts(told.answer, out, style)?;
    cycles(told.answer, out, style)?;
    rest(told, out, style)
}

/// How many there are of each kind, where there is more than one kind.
fn kinds(told: &Told<'_>) -> String {
    const SHOWN: [(Kind, &str); 6] = [
        (Kind::Model, "model"),
        (Kind::Dataset, "dataset"),
        (Kind::File, "file"),
        (Kind::Package, "package"),
        (Kind::Run, "run"),
        (Kind::Advisory, "advisory"),
    ];
    if told.asked == Asked::UnsignedPath {
        return String::new();
    }
    let nodes = || told.answer.nodes.iter().filter(|node| node.depth > 0 && !node.is_name);
    let counts = SHOWN.iter().filter_map(|(kind, noun)| {
        let count = nodes().filter(|node| node.kind == *kind).count() as u64;
        match (count, *kind) {
            (0, _) => None,
            (2.., Kind::Advisory) => Some(format!("{count} advisories")),
            _ => Some(counted(count, noun)),
        }
    });
    let counts: Vec<_> = counts.collect();
    if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) }
}

struct Tree<'a> {
    answer: &'a Answer,
    style: Style,
    children: Vec<Children>,
    lines: usize,
}

/// What stands below a node.
#[derive(Clone)]
enum Branch {
    Edge(usize),
    Group(Vec<usize>),
}

impl Tree<'_> {
    fn render(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let mut seen = vec![false; self.answer.nodes.len()];
        // Another name of a root stands beside it.
        let names: BTreeSet<usize> = self.children.iter().flat_map(|children| children.names.iter().copied()).collect();
        let is_root = |node: &usize| self.answer.nodes[*node].depth == 0 && !names.contains(node);
        let roots: Vec<usize> = (0..self.answer.nodes.len()).filter(is_root).collect();
        for root in roots {
            if std::mem::replace(&mut seen[root], true) {
                continue;
            }
            writeln!(out, "{}", self.node(root, ""))?;
            let mut stack: Vec<(String, Branch, bool)> = Vec::new();
            self.push(root, "", &mut stack);
            while let Some((prefix, branch, is_last)) = stack.pop() {
                if self.lines >= MAX_LINES {
                    return writeln!(out, "{prefix}… and more (--format json tells all)");
                }
                self.lines += 1;
                let (twig, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
                match branch {
                    Branch::Group(group) => writeln!(out, "{prefix}{twig}{}", self.group(&group))?,
                    Branch::Edge(place) => {
                        let (_, head) = ends(&self.answer.edges[place]);
                        let again = std::mem::replace(&mut seen[head], true);
                        let has_more = !self.children[head].edges.is_empty() || !self.children[head].groups.is_empty();
                        let note = if again && has_more { "  (above)" } else { "" };
                        writeln!(out, "{prefix}{twig}{}", self.edge(place, head, note))?;
                        if !again {
                            self.push(head, &format!("{prefix}{below}"), &mut stack);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// What stands below a node, the first on top of the stack.
    fn push(&self, node: usize, prefix: &str, stack: &mut Vec<(String, Branch, bool)>) {
        let children = &self.children[node];
        let edges = children.edges.iter().map(|place| Branch::Edge(*place));
        let branches: Vec<_> = edges.chain(children.groups.iter().cloned().map(Branch::Group)).collect();
        let count = branches.len();
        let lines = branches.into_iter().enumerate().map(|(at, branch)| (prefix.to_owned(), branch, at + 1 == count));
        stack.extend(lines.rev());
    }

    /// A node: what people call it, and which bytes it is.
    fn node(&self, place: usize, note: &str) -> String {
        let (node, color) = (&self.answer.nodes[place], self.style.color);
        let label = words::label(node);
        let short = words::short(node);
        let mut text = Painted(color, NAME, &label).to_string();
        if short != label {
            text.push_str(&format!("  {}", Painted(color, QUIET, short)));
        }
        for name in &self.children[place].names {
            text.push_str(&format!(
                " {}",
                Painted(color, QUIET, format!("= {}", words::short(&self.answer.nodes[*name])))
            ));
        }
        format!("{text}{note}")
    }

    fn edge(&self, place: usize, head: usize, note: &str) -> String {
        let edge = &self.answer.edges[place];
        format!("{} {}  {}", words::relation(edge), self.node(head, note), self.who(edge))
    }

    fn who(&self, edge: &AnswerEdge) -> String {
        let days = edge.said.first().and_then(|said| self.answer.statements.get(said.statement)).and_then(words::day);
        let text =
            format!("{}{}", words::who(self.answer, edge), days.map(|day| format!(", {day}")).unwrap_or_default());
        Painted(self.style.color, paint(edge.level), format!("[{text}]")).to_string()
    }

    fn group(&self, group: &[usize]) -> String {
        let names = group
            .iter()
            .take(MAX_NAMES)
            .map(|place| words::label(&self.answer.nodes[ends(&self.answer.edges[*place]).1]));
        let more = if group.len() > MAX_NAMES { ", …" } else { "" };
        let listed = names.collect::<Vec<_>>().join(", ");
        let first = group.first().map(|place| &self.answer.edges[*place]);
        let (relation, level) =
            first.map_or((String::new(), Level::Unverified), |edge| (words::relation(edge), edge.level));
        let who = Painted(self.style.color, paint(level), format!("[{}]", level.words()));
        format!("{relation} {}: {listed}{more}  {who}", group_name(self.answer, group))
    }
}

pub(super) const fn paint(level: Level) -> anstyle::Style {
    match level {
        Level::Signed => GOOD,
        Level::DerivedFromFile => NAME,
        Level::SelfDeclared => DOUBT,
        Level::Unverified => BAD,
    }
}

fn missing(told: &Told<'_>, out: &mut dyn Write, style: Style) -> io::Result<()> {
    if told.asked != Asked::Ancestors {
        return Ok(());
    }
    let nodes = told.answer.nodes.iter().filter(|node| {
        // Packages are named by version; that they have no digest is counted, not listed.
        node.missing.is_some() && node.kind != Kind::Package
    });
    let nodes: Vec<_> = nodes.collect();
    if !nodes.is_empty() {
        writeln!(out)?;
    }
    for node in nodes.iter().take(MAX_TOLD) {
        let words = node.missing.map_or("", Missing::words);
        writeln!(out, "{}: {}: {words}", Painted(style.color, DOUBT, "missing"), words::label(node))?;
    }
    more(nodes.len(), out)?;
    let packages = told.answer.nodes.iter().filter(|node| node.missing.is_some() && node.kind == Kind::Package).count();
    if packages > 0 {
        let packages = counted(packages as u64, "package");
        writeln!(out, "{}: no digest of {packages}", Painted(style.color, DOUBT, "missing"))?;
    }
    Ok(())
}

fn conflicts(answer: &Answer, out: &mut dyn Write, style: Style) -> io::Result<()> {
    for conflict in answer.conflicts.iter().take(MAX_TOLD) {
        let (text, sides) = words::conflict(answer, conflict);
        writeln!(out, "\n{}: {text}", Painted(style.color, BAD, "conflict"))?;
        sides.iter().try_for_each(|side| writeln!(out, "  {side}"))?;
    }
    more(answer.conflicts.len(), out)
}

fn cycles(answer: &Answer, out: &mut dyn Write, style: Style) -> io::Result<()> {
    for cycle in answer.cycles.iter().take(MAX_TOLD) {
        let names: Vec<_> = cycle.iter().take(MAX_NAMES).map(|place| words::label(&answer.nodes[*place])).collect();
        let more = cycle.len().saturating_sub(MAX_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let names = names.join(", ");
        writeln!(
            out,
            "\n{}: made from itself, as the statements say: {names}{more}",
            Painted(style.color, BAD, "circle")
        )?;
    }
    more(answer.cycles.len(), out)
}

/// What the answer does not have.
fn rest(told: &Told<'_>, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let answer = told.answer;
    if !answer.left_out.is_empty() || !answer.incomplete.is_empty() {
        writeln!(out)?;
    }
    for left in answer.left_out.iter().take(MAX_TOLD) {
        let words = Painted(style.color, BAD, "left out");
        writeln!(out, "{words}: the statement {} {}", left.digest, left.fault.words())?;
    }
    more(answer.left_out.len(), out)?;
    for why in &answer.incomplete {
        writeln!(out, "{}: {why}", Painted(style.color, DOUBT, "incomplete"))?;
    }
    Ok(())
}

fn more(count: usize, out: &mut dyn Write) -> io::Result<()> {
    match count.checked_sub(MAX_TOLD) {
        Some(more) if more > 0 => writeln!(out, "  and {more} more (--format json tells all)"),
        _ => Ok(()),
    }
}
