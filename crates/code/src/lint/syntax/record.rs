//! Small answers about the parser's nodes.

use ruff_python_ast::{ExceptHandler, Expr, Identifier, Pattern};
use ruff_text_size::TextRange;

use super::script::Span;

/// A range as rules see it.
pub(super) const fn span_of(range: TextRange) -> Span {
    Span { start: range.start().to_u32(), end: range.end().to_u32() }
}

/// The name that an expression is, when it is nothing else: `files`, `self.files`.
pub(super) fn argument_name(expression: &Expr) -> Option<String> {
    let mut parts = Vec::new();
    let mut next = expression;
    while let Expr::Attribute(attribute) = next {
        parts.push(attribute.attr.as_str());
        next = &attribute.value;
    }
    parts.push(next.as_name_expr()?.id.as_str());
    parts.reverse();
    Some(parts.join("."))
}

/// The name that a pattern binds by itself, beside those in it.
pub(crate) fn pattern_name(pattern: &Pattern) -> Option<&str> {
    let name = match pattern {
        Pattern::MatchAs(by) => by.name.as_ref(),
        Pattern::MatchStar(star) => star.name.as_ref(),
        Pattern::MatchMapping(mapping) => mapping.rest.as_ref(),
        _ => None,
    };
    name.map(Identifier::as_str)
}

/// The name that an exception is caught under.
pub(crate) fn caught_name(handler: &ExceptHandler) -> Option<&str> {
    let ExceptHandler::ExceptHandler(except) = handler;
    except.name.as_ref().map(Identifier::as_str)
}
