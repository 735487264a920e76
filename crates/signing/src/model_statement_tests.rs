use serde_json::{Value, json};
use waag_evidence::manifest::Digest;

use super::*;

fn manifest_of(method: Method, names: &[(&str, Option<Shard>)]) -> Manifest {
    let digest = |index: u8| Digest::from(Sha256Digest::new([index; 32]));
    let resources = (0u8..).zip(names);
    let resources =
        resources.map(|(index, (path, shard))| Resource { path: (*path).into(), shard: *shard, digest: digest(index) });
    let serialization =
        Serialization { method, algorithm: HashAlgorithm::Sha256, allow_symlinks: false, ignored: vec![".git".into()] };
    Manifest::new("model".into(), serialization, resources.collect()).unwrap()
}

fn files(names: &[&str]) -> Manifest {
    manifest_of(Method::Files, &names.iter().map(|name| (*name, None)).collect::<Vec<_>>())
}

/// A good statement, changed in one way.
fn changed(change: impl FnOnce(&mut Value)) -> Result<ModelStatement, SigningError> {
    let mut statement: Value = serde_json::from_slice(&write(&files(&["a", "b"])).unwrap()).unwrap();
    change(&mut statement);
    ModelStatement::parse(&serde_json::to_vec(&statement).unwrap())
}

fn code(change: impl FnOnce(&mut Value)) -> &'static str {
    changed(change).map_or_else(|error| error.code(), |_| "good")
}

#[test]
fn a_manifest_is_read_as_it_is_written() {
    let manifest = files(&["a-1.txt", "a.txt", "a/b.txt"]);
    let bytes = write(&manifest).unwrap();
    let statement = ModelStatement::parse(&bytes).unwrap();
    assert_eq!(statement.manifest, manifest);
    assert_eq!(statement.unchecked_digests, [""; 0]);
    assert_eq!(write(&statement.manifest).unwrap(), bytes);
    insta::assert_snapshot!(String::from_utf8(bytes).unwrap());
}

#[test]
fn entries_are_sorted_by_code_point() {
    let reference = files(&["a/b.txt", "a-1.txt", "a.txt"]);
    let written = ModelStatement::parse(&write(&reference).unwrap()).unwrap().manifest;
    assert_eq!(written.resources.iter().map(Resource::name).collect::<Vec<_>>(), ["a-1.txt", "a.txt", "a/b.txt"]);
}

#[test]
fn the_names_digest_is_what_sha256sum_and_sort_make() {
    let names = files(&["a", "b"]);
    let statement: Value = serde_json::from_slice(&write(&names).unwrap()).unwrap();
    // for i in 00 01: printf '%s  %s\n' (64 digits) (name), through sha256sum
    let expected = names_root([("a", Sha256Digest::new([0; 32])), ("b", Sha256Digest::new([1; 32]))].into_iter());
    assert_eq!(statement["subject"][0]["digest"]["dirHash"], expected.to_string());
    for single in [files(&["."]), files(&["a\\b"])] {
        let statement: Value = serde_json::from_slice(&write(&single).unwrap()).unwrap();
        assert_eq!(statement["subject"][0]["digest"].get("dirHash"), None);
    }
}

#[test]
fn shards_are_named_and_sorted_as_signers_do() {
    let shard = |start, end| Some(Shard { start, end });
    let shards = [("a:b", shard(0, 4)), ("a:b", shard(12, 14)), ("a:b", shard(4, 8)), ("a:b", shard(8, 12))];
    let manifest = manifest_of(Method::Shards(4), &shards);
    assert_eq!(ModelStatement::parse(&write(&manifest).unwrap()).unwrap().manifest, manifest);
    for (name, good) in [
        ("a:0:4", true),
        ("a:b:0:4", true),
        ("a", false),
        ("a:4", false),
        ("a:4:4", false),
        ("a:8:4", false),
        ("a:00:4", false),
        ("a:+0:4", false),
        ("a:0:99999999999999999999", false),
    ] {
        assert_eq!(split_shard(name).is_some(), good, "{name}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let entry = |name: &str| json!({"name": name, "algorithm": "sha256", "digest": "00".repeat(32)});
    let resources =
        |entries: Vec<Value>| move |statement: &mut Value| statement["predicate"]["resources"] = entries.into();
    assert_eq!(code(|_| {}), "good");
    assert_eq!(
        code(|statement| statement["subject"][0]["digest"]["sha256"] = "00".repeat(32).into()),
        "root-digest-mismatch"
    );
    assert_eq!(
        code(|statement| statement["subject"][0]["digest"]["dirHash"] = "00".repeat(32).into()),
        "names-digest-mismatch"
    );
    assert_eq!(
        code(|statement| statement["predicate"]["resources"][0]["algorithm"] = "blake3".into()),
        "algorithm-mismatch"
    );
    assert_eq!(
        code(|statement| statement["predicate"]["resources"][0]["digest"] = "AA".repeat(32).into()),
        "malformed-statement"
    );
    assert_eq!(
        code(|statement| statement["predicate"]["serialization"]["hash_type"] = "md5".into()),
        "malformed-statement"
    );
    assert_eq!(
        code(|statement| statement["predicate"]["serialization"]["shard_size"] = 4.into()),
        "malformed-statement"
    );
    assert_eq!(code(|statement| statement["predicate"]["x"] = 1.into()), "malformed-statement");
    assert_eq!(code(|statement| statement["x"] = 1.into()), "malformed-statement");
    assert_eq!(
        code(|statement| statement["_type"] = "https://in-toto.io/Statement/v0.1".into()),
        "malformed-statement"
    );
    assert_eq!(
        code(|statement| statement["predicateType"] = "https://slsa.dev/provenance/v1".into()),
        "predicate-type"
    );
    assert_eq!(code(|statement| statement["subject"] = json!([])), "subject-count");
    for ignored in [".", "a", "a/", ""] {
        let ignore = |statement: &mut Value| statement["predicate"]["serialization"]["ignore_paths"] = json!([ignored]);
        assert_eq!(code(ignore), "ignored-resource", "{ignored}");
    }
    assert_eq!(
        code(|statement| statement["predicate"]["serialization"]["ignore_paths"] = json!(["a/b", "aa"])),
        "good"
    );
    assert_eq!(code(resources(vec![])), "empty-manifest");
    assert_eq!(code(resources(vec![entry("a"), entry("a")])), "duplicate-resource");
    assert_eq!(code(resources(vec![entry("../a")])), "path-outside-model");
    assert_eq!(code(resources(vec![entry("b"), entry("a")])), "unsorted-resources");
}

#[test]
fn what_later_signers_may_add_is_passed_over() {
    let statement = changed(|statement| {
        statement["predicate"]["resources"][0]["annotations"] = json!({"x": 1});
        statement["subject"][0]["digest"]["gitCommit"] = "00".into();
    });
    assert_eq!(statement.unwrap().unchecked_digests, ["gitCommit"]);
}

#[test]
fn shard_sizes_with_a_decimal_point_are_whole() {
    assert_eq!(ShardSize::Decimal(100_000.0).bytes().ok(), Some(100_000));
    for size in [
        ShardSize::Whole(0),
        ShardSize::Decimal(0.0),
        ShardSize::Decimal(1.5),
        ShardSize::Decimal(-4.0),
        ShardSize::Decimal(1e300),
    ] {
        assert!(size.bytes().is_err());
    }
}

#[test]
fn arrays_are_no_objects() {
    let text = String::from_utf8(write(&files(&["a"])).unwrap()).unwrap();
    let entry = format!("{{\"name\":\"a\",\"algorithm\":\"sha256\",\"digest\":\"{0}\"}}", "00".repeat(32));
    let array = format!("[\"a\",\"sha256\",\"{0}\"]", "00".repeat(32));
    assert!(text.contains(&entry));
    let changed = text.replace(&entry, &array);
    assert_eq!(ModelStatement::parse(changed.as_bytes()).map_err(|error| error.code()), Err("malformed-statement"));
}

#[test]
fn a_field_that_is_named_twice_is_refused() {
    let text = String::from_utf8(write(&files(&["a"])).unwrap()).unwrap();
    let twice = text.replace("\"method\":\"files\"", "\"method\":\"files\",\"method\":\"files\"");
    assert_ne!(text, twice);
    assert_eq!(ModelStatement::parse(twice.as_bytes()).map_err(|error| error.code()), Err("malformed-statement"));
}
