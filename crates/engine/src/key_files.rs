//! Keys, certificates and passwords, from the files that the user names.

use std::io;
use std::path::{Path, PathBuf};

use waag_formats::source::{Source as _, read_up_to};
use waag_signing::SigningError;
use waag_signing::certificate::Certificate;
use waag_signing::key::{PrivateKey, PublicKey};
use zeroize::Zeroizing;

use crate::io::FileSource;
use crate::sanitize::sanitize;

/// Bytes of such a file. A bundle of all public roots has a fifth of it.
const MAX_BYTES: u64 = 1 << 20;

/// Why a file that the user names cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("cannot read {what} '{}': {source}", sanitize(&path.display().to_string()))]
    Read {
        /// What it is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It holds something else.
    #[error("cannot use {what} '{}': {}", sanitize(&path.display().to_string()), sanitize(&source.to_string()))]
    Use {
        /// What it is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: SigningError,
    },
}

impl KeyFileError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Read { .. } => "check the spelling of the path, and who may read the file".to_owned(),
            Self::Use { source, .. } => source.hint().to_owned(),
        }
    }
}

/// Reads a public key in PEM.
///
/// # Errors
/// When the file cannot be read or is no such key.
pub fn public_key(path: &Path) -> Result<PublicKey, KeyFileError> {
    let what = "the public key";
    PublicKey::from_pem(&text(what, path)?).map_err(|source| KeyFileError::Use { what, path: path.to_owned(), source })
}

/// Reads a private key in PEM.
///
/// # Errors
/// When the file cannot be read, is no such key, or does not open with the password.
pub fn private_key(path: &Path, password: Option<&[u8]>) -> Result<PrivateKey, KeyFileError> {
    let what = "the private key";
    let key = PrivateKey::from_pem(&text(what, path)?, password);
    key.map_err(|source| KeyFileError::Use { what, path: path.to_owned(), source })
}

/// Reads the certificates of files in PEM, in order.
///
/// # Errors
/// When a file cannot be read or has none.
pub fn certificates(paths: &[PathBuf]) -> Result<Vec<Certificate>, KeyFileError> {
    let what = "the certificates in";
    let mut all = Vec::new();
    for path in paths {
        let read = Certificate::from_pem(&text(what, path)?);
        all.extend(read.map_err(|source| KeyFileError::Use { what, path: path.clone(), source })?);
    }
    Ok(all)
}

/// Reads a password or PIN: the file's first line.
///
/// # Errors
/// When the file cannot be read.
pub fn password(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let text = text("the password in", path)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn text(what: &'static str, path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let bytes = bytes(path, MAX_BYTES).map_err(|source| KeyFileError::Read { what, path: path.to_owned(), source })?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        // PEM is text; a certificate in DER is the usual reason.
        Err(_) => {
            let source = SigningError::MalformedKey("it is not text, and PEM is".to_owned());
            Err(KeyFileError::Use { what, path: path.to_owned(), source })
        }
    }
}

/// The bytes of a file, if they are not too many.
pub(crate) fn bytes(path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let source = FileSource::open(path)?;
    if source.len() > most {
        return Err(io::Error::other(format!("it is longer than {most} bytes")));
    }
    let length = usize::try_from(source.len()).map_err(io::Error::other)?;
    let bytes = Zeroizing::new(read_up_to(&source, 0, length));
    if bytes.len() == length { Ok(bytes) } else { Err(io::Error::other("it changed while it was read")) }
}
