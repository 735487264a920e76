use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Args, ValueEnum, ValueHint};
use waag_engine::output::text::{GOOD, Painted, counted};
use waag_engine::output::{Style, View, write_json};
use waag_engine::sanitize::sanitize;
use waag_engine::sign::{Request, SignReport, sign};
use waag_evidence::manifest::{HashAlgorithm, Method, Serialization};

use super::arguments::byte_count;
use super::formats::Telling;
use super::signer::{SignerOptions, plain_paths};
use super::verify::uncovered_lines;
use crate::failure::Failure;
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

    #[command(flatten)]
    signer: SignerOptions,

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
        let report =
            self.signer.sign(Some(&self.model), &bar, |with| sign(&request, with, waag_engine::clock::now(), &bar))?;
        bar.finish();
        let style = terminal.style(View::Check, false);
        terminal.answer(None, |out| match self.format {
            Telling::Plain => plain(&report, out, style),
            Telling::Json => write_json(&report, out),
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn serialization(&self) -> Result<Serialization, Failure> {
        Ok(Serialization {
            method: self.shard_size.map_or(Method::Files, Method::Shards),
            algorithm: self.hash.into(),
            allow_symlinks: self.allow_symlinks,
            ignored: plain_paths(&self.ignore)?,
        })
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
