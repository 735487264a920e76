//! Signatures over models: the OpenSSF Model Signing format and what it is made of. This crate reads and writes bundles;
//! which bytes a model has is the engine's business.

pub mod keyless;
