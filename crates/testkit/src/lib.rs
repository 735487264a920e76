//! Files for tests, examples and fuzzers, made from text. Nothing hostile is committed as bytes.
//!
//! [`assemble`] turns the block of a case into a file, [`mutate`] corrupts a file in ways that are always the same, and
//! with the feature `seeds`, [`seeds`](seeds::seeds) has small files of every format. With the feature `sigstore`,
//! `sigstore` is a Sigstore instance on this machine.

#![expect(clippy::expect_used, reason = "only tests and their tools run this: what fails here is their failure")]

pub mod assemble;
#[cfg(feature = "seeds")]
pub mod encode;
#[cfg(feature = "seeds")]
pub mod flat;
pub mod flatbuffers;
mod gguf;
pub mod hdf5;
mod literal;
pub mod mutate;
mod onnx;
mod pickle;
pub mod projects;
mod protobuf;
pub mod r_data;
pub mod samples;
#[cfg(feature = "seeds")]
pub mod seeds;
#[cfg(feature = "sigstore")]
pub mod sigstore;
pub mod tensorflow;
mod zip;

pub use assemble::{Input, assemble};
pub use mutate::mutate;
