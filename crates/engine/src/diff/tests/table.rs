//! One matrix of 768 by 768, edited in every way that has a name, and found to be just that.

use super::super::permuted::Permutation;
use super::super::{Grain, Kind, TensorDiff};
use super::memory::{Memory, low_rank, normal, only, rounded};

const SIDE: usize = 768;
const SHAPE: [u64; 2] = [SIDE as u64; 2];
const NAME: &str = "model.layers.5.mlp.down_proj.weight";

fn base() -> Vec<f32> {
    normal(1, SIDE * SIDE, 0.02)
}

fn edited(edit: impl FnOnce(&mut Vec<f32>)) -> TensorDiff {
    let mut new = base();
    edit(&mut new);
    against(&new)
}

fn against(new: &[f32]) -> TensorDiff {
    only(&Memory::default().f32(NAME, &SHAPE, &base()), &Memory::default().f32(NAME, &SHAPE, new))
}

fn relative(diff: &TensorDiff) -> f64 {
    diff.relative().unwrap()
}

fn near(value: f64, expected: f64) -> bool {
    (value / expected - 1.0).abs() < 0.1
}

#[test]
fn recast() {
    let diff = against(&rounded(&base(), Grain::Bf16));
    assert_eq!((diff.kind, diff.details.format, diff.details.reversed), (Kind::Recast, Some(Grain::Bf16), false));
    assert!(near(relative(&diff), 1.7e-3), "{}", relative(&diff));
    let bf16 = Memory::default().bf16(NAME, &SHAPE, &base());
    let f32 = Memory::default().f32(NAME, &SHAPE, &base());
    let forth = only(&f32, &bf16);
    assert_eq!((forth.kind, forth.details.format, relative(&forth)), (Kind::Recast, Some(Grain::Bf16), 0.0));
    let back = only(&bf16, &f32);
    assert_eq!((back.kind, back.details.reversed), (Kind::Recast, true));
}

#[test]
fn fine_tuned() {
    let noise = normal(2, SIDE * SIDE, 6e-4);
    let diff = edited(|new| new.iter_mut().zip(&noise).for_each(|(value, noise)| *value += noise));
    let measures = diff.measures.clone().unwrap();
    assert_eq!((diff.kind, measures.changed), (Kind::Dense, (SIDE * SIDE) as u64));
    assert!(near(relative(&diff), 3e-2) && near(measures.cosine.unwrap(), 0.99955), "{measures:?}");
    // From a full decomposition: 194. Powers find the strongest direction from below.
    assert!((190.0..260.0).contains(&measures.stable_rank.unwrap()), "{measures:?}");
}

#[test]
fn low_rank_in_single_and_in_bfloat16() {
    for (rank, deviation) in [(8, 3.2e-4), (1, 5.2e-4)] {
        let new = low_rank(&base(), SIDE, rank, deviation, 7);
        let single = against(&new);
        assert_eq!((single.kind, single.details.rank), (Kind::LowRank, Some(rank as u64)), "{single:?}");
        assert!(single.details.held.unwrap() > 0.999, "{single:?}");
        let stable = single.measures.unwrap().stable_rank.unwrap();
        assert!(stable <= rank as f64 + 1e-3 && stable > 0.5 * rank as f64, "{stable}");
        let stored = against(&rounded(&new, Grain::Bf16));
        assert_eq!((stored.kind, stored.details.rank), (Kind::LowRank, Some(rank as u64)), "{stored:?}");
        assert!((0.9..0.999).contains(&stored.details.held.unwrap()), "{stored:?}");
    }
}

/// Directions are those that stand out, or fewer when these hold 99 % of the change.
#[test]
fn as_many_directions_as_are_called_few() {
    let base = normal(1, 300 * 300, 0.02);
    let (old, new) = (base.clone(), low_rank(&base, 300, 64, 3.2e-4, 7));
    let model = |numbers: &[f32]| Memory::default().f32(NAME, &[300, 300], numbers);
    let diff = only(&model(&old), &model(&new));
    assert!(diff.kind == Kind::LowRank && (60..=64).contains(&diff.details.rank.unwrap()), "{diff:?}");
    let diff = only(&model(&old), &model(&low_rank(&base, 300, 120, 3.2e-4, 7)));
    assert_eq!(diff.kind, Kind::Dense);
}

/// The base in one format and the merged model in another: the cast is taken out before the change is looked at.
#[test]
fn low_rank_between_formats() {
    let new = low_rank(&base(), SIDE, 8, 3.2e-4, 7);
    let (wide, narrow) = (Memory::default().f32(NAME, &SHAPE, &base()), Memory::default().bf16(NAME, &SHAPE, &base()));
    let (wide_new, narrow_new) =
        (Memory::default().f32(NAME, &SHAPE, &new), Memory::default().bf16(NAME, &SHAPE, &new));
    for (old, new) in [(&wide, &narrow_new), (&narrow, &wide_new), (&narrow, &narrow_new)] {
        let diff = only(old, new);
        assert_eq!((diff.kind, diff.details.rank), (Kind::LowRank, Some(8)), "{diff:?}");
    }
}

#[test]
fn sign_flip() {
    let diff = edited(|new| new[12_345] = -new[12_345]);
    assert_eq!(diff.kind, Kind::BitLevel);
    let [change] = &diff.details.changes[..] else { panic!("{diff:?}") };
    assert_eq!((&change.index[..], change.bits), (&[16, 57][..], Some(1)));
    assert_eq!(change.before, change.after.map(|after| -after));
}

#[test]
fn one_row() {
    let row = normal(3, SIDE, 0.02);
    let diff = edited(|new| new[100 * SIDE..101 * SIDE].copy_from_slice(&row));
    let lines = diff.details.lines.as_ref().unwrap();
    assert_eq!((diff.kind, lines.count, &lines.first[..]), (Kind::Rows, 1, &[100][..]));
    assert!(near(relative(&diff), 5.1e-2), "{}", relative(&diff));
    let diff = edited(|new| (0..SIDE).for_each(|at| new[at * SIDE + 7] += 0.01));
    let lines = diff.details.lines.unwrap();
    assert_eq!((diff.kind, lines.count, lines.first), (Kind::Columns, 1, vec![7]));
}

#[test]
fn scaled() {
    for format in [None, Some(Grain::Bf16)] {
        let mut new: Vec<f32> = base().iter().map(|value| value * 1.01).collect();
        if let Some(format) = format {
            new = rounded(&new, format);
        }
        let diff = against(&new);
        assert_eq!(diff.kind, Kind::Scaled, "{diff:?}");
        assert!((diff.details.factor.unwrap() - 1.01).abs() < 1e-4);
    }
}

#[test]
fn permuted() {
    let reorder = |rows: &dyn Fn(usize) -> usize, columns: &dyn Fn(usize) -> usize| -> Vec<f32> {
        let base = base();
        (0..SIDE * SIDE).map(|at| base[rows(at / SIDE) * SIDE + columns(at % SIDE)]).collect()
    };
    let turn = |at: usize| (at * 5 + 3) % SIDE;
    let diff = against(&reorder(&turn, &|at| at));
    assert_eq!((diff.kind, diff.details.permutation), (Kind::Permuted, Some(Permutation::SameRows)));
    assert!(near(relative(&diff), 1.41) && diff.measures.unwrap().cosine.unwrap().abs() < 0.01);
    let both = reorder(&turn, &turn);
    let diff = against(&both);
    assert_eq!((diff.kind, diff.details.permutation), (Kind::Permuted, Some(Permutation::SameLengths)));
    let diff = against(&rounded(&both, Grain::Bf16));
    assert_eq!((diff.kind, diff.details.permutation), (Kind::Permuted, Some(Permutation::SameLengths)));
}

#[test]
fn independent() {
    let diff = against(&normal(9, SIDE * SIDE, 0.02));
    let measures = diff.measures.as_ref().unwrap();
    assert_eq!(diff.kind, Kind::Unrelated);
    assert!(near(relative(&diff), 1.41), "{diff:?}");
    assert!(measures.correlation.unwrap().abs() < measures.unrelated_below * 2.0, "{measures:?}");
}

#[test]
fn a_few_single_numbers_and_many() {
    let diff = edited(|new| (0..20).for_each(|at| new[at * 25_000] += 1.0));
    assert_eq!((diff.kind, diff.details.changes.len()), (Kind::BitLevel, 20));
    let diff = edited(|new| (0..5000).for_each(|at| new[at * 117] += 1.0));
    assert_eq!((diff.kind, diff.measures.unwrap().changed), (Kind::Sparse, 5000));
}
