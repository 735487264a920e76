//! Keeping what a command writes in a ledger too, for the commands that write statements.

use std::io::Write as _;

use clap::Args;
use waag_engine::sanitize::sanitize;

use super::ledger::Place;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Whether what is written is kept in a ledger too.
#[derive(Debug, Args)]
pub(super) struct Keeping {
    /// Keep it in the ledger too: the nearest .waag, or a new one beside waag.toml
    #[arg(long, help_heading = "Output")]
    keep: bool,
}

impl Keeping {
    /// Whether it was asked for.
    pub(super) const fn is_asked(&self) -> bool {
        self.keep
    }

    /// Keeps statements, one on each line, where that was asked for.
    ///
    /// # Errors
    /// When the ledger cannot be written to, or does not take one of them.
    pub(super) fn keep(&self, lines: &[u8], terminal: &Terminal) -> Result<(), Failure> {
        // Where nothing was said, there is nothing to keep.
        if !self.keep || lines.is_empty() {
            return Ok(());
        }
        let (mut ledger, folder) = Place::default().create(terminal)?;
        let unwritten = |error| Failure::with_hint(format!("cannot write a temporary file: {error}"), "set TMPDIR");
        let mut file = tempfile::Builder::new().suffix(".jsonl").tempfile().map_err(unwritten)?;
        file.write_all(lines).map_err(unwritten)?;
        let added = ledger.add(&[file.path().to_owned()])?;
        let folder = sanitize(&folder.display().to_string());
        if let Some(refused) = added.refused.first() {
            return Err(Failure::with_hint(
                format!("the ledger '{folder}' does not take it: it {}", sanitize(&refused.reason)),
                "docs/ledger.md says what a ledger holds; what was asked for is written nevertheless",
            ));
        }
        terminal.note(format_args!("kept in '{folder}'"));
        Ok(())
    }
}
