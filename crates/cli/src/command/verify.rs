mod attestations;
mod pins;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueHint};
use serde::Serialize;
use waag_engine::attest;
use waag_engine::key_files::{certificates, public_key};
use waag_engine::lock::Known;
use waag_engine::output::text::{BAD, DOUBT, GOOD, Painted, counted, wrap};
use waag_engine::output::{Style, View, write_json};
use waag_engine::sanitize::sanitize;
use waag_engine::settings::{self, Settings};
use waag_engine::trust_store::TrustStore;
use waag_engine::verify::report::{Open, SignatureReport, VerifyReport};
use waag_engine::verify::{Beside, Request, Trust, VerifyError, verify_beside};
use waag_signing::keyless::{Identity, TimestampAuthorities};
use waag_signing::verify::Trusted;

use super::arguments::file_or_stdout;
use super::formats::Telling;
use crate::failure::Failure;
use crate::keyless;
use crate::progress::Bar;
use crate::terminal::Terminal;
use attestations::AttestationOptions;

/// Paths of one list that are told; `--format json` tells all.
const MAX_TOLD: usize = 20;

const EXAMPLES: &str = "\
Examples:
  waag verify model/ --signature model.sig --key publisher.pub.pem
  waag verify model/ --signature model.sig --roots ca.crt --identity release@example.org
  waag verify model/ --signature model.sig --roots ca.crt --identity release@example.org --timestamp-authority tsa.pem
  waag verify model/ --signature model.sig --identity release@example.org --issuer https://accounts.google.com
  waag verify model/ --signature model.sig --strict     whom to trust is in waag.toml
  waag verify model/ --pins model/SHA256SUMS            a list that sha256sum wrote
  waag verify model/ --attestation model.provenance.json --key publisher.pub.pem \\
      --build-type fine-tune --source pkg:huggingface/org/base@main
  waag verify model/ --attestation model.vsa.json --type verdict
  waag verify model/ --signature model.sig --key publisher.pub.pem --format json | jq '.signatures[].problems[].code'

In waag.toml:
  [[trust.signer]]
  name = \"release\"
  key = \"keys/release.pub.pem\"

  [[trust.rule]]
  subject = \"models/**\"
  signers = [\"release\"]

Exit codes:
  0  the model is what a trusted signer signed, or attests
  1  it is not
  2  usage or environment: nothing was judged";

/// Verify that a model is what somebody you trust has signed
///
/// Reads signatures of OpenSSF Model Signing, of every version, and compares every file. Whom you trust has to be named:
/// by a key, by a certificate and the root it leads to, by a Sigstore identity, or in waag.toml. A signature proves who
/// made the model, not that it is safe to load: `waag check` says that.
///
/// With --attestation, what others say of the model is verified in the same way: who says it, that it is about these
/// bytes, and what it says. A verdict, test or scan that says no does not verify, however well it is signed.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Verify {
    /// The model: a folder or a file
    #[arg(value_name = "MODEL", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    model: PathBuf,

    /// The signature; several where waag.toml asks for more than one
    #[arg(long, required_unless_present_any = ["pins", "attestation"], value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Input")]
    signature: Vec<PathBuf>,

    /// Digests that another tool wrote down, instead of a signature: SHA256SUMS and its kin, a .dvc file or dvc.lock, a
    /// pointer of Git LFS, a folder of a Hugging Face cache
    #[arg(long, value_name = "LIST", conflicts_with_all = ["signature", "key", "roots", "identity", "config", "ignore", "strict", "allow_unsigned_unsafe"], value_hint = ValueHint::AnyPath, help_heading = "Input")]
    pins: Vec<PathBuf>,

    #[command(flatten)]
    attestations: AttestationOptions,

    /// Path below the model that is left out, beside those that the signature leaves out
    #[arg(long, value_name = "PATH", aliases = ["ignore-paths", "ignore_paths"], help_heading = "Input")]
    ignore: Vec<String>,

    /// Public key of the signer, in PEM
    #[arg(long, value_name = "FILE", aliases = ["public-key", "public_key"], conflicts_with_all = ["roots", "identity", "issuer"], value_hint = ValueHint::FilePath, help_heading = "Whom to trust")]
    key: Option<PathBuf>,

    /// Root certificates that the signer's has to lead to, in PEM
    #[arg(long, value_name = "FILE", aliases = ["certificate-chain", "certificate_chain"], requires = "identity", conflicts_with = "issuer", value_hint = ValueHint::FilePath, help_heading = "Whom to trust")]
    roots: Vec<PathBuf>,

    /// Name that the signer's certificate has to have: an e-mail address, a URI or a host name
    #[arg(long, value_name = "NAME", help_heading = "Whom to trust")]
    identity: Option<String>,

    /// Identity provider that vouches for the name, in a Sigstore signature
    #[arg(long, value_name = "URL", aliases = ["identity-provider", "identity_provider"], requires = "identity", help_heading = "Whom to trust")]
    issuer: Option<String>,

    /// Keys of the Sigstore instance, instead of your own or those within waag ('waag trust show')
    #[arg(long, value_name = "FILE", aliases = ["trusted_root", "trust-config", "trust_config"], requires = "issuer", value_hint = ValueHint::FilePath, help_heading = "Whom to trust")]
    trusted_root: Option<PathBuf>,

    /// Who may say when a certificate signed: certificates of a timestamp authority (RFC 3161) in PEM, its own first and
    /// its root last, instead of those of your trusted root ('waag trust show')
    #[arg(long, value_name = "FILE", requires = "roots", value_hint = ValueHint::FilePath, help_heading = "Whom to trust")]
    timestamp_authority: Vec<PathBuf>,

    /// Settings file with [trust], instead of the nearest waag.toml up to the repository's root
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "roots", "identity"], value_hint = ValueHint::FilePath, help_heading = "Whom to trust")]
    config: Option<PathBuf>,

    /// Refuse what no signature covers, such as in .git, where it could be loaded or run; and files that an attestation
    /// is not about
    #[arg(long, help_heading = "How strictly")]
    strict: bool,

    /// Tell files that nobody signed instead of refusing them: anybody can have put them there
    #[arg(long, conflicts_with = "strict", aliases = ["ignore-unsigned-files", "ignore_unsigned_files"], help_heading = "How strictly")]
    allow_unsigned_unsafe: bool,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Telling,

    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,
}

impl Verify {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        if !self.pins.is_empty() {
            return self.pinned(terminal);
        }
        if !self.attestations.attestation.is_empty() {
            return self.attested(terminal);
        }
        let (settings, store) = (self.settings(terminal)?, keyless::store());
        let request = Request {
            model: &self.model,
            signatures: &self.signature,
            trust: self.trust(settings.as_ref(), &store)?,
            ignore: &self.ignore,
            allow_unsigned: self.allow_unsigned_unsafe,
            strict: self.strict,
        };
        let bar = Bar::new(terminal.is_watched());
        let beside = Beside { known: &Known::new(), timestamps: &self.timestamps(&store)? };
        let report = verify_beside(&request, beside, waag_engine::clock::now(), &bar)?;
        bar.finish();
        self.tell(report.verified, &report, plain, terminal)
    }

    /// What others say of the model.
    fn attested(&self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let (settings, store) = (self.settings(terminal)?, keyless::store());
        let request = attest::verify::Request {
            subject: &self.model,
            attestations: &self.attestations.attestation,
            evidence: self.attestations.evidence,
            expected: self.attestations.expected(),
            trust: self.trust(settings.as_ref(), &store)?,
            ignore: &self.ignore,
            strict: self.strict,
        };
        let bar = Bar::new(terminal.is_watched());
        let report = attest::verify::verify(&request, waag_engine::clock::now(), &bar)?;
        bar.finish();
        self.tell(report.verified, &report, attestations::plain, terminal)
    }

    fn tell<R: Serialize>(
        &self,
        verified: bool,
        report: &R,
        plain: impl FnOnce(&R, &mut dyn Write, Style) -> io::Result<()>,
        terminal: &Terminal,
    ) -> Result<ExitCode, Failure> {
        let file = file_or_stdout(self.output.as_deref());
        let style = terminal.style(View::Check, file.is_some());
        let told = terminal.answer(file, |out| match self.format {
            Telling::Plain => plain(report, out, style),
            Telling::Json => write_json(report, out),
        });
        match told {
            // Whoever read the report has seen enough; the verdict stands.
            Ok(()) | Err(Failure::BrokenPipe) => {}
            Err(failure) => return Err(failure),
        }
        Ok(if verified { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    /// The model beside lists of digests, each of which has to hold.
    fn pinned(&self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let answer = |list: &PathBuf| pins::Answer::of(list, &self.pins, &self.model, terminal.is_watched());
        let answers = self.pins.iter().map(answer).collect::<Result<Vec<_>, _>>()?;
        let file = file_or_stdout(self.output.as_deref());
        let style = terminal.style(View::Check, file.is_some());
        match terminal.answer(file, |out| pins::write(&answers, self.format, out, style)) {
            Ok(()) | Err(Failure::BrokenPipe) => {}
            Err(failure) => return Err(failure),
        }
        let good = answers.iter().all(pins::Answer::is_good);
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    /// The settings, where they say whom to trust.
    fn settings(&self, terminal: &Terminal) -> Result<Option<Settings>, Failure> {
        if self.key.is_some() || self.identity.is_some() {
            return Ok(None);
        }
        if let Some(path) = &self.config {
            return Ok(Some(Settings::load(path)?));
        }
        let found = std::env::current_dir().ok().and_then(|directory| settings::find(&directory));
        let Some(path) = found else { return Ok(None) };
        if came_with(&self.model, &path) {
            return Err(Failure::with_hint(
                format!("'{}' lies inside the model, and would say whom to trust with it", shown(&path)),
                "name whom you trust with --key or --identity; if the settings are your own, name them with --config",
            ));
        }
        let settings = Settings::load(&path)?;
        terminal.note(format_args!("whom to trust is in {}", shown(&path)));
        Ok(Some(settings))
    }

    /// Whose timestamps count for a certificate: those that are named, or those of the user's trusted root.
    fn timestamps(&self, store: &TrustStore) -> Result<TimestampAuthorities, Failure> {
        if self.roots.is_empty() {
            return Ok(TimestampAuthorities::default());
        }
        if self.timestamp_authority.is_empty() {
            // One that cannot be used makes no timestamp believed, and stops nobody whose certificate is valid now.
            let root = store.trusted_root(None).map(|(root, _)| TimestampAuthorities::of_root(&root));
            return Ok(root.unwrap_or_default());
        }
        let mut chains = self.timestamp_authority.iter().map(|file| certificates(std::slice::from_ref(file)));
        chains.try_fold(TimestampAuthorities::default(), |all, chain| Ok(all.with_chain(&chain?)))
    }

    fn trust<'a>(&self, settings: Option<&'a Settings>, store: &'a TrustStore) -> Result<Trust<'a>, Failure> {
        let trusted = match (&self.key, &self.identity, &self.issuer) {
            (Some(key), ..) => Trusted::Key(public_key(key)?),
            (None, Some(name), None) if !self.roots.is_empty() => {
                Trusted::Certificate { roots: certificates(&self.roots)?, name: name.clone() }
            }
            (None, Some(name), Some(issuer)) => {
                let identity = Identity { name: name.clone(), issuer: issuer.clone() };
                Trusted::Keyless { identity, root: Box::new(keyless::trusted_root(self.trusted_root.as_deref())?) }
            }
            (None, Some(_), None) => {
                return Err(Failure::with_hint(
                    "a name alone says nothing: it matters who vouches for it",
                    "add --roots FILE for a certificate, or --issuer URL for a Sigstore identity",
                ));
            }
            (None, None, _) => return from_settings(settings, store),
        };
        Ok(Trust::Signer(Box::new(trusted)))
    }
}

fn from_settings<'a>(settings: Option<&'a Settings>, store: &'a TrustStore) -> Result<Trust<'a>, Failure> {
    match settings.filter(|settings| !settings.trust.is_empty()) {
        Some(settings) => Ok(Trust::Policy { policy: &settings.trust, folder: &settings.folder, store }),
        None => Err(Failure::with_hint(
            "nobody is trusted: a signature counts only from somebody that you name",
            "name the signer with --key FILE, --roots FILE --identity NAME, or --identity NAME --issuer URL; or in \
             waag.toml, under [trust]",
        )),
    }
}

/// Whether settings lie inside the model, and so came from whoever the model came from.
pub(super) fn came_with(model: &Path, settings: &Path) -> bool {
    let (Ok(model), Ok(settings)) = (model.canonicalize(), settings.canonicalize()) else { return false };
    settings.starts_with(model)
}

fn shown(path: &Path) -> String {
    sanitize(&path.display().to_string())
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

fn plain(report: &VerifyReport, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let (word, colour) = if report.verified { ("verified", GOOD) } else { ("not verified", BAD) };
    if style.view == View::Verdict {
        return writeln!(out, "{}: {}", Painted(style.color, colour, word), sanitize(&report.model));
    }
    for signature in &report.signatures {
        one(signature, out, style)?;
        writeln!(out)?;
    }
    for reason in &report.policy {
        writeln!(out, "{}: {}", Painted(style.color, DOUBT, "policy"), sanitize(&reason.to_string()))?;
    }
    write!(out, "{}: ", Painted(style.color, colour, word))?;
    match (report.verified, report.signatures.as_slice()) {
        (true, [only]) => writeln!(out, "{} of {}", counted(only.files.unwrap_or(0), "file"), sanitize(&report.model)),
        (true, all) => writeln!(out, "{}, by {}", sanitize(&report.model), counted(all.len() as u64, "signature")),
        (false, _) => writeln!(out, "{}", sanitize(&report.model)),
    }
}

fn one(signature: &SignatureReport, out: &mut dyn Write, style: Style) -> io::Result<()> {
    writeln!(out, "{}", sanitize(&signature.file))?;
    if let Some(signer) = &signature.signer {
        writeln!(out, "     signer: {}", sanitize(&signer.name))?;
        if let Some(name) = &signature.signer_name {
            writeln!(out, "             '{}' in the settings", sanitize(name))?;
        }
        if let Some(issuer) = &signer.issuer {
            writeln!(out, "     issuer: {}", sanitize(issuer))?;
        }
        match &signer.time {
            Some(time) => writeln!(out, "       time: {}, by {}", time.at, time.source.words())?,
            None => writeln!(out, "       time: nobody but the signer knows when it was signed")?,
        }
    }
    if let Some(root) = signature.root {
        writeln!(out, "       root: {root}")?;
    }
    if let Some(root) = signature.names_root {
        writeln!(out, " names root: {root}")?;
    }
    for what in &signature.unchecked {
        writeln!(out, "  unchecked: {}", sanitize(what))?;
    }
    uncovered_lines(&signature.uncovered, out, style)?;
    problems(signature, out, style)
}

fn problems(signature: &SignatureReport, out: &mut dyn Write, style: Style) -> io::Result<()> {
    for difference in signature.differences.iter().take(MAX_TOLD) {
        let words = format!("bad[{}]", difference.code.name());
        writeln!(out, "{}: {}", Painted(style.color, BAD, words), sanitize(&difference.name))?;
    }
    more(signature.differences.len(), out)?;
    for problem in signature.problems.iter().take(MAX_TOLD) {
        let words = format!("bad[{}]", problem.code);
        writeln!(out, "{}: {}", Painted(style.color, BAD, words), sanitize(&problem.message))?;
        for (index, line) in wrap(&problem.hint, style.width.saturating_sub(8)).iter().enumerate() {
            writeln!(out, "  {} {line}", if index == 0 { "next:" } else { "     " })?;
        }
    }
    more(signature.problems.len(), out)
}

/// Tells what no signature covers.
pub(super) fn uncovered_lines(uncovered: &[Open], out: &mut dyn Write, style: Style) -> io::Result<()> {
    for open in uncovered.iter().take(MAX_TOLD) {
        let words = Painted(style.color, DOUBT, "not covered");
        writeln!(out, "{words}: {} ({})", sanitize(&open.path), open.words)?;
        if let Some(loadable) = &open.loadable {
            writeln!(out, "             could be loaded or run: {}", sanitize(loadable))?;
        }
        if open.partly_read {
            writeln!(out, "             has more than was looked at")?;
        }
    }
    more(uncovered.len(), out)
}

fn more(count: usize, out: &mut dyn Write) -> io::Result<()> {
    match count.checked_sub(MAX_TOLD) {
        Some(more) if more > 0 => writeln!(out, "             and {more} more (--format json tells all)"),
        _ => Ok(()),
    }
}
