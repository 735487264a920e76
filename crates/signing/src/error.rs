//! Why something is not signed as it should be. Each reason has a code that programs can rely on.

use std::fmt::Display;

use crate::keyless::KeylessError;

/// Why a bundle does not verify, or why it cannot be made. Texts may quote the bundle: sanitize them before they are shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The bundle is no JSON document of the expected form.
    #[error("the signature is malformed: {0}")]
    MalformedBundle(String),
    /// The bundle is of a version that nobody made for this way of signing.
    #[error("the signature has the media type '{0}'")]
    MediaType(String),
    /// The envelope holds something else than a statement.
    #[error("the signature is over '{0}', not over an in-toto statement")]
    PayloadType(String),
    /// Nobody signed.
    #[error("the envelope has no signature")]
    MissingSignature,
    /// More than one signature: that one is good says nothing of the others.
    #[error("the envelope has {0} signatures")]
    ExtraSignature(usize),
    /// The signature does not belong to these bytes and this key.
    #[error("the signature does not match what it is over")]
    SignatureInvalid,
    /// The bundle was made by another key than the one that is trusted.
    #[error("another key made the signature: {found} instead of {expected}")]
    KeyMismatch {
        /// The fingerprint of the trusted key.
        expected: String,
        /// What the bundle says.
        found: String,
    },
    /// The bundle is signed in another way than the one that is trusted.
    #[error("it is signed by {found}, and {expected} is trusted")]
    WrongMethod {
        /// What is trusted.
        expected: &'static str,
        /// What the bundle has.
        found: &'static str,
    },
    /// A key that cannot be read.
    #[error("the key is malformed: {0}")]
    MalformedKey(String),
    /// A key of a kind that models are not signed with.
    #[error("the key is {0}")]
    UnsupportedKey(String),
    /// An encrypted key, and no password.
    #[error("the key is encrypted, and no password is given")]
    PasswordNeeded,
    /// An encrypted key, and another password.
    #[error("the password does not open the key")]
    WrongPassword,
    /// A certificate that cannot be read.
    #[error("a certificate is malformed: {0}")]
    MalformedCertificate(String),
    /// A certificate with something that cannot be checked.
    #[error("the certificate of '{subject}' {problem}")]
    UnsupportedCertificate {
        /// Whose.
        subject: String,
        /// What cannot be checked.
        problem: String,
    },
    /// No chain leads to a root that is trusted.
    #[error("no chain leads from the certificate of '{0}' to a trusted root")]
    UntrustedRoot(String),
    /// Too late.
    #[error("the certificate of '{subject}' expired on {end}")]
    CertificateExpired {
        /// Whose.
        subject: String,
        /// When.
        end: String,
    },
    /// Too early.
    #[error("the certificate of '{subject}' is not valid before {start}")]
    CertificateNotYetValid {
        /// Whose.
        subject: String,
        /// When.
        start: String,
    },
    /// A timestamp that cannot be read.
    #[error("a timestamp is malformed: {0}")]
    MalformedTimestamp(String),
    /// A timestamp over something else.
    #[error("the timestamp is over something else than this signature")]
    TimestampMismatch,
    /// A timestamp by nobody who is trusted.
    #[error("no authority that is trusted made the timestamp")]
    TimestampUntrusted,
    /// A timestamp of an authority that was not trusted at that time.
    #[error("the timestamp is of {0}, and its authority is not trusted for that time")]
    TimestampOutsideValidity(String),
    /// The certificate is for something else.
    #[error("the certificate of '{subject}' is not for signing: {problem}")]
    CertificateNotForSigning {
        /// Whose.
        subject: String,
        /// What is missing or wrong.
        problem: &'static str,
    },
    /// A certificate above the signer's may not issue it.
    #[error("'{subject}' may not issue certificates: {problem}")]
    CertificateNotAnAuthority {
        /// Whose.
        subject: String,
        /// What is missing or wrong.
        problem: &'static str,
    },
    /// Somebody else signed.
    #[error("'{found}' signed, not '{expected}'")]
    IdentityMismatch {
        /// Who is trusted.
        expected: String,
        /// Whom the certificate names.
        found: String,
    },
    /// The policy lets nobody sign it.
    #[error("nobody is trusted to sign it")]
    NobodyTrusted,
    /// The private key does not belong to the certificate.
    #[error("the certificate is for another key")]
    CertificateForAnotherKey,
    /// The statement is no in-toto statement of the expected form.
    #[error("the signed statement is malformed: {0}")]
    MalformedStatement(String),
    /// The statement claims something else.
    #[error("the signed statement is a '{0}', not a signature over a model")]
    PredicateType(String),
    /// The statement is about several models, or none.
    #[error("the signed statement is about {0} subjects, not about one model")]
    SubjectCount(usize),
    /// The manifest lists nothing.
    #[error("the signed manifest lists no file")]
    EmptyManifest,
    /// One name, two entries.
    #[error("the signed manifest lists '{0}' twice")]
    DuplicateResource(String),
    /// A name that leaves the model.
    #[error("the signed manifest names '{0}', which is not a path inside the model")]
    PathOutsideModel(String),
    /// Entries in an order that no signer writes.
    #[error("the entries of the signed manifest are not sorted: '{0}' is out of place")]
    UnsortedResources(String),
    /// A file that is both signed and left out.
    #[error("the signed manifest lists '{0}', and says that it leaves it out")]
    IgnoredResource(String),
    /// An entry by another algorithm than the manifest's.
    #[error("the signed manifest digests '{name}' by '{found}', and says that all are by '{expected}'")]
    AlgorithmMismatch {
        /// The entry.
        name: String,
        /// Its algorithm.
        found: String,
        /// The manifest's.
        expected: String,
    },
    /// The root does not follow from the entries.
    #[error("the signed root digest does not follow from the entries: {found} instead of {expected}")]
    RootDigestMismatch {
        /// What follows.
        expected: String,
        /// What is signed.
        found: String,
    },
    /// The digest over names does not follow from the entries.
    #[error("the signed digest over names does not follow from the entries: {found} instead of {expected}")]
    NamesDigestMismatch {
        /// What follows.
        expected: String,
        /// What is signed.
        found: String,
    },
    /// What a Sigstore instance vouches for does not hold, or it does not vouch.
    #[error(transparent)]
    Keyless(#[from] KeylessError),
    /// A token, or the module that leads to it.
    #[error("the token: {0}")]
    Token(String),
    /// This build leaves it out.
    #[error("this build of waag has no support for {0}")]
    NotBuilt(&'static str),
}

impl SigningError {
    /// A bundle that cannot be read.
    pub fn malformed_bundle(problem: impl Display) -> Self {
        Self::MalformedBundle(problem.to_string())
    }

    /// A statement that cannot be read.
    pub fn malformed_statement(problem: impl Display) -> Self {
        Self::MalformedStatement(problem.to_string())
    }

    /// The reason in a word that does not change.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MalformedBundle(_) => "malformed-bundle",
            Self::MediaType(_) => "media-type",
            Self::PayloadType(_) => "payload-type",
            Self::MissingSignature => "missing-signature",
            Self::ExtraSignature(_) => "extra-signature",
            Self::SignatureInvalid => "signature-invalid",
            Self::KeyMismatch { .. } => "key-mismatch",
            Self::WrongMethod { .. } => "wrong-method",
            Self::MalformedKey(_) => "malformed-key",
            Self::UnsupportedKey(_) => "unsupported-key",
            Self::PasswordNeeded => "password-needed",
            Self::WrongPassword => "wrong-password",
            Self::MalformedCertificate(_) => "malformed-certificate",
            Self::UnsupportedCertificate { .. } => "unsupported-certificate",
            Self::UntrustedRoot(_) => "untrusted-root",
            Self::CertificateExpired { .. } => "certificate-expired",
            Self::CertificateNotYetValid { .. } => "certificate-not-yet-valid",
            Self::MalformedTimestamp(_) => "malformed-timestamp",
            Self::TimestampMismatch => "timestamp-mismatch",
            Self::TimestampUntrusted => "timestamp-untrusted",
            Self::TimestampOutsideValidity(_) => "timestamp-outside-validity",
            Self::CertificateNotForSigning { .. } => "certificate-not-for-signing",
            Self::CertificateNotAnAuthority { .. } => "certificate-not-an-authority",
            Self::IdentityMismatch { .. } => "identity-mismatch",
            Self::NobodyTrusted => "nobody-trusted",
            Self::CertificateForAnotherKey => "certificate-for-another-key",
            Self::MalformedStatement(_) => "malformed-statement",
            Self::PredicateType(_) => "predicate-type",
            Self::SubjectCount(_) => "subject-count",
            Self::EmptyManifest => "empty-manifest",
            Self::DuplicateResource(_) => "duplicate-resource",
            Self::PathOutsideModel(_) => "path-outside-model",
            Self::UnsortedResources(_) => "unsorted-resources",
            Self::IgnoredResource(_) => "ignored-resource",
            Self::AlgorithmMismatch { .. } => "algorithm-mismatch",
            Self::RootDigestMismatch { .. } => "root-digest-mismatch",
            Self::NamesDigestMismatch { .. } => "names-digest-mismatch",
            Self::Keyless(error) => error.code().name(),
            Self::Token(_) => "token",
            Self::NotBuilt(_) => "not-built",
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::MalformedBundle(_) | Self::MediaType(_) => {
                "name the file that was written when the model was signed, and get it anew from its publisher"
            }
            Self::PayloadType(_) | Self::PredicateType(_) => {
                "this is another kind of attestation: ask the publisher for the signature of the model"
            }
            Self::MissingSignature | Self::ExtraSignature(_) => "ask the publisher to sign again, once",
            Self::KeyMismatch { .. } | Self::IdentityMismatch { .. } => {
                "get the signer's key or name from a place that the model's files do not come from, and compare"
            }
            Self::WrongMethod { .. } => {
                "name what you trust in the same way: --key FILE, --roots FILE --identity NAME, or --identity NAME --issuer URL"
            }
            Self::MalformedKey(_) => {
                "keys are PEM files: '-----BEGIN PUBLIC KEY-----' or '-----BEGIN PRIVATE KEY-----'"
            }
            Self::UnsupportedKey(_) => {
                "models are signed with elliptic curve keys: openssl ecparam -name prime256v1 -genkey -noout -out key.pem"
            }
            Self::PasswordNeeded => "give it with --password-file or --password-env",
            Self::WrongPassword => "check the password, and the white space around it",
            Self::MalformedCertificate(_) => "certificates are PEM files: '-----BEGIN CERTIFICATE-----'",
            Self::UnsupportedCertificate { .. } => "ask the authority for a plain certificate for code signing",
            Self::UntrustedRoot(_) => {
                "name the root certificate that you trust with --roots; certificates between have to be in the signature"
            }
            Self::CertificateExpired { .. } | Self::CertificateNotYetValid { .. } => {
                "ask the publisher to sign again with a certificate that is valid, or for a timestamp of when it was, and \
                 name who made that with --timestamp-authority; and check this machine's clock"
            }
            Self::MalformedTimestamp(_) | Self::TimestampMismatch => {
                "the certificate is not valid now, and this says nothing of when it was: ask the publisher to sign again"
            }
            Self::TimestampUntrusted | Self::TimestampOutsideValidity(_) => {
                "the certificate is not valid now: if you trust who made the timestamp, name its certificates with \
                 --timestamp-authority"
            }
            Self::CertificateNotForSigning { .. } | Self::CertificateNotAnAuthority { .. } => {
                "ask the publisher to sign with a certificate for code signing"
            }
            Self::NobodyTrusted => "add a [[trust.rule]] with its subject and signers to waag.toml",
            Self::CertificateForAnotherKey => "name the certificate that was issued for this key",
            Self::SignatureInvalid
            | Self::MalformedStatement(_)
            | Self::SubjectCount(_)
            | Self::EmptyManifest
            | Self::DuplicateResource(_)
            | Self::PathOutsideModel(_)
            | Self::UnsortedResources(_)
            | Self::IgnoredResource(_)
            | Self::AlgorithmMismatch { .. }
            | Self::RootDigestMismatch { .. }
            | Self::NamesDigestMismatch { .. } => {
                "do not use the model: get it and its signature anew from its publisher"
            }
            Self::Keyless(error) => error.hint(),
            Self::Token(_) => "look at what is there with: pkcs11-tool --module MODULE --list-objects",
            Self::NotBuilt(_) => "build waag with its default features",
        }
    }
}
