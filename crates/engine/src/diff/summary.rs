//! What all tensors together look like, in plain words: what the change is consistent with, never where it comes from.

use serde::Serialize;

use super::fold::ranges;
use super::report::{Kind, TensorDiff};
use crate::output::text::{counted, percent};
use crate::sanitize::sanitize;

/// Tensors that a change may touch and still be called an edit of a few places.
const FEW_TENSORS: usize = 3;
/// Of a model with so few tensors, most are always few.
const FEW_OF: usize = 5;
/// Elements of a tensor from which on it takes part in saying whether models share numbers.
const TELLING: u64 = 256;
/// The share of elements that has to be unrelated, or related, to speak for all.
const NEARLY_ALL: f64 = 0.9;
/// The share of the changed elements that has to be of one kind to give the change its name.
const MOST: f64 = 0.8;

/// What a comparison comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The same tensors, in files of the same sizes.
    Identical,
    /// The same tensors in another container.
    ReSerialised,
    /// The same tensors, some under other names.
    Renamed,
    /// Rounded to a narrower format, and nothing else.
    Recast,
    /// Reordered or scaled, and nothing else.
    Transformed,
    /// A few tensors changed among many that did not.
    LocalisedEdit,
    /// Changed in few directions: what a merged adapter looks like.
    LowRank,
    /// Changed all over, and still alike.
    FineTune,
    /// Tensors of other extents or missing ones; what both have is the same.
    Resized,
    /// Some tensors alike, others unrelated.
    PartlyShared,
    /// No more alike than two models that were trained apart.
    Unrelated,
    /// Nothing that both have could be compared.
    Disjoint,
    /// Changed in several ways.
    Mixed,
}

/// What a comparison comes to, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Which it is.
    pub class: Class,
    /// One sentence.
    pub text: String,
    /// What else has to be known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Sums up a comparison.
pub(super) fn summarize(tensors: &[TensorDiff], same_root: bool, other_container: bool) -> Summary {
    let facts = Facts::of(tensors);
    let (class, text) = match (same_root, other_container) {
        (true, true) => (Class::ReSerialised, "re-serialised: the same tensors, in another container".to_owned()),
        (true, false) => (Class::Identical, "identical: the same tensors".to_owned()),
        (false, _) => facts.classify(),
    };
    Summary { class, text, notes: facts.notes() }
}

/// Tensors by what happened to them.
struct Facts<'a> {
    all: &'a [TensorDiff],
    /// Pairs that were compared, by name, and are not what they were.
    changed: Vec<&'a TensorDiff>,
    /// Pairs that are what they were.
    same: usize,
}

impl<'a> Facts<'a> {
    fn of(all: &'a [TensorDiff]) -> Self {
        let is_same = |diff: &&TensorDiff| matches!(effective(diff), Some(Kind::Identical));
        let is_changed = |diff: &&TensorDiff| effective(diff).is_some_and(|kind| kind != Kind::Identical);
        Self { all, changed: all.iter().filter(is_changed).collect(), same: all.iter().filter(is_same).count() }
    }

    fn count(&self, kind: Kind) -> usize {
        self.all.iter().filter(|diff| diff.kind == kind).count()
    }

    fn classify(&self) -> (Class, String) {
        let compared = self.changed.len() + self.same;
        if compared == 0 && self.count(Kind::Renamed) == 0 {
            return (
                Class::Disjoint,
                "not comparable: no tensor that both have has numbers in common extents".to_owned(),
            );
        }
        self.unrelated()
            .or_else(|| self.unchanged())
            .or_else(|| self.uniform())
            .or_else(|| self.edit())
            .or_else(|| self.low_rank())
            .or_else(|| self.fine_tune())
            .unwrap_or_else(|| (Class::Mixed, format!("changed in several ways: {}", self.kinds())))
    }

    /// Elements of the pairs that can tell, of those kinds.
    fn elements(&self, wanted: impl Fn(Kind) -> bool) -> f64 {
        let pairs = self.all.iter().filter_map(|diff| Some((effective(diff)?, diff.elements())));
        let telling = pairs.filter(|(kind, elements)| wanted(*kind) && *elements >= TELLING);
        telling.map(|(_, elements)| elements as f64).sum()
    }

    fn unrelated(&self) -> Option<(Class, String)> {
        let (unrelated, all) = (self.elements(|kind| kind == Kind::Unrelated), self.elements(|_| true));
        if unrelated <= all * (1.0 - NEARLY_ALL) {
            return None;
        }
        let share = percent(unrelated as u64, all as u64);
        Some(if unrelated >= all * NEARLY_ALL {
            let text = format!("unrelated: {share} of the compared numbers are no more alike than chance makes them");
            (Class::Unrelated, text)
        } else {
            let text = format!("partly shared: {share} of the compared numbers are unrelated, the others are not");
            (Class::PartlyShared, text)
        })
    }

    /// No tensor that both have changed.
    fn unchanged(&self) -> Option<(Class, String)> {
        if !self.changed.is_empty() {
            return None;
        }
        let renamed = self.count(Kind::Renamed);
        let only_names = renamed > 0 && self.same + renamed == self.all.len();
        if only_names {
            let names = counted(renamed as u64, "tensor");
            return Some((Class::Renamed, format!("the same tensors, {names} of them under another name")));
        }
        Some((Class::Resized, "other tensors or extents; what both have is the same to the bit".to_owned()))
    }

    /// Every change is of one kind, which leaves the model what it was or nearly so.
    fn uniform(&self) -> Option<(Class, String)> {
        let all = |wanted: &[Kind]| {
            self.changed.iter().all(|diff| effective(diff).is_some_and(|kind| wanted.contains(&kind)))
        };
        if all(&[Kind::Recast]) {
            return Some((Class::Recast, format!("re-cast: {}, and nothing else changed", self.casts())));
        }
        if all(&[Kind::Recast, Kind::Permuted, Kind::Scaled]) {
            let text =
                format!("transformed: {}; no number was learnt or edited that this does not explain", self.kinds());
            return Some((Class::Transformed, text));
        }
        None
    }

    fn casts(&self) -> String {
        let name = |reversed: bool| {
            let of = self.changed.iter().filter(move |diff| diff.details.reversed == reversed);
            let mut names: Vec<&str> = of.filter_map(|diff| diff.details.format).map(super::Grain::name).collect();
            names.sort_unstable();
            names.dedup();
            names.join(" and ")
        };
        let tensors = counted(self.changed.len() as u64, "tensor");
        match (name(false), name(true)) {
            (forth, back) if back.is_empty() && forth.is_empty() => format!("{tensors} in another integer type"),
            (forth, back) if back.is_empty() => format!("{tensors} rounded to {forth}"),
            (forth, back) if forth.is_empty() => format!("{tensors} were rounded to {back} in the first model"),
            (forth, back) => format!("{tensors} rounded to {forth}, or from {back}"),
        }
    }

    /// The pairs that changed by more than a cast.
    fn touched(&self) -> Vec<&'a TensorDiff> {
        self.changed.iter().filter(|diff| effective(diff) != Some(Kind::Recast)).copied().collect()
    }

    /// A few tensors changed among many that did not.
    fn edit(&self) -> Option<(Class, String)> {
        let touched = self.touched();
        let others = self.changed.len() + self.same - touched.len();
        if touched.is_empty() || touched.len() > FEW_TENSORS || others < FEW_OF.max(touched.len() * 3) {
            return None;
        }
        let names: Vec<String> = touched
            .iter()
            .map(|diff| format!("'{}' ({})", sanitize(&diff.name), effective(diff).map_or("", Kind::name)))
            .collect();
        let only = touched.len() as u64;
        let mut text = format!(
            "localised edit: only {} of {} changed: {}",
            only,
            counted(self.changed.len() as u64 + self.same as u64, "tensor"),
            names.join(", ")
        );
        let is_one = |diff: &&TensorDiff| diff.details.rank == Some(1) && is_projection(&diff.name);
        if touched.iter().all(is_one) {
            text +=
                "; one direction in a projection of an MLP is consistent with an edit of single facts (as ROME makes)";
        }
        Some((Class::LocalisedEdit, text))
    }

    fn low_rank(&self) -> Option<(Class, String)> {
        let touched = self.touched();
        let matrices: Vec<&TensorDiff> = touched
            .into_iter()
            .filter(|diff| diff.measures.as_ref().is_some_and(|measures| measures.changed_rows.is_some()))
            .collect();
        let low: Vec<&TensorDiff> = matrices.iter().filter(|diff| diff.details.rank.is_some()).copied().collect();
        let elements = |diffs: &[&TensorDiff]| diffs.iter().map(|diff| diff.elements() as f64).sum::<f64>();
        if low.is_empty() || elements(&low) < MOST * elements(&matrices) {
            return None;
        }
        let mut ranks: Vec<u64> = low.iter().filter_map(|diff| diff.details.rank).collect();
        ranks.sort_unstable();
        let text = format!(
            "changed in few directions: {} of {} changed matrices by a rank of {}, {} of all pairs unchanged; consistent with a merged adapter (LoRA)",
            low.len(),
            matrices.len(),
            spread(&ranks),
            self.same
        );
        Some((Class::LowRank, text))
    }

    fn fine_tune(&self) -> Option<(Class, String)> {
        let touched = self.touched();
        let elements = |wanted: &dyn Fn(Kind) -> bool| {
            let of = touched.iter().filter(|diff| effective(diff).is_some_and(wanted));
            of.map(|diff| diff.elements() as f64).sum::<f64>()
        };
        let trained = |kind: Kind| matches!(kind, Kind::Dense | Kind::Sparse | Kind::LowRank | Kind::Rows);
        if elements(&|kind| kind == Kind::Dense) == 0.0 || elements(&trained) < MOST * elements(&|_| true) {
            return None;
        }
        let mut relative: Vec<f64> = touched.iter().filter_map(|diff| diff.relative()).collect();
        relative.sort_by(f64::total_cmp);
        let median = relative.get(relative.len() / 2).copied().unwrap_or(0.0);
        let frozen = match self.same {
            0 => "every tensor changed".to_owned(),
            same => format!("{} of {} changed", touched.len(), counted((touched.len() + same) as u64, "tensor")),
        };
        let text = format!(
            "changed all over: {frozen}, the median by {} of its length; consistent with fine-tuning or further training",
            share(median)
        );
        Some((Class::FineTune, text))
    }

    /// Kinds of the changed pairs with their counts.
    fn kinds(&self) -> String {
        let count = |kind: Kind| self.changed.iter().filter(|diff| effective(diff) == Some(kind)).count();
        let named = Kind::ALL.into_iter().map(|kind| (kind, count(kind))).filter(|(_, count)| *count > 0);
        named.map(|(kind, count)| format!("{count} {}", kind.name())).collect::<Vec<_>>().join(", ")
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut note = |count: usize, text: &str| {
            if count > 0 {
                notes.push(format!("{} {text}", counted(count as u64, "tensor")));
            }
        };
        let resized = self.all.iter().filter(|diff| diff.details.overlap.is_some()).count();
        note(self.count(Kind::Removed), "only in the first model");
        note(self.count(Kind::Added), "only in the second model");
        note(resized, "with more or fewer rows (as a changed vocabulary gives), compared in the rows that both have");
        note(self.count(Kind::Shape) - resized, "with other extents, not compared");
        note(self.count(Kind::Dtype), "with numbers on different scales (such as floats and integers), not compared");
        let odd = |of: fn(&TensorDiff) -> u64| self.all.iter().filter(|diff| of(diff) > 0).count();
        let old = odd(|diff| diff.measures.as_ref().map_or(0, |measures| measures.not_finite_old));
        let new = odd(|diff| diff.measures.as_ref().map_or(0, |measures| measures.not_finite_new));
        note(old.max(new), "with numbers that are not finite, which no figure includes");
        notes
    }
}

/// How a pair compares: a resized one by the rows that both have. None when nothing was compared.
fn effective(diff: &TensorDiff) -> Option<Kind> {
    match diff.kind {
        Kind::Shape => diff.details.overlap.as_ref().map(|overlap| overlap.kind),
        Kind::Added | Kind::Removed | Kind::Renamed | Kind::Dtype => None,
        kind => Some(kind),
    }
}

/// Whether a name is that of a projection inside an MLP, as the common architectures call it.
fn is_projection(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["mlp", "ffn", "feed_forward", "fc_out", "fc1", "fc2", "dense_4h_to_h"].iter().any(|part| name.contains(part))
}

/// Ranks in a few words: `8`, `4 to 16`.
fn spread(ranks: &[u64]) -> String {
    match (ranks.first(), ranks.last()) {
        (Some(least), Some(most)) if least != most && most - least < 4 => {
            format!("about {}", ranges(&[ranks[ranks.len() / 2]]))
        }
        (Some(least), Some(most)) if least != most => format!("{least} to {most}"),
        (Some(only), _) => format!("about {only}"),
        _ => String::new(),
    }
}

/// A share with two significant digits.
pub(super) fn share(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "0 %".to_owned(),
        _ if percent >= 10.0 => format!("{percent:.0} %"),
        _ if percent >= 1.0 => format!("{percent:.1} %"),
        _ if percent >= 0.001 => {
            let digits = if percent >= 0.1 {
                2
            } else if percent >= 0.01 {
                3
            } else {
                4
            };
            format!("{percent:.digits$} %")
        }
        _ => format!("{percent:.0e} %"),
    }
}
