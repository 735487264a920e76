//! Folders as people have them, and what is made of them.

use std::path::Path;

use waag_evidence::finding::Location;
use waag_evidence::{Dependency, DependencySource, Ecosystem, Standing};

use super::cyclonedx::Version;
use super::{Bom, Format, Options, gaps, gather, write};
use crate::output::Style;
use crate::scan::Silent;

pub(super) fn safetensors(tensors: &[(&str, u64)]) -> Vec<u8> {
    let mut at = 0;
    let entries: Vec<String> = tensors
        .iter()
        .map(|(name, count)| {
            let (start, end) = (at, at + count * 2);
            at = end;
            format!(r#""{name}":{{"dtype":"BF16","shape":[{count}],"data_offsets":[{start},{end}]}}"#)
        })
        .collect();
    let header = format!("{{{}}}", entries.join(","));
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; at as usize]].concat()
}

pub(super) fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn tuned(folder: &Path) {
    put(folder, "model-00001-of-00002.safetensors", safetensors(&[("a", 6)]));
    put(folder, "model-00002-of-00002.safetensors", safetensors(&[("b", 4)]));
    let shard = |number| format!("model-0000{number}-of-00002.safetensors");
    let index = format!(r#"{{"weight_map": {{"a": "{}", "b": "{}"}}}}"#, shard(1), shard(2));
    put(folder, "model.safetensors.index.json", index);
    put(folder, "config.json", r#"{"model_type": "llama", "_name_or_path": "org/other", "hidden_size": 8}"#);
    put(
        folder,
        "README.md",
        "---\nlicense: mit\nbase_model: org/base\ndatasets: [org/rows]\nmodel-index:\n- name: tuned\n---\n# x\n",
    );
}

pub(super) fn bom(folder: &Path) -> Bom {
    gather(folder, &Options::default(), &Silent).unwrap()
}

pub(super) fn written(bom: &Bom, format: Format) -> String {
    let mut out = Vec::new();
    write(bom, format, &mut out, Style::default()).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn shards_are_one_model_and_a_fine_tune_is_not_its_ancestor() {
    let folder = tempfile::tempdir().unwrap();
    tuned(folder.path());
    let bom = bom(folder.path());
    let [model] = bom.models.as_slice() else { panic!("{:?}", bom.models) };
    let weights = model.weights.as_ref().unwrap();
    assert_eq!((weights.files.len(), weights.tensors, weights.parameters), (2, 2, 10));
    assert_eq!(weights.dtypes, [("BF16".to_owned(), 10)]);
    assert_eq!(model.name.value, "tuned");
    let ancestors: Vec<&str> = model.lineage.iter().map(|ancestor| ancestor.name.as_str()).collect();
    assert_eq!(ancestors, ["org/base", "org/other"]);
    assert_eq!(model.conflicts.len(), 1);
    assert_eq!(bom.files.len(), 5);
    assert!(bom.files.iter().all(|file| file.sha256.is_some()));
}

#[test]
fn a_shard_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    tuned(folder.path());
    std::fs::remove_file(folder.path().join("model-00002-of-00002.safetensors")).unwrap();
    let bom = bom(folder.path());
    let weights = bom.models[0].weights.as_ref().unwrap();
    assert_eq!(weights.missing, ["model-00002-of-00002.safetensors"]);
    assert!(bom.has_gaps());
    assert!(written(&bom, Format::CycloneDx(Version::V1_6)).contains(r#""aggregate": "incomplete""#));
}

#[test]
fn a_version_is_never_made_of_a_range_and_a_repository_is_no_package() {
    let folder = tempfile::tempdir().unwrap();
    tuned(folder.path());
    let index = DependencySource::Index { url: None };
    let repository = DependencySource::Repository {
        url: "git+https://github.com/huggingface/peft".to_owned(),
        revision: Some("main".to_owned()),
        commit: None,
    };
    let one = |name: &str, constraint: Option<&str>, source| Dependency {
        ecosystem: Ecosystem::Pypi,
        name: name.to_owned(),
        written: name.to_owned(),
        constraint: constraint.map(str::to_owned),
        version: None,
        extras: Vec::new(),
        marker: None,
        source,
        digests: Vec::new(),
        standing: Standing::Declared,
        group: None,
        requires: Vec::new(),
        location: Location { line: Some(3), ..Location::file("requirements.txt") },
    };
    let dependencies = vec![one("numpy", Some(">=1.20"), index), one("peft", None, repository)];
    let options = Options { dependencies, ..Options::default() };
    let bom = gather(folder.path(), &options, &Silent).unwrap();
    let later = written(&bom, Format::CycloneDx(Version::V1_7));
    assert!(later.contains(r#""versionRange": "vers:pypi/>=1.20""#) && later.contains(r#""isExternal": true"#));
    let earlier = written(&bom, Format::CycloneDx(Version::V1_6));
    assert!(!earlier.contains("versionRange") && earlier.contains("waag:dependency:constraint"));
    for text in [later, earlier] {
        assert!(!text.contains("numpy@") && !text.contains("pkg:pypi/peft") && !text.contains("pkg:pypi/git"));
    }
}

#[test]
fn what_is_missing_is_named_with_where_to_write_it() {
    let folder = tempfile::tempdir().unwrap();
    tuned(folder.path());
    let bom = bom(folder.path());
    for regime in gaps::REGIMES {
        let found = gaps::gaps(&bom, regime);
        assert!(found.iter().any(|gap| gap.found.is_none()), "{}", regime.id);
        assert!(found.iter().all(|gap| !gap.write.is_empty()), "{}", regime.id);
    }
    let gaps = gaps::gaps(&bom, gaps::regime("annex-xi").unwrap());
    let licence = gaps.iter().find(|gap| gap.what == "licence").unwrap();
    assert_eq!((licence.found.as_deref(), licence.place.as_deref()), (Some("mit"), Some("README.md:2")));
    let energy = gaps.iter().find(|gap| gap.what.starts_with("energy")).unwrap();
    assert_eq!(energy.found, None);
}

#[test]
fn files_without_a_model_are_no_digest_of_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.py"), "pass").unwrap();
    let digests = |bom: &Bom| {
        let gaps = gaps::gaps(bom, gaps::regime("g7").unwrap());
        gaps.iter().filter(|gap| gap.what.starts_with("hash ") && gap.found.is_some()).count()
    };
    assert_eq!(digests(&bom(folder.path())), 0);
    tuned(folder.path());
    assert_eq!(digests(&bom(folder.path())), 2);
}

#[test]
fn answers_for_programs_follow_their_schema() {
    let folder = tempfile::tempdir().unwrap();
    tuned(folder.path());
    let bom = bom(folder.path());
    let schema = serde_json::from_str(include_str!("../../../../docs/schema/bom-gaps.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for regime in gaps::REGIMES {
        let mut out = Vec::new();
        gaps::json(&bom, regime, &mut out).unwrap();
        let document = serde_json::from_slice(&out).unwrap();
        assert!(schema.is_valid(&document), "{}", regime.id);
    }
    let schema = serde_json::from_str(include_str!("../../../../docs/schema/bom-diff.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let (old, new) = (folder.path().join("old.json"), folder.path().join("new.json"));
    std::fs::write(&old, written(&bom, Format::CycloneDx(Version::V1_6))).unwrap();
    put(folder.path(), "config.json", r#"{"model_type": "llama"}"#);
    std::fs::write(&new, written(&self::bom(folder.path()), Format::CycloneDx(Version::V1_7))).unwrap();
    let found = super::diff::diff(&old, &new).unwrap();
    assert!(!found.is_same());
    let mut out = Vec::new();
    super::diff::json(&found, &mut out).unwrap();
    assert!(schema.is_valid(&serde_json::from_slice(&out).unwrap()));
}

#[test]
fn every_format_is_the_same_twice_and_the_page_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    tuned(folder.path());
    let formats =
        [Format::CycloneDx(Version::V1_6), Format::CycloneDx(Version::V1_7), Format::Spdx, Format::Html, Format::Plain];
    for format in formats {
        assert_eq!(written(&bom(folder.path()), format), written(&bom(folder.path()), format), "{format:?}");
    }
    let page = written(&bom(folder.path()), Format::Html);
    for forbidden in ["<script", "javascript:", "src=", "href=", "@import", "url(", "{{"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}
