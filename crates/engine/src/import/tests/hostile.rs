//! Sources made to be read badly: each ends with something said, and never with a crash or a lie.

use super::*;

/// A name that each importer takes, and the start of what it reads.
const NAMES: &[(&str, &str)] = &[
    ("README.md", "---\nbase_model: org/base\n---\n"),
    ("config.json", r#"{"_name_or_path": "org/base", "transformers_version": "4"}"#),
    ("adapter_config.json", r#"{"base_model_name_or_path": "org/base"}"#),
    ("trainer_state.json", r#"{"epoch": 1.0}"#),
    ("mergekit_config.yml", "models:\n- model: org/a\n"),
    ("modules.json", r#"[{"type": "sentence_transformers.models.Transformer"}]"#),
    ("MLmodel", "run_id: x\nflavors: {a: {source_model_name: org/b}}\n"),
    (
        "dvc.lock",
        "schema: '2.0'\nstages:\n  s:\n    cmd: x\n    deps:\n    - {path: a, md5: b1946ac92492d2347c6235b4d2611184}\n    outs:\n    - {path: b, md5: b1946ac92492d2347c6235b4d2611184.dir}\n",
    ),
    ("provenance.yaml", "model: {path: x, sha256: y}\nbase_model: org/a\nfiles: {a: b}\ntraining: {script: s}\n"),
    ("meta.yaml", "artifact_uri: x\nrun_id: abc\nstart_time: 1\n"),
    (
        "bom.json",
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "data", "bom-ref": "d", "name": "x"}], "dependencies": [{"ref": "d", "dependsOn": ["d"]}]}"#,
    ),
    (
        "m.spdx.json",
        r#"{"spdxVersion": "SPDX-2.3", "packages": [{"SPDXID": "a", "name": "b"}], "relationships": [{"spdxElementId": "a", "relationshipType": "DESCENDANT_OF", "relatedSpdxElement": "a"}]}"#,
    ),
    ("model.sig", r#"{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": {}}"#),
];

#[test]
fn no_mutation_panics() {
    for (name, text) in NAMES {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(name);
        waag_testkit::mutate(text.as_bytes(), 120, |bytes| {
            std::fs::write(&path, bytes).unwrap();
            let imported = import(root.path());
            let mut out = Vec::new();
            plain(&imported, &mut out).unwrap();
        });
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let laughs = {
        let mut text = "a0: &a0 [l, l, l, l, l, l, l, l, l]\n".to_owned();
        for level in 1..12 {
            let list = format!("*a{}, ", level - 1).repeat(9);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", list.trim_end_matches(", ")));
        }
        text
    };
    let deep = "[".repeat(100_000);
    let card = format!("---\n{laughs}---\n");
    let bom = format!("{{\"bomFormat\": \"CycloneDX\", \"x\": {deep}");
    for (name, text) in [
        ("README.md", card.as_str()),
        ("provenance.yaml", &laughs),
        ("dvc.lock", "stages: [1\nb: }"),
        ("mergekit_config.yml", &deep),
        ("config.json", &deep),
        ("config.json", r#"{"_name_or_path": "org/a", "_name_or_path": "org/b"}"#),
        ("adapter_config.json", "{"),
        ("bom.json", &bom),
        ("model.sig", r#"{"dsseEnvelope": 7}"#),
        ("model.gguf", "GGUF\x03\0\0\0\u{ff}\u{ff}\u{ff}\u{ff}"),
        ("run-x.wandb", ":W&B"),
    ] {
        let imported = import(folder(&[(name, text)]).path());
        let expects = name != "run-x.wandb";
        assert_eq!(imported.grade() >= Grade::Unchecked, expects, "{name}: {:?}", imported.remarks);
    }
}

#[test]
fn components_within_components_end() {
    let depth = 400;
    let bom = format!(
        "{{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.6\", \"components\": [{}{}]}}",
        "{\"type\": \"data\", \"name\": \"x\", \"components\": [".repeat(depth / 2 - 2),
        "]}".repeat(depth / 2 - 2)
    );
    let imported = import(folder(&[("bom.json", &bom)]).path());
    assert!(!imported.claims.is_empty());
}

#[test]
fn what_a_source_names_outside_its_folder_is_not_read() {
    let root = folder(&[
        ("secret", "hi"),
        ("m/provenance.yaml", "training: {script: ../secret}\nfiles: {/etc/hostname: ''}\n"),
    ]);
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret", root.path().join("m/link")).unwrap();
    std::fs::write(root.path().join("m/MANIFEST.yaml"), "files: {link: ''}\n").unwrap();
    let imported = import(&root.path().join("m"));
    let digest = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4";
    assert!(imported.artifacts.iter().all(|artifact| artifact.sha256.to_string() != digest));
}

#[cfg(unix)]
#[test]
fn links_in_a_store_lead_nowhere() {
    use std::os::unix::fs::symlink;
    let root = folder(&[
        ("secret/token", "hunter2"),
        ("secret/meta.yaml", "name: hunter2\nsource_type: DATASET\nsource_id: d\n"),
        ("in/mlruns/1/abc/meta.yaml", "artifact_uri: x\nrun_id: abc\n"),
        ("in/mlruns/1/abc/inputs/i/meta.yaml", "source_type: DATASET\nsource_id: d\n"),
        ("in/.metaflow/F/1/s/1/0.data.json", "{\"objects\": {\"a\": \"68cf2a0a9f73a5883fcbe867cb277a6ec8637603\"}}"),
    ]);
    let link = |target: &str, name: &str| {
        let name = root.path().join("in").join(name);
        std::fs::create_dir_all(name.parent().unwrap()).unwrap();
        symlink(root.path().join(target), name).unwrap();
    };
    for name in ["params", "tags", "metrics", "artifacts"] {
        link("secret", &format!("mlruns/1/abc/{name}"));
    }
    link("secret", "mlruns/1/datasets/d");
    link("secret/token", ".metaflow/F/data/68/68cf2a0a9f73a5883fcbe867cb277a6ec8637603");
    link("secret/meta.yaml", ".metaflow/F/1/_meta/_self.json");
    let imported = import(&root.path().join("in"));
    assert!(imported.artifacts.is_empty(), "{:?}", imported.artifacts);
    let mut lines = Vec::new();
    write_statements(&imported, &mut lines).unwrap();
    json_output(&imported, &mut lines).unwrap();
    assert!(!String::from_utf8(lines).unwrap().contains("hunter2"));
    let statements = serde_json::to_string(&imported.statements).unwrap();
    assert!(!statements.contains("hunter2"), "{statements}");
}
