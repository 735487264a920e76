//! Tests of the walk.

use super::parser::{walk, walk_lines};
use super::*;
use crate::budget::Budget;

fn events(text: &[u8]) -> (Vec<String>, Vec<(u64, Deviation)>) {
    let mut seen = Vec::new();
    let budget = Budget::small();
    let outcome = walk(&text, 0, u64::MAX, &budget, &mut |event| {
        seen.push(format!("{}@{} {}={:?}", event.path.len(), event.offset, path_text(event.path), event.value));
    });
    (seen, outcome.notes.iter().map(|note| (note.offset, note.kind)).collect())
}

#[test]
fn values_come_with_paths_and_offsets() {
    let (seen, notes) = events(br#" {"a": [1, {"b": "x\u00e9"}], "c": true} "#);
    assert_eq!(notes, []);
    let wanted = [
        "0@1 =Object",
        "1@7 a=Array",
        "2@8 a[0]=Number(\"1\")",
        "2@11 a[1]=Object",
        "3@17 a[1].b=Text(\"xé\")",
        "2@11 a[1]=ObjectEnd(1)",
        "1@7 a=ArrayEnd(2)",
        "1@35 c=Bool(true)",
        "0@1 =ObjectEnd(2)",
    ];
    assert_eq!(seen, wanted);
}

#[test]
fn empty_containers_and_bare_values_are_whole() {
    for text in ["{}", "[]", "[[],{}]", "1", "\"\"", "null", "-0.5e+3", "[{},{}]", "{\"a\":{}}"] {
        let outcome = walk(&text.as_bytes(), 0, u64::MAX, &Budget::small(), &mut |_| {});
        assert!(outcome.complete && outcome.notes.is_empty(), "{text}: {outcome:?}");
    }
}

#[test]
fn duplicates_are_seen_through_escapes() {
    let (_, notes) = events(br#"{"ab": 1, "\u0061b": 2, "c": {"ab": 3}}"#);
    assert_eq!(notes, [(10, Deviation::Duplicate)]);
    let (_, notes) = events(br#"{"\ud800": 1, "\ud801": 2, "\ud83d\ude00": 1, "\uD83D\uDE00": 2}"#);
    let kinds: Vec<_> = notes.iter().map(|note| note.1).collect();
    assert_eq!(kinds, [Deviation::Lax, Deviation::Lax, Deviation::Duplicate]);
}

#[test]
fn what_only_python_reads_is_read_and_said() {
    let (seen, notes) = events(b"\xEF\xBB\xBF[NaN, Infinity, -Infinity, \"a\tb\"] x");
    assert_eq!(seen.len(), 6);
    let kinds: Vec<_> = notes.iter().map(|note| note.1).collect();
    let lax = Deviation::Lax;
    assert_eq!(kinds, [lax, lax, lax, lax, lax, Deviation::Trailing]);
}

#[test]
fn what_nobody_reads_is_broken() {
    let texts = [
        "",
        "{",
        "[1",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "01",
        "1.",
        ".5",
        "+1",
        "nul",
        "\"\\x\"",
        "'a'",
        "[1 2]",
        "]",
        "{\"a\" 1}",
        "\"abc",
        "// x",
        "1e",
        "--1",
        "-",
        "{\"a\":}",
        "[,1]",
    ];
    for text in texts {
        let outcome = walk(&text.as_bytes(), 0, u64::MAX, &Budget::small(), &mut |_| {});
        assert!(outcome.notes.iter().any(|note| note.kind == Deviation::Broken), "{text}: {outcome:?}");
        assert!(!outcome.complete, "{text}");
    }
}

#[test]
fn nesting_and_work_are_bounded() {
    let deep = vec![b'['; 100_000];
    assert_eq!(events(&deep).1.first().map(|note| note.1), Some(Deviation::Deep));
    let budget = Budget::new(0, 10, 0);
    let outcome = walk(&b"[1,2,3,4,5,6,7,8,9,10,11,12]".as_slice(), 0, 100, &budget, &mut |_| {});
    assert_eq!(outcome.notes.first().map(|note| note.kind), Some(Deviation::Limit));
}

#[test]
fn strings_longer_than_the_limit_are_cut_and_said() {
    let mut text = vec![b'a'; MAX_STRING + 10];
    text.insert(0, b'"');
    text.push(b'"');
    let (seen, notes) = events(&text);
    assert_eq!(seen.len(), 1);
    assert_eq!(notes, [(1, Deviation::Limit)]);
}

#[test]
fn no_mutation_panics() {
    let seed = br#"{"a": [1, -2.5e3, "x\ud83d\ude00\n", {"b": null}], "c": true, "a": NaN}"#;
    crate::testing::mutate(seed, 4000, |bytes| {
        walk(&bytes, 0, u64::MAX, &Budget::small(), &mut |_| {});
    });
}

#[test]
fn lines_are_values_to_the_end_or_something_trails() {
    let kinds = |text: &[u8]| {
        let outcome = walk_lines(&text, &Budget::small(), &mut |_| {});
        (outcome.values, outcome.notes.iter().map(|note| note.kind).collect::<Vec<_>>())
    };
    assert_eq!(kinds(b"{\"a\": 1}\n{\"a\": 2}\n"), (2, vec![]));
    assert_eq!(kinds(b"{\"a\": 1}\nPK"), (1, vec![Deviation::Broken, Deviation::Trailing]));
    assert_eq!(kinds(b"{"), (0, vec![Deviation::Broken]));
}
