//! A constant text in front of all names of one side: what `model.` and `base_model.model.` are when a model was saved from
//! within another object. With it, tensors that have changed find each other too, which their bytes cannot do.

use std::collections::BTreeMap;

use crate::sanitize::sanitize;
use crate::weights::TensorInfo;

/// Names that a prefix has to explain before it is believed.
const LEAST: usize = 3;
/// It has to explain all names without a counterpart, on the side that has fewer of them, but one in so many.
const EXCEPT: usize = 10;
/// Parts of a name that a prefix may be made of.
const MOST_PARTS: usize = 8;

/// What stands in front of the names of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefix {
    /// Whether it is the new side that has it.
    pub(super) is_new: bool,
    /// The text, with its dot.
    pub(super) text: String,
}

/// Tensors by name.
pub(super) type Named<'a> = BTreeMap<&'a str, &'a TensorInfo>;

impl Prefix {
    /// The prefix that explains the names which only one side has. A name counts when the tensor on the other side has
    /// its extents.
    pub(super) fn of(old: &Named<'_>, new: &Named<'_>) -> Option<Self> {
        let mut votes: BTreeMap<(bool, &str), usize> = BTreeMap::new();
        for (is_new, longer, shorter) in [(false, old, new), (true, new, old)] {
            for (name, tensor) in longer {
                for (prefix, rest) in splits(name) {
                    if shorter.get(rest).is_some_and(|other| other.shape == tensor.shape) {
                        *votes.entry((is_new, prefix)).or_insert(0) += 1;
                    }
                }
            }
        }
        // Of several, the one that explains most; of those, the first by name.
        let most = votes.values().max().copied()?;
        let ((is_new, text), _) = votes.into_iter().find(|(_, count)| *count == most)?;
        let names = old.len().min(new.len());
        let is_enough = most >= LEAST && names.saturating_sub(most) * EXCEPT <= names;
        is_enough.then(|| Self { is_new, text: text.to_owned() })
    }

    /// What the other side calls a tensor that the new side calls so.
    pub(super) fn old_name(&self, new: &str) -> Option<String> {
        if self.is_new { new.strip_prefix(&self.text).map(str::to_owned) } else { Some(format!("{}{new}", self.text)) }
    }

    /// In words, for people.
    pub(super) fn words(&self) -> String {
        let (one, other) = if self.is_new { ("second", "first") } else { ("first", "second") };
        let text = sanitize(&self.text);
        format!("names of the {one} have '{text}' in front of those of the {other}, and are compared without it")
    }
}

/// The ways to split a name behind one of its dots.
fn splits(name: &str) -> impl Iterator<Item = (&str, &str)> {
    name.match_indices('.').take(MOST_PARTS).map(|(at, _)| name.split_at(at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Dtype;

    fn found(old: &[&str], new: &[&str]) -> Option<(bool, String)> {
        let tensor = TensorInfo { name: String::new(), dtype: Dtype::F32, shape: vec![2] };
        let old = old.iter().map(|name| (*name, &tensor)).collect();
        let new = new.iter().map(|name| (*name, &tensor)).collect();
        Prefix::of(&old, &new).map(|prefix| (prefix.is_new, prefix.text))
    }

    #[test]
    fn a_prefix_has_to_explain_nearly_all_names() {
        let names = ["a.w", "b.w", "c.w"];
        let behind = |prefix: &str| names.map(|name| format!("{prefix}{name}"));
        for prefix in ["model.", "base_model.model.", "module.0."] {
            let new = behind(prefix);
            let new: Vec<&str> = new.iter().map(String::as_str).collect();
            assert_eq!(found(&names, &new), Some((true, prefix.to_owned())));
            assert_eq!(found(&new, &names), Some((false, prefix.to_owned())));
            assert_eq!(found(&names[..2], &new[..2]), None, "two are an accident");
            assert_eq!(found(&["a.w", "b.w", "c.w", "x", "y"], &[&new[..], &["z", "u"]].concat()), None);
            assert_eq!(found(&names, &[&new[..], &["z", "u"]].concat()), Some((true, prefix.to_owned())));
        }
        assert_eq!(found(&names, &[]), None);
        assert_eq!(found(&names, &["x.a.w", "y.b.w", "z.c.w"]), None);
    }
}
