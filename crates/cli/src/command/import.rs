//! `waag import`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueHint};
use waag_engine::import::mlflow::{
    Address, Credentials, MlflowError, Published, Server, Target, TargetError, VerdictReport, import_remote, publish,
    verify,
};
use waag_engine::import::output::{json, plain, write_statements};
use waag_engine::import::{Grade, IMPORTERS, Imported, Importer, import_path, importer};
use waag_engine::key_files::public_key;
use waag_engine::output::text::counted;
use waag_engine::output::write_json;
use waag_engine::sanitize::sanitize;
use waag_evidence::{Decision, Sha256Digest};
use waag_signing::verify::Trusted;

use super::exit_code;
use super::formats::Telling;
use super::keeping::Keeping;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::terminal::Terminal;

/// Bytes of evidence that is written back.
const MAX_EVIDENCE: u64 = 64 << 20;

const EXAMPLES: &str = "\
Examples:
  waag import models/tuned                         every card, configuration, BOM and record in a folder
  waag import . --keep                             and put the statements into the ledger, for 'waag lineage'
  waag import . --output claims.jsonl              or into a file, one unsigned envelope a line
  waag import mlruns --from mlflow                 only runs of MLflow
  waag import http://localhost:5000 --run 3f2a…    a run on a server, every artifact digested
  waag import http://localhost:5000 --model iris@champion --write-verdict verdict.sigstore.json
  waag import http://localhost:5000 --model iris@champion --verify --signer-key release.pub.pem

Exit codes:
  0  read, and nothing speaks against it
  1  something is not what was recorded: a replaced artifact, a forged tag, a moved alias
  2  usage or environment: nothing was read
  3  sources disagree, or something could not be read or verified";

/// Read what people already have of where their models come from
///
/// Reads model cards, configurations, lock files, bills of materials and the records that trackers keep of runs. Each claim is
/// told with the place where it stands; nothing is filled in, and digests are of bytes that were read. Where sources
/// disagree, that is told. Nothing is run, and pickles are followed but never loaded.
///
/// The network is used only for an address. MLFLOW_TRACKING_URI, MLFLOW_TRACKING_TOKEN, MLFLOW_TRACKING_USERNAME and
/// MLFLOW_TRACKING_PASSWORD are heeded as MLflow does.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Import {
    /// A file, a folder, the address of an MLflow server or page, runs:/ID or models:/NAME@ALIAS
    #[arg(value_name = "WHAT", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    what: String,

    /// Read only this kind of source; a file that is named is read as it, whatever its name
    #[arg(long, value_name = "KIND", value_parser = kind, help_heading = "Input")]
    from: Option<&'static str>,

    /// The run to read, on a server
    #[arg(long, value_name = "ID", conflicts_with = "model", help_heading = "Input")]
    run: Option<String>,

    /// The registered model to read, on a server: NAME@ALIAS or NAME/VERSION
    #[arg(long, value_name = "MODEL", help_heading = "Input")]
    model: Option<String>,

    /// Store a signed verdict or other evidence as an artifact there, and its digest in a tag
    #[arg(long, value_name = "BUNDLE", value_hint = ValueHint::FilePath, conflicts_with = "verify", help_heading = "Evidence on a server")]
    write_verdict: Option<PathBuf>,

    /// Check evidence that was written back: resolve the alias, read the artifacts again, compare with what the evidence is about
    #[arg(long, help_heading = "Evidence on a server")]
    verify: bool,

    /// The digest that the evidence has to have
    #[arg(long, value_name = "DIGEST", requires = "verify", help_heading = "Evidence on a server")]
    expect: Option<Sha256Digest>,

    /// Public key, in PEM, of whoever has to have signed the evidence
    #[arg(long, value_name = "FILE", requires = "verify", value_hint = ValueHint::FilePath, help_heading = "Evidence on a server")]
    signer_key: Option<PathBuf>,

    /// Write the statements, one unsigned envelope on each line; with --verify, the evidence
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,

    #[command(flatten)]
    keeping: Keeping,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Telling,
}

/// The name of an importer, or what there is.
fn kind(text: &str) -> Result<&'static str, String> {
    importer(text).map(|importer| importer.name()).ok_or_else(|| {
        let names: Vec<&str> = IMPORTERS.iter().map(|importer| importer.name()).collect();
        format!("there are {}", names.join(", "))
    })
}

impl From<MlflowError> for Failure {
    fn from(error: MlflowError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        Self::with_hint(&error, "name a run with --run ID, or a model with --model NAME@ALIAS or --model NAME/VERSION")
    }
}

impl Import {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let Some(address) = Address::parse(&self.what)? else { return self.local(terminal) };
        let target = self.target(address.target)?;
        let server = server(address.server)?;
        if let Some(bundle) = &self.write_verdict {
            return self.publish(&server, &target, bundle, terminal);
        }
        if self.verify {
            return self.check(&server, &target, terminal);
        }
        let bar = Bar::of("artifacts", terminal.is_watched());
        let imported = import_remote(&server, &target, &bar);
        bar.finish();
        self.tell(&imported?, terminal)
    }

    /// A file or folder.
    fn local(&self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        if self.run.is_some() || self.model.is_some() || self.verify || self.write_verdict.is_some() {
            return Err(Failure::with_hint(
                format!("'{}' is no server, so that it has no run or model by name", sanitize(&self.what)),
                "write the address as http://host:port",
            ));
        }
        let bar = Bar::new(terminal.is_watched());
        let from: Option<&'static dyn Importer> = self.from.and_then(importer);
        let imported = import_path(Path::new(&self.what), from, &bar);
        bar.finish();
        let imported = imported.map_err(|error| {
            Failure::with_hint(
                format!("cannot read '{}': {error}", sanitize(&self.what)),
                "check the spelling and the permissions; an address begins with http:// or https://",
            )
        })?;
        self.tell(&imported, terminal)
    }

    /// What to read there: by option, or by the address itself.
    fn target(&self, in_address: Option<Target>) -> Result<Target, Failure> {
        let named = match (&self.run, &self.model) {
            (Some(run), _) => Some(Target::run(run)?),
            (None, Some(model)) => Some(Target::model(model)?),
            (None, None) => in_address,
        };
        named.ok_or_else(|| {
            Failure::with_hint(
                "the address names no run and no model",
                "name a run with --run ID, or a model with --model NAME@ALIAS or --model NAME/VERSION",
            )
        })
    }

    fn tell(&self, imported: &Imported, terminal: &Terminal) -> Result<ExitCode, Failure> {
        if imported.sources.is_empty() && imported.remarks.is_empty() {
            return Err(Failure::with_hint(
                format!("'{}' has nothing that is read here", sanitize(&self.what)),
                "docs/import.md lists what is read; --from KIND reads a file whatever its name",
            ));
        }
        let kept = self.keep(imported, terminal)?;
        let answered = terminal.answer(None, |out| match self.format {
            Telling::Plain => plain(imported, out),
            Telling::Json => json(imported, out),
        });
        match answered {
            Ok(()) | Err(Failure::BrokenPipe) => {}
            Err(failure) => return Err(failure),
        }
        terminal.note(kept);
        Ok(match imported.grade() {
            Grade::Note => exit_code(Decision::Allow),
            Grade::Unchecked => exit_code(Decision::Inconclusive),
            Grade::Wrong => exit_code(Decision::Deny),
        })
    }

    /// Where the statements are now, in words.
    fn keep(&self, imported: &Imported, terminal: &Terminal) -> Result<String, Failure> {
        let count = counted(imported.statements.len() as u64, "statement");
        if self.keeping.is_asked() {
            let mut lines = Vec::new();
            write_statements(imported, &mut lines).map_err(|error| {
                Failure::with_hint(
                    format!("cannot write down what was read: {error}"),
                    "report this: it is a mistake in waag",
                )
            })?;
            self.keeping.keep(&lines, terminal)?;
        }
        match &self.output {
            Some(path) => {
                terminal.answer(Some(path), |out| write_statements(imported, out))?;
                Ok(format!("{count} in '{}', none of them signed", sanitize(&path.display().to_string())))
            }
            None if self.keeping.is_asked() => Ok(format!("{count}, none of them signed")),
            None => Ok(format!("{count}, not kept: --keep puts them into the ledger, --output FILE into a file")),
        }
    }

    fn publish(
        &self,
        server: &Server,
        target: &Target,
        bundle: &Path,
        terminal: &Terminal,
    ) -> Result<ExitCode, Failure> {
        let shown = sanitize(&bundle.display().to_string());
        let bytes = waag_engine::bounded::read(bundle, MAX_EVIDENCE).map_err(|error| {
            Failure::with_hint(format!("cannot read '{shown}': {error}"), "name an envelope or a Sigstore bundle")
        })?;
        let bar = Bar::of("artifacts", terminal.is_watched());
        let published = publish(server, target, &shown, bytes, &bar);
        bar.finish();
        let published = published?;
        terminal.answer(None, |out| match self.format {
            Telling::Plain => tell_published(&published, out),
            Telling::Json => write_json(&published, out),
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn check(&self, server: &Server, target: &Target, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let bar = Bar::of("artifacts", terminal.is_watched());
        // A key that cannot be read is met before anything is fetched.
        let key = self.signer_key.as_deref().map(public_key).transpose()?;
        let report = verify(server, target, self.expect.as_ref(), &bar);
        bar.finish();
        let mut report = report?;
        if let Some(key) = key {
            report.verify_signature(&Trusted::Key(key), waag_engine::clock::now());
        }
        if let Some(path) = self.output.as_deref().filter(|_| !report.bytes.is_empty()) {
            terminal.answer(Some(path), |out| out.write_all(&report.bytes))?;
        }
        terminal.answer(None, |out| match self.format {
            Telling::Plain => tell_check(&report, out),
            Telling::Json => write_json(&report, out),
        })?;
        Ok(match (report.problems.is_empty(), report.is_vouched_for()) {
            (false, _) => exit_code(Decision::Deny),
            (true, true) => exit_code(Decision::Allow),
            // Whoever can write a tag can write evidence: something has to vouch for it.
            (true, false) => exit_code(Decision::Inconclusive),
        })
    }
}

fn server(address: Option<String>) -> Result<Server, Failure> {
    let address = address.or_else(|| std::env::var("MLFLOW_TRACKING_URI").ok()).ok_or_else(|| {
        Failure::with_hint("no server is named", "set MLFLOW_TRACKING_URI, or write the address as http://host:port")
    })?;
    Ok(Server::new(address.trim_end_matches('/'), Credentials::from_environment())?)
}

fn tell_published(published: &Published, out: &mut dyn Write) -> io::Result<()> {
    let Published { digest, path, run, version } = published;
    writeln!(out, "evidence sha256:{digest}")?;
    writeln!(out, "  stored as the artifact '{}' of the run {}", sanitize(path), sanitize(run))?;
    let version = version.as_ref().map(|version| format!(" and on {version}")).unwrap_or_default();
    writeln!(out, "  its digest is in the tag 'waag.evidence' there{}", sanitize(&version))?;
    writeln!(out, "  check it with --verify --expect sha256:{digest}")
}

fn tell_check(report: &VerdictReport, out: &mut dyn Write) -> io::Result<()> {
    let version = report.version.as_ref().map(|version| format!(" is {version} now,")).unwrap_or_default();
    let files = counted(report.files as u64, "artifact");
    writeln!(out, "{}{} {files} read", sanitize(&report.target), sanitize(&version))?;
    if let (Some(evidence), Some(kind)) = (&report.evidence, &report.predicate_type) {
        writeln!(out, "  evidence sha256:{evidence}, {}", sanitize(kind))?;
    }
    for problem in &report.problems {
        let kind = serde_json::to_value(problem.kind).ok();
        let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or_default();
        writeln!(out, "  WRONG {kind}: {}", sanitize(&problem.text))?;
    }
    if !report.problems.is_empty() {
        return writeln!(out, "deny: the evidence does not hold for what is there");
    }
    if let Some(signer) = &report.signer {
        return writeln!(out, "allow: every artifact is one that the evidence signed by {} is about", sanitize(signer));
    }
    if report.is_expected {
        return writeln!(out, "allow: every artifact is one that the expected evidence is about");
    }
    let signed = match report.signatures {
        0 => "the evidence is signed by nobody, and anybody may have written it".to_owned(),
        count => format!("its {} not verified here", if count == 1 { "signature is" } else { "signatures are" }),
    };
    writeln!(out, "inconclusive: the artifacts are those that the evidence is about, but {signed}")?;
    writeln!(out, "  next: name the key of whoever signed it with --signer-key, or pin the evidence with --expect")
}
