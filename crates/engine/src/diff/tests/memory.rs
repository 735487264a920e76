//! Models in memory, and edits of them.

use super::super::float::{Grain, Number};
use super::super::sketch::random;
use super::super::{Diff, Model, Options, TensorDiff, diff};
use crate::scan::Silent;
use crate::weights::{Dtype, TensorInfo, TensorStore, WeightsError};

/// Tensors whose bytes are held.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    tensors: Vec<TensorInfo>,
    bytes: Vec<Vec<u8>>,
}

impl TensorStore for Memory {
    fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    fn read(&self, tensor: usize, offset: u64, buffer: &mut [u8]) -> Result<(), WeightsError> {
        let start = usize::try_from(offset).unwrap();
        buffer.copy_from_slice(&self.bytes[tensor][start..start + buffer.len()]);
        Ok(())
    }
}

impl Memory {
    pub(super) fn with(mut self, name: &str, dtype: Dtype, shape: &[u64], bytes: Vec<u8>) -> Self {
        let tensor = TensorInfo { name: name.into(), dtype, shape: shape.to_vec() };
        assert_eq!(tensor.bytes(), bytes.len() as u64, "{name}");
        let at = self.tensors.partition_point(|other| other.name.as_str() < name);
        self.tensors.insert(at, tensor);
        self.bytes.insert(at, bytes);
        self
    }

    pub(super) fn f32(self, name: &str, shape: &[u64], values: &[f32]) -> Self {
        self.with(name, Dtype::F32, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    pub(super) fn bf16(self, name: &str, shape: &[u64], values: &[f32]) -> Self {
        let rounded = rounded(values, Grain::Bf16);
        let bytes = rounded.iter().flat_map(|value| ((value.to_bits() >> 16) as u16).to_le_bytes()).collect();
        self.with(name, Dtype::Bf16, shape, bytes)
    }
}

pub(super) fn compared(old: &Memory, new: &Memory) -> Diff {
    let (old, new) = (Model { path: "old", store: old }, Model { path: "new", store: new });
    diff(old, new, &Options::default(), &Silent).unwrap()
}

/// The only tensor of a comparison.
pub(super) fn only(old: &Memory, new: &Memory) -> TensorDiff {
    let mut diff = compared(old, new);
    assert_eq!(diff.tensors.len(), 1);
    diff.tensors.remove(0)
}

pub(super) fn rounded(values: &[f32], grain: Grain) -> Vec<f32> {
    let rounding = f32::rounding(grain).unwrap();
    values.iter().map(|value| value.rounded(&rounding)).collect()
}

/// Normally distributed numbers (Box and Muller), the same for the same seed.
pub(super) fn normal(seed: u64, count: usize, deviation: f32) -> Vec<f32> {
    let uniform = |at: u64| (random(seed << 32 ^ at) >> 11) as f64 / (1u64 << 53) as f64;
    let one =
        |at: u64| (-2.0 * (1.0 - uniform(2 * at)).ln()).sqrt() * (std::f64::consts::TAU * uniform(2 * at + 1)).cos();
    (0..count as u64).map(|at| one(at) as f32 * deviation).collect()
}

/// Adds a product of two random factors: `rank` directions.
pub(super) fn low_rank(base: &[f32], rows: usize, rank: usize, deviation: f32, seed: u64) -> Vec<f32> {
    let columns = base.len() / rows;
    let (left, right) = (normal(seed, rows * rank, 1.0), normal(seed + 1, rank * columns, 1.0));
    let scale = deviation / (rank as f32).sqrt();
    let at = |row: usize, column: usize| -> f32 {
        (0..rank).map(|direction| left[row * rank + direction] * right[direction * columns + column]).sum()
    };
    let cells = base.iter().enumerate();
    cells.map(|(cell, value)| value + scale * at(cell / columns, cell % columns)).collect()
}
