//! Names that differ in a number only, on one line: `layers.{0..31}.mlp.up_proj.weight`.

/// A name with its first number cut out, and that number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Numbered {
    before: String,
    after: String,
}

/// Takes the first part of a name that is a number out of it.
pub(super) fn numbered(name: &str) -> Option<(Numbered, u64)> {
    let mut before = String::new();
    for part in name.split_inclusive('.') {
        let digits = part.strip_suffix('.').unwrap_or(part);
        // A number with leading zeros would not be the same once it is written again.
        let number = digits.parse::<u64>().ok().filter(|number| number.to_string() == digits);
        if let Some(number) = number {
            let after = name[before.len() + digits.len()..].to_owned();
            return Some((Numbered { before, after }, number));
        }
        before.push_str(part);
    }
    None
}

impl Numbered {
    /// What follows the number.
    pub(super) fn rest(&self) -> &str {
        self.after.strip_prefix('.').unwrap_or(&self.after)
    }

    /// The name with all its numbers, which are sorted: `{0..3,7}`.
    pub(super) fn with(&self, numbers: &[u64]) -> String {
        match numbers {
            [only] => format!("{}{only}{}", self.before, self.after),
            _ => format!("{}{{{}}}{}", self.before, ranges(numbers), self.after),
        }
    }
}

/// Sorted numbers as ranges: `0..3,7`.
pub(super) fn ranges(numbers: &[u64]) -> String {
    let runs = numbers.chunk_by(|one, other| one.checked_add(1) == Some(*other));
    let run = |run: &[u64]| match run {
        [] => String::new(),
        [only] => only.to_string(),
        [first, last] => format!("{first},{last}"),
        [first, .., last] => format!("{first}..{last}"),
    };
    runs.map(run).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_cut_out_and_put_back() {
        let (name, number) = numbered("model.layers.12.mlp.experts.3.w1").unwrap();
        assert_eq!(number, 12);
        assert_eq!(name.with(&[0, 1, 2, 7]), "model.layers.{0..2,7}.mlp.experts.3.w1");
        assert_eq!(name.with(&[12]), "model.layers.12.mlp.experts.3.w1");
        assert_eq!(numbered("lm_head.weight"), None);
        assert_eq!(numbered("layers.007.w"), None);
        assert_eq!(numbered("3").unwrap().0.with(&[3]), "3");
    }

    #[test]
    fn runs_are_shortened() {
        assert_eq!(ranges(&[0, 1, 3, 5, 6, 7]), "0,1,3,5..7");
        assert_eq!(ranges(&[u64::MAX]), u64::MAX.to_string());
    }
}
