use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use waag_engine::sanitize::sanitize;
use waag_signing::keyless::{
    Content, Identity, KeylessError, Services, Signed, Signer, Token, TrustedRoot, sign_artifact, sign_statement,
    verify_artifact, verify_artifact_with_key,
};

use crate::failure::Failure;
use crate::keyless::{read, told};
use crate::terminal::Terminal;

/// Bytes of any file that is read.
const MAX_BYTES: u64 = 256 << 20;
/// What a digest in place of a file starts with.
const DIGEST: &str = "sha256:";

/// Speak the client protocol of sigstore-conformance
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Conformance {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    VerifyBundle(VerifyBundle),
    SignBundle(SignBundle),
}

/// Verify a bundle over a file or a digest
#[derive(Debug, Args)]
struct VerifyBundle {
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,

    #[arg(long, value_name = "NAME", required_unless_present = "key", requires = "certificate_oidc_issuer")]
    certificate_identity: Option<String>,

    #[arg(long, value_name = "URL", requires = "certificate_identity")]
    certificate_oidc_issuer: Option<String>,

    #[arg(long, value_name = "FILE", conflicts_with = "certificate_identity")]
    key: Option<PathBuf>,

    #[command(flatten)]
    instance: Instance,

    /// A file, or 'sha256:' and a digest
    #[arg(value_name = "FILE")]
    artifact: String,
}

/// Sign a file, or an in-toto statement
#[derive(Debug, Args)]
struct SignBundle {
    #[arg(long)]
    in_toto: bool,

    #[arg(long, value_name = "TOKEN")]
    identity_token: String,

    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,

    #[command(flatten)]
    instance: Instance,

    #[arg(long, value_name = "FILE")]
    signing_config: Option<PathBuf>,

    #[arg(value_name = "FILE")]
    artifact: PathBuf,
}

/// The instance to believe. What a user has stored does not count here.
#[derive(Debug, Args)]
struct Instance {
    #[arg(long)]
    staging: bool,

    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
}

impl Conformance {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        match self.action {
            Action::VerifyBundle(verify) => verify.run(terminal),
            Action::SignBundle(sign) => sign.run(terminal),
        }
    }
}

impl Instance {
    fn trusted_root(&self) -> Result<TrustedRoot, Failure> {
        Ok(match &self.trusted_root {
            Some(path) => TrustedRoot::from_json(&read(path, MAX_BYTES, "--trusted-root")?)?,
            None if self.staging => TrustedRoot::staging()?,
            None => TrustedRoot::production()?,
        })
    }
}

impl VerifyBundle {
    fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let root = self.instance.trusted_root()?;
        let bundle = read(&self.bundle, MAX_BYTES, "--bundle")?;
        let answer = match self.digest() {
            Some(digest) => self.verify(&bundle, Content::Sha256(digest), &root),
            None => self.verify(&bundle, Content::Bytes(&read(Path::new(&self.artifact), MAX_BYTES, "FILE")?), &root),
        };
        match answer? {
            Ok(signer) => terminal.answer(None, |out| writeln!(out, "verified: {}", told(&signer)))?,
            Err(error) if error.code().is_environment() => return Err(error.into()),
            Err(error) => return refuse(&error, terminal),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn verify(
        &self,
        bundle: &[u8],
        content: Content<'_>,
        root: &TrustedRoot,
    ) -> Result<Result<Signer, KeylessError>, Failure> {
        if let Some(key) = &self.key {
            let key = read(key, MAX_BYTES, "--key")?;
            return Ok(verify_artifact_with_key(bundle, content, &String::from_utf8_lossy(&key), root));
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let identity = Identity { name: text(&self.certificate_identity), issuer: text(&self.certificate_oidc_issuer) };
        Ok(verify_artifact(bundle, content, &identity, root))
    }

    fn digest(&self) -> Option<[u8; 32]> {
        let digits = self.artifact.strip_prefix(DIGEST).filter(|digits| digits.len() == 64 && digits.is_ascii())?;
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(digest)
    }
}

fn refuse(error: &KeylessError, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let why = sanitize(&error.to_string());
    terminal.answer(None, |out| writeln!(out, "refused: {} ({why})", error.code()))?;
    Ok(ExitCode::from(1))
}

impl SignBundle {
    fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let Signed { bundle, signer } = self.sign()?;
        let write = |path: &Path| {
            let mut file = BufWriter::new(File::create(path)?);
            file.write_all(bundle.as_bytes())?;
            file.flush()
        };
        write(&self.bundle)?;
        terminal.answer(None, |out| writeln!(out, "signed: {}", told(&signer)))?;
        Ok(ExitCode::SUCCESS)
    }

    fn sign(&self) -> Result<Signed, Failure> {
        let root = self.instance.trusted_root()?;
        let services = match &self.signing_config {
            Some(path) => Services::from_json(&read(path, MAX_BYTES, "--signing-config")?)?,
            None if self.instance.staging => Services::staging()?,
            None => Services::production()?,
        };
        let token = Token::from_jwt(&self.identity_token)?;
        let content = read(&self.artifact, MAX_BYTES, "FILE")?;
        Ok(if self.in_toto {
            sign_statement(&content, token, &services, &root)?
        } else {
            sign_artifact(Content::Bytes(&content), token, &services, &root)?
        })
    }
}
