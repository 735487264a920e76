//! Keyless signatures: what a Sigstore instance vouches for. This is the only room that names the `sigstore-*` crates.
//!
//! A certificate authority (Fulcio) binds a key that lives for one signature to an identity that an issuer (OpenID
//! Connect) has confirmed; a transparency log (Rekor) and a timestamp authority (RFC 3161) say when. What they are
//! believed by is a [`TrustedRoot`]. [`verify_statement`] and [`verify_artifact`] need nothing else and no network:
//!
//! | checked | by |
//! |---|---|
//! | the certificate leads to the root, is for code signing, was valid at every time that is proven | certificate authority |
//! | the certificate was published: its embedded signed certificate timestamp | certificate log |
//! | subject alternative name and issuer are what the caller expects | the caller's [`Identity`] |
//! | the entry is in the log: inclusion proof, signed checkpoint, and the log's promise where there is one | transparency log |
//! | the entry is about this signature, this certificate and this content | the bundle itself |
//! | the time of signing: the log's promise, or a timestamp, at least one | log or timestamp authority |
//! | the signature, and that the content is what was signed | the certificate's key |
//!
//! With the feature `online`, [`sign_statement`] and [`sign_artifact`] get a certificate, sign, and have it logged and
//! timestamped; [`fetch_material`] renews a trusted root by TUF. Verifying opens no connection.
//!
//! Followed: the Sigstore client specification, bundle formats 0.1 to 0.3, Rekor v1 and v2, DSSE 1.0.

mod authority;
mod bundle;
mod code;
#[cfg(feature = "online")]
mod fetch;
mod refusal;
mod root;
#[cfg(feature = "online")]
mod services;
#[cfg(feature = "online")]
mod sign;
mod signer;
mod timestamp;
#[cfg(feature = "online")]
mod token;
mod verify;

pub use authority::{Authority, Role};
pub use code::{Code, KeylessError};
#[cfg(feature = "online")]
pub use fetch::{Material, Repository, fetch_material};
pub use root::TrustedRoot;
#[cfg(feature = "online")]
pub use services::Services;
#[cfg(feature = "online")]
pub use sign::{Signed, sign_artifact, sign_statement};
pub use signer::Signer;
pub use timestamp::TimestampAuthorities;
#[cfg(feature = "online")]
pub use token::{Prompt, Token};
pub use verify::{
    Content, Identity, VerifiedStatement, verify_artifact, verify_artifact_with_key, verify_statement,
    verify_statement_with_key,
};
