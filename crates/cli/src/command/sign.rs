use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Args, ValueEnum, ValueHint};
use waag_engine::key_files::{self, KeyFileError};
use waag_engine::output::text::{GOOD, Painted, counted};
use waag_engine::output::{Style, View, write_json};
use waag_engine::sanitize::sanitize;
use waag_engine::sign::{Request, SignError, SignReport, check_key_place, sign, sign_keyless};
use waag_evidence::manifest::{HashAlgorithm, Method, Serialization};
use waag_signing::key::SigningKey;
use zeroize::Zeroizing;

use super::arguments::byte_count;
use super::formats::Telling;
use super::verify::uncovered_lines;
use crate::failure::Failure;
use crate::keyless;
use crate::progress::Bar;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  openssl ecparam -name prime256v1 -genkey -noout -out key.pem     a key to try it with
  openssl pkey -in key.pem -pubout -out key.pub.pem                and what to give to others
  waag sign model/ --signature model.sig --key key.pem
  waag sign model/ --signature model.sig --key key.pem --password-env KEY_PASSWORD
  waag sign model/ --signature model.sig --key key.pem --certificate signer.crt --chain between.crt
  waag sign model/ --signature model.sig \\
      --pkcs11 'pkcs11:token=models;object=release?module-path=/usr/lib/softhsm/libsofthsm2.so' --password-file pin
  waag sign model/ --signature model.sig --keyless                 an e-mail address or a build signs, no key

Others verify it with: waag verify model/ --signature model.sig --key key.pub.pem
or with any other program for OpenSSF Model Signing.";

/// Sign a model: every file, by digest, in one signature
///
/// Writes a signature as OpenSSF Model Signing v1.0 defines it: a Sigstore bundle beside the model. The same model, key
/// and options give the same bytes, unless the key is in a token. What is not signed is told: `.git`, ignored paths,
/// folders without files.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
#[command(group(ArgGroup::new("signer").required(true).args(["key", "pkcs11", "keyless"])))]
pub(crate) struct Sign {
    /// The model: a folder or a file
    #[arg(value_name = "MODEL", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    model: PathBuf,

    /// The file to write the signature to
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    signature: PathBuf,

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

    /// How to digest files
    #[arg(long, value_name = "NAME", default_value = "sha256", help_heading = "What is signed")]
    hash: Hash,

    /// Digest parts of files of so many bytes, each for itself: 1GB, which is usual, 512MiB …
    #[arg(
        long,
        value_name = "BYTES",
        value_parser = byte_count,
        alias = "shard_size",
        help_heading = "What is signed"
    )]
    shard_size: Option<u64>,

    /// Path below the model that is left out, with all that is below it
    #[arg(long, value_name = "PATH", aliases = ["ignore-paths", "ignore_paths"], help_heading = "What is signed")]
    ignore: Vec<String>,

    /// Count links as what they lead to
    #[arg(long, aliases = ["allow_symlinks"], help_heading = "What is signed")]
    allow_symlinks: bool,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Telling,
}

/// How files are digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Hash {
    /// What every verifier knows
    Sha256,
    /// With 64 bytes
    Blake2b,
    /// On all cores, also for one file
    Blake3,
}

impl From<Hash> for HashAlgorithm {
    fn from(hash: Hash) -> Self {
        match hash {
            Hash::Sha256 => Self::Sha256,
            Hash::Blake2b => Self::Blake2b,
            Hash::Blake3 => Self::Blake3,
        }
    }
}

impl Sign {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let request = Request { model: &self.model, signature: &self.signature, how: self.serialization()? };
        let bar = Bar::new(terminal.is_watched());
        let report = if self.keyless { self.sign_keyless(&request, &bar)? } else { self.sign(&request, &bar)? };
        bar.finish();
        let style = terminal.style(View::Check, false);
        terminal.answer(None, |out| match self.format {
            Telling::Plain => plain(&report, out, style),
            Telling::Json => write_json(&report, out),
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn sign(&self, request: &Request<'_>, bar: &Bar) -> Result<SignReport, Failure> {
        let key = self.signing_key()?;
        let certificates: Vec<_> = self.certificate.iter().chain(&self.chain).cloned().collect();
        let chain = key_files::certificates(&certificates)?;
        Ok(sign(request, key.as_ref(), &chain, waag_engine::clock::now(), bar)?)
    }

    fn sign_keyless(&self, request: &Request<'_>, bar: &Bar) -> Result<SignReport, Failure> {
        let root = keyless::root_of_services(self.trusted_root.as_deref(), self.signing_config.as_deref())?;
        let services = keyless::services(self.signing_config.as_deref())?;
        let token = || {
            bar.finish();
            keyless::token(self.identity_token.as_deref(), &services)
        };
        sign_keyless(request, token, &services, &root, bar)
    }

    fn serialization(&self) -> Result<Serialization, Failure> {
        if let Some(path) = self.ignore.iter().find(|path| !is_plain(path)) {
            return Err(Failure::with_hint(
                format!("cannot leave out '{}'", sanitize(path)),
                "name a file or folder by its path below the model, as in docs/draft.md; patterns are not understood",
            ));
        }
        Ok(Serialization {
            method: self.shard_size.map_or(Method::Files, Method::Shards),
            algorithm: self.hash.into(),
            allow_symlinks: self.allow_symlinks,
            ignored: self.ignore.iter().map(|path| path.trim_end_matches('/').to_owned()).collect(),
        })
    }

    fn signing_key(&self) -> Result<Box<dyn SigningKey>, Failure> {
        let password = self.password()?;
        match (&self.key, &self.pkcs11) {
            (Some(path), _) => {
                check_key_place(&self.model, path)?;
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

/// Whether a path to leave out is one that verifiers will understand.
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
        key_files::password(std::path::Path::new(path))
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

fn plain(report: &SignReport, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let files = counted(report.files, "file");
    let model = sanitize(&report.model);
    writeln!(out, "{}: {files} of {model}", Painted(style.color, GOOD, "signed"))?;
    writeln!(out, "  signature: {}", sanitize(&report.signature))?;
    writeln!(out, "     signer: {}", sanitize(&report.signer))?;
    writeln!(out, "       root: {}", report.root)?;
    if let Some(root) = report.names_root {
        writeln!(out, " names root: {root}")?;
    }
    uncovered_lines(&report.uncovered, out, style)
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
