//! Verifying a bundle: form, signature, identity, and what the signed statement says of itself. Files come after that, and
//! are the engine's business ([`crate::difference`] compares).

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::bundle::{Bundle, MEDIA_TYPE, Material, PublicKeyIdentifier};
use crate::certificate::Certificate;
use crate::chain::{check_signer, root_of};
use crate::encoding::of_base64;
use crate::envelope::{Envelope, early_pae, pae};
use crate::error::SigningError;
use crate::key::PublicKey;
use crate::keyless::{self, TimestampAuthorities, TrustedRoot};
use crate::model_statement::{ModelStatement, PredicateVersion};
use crate::sealed::Sealed;
use crate::signer::{SignatureTime, Signer, SignerKind, TimeSource};
use waag_evidence::statement::PAYLOAD_TYPE;

/// Timestamps of one bundle that are looked at.
const MAX_TIMESTAMPS: usize = 16;
/// What they are called when nobody checked them.
const TIMESTAMPS: &str = "timestamps";

/// Whom a verifier trusts.
#[derive(Debug, Clone)]
pub enum Trusted {
    /// The holder of a key.
    Key(PublicKey),
    /// Whoever these authorities gave this name to.
    Certificate {
        /// The authorities.
        roots: Vec<Certificate>,
        /// An e-mail address, a URI, a host name, or a common name.
        name: String,
    },
    /// Whoever an issuer vouched for when a Sigstore signature was made, as far as a root is believed.
    Keyless {
        /// The signer and the issuer.
        identity: keyless::Identity,
        /// The keys of the Sigstore instance.
        root: Box<TrustedRoot>,
    },
}

impl Trusted {
    const fn words(&self) -> &'static str {
        match self {
            Self::Key(_) => "a key",
            Self::Certificate { .. } => "a certificate",
            Self::Keyless { .. } => "a Sigstore identity",
        }
    }
}

/// A bundle that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Who signed.
    pub signer: Signer,
    /// What is signed.
    pub statement: ModelStatement,
    /// What the bundle has that nobody checked, in words.
    pub unchecked: Vec<&'static str>,
}

/// A statement of any kind whose signature holds. What it says, and of which files, is for the caller to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedStatement {
    /// Who signed.
    pub signer: Signer,
    /// The bytes that were signed: an in-toto statement in JSON. Read these, and not the bundle again.
    pub payload: Vec<u8>,
    /// What the bundle has that nobody checked, in words.
    pub unchecked: Vec<&'static str>,
}

/// Verifies a model's signature.
///
/// # Errors
/// When anything about it is not as it has to be. The model itself is not looked at.
pub fn verify(json: &[u8], trusted: &Trusted, now: Timestamp) -> Result<Verified, SigningError> {
    verify_with_timestamps(json, trusted, &TimestampAuthorities::default(), now)
}

/// Verifies a bundle. Where it is signed by a certificate and has a timestamp of one of these authorities, the certificate
/// is judged at that time; otherwise now. Timestamps of Sigstore signatures are judged by their trusted root.
///
/// # Errors
/// When anything about it is not as it has to be. The model itself is not looked at.
pub fn verify_with_timestamps(
    json: &[u8],
    trusted: &Trusted,
    authorities: &TimestampAuthorities,
    now: Timestamp,
) -> Result<Verified, SigningError> {
    let bundle = Bundle::parse(json)?;
    let (signer, statement) = verify_bundle((json, &bundle), trusted, (authorities, now), read_model)?;
    let unchecked = unchecked(&bundle, trusted, &signer);
    Ok(Verified { signer, statement, unchecked })
}

/// Verifies a statement of any kind: in a bundle, or in an envelope alone, which can only be signed by a key.
///
/// # Errors
/// When anything about it is not as it has to be. An envelope without a signature never verifies.
pub fn verify_statement(json: &[u8], trusted: &Trusted, now: Timestamp) -> Result<VerifiedStatement, SigningError> {
    match Sealed::parse(json)? {
        Sealed::Bundle(bundle) => {
            let when = (&TimestampAuthorities::default(), now);
            let (signer, payload) = verify_bundle((json, &bundle), trusted, when, read_current)?;
            let unchecked = unchecked(&bundle, trusted, &signer);
            Ok(VerifiedStatement { signer, payload, unchecked })
        }
        Sealed::Envelope(envelope) => {
            let Trusted::Key(key) = trusted else { return Err(without_signer(&envelope, trusted)) };
            let payload = open(&envelope, key, read_current)?;
            Ok(VerifiedStatement { signer: key_holder(key), payload, unchecked: Vec::new() })
        }
    }
}

/// What an envelope alone is refused with where its signer is not known by a key.
fn without_signer(envelope: &Envelope, trusted: &Trusted) -> SigningError {
    if envelope.is_signed() {
        SigningError::WrongMethod { expected: trusted.words(), found: "a key that it does not name" }
    } else {
        SigningError::MissingSignature
    }
}

/// How a payload was signed, which decides what it may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// As DSSE says.
    Dsse,
    /// As version 0.2 of the reference signer did.
    Early,
}

/// A model's statement.
fn read_model(payload: Vec<u8>, encoding: Encoding) -> Result<ModelStatement, SigningError> {
    let statement = ModelStatement::parse(&payload)?;
    // What only that version signed may only say what that version said.
    if encoding == Encoding::Early && statement.version != PredicateVersion::Early {
        Err(SigningError::SignatureInvalid)
    } else {
        Ok(statement)
    }
}

/// A statement of any kind, which no early signer wrote.
fn read_current(payload: Vec<u8>, encoding: Encoding) -> Result<Vec<u8>, SigningError> {
    match encoding {
        Encoding::Dsse => Ok(payload),
        Encoding::Early => Err(SigningError::SignatureInvalid),
    }
}

fn verify_bundle<T>(
    (json, bundle): (&[u8], &Bundle),
    trusted: &Trusted,
    (authorities, now): (&TimestampAuthorities, Timestamp),
    read: impl FnOnce(Vec<u8>, Encoding) -> Result<T, SigningError>,
) -> Result<(Signer, T), SigningError> {
    let material = bundle.material()?;
    match (trusted, &material) {
        (Trusted::Key(key), Material::Key(identifier)) => {
            check_identifier(key, identifier)?;
            Ok((key_holder(key), open_bundle(bundle, key, read)?))
        }
        (Trusted::Certificate { roots, name }, Material::Certificate(chain)) => {
            let chain = chain.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?;
            let [certificate, between @ ..] = chain.as_slice() else {
                return Err(SigningError::malformed_bundle("it has no certificate"));
            };
            let statement = open_bundle(bundle, &certificate.public_key()?, read)?;
            let signer = certified_when_signed(bundle, (certificate, between), (roots, name), authorities, now)?;
            Ok((signer, statement))
        }
        // Before version 0.3, bundles of Sigstore had a chain of certificates.
        (Trusted::Keyless { identity, root }, Material::Keyless | Material::Certificate(_)) => {
            let verified = keyless::verify_statement(json, identity, root)?;
            let statement = read(verified.statement, Encoding::Dsse)?;
            Ok((verified.signer.into(), statement))
        }
        _ => Err(SigningError::WrongMethod { expected: trusted.words(), found: material.words() }),
    }
}

fn key_holder(key: &PublicKey) -> Signer {
    let fingerprint = key.fingerprint();
    let name = format!("{} key {fingerprint}", key.curve().name());
    Signer { kind: SignerKind::Key, name, issuer: None, key: Some(fingerprint), time: None }
}

/// The holder of a certificate, which is judged when a timestamp says that it signed, or else now. A timestamp that says
/// nothing takes nothing from a certificate that is valid now.
fn certified_when_signed(
    bundle: &Bundle,
    (certificate, between): (&Certificate, &[Certificate]),
    (roots, name): (&[Certificate], &str),
    authorities: &TimestampAuthorities,
    now: Timestamp,
) -> Result<Signer, SigningError> {
    let certified = |at| certified(certificate, between, roots, name, at);
    match time_of(bundle, authorities) {
        Ok(Some(at)) => {
            let time = Some(SignatureTime { at, source: TimeSource::TimestampAuthority });
            Ok(Signer { time, ..certified(at)? })
        }
        Ok(None) => certified(now),
        Err(problem) => certified(now).map_err(|error| match error {
            SigningError::CertificateExpired { .. } | SigningError::CertificateNotYetValid { .. } => problem,
            other => other,
        }),
    }
}

/// When a bundle was signed at the latest: the earliest time that one of its timestamps proves. None where it has none, or
/// nobody is trusted to give one.
fn time_of(bundle: &Bundle, authorities: &TimestampAuthorities) -> Result<Option<Timestamp>, SigningError> {
    let tokens = match &bundle.verification_material.timestamp_verification_data {
        Some(data) if !authorities.is_empty() => timestamps(data)?,
        _ => Vec::new(),
    };
    let signature = bundle.dsse_envelope.only_signature()?;
    let times: Vec<_> = tokens.iter().map(|token| authorities.time_of(token, &signature)).collect();
    match times.iter().filter_map(|time| time.as_ref().ok()).min() {
        Some(time) => Ok(Some(*time)),
        None => times.into_iter().next().transpose(),
    }
}

/// The timestamps of a bundle, as they are encoded.
fn timestamps(data: &Value) -> Result<Vec<Vec<u8>>, SigningError> {
    let malformed = |problem: &str| SigningError::MalformedTimestamp(problem.to_owned());
    let all = match data.get("rfc3161Timestamps") {
        None => return Ok(Vec::new()),
        Some(all) => all.as_array().ok_or_else(|| malformed("it is not in a list"))?,
    };
    if all.len() > MAX_TIMESTAMPS {
        return Err(malformed("there are too many"));
    }
    let token = |one: &Value| of_base64(one.get("signedTimestamp")?.as_str()?);
    all.iter().map(|one| token(one).ok_or_else(|| malformed("it is not in Base64"))).collect()
}

/// The signature first: a certificate proves something only of who holds its key.
fn certified(
    certificate: &Certificate,
    between: &[Certificate],
    roots: &[Certificate],
    name: &str,
    now: Timestamp,
) -> Result<Signer, SigningError> {
    let root = root_of(certificate, between, roots, now)?;
    check_signer(certificate, now)?;
    let names = certificate.names()?;
    if !names.iter().any(|found| found == name) {
        let found = if names.is_empty() { certificate.subject() } else { names.join("', '") };
        return Err(SigningError::IdentityMismatch { expected: name.to_owned(), found });
    }
    let key = Some(certificate.public_key()?.fingerprint());
    let kind = SignerKind::Certificate;
    Ok(Signer { kind, name: name.to_owned(), issuer: Some(root.subject()), key, time: None })
}

/// What a bundle says of its key has to agree with the key that is trusted.
fn check_identifier(key: &PublicKey, identifier: &PublicKeyIdentifier) -> Result<(), SigningError> {
    let PublicKeyIdentifier { hint, raw_bytes, key_details } = identifier;
    let expected = key.fingerprint().to_string();
    let mismatch = |found: &str| Err(SigningError::KeyMismatch { expected: expected.clone(), found: found.to_owned() });
    if let Some(hint) = hint
        && *hint != expected
    {
        return mismatch(hint);
    }
    if let Some(raw) = raw_bytes {
        let bytes = of_base64(raw).ok_or_else(|| SigningError::malformed_bundle("the public key is not in Base64"))?;
        if let Some(found) = early_key(&bytes)
            && found != *key
        {
            return mismatch(&found.fingerprint().to_string());
        }
    }
    if let Some(details) = key_details
        && details != key.curve().key_details()
    {
        return mismatch(details);
    }
    if hint.is_none() && raw_bytes.is_none() {
        return Err(SigningError::malformed_bundle("it does not say which key signed it"));
    }
    Ok(())
}

/// The key that an early bundle carries; none where it cannot be read, as others pass it over then.
fn early_key(bytes: &[u8]) -> Option<PublicKey> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.starts_with("-----") => PublicKey::from_pem(text).ok(),
        _ => PublicKey::from_der(bytes).ok(),
    }
}

/// The statement of a bundle that this key signed.
fn open_bundle<T>(
    bundle: &Bundle,
    key: &PublicKey,
    read: impl FnOnce(Vec<u8>, Encoding) -> Result<T, SigningError>,
) -> Result<T, SigningError> {
    if bundle.media_type != MEDIA_TYPE {
        return Err(SigningError::MediaType(bundle.media_type.clone()));
    }
    open(&bundle.dsse_envelope, key, read)
}

/// The statement of an envelope that this key signed.
fn open<T>(
    envelope: &Envelope,
    key: &PublicKey,
    read: impl FnOnce(Vec<u8>, Encoding) -> Result<T, SigningError>,
) -> Result<T, SigningError> {
    let (payload, signature) = (envelope.statement_bytes()?, envelope.only_signature()?);
    let encoding = match key.verify(&pae(PAYLOAD_TYPE, &payload), &signature) {
        Ok(()) => Encoding::Dsse,
        Err(_) => {
            // Version 0.2 signed other bytes, with SHA-256 whatever the curve.
            let digest = Sha256::digest(early_pae(PAYLOAD_TYPE, &payload));
            key.verify_digest(&digest, &signature)?;
            Encoding::Early
        }
    };
    read(payload, encoding)
}

/// What a bundle has beyond what was checked. A Sigstore instance vouches for all of its own.
fn unchecked(bundle: &Bundle, trusted: &Trusted, signer: &Signer) -> Vec<&'static str> {
    if matches!(trusted, Trusted::Keyless { .. }) {
        return Vec::new();
    }
    let material = &bundle.verification_material;
    let has_entries = material.tlog_entries.as_ref().is_some_and(|entries| !entries.is_empty());
    let has_timestamps =
        material.timestamp_verification_data.as_ref().is_some_and(|data| *data != serde_json::json!({}));
    let raw = material.public_key.as_ref().and_then(|key| key.raw_bytes.as_deref());
    let has_odd_key = raw.and_then(of_base64).is_some_and(|bytes| early_key(&bytes).is_none());
    let found = [
        (has_odd_key, "a public key that cannot be read"),
        (has_entries, "entries of a transparency log"),
        // What gave the signer a time was checked for it.
        (has_timestamps && signer.time.is_none(), TIMESTAMPS),
    ];
    found.into_iter().filter_map(|(is_there, what)| is_there.then_some(what)).collect()
}
