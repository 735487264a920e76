//! Small answers about the parser's nodes.

use ruff_python_ast::Expr;
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
