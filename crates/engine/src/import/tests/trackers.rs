//! Records of runs: DVC, MLflow's folder, Metaflow's datastore, Weights & Biases.

use std::io::Write as _;
use std::path::PathBuf;

use sha1::{Digest as _, Sha1};
use waag_evidence::statement::provenance::{self, Provenance};

use super::*;

/// A file in the tests' folder.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import").join(name)
}

/// From `dvc repro` of DVC 3.
const LOCK: &str = "schema: '2.0'\nstages:\n  train:\n    cmd: python train.py iris.csv\n    deps:\n    - path: iris.csv\n      hash: md5\n      md5: 5d41402abc4b2a76b9719d911017c592\n      size: 5\n    - path: train.py\n      hash: md5\n      md5: 00000000000000000000000000000000\n      size: 5\n    params:\n      params.yaml:\n        seed: 7\n    outs:\n    - path: out.bin\n      hash: md5\n      md5: 5d41402abc4b2a76b9719d911017c592\n      size: 5\n";

#[test]
fn stages_of_dvc_are_checked_by_md5_and_get_sha256() {
    let root = folder(&[("dvc.lock", LOCK), ("iris.csv", "hello"), ("train.py", "hello"), ("out.bin", "hello")]);
    let imported = import(root.path());
    assert_eq!(
        told(&imported),
        [
            "run: stage train (dvc.lock#/stages/train)",
            "input: iris.csv (dvc.lock#/stages/train/deps/0)",
            "code: train.py (dvc.lock#/stages/train/deps/1)",
            "configuration: params.yaml (dvc.lock#/stages/train/params/params.yaml)",
        ]
    );
    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(imported.claims[0].subject.digest.get("sha256"), Some(sha256));
    assert_eq!(imported.claims[0].object.annotations["command"], "python train.py iris.csv");
    assert_eq!(imported.claims[2].object.digest.get("sha256"), None, "its bytes are others than recorded");
    let wrong: Vec<&Remark> = imported.remarks.iter().filter(|remark| remark.grade == Grade::Wrong).collect();
    assert!(wrong.len() == 1 && wrong[0].location == "train.py", "{wrong:?}");
}

#[test]
fn a_folder_of_dvc_is_checked_as_a_whole() {
    let listed = "[{\"md5\": \"5d41402abc4b2a76b9719d911017c592\", \"relpath\": \"a\"}]";
    let digest = crate::pins::digest_bytes(listed.as_bytes(), crate::pins::PinAlgorithm::Md5);
    let lock =
        format!("schema: '2.0'\nstages:\n  s:\n    cmd: x\n    outs:\n    - path: ds\n      md5: {digest}.dir\n");
    let root = folder(&[("dvc.lock", &lock), ("ds/a", "hello")]);
    let imported = import(root.path());
    assert_eq!(imported.grade(), Grade::Note, "{:?}", imported.remarks);
    assert!(imported.claims[0].subject.digest.get("sha256").is_some());
    std::fs::write(root.path().join("ds/a"), "other").unwrap();
    assert_eq!(import(root.path()).grade(), Grade::Wrong);
}

/// A folder as MLflow 3.17 writes it.
fn mlruns() -> tempfile::TempDir {
    folder(&[
        ("mlruns/1/meta.yaml", "experiment_id: '1'\nname: iris\n"),
        (
            "mlruns/1/abc/meta.yaml",
            "artifact_uri: file:///home/me/mlruns/1/abc/artifacts\nend_time: 1795817624785\nexperiment_id: '1'\nrun_id: abc\nrun_name: first\nstart_time: 1795817607779\nstatus: 3\nuser_id: me\n",
        ),
        ("mlruns/1/abc/params/n", "3"),
        ("mlruns/1/abc/params/base_model", "org/base"),
        ("mlruns/1/abc/metrics/acc", "1795817607779 0.5 0\n1795817607999 0.9 1\n"),
        ("mlruns/1/abc/tags/mlflow.source.git.commit", "043235d6088ecd3dd5fb5ca3592b6913fd516027"),
        ("mlruns/1/abc/tags/note", "x"),
        ("mlruns/1/abc/artifacts/model/model.bin", "hello"),
        (
            "mlruns/1/abc/inputs/i/meta.yaml",
            "source_id: d\nsource_type: DATASET\ntags:\n  mlflow.data.context: training\n",
        ),
        (
            "mlruns/1/datasets/d/meta.yaml",
            "digest: 2981c147\nname: iris\nsource: '{\"uri\": \"s3://b/iris.csv\"}'\nsource_type: s3\n",
        ),
        ("mlruns/1/abc/outputs/m-1/meta.yaml", "destination_id: m-1\ndestination_type: MODEL_OUTPUT\n"),
        ("mlruns/1/models/m-1/artifacts/weights.bin", "w"),
    ])
}

#[test]
fn a_run_in_a_folder_becomes_provenance() {
    let root = mlruns();
    let imported = import(&root.path().join("mlruns"));
    assert_eq!(imported.statements.len(), 1);
    let statement = &imported.statements[0];
    assert_eq!(statement.predicate_type, provenance::PREDICATE_TYPE);
    let names: Vec<&str> = statement.subject.iter().filter_map(|subject| subject.name.as_deref()).collect();
    assert_eq!(names, ["1/abc/artifacts/model/model.bin", "1/models/m-1/artifacts/weights.bin"]);
    let read: Provenance = serde_json::from_value(statement.predicate.clone()).unwrap();
    assert_eq!(read.build_definition.build_type, provenance::BuildType::FineTune.uri());
    assert_eq!(read.build_definition.external_parameters["parameters"]["n"], "3");
    let roles: Vec<_> = read.build_definition.resolved_dependencies.iter().filter_map(provenance::role_of).collect();
    assert_eq!(roles, [Role::Code, Role::BaseModel, Role::Dataset]);
    let data = &read.build_definition.resolved_dependencies[2];
    assert_eq!(
        (data.uri.as_deref(), data.annotations["place"].as_str()),
        (Some("s3://b/iris.csv"), Some("1/datasets/d/meta.yaml"))
    );
    assert_eq!(read.run_details.byproducts[0].annotations["results"]["acc"], 0.9);
    let metadata = read.run_details.metadata.unwrap();
    assert!(metadata.started_on < metadata.finished_on);
    assert_eq!(imported.claims.len(), 6, "each input of each output");
}

#[test]
fn a_run_that_names_folders_elsewhere_is_kept_inside() {
    let root = mlruns();
    let link = "source_id: ../../secret\nsource_type: DATASET\n";
    std::fs::write(root.path().join("mlruns/1/abc/inputs/i/meta.yaml"), link).unwrap();
    std::fs::write(root.path().join("mlruns/1/abc/outputs/m-1/meta.yaml"), "destination_id: ../..\n").unwrap();
    let imported = import(&root.path().join("mlruns"));
    assert_eq!((imported.statements[0].subject.len(), imported.claims.len()), (1, 2));
}

/// A datastore as Metaflow 2.19 writes it, with one artifact of each content.
struct Datastore {
    root: tempfile::TempDir,
}

impl Datastore {
    fn new(artifacts: &[(&str, &[u8])]) -> Self {
        let store = Self { root: tempfile::tempdir().unwrap() };
        let mut objects = serde_json::Map::new();
        let mut info = serde_json::Map::new();
        for (name, content) in artifacts {
            objects.insert((*name).to_owned(), store.blob(content).into());
            info.insert((*name).to_owned(), serde_json::json!({ "type": "<class 'dict'>", "encoding": "pickle-v4" }));
        }
        let data = serde_json::json!({ "version": "1.0", "objects": objects, "info": info });
        store.write("IrisFlow/17/end/2/0.data.json", &serde_json::to_vec(&data).unwrap());
        let own = serde_json::json!({ "user_name": "me", "system_tags": ["metaflow_version:2.19.39"], "ts_epoch": 1795817601467u64 });
        store.write("IrisFlow/17/_meta/_self.json", &serde_json::to_vec(&own).unwrap());
        store
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.root.path().join(".metaflow").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn blob(&self, content: &[u8]) -> String {
        let name: String = Sha1::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        self.put(&name, content);
        name
    }

    fn put(&self, name: &str, content: &[u8]) {
        self.write(&format!("IrisFlow/data/{}/{name}", &name[..2]), &gzip(content));
        self.write(&format!("IrisFlow/data/{}/{name}_meta", &name[..2]), br#"{"cas_raw": false, "cas_version": 1}"#);
    }
}

/// A gzip member whose content is stored as it is.
fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

const PICKLE: &[u8] = b"\x80\x04}\x94\x8c\x01w\x94K\x07s.";

#[test]
fn a_flow_becomes_provenance_with_every_blob_digested() {
    let store = Datastore::new(&[("model", PICKLE), ("_transition", b"\x80\x04N.")]);
    let imported = import(store.root.path());
    assert_eq!(imported.grade(), Grade::Note, "{:?}", imported.remarks);
    assert_eq!(imported.artifacts.len(), 2);
    assert!(imported.artifacts.iter().all(|one| one.checked == Checked::Agrees { algorithm: "sha1".into() }));
    let statement = &imported.statements[0];
    assert_eq!(statement.subject.len(), 1, "what Metaflow keeps for itself is nothing that came out");
    assert_eq!(statement.subject[0].name.as_deref(), Some("end/2/model"));
    assert!(statement.subject[0].digest.get("sha256").is_some() && statement.subject[0].digest.get("sha1").is_some());
}

#[test]
fn a_replaced_blob_is_caught_and_its_pickle_is_followed_and_not_loaded() {
    let store = Datastore::new(&[("model", PICKLE)]);
    let name: String = Sha1::digest(PICKLE).iter().map(|byte| format!("{byte:02x}")).collect();
    store.put(&name, b"cos\nsystem\n(S'echo waag-inert'\ntR.");
    let imported = import(store.root.path());
    let texts: Vec<&str> =
        imported.remarks.iter().filter(|one| one.grade == Grade::Wrong).map(|one| one.text.as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("not what was recorded: sha1:")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("code-execution")), "{texts:?}");
    assert!(imported.statements.iter().all(|one| one.subject.iter().all(|s| s.name.as_deref() != Some("end/2/model"))));
}

#[test]
fn damaged_and_missing_blobs_are_told() {
    let store = Datastore::new(&[("model", PICKLE), ("other", b"\x80\x04K\x01.")]);
    let name: String = Sha1::digest(PICKLE).iter().map(|byte| format!("{byte:02x}")).collect();
    store.write(&format!("IrisFlow/data/{}/{name}", &name[..2]), b"\x1f\x8b\x08 no gzip");
    let other: String = Sha1::digest(b"\x80\x04K\x01.").iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::remove_file(store.root.path().join(format!(".metaflow/IrisFlow/data/{}/{other}", &other[..2]))).unwrap();
    let texts: Vec<String> = import(store.root.path()).remarks.into_iter().map(|one| one.text).collect();
    assert!(texts.iter().any(|text| text.contains("'model' is damaged")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("'other' cannot be read")), "{texts:?}");
}

/// The record of a run of Weights & Biases 0.31 in offline mode, written by `wandb` itself.
#[test]
fn an_offline_run_becomes_provenance() {
    let root = tempfile::tempdir().unwrap();
    let run = root.path().join("wandb/offline-run-20261127_223831-tribfksd");
    std::fs::create_dir_all(run.join("files")).unwrap();
    let text = std::fs::read_to_string(fixture("offline-run.wandb.hex")).unwrap();
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
    std::fs::write(run.join("run-tribfksd.wandb"), &bytes).unwrap();
    std::fs::write(run.join("files/requirements.txt"), "torch==2.4.0\n").unwrap();
    std::fs::write(root.path().join("model.bin"), "weights").unwrap();
    std::fs::write(root.path().join("data.csv"), "changed since\n").unwrap();
    let imported = import(root.path());
    let read: Provenance = serde_json::from_value(imported.statements[0].predicate.clone()).unwrap();
    assert_eq!(read.build_definition.external_parameters["config"]["lr"], 0.1);
    let inputs: Vec<_> = read
        .build_definition
        .resolved_dependencies
        .iter()
        .map(|one| (provenance::role_of(one).unwrap(), shown(one)))
        .collect();
    assert_eq!(inputs[0], (Role::BaseModel, "pkg:huggingface/org/base".into()));
    assert_eq!(inputs[1], (Role::Dataset, "data.csv".into()));
    assert_eq!(inputs[2].0, Role::Environment);
    let model = &imported.statements[0].subject[0];
    assert_eq!(model.digest.get("md5"), Some("63f4f1e9b725370f459720575cd5f953"));
    assert!(model.digest.get("sha256").is_some(), "its bytes lie there, and are those that were logged");
    assert_eq!(read.run_details.byproducts[0].annotations["results"]["acc"], 0.9);
    assert!(imported.remarks.iter().all(|one| one.grade != Grade::Wrong), "another file of that name proves nothing");
    assert!(imported.remarks.iter().any(|one| one.location == "data.csv" && one.text.contains("other bytes")));
    let mut cut = bytes.clone();
    cut.truncate(bytes.len() - 5);
    std::fs::write(run.join("run-tribfksd.wandb"), cut).unwrap();
    assert!(import(root.path()).remarks.iter().any(|one| one.grade == Grade::Unchecked));
}

#[test]
fn what_a_run_names_and_nobody_reads_is_told() {
    let meta = "artifact_uri: s3://me:secret@bucket/x\nrun_id: r\nlifecycle_stage: deleted\n";
    let root = folder(&[("mlruns/1/r/meta.yaml", meta), ("mlruns/1/r/params/base_model", "/home/me/llama")]);
    let imported = import(root.path());
    let has = |grade, text: &str| imported.remarks.iter().any(|one| one.grade == grade && one.text.contains(text));
    assert!(has(Grade::Note, "'/home/me/llama' is a path"), "{:?}", imported.remarks);
    assert!(has(Grade::Unchecked, "at 's3://bucket/x'") && has(Grade::Note, "was deleted"), "{:?}", imported.remarks);
}

#[test]
fn nothing_above_what_was_given_is_read() {
    let store = Datastore::new(&[("model", PICKLE)]);
    let within = store.root.path().join(".metaflow").read_dir().unwrap().flatten().find(|entry| entry.path().is_dir());
    let imported = import(&within.unwrap().path());
    assert!(imported.claims.is_empty() && imported.remarks.iter().any(|one| one.text.contains("is read as a whole")));
}
