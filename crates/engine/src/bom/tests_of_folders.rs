//! Folders that are easily told wrongly: projects with loose weights, outputs of trainers, what is cut or missing.

use std::path::Path;

use super::cyclonedx::Version;
use super::model::{Kin, Role};
use super::tests::{bom, put, safetensors, written};
use super::{Bom, Format, Options, gaps, gather};
use crate::scan::Silent;

const CONFIG: &str = r#"{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}"#;

fn of(files: &[(&str, &[u8])]) -> Bom {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| put(folder.path(), name, bytes));
    bom(folder.path())
}

fn npy() -> Vec<u8> {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    let header = format!("{header:<117}\n");
    [b"\x93NUMPY\x01\x00v\x00", header.as_bytes(), &[0; 8]].concat()
}

fn folders(bom: &Bom) -> Vec<&str> {
    bom.models.iter().map(|model| model.folder.as_str()).collect()
}

fn gap_texts(bom: &Bom) -> Vec<&str> {
    bom.remarks.iter().filter(|remark| remark.is_gap).map(|remark| remark.text.as_str()).collect()
}

#[test]
fn loose_weights_at_the_top_do_not_make_a_project_one_model() {
    let weights = safetensors(&[("a", 4)]);
    let card = b"---\nlicense: mit\n---\n";
    let files: [(&str, &[u8]); 6] = [
        ("train.py", b"x"),
        ("best.safetensors", &weights),
        ("embeddings.npy", &npy()),
        ("models/llama/config.json", CONFIG.as_bytes()),
        ("models/llama/model.safetensors", &weights),
        ("models/llama/README.md", card),
    ];
    let bom = of(&files);
    assert_eq!(folders(&bom), ["", "models/llama"]);
    assert!(bom.models[0].variants.is_empty() && bom.models[0].licences.declared.is_none());
    assert!(bom.models[1].licences.declared.is_some());
    let role = |path: &str| bom.files.iter().find(|file| file.path == path).unwrap().role;
    assert_eq!((role("embeddings.npy"), role("best.safetensors")), (Role::Other, Role::Weights));
}

#[test]
fn configurations_of_web_pages_and_features_are_no_models() {
    let page: &[u8] = br#"{"port": 80}"#;
    let speakers: Vec<String> = (0..300).map(|number| format!("features/{number}/x.npy")).collect();
    let array = npy();
    let mut files: Vec<(&str, &[u8])> = speakers.iter().map(|path| (path.as_str(), array.as_slice())).collect();
    files.extend([("frontend/config.json", page), ("src/modules.json", b"[]"), ("cache/features.pkl", b"\x80\x04N.")]);
    assert_eq!(folders(&of(&files)), Vec::<&str>::new());
}

#[test]
fn a_model_among_data_keeps_its_weights() {
    let weights = safetensors(&[("a", 4)]);
    let files: [(&str, &[u8]); 2] =
        [("data/models/x/config.json", CONFIG.as_bytes()), ("data/models/x/model.safetensors", &weights)];
    let bom = of(&files);
    assert_eq!(bom.models[0].weights.as_ref().unwrap().parameters, 4);
    assert_eq!(bom.datasets, []);
}

#[test]
fn checkpoints_and_the_state_of_a_trainer_are_no_other_forms_of_the_model() {
    let (one, other) = (safetensors(&[("a", 4)]), safetensors(&[("a", 4), ("b", 3)]));
    let files: [(&str, &[u8]); 6] = [
        ("config.json", CONFIG.as_bytes()),
        ("model.safetensors", &one),
        ("model.fp16.safetensors", &one),
        ("draft.safetensors", &other),
        ("checkpoint-500/model.safetensors", &one),
        ("checkpoint-500/optimizer.pt", b"x"),
    ];
    let bom = of(&files);
    let kin: Vec<(Kin, &str)> =
        bom.models[0].variants.iter().map(|one| (one.kin, one.weights.files[0].as_str())).collect();
    let wanted = [
        (Kin::Beside, "draft.safetensors"),
        (Kin::Form, "model.fp16.safetensors"),
        (Kin::Checkpoint, "checkpoint-500/model.safetensors"),
    ];
    assert_eq!(kin, wanted);
    let spdx = written(&bom, Format::Spdx);
    assert_eq!(spdx.matches("\"hasVariant\"").count(), 1);
}

#[test]
fn shards_that_are_not_there_are_said_however_that_is_known() {
    let shard = safetensors(&[("a", 4)]);
    let index =
        br#"{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}"#;
    let config = ("config.json", CONFIG.as_bytes());
    let none = of(&[config, ("model.safetensors.index.json", index)]);
    let broken = of(&[config, ("model.safetensors.index.json", b"{broken"), ("model.safetensors", &shard)]);
    let numbers =
        of(&[config, ("model-00001-of-00003.safetensors", &shard), ("model-00003-of-00003.safetensors", &shard)]);
    assert_eq!(none.models[0].weights.as_ref().unwrap().missing.len(), 2);
    assert_eq!(numbers.models[0].weights.as_ref().unwrap().missing, ["model-00002-of-00003.safetensors"]);
    for bom in [none, broken, numbers] {
        assert!(bom.has_gaps(), "{:?}", bom.remarks);
        assert!(written(&bom, Format::CycloneDx(Version::V1_6)).contains(r#""aggregate": "incomplete""#));
    }
    let whole: [(&str, &[u8]); 3] = [config, ("pytorch_model.bin.index.json", index), ("model.safetensors", &shard)];
    assert!(!of(&whole).has_gaps());
}

#[test]
fn weights_that_cannot_be_read_have_no_number_of_parameters() {
    let cut = &safetensors(&[("a", 400)])[..60];
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 6\n";
    for bytes in [cut, pointer] {
        let bom = of(&[("config.json", CONFIG.as_bytes()), ("model.safetensors", bytes)]);
        assert!(bom.has_gaps());
        let text = written(&bom, Format::CycloneDx(Version::V1_6));
        assert!(text.contains(r#""aggregate": "incomplete""#) && !text.contains("waag:weights:parameters"));
        let gaps = gaps::gaps(&bom, gaps::regime("annex-xi").unwrap());
        assert_eq!(gaps.iter().find(|gap| gap.what == "number of parameters").unwrap().found, None);
    }
}

#[test]
fn texts_in_portuguese_are_no_weights_and_an_adapter_is_not_the_sum_of_its_checkpoints() {
    assert_eq!(folders(&of(&[("stopwords.pt", "não\numa\n".as_bytes())])), Vec::<&str>::new());
    let weights = safetensors(&[("a", 4)]);
    let files: [(&str, &[u8]); 3] = [
        ("adapter_config.json", br#"{"peft_type": "LORA"}"#),
        ("adapter_model.safetensors", &weights),
        ("checkpoint-5/adapter_model.safetensors", &weights),
    ];
    assert_eq!(of(&files).models[0].adapter.as_ref().unwrap().weights.parameters, 4);
}

#[test]
fn documents_that_cannot_be_read_are_said() {
    let weights = safetensors(&[("a", 4)]);
    let unread: [&str; 5] =
        ["adapter_config.json", "dataset_infos.json", "eval_results.json", "tokenizer.json", "tokenizer_config.json"];
    let mut files: Vec<(&str, &[u8])> = unread.iter().map(|name| (*name, b"{".as_slice())).collect();
    files.extend([("config.json", CONFIG.as_bytes()), ("model.safetensors", weights.as_slice())]);
    let bom = of(&files);
    let said: Vec<&str> =
        bom.remarks.iter().filter(|remark| remark.is_gap).map(|remark| remark.location.as_str()).collect();
    assert_eq!(said, unread);
}

#[test]
fn a_vocabulary_is_counted_and_settings_that_matter_are_kept() {
    let tokenizer = br#"{"added": [1, 2], "model": {"vocab": {"a": 0, "b": 1, "c": 2}, "merges": [["a", "b"]]}}"#;
    let settings: Vec<String> = (0..120).map(|number| format!("\"a{number:03}\": {number}")).collect();
    let config = format!(r#"{{"model_type": "x", {}, "max_position_embeddings": 2048}}"#, settings.join(", "));
    let bom = of(&[("config.json", config.as_bytes()), ("tokenizer.json", tokenizer)]);
    let vocabulary = bom.models[0].tokenizer.as_ref().unwrap().vocabulary.as_ref().unwrap();
    assert_eq!((vocabulary.value, vocabulary.evidence.place()), (3, "tokenizer.json#/model/vocab".to_owned()));
    assert!(bom.models[0].settings.iter().any(|(key, _)| key == "max_position_embeddings"));
    let many: Vec<String> = (0..900).map(|number| format!("\"a{number:03}\": {number}")).collect();
    let bom = of(&[("config.json", format!(r#"{{"model_type": "x", {}}}"#, many.join(", ")).as_bytes())]);
    assert_eq!(gap_texts(&bom), ["only 500 of 900 settings are listed"]);
}

#[test]
fn the_licence_of_a_part_is_not_the_models() {
    let apache: &[u8] = include_bytes!("../../../../LICENSE");
    let config = ("config.json", CONFIG.as_bytes());
    let concluded =
        |files: &[(&str, &[u8])]| of(files).models[0].licences.concluded.clone().map(|said| said.value.said);
    let own: &[u8] = b"ACME RESEARCH LICENCE. No commercial use.\n";
    assert_eq!(concluded(&[config, ("LICENSE", apache), ("NOTICE", own)]).as_deref(), Some("Apache-2.0"));
    assert_eq!(concluded(&[config, ("third_party/LICENSE", apache)]), None);
    assert_eq!(concluded(&[config, ("LICENSE", own), ("LICENSE-APACHE", apache)]), None);
    let several = of(&[config, ("README.md", b"---\nlicense: [mit, cc-by-nc-4.0]\n---\n")]);
    let declared = &several.models[0].licences.declared.as_ref().unwrap().value;
    assert_eq!((declared.said.as_str(), &declared.expression), ("mit, cc-by-nc-4.0", &None));
}

#[test]
fn a_download_is_not_made_from_itself() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("Llama-3.2-1B");
    put(&own, "config.json", br#"{"model_type": "llama", "_name_or_path": "meta-llama/Llama-3.2-1B"}"#);
    let told = bom(&own);
    assert_eq!(told.models[0].lineage, []);
    assert_eq!(told.remarks.len(), 1, "{:?}", told.remarks);
    put(&own, "README.md", b"---\nbase_model: meta-llama/Llama-3.2-1B\n---\n");
    assert_eq!(bom(&own).models[0].lineage[0].name, "meta-llama/Llama-3.2-1B");
}

#[test]
fn what_is_written_does_not_list_what_was_written_before() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "config.json", CONFIG);
    let before = bom(folder.path());
    put(folder.path(), "bom.cdx.json", "{}");
    let output = std::fs::canonicalize(folder.path().join("bom.cdx.json")).unwrap();
    let options = Options { output: Some(output), ..Options::default() };
    assert_eq!(gather(folder.path(), &options, &Silent).unwrap(), before);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_told_apart() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    for name in [b"\xfe".as_slice(), b"\xff", b"\\xFF"] {
        std::fs::write(folder.path().join(Path::new(std::ffi::OsStr::from_bytes(name))), "x").unwrap();
    }
    let bom = bom(folder.path());
    let paths: Vec<&str> = bom.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["\\xFE", "\\xFF", "\\xFF_"]);
}

#[test]
fn policies_of_use_and_single_files_of_data_are_told_by_what_they_are() {
    let bom = of(&[("config.json", CONFIG.as_bytes()), ("USE_POLICY.md", b"No weapons.\n")]);
    let gaps = gaps::gaps(&bom, gaps::regime("annex-xi").unwrap());
    let policy = gaps.iter().find(|gap| gap.what == "acceptable use policies").unwrap();
    assert_eq!(policy.place.as_deref(), Some("USE_POLICY.md"));
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("rows");
    put(&own, "README.md", b"---\ntask_categories: [text-generation]\n---\n");
    put(&own, "data/train.jsonl", b"{}\n");
    assert_eq!(super::tests::bom(&own).datasets[0].name, "rows");
}
