//! Why a keyless signature was refused or could not be made: a stable code, a sentence, and what to do next.

use std::fmt;

/// What went wrong, as a program tells it apart. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The bundle is no bundle.
    MalformedBundle,
    /// The bundle is of a kind that is not read.
    UnsupportedBundle,
    /// The signature is not over the content, or not by the key.
    SignatureInvalid,
    /// The content is another than the one that was signed.
    ArtifactMismatch,
    /// Somebody else signed.
    IdentityMismatch,
    /// The identity was confirmed by another issuer.
    IssuerMismatch,
    /// An authority that vouches is not in the trusted root.
    UntrustedRoot,
    /// The certificate cannot be read.
    CertificateMalformed,
    /// The certificate was not valid when the signature was made.
    CertificateExpired,
    /// No certificate log vouches for the certificate.
    CertificateNotLogged,
    /// No transparency log has the signature.
    LogEntryMissing,
    /// The entry is not proven to be in the log.
    LogProofInvalid,
    /// The log's checkpoint is missing, or not signed by the log.
    LogCheckpointInvalid,
    /// The log's promise is missing, or not signed by the log.
    LogPromiseInvalid,
    /// The entry is about something else.
    LogEntryMismatch,
    /// The log's time cannot be.
    LogTimeInvalid,
    /// A timestamp is not by an authority of the trusted root, or not over this signature.
    TimestampInvalid,
    /// Nothing proves when the signature was made.
    TimestampMissing,
    /// The public key is none.
    KeyInvalid,
    /// The trusted root cannot be used.
    TrustedRootInvalid,
    /// The signing configuration cannot be used.
    SigningConfigInvalid,
    /// The statement to sign is none.
    StatementInvalid,
    /// The identity token is missing or none.
    TokenInvalid,
    /// The certificate authority issued no certificate.
    CertificateRefused,
    /// The transparency log took no entry.
    LogRefused,
    /// The timestamp authority gave no timestamp.
    TimestampRefused,
    /// A trusted root could not be fetched.
    FetchFailed,
}

impl Code {
    /// The code in kebab-case, as JSON has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MalformedBundle => "malformed-bundle",
            Self::UnsupportedBundle => "unsupported-bundle",
            Self::SignatureInvalid => "signature-invalid",
            Self::ArtifactMismatch => "artifact-mismatch",
            Self::IdentityMismatch => "identity-mismatch",
            Self::IssuerMismatch => "issuer-mismatch",
            Self::UntrustedRoot => "untrusted-root",
            Self::CertificateMalformed => "certificate-malformed",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateNotLogged => "certificate-not-logged",
            Self::LogEntryMissing => "log-entry-missing",
            Self::LogProofInvalid => "log-proof-invalid",
            Self::LogCheckpointInvalid => "log-checkpoint-invalid",
            Self::LogPromiseInvalid => "log-promise-invalid",
            Self::LogEntryMismatch => "log-entry-mismatch",
            Self::LogTimeInvalid => "log-time-invalid",
            Self::TimestampInvalid => "timestamp-invalid",
            Self::TimestampMissing => "timestamp-missing",
            Self::KeyInvalid => "key-invalid",
            Self::TrustedRootInvalid => "trusted-root-invalid",
            Self::SigningConfigInvalid => "signing-config-invalid",
            Self::StatementInvalid => "statement-invalid",
            Self::TokenInvalid => "token-invalid",
            Self::CertificateRefused => "certificate-refused",
            Self::LogRefused => "log-refused",
            Self::TimestampRefused => "timestamp-refused",
            Self::FetchFailed => "fetch-failed",
        }
    }

    /// Whether what was given could not be used at all, so that nothing was judged.
    #[must_use]
    pub const fn is_environment(self) -> bool {
        matches!(
            self,
            Self::KeyInvalid
                | Self::TrustedRootInvalid
                | Self::SigningConfigInvalid
                | Self::StatementInvalid
                | Self::TokenInvalid
                | Self::CertificateRefused
                | Self::LogRefused
                | Self::TimestampRefused
                | Self::FetchFailed
        )
    }

    /// What to do next.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::MalformedBundle | Self::UnsupportedBundle => {
                "a Sigstore bundle is JSON of media type application/vnd.dev.sigstore.bundle, version 0.1 to 0.3: ask \
                 whoever signed for the file their tool wrote"
            }
            Self::SignatureInvalid | Self::ArtifactMismatch => {
                "content or signature were changed, or belong to something else: get both again from their publisher"
            }
            Self::IdentityMismatch | Self::IssuerMismatch => {
                "somebody else signed this: ask the publisher, by another way, for the identity and issuer they sign with"
            }
            Self::UntrustedRoot => {
                "another Sigstore instance vouches for this, or one that has new keys: name its root with \
                 --trusted-root FILE, or renew yours with 'waag trust update'"
            }
            Self::CertificateMalformed | Self::CertificateExpired | Self::CertificateNotLogged => {
                "the certificate proves nothing: ask the publisher to sign again"
            }
            Self::LogEntryMissing | Self::TimestampMissing => {
                "without it nobody can tell when this was signed: ask the publisher for the whole bundle"
            }
            Self::LogProofInvalid | Self::LogCheckpointInvalid | Self::LogPromiseInvalid | Self::LogEntryMismatch => {
                "the bundle was changed or put together from others: get it again from its publisher"
            }
            Self::LogTimeInvalid => "is the clock of this machine right? Otherwise get the bundle again",
            Self::TimestampInvalid => {
                "the timestamp is of an authority that is not in the trusted root, or was changed: renew the root with \
                 'waag trust update', or get the bundle again"
            }
            Self::KeyInvalid => "a public key is a PEM text that starts with -----BEGIN PUBLIC KEY-----",
            Self::TrustedRootInvalid => {
                "a trusted root is JSON of media type application/vnd.dev.sigstore.trustedroot; leave the option out to \
                 use the one within waag"
            }
            Self::SigningConfigInvalid => {
                "a signing configuration is JSON of media type application/vnd.dev.sigstore.signingconfig.v0.2+json, \
                 with a certificate authority, a log and a timestamp authority"
            }
            Self::StatementInvalid => "what is signed is an in-toto statement with at least one subject",
            Self::TokenInvalid => {
                "give an OpenID Connect token for the audience 'sigstore': --identity-token FILE, SIGSTORE_ID_TOKEN, or \
                 in GitHub Actions 'permissions: id-token: write'"
            }
            Self::CertificateRefused => {
                "tokens live for minutes: get a new one; or another certificate authority with --signing-config FILE"
            }
            Self::LogRefused | Self::TimestampRefused => {
                "try again later, or name other services with --signing-config FILE; nothing was written"
            }
            Self::FetchFailed => {
                "without a network, fetch trusted_root.json elsewhere and take it over with 'waag trust import FILE'"
            }
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Why a keyless signature was refused or could not be made. The message may quote the bundle: sanitize it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeylessError {
    code: Code,
    message: String,
}

impl KeylessError {
    pub(super) fn new(code: Code, message: impl fmt::Display) -> Self {
        Self { code, message: message.to_string() }
    }

    /// What went wrong, for programs.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        self.code.hint()
    }
}
