//! A folder to run in, and the provenance that comes out.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

pub(crate) struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
        command.arg("run").args(arguments).current_dir(self.folder.path());
        command.env_remove("SOURCE_DATE_EPOCH").env_remove("PYTHONPATH");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a script of the shell, which has to succeed, and gives the provenance.
    pub(crate) fn shell(&self, options: &[&str], script: &str) -> Statement {
        let output = self.run(&[options, &["--", "sh", "-c", script]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.statement("provenance.intoto.json")
    }

    pub(crate) fn statement(&self, name: &str) -> Statement {
        let envelope: Value = serde_json::from_str(&self.text(name)).unwrap();
        assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
        assert_eq!(envelope["signatures"], Value::Array(Vec::new()));
        Statement(serde_json::from_slice(&base64(envelope["payload"].as_str().unwrap())).unwrap())
    }
}

fn base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| {
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        digits.iter().position(|digit| *digit == byte).unwrap() as u32
    };
    let bytes: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').collect();
    let group = |group: &[u8]| {
        let bits = group.iter().fold(0, |bits, byte| bits << 6 | value(*byte)) << (6 * (4 - group.len()));
        bits.to_be_bytes()[1..group.len()].to_vec()
    };
    bytes.chunks(4).flat_map(group).collect()
}

pub(crate) struct Statement(pub(crate) Value);

impl Statement {
    pub(crate) fn internal(&self) -> &Value {
        &self.0["predicate"]["buildDefinition"]["internalParameters"]
    }

    pub(crate) fn outputs(&self) -> Vec<&str> {
        self.0["subject"].as_array().unwrap().iter().map(|subject| subject["name"].as_str().unwrap()).collect()
    }

    pub(crate) fn dependencies(&self) -> &[Value] {
        self.0["predicate"]["buildDefinition"]["resolvedDependencies"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// Names and roles of the files that were read.
    pub(crate) fn inputs(&self) -> Vec<(&str, &str)> {
        let files = self.dependencies().iter().filter(|one| {
            let role = &one["annotations"]["role"];
            role != "dependency" && one["digest"]["gitCommit"].is_null() && !is_surrounding(one)
        });
        files.map(|one| (one["name"].as_str().unwrap(), one["annotations"]["role"].as_str().unwrap())).collect()
    }

    pub(crate) fn dependency(&self, name: &str) -> &Value {
        let found = self.dependencies().iter().find(|one| one["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is not among {:#?}", self.dependencies()))
    }

    pub(crate) fn not_seen(&self) -> String {
        self.internal()["notSeen"].to_string()
    }
}

fn is_surrounding(one: &Value) -> bool {
    one["annotations"]["role"] == "environment" && !one["digest"]["dirHash"].is_null()
}
