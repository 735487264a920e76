//! PEM: named blocks of Base64 between lines of dashes, with whatever text around them.
//!
//! Lines may have any length, as programs write them.

use zeroize::Zeroizing;

use crate::encoding::{of_base64, to_base64};

/// Blocks of one file that are looked at.
const MAX_BLOCKS: usize = 256;
/// Characters of a line that is written.
const LINE: usize = 64;

/// A block.
pub(crate) struct Block {
    /// What it is, as `PUBLIC KEY`.
    pub(crate) label: String,
    /// Its bytes; none when they cannot be read, as with the older way to encrypt keys, which puts lines before them.
    pub(crate) bytes: Option<Zeroizing<Vec<u8>>>,
    /// Whether it is encrypted in that older way.
    pub(crate) has_headers: bool,
}

/// The blocks of a text, in order.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((label, body, after)) = next_block(rest)
        && blocks.len() < MAX_BLOCKS
    {
        rest = after;
        let digits: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
        let bytes = of_base64(&digits).map(Zeroizing::new);
        blocks.push(Block { label: label.to_owned(), bytes, has_headers: body.contains(':') });
    }
    blocks
}

/// A block's name, what stands within it, and what comes after it.
fn next_block(text: &str) -> Option<(&str, &str, &str)> {
    let (_, from_label) = text.split_once("-----BEGIN ")?;
    let (label, from_body) = from_label.split_once("-----")?;
    let (body, after) = from_body.split_once(format!("-----END {label}-----").as_str())?;
    Some((label, body, after))
}

/// A block as OpenSSL writes it.
pub(crate) fn write(label: &str, bytes: &[u8]) -> String {
    let digits = to_base64(bytes);
    let lines = digits.as_bytes().chunks(LINE).map(|line| String::from_utf8_lossy(line));
    let body = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_as_they_are_written() {
        let text = format!("subject: x\n{}noise\n{}", write("A B", &[7; 100]), write("C", b"c"));
        let found: Vec<_> =
            blocks(&text).into_iter().map(|block| (block.label, block.bytes.map(|bytes| bytes.to_vec()))).collect();
        assert_eq!(found, [("A B".to_owned(), Some(vec![7; 100])), ("C".to_owned(), Some(b"c".to_vec()))]);
        assert!(write("A", &[7; 100]).lines().all(|line| line.len() <= 64));
    }

    #[test]
    fn what_is_no_block_is_passed_over() {
        for text in ["", "-----BEGIN A-----", "-----BEGIN A-----\nAAE=\n-----END B-----"] {
            assert_eq!(blocks(text).len(), 0, "{text}");
        }
        let odd = blocks("-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nAAE=\n-----END A-----");
        assert!(odd[0].has_headers && odd[0].bytes.is_none());
    }
}
