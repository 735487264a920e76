//! Weights are stored so that reading them is all that loading does.

use super::{Control, Group, Level, Observation};
use crate::gathered::{Evidence, FileEvidence, Subject};
use crate::policy::Policy;

pub(super) static CONTROL: Control = Control {
    id: "safe-format",
    group: Group::Models,
    title: "weights in a format that names nothing to call",
    why: "What holds only numbers cannot run anything, whoever wrote it.",
    needs: "the formats of the files",
    pass: "Convert it with `waag convert`, or get safetensors or GGUF from the publisher.",
    default: Level::Advise,
    least: Level::Off,
    judge,
};

/// Formats in which a file says what its loader calls or builds.
const NAME_CODE: [&str; 7] =
    ["pickle", "joblib-zfile", "r-data", "java-serialized", "dotnet-serialized", "torch7", "skops"];
/// Formats of numbers and their names, and of graphs that a runtime carries out.
const DATA: [&str; 26] = [
    "safetensors",
    "gguf",
    "ggml-legacy",
    "npy",
    "zip",
    "tar",
    "onnx",
    "onnx-tensor",
    "onnx-text",
    "tflite",
    "msgpack",
    "hdf5",
    "tensorflow-checkpoint",
    "tensorflow-data",
    "tensorflow-graph",
    "paddle-parameters",
    "paddle",
    "paddle-pir",
    "ocdbt",
    "xgboost",
    "xgboost-binary",
    "lightgbm",
    "catboost",
    "openvino",
    "coreml",
    "coreml-weights",
];

fn judge(_: &Subject, evidence: &Evidence, _: &Policy) -> Vec<Observation> {
    let observations: Vec<_> = evidence.files.iter().filter_map(observation).collect();
    if observations.is_empty() { vec![Observation::not_applicable("there are no weights")] } else { observations }
}

fn observation(file: &FileEvidence) -> Option<Observation> {
    let next = "convert it with `waag convert`, or get safetensors from the publisher";
    if let Some(format) = file.formats().find(|format| NAME_CODE.contains(format)) {
        return Some(Observation::fail(&file.path, format!("{format}: the file says what its loader calls"), next));
    }
    let format = file.format.as_deref().filter(|_| file.tensors > 0)?;
    Some(match DATA.contains(&format) {
        true => Observation::pass(&file.path, format!("{format}: numbers and names")),
        false => Observation::unknown(&file.path, format!("{format}: not known to hold only data"), next),
    })
}
