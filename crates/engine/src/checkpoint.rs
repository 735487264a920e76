//! PyTorch's checkpoints as a whole: storages that a pickle names are members of the same archive, as long as it says.

use std::collections::HashMap;

use waag_evidence::finding::Location;
use waag_formats::fact::{Anomaly, FactKind};
use waag_formats::facts::Facts;

/// A storage that a pickle expects beside it.
#[derive(Debug)]
pub(crate) struct Expected {
    /// Members down to the pickle.
    pickle: Vec<String>,
    key: String,
    bytes: Option<u64>,
}

/// The storages that an artifact expects beside it.
pub(crate) fn expected(location: &Location, facts: &Facts) -> Vec<Expected> {
    let storage = |kind: &FactKind| match kind {
        FactKind::Storage { key, bytes } => {
            Some(Expected { pickle: location.members.clone(), key: key.clone(), bytes: *bytes })
        }
        _ => None,
    };
    facts.list().iter().filter_map(|fact| storage(&fact.kind)).collect()
}

/// Compares what the pickles in an archive expect with the archive's members; takes what it has compared.
pub(crate) fn check(location: &Location, storages: &mut Vec<Expected>, facts: &mut Facts) {
    let depth = location.members.len() + 1;
    let is_own = |expected: &Expected| expected.pickle.len() == depth && expected.pickle.starts_with(&location.members);
    let own: Vec<Expected> = storages.extract_if(.., |expected| is_own(expected)).collect();
    let layout = facts.find_property("layout").unwrap_or_default();
    if own.is_empty() || !matches!(layout, "pytorch-zip" | "torchscript") {
        return;
    }
    let members: HashMap<&str, u64> = facts
        .list()
        .iter()
        .filter_map(|fact| match &fact.kind {
            FactKind::Child(child) => Some((child.name.as_str(), child.declared.unwrap_or(child.length))),
            _ => None,
        })
        .collect();
    let problems: Vec<String> = own.iter().filter_map(|expected| problem(expected, &members)).collect();
    for detail in problems {
        facts.anomaly(0, Anomaly::SizeMismatch, detail);
    }
}

/// What is wrong with a storage. A TorchScript archive keeps those of each pickle in a folder of the pickle's name.
fn problem(expected: &Expected, members: &HashMap<&str, u64>) -> Option<String> {
    let pickle = expected.pickle.last()?;
    let folder = pickle.strip_suffix(".pkl")?;
    // TorchScript keeps what it traced with as an illustration: without its numbers.
    if folder.ends_with("/traced_inputs") {
        return None;
    }
    let length = members.get(format!("{folder}/{}", expected.key).as_str());
    match (length, expected.bytes) {
        (None, _) => Some(format!("storage '{}' that {pickle} names is not in the archive", expected.key)),
        (Some(length), Some(bytes)) if bytes > *length => {
            Some(format!("storage '{}' has {length} bytes where {pickle} says {bytes}", expected.key))
        }
        _ => None,
    }
}
