//! The name promises another format than the bytes are.

use waag_evidence::finding::Severity;
use waag_formats::child::Role;
use waag_formats::fact::{Anomaly, FactKind};
use waag_formats::format::{Depth, extension};

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct ExtensionMismatch;

static META: Meta = Meta {
    id: "extension-mismatch",
    title: "names that promise another format than the bytes are",
    page: include_str!("extension_mismatch.md"),
};

/// Endings that promise a file which cannot run code.
const HARMLESS: &[&str] = &[
    "arrow",
    "avif",
    "bmp",
    "cfg",
    "conf",
    "csv",
    "flac",
    "ggml",
    "gguf",
    "gif",
    "h5",
    "hdf5",
    "html",
    "ini",
    "jpeg",
    "jpg",
    "json",
    "jsonl",
    "log",
    "md",
    "mp3",
    "mp4",
    "npy",
    "onnx",
    "parquet",
    "pdf",
    "png",
    "rst",
    "safetensors",
    "svg",
    "tflite",
    "toml",
    "tsv",
    "txt",
    "wav",
    "webp",
    "xml",
    "yaml",
    "yml",
];
/// Endings that promise weights, and nothing else.
const WEIGHTS: &[&str] = &["ggml", "gguf", "onnx", "safetensors", "tflite"];
/// Archives that no loader of models opens.
const UNREAD: &[&str] = &["7z"];
/// Words in a format's id, or in what was read, that mean code can be in it.
const CODE_WORDS: &[&str] =
    &["dill", "executable", "joblib", "marshal", "pickle", "program", "pytorch", "script", "torch"];

const CODE: &str = "do not load it: a loader that goes by the bytes runs what the name hides. Ask the publisher why it is \
                    named so";
const RENAME: &str = "name the file for what it is, so that every tool reads it with the right reader";

impl Rule for ExtensionMismatch {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            if anomaly != Anomaly::ExtensionMismatch {
                continue;
            }
            let ending = extension(artifact.name);
            let (severity, text, next_step) = if artifact.format.is_some_and(|format| UNREAD.contains(&format.id)) {
                // The archives of nullifAI: the loader stops, and what scans by the name has seen nothing.
                (Severity::High, "an archive that no loader of models opens, under another name", CODE)
            } else if !HARMLESS.contains(&ending.as_str()) {
                (Severity::Low, "the name says another format than the bytes", RENAME)
            } else if can_carry_code(artifact, detail) {
                (Severity::High, "a harmless name hides a format that can run code", CODE)
            } else if artifact.format.is_none() && WEIGHTS.contains(&ending.as_str()) {
                (Severity::Medium, "the name promises weights, and the bytes are something else", RENAME)
            } else {
                (Severity::Low, "the name says another format than the bytes", RENAME)
            };
            findings.add(severity, position, with_detail(text, detail), next_step);
        }
    }
}

/// Whether these bytes can run code, or hold something that can. In doubt, yes.
fn can_carry_code(artifact: &Artifact<'_>, detail: &str) -> bool {
    let read_as = artifact.format.map(|format| format.id).unwrap_or_default();
    let detail = detail.to_ascii_lowercase();
    let is_code = |word: &str| CODE_WORDS.iter().any(|code| word.starts_with(code));
    let named = [read_as, &detail].iter().any(|text| text.split(|c: char| !c.is_alphanumeric()).any(is_code));
    let holds_code = artifact.facts.iter().any(|fact| match &fact.kind {
        FactKind::Callable(_) | FactKind::Mutation { .. } => true,
        FactKind::Anomaly { anomaly, .. } => *anomaly == Anomaly::Executable,
        FactKind::Child(child) => child.role == Role::Pickle,
        _ => false,
    });
    named || holds_code || artifact.format.is_some_and(|format| format.depth == Depth::Container)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{PICKLE, SAFETENSORS, Sketch, ZIP, sketch};

    fn said(file: Sketch) -> Vec<String> {
        file.anomaly(Anomaly::ExtensionMismatch).said(&ExtensionMismatch)
    }

    #[test]
    fn code_under_a_harmless_name_denies() {
        for format in [&PICKLE, &ZIP] {
            for name in ["model.safetensors", "config.json", "model.gguf", "cat.png"] {
                let expected = "high: a harmless name hides a format that can run code: as told";
                assert_eq!(said(sketch(name, format)), [expected], "{name}");
            }
        }
    }

    #[test]
    fn what_was_read_tells_when_the_format_does_not() {
        let program = sketch("config.json", &ZIP).unknown();
        let findings = program.told(Anomaly::ExtensionMismatch, "the bytes are an executable").said(&ExtensionMismatch);
        assert!(findings[0].starts_with("high"));
        assert!(said(sketch("config.json", &ZIP).unknown().anomaly(Anomaly::Executable))[0].starts_with("high"));
    }

    #[test]
    fn a_word_within_a_word_is_no_code() {
        let said = sketch("config.json", &SAFETENSORS)
            .told(Anomaly::ExtensionMismatch, "the description is that of safetensors")
            .said(&ExtensionMismatch);
        assert!(said[0].starts_with("low"));
    }

    #[test]
    fn other_bytes_under_the_name_of_weights_are_inconclusive() {
        assert!(said(sketch("model.safetensors", &ZIP).unknown())[0].starts_with("medium"));
    }

    #[test]
    fn an_honest_mistake_is_only_untidy() {
        for (name, format) in [("model.bin", &SAFETENSORS), ("model.gguf", &SAFETENSORS), ("model.pt", &PICKLE)] {
            assert_eq!(said(sketch(name, format)), ["low: the name says another format than the bytes: as told"]);
        }
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        let file = sketch("config.json", &PICKLE).anomaly(Anomaly::Broken);
        assert!(file.said(&ExtensionMismatch).is_empty());
    }
}
