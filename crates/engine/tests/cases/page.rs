//! The cases on a page: below `## Case`, each fenced input block and the `findings` block after it.

use std::ops::Range;

/// One case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Case<'a> {
    /// What kind of input, and its name: the text after the fence.
    pub(crate) kind: &'a str,
    /// The input.
    pub(crate) input: &'a str,
    /// Where on the page the expected findings stand, without the fences.
    pub(crate) expected: Range<usize>,
}

/// The cases of a page, in order.
pub(crate) fn cases(page: &str) -> Result<Vec<Case<'_>>, String> {
    let start = page.find("\n## Case\n").ok_or("the page has no '## Case'")?;
    let mut blocks = blocks(page, start)?.into_iter();
    let mut cases = Vec::new();
    while let Some((kind, input)) = blocks.next() {
        match blocks.next() {
            Some(("findings", expected)) => cases.push(Case { kind, input: &page[input], expected }),
            _ => return Err(format!("the block '{kind}' is not followed by its 'findings'")),
        }
    }
    Ok(cases)
}

/// The fenced blocks from `start` on: the text after the opening fence, and the range between the fences.
fn blocks(page: &str, start: usize) -> Result<Vec<(&str, Range<usize>)>, String> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut offset = start;
    for line in page[start..].split_inclusive('\n') {
        let fence = line.strip_prefix("```").map(str::trim_end);
        match (open, fence) {
            (None, Some(kind)) => open = Some((kind, offset + line.len())),
            (Some((kind, begin)), Some("")) => {
                blocks.push((kind, begin..offset));
                open = None;
            }
            _ => {}
        }
        offset += line.len();
    }
    match open {
        Some((kind, _)) => Err(format!("the block '{kind}' is not closed")),
        None => Ok(blocks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_and_their_findings_are_paired() {
        let page = "```toml\nx\n```\n## Case\n\n```text a.txt\nhello\n```\nSo:\n```findings\none\ntwo\n```\n";
        let cases = cases(page).unwrap();
        assert_eq!(cases.len(), 1);
        assert_eq!((cases[0].kind, cases[0].input), ("text a.txt", "hello\n"));
        assert_eq!(&page[cases[0].expected.clone()], "one\ntwo\n");
    }

    #[test]
    fn what_is_missing_is_said() {
        for (page, expected) in [
            ("# x\n", "no '## Case'"),
            ("\n## Case\n```hex a\n00\n```\n", "not followed"),
            ("\n## Case\n```hex a\n00\n", "not closed"),
        ] {
            assert!(cases(page).is_err_and(|error| error.contains(expected)), "{page}");
        }
    }
}
