//! Statements: each `{% … %}` is read by itself, so that an unknown one costs only itself.

use super::lexer::{Kind, Tag};
use super::parser::{Arena, Argument, Id, Parser};

/// What a statement does beyond evaluating its expressions.
#[derive(Debug)]
pub(super) enum Statement {
    /// Nothing that matters.
    Plain,
    /// Names are given values: by `set`, `with` or `for`.
    Bind { names: Vec<String>, value: Option<Id> },
    /// A loop over this.
    Loop { names: Vec<String>, over: Id },
    /// A loop's end.
    LoopEnd,
    /// A macro: its name, its parameters and their defaults.
    Macro { name: String, parameters: Vec<(String, Option<Id>)> },
    /// A block that a macro calls, with these parameters.
    CallBack(Vec<String>),
    /// Another template is read.
    Other,
    /// A statement that no renderer of chat templates knows.
    Unknown,
}

/// Reads a statement; `None` when it is not written as Jinja2 wants it.
pub(super) fn statement(tag: &Tag, arena: &mut Arena) -> Option<Statement> {
    let mut parser = Parser::new(&tag.tokens, arena);
    let word = parser.name()?;
    let read = match word.as_str() {
        "if" | "elif" | "do" | "print" | "autoescape" => expression(&mut parser),
        "for" => repeat(&mut parser),
        "set" => set(&mut parser),
        "with" => with(&mut parser),
        "macro" => define(&mut parser),
        "call" => call(&mut parser),
        "filter" => filter(&mut parser),
        "endfor" => Some(Statement::LoopEnd),
        "include" | "import" | "extends" | "from" | "debug" => return Some(Statement::Other),
        "block" | "endblock" | "endmacro" | "endset" => return Some(Statement::Plain),
        "else" | "endif" | "endwith" | "endcall" | "endfilter" | "endautoescape" | "break" | "continue"
        | "generation" | "endgeneration" | "endraw" => Some(Statement::Plain),
        _ => return Some(Statement::Unknown),
    }?;
    parser.at_end().then_some(read)
}

fn expression(parser: &mut Parser<'_, '_>) -> Option<Statement> {
    parser.tuple()?;
    Some(Statement::Plain)
}

/// Names on the left of `in` or `=`; attributes of a namespace count as names of their own.
fn targets(parser: &mut Parser<'_, '_>) -> Option<Vec<String>> {
    let mut names = Vec::new();
    loop {
        if parser.skip("(") {
            names.append(&mut targets(parser)?);
            parser.skip(")");
        } else {
            let mut name = parser.name()?;
            while parser.skip(".") {
                name = format!("{name}.{}", parser.name()?);
            }
            names.push(name);
        }
        if names.len() > 64 || !parser.skip(",") {
            return Some(names);
        }
    }
}

fn repeat(parser: &mut Parser<'_, '_>) -> Option<Statement> {
    let names = targets(parser)?;
    parser.skip("in").then_some(())?;
    let over = parser.plain()?;
    while parser.skip(",") {
        parser.plain()?;
    }
    if parser.skip("if") {
        parser.expression()?;
    }
    parser.skip("recursive");
    Some(Statement::Loop { names, over })
}

fn set(parser: &mut Parser<'_, '_>) -> Option<Statement> {
    let names = targets(parser)?;
    if parser.skip("=") {
        return Some(Statement::Bind { names, value: Some(parser.tuple()?) });
    }
    // The text of a block is put together, whatever it is made of.
    let value = Some(parser.block_filter("join".to_owned(), Vec::new()));
    while parser.skip("|") {
        let (name, arguments) = parser.filter()?;
        parser.block_filter(name, arguments);
    }
    Some(Statement::Bind { names, value })
}

fn with(parser: &mut Parser<'_, '_>) -> Option<Statement> {
    let mut names = Vec::new();
    let mut values = Vec::new();
    while !parser.at_end() {
        names.append(&mut targets(parser)?);
        parser.skip("=").then_some(())?;
        values.push(parser.expression()?);
        parser.skip(",");
    }
    let value = parser.group(values);
    Some(Statement::Bind { names, value: Some(value) })
}

fn parameters(parser: &mut Parser<'_, '_>) -> Option<Vec<(String, Option<Id>)>> {
    let mut list = Vec::new();
    while !parser.skip(")") {
        let name = parser.name()?;
        let default = if parser.skip("=") { Some(parser.expression()?) } else { None };
        list.push((name, default));
        if !parser.skip(",") {
            parser.skip(")").then_some(())?;
            break;
        }
    }
    Some(list)
}

fn define(parser: &mut Parser<'_, '_>) -> Option<Statement> {
    let name = parser.name()?;
    parser.skip("(").then_some(())?;
    let parameters = parameters(parser)?;
    Some(Statement::Macro { name, parameters })
}

fn call(parser: &mut Parser<'_, '_>) -> Option<Statement> {
    let names = if parser.skip("(") { parameters(parser)? } else { Vec::new() };
    parser.expression()?;
    Some(Statement::CallBack(names.into_iter().map(|(name, _)| name).collect()))
}

fn filter(parser: &mut Parser<'_, '_>) -> Option<Statement> {
    loop {
        let (name, arguments) = parser.filter()?;
        parser.block_filter(name, arguments);
        if !parser.skip("|") {
            return Some(Statement::Plain);
        }
    }
}

/// The words of a tag that could not be read, for a search by name.
pub(super) fn words(tag: &Tag) -> impl Iterator<Item = (&str, bool, Option<&str>)> {
    let before = std::iter::once(None).chain(tag.tokens.iter().map(Some));
    tag.tokens.iter().zip(before).filter_map(|(token, before)| {
        let before =
            before.and_then(|token| if let Kind::Operator(operator) = token.kind { Some(operator) } else { None });
        match &token.kind {
            Kind::Name(name) => Some((name.as_str(), false, before)),
            Kind::Text(text) => Some((text.as_str(), true, before)),
            _ => None,
        }
    })
}

/// What a keyword argument or a positional one is.
pub(super) fn argument(arguments: &[Argument], keyword: &str, position: usize) -> Option<Id> {
    let named = arguments.iter().find(|(name, _)| name.as_deref() == Some(keyword));
    let positional = || arguments.iter().filter(|(name, _)| name.is_none()).nth(position);
    named.or_else(positional).map(|(_, value)| *value)
}
