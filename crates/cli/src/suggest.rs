//! What somebody may have meant.

/// Suggestions that are made at most.
const MAX_SUGGESTIONS: usize = 3;

/// The names nearest to what was typed: few edits away, or containing it.
pub(crate) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    // A long text is no slip of the finger, and comparing it would take long.
    let typed: String = typed.to_lowercase().chars().take(64).collect();
    let most = typed.chars().count() / 3 + 1;
    let near = |name: &str| distance(&typed, name) <= most || (typed.len() > 2 && name.contains(&typed));
    let mut found: Vec<&str> = names.filter(|name| near(name)).collect();
    found.sort_by_key(|name| distance(&typed, name));
    found.truncate(MAX_SUGGESTIONS);
    found
}

/// Insertions, deletions and replacements that make one text of another.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, left) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, right) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (from, to, expected) in [("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("same", "same", 0)] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn slips_and_parts_are_understood() {
        let names = ["code-execution", "remote-code", "hidden-content"];
        let nearest = |typed| nearest(typed, names.into_iter());
        assert_eq!(nearest("code-excution"), ["code-execution"]);
        assert_eq!(nearest("code"), ["remote-code", "code-execution"]);
        assert_eq!(nearest("zzz"), [""; 0]);
    }
}
