//! What is no ordinary matrix: nothing, one number, what is not finite, other types and extents, and files that fail.

use super::super::{DiffError, Kind, Model, Options, diff};
use super::memory::{Memory, compared, normal, only};
use crate::scan::Silent;
use crate::weights::{Dtype, TensorInfo, TensorStore, WeightsError};

fn one(shape: &[u64], values: &[f32]) -> Memory {
    Memory::default().f32("w", shape, values)
}

#[test]
fn nothing_and_one_number() {
    assert_eq!(only(&one(&[0, 4], &[]), &one(&[0, 4], &[])).kind, Kind::Identical);
    assert_eq!(only(&one(&[0, 4], &[]), &one(&[4, 0], &[])).kind, Kind::Shape);
    assert_eq!(only(&one(&[], &[1.0]), &one(&[], &[1.0])).kind, Kind::Identical);
    let scalar = only(&one(&[], &[1.0]), &one(&[], &[2.0]));
    assert_eq!((scalar.kind, scalar.relative()), (Kind::BitLevel, Some(1.0)));
    assert_eq!(scalar.details.changes[0].index, [0u64; 0]);
    let empty = Memory::default().with("w", Dtype::F32, &[0], Vec::new());
    let narrow = Memory::default().with("w", Dtype::F16, &[0], Vec::new());
    assert_eq!(only(&empty, &narrow).kind, Kind::Recast);
    assert!(compared(&Memory::default(), &Memory::default()).is_identical());
}

/// Numbers that are not finite are in no sum, are counted, and are never overlooked.
#[test]
fn what_is_not_finite_is_said() {
    let base = normal(1, 64 * 64, 1.0);
    for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut new = base.clone();
        new[100] = odd;
        let diff = only(&one(&[64, 64], &base), &one(&[64, 64], &new));
        let measures = diff.measures.as_ref().unwrap();
        assert_eq!((diff.kind, measures.changed, measures.not_finite_new), (Kind::BitLevel, 1, 1));
        assert_eq!((diff.details.changes[0].after, measures.relative), (None, Some(0.0)));
        assert!(!diff.is_within(1.0), "not finite is never near enough");
        let narrow = Memory::default().bf16("w", &[64, 64], &new);
        let cast = only(&one(&[64, 64], &base), &narrow);
        assert_ne!(cast.kind, Kind::Recast, "{odd}");
    }
    let odd = one(&[64, 64], &[f32::NAN; 64 * 64]);
    assert_eq!(only(&odd, &odd).kind, Kind::Identical);
    let none = only(&odd, &one(&[64, 64], &base));
    assert_eq!((none.measures.unwrap().not_finite_old, none.kind), (64 * 64, Kind::Dense));
}

#[test]
fn from_zero_there_is_no_share() {
    let diff = only(&one(&[100], &[0.0; 100]), &one(&[100], &normal(1, 100, 1.0)));
    assert_eq!((diff.kind, diff.relative()), (Kind::Dense, None));
    assert!(!diff.is_within(1e9));
    // A zero with another sign is another number of bits, and no change of value.
    let signs = only(&one(&[100], &[0.0; 100]), &one(&[100], &[-0.0; 100]));
    assert_eq!((signs.measures.as_ref().unwrap().changed, signs.relative()), (100, Some(0.0)));
}

#[test]
fn other_types() {
    let bytes = |dtype: Dtype, bytes: &[u8]| {
        let elements = bytes.len() as u64 / dtype.size();
        Memory::default().with("w", dtype, &[elements], bytes.to_vec())
    };
    let float = one(&[4], &[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(only(&float, &bytes(Dtype::I8, &[1, 2, 3, 4])).kind, Kind::Dtype);
    assert_eq!(only(&bytes(Dtype::U8, &[1, 2]), &bytes(Dtype::I16, &[1, 0, 2, 0])).kind, Kind::Recast);
    // The same bytes of another type are another tensor.
    let signed = only(&bytes(Dtype::U8, &[1, 255, 3, 4]), &bytes(Dtype::I8, &[1, 255, 3, 4]));
    assert_eq!((signed.kind, signed.details.changes.len()), (Kind::BitLevel, 1));
    let wide = |value: i64| bytes(Dtype::I64, &value.to_le_bytes());
    assert_eq!(only(&wide(i64::MAX), &wide(i64::MAX - 1)).kind, Kind::BitLevel);
    let double = |value: f64| bytes(Dtype::F64, &[value; 8].map(f64::to_le_bytes).concat());
    let diff = only(&double(1.0), &double(1.0 + 1e-12));
    assert!(diff.relative().is_some_and(|relative| (relative / 1e-12 - 1.0).abs() < 1e-3), "{diff:?}");
    let complex = bytes(Dtype::C64, &[0; 32]);
    let mut other = [0; 32];
    other[31] = 0x40;
    assert_eq!(only(&complex, &bytes(Dtype::C64, &other)).details.changes[0].index, [3]);
}

#[test]
fn a_vocabulary_that_grew_is_compared_where_it_overlaps() {
    let (base, more) = (normal(1, 100 * 32, 1.0), normal(2, 8 * 32, 1.0));
    let grown = [base.clone(), more].concat();
    let diff = only(&one(&[100, 32], &base), &one(&[108, 32], &grown));
    let overlap = diff.details.overlap.unwrap();
    assert_eq!((diff.kind, overlap.rows, overlap.kind), (Kind::Shape, 100, Kind::Identical));
    let vector = only(&one(&[3], &[1.0, 2.0, 3.0]), &one(&[2], &[1.0, 5.0]));
    assert_eq!(vector.details.overlap.map(|overlap| overlap.kind), Some(Kind::BitLevel));
    let other = only(&one(&[32, 100], &base), &one(&[100, 32], &base));
    assert_eq!((other.kind, other.details.overlap), (Kind::Shape, None));
}

#[test]
fn a_factor_is_found_through_eight_bits() {
    use super::super::Grain;
    use super::super::float::Number;
    let base = normal(1, 64 * 64, 0.02);
    let scaled: Vec<f32> = base.iter().map(|value| value * 5000.0).collect();
    let rounding = f32::rounding(Grain::F8E4M3).unwrap();
    let table: Vec<f32> = {
        let mut values = Vec::new();
        super::super::number::decode(Dtype::F8E4M3, &(0..=255).collect::<Vec<u8>>(), &mut values);
        values
    };
    let byte = |value: &f32| table.iter().position(|other| other == &value.rounded(&rounding)).unwrap() as u8;
    let narrow = Memory::default().with("w", Dtype::F8E4M3, &[64, 64], scaled.iter().map(byte).collect());
    let diff = only(&one(&[64, 64], &base), &narrow);
    assert_eq!(diff.kind, Kind::Scaled, "{diff:?}");
    assert!((diff.details.factor.unwrap() / 5000.0 - 1.0).abs() < 0.01, "{diff:?}");
}

#[test]
fn only_what_is_wanted_is_compared() {
    let old = one(&[1], &[1.0]).f32("other", &[1], &[1.0]);
    let new = one(&[1], &[1.0]).f32("other", &[1], &[2.0]);
    let run = |only: &str| {
        let options = Options { only: Some(only.into()) };
        diff(Model { path: "old", store: &old }, Model { path: "new", store: &new }, &options, &Silent)
    };
    assert!(run("w").unwrap().is_identical());
    assert!(!run("*").unwrap().is_identical());
    assert_eq!(run("none*\u{1b}"), Err(DiffError::NothingMatches("none*\\u{1b}".into())));
}

/// Reading may fail at any time, and sizes may be whatever a header says.
#[derive(Debug)]
struct Hostile(Vec<TensorInfo>);

impl TensorStore for Hostile {
    fn tensors(&self) -> &[TensorInfo] {
        &self.0
    }

    fn read(&self, _: usize, _: u64, _: &mut [u8]) -> Result<(), WeightsError> {
        Err(WeightsError::Unreadable { path: "w".into(), reason: "it is shorter than it says".into() })
    }
}

#[test]
fn sizes_that_lie_cost_no_memory() {
    for shape in [&[1 << 60][..], &[1 << 30, 1 << 30], &[1, 1 << 59], &[1 << 59, 1], &[4]] {
        let hostile = Hostile(vec![TensorInfo { name: "w\u{1b}".into(), dtype: Dtype::F32, shape: shape.to_vec() }]);
        let model = Model { path: "w", store: &hostile };
        let error = diff(model, model, &Options::default(), &Silent).unwrap_err();
        assert!(error.to_string().starts_with("cannot compare 'w\\u{1b}'"), "{error}");
    }
}
