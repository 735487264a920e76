//! Bills of materials that differ, and that do not.

use super::diff::*;
use crate::output::Style;

fn compared(one: &str, other: &str) -> BomDiff {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("a.json"), folder.path().join("b.json"));
    let document = |components: &str| format!(r#"{{"bomFormat": "CycloneDX", "specVersion": "1.6", {components}}}"#);
    std::fs::write(&old, document(one)).unwrap();
    std::fs::write(&new, document(other)).unwrap();
    assert!(is_bom(&old));
    diff(&old, &new).unwrap()
}

#[test]
fn what_changed_is_told_field_by_field() {
    let diff = compared(
        r#""components": [
            {"type": "library", "name": "torch", "version": "2.1", "purl": "pkg:pypi/torch@2.1", "bom-ref": "x"},
            {"type": "file", "name": "a", "hashes": [{"alg": "SHA-256", "content": "AA"}]},
            {"type": "file", "name": "gone"}],
           "dependencies": [{"ref": "x", "dependsOn": []}]"#,
        r#""components": [
            {"type": "library", "name": "torch", "version": "2.2", "purl": "pkg:pypi/torch@2.2", "bom-ref": "y",
             "licenses": [{"license": {"id": "BSD-3-Clause"}}],
             "pedigree": {"ancestors": [{"type": "library", "group": "org", "name": "base"}]}},
            {"type": "file", "name": "a", "hashes": [{"alg": "SHA-256", "content": "aa"}], "bom-ref": "a"}],
           "dependencies": [{"ref": "y", "dependsOn": ["a"]}]"#,
    );
    assert_eq!((diff.same, diff.removed.len(), diff.added.len(), diff.changed.len()), (1, 1, 0, 1));
    let fields: Vec<_> = diff.changed[0].changes.iter().map(|change| (change.field, change.added.join(","))).collect();
    assert_eq!(
        fields,
        [
            ("version", "2.2".into()),
            ("licences", "BSD-3-Clause".into()),
            ("lineage", "org/base".into()),
            ("dependencies", "file a".into())
        ]
    );
    let mut told = Vec::new();
    plain(&diff, &mut told, Style::default()).unwrap();
    assert!(String::from_utf8(told).unwrap().ends_with("0 components added, 1 removed, 1 changed, 1 the same\n"));
}

#[test]
fn of_several_components_of_one_name_those_of_one_version_are_the_same() {
    let numpy = |version: &str| {
        format!(r#"{{"type": "library", "name": "numpy", "version": "{version}", "purl": "pkg:pypi/numpy@{version}"}}"#)
    };
    let both = format!(r#""components": [{}, {}]"#, numpy("1.0"), numpy("2.0"));
    let diff = compared(&both, &format!(r#""components": [{}]"#, numpy("2.0")));
    assert_eq!((diff.same, diff.changed.len()), (1, 0));
    assert_eq!(diff.removed[0].version.as_deref(), Some("1.0"));
}

#[test]
fn a_range_is_the_same_in_both_versions_of_the_standard() {
    let of = |range: &str| {
        format!(
            r#""components": [{{"type": "library", "name": "numpy"{range}, "properties": [{{"name": "waag:dependency:constraint", "value": "<3,>=1"}}]}}]"#
        )
    };
    let diff = compared(&of(""), &of(r#", "versionRange": "vers:pypi/>=1|<3""#));
    assert!(diff.is_same());
}

#[test]
fn what_is_no_bill_of_materials_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    for text in ["{", "{}", r#"{"bomFormat": "SPDX"}"#, "[[[[[["] {
        std::fs::write(&path, text).unwrap();
        assert!(diff(&path, &path).is_err(), "{text}");
    }
}
