//! Python read into what rules ask for: calls with their arguments, stores, imports and comments, names followed to what
//! they stand for. The only place that knows the parser; its crates change with every release.
//!
//! Nothing is run. What a name stands for is told only where there is one answer: bound once, or by imports alone.
//! Everything else is unknown, and rules say nothing of what is unknown.

mod bindings;
mod depth;
mod fold;
mod index;
mod paths;
mod reading;
mod record;
mod script;

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, ParseOptions, parse_cells_unchecked, parse_unchecked};
use ruff_text_size::{Ranged as _, TextRange, TextSize};

pub(crate) use record::{caught_name, pattern_name};
pub(crate) use script::{Argument, Break, Call, Command, Comment, Import, Script, Span, Store, Text, Value};

/// Syntax errors that are kept of one file.
const MAX_BREAKS: usize = 8;

/// Reads a file of Python.
#[must_use]
pub(crate) fn read(text: &str) -> Script {
    if let Some(refused) = depth::refuses(text, Mode::Module) {
        return Script::refused(refused);
    }
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module));
    let breaks = breaks(text, parsed.errors());
    let comments = comments(text, parsed.tokens().iter().map(|token| (token.kind(), token.range())));
    let Some(module) = parsed.syntax().as_module() else { return Script::default() };
    Script { breaks, comments, ..reading::read(&module.body) }
}

/// Reads the cells of a notebook, which lie one after the other in the text with one line end between two of them.
#[must_use]
pub(crate) fn read_cells(text: &str, cells: &[Span]) -> Script {
    if let Some(refused) = depth::refuses(text, Mode::Ipython) {
        return Script::refused(refused);
    }
    let range = |span: &Span| TextRange::new(TextSize::new(span.start), TextSize::new(span.end));
    let parsed = parse_cells_unchecked(text, cells.iter().map(range), &ParseOptions::from(Mode::Ipython));
    let breaks = breaks(text, parsed.errors());
    let comments = comments(text, parsed.tokens().iter().map(|token| (token.kind(), token.range())));
    Script { breaks, comments, ..reading::read(&parsed.syntax().body) }
}

/// Whether a text is Python without mistakes.
#[must_use]
pub(crate) fn is_sound(text: &str) -> bool {
    depth::refuses(text, Mode::Module).is_none()
        && parse_unchecked(text, ParseOptions::from(Mode::Module)).errors().is_empty()
}

fn breaks(text: &str, errors: &[ruff_python_parser::ParseError]) -> Vec<Break> {
    let kept = errors.iter().take(MAX_BREAKS);
    kept.map(|error| Break { span: span(error.location), message: error.error.to_string() })
        .chain(text.find('\0').map(|at| Break { span: Span::at(at), message: "a null byte".to_owned() }))
        .collect()
}

/// Comments that speak to waag.
fn comments(text: &str, tokens: impl Iterator<Item = (TokenKind, TextRange)>) -> Vec<Comment> {
    let comments = tokens.filter(|(kind, _)| *kind == TokenKind::Comment);
    let told = comments.filter_map(|(_, range)| {
        let text = text.get(range.to_std_range())?;
        text.contains("waag:").then(|| Comment { span: span(range), text: text.to_owned() })
    });
    told.collect()
}

const fn span(range: TextRange) -> Span {
    Span { start: range.start().to_u32(), end: range.end().to_u32() }
}

#[cfg(test)]
mod tests;
