//! A Sigstore instance for tests, on this machine: a certificate authority (Fulcio), a certificate log, transparency logs
//! of both versions (Rekor), and a timestamp authority (RFC 3161), with the trusted root that makes them believed and a repository (TUF) to get it from.
//!
//! Everything is real but the trust: certificates with an embedded signed certificate timestamp, inclusion promises and
//! proofs, signed checkpoints, timestamp tokens. Keys are made from fixed numbers, and signatures are deterministic, so
//! that only the clock differs between runs. [`Instance::serve`] answers over HTTP on the loopback device, to any client.
//!
//! X.509 and CMS are written by hand ([`der`]): no kept crate makes timestamp tokens, and with an encoder at hand a
//! certificate is a page.

mod certificate;
pub mod der;
mod fulcio;
mod http;
mod instance;
mod key;
mod log;
mod pem;
mod rekor;
mod repository;
mod timestamp;
mod trust;

pub use http::Server;
pub use instance::{Instance, Options, Request};
pub use key::Key;
