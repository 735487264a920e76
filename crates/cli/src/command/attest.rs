mod claim;
pub(super) mod plain;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, ValueHint};
use waag_engine::attest::seal::With;
use waag_engine::attest::subject::Listing;
use waag_engine::attest::{AttestError, Attested, Request, attest, write};
use waag_engine::output::{View, write_json};
use waag_evidence::statement::evidence::{EVIDENCE, EvidenceType, Maker, find};

use super::arguments::file_or_stdout;
use super::formats::Telling;
use super::keeping::Keeping;
use super::signer::{SignerOptions, plain_paths};
use crate::failure::Failure;
use crate::progress::Bar;
use crate::terminal::Terminal;
use claim::ClaimOptions;

const EXAMPLES: &str = "\
Examples:
  waag attest model/ --type scan --key key.pem --output model.scan.json        what a scan finds, signed
  waag attest model/ --type verdict --key key.pem --output model.vsa.json      what your policy makes of it
  waag attest model/ --type test-result --predicate results.json --key key.pem --output model.tests.json
  waag attest tuned/ --type provenance --build-type fine-tune --dependency base-model=models/llama \\
      --dependency dataset=data/train.jsonl --dependency code=git+https://example.org/train@gitCommit:4c76… \\
      --parameter method=lora --parameter seed=42 --key key.pem --output tuned.provenance.json
  waag attest model/ --type cyclonedx --predicate bom.json --unsigned > model.bom.json
  waag attest model/ --type scan --key key.pem --keep                           for 'waag lineage' and 'waag check'

Others verify it with: waag verify model/ --attestation model.scan.json --key key.pub.pem
or with any other program for in-toto attestations. docs/attestations.md describes every type.

Exit codes:
  0  the attestation is written, whatever it says
  2  nothing is written";

/// Say something about a model, a dataset or a file, so that others can verify who said it of which bytes
///
/// Writes an in-toto statement in one line of JSON: a Sigstore bundle, or with --unsigned a DSSE envelope that says that
/// nobody signed it. It names every file by SHA-256, so that any one of them finds it, and the whole by both roots of a
/// model's signature. What is said is scanned or judged now, told by options, or read from a file and checked by its type.
/// The same input gives the same bytes; only a verdict has a time, which SOURCE_DATE_EPOCH sets.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
#[command(group(ArgGroup::new("signer").required(true).args(["key", "pkcs11", "keyless", "unsigned"])))]
pub(crate) struct Attest {
    /// What it is about: a folder or a file
    #[arg(value_name = "SUBJECT", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    subject: PathBuf,

    /// What kind of thing is said
    #[arg(long = "type", value_name = "TYPE", value_parser = types(), help_heading = "What is said")]
    evidence: &'static EvidenceType,

    #[command(flatten)]
    claim: ClaimOptions,

    /// Path below the subject that is left out, with all that is below it
    #[arg(long, value_name = "PATH", aliases = ["ignore-paths", "ignore_paths"], help_heading = "Input")]
    ignore: Vec<String>,

    /// Count links as what they lead to
    #[arg(long, aliases = ["allow_symlinks"], help_heading = "Input")]
    allow_symlinks: bool,

    #[command(flatten)]
    signer: SignerOptions,

    /// Nobody signs: others can read it, and nobody can rely on it
    #[arg(long, conflicts_with_all = ["certificate", "password_file", "password_env"], help_heading = "Signer")]
    unsigned: bool,

    /// The file to write the attestation to, instead of stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,

    #[command(flatten)]
    keeping: Keeping,

    /// How to tell what was written
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Telling,
}

/// The types of evidence, without those that only other commands make.
pub(super) fn types() -> impl TypedValueParser<Value = &'static EvidenceType> {
    let made = EVIDENCE.iter().filter(|evidence| evidence.maker != Maker::Sign);
    let values = made.map(|evidence| PossibleValue::new(evidence.id).help(evidence.about));
    PossibleValuesParser::new(values).try_map(|id| find(&id).ok_or("no such type"))
}

impl Attest {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let output = file_or_stdout(self.output.as_deref());
        let request = Request {
            subject: &self.subject,
            listing: Listing { ignored: plain_paths(&self.ignore)?, allow_symlinks: self.allow_symlinks },
            output,
            evidence: self.evidence,
            claim: self.claim.claim(&self.subject, self.evidence, terminal)?,
        };
        let bar = Bar::new(terminal.is_watched());
        let now = waag_engine::clock::now();
        let make = |with: With<'_, Failure>| attest(&request, with, now, &bar);
        let attested =
            if self.unsigned { make(With::Nobody) } else { self.signer.sign(Some(&self.subject), &bar, make) };
        bar.finish();
        let Attested { bytes, report } = attested?;
        for field in &report.unknown_fields {
            let field = waag_engine::sanitize::sanitize(field);
            terminal.note(format_args!(
                "no specification names the field '{field}': it is kept, and most readers pass it over"
            ));
        }
        self.keeping.keep(&bytes, terminal)?;
        match output {
            Some(path) => write(path, &bytes)?,
            // What is kept need not be poured over the terminal.
            None if self.output.is_none() && self.keeping.is_asked() => {}
            None => {
                terminal.answer(None, |out| out.write_all(&bytes))?;
                return Ok(ExitCode::SUCCESS);
            }
        }
        let style = terminal.style(View::Check, false);
        terminal.answer(None, |out| match self.format {
            Telling::Plain => plain::attested(&report, out, style),
            Telling::Json => write_json(&report, out),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

impl From<AttestError> for Failure {
    fn from(error: AttestError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}
