//! For Graphviz. Time goes from left to right: what was made stands to the right of what it was made from.

use std::io::{self, Write};

use super::{Told, words};
use crate::lineage::answer::Level;
use crate::sanitize::sanitize;

pub(super) fn render(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "digraph lineage {{")?;
    writeln!(
        out,
        "  rankdir=LR; node [shape=box, style=rounded, fontname=\"sans-serif\"]; edge [fontname=\"sans-serif\", fontsize=10];"
    )?;
    writeln!(out, "  label=\"{}\";", escaped(&words::headline(told)))?;
    for (place, node) in told.answer.nodes.iter().enumerate() {
        let line = if node.missing.is_some() { ", style=\"rounded,dashed\"" } else { "" };
        let label = format!("{}\n{} {}", words::label(node), node.kind.word(), words::short(node));
        writeln!(
            out,
            "  n{place} [label=\"{}\", tooltip=\"{}\"{line}];",
            escaped(&label),
            escaped(&sanitize(&node.id))
        )?;
    }
    for edge in &told.answer.edges {
        let who = words::who(told.answer, edge);
        let style = match edge.level {
            Level::Signed => "color=\"#1a7f37\"",
            Level::DerivedFromFile => "color=\"#0969da\", style=dotted",
            Level::SelfDeclared => "color=\"#9a6700\", style=dashed",
            Level::Unverified => "color=\"#cf222e\", style=dashed",
        };
        let label = escaped(&format!("{}\n{who}", edge.relation));
        writeln!(out, "  n{} -> n{} [label=\"{label}\", {style}];", edge.object, edge.subject)?;
    }
    for (place, conflict) in told.answer.conflicts.iter().enumerate() {
        let (text, sides) = words::conflict(told.answer, conflict);
        let label = escaped(&format!("conflict: {text}\n{}", sides.join("\n")));
        writeln!(out, "  c{place} [label=\"{label}\", shape=note, style=solid, color=\"#cf222e\"];")?;
        writeln!(out, "  c{place} -> n{} [dir=none, color=\"#cf222e\", style=dotted];", conflict.subject)?;
    }
    writeln!(out, "}}")
}

/// A text within quotes. Graphviz reads backslashes as its own escapes, so none of an artifact's is left to act.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
