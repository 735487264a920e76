//! For Markdown that draws: GitHub, GitLab and many editors.

use std::io::{self, Write};

use super::{Told, words};
use crate::lineage::answer::Level;

pub(super) fn render(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    for (place, node) in told.answer.nodes.iter().enumerate() {
        let label = format!("{}<br/>{} {}", quoted(&words::label(node)), node.kind.word(), quoted(&words::short(node)));
        writeln!(out, "  n{place}[\"{label}\"]")?;
    }
    for (place, edge) in told.answer.edges.iter().enumerate() {
        let who = quoted(&words::who(told.answer, edge));
        let arrow = if edge.level == Level::Signed { "-->" } else { "-.->" };
        writeln!(out, "  n{} {arrow}|\"{}<br/>{who}\"| n{}", edge.object, edge.relation, edge.subject)?;
        let color = match edge.level {
            Level::Signed => "#1a7f37",
            Level::DerivedFromFile => "#0969da",
            Level::SelfDeclared => "#9a6700",
            Level::Unverified => "#cf222e",
        };
        writeln!(out, "  linkStyle {place} stroke:{color}")?;
    }
    for (place, conflict) in told.answer.conflicts.iter().enumerate() {
        let (text, sides) = words::conflict(told.answer, conflict);
        let sides: String = sides.iter().map(|side| format!("<br/>{}", quoted(side))).collect();
        writeln!(out, "  c{place}{{{{\"conflict: {}{sides}\"}}}}", quoted(&text))?;
        writeln!(out, "  c{place} -.- n{}", conflict.subject)?;
        writeln!(out, "  linkStyle {} stroke:#cf222e", told.answer.edges.len() + place)?;
        writeln!(out, "  style c{place} stroke:#cf222e")?;
    }
    for (place, _) in told.answer.nodes.iter().enumerate().filter(|(_, node)| node.missing.is_some()) {
        writeln!(out, "  style n{place} stroke-dasharray: 4 3")?;
    }
    Ok(())
}

/// A text that is no markup, no quote and no entity: Mermaid decodes `#…;`.
fn quoted(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            letter if letter.is_alphanumeric() || " .,:/@+-_()×…".contains(letter) => letter.to_string(),
            other => format!("#{};", u32::from(other)),
        })
        .collect()
}
