//! The lines of a comparison: tensors of one kind, most changed first, with those of many layers on one line.

use std::collections::BTreeMap;

use crate::diff::fold::{Numbered, numbered};
use crate::diff::report::{Kind, Lines, Measures, TensorDiff, TensorSide};
use crate::diff::summary::share;
use crate::diff::{Change, Permutation};
use crate::output::text::{counted, percent};
use crate::sanitize::sanitize;

/// Numbers that a line shows before it says how many more there are.
const MAX_CHANGES: usize = 3;
/// Lines or columns that a line lists.
const MAX_LISTED: usize = 4;

/// Tensors that are told on one line.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// Their name, with the numbers of all of them; safe to print.
    pub(super) name: String,
    /// The tensors, in the order of their numbers.
    pub(super) tensors: Vec<&'a TensorDiff>,
}

/// The tensors of a kind on lines, the line with the largest change first.
pub(super) fn rows<'a>(tensors: &'a [TensorDiff], kind: Kind) -> Vec<Row<'a>> {
    let mut folded: BTreeMap<Numbered, Vec<(u64, &TensorDiff)>> = BTreeMap::new();
    let mut rows = Vec::new();
    for tensor in tensors.iter().filter(|tensor| tensor.kind == kind) {
        match numbered(&tensor.name) {
            Some((name, number)) => folded.entry(name).or_default().push((number, tensor)),
            None => rows.push(Row { name: sanitize(&tensor.name), tensors: vec![tensor] }),
        }
    }
    for (name, mut tensors) in folded {
        tensors.sort_by_key(|(number, _)| *number);
        let numbers: Vec<u64> = tensors.iter().map(|(number, _)| *number).collect();
        let tensors = tensors.into_iter().map(|(_, tensor)| tensor).collect();
        rows.push(Row { name: sanitize(&name.with(&numbers)), tensors });
    }
    rows.sort_by(|one, other| other.most().total_cmp(&one.most()).then_with(|| one.name.cmp(&other.name)));
    rows
}

impl Row<'_> {
    /// The largest relative change on the line.
    pub(super) fn most(&self) -> f64 {
        self.relative().map(|relative| relative.unwrap_or(f64::INFINITY)).fold(0.0, f64::max)
    }

    fn relative(&self) -> impl Iterator<Item = Option<f64>> {
        self.tensors.iter().filter(|tensor| tensor.measures.is_some()).map(|tensor| tensor.relative())
    }

    /// The relative change, or its range: `1.2 %`, `0.81 % to 1.6 %`.
    pub(super) fn change(&self) -> String {
        let mut found: Vec<Option<f64>> = self.relative().collect();
        found.sort_by(|one, other| one.unwrap_or(f64::INFINITY).total_cmp(&other.unwrap_or(f64::INFINITY)));
        let word = |relative: Option<f64>| relative.map_or("from zero".to_owned(), share);
        match (found.first(), found.last()) {
            (Some(least), Some(most)) => span(&word(*least), &word(*most)),
            _ => String::new(),
        }
    }

    /// What is particular to the kind.
    pub(super) fn detail(&self) -> String {
        let mut details: Vec<String> = self.tensors.iter().map(|tensor| detail(tensor)).collect();
        if let Some(ranks) = self.ranks() {
            return ranks;
        }
        details.dedup();
        match &details[..] {
            [only] => only.clone(),
            [first, ..] if !first.is_empty() => format!("{first}; others differ in detail"),
            _ => String::new(),
        }
    }

    /// Ranks of several tensors and the least that they hold.
    fn ranks(&self) -> Option<String> {
        let ranks: Vec<u64> = self.tensors.iter().map(|tensor| tensor.details.rank).collect::<Option<_>>()?;
        let held = self.tensors.iter().filter_map(|tensor| tensor.details.held).fold(1.0, f64::min);
        let (least, most) = (ranks.iter().min()?, ranks.iter().max()?);
        let rank = if least == most { least.to_string() } else { format!("{least} to {most}") };
        Some(format!("rank {rank}, holding {} of the change", held_share(held)))
    }
}

fn span(least: &str, most: &str) -> String {
    match least == most {
        true => least.to_owned(),
        // A unit is written once: `0.81 to 1.6 %`.
        false if most.ends_with(" %") => format!("{} to {most}", least.strip_suffix(" %").unwrap_or(least)),
        false => format!("{least}, or {most}"),
    }
}

/// A share that is never rounded up to all.
fn held_share(held: f64) -> String {
    percent((held * 1e6) as u64, 1_000_000)
}

fn detail(tensor: &TensorDiff) -> String {
    let details = &tensor.details;
    let measures = tensor.measures.as_ref();
    match tensor.kind {
        Kind::Shape => resized(tensor),
        Kind::Dtype => sides(tensor, |side| side.dtype.name().to_owned()),
        Kind::Added | Kind::Removed => {
            let side = tensor.new.as_ref().or(tensor.old.as_ref());
            side.map(|side| format!("{} {}", side.dtype, shape(&side.shape))).unwrap_or_default()
        }
        Kind::Unrelated => measures.map(unrelated).unwrap_or_default(),
        Kind::Dense => measures.map(dense).unwrap_or_default(),
        Kind::Rows | Kind::Columns => details.lines.as_ref().map(|lines| lined(tensor.kind, lines)).unwrap_or_default(),
        Kind::BitLevel | Kind::Sparse => changes(tensor),
        Kind::Permuted => permuted(tensor).to_owned(),
        Kind::Scaled => details.factor.map(|factor| format!("by {}", number(factor))).unwrap_or_default(),
        Kind::Recast => recast(tensor),
        Kind::Renamed => tensor.old.as_ref().map(|old| format!("was {}", sanitize(&old.name))).unwrap_or_default(),
        Kind::LowRank | Kind::Identical => String::new(),
    }
}

fn resized(tensor: &TensorDiff) -> String {
    let shapes = sides(tensor, |side| shape(&side.shape));
    match &tensor.details.overlap {
        None => shapes,
        Some(overlap) => format!("{shapes}; the first {}: {}", counted(overlap.rows, "row"), overlap.kind.name()),
    }
}

fn sides(tensor: &TensorDiff, of: impl Fn(&TensorSide) -> String) -> String {
    let side = |side: &Option<TensorSide>| side.as_ref().map(&of).unwrap_or_default();
    format!("{} -> {}", side(&tensor.old), side(&tensor.new))
}

/// Extents: `4096 x 14336`.
pub(super) fn shape(shape: &[u64]) -> String {
    match shape {
        [] => "scalar".to_owned(),
        shape => shape.iter().map(u64::to_string).collect::<Vec<_>>().join(" x "),
    }
}

fn unrelated(measures: &Measures) -> String {
    let correlation = measures.correlation.unwrap_or(0.0);
    format!("correlation {correlation:.3}, by chance {:.3}", measures.unrelated_below)
}

fn dense(measures: &Measures) -> String {
    let changed = format!("{} of the numbers", percent(measures.changed, measures.numbers));
    match measures.stable_rank {
        Some(rank) if rank >= 1.5 => format!("{changed}, stable rank up to {rank:.0}"),
        _ => changed,
    }
}

fn lined(kind: Kind, lines: &Lines) -> String {
    let noun = if kind == Kind::Rows { "row" } else { "column" };
    let listed: Vec<String> = lines.first.iter().take(MAX_LISTED).map(u64::to_string).collect();
    let more = if lines.count > listed.len() as u64 { " …" } else { "" };
    format!("{} of {}: {}{more}", counted(lines.count, noun), lines.of, listed.join(", "))
}

fn changes(tensor: &TensorDiff) -> String {
    let changes = &tensor.details.changes;
    let count = tensor.measures.as_ref().map_or(0, |measures| measures.changed);
    let one_bit = changes.len() as u64 == count && changes.iter().all(|change| change.bits == Some(1));
    let listed: Vec<String> = changes.iter().take(MAX_CHANGES).map(change).collect();
    let more = if count > listed.len() as u64 { " …" } else { "" };
    let bits = if one_bit { ", one bit each" } else { "" };
    format!("{}{bits}: {}{more}", counted(count, "number"), listed.join(", "))
}

fn change(change: &Change) -> String {
    let index = change.index.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let value = |value: Option<f64>| value.map_or("not finite".to_owned(), number);
    format!("[{index}] {} -> {}", value(change.before), value(change.after))
}

/// A number with four significant digits.
pub(super) fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-3..1e5).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let digits = match magnitude {
        _ if magnitude >= 1000.0 => 0,
        _ if magnitude >= 100.0 => 1,
        _ if magnitude >= 10.0 => 2,
        _ if magnitude >= 1.0 => 3,
        _ if magnitude >= 0.1 => 4,
        _ => 5,
    };
    format!("{value:.digits$}")
}

fn permuted(tensor: &TensorDiff) -> &'static str {
    match tensor.details.permutation {
        Some(Permutation::SameRows) => "the same rows, in another order",
        Some(Permutation::SameNumbers) => "the same numbers, in another order",
        Some(Permutation::SameLengths) => "rows of the same lengths: consistent with reordered rows and columns",
        None => "",
    }
}

fn recast(tensor: &TensorDiff) -> String {
    let types = sides(tensor, |side| side.dtype.name().to_owned());
    let Some(format) = tensor.details.format else { return types };
    let same_type = tensor.old.as_ref().map(|side| &side.dtype) == tensor.new.as_ref().map(|side| &side.dtype);
    match (same_type, tensor.details.reversed) {
        (false, _) => types,
        (true, false) => {
            format!("rounded to {}, kept as {}", format.name(), types.split(' ').next().unwrap_or_default())
        }
        (true, true) => format!("was rounded to {} before", format.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        for (value, expected) in
            [(1.01, "1.010"), (0.0, "0.00000"), (-0.012_345, "-0.01235"), (123_456.0, "1.235e5"), (1e-9, "1.000e-9")]
        {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn ranges_name_their_unit_once() {
        assert_eq!(span("1.0 %", "1.6 %"), "1.0 to 1.6 %");
        assert_eq!(span("1.0 %", "1.0 %"), "1.0 %");
        assert_eq!(span("1.0 %", "from zero"), "1.0 %, or from zero");
    }
}
