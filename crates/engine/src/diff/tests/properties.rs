//! What holds for any tensors, and for any number of threads.

use proptest::prelude::*;

use super::super::{Diff, Kind, output};
use super::memory::{Memory, compared, low_rank, normal, only};
use crate::output::Style;
use crate::weights::Dtype;

const TYPES: [Dtype; 19] = [
    Dtype::Bool,
    Dtype::U8,
    Dtype::I8,
    Dtype::F8E5M2,
    Dtype::F8E4M3,
    Dtype::F8E8M0,
    Dtype::F8E4M3Fnuz,
    Dtype::F8E5M2Fnuz,
    Dtype::I16,
    Dtype::U16,
    Dtype::F16,
    Dtype::Bf16,
    Dtype::I32,
    Dtype::U32,
    Dtype::F32,
    Dtype::C64,
    Dtype::F64,
    Dtype::I64,
    Dtype::U64,
];

prop_compose! {
    fn tensor()(dtype in prop::sample::select(&TYPES[..]), shape in prop::collection::vec(0u64..20, 0..3))
        (bytes in prop::collection::vec(any::<u8>(), (shape.iter().product::<u64>() * dtype.size()) as usize),
         dtype in Just(dtype), shape in Just(shape)) -> Memory {
        Memory::default().with("w", dtype, &shape, bytes)
    }
}

prop_compose! {
    /// Two tensors of one type and extents.
    fn pair()(dtype in prop::sample::select(&TYPES[..]), shape in prop::collection::vec(1u64..20, 0..3))
        (old in prop::collection::vec(any::<u8>(), (shape.iter().product::<u64>() * dtype.size()) as usize),
         new in prop::collection::vec(any::<u8>(), (shape.iter().product::<u64>() * dtype.size()) as usize),
         dtype in Just(dtype), shape in Just(shape)) -> (Memory, Memory) {
        (Memory::default().with("w", dtype, &shape, old), Memory::default().with("w", dtype, &shape, new))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_tensor_is_what_it_is(tensor in tensor()) {
        let diff = compared(&tensor, &tensor);
        prop_assert!(diff.is_identical() && diff.is_within(0.0));
        prop_assert_eq!(diff.tensors[0].kind, Kind::Identical);
    }

    #[test]
    fn whatever_is_compared_is_told(old in tensor(), new in tensor()) {
        let diff = compared(&old, &new);
        prop_assert_eq!(diff.is_identical(), diff.tensors[0].kind == Kind::Identical);
        for telling in [output::Telling::Plain, output::Telling::Json, output::Telling::Html] {
            prop_assert!(output::render(&diff, telling, 10, &mut Vec::new(), Style::default()).is_ok());
        }
    }

    #[test]
    fn what_changed_is_the_same_both_ways((old, new) in pair()) {
        let (forth, back) = (only(&old, &new), only(&new, &old));
        let both = forth.measures.zip(back.measures);
        prop_assert_eq!(forth.kind == Kind::Identical, back.kind == Kind::Identical);
        if let Some((forth, back)) = both {
            prop_assert_eq!(forth.changed, back.changed);
            prop_assert_eq!(forth.changed_rows, back.changed_rows);
            prop_assert_eq!(forth.largest, back.largest);
            prop_assert_eq!((forth.not_finite_old, forth.not_finite_new), (back.not_finite_new, back.not_finite_old));
        }
        if matches!(forth.kind, Kind::BitLevel | Kind::Sparse | Kind::Rows | Kind::Columns | Kind::Permuted) {
            prop_assert_eq!(forth.kind, back.kind);
        }
    }
}

fn json(diff: &Diff) -> String {
    let mut bytes = Vec::new();
    output::render(diff, output::Telling::Json, 10, &mut bytes, Style::default()).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn with_threads(threads: usize, old: &Memory, new: &Memory) -> String {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| json(&compared(old, new)))
}

/// Many tensors, and one that is large enough for all threads to work on it.
#[test]
fn threads_change_nothing() {
    let base = normal(1, 600 * 500, 0.02);
    let (mut old, mut new) = (Memory::default(), Memory::default());
    for (layer, rank) in (0..5).zip([1, 3, 8, 20, 40]) {
        old = old.f32(&format!("layers.{layer}.w"), &[600, 500], &base);
        new = new.f32(&format!("layers.{layer}.w"), &[600, 500], &low_rank(&base, 600, rank, 1e-3, layer));
    }
    assert_eq!(with_threads(1, &old, &new), with_threads(2, &old, &new));
    assert_eq!(with_threads(1, &old, &new), with_threads(7, &old, &new));
}
