//! Helpers of the tests: deterministic mutations, and short views of facts.

use crate::budget::Budget;
use crate::child::Role;
use crate::fact::FactKind;
use crate::facts::Facts;
use crate::format::{Context, Format};

/// Calls `check` with `rounds` different corruptions of `seed`, always the same ones.
pub(crate) fn mutate(seed: &[u8], rounds: u64, mut check: impl FnMut(Vec<u8>)) {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap()
    };
    for _ in 0..rounds {
        let mut bytes = seed.to_vec();
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            match random(6) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, random(256) as u8),
                2 if !bytes.is_empty() => drop(bytes.remove(at)),
                3 if at + 8 <= bytes.len() => {
                    bytes[at..at + 8].copy_from_slice(&(random(1 << 40) as u64).to_le_bytes())
                }
                4 if !bytes.is_empty() => bytes[at] = 0xFF,
                _ if !bytes.is_empty() => bytes[at] ^= 1 << random(8),
                _ => {}
            }
        }
        check(bytes);
    }
}

/// The facts of `bytes`, read as `format` with an ordinary budget.
pub(crate) fn inspect(format: &dyn Format, name: &str, bytes: &[u8]) -> Facts {
    let mut facts = Facts::new();
    let budget = Budget::default();
    let context = Context { name, role: Role::Unknown, budget: &budget };
    format.inspect(&bytes, &context, &mut facts);
    facts
}

/// Anomalies and gaps as `Kind@offset`, for comparison.
pub(crate) fn oddities(facts: &Facts) -> Vec<String> {
    let mut list = Vec::new();
    for fact in facts.list() {
        let offset = match fact.position {
            crate::fact::Position::Offset(offset) => offset.to_string(),
            other => format!("{other:?}"),
        };
        match &fact.kind {
            FactKind::Anomaly { anomaly, .. } => list.push(format!("{anomaly:?}@{offset}")),
            FactKind::Incomplete { reason, .. } => list.push(format!("{reason:?}@{offset}")),
            _ => {}
        }
    }
    list
}
