//! Who signs: the options that `sign` and `attest` share.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use waag_engine::attest::seal::With;
use waag_engine::key_files::{self, KeyFileError};
use waag_engine::sanitize::sanitize;
use waag_engine::sign::{SignError, check_key_place};
use waag_signing::key::SigningKey;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::keyless;
use crate::progress::Bar;

/// Who signs. The command that flattens this says which of `key`, `pkcs11` and `keyless` there has to be.
#[derive(Debug, Args)]
pub(super) struct SignerOptions {
    /// Private key in PEM: P-256, P-384 or P-521, in PKCS#8 or SEC 1, encrypted or not
    #[arg(long, value_name = "FILE", aliases = ["private-key", "private_key"], value_hint = ValueHint::FilePath, help_heading = "Signer")]
    key: Option<PathBuf>,

    /// Key in a token, by its RFC 7512 URI; module-path names the module that is loaded
    #[arg(long, value_name = "URI", aliases = ["pkcs11-uri", "pkcs11_uri"], help_heading = "Signer")]
    pkcs11: Option<String>,

    /// Sign as somebody whom an OpenID Connect issuer confirms: connects to Sigstore's services
    #[arg(long, conflicts_with_all = ["certificate", "password_file", "password_env"], help_heading = "Signer")]
    keyless: bool,

    /// File with an OpenID Connect token [without: SIGSTORE_ID_TOKEN, the build service, or you are asked to sign in]
    #[arg(long, value_name = "FILE", requires = "keyless", value_hint = ValueHint::FilePath, help_heading = "Signer")]
    identity_token: Option<PathBuf>,

    /// Addresses of the services, or a client's trust configuration, instead of your own or the public instance's
    #[arg(long, value_name = "FILE", aliases = ["trust-config", "trust_config"], requires = "keyless", value_hint = ValueHint::FilePath, help_heading = "Signer")]
    signing_config: Option<PathBuf>,

    /// Keys of the services, instead of your own or those within waag ('waag trust show')
    #[arg(long, value_name = "FILE", requires = "keyless", value_hint = ValueHint::FilePath, help_heading = "Signer")]
    trusted_root: Option<PathBuf>,

    /// File whose first line is the password of the key, or the token's PIN
    #[arg(long, value_name = "FILE", conflicts_with = "password_env", value_hint = ValueHint::FilePath, help_heading = "Signer")]
    password_file: Option<PathBuf>,

    /// Environment variable with the password of the key, or the token's PIN
    #[arg(long, value_name = "NAME", help_heading = "Signer")]
    password_env: Option<String>,

    /// Certificate of the key, in PEM
    #[arg(long, value_name = "FILE", aliases = ["signing-certificate", "signing_certificate"], value_hint = ValueHint::FilePath, help_heading = "Signer")]
    certificate: Option<PathBuf>,

    /// Certificates between that one and a root, in PEM; the root itself need not be there
    #[arg(long, value_name = "FILE", requires = "certificate", aliases = ["certificate-chain", "certificate_chain"], value_hint = ValueHint::FilePath, help_heading = "Signer")]
    chain: Vec<PathBuf>,
}

impl SignerOptions {
    /// Whether anybody is to sign.
    pub(super) const fn is_asked(&self) -> bool {
        self.key.is_some() || self.pkcs11.is_some() || self.keyless
    }

    /// Gives whoever signs to `work`. Keys and services are read before it begins; a token, when it asks for one. A key that
    /// lies inside the subject, where there is one, is refused.
    pub(super) fn sign<T>(
        &self,
        subject: Option<&Path>,
        bar: &Bar,
        work: impl FnOnce(With<'_, Failure>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if !self.keyless {
            let key = self.signing_key(subject)?;
            let certificates: Vec<_> = self.certificate.iter().chain(&self.chain).cloned().collect();
            let chain = key_files::certificates(&certificates)?;
            return work(With::Key { key: key.as_ref(), chain: &chain });
        }
        let root = keyless::root_of_services(self.trusted_root.as_deref(), self.signing_config.as_deref())?;
        let services = keyless::services(self.signing_config.as_deref())?;
        let token = || {
            bar.finish();
            keyless::token(self.identity_token.as_deref(), &services)
        };
        work(With::Keyless { token: Box::new(token), services: &services, root: &root })
    }

    fn signing_key(&self, subject: Option<&Path>) -> Result<Box<dyn SigningKey>, Failure> {
        let password = self.password()?;
        match (&self.key, &self.pkcs11) {
            (Some(path), _) => {
                subject.map_or(Ok(()), |subject| check_key_place(subject, path))?;
                let password = password.as_ref().map(|password| password.as_bytes());
                Ok(Box::new(key_files::private_key(path, password)?))
            }
            (None, Some(uri)) => token(uri, password.as_deref().map(String::as_str)),
            (None, None) => Err(Failure::with_hint("no key is named", "name a private key with --key")),
        }
    }

    fn password(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        if let Some(path) = &self.password_file {
            return Ok(Some(key_files::password(path)?));
        }
        let Some(name) = &self.password_env else { return Ok(None) };
        match std::env::var(name) {
            Ok(password) => Ok(Some(Zeroizing::new(password))),
            Err(_) => Err(Failure::with_hint(
                format!("the environment variable '{}' holds no password", sanitize(name)),
                "export it, or name a file with --password-file",
            )),
        }
    }
}

/// Paths to leave out, as verifiers will understand them.
///
/// # Errors
/// When one is a pattern, or leads out of the model.
pub(super) fn plain_paths(paths: &[String]) -> Result<Vec<String>, Failure> {
    match paths.iter().find(|path| !is_plain(path)) {
        None => Ok(paths.iter().map(|path| path.trim_end_matches('/').to_owned()).collect()),
        Some(path) => Err(Failure::with_hint(
            format!("cannot leave out '{}'", sanitize(path)),
            "name a file or folder by its path below the model, as in docs/draft.md; patterns are not understood",
        )),
    }
}

fn is_plain(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path != "." && waag_evidence::manifest::is_inside(path) && !path.contains(['*', '?', '['])
}

#[cfg(feature = "pkcs11")]
fn token(uri: &str, password: Option<&str>) -> Result<Box<dyn SigningKey>, Failure> {
    use waag_signing::pkcs11::{Pkcs11Uri, TokenKey};
    let uri = Pkcs11Uri::parse(uri).map_err(SignError::from)?;
    let from_file = uri.pin_source.as_deref().map(|source| {
        let path = source.strip_prefix("file://").or_else(|| source.strip_prefix("file:")).unwrap_or(source);
        key_files::password(Path::new(path))
    });
    let pin = match (password, &uri.pin, from_file.transpose()?) {
        (Some(password), _, _) => Some(Zeroizing::new(password.to_owned())),
        (None, Some(pin), _) => Some(pin.clone()),
        (None, None, from_file) => from_file,
    };
    let key = TokenKey::open(&uri, pin.as_deref().map(String::as_str)).map_err(SignError::from)?;
    Ok(Box::new(key))
}

#[cfg(not(feature = "pkcs11"))]
fn token(_: &str, _: Option<&str>) -> Result<Box<dyn SigningKey>, Failure> {
    Err(SignError::from(waag_signing::SigningError::NotBuilt("keys in tokens")).into())
}

impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_to_leave_out_are_plain() {
        for (path, plain) in
            [("a", true), ("a/b/", true), ("../a", false), ("/a", false), ("*.md", false), (".", false)]
        {
            assert_eq!(is_plain(path), plain, "{path}");
        }
    }
}
