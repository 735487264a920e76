//! Whole models, and what their comparison comes to.

use super::super::float::Grain;
use super::super::sketch::random;
use super::super::{Class, Diff, Kind, TensorDiff};
use super::memory::{Memory, compared, low_rank, normal, rounded};

const SIDE: usize = 128;
const PROJECTIONS: [&str; 4] = ["self_attn.q_proj", "self_attn.v_proj", "mlp.up_proj", "mlp.down_proj"];
const LAYERS: u64 = 3;

/// A small transformer; `edit` gives each tensor its numbers from those of the base.
pub(super) fn model(edit: impl Fn(&str, Vec<f32>) -> Vec<f32>) -> Memory {
    let mut model = Memory::default();
    let square = [SIDE as u64; 2];
    for layer in 0..LAYERS {
        for (at, projection) in (0..).zip(PROJECTIONS) {
            let name = format!("model.layers.{layer}.{projection}.weight");
            let numbers = edit(&name, normal(layer * 10 + at, SIDE * SIDE, 0.02));
            model = model.f32(&name, &square, &numbers);
        }
        let name = format!("model.layers.{layer}.input_layernorm.weight");
        let ones = normal(layer + 100, SIDE, 0.1).iter().map(|value| 1.0 + value).collect();
        model = model.f32(&name, &square[..1], &edit(&name, ones));
    }
    let name = "model.embed_tokens.weight";
    model.f32(name, &[300, SIDE as u64], &edit(name, normal(200, 300 * SIDE, 0.02)))
}

pub(super) fn base() -> Memory {
    model(|_, numbers| numbers)
}

fn against(new: &Memory) -> Diff {
    compared(&base(), new)
}

fn seed(name: &str) -> u64 {
    name.bytes().fold(0, |seed, byte| random(seed ^ u64::from(byte))) >> 40
}

pub(super) fn adapted() -> Memory {
    model(|name, numbers| match name.contains("self_attn") {
        true => low_rank(&numbers, SIDE, 4, 4e-4, seed(name)),
        false => numbers,
    })
}

fn tuned(deviation: f32) -> Memory {
    model(|name, numbers| {
        let noise = normal(seed(name), numbers.len(), deviation);
        numbers.iter().zip(noise).map(|(value, noise)| value + noise).collect()
    })
}

#[test]
fn the_same_and_the_same_again() {
    let diff = against(&base());
    assert_eq!((diff.summary.class, diff.is_identical()), (Class::Identical, true));
    assert_eq!((diff.count(Kind::Identical), diff.old.tensors), (16, 16));
}

#[test]
fn another_format() {
    let diff = against(&model(|_, numbers| rounded(&numbers, Grain::Bf16)));
    assert_eq!(diff.summary.class, Class::Recast);
    assert_eq!(diff.summary.text, "re-cast: 16 tensors rounded to BF16, and nothing else changed");
    assert!(!diff.is_identical() && diff.is_within(0.01) && !diff.is_within(0.001));
}

#[test]
fn a_merged_adapter() {
    let diff = against(&adapted());
    assert_eq!(diff.summary.class, Class::LowRank, "{}", diff.summary.text);
    assert_eq!((diff.count(Kind::LowRank), diff.count(Kind::Identical)), (6, 10));
    let stored = against(&model(|name, numbers| match name.contains("self_attn") {
        true => rounded(&low_rank(&numbers, SIDE, 4, 4e-4, seed(name)), Grain::Bf16),
        false => rounded(&numbers, Grain::Bf16),
    }));
    assert_eq!(stored.summary.class, Class::LowRank, "{}", stored.summary.text);
    assert_eq!((stored.count(Kind::LowRank), stored.count(Kind::Recast)), (6, 10));
}

#[test]
fn an_edit_of_one_fact() {
    let at = "model.layers.1.mlp.down_proj.weight";
    let diff = against(&model(|name, numbers| match name == at {
        true => low_rank(&numbers, SIDE, 1, 1e-3, 5),
        false => numbers,
    }));
    assert_eq!(diff.summary.class, Class::LocalisedEdit);
    assert!(diff.summary.text.contains(at) && diff.summary.text.contains("ROME"), "{}", diff.summary.text);
    let other = against(&model(|name, mut numbers| {
        if name == at {
            numbers[77] = 3.0;
        }
        numbers
    }));
    assert_eq!(other.summary.class, Class::LocalisedEdit);
    assert!(!other.summary.text.contains("ROME"), "{}", other.summary.text);
}

#[test]
fn further_training_and_training_apart() {
    let diff = against(&tuned(1e-3));
    assert_eq!(diff.summary.class, Class::FineTune, "{}", diff.summary.text);
    let diff = against(&model(|name, numbers| normal(seed(name), numbers.len(), 0.02)));
    assert_eq!(diff.summary.class, Class::Unrelated, "{}", diff.summary.text);
    let half = |name: &str| name.contains("mlp");
    let diff =
        against(&model(|name, numbers| if half(name) { normal(seed(name), numbers.len(), 0.02) } else { numbers }));
    assert_eq!(diff.summary.class, Class::PartlyShared, "{}", diff.summary.text);
}

#[test]
fn reordered_and_scaled() {
    let turn =
        |numbers: &[f32]| (0..numbers.len()).map(|at| numbers[(at / SIDE * 5 + 3) % SIDE * SIDE + at % SIDE]).collect();
    let diff = against(&model(|name, numbers| match name {
        _ if name.contains("up_proj") => turn(&numbers),
        _ if name.contains("q_proj") => numbers.iter().map(|value| value * 2.0).collect(),
        _ => numbers,
    }));
    assert_eq!(diff.summary.class, Class::Transformed, "{}", diff.summary.text);
    assert_eq!((diff.count(Kind::Permuted), diff.count(Kind::Scaled)), (3, 3));
}

#[test]
fn renamed_tensors_are_found_by_what_they_hold() {
    let numbers = normal(1, 100, 1.0);
    let old = Memory::default().f32("a", &[100], &numbers).f32("zeros.1", &[2], &[0.0; 2]).f32("gone", &[1], &[1.0]);
    let new = Memory::default().f32("b", &[100], &numbers).f32("zeros.2", &[2], &[0.0; 2]).f32("came", &[1], &[2.0]);
    let diff = compared(&old, &new);
    let kinds: Vec<(&str, Kind)> = diff.tensors.iter().map(|tensor| (&*tensor.name, tensor.kind)).collect();
    let expected = [("b", Kind::Renamed), ("came", Kind::Added), ("gone", Kind::Removed), ("zeros.2", Kind::Renamed)];
    assert_eq!(kinds, expected);
    assert_eq!(diff.tensors[0].old.as_ref().map(|side| &*side.name), Some("a"));
    assert!(!diff.is_within(1.0), "a loader looks for names");
    let renamed =
        compared(&Memory::default().f32("a", &[100], &numbers), &Memory::default().f32("b", &[100], &numbers));
    assert_eq!(renamed.summary.class, Class::Renamed);
    assert!(!renamed.is_identical());
}

#[test]
fn a_prefix_of_all_names_hides_no_change() {
    let numbers = |seed: u64, more: f32| -> Vec<f32> {
        normal(seed, 64 * 64, 1.0).iter().zip(normal(seed + 9, 64 * 64, more)).map(|(one, more)| one + more).collect()
    };
    let model = |prefix: &str, more: f32| {
        let names = ["a.weight", "b.weight", "c.weight"].into_iter().enumerate();
        let model = names.fold(Memory::default(), |model, (seed, name)| {
            model.f32(&format!("{prefix}{name}"), &[64, 64], &numbers(seed as u64, more))
        });
        model.f32(&format!("{prefix}same"), &[2], &[1.0; 2])
    };
    for (old, new) in [("", "base_model.model."), ("module.", "")] {
        let diff = compared(&model(old, 0.0), &model(new, 0.1));
        assert_eq!((diff.tensors.len(), diff.count(Kind::Dense), diff.count(Kind::Renamed)), (4, 3, 1), "{old} {new}");
        let names = |diff: &TensorDiff| (diff.old.clone().unwrap().name, diff.new.clone().unwrap().name);
        assert_eq!(names(&diff.tensors[0]), (format!("{old}a.weight"), format!("{new}a.weight")));
        assert!(diff.summary.notes.iter().any(|note| note.contains(&format!("'{old}{new}'"))));
        assert_eq!(diff.summary.class, Class::FineTune);
        assert!(!diff.is_within(1.0), "a loader looks for names");
    }
    assert_eq!(compared(&model("", 0.0), &model("model.", 0.0)).summary.class, Class::Renamed);
}

#[test]
fn a_vocabulary_that_grew_and_nothing_in_common() {
    let more = normal(9, 4 * SIDE, 0.02);
    let name = "model.embed_tokens.weight";
    let embeddings = normal(200, 300 * SIDE, 0.02);
    let old = Memory::default().f32(name, &[300, SIDE as u64], &embeddings);
    let new = Memory::default().f32(name, &[304, SIDE as u64], &[embeddings, more].concat());
    let diff = compared(&old, &new);
    assert_eq!(diff.summary.class, Class::Resized, "{}", diff.summary.text);
    assert!(diff.summary.notes[0].contains("more or fewer rows"), "{:?}", diff.summary.notes);
    let other = compared(&old, &Memory::default().f32("w", &[1], &[1.0]));
    assert_eq!(other.summary.class, Class::Disjoint);
}
