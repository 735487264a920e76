//! Cards, configurations and files by hand.

use super::*;

#[test]
fn a_card_says_what_a_model_was_made_from() {
    let card = "---\nlicense: other\nlicense_name: llama3.2\nbase_model:\n- meta-llama/Llama-3.2-1B\n- ./local\n\
                base_model_relation: finetune\ndatasets: [org/data, squad]\nmodel-index:\n- name: tiny\n  results:\n  \
                - dataset: {type: glue, name: GLUE, config: sst2, split: test, revision: main}\n---\n# Tiny\n";
    let root = folder(&[("m/README.md", card)]);
    let imported = import(root.path());
    assert_eq!(
        told(&imported),
        [
            "base-model: pkg:huggingface/meta-llama/Llama-3.2-1B (m/README.md#/base_model/0)",
            "dataset: https://huggingface.co/datasets/org/data (m/README.md#/datasets/0)",
            "dataset: https://huggingface.co/datasets/squad (m/README.md#/datasets/1)",
            "evaluation-dataset: https://huggingface.co/datasets/glue (m/README.md#/model-index/0/results/0/dataset)",
            "description: m/README.md (m/README.md#/license)",
        ]
    );
    assert_eq!(imported.claims[0].object.annotations["relation"], "finetune");
    assert!(imported.remarks.iter().any(|remark| remark.text.contains("'./local' is a path")));
    let subject = &imported.claims[0].subject;
    assert_eq!(subject.name.as_deref(), Some("m"));
    assert!(subject.digest.get("sha256").is_some() && subject.digest.get("dirHash").is_some());
}

#[test]
fn a_model_is_not_its_own_ancestor() {
    let config = r#"{"_name_or_path": "me/tiny-ft", "transformers_version": "4.45.0"}"#;
    let root = folder(&[("me/tiny-ft/config.json", config), ("other/config.json", r#"{"_name_or_path": "org/base"}"#)]);
    let imported = import(root.path());
    assert_eq!(
        told(&imported),
        [
            "dependency: pkg:pypi/transformers@4.45.0 (me/tiny-ft/config.json#/transformers_version)",
            "base-model: pkg:huggingface/org/base (other/config.json#/_name_or_path)",
        ]
    );
    assert!(imported.remarks.iter().any(|remark| remark.text.contains("is the model itself")));
}

#[test]
fn a_folder_that_was_loaded_from_is_no_model_of_the_hub() {
    for name in ["output", "/home/me/llama", "../llama", "runs/checkpoint-500", ""] {
        let config = format!(r#"{{"_name_or_path": "{name}"}}"#);
        let root = folder(&[("m/config.json", &config)]);
        assert_eq!(told(&import(root.path())), [""; 0], "{name}");
    }
}

#[test]
fn sources_of_one_model_that_disagree_are_a_conflict() {
    let root = folder(&[
        ("m/README.md", "---\nbase_model: org/one\nlicense: apache-2.0\n---\n"),
        ("m/config.json", r#"{"_name_or_path": "org/two"}"#),
        (
            "m/adapter_config.json",
            r#"{"base_model_name_or_path": "org/one", "revision": "main", "peft_version": "0.13.0"}"#,
        ),
        ("m/modelcard.yaml", "license: mit\n"),
    ]);
    let imported = import(&root.path().join("m"));
    let topics: Vec<Topic> = imported.conflicts.iter().map(|conflict| conflict.topic).collect();
    assert_eq!(topics, [Topic::BaseModel, Topic::Licence]);
    assert_eq!(imported.conflicts[0].voices.len(), 3);
    assert_eq!(imported.grade(), Grade::Unchecked);
    let mut out = Vec::new();
    plain(&imported, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains("base model of m\n") && text.contains("pkg:huggingface/org/two  says config.json#/_name_or_path"),
        "{text}"
    );
}

#[test]
fn a_merge_names_everything_that_went_in() {
    let config = "merge_method: ties\nbase_model: org/base@v2\ntokenizer_source: org/tok\nslices:\n- sources:\n  - model: org/a+org/lora\n    \
                  layer_range: [0, 16]\n  - model: {model: {path: org/b, revision: r1}}\n    layer_range: [0, 16]\n- sources:\n  - model: org/a\n    layer_range: [16, 32]\n";
    let root = folder(&[("m/mergekit_config.yml", config)]);
    let imported = import(root.path());
    let mut lines = told(&imported);
    lines.iter_mut().for_each(|line| line.truncate(line.find(" (").unwrap()));
    assert_eq!(
        lines,
        [
            "base-model: pkg:huggingface/org/a",
            "base-model: pkg:huggingface/org/b",
            "base-model: pkg:huggingface/org/base",
            "adapter: pkg:huggingface/org/lora",
            "tokenizer: pkg:huggingface/org/tok",
        ]
    );
    let base = imported.claims.iter().find(|claim| claim.object.uri.as_deref() == Some("pkg:huggingface/org/base"));
    assert_eq!(base.unwrap().object.annotations["revision"], "v2");
}

#[test]
fn gguf_headers_name_models_and_source() {
    let root = tempfile::tempdir().unwrap();
    let text = |text: &str| {
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes
    };
    let pairs = [
        ("general.architecture", "llama"),
        ("general.license", "mit"),
        ("general.base_model.0.name", "Llama 1B"),
        ("general.base_model.0.repo_url", "https://huggingface.co/meta-llama/Llama-3.2-1B"),
        ("general.base_model.1.name", "Some Other"),
        ("general.source.repo_url", "https://huggingface.co/me/tuned"),
    ];
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3u32.to_le_bytes());
    bytes.extend(0u64.to_le_bytes());
    bytes.extend((pairs.len() as u64).to_le_bytes());
    for (key, value) in pairs {
        bytes.extend(text(key));
        bytes.extend(8u32.to_le_bytes());
        bytes.extend(text(value));
    }
    std::fs::write(root.path().join("model.gguf"), bytes).unwrap();
    let imported = import(&root.path().join("model.gguf"));
    let mut lines = told(&imported);
    lines.iter_mut().for_each(|line| line.truncate(line.find(" (").unwrap()));
    assert_eq!(
        lines,
        [
            "base-model: pkg:huggingface/meta-llama/Llama-3.2-1B",
            "base-model: Some Other",
            "converted-from: pkg:huggingface/me/tuned",
            "description: model.gguf",
        ]
    );
    assert!(imported.claims.iter().all(|claim| claim.subject.digest.get("sha256").is_some()));
}

#[test]
fn provenance_by_hand_is_read_and_its_digests_are_checked() {
    let provenance = "model: model.bin\nbase_model: {name: org/base, revision: v1}\ntraining_data:\n- {name: reviews, path: data.csv, sha256: 8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4}\n\
                      dependencies: ['torch==2.4.0', 'numpy>=1.20']\ntraining: {script: train.py, script_sha256: 0000000000000000000000000000000000000000000000000000000000000000, random_seed: 7}\n";
    let root = folder(&[
        ("provenance.yaml", provenance),
        ("model.bin", "weights"),
        ("data.csv", "hi"),
        ("train.py", "pass\n"),
    ]);
    let imported = import(root.path());
    assert_eq!(
        told(&imported),
        [
            "base-model: pkg:huggingface/org/base (provenance.yaml#/base_model)",
            "dataset: reviews (provenance.yaml#/training_data/0)",
            "code: train.py (provenance.yaml#/training/script)",
            "dependency: pkg:pypi/torch@2.4.0 (provenance.yaml#/dependencies/0)",
            "dependency: pkg:pypi/numpy (provenance.yaml#/dependencies/1)",
        ]
    );
    let wrong: Vec<&str> = imported
        .remarks
        .iter()
        .filter(|remark| remark.grade == Grade::Wrong)
        .map(|remark| remark.location.as_str())
        .collect();
    assert_eq!(wrong, ["train.py"], "the data is what the file says, the script is not");
    assert_eq!(imported.claims[0].subject.name.as_deref(), Some("model.bin"));
    assert_eq!(imported.grade(), Grade::Wrong);
}

#[test]
fn a_manifest_is_checked_file_by_file() {
    let manifest = "files:\n- path: a.txt\n  sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\n- path: gone.txt\n  \
                    md5: 5d41402abc4b2a76b9719d911017c592\n- path: ../outside\n  sha256: '00'\n";
    let root = folder(&[("m/MANIFEST.yaml", manifest), ("m/a.txt", "hello")]);
    let imported = import(root.path());
    let agrees = Checked::Agrees { algorithm: "sha256".into() };
    assert!(imported.artifacts.iter().any(|artifact| artifact.name == "m/a.txt" && artifact.checked == agrees));
    let wrong: Vec<&Remark> = imported.remarks.iter().filter(|remark| remark.grade == Grade::Wrong).collect();
    assert!(wrong.len() == 1 && wrong[0].text.contains("'gone.txt'"), "{wrong:?}");
}

#[test]
fn what_lies_in_a_cache_has_its_name_on_the_hub() {
    let commit = "043235d6088ecd3dd5fb5ca3592b6913fd516027";
    let card = format!("models--org--tuned/snapshots/{commit}/README.md");
    let root = folder(&[(&card, "---\nbase_model: org/base\n---\n")]);
    let imported = import(root.path());
    assert_eq!(imported.claims[0].subject.uri, Some(format!("pkg:huggingface/org/tuned@{commit}")));
}

#[test]
fn libraries_that_saved_a_model_are_dependencies() {
    let versions =
        r#"{"__version__": {"sentence_transformers": "3.0.1", "transformers": "4.41.2", "pytorch": "2.3.0+cu121"}}"#;
    let modules = r#"[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]"#;
    let root = folder(&[("config_sentence_transformers.json", versions), ("modules.json", modules)]);
    let lines = told(&import(root.path()));
    assert!(lines[0].starts_with("dependency: pkg:pypi/sentence-transformers@3.0.1 ("), "{lines:?}");
    assert!(lines[2].starts_with("dependency: pkg:pypi/torch@2.3.0%2Bcu121 ("), "{lines:?}");
    assert_eq!(lines.len(), 4);
}

#[test]
fn keys_that_stand_twice_are_told_of_files_of_trainers_and_sentence_transformers() {
    for (name, text) in [
        ("trainer_state.json", r#"{"epoch": 1.0, "global_step": 1, "global_step": 2}"#),
        ("trainer_state.json", r#"{"epoch": 1.0, "log_history": [{"loss": 1.0, "loss": 2.0}]}"#),
        ("all_results.json", r#"{"eval_loss": 1.0, "eval_loss": 0.1}"#),
        ("config_sentence_transformers.json", r#"{"__version__": {"pytorch": "2.3.0", "pytorch": "2.4.0"}}"#),
        ("modules.json", r#"[{"type": "sentence_transformers.models.Transformer", "type": "x"}]"#),
    ] {
        let imported = import(folder(&[(name, text)]).path());
        let is_told = imported.remarks.iter().any(|remark| remark.text.contains("is there twice"));
        assert!(is_told, "{name}: {:?}", imported.remarks);
    }
}

#[test]
fn a_packed_model_names_its_run_and_what_it_wraps() {
    let packed = "run_id: abc123\nmlflow_version: 3.17.2\nflavors:\n  transformers:\n    source_model_name: org/base\n    \
                  source_model_revision: 043235d6088ecd3dd5fb5ca3592b6913fd516027\n";
    let root = folder(&[("model/MLmodel", packed)]);
    assert_eq!(
        told(&import(root.path())),
        [
            "run: runs:/abc123 (model/MLmodel#/run_id)",
            "dependency: pkg:pypi/mlflow@3.17.2 (model/MLmodel#/mlflow_version)",
            "base-model: pkg:huggingface/org/base@043235d6088ecd3dd5fb5ca3592b6913fd516027 \
             (model/MLmodel#/flavors/transformers/source_model_name)",
        ]
    );
}

#[test]
fn an_address_names_what_an_identifier_does() {
    let card = "---\nbase_model: https://huggingface.co/org/base\ndatasets: [\"https://huggingface.co/datasets/org/data\"]\n---\n";
    assert_eq!(
        told(&import(folder(&[("m/README.md", card)]).path())),
        [
            "base-model: pkg:huggingface/org/base (m/README.md#/base_model)",
            "dataset: https://huggingface.co/datasets/org/data (m/README.md#/datasets/0)",
        ]
    );
}

#[test]
fn a_name_that_only_ends_like_the_models_takes_nothing_away() {
    let card = "---\nmodel_name: base\nbase_model: owner/Llama-3.2-1B\n---\n";
    let adapter = r#"{"base_model_name_or_path": "org/base"}"#;
    let imported =
        import(folder(&[("Llama-3.2-1B/README.md", card), ("Llama-3.2-1B/adapter_config.json", adapter)]).path());
    assert_eq!(
        told(&imported),
        [
            "base-model: pkg:huggingface/owner/Llama-3.2-1B (Llama-3.2-1B/README.md#/base_model)",
            "base-model: pkg:huggingface/org/base (Llama-3.2-1B/adapter_config.json#/base_model_name_or_path)",
        ]
    );
    assert!(imported.conflicts.iter().any(|conflict| conflict.topic == Topic::BaseModel));
    assert_eq!(imported.remarks.iter().filter(|remark| remark.text.contains("may be the model itself")).count(), 2);
}

#[test]
fn names_in_mappings_are_read_and_what_is_no_name_is_told() {
    let card = "\n---\nbase_model:\n- {name: org/base}\n- 7\ndatasets:\n- {id: org/data}\n---\n";
    let imported = import(folder(&[("m/README.md", card)]).path());
    assert_eq!(
        told(&imported),
        [
            "base-model: pkg:huggingface/org/base (m/README.md#/base_model/0)",
            "dataset: https://huggingface.co/datasets/org/data (m/README.md#/datasets/0)",
        ]
    );
    assert_eq!(imported.grade(), Grade::Unchecked);
}

#[test]
fn two_revisions_of_one_model_are_merged_as_two() {
    let merge = "merge_method: linear\nmodels:\n- model: o/a@r1\n- model: o/a@r2\n- model: o/a@r2\n";
    assert_eq!(told(&import(folder(&[("m/mergekit_config.yml", merge)]).path())).len(), 2);
}

#[test]
fn digests_that_are_not_checked_are_told() {
    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let line = |path: &str| format!("- {{path: {path}, sha256: {sha256}}}\n");
    let manifest = format!("files:\n{}{}{}{}", line("./gone.bin"), line("../up.bin"), line("link"), line("out"));
    let root = folder(&[("up.bin", "hello"), ("m/MANIFEST.yaml", &manifest), ("m/a.txt", "hello")]);
    let elsewhere = folder(&[("secret", "hello")]);
    std::os::unix::fs::symlink("a.txt", root.path().join("m/link")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path().join("secret"), root.path().join("m/out")).unwrap();
    let imported = import(root.path());
    let agrees = Checked::Agrees { algorithm: "sha256".into() };
    assert!(imported.artifacts.iter().any(|artifact| artifact.name == "m/link" && artifact.checked == agrees));
    let said = |grade, text: &str| {
        assert!(
            imported.remarks.iter().any(|one| one.grade == grade && one.text.contains(text)),
            "{:?}",
            imported.remarks
        );
    };
    said(Grade::Wrong, "'./gone.bin'");
    said(Grade::Unchecked, "'../up.bin'");
    said(Grade::Unchecked, "'out'");
}

#[test]
fn a_ledger_within_is_no_part_of_a_model() {
    let root = folder(&[("m/README.md", "---\nbase_model: org/base\n---\n"), ("m/model.bin", "x")]);
    let model = root.path().join("m");
    let digest = |path: &Path| {
        let claims = import(path).claims;
        claims.into_iter().find(|claim| claim.role == Role::BaseModel).unwrap().subject.digest
    };
    let before = digest(&model);
    std::fs::create_dir(model.join(".waag")).unwrap();
    std::fs::write(model.join(".waag/statement.json"), "{}").unwrap();
    assert_eq!(digest(&model), before);
    let whole = crate::lineage::question::digests_of(&model, &Silent).unwrap().whole;
    let told: Vec<String> = whole.iter().map(ToString::to_string).collect();
    assert!(told.contains(&format!("sha256:{}", before.get("sha256").unwrap())), "asked for as it is imported");
}
