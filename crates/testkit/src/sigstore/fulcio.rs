//! The certificate authority: a key and a token in, a certificate out.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::certificate::{
    CODE_SIGNING, Issuer, Validity, Wish, alternative_name, authority_key, certificate_timestamp, issuer, subject_key,
    usages,
};
use super::der::{Der, items};
use super::key::{Key, has_signed};
use super::pem::{pem, unwrap_pem};

/// What a token must be meant for.
const AUDIENCE: &str = "sigstore";

/// A certificate authority with the certificate log and the issuer of tokens that it works with.
#[derive(Debug)]
pub(super) struct Fulcio {
    pub(super) issuer: Issuer,
    /// The authority's own certificate and the one above.
    pub(super) chain: [Der; 2],
    pub(super) log: Key,
    pub(super) tokens: Key,
    pub(super) lifetime: SignedDuration,
}

impl Fulcio {
    /// Answers `POST /api/v2/signingCert`; None when the token does not hold or the key is not the asker's.
    /// Tokens come within the request, or beside it.
    pub(super) fn answer(&self, request: &Value, bearer: Option<&str>, serial: u64, now: Timestamp) -> Option<Value> {
        let token = request["credentials"]["oidcIdentityToken"].as_str().or(bearer)?;
        let claims = self.claims(token, now)?;
        let identity = claims["email"].as_str().or(claims["sub"].as_str())?;
        let public_key = asked_key(request, identity)?;
        let leaf = self.certify(&public_key, identity, claims["iss"].as_str()?, serial, now);
        let certificates: Vec<String> =
            [&leaf, &self.chain[0], &self.chain[1]].map(|der| pem("CERTIFICATE", der)).into();
        Some(json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": certificates } } }))
    }

    /// The claims of a token that holds: by the issuer of this instance, for Sigstore, and not expired.
    fn claims(&self, token: &str, now: Timestamp) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        let holds = self.tokens.has_signed_raw(signed.as_bytes(), &signature)
            && claims["aud"] == AUDIENCE
            && claims["exp"].as_i64()? > now.as_second();
        holds.then_some(claims)
    }

    fn certify(&self, public_key: &[u8], identity: &str, confirmed_by: &str, serial: u64, now: Timestamp) -> Der {
        let mut extensions = usages(CODE_SIGNING, false).to_vec();
        extensions.extend([
            subject_key(&[serial as u8; 32]),
            authority_key(&self.issuer.key.id()),
            alternative_name(identity),
        ]);
        extensions.extend(issuer(confirmed_by));
        let validity = Validity(now, now + self.lifetime);
        let mut wish = Wish { serial, subject: "", public_key, validity, extensions };
        let body = self.issuer.body(&wish);
        wish.extensions.push(certificate_timestamp(&self.log, &self.issuer.key, &body, now));
        self.issuer.issue(&wish)
    }

    /// A token for an identity.
    pub(super) fn token(&self, identity: &str, confirmed_by: &str, now: Timestamp) -> String {
        let mut claims = json!({
            "iss": confirmed_by, "sub": identity, "aud": AUDIENCE,
            "iat": now.as_second(), "nbf": now.as_second(), "exp": now.as_second() + 3600,
        });
        if !identity.contains("://") {
            claims["email"] = identity.into();
            claims["email_verified"] = true.into();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": "ES256", "typ": "JWT" })), part(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.tokens.sign_raw(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

/// The key a certificate is asked for, when the asker proves to have it: by signing the identity, or the whole request.
fn asked_key(request: &Value, identity: &str) -> Option<Vec<u8>> {
    if let Some(request) = request["certificateSigningRequest"].as_str() {
        return requested_key(&STANDARD.decode(request).ok()?);
    }
    let asked = &request["publicKeyRequest"];
    let key = unwrap_pem(asked["publicKey"]["content"].as_str()?)?;
    let proof = STANDARD.decode(asked["proofOfPossession"].as_str()?).ok()?;
    has_signed(&key, identity.as_bytes(), &proof).then_some(key)
}

/// The key of a certification request (PKCS #10, PEM).
fn requested_key(request: &[u8]) -> Option<Vec<u8>> {
    let request = unwrap_pem(std::str::from_utf8(request).ok()?)?;
    let outer = items(&request)?;
    let parts = items(outer.first()?.content)?;
    let key = items(parts.first()?.content)?.get(2)?.whole.to_vec();
    let signature = parts.get(2)?.content.get(1..)?;
    has_signed(&key, parts.first()?.whole, signature).then_some(key)
}
