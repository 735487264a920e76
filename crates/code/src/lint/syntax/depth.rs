//! How deep a file's tree would be, before there is one: trees are read and taken down by recursion.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

/// Levels of a tree that is read. People write some dozens, generators some hundreds.
const MAX_DEPTH: usize = 2_000;

/// Why a text is not read, if it is not.
pub(super) fn refuses(text: &str, mode: Mode) -> Option<String> {
    if u32::try_from(text.len()).is_err() {
        return Some("it is longer than is read".to_owned());
    }
    is_too_deep(text, mode).then(|| format!("its expressions lie more than {MAX_DEPTH} levels deep in each other"))
}

/// Each bracket counts what was chained in it since the last comma; what lies within a bracket lies below all of it.
fn is_too_deep(text: &str, mode: Mode) -> bool {
    let mut lexer = lexer::lex(text, mode);
    let (mut outer, mut chained, mut sum, mut indents) = (Vec::new(), 0_usize, 0_usize, 0_usize);
    loop {
        match lexer.next_token() {
            TokenKind::EndOfFile => return false,
            TokenKind::Newline | TokenKind::Semi => (chained, sum) = (0, outer_sum(&outer)),
            TokenKind::Comma => chained = 0,
            TokenKind::Indent => indents += 1,
            TokenKind::Dedent => indents = indents.saturating_sub(1),
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                chained += 1;
                sum += chained;
                outer.push(std::mem::take(&mut chained));
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::FStringEnd | TokenKind::TStringEnd => {
                chained = outer.pop().unwrap_or(0);
                sum = sum.saturating_sub(chained);
            }
            kind if is_flat(kind) => {}
            _ => chained += 1,
        }
        if sum + chained + indents > MAX_DEPTH {
            return true;
        }
    }
}

fn outer_sum(outer: &[usize]) -> usize {
    outer.iter().sum()
}

/// Tokens that put nothing below anything.
const fn is_flat(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
            | TokenKind::Unknown
            | TokenKind::IpyEscapeCommand
    )
}
