//! The commands. Each is one file and one line in [`Command`].

mod advisories;
mod arguments;
mod attest;
mod bom;
mod card;
mod check;
mod completions;
mod conformance;
mod convert;
mod deps;
mod diff;
mod explain;
mod fetch;
mod formats;
mod hash;
mod import;
mod init;
mod keeping;
mod ledger;
mod lineage;
mod lint;
mod lock;
mod man;
mod policy;
mod project;
mod run;
mod scan;
mod show;
mod sign;
mod signer;
mod trust;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;
use waag_evidence::Decision;

use crate::failure::Failure;
use crate::terminal::Terminal;

/// Exit code when nothing was judged.
pub(crate) const USAGE: u8 = 2;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(check::Check),
    Init(init::Init),
    Scan(scan::Scan),
    Show(show::Show),
    Bom(bom::Bom),
    Hash(hash::Hash),
    Sign(sign::Sign),
    Verify(verify::Verify),
    Lock(lock::LockCommand),
    Fetch(fetch::Fetch),
    Convert(convert::Convert),
    Diff(diff::Diff),
    Deps(deps::Deps),
    Run(run::Run),
    Attest(attest::Attest),
    Import(import::Import),
    Card(card::CardCommand),
    Ledger(ledger::LedgerCommand),
    Lineage(lineage::Lineage),
    Lint(lint::Lint),
    Advisories(advisories::Advisories),
    Policy(policy::PolicyCommand),
    Explain(explain::Explain),
    Formats(formats::Formats),
    Trust(trust::Trust),
    Conformance(conformance::Conformance),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Runs a command. The exit code is its answer in short.
pub(crate) fn run(command: Command, terminal: &Terminal) -> Result<ExitCode, Failure> {
    match command {
        Command::Check(check) => check.run(terminal),
        Command::Init(init) => init.run(terminal),
        Command::Scan(scan) => scan.run(terminal),
        Command::Show(show) => show.run(terminal),
        Command::Bom(bom) => bom.run(terminal),
        Command::Hash(hash) => hash.run(terminal),
        Command::Import(import) => import.run(terminal),
        Command::Card(card) => card.run(terminal),
        Command::Lock(lock) => lock.run(terminal),
        Command::Fetch(fetch) => fetch.run(terminal),
        Command::Convert(convert) => convert.run(terminal),
        Command::Deps(deps) => deps.run(terminal),
        Command::Diff(diff) => diff.run(terminal),
        Command::Lineage(lineage) => lineage.run(terminal),
        Command::Lint(lint) => lint.run(terminal),
        Command::Advisories(advisories) => advisories.run(terminal),
        Command::Ledger(ledger) => ledger.run(terminal),
        Command::Run(run) => run.run(terminal),
        Command::Sign(sign) => sign.run(terminal),
        Command::Attest(attest) => attest.run(terminal),
        Command::Verify(verify) => verify.run(terminal),
        Command::Explain(explain) => explain.run(terminal),
        Command::Formats(formats) => formats.run(terminal),
        Command::Trust(trust) => trust.run(terminal),
        Command::Policy(policy) => policy.run(terminal),
        Command::Conformance(conformance) => conformance.run(terminal),
        Command::Completions(completions) => completions.run(terminal),
        Command::Man(man) => man.run(terminal),
    }
}

/// The exit code of a decision.
fn exit_code(decision: Decision) -> ExitCode {
    match decision {
        Decision::Allow => ExitCode::SUCCESS,
        Decision::Deny => ExitCode::from(1),
        Decision::Inconclusive => ExitCode::from(3),
    }
}
