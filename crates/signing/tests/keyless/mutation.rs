//! Every leaf of a good bundle, changed in several ways: none may verify, but for the few that nobody vouches for and
//! nobody reads.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use waag_signing::keyless::verify_statement;

use crate::instance::{Local, identity};

/// Leaves that may be anything, and why:
///
/// - The id of a key is a hint that nothing is looked up by.
const FREE: [&str; 0] = [];
/// - A log of version 2 is known by the signature on its checkpoint, which also has the root and the size of the tree.
const FREE_WITH_SECOND_LOG: [&str; 0] = [];

#[test]
fn no_change_of_a_leaf_verifies() {
    let local = Local::good();
    for (version, free) in [(1, &FREE[..]), (2, &FREE_WITH_SECOND_LOG)] {
        let bundle = local.bundle(version);
        let mut survivors = BTreeSet::new();
        for pointer in leaves(&bundle) {
            for change in changes(bundle.pointer(&pointer).unwrap()) {
                let mut changed = bundle.clone();
                *changed.pointer_mut(&pointer).unwrap() = change;
                if verify_statement(changed.to_string().as_bytes(), &identity(), &local.root).is_ok() {
                    survivors.insert(pointer.clone());
                }
            }
        }
        assert_eq!(survivors, free.iter().map(ToString::to_string).collect(), "log version {version}");
    }
}

/// Where the texts and numbers of a value are.
fn leaves(value: &Value) -> Vec<String> {
    let below = |name: String, value: &Value| leaves(value).into_iter().map(move |rest| format!("/{name}{rest}"));
    match value {
        Value::Object(entries) => entries.iter().flat_map(|(name, value)| below(name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().flat_map(|(at, value)| below(at.to_string(), value)).collect(),
        _ => vec![String::new()],
    }
}

/// Other values for a leaf: other letters at its start, in its middle and at its end, less, more, nothing, another kind.
fn changes(leaf: &Value) -> Vec<Value> {
    let mut changes = vec![json!(""), json!("AAAA"), json!("1"), json!(0), json!([]), json!({}), json!(true), Value::Null];
    if let Some(text) = leaf.as_str() {
        changes.extend([0, 1, 2].map(|part| Value::from(with_other_letter(text, part))));
        changes.extend([json!(format!("{text}A")), json!(format!(" {text}")), json!(format!("{text}\n"))]);
        changes.extend(text.char_indices().next_back().map(|(end, _)| json!(text[..end])));
    }
    changes.retain(|change| change != leaf);
    changes
}

/// A text with one letter replaced by its neighbour in ASCII.
fn with_other_letter(text: &str, part: usize) -> String {
    let at = text.chars().count().saturating_sub(1) * part / 2;
    let other = |(index, letter): (usize, char)| if index == at { char::from(letter as u8 ^ 1) } else { letter };
    text.chars().enumerate().map(other).collect()
}
