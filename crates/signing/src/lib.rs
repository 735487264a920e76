//! Signatures over models: OpenSSF Model Signing v1.0 and what it is made of. This crate reads and writes bundles; which
//! bytes a model has is the engine's business, and so are files and the clock.
//!
//! From the outside in: a [`bundle`] (Sigstore) holds an [`envelope`] (DSSE), which holds a [`statement`] (in-toto), whose
//! predicate may be anything; a model's signature has a manifest of the model there ([`model_statement`]). What is kept in
//! a file is a bundle, or an envelope alone: [`sealed`] reads either.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods))]

pub mod bundle;
pub mod certificate;
pub mod chain;
pub mod difference;
pub mod encoding;
pub mod envelope;
pub mod error;
pub mod key;
pub mod keyless;
pub mod model_statement;
mod order;
mod pem;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
pub mod sealed;
pub mod sign;
pub mod signer;
pub mod verify;

pub use error::SigningError;
pub use signer::Signer;
pub use waag_evidence::statement;
