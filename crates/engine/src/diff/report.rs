//! What a comparison found, as data: for programs as it is, for people through [`super::output`].

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use waag_evidence::Sha256Digest;

use super::change::Change;
use super::float::Grain;
use super::permuted::Permutation;
use super::summary::Summary;
use crate::weights::Dtype;

/// How two tensors differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Both have the name, but not the same extents.
    Shape,
    /// Both have the name, but their numbers are not on one scale, such as floats and integers.
    Dtype,
    /// Only the new side has it.
    Added,
    /// Only the old side has it.
    Removed,
    /// No more alike than unrelated tensors of this size.
    Unrelated,
    /// Changed in all numbers, in no pattern that has a name here.
    Dense,
    /// A change in few directions.
    LowRank,
    /// A change of few rows.
    Rows,
    /// A change of few columns.
    Columns,
    /// A change of at most 64 single numbers.
    BitLevel,
    /// A change of at most 1 % of the numbers.
    Sparse,
    /// The same rows in another order.
    Permuted,
    /// One factor for all numbers.
    Scaled,
    /// One side is the other one, rounded to a narrower format.
    Recast,
    /// The same bytes under another name.
    Renamed,
    /// The same bytes, type and extents.
    Identical,
}

impl Kind {
    /// Every kind, what needs a look first.
    pub const ALL: [Self; 16] = [
        Self::Shape,
        Self::Dtype,
        Self::Added,
        Self::Removed,
        Self::Unrelated,
        Self::Dense,
        Self::LowRank,
        Self::Rows,
        Self::Columns,
        Self::BitLevel,
        Self::Sparse,
        Self::Permuted,
        Self::Scaled,
        Self::Recast,
        Self::Renamed,
        Self::Identical,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::Dtype => "dtype",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Unrelated => "unrelated",
            Self::Dense => "dense",
            Self::LowRank => "low-rank",
            Self::Rows => "rows",
            Self::Columns => "columns",
            Self::BitLevel => "bit-level",
            Self::Sparse => "sparse",
            Self::Permuted => "permuted",
            Self::Scaled => "scaled",
            Self::Recast => "recast",
            Self::Renamed => "renamed",
            Self::Identical => "identical",
        }
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Shape => "other extents; compared where they overlap",
            Self::Dtype => "numbers on different scales, such as floats and integers: not compared",
            Self::Added => "only in the second model",
            Self::Removed => "only in the first model",
            Self::Unrelated => "no more alike than unrelated tensors of this size",
            Self::Dense => "changed all over",
            Self::LowRank => "changed in a few directions",
            Self::Rows => "a few rows changed",
            Self::Columns => "a few columns changed",
            Self::BitLevel => "single numbers changed",
            Self::Sparse => "at most 1 % of the numbers changed",
            Self::Permuted => "the same in another order",
            Self::Scaled => "multiplied by one factor",
            Self::Recast => "rounded to a narrower format, and nothing else",
            Self::Renamed => "the same bytes under another name",
            Self::Identical => "the same bytes",
        }
    }
}

/// A tensor on one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TensorSide {
    /// Its name there.
    pub name: String,
    /// Its element type, as safetensors spells it.
    #[serde(serialize_with = "by_name")]
    pub dtype: Dtype,
    /// Its extents, outermost first.
    pub shape: Vec<u64>,
    /// The SHA-256 of its bytes: dense, row-major, little-endian.
    pub sha256: Sha256Digest,
}

fn by_name<S: Serializer>(dtype: &Dtype, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(dtype.name())
}

impl TensorSide {
    /// Number of elements.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.shape.iter().product()
    }
}

/// What was measured over all numbers of a pair that are finite on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measures {
    /// Numbers that were compared.
    pub numbers: u64,
    /// How many of them differ, by bits; by value when the types differ.
    pub changed: u64,
    /// Length (L2) of the change over the length of the old tensor. Absent when the old one is all zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative: Option<f64>,
    /// Cosine of the angle between both. Absent when one is all zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f64>,
    /// Correlation: the cosine once the means are taken away. Absent when one side is constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<f64>,
    /// What the correlation of an unrelated pair of this size is below, in 997 of 1000 cases: three over the square root
    /// of the count.
    pub unrelated_below: f64,
    /// The largest difference of two numbers.
    pub largest: f64,
    /// Numbers that are not finite, on the old side.
    pub not_finite_old: u64,
    /// The same on the new side.
    pub not_finite_new: u64,
    /// Rows with changes; of matrices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_rows: Option<u64>,
    /// An upper bound of the stable rank of the change: its energy over that of its strongest direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stable_rank: Option<f64>,
}

/// What is particular to a kind.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Details {
    /// Of `recast`: the format that was rounded to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Grain>,
    /// Of `recast`: whether the old side is the rounded one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reversed: bool,
    /// Of `scaled`: the factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// Of `low-rank`: the number of directions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u64>,
    /// Of `low-rank`: the share of the change's energy that these hold, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<f64>,
    /// Of `rows` and `columns`: how many changed, and the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Lines>,
    /// Of `bit-level` and `sparse`: the numbers that changed, or the first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Of `permuted`: how it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permutation: Option<Permutation>,
    /// Of `shape`: what the comparison of the rows that both sides have found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
}

/// Rows or columns with changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// The first of them.
    pub first: Vec<u64>,
}

/// What both sides of a resized tensor have in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overlap {
    /// Rows of the outermost extent that both have.
    pub rows: u64,
    /// How these compare.
    pub kind: Kind,
}

/// One tensor, or one pair of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorDiff {
    /// Its name: the new one, or the old one when it was removed.
    pub name: String,
    /// How both sides differ.
    pub kind: Kind,
    /// The old side. Absent when it was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<TensorSide>,
    /// The new side. Absent when it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<TensorSide>,
    /// What was measured. Absent when there is nothing to measure: identical, added, removed, renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measures: Option<Measures>,
    /// What is particular to the kind.
    #[serde(flatten)]
    pub details: Details,
}

impl TensorDiff {
    /// Elements of the new side, or of the old one when it was removed.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.new.as_ref().or(self.old.as_ref()).map_or(0, TensorSide::elements)
    }

    /// The relative change, if there is one.
    #[must_use]
    pub fn relative(&self) -> Option<f64> {
        match self.kind {
            Kind::Identical | Kind::Renamed => Some(0.0),
            _ => self.measures.as_ref().and_then(|measures| measures.relative),
        }
    }

    /// Whether both sides are there under one name, with the same extents, finite where the other is, and no further
    /// apart than this share of the old length.
    #[must_use]
    pub fn is_within(&self, tolerance: f64) -> bool {
        let comparable = !matches!(self.kind, Kind::Added | Kind::Removed | Kind::Renamed | Kind::Shape | Kind::Dtype);
        let odd = |measures: &Measures| measures.not_finite_old == 0 && measures.not_finite_new == 0;
        let finite = self.kind == Kind::Identical || self.measures.as_ref().is_some_and(odd);
        let name = |side: &Option<TensorSide>| side.as_ref().map(|side| side.name.clone());
        let one_name = name(&self.old) == name(&self.new);
        comparable && one_name && finite && self.relative().is_some_and(|relative| relative <= tolerance)
    }
}

/// One of the two models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelSide {
    /// Where it was read from, as given.
    pub path: String,
    /// Tensors in it that were compared.
    pub tensors: u64,
    /// Elements in these.
    pub elements: u64,
    /// The digest over all tensors: names, types, extents and bytes, whatever container and shards hold them.
    pub root: Sha256Digest,
}

/// A comparison of two models.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// The first model.
    pub old: ModelSide,
    /// The second model.
    pub new: ModelSide,
    /// What the comparison comes to.
    pub summary: Summary,
    /// The pattern that names had to match to be compared, when not all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// Tensors of each kind, by its name.
    pub counts: BTreeMap<&'static str, u64>,
    /// Every tensor, sorted by name.
    pub tensors: Vec<TensorDiff>,
}

impl Diff {
    /// Whether both sides hold the same tensors: names, types, extents and bytes.
    #[must_use]
    pub fn is_identical(&self) -> bool {
        self.old.root == self.new.root
    }

    /// Whether every tensor is within the tolerance.
    #[must_use]
    pub fn is_within(&self, tolerance: f64) -> bool {
        self.tensors.iter().all(|tensor| tensor.is_within(tolerance))
    }

    /// Tensors of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts.get(kind.name()).copied().unwrap_or(0)
    }
}
