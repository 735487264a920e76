//! Cards as a person uses them.

// A test may stop at what it did not expect, and reads only what it made itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;
use std::process::{Command, Output};

fn waag(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_waag")).args(arguments).current_dir(folder).output().unwrap()
}

fn told(output: &Output) -> String {
    let code = output.status.code().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!("{}{}exit {code}\n", text(&output.stdout), text(&output.stderr))
}

fn model() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("tuned/config.json", r#"{"architectures": ["BertForMaskedLM"], "max_position_embeddings": 512}"#);
    write("tuned/tokenizer_config.json", r#"{"tokenizer_class": "BertTokenizer"}"#);
    write(
        "tuned/adapter_config.json",
        r#"{"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-3.2-1B", "r": 8}"#,
    );
    let header = r#"{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#;
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 16]].concat();
    std::fs::write(root.path().join("tuned/adapter_model.safetensors"), bytes).unwrap();
    root
}

fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in\n{text}");
    }
}

#[test]
fn a_card_is_drafted_once_and_then_checked() {
    let root = model();
    let drafted = told(&waag(root.path(), &["card", "init", "tuned"]));
    assert_has(&drafted, &["the card of a model, from 4 files", "marked TODO", "exit 0"]);
    let again = told(&waag(root.path(), &["card", "init", "tuned"]));
    assert_has(&again, &["is there already", "hint:", "exit 2"]);
    let card = std::fs::read_to_string(root.path().join("tuned/README.md")).unwrap();
    assert_has(
        &card,
        &[
            "---\n# TODO license",
            "library_name: peft\npipeline_tag: fill-mask\nbase_model: meta-llama/Llama-3.2-1B\nbase_model_relation: adapter\n",
            "- **Architecture:** `BertForMaskedLM`\n",
            "- **Tensor type:** F32\n",
            "- **Context length:** `512`\n",
            "- `r: 8` (from `adapter_config.json`)",
            "## Limitations and risks\n\n<!-- TODO: where it fails",
            "| `adapter_model.safetensors` | ",
        ],
    );
    assert!(!card.contains("Parameters"), "an adapter's tensors are not the model's: {card}");
    let checked = told(&waag(root.path(), &["card", "check", "tuned"]));
    assert_has(
        &checked,
        &[
            "low[card-incomplete]: the section 'limitations' is not filled in\n    at: tuned/README.md",
            "low[licence-missing]",
            "licences not all known\n    base model meta-llama/Llama-3.2-1B: LicenseRef-llama3.2 (known of its name)",
            "no legal advice",
            "exit 0",
        ],
    );
}

#[test]
fn a_contradictory_card_is_told_and_shown() {
    let root = model();
    let card = "---\nlicense: apache-2.0\nbase_model: org/other\nlanguage: english\n---\n# Tiny 7B\n\nSee [it](missing.md), <b>bold\u{1b}[31m</b>.\n";
    std::fs::write(root.path().join("tuned/README.md"), card).unwrap();
    let checked = told(&waag(root.path(), &["card", "check"]));
    assert_has(
        &checked,
        &[
            "medium[card-contradiction]: the card names org/other as base model",
            "the card links to 'missing.md', which is not there",
            "low[card-malformed]: the language 'english' is no code of ISO 639",
            "medium[licence-conflict]",
            "exit 3",
        ],
    );
    let shown = told(&waag(root.path(), &["card", "show", "tuned"]));
    assert_has(
        &shown,
        &[
            "the card says",
            "base model",
            "org/other",
            "meta-llama/Llama-3.2-1B",
            "See it <missing.md>, <b>bold\\u{1b}[31m</b>.",
            "exit 0",
        ],
    );
    assert!(!checked.contains('\u{1b}') && !shown.contains('\u{1b}'));
    assert!(told(&waag(root.path(), &["card", "check", "--strict"])).ends_with("exit 1\n"));
}

#[test]
fn exceptions_hold_here_too() {
    let root = model();
    std::fs::write(
        root.path().join("waag.toml"),
        "[[exception]]\nrule = \"card-missing\"\npath = \"tuned\"\nreason = \"a probe\"\nuntil = \"2999-01-01\"\n",
    )
    .unwrap();
    let told = told(&waag(root.path(), &["card", "check"]));
    assert!(told.contains("(1 excepted)"), "{told}");
}

#[test]
fn what_is_for_programs_follows_its_schema() {
    let root = model();
    let output = waag(root.path(), &["card", "check", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/schema/card.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn nothing_to_look_at_is_no_answer() {
    let root = tempfile::tempdir().unwrap();
    let told = told(&waag(root.path(), &["card", "check"]));
    assert!(told.contains("1 folder looked at") && told.ends_with("exit 2\n"), "{told}");
}
