//! The record that Weights & Biases keeps of a run: `run-ID.wandb`, which needs no server to be read.
//!
//! Behind `:W&B`, a magic number and a version come frames; each record in them is a message of Protocol Buffers, of which
//! only what tells where artifacts come from is taken. Field numbers: `wandb/proto/wandb_internal.proto`.

mod frames;
mod record;
#[cfg(test)]
mod tests;

pub use frames::Damage;
pub use record::{Artifact, Environment, File, Git, Pair, Record, Run, Used};

use crate::budget::Budget;
use crate::source::{Source, read_up_to};
use frames::Frames;

/// The first bytes: the name, 0xBEE1 and version 0.
const MAGIC: [u8; 7] = *b":W&B\xE1\xBE\x00";

/// How reading ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Records that were read, of all kinds.
    pub records: u64,
    /// What is wrong with it.
    pub damage: Vec<Damage>,
}

/// Whether these are the first bytes of such a record.
#[must_use]
pub fn is_log(head: &[u8]) -> bool {
    head.starts_with(&MAGIC[..6])
}

/// Reads a run's record, showing every part of interest with the place where it stands.
pub fn read(source: &dyn Source, budget: &Budget, visit: &mut dyn FnMut(u64, Record)) -> Outcome {
    let mut outcome = Outcome::default();
    if read_up_to(source, 0, MAGIC.len()) != MAGIC {
        let what = "it does not begin as version 0 of a run's record does".to_owned();
        outcome.damage.push(Damage { offset: 0, what, is_end: true });
        return outcome;
    }
    let mut frames = Frames::new(source, MAGIC.len() as u64);
    while let Some((offset, bytes)) = frames.next() {
        outcome.records = outcome.records.saturating_add(1);
        let steps = bytes.len() as u64;
        if let Err(limit) = budget.operate(steps / 16) {
            outcome.damage.push(Damage { offset, what: limit.to_string(), is_end: true });
            break;
        }
        match record::read(&bytes) {
            Ok(Some(record)) => visit(offset, record),
            Ok(None) => {}
            Err(broken) => {
                let what = format!("a record cannot be read: {broken}");
                outcome.damage.push(Damage { offset, what, is_end: false });
            }
        }
    }
    outcome.damage.append(&mut frames.damage);
    outcome
}
