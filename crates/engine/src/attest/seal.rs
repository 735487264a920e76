//! Having a statement signed, by whichever of the ways.

use jiff::Timestamp;
use waag_signing::certificate::Certificate;
use waag_signing::envelope::Envelope;
use waag_signing::key::SigningKey;
use waag_signing::keyless::{Services, Signed, Token, TrustedRoot, sign_statement};
use waag_signing::sign::{sign_with_certificate, sign_with_key};

use crate::sign::SignError;

/// Asks for a token when it is needed.
pub type AskForToken<'a, E> = Box<dyn FnOnce() -> Result<Token, E> + 'a>;

/// Who signs.
pub enum With<'a, E> {
    /// The holder of a key, which may have a certificate: its own first, then those above it.
    Key {
        /// The key.
        key: &'a dyn SigningKey,
        /// The certificates.
        chain: &'a [Certificate],
    },
    /// Whoever an issuer confirms. Connects to the services.
    Keyless {
        /// Gives the issuer's word. It may be good for minutes only, and is asked for last.
        token: AskForToken<'a, E>,
        /// Where to sign.
        services: &'a Services,
        /// By whom the services are believed.
        root: &'a TrustedRoot,
    },
    /// Nobody. The envelope says so.
    Nobody,
}

impl<E> std::fmt::Debug for With<'_, E> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Key { .. } => "Key",
            Self::Keyless { .. } => "Keyless",
            Self::Nobody => "Nobody",
        })
    }
}

/// A statement with what was put around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedStatement {
    /// A Sigstore bundle, or an envelope that nobody signed: one line of JSON.
    pub bytes: Vec<u8>,
    /// Who signed, in words; none where nobody did.
    pub signer: Option<String>,
}

/// Has a statement signed.
///
/// # Errors
/// When the key does not sign, there is no token, or a service refuses.
pub fn seal<E: From<SignError>>(statement: &[u8], with: With<'_, E>, now: Timestamp) -> Result<SealedStatement, E> {
    match with {
        With::Key { key, chain } => Ok(with_key(statement, key, chain, now)?),
        With::Keyless { token, services, root } => {
            let signed = sign_statement(statement, token()?, services, root);
            let Signed { bundle, signer } = signed.map_err(|error| SignError::Sign(error.into()))?;
            let [name, issuer] = [signer.identity, signer.issuer].map(Option::unwrap_or_default);
            let signer = Some(format!("{name}, confirmed by {issuer}"));
            Ok(SealedStatement { bytes: format!("{bundle}\n").into_bytes(), signer })
        }
        With::Nobody => {
            let bytes = Envelope::unsigned(statement).to_json().map_err(SignError::from)?;
            Ok(SealedStatement { bytes, signer: None })
        }
    }
}

fn with_key(
    statement: &[u8],
    key: &dyn SigningKey,
    chain: &[Certificate],
    now: Timestamp,
) -> Result<SealedStatement, SignError> {
    let (bundle, signer) = match chain.first() {
        None => {
            let public = key.public_key();
            let signer = format!("{} key {}", public.curve().name(), public.fingerprint());
            (sign_with_key(statement, key)?, signer)
        }
        Some(certificate) => {
            let bundle = sign_with_certificate(statement, key, chain, now)?;
            (bundle, certificate.names()?.join(", "))
        }
    };
    Ok(SealedStatement { bytes: bundle.to_json()?, signer: Some(signer) })
}
