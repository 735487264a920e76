//! How an answer is told.

mod dot;
mod fold;
mod json;
mod mermaid;
mod plain;
mod svg;
mod words;

use std::io::{self, Write};

use super::answer::Answer;
use crate::output::Style;

/// A way to tell an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A tree, for people at a terminal.
    Plain,
    /// For programs.
    Json,
    /// For Graphviz.
    Dot,
    /// For Markdown that draws.
    Mermaid,
    /// A picture.
    Svg,
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// What it was made from.
    Ancestors,
    /// What was made from it.
    Descendants,
    /// What is wrong if it is.
    Affected,
    /// The shortest way to what nobody signed.
    UnsignedPath,
}

/// A question and its answer.
#[derive(Debug)]
pub struct Told<'a> {
    /// What was asked.
    pub asked: Asked,
    /// About what, as the user named it.
    pub about: &'a str,
    /// The answer.
    pub answer: &'a Answer,
}

impl Told<'_> {
    /// Tells it.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn render(&self, format: Format, out: &mut dyn Write, style: Style) -> io::Result<()> {
        match format {
            Format::Plain => plain::render(self, out, style),
            Format::Json => json::render(self, out),
            Format::Dot => dot::render(self, out),
            Format::Mermaid => mermaid::render(self, out),
            Format::Svg => svg::render(self, out),
        }
    }

    /// Whether the walk went from what was made to what it was made from.
    const fn is_upward(&self) -> bool {
        matches!(self.asked, Asked::Ancestors | Asked::UnsignedPath)
    }
}

#[cfg(test)]
mod tests;
