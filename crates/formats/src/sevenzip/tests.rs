//! Archives made with the library's own writer.

use waag_testkit::encode::sevenzip as archive;
use waag_testkit::mutate;

use super::*;
use crate::budget::Budget;

fn inspect(bytes: &Vec<u8>) -> Facts {
    let mut facts = Facts::new();
    let budget = Budget::small();
    SevenZip.inspect(bytes, &Context { name: "x.7z", role: Role::Unknown, budget: &budget }, &mut facts);
    facts
}

fn children(facts: &Facts) -> Vec<Child> {
    let kinds = facts.list().iter().filter_map(|fact| match &fact.kind {
        FactKind::Child(child) => Some(child.clone()),
        _ => None,
    });
    kinds.collect()
}

#[test]
fn entries_are_listed_and_decoded() {
    let bytes = archive(&[("a.pkl", b"\x80\x04."), ("b/c.txt", b"hello hello hello hello")]);
    let facts = inspect(&bytes);
    assert!(
        !facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Anomaly { .. } | FactKind::Incomplete { .. }))
    );
    let children = children(&facts);
    assert_eq!(children.iter().map(|child| child.name.as_str()).collect::<Vec<_>>(), ["a.pkl", "b/c.txt"]);
    let mut out = Vec::new();
    let decoded = crate::decode::decode(&bytes, &children[1], &Budget::small(), &mut out).unwrap();
    assert_eq!((out.as_slice(), decoded.trailing), (b"hello hello hello hello".as_slice(), 0));
}

#[test]
fn ways_out_and_appended_bytes_are_found() {
    let mut bytes = archive(&[("../a", b"x")]);
    bytes.extend(b"appended");
    let facts = inspect(&bytes);
    assert!(facts.has_anomaly(Anomaly::PathTraversal) && facts.has_anomaly(Anomaly::TrailingBytes));
}

#[test]
fn a_broken_archive_is_said() {
    let mut bytes = archive(&[("a", b"x")]);
    bytes.truncate(40);
    assert!(inspect(&bytes).has_anomaly(Anomaly::Malformed));
}

#[test]
fn nothing_that_can_be_done_to_an_archive_makes_the_reader_fail() {
    let sample = archive(&[("a.pkl", b"\x80\x04."), ("b", &[7; 500])]);
    mutate(&sample, 2000, |bytes| {
        let facts = inspect(&bytes);
        for child in children(&facts) {
            drop(crate::decode::decode(&bytes, &child, &Budget::small(), &mut std::io::sink()));
        }
    });
}
