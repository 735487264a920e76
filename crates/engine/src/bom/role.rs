//! What a file of a model or project is for, by its name and format.

use super::model::Role;

/// Formats whose files hold tensors.
pub(super) const WEIGHTS: &[&str] = &[
    "safetensors",
    "gguf",
    "ggml-legacy",
    "pickle",
    "npy",
    "hdf5",
    "onnx",
    "tflite",
    "msgpack",
    "tensorflow-graph",
    "torch7",
    "coreml",
    "openvino",
    "paddle-parameters",
];
/// Endings that only weights have, whatever is in the file.
const ENDINGS: &[&str] = &["safetensors", "gguf", "pt", "pth", "ckpt", "onnx", "h5", "keras", "msgpack", "tflite"];
/// Endings of archives that hold tensors.
const ARCHIVES: &[&str] = &["pt", "pth", "bin", "ckpt", "npz", "keras", "skops", "nemo", "pkl", "pickle", "mar"];
const TOKENIZERS: &[&str] = &[
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "preprocessor_config.json",
    "processor_config.json",
    "tekken.json",
];
const CONFIGURATIONS: &[&str] = &[
    "config.json",
    "generation_config.json",
    "model_index.json",
    "modules.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "quantize_config.json",
    "quantization_config.json",
    "params.json",
    "scheduler_config.json",
    "mlmodel",
];
/// Cards, those first that are read where there are several.
pub(super) const CARDS: &[&str] =
    &["readme.md", "modelcard.md", "model_card.md", "modelcard.yaml", "modelcard.yml", "model_card.yaml"];
const RECORDS: &[&str] = &[
    "provenance.yaml",
    "provenance.yml",
    "manifest.yaml",
    "manifest.yml",
    "mergekit_config.yml",
    "mergekit_config.yaml",
    "trainer_state.json",
    "training_args.bin",
    "model.sig",
];
const DEPENDENCIES: &[&str] = &[
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "pipfile",
    "environment.yml",
    "environment.yaml",
    "conda-lock.yml",
    "dockerfile",
    "containerfile",
];
const LICENCES: &[&str] = &["license", "licence", "copying", "notice", "use_policy", "unlicense"];
/// How names begin of what a trainer keeps to go on later.
const STATE: &[&str] = &["optimizer", "scheduler", "rng_state", "scaler"];
const DATA: &[&str] = &["jsonl", "parquet", "arrow", "csv", "tsv", "tfrecord", "ndjson"];

/// What a file is for. `path` is below the model or project.
pub(super) fn role_of(path: &str, format: Option<&str>) -> Role {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    by_name(name, ending).or_else(|| by_place(&lower, name, ending)).unwrap_or_else(|| by_format(ending, format))
}

fn by_name(name: &str, ending: &str) -> Option<Role> {
    let stem = name.split('.').next().unwrap_or_default();
    let is_text = matches!(ending, "txt" | "md" | "rst" | "") || name == stem;
    Some(match () {
        () if CARDS.contains(&name) => Role::Card,
        () if LICENCES.iter().any(|licence| stem.starts_with(licence)) && is_text => Role::Licence,
        () if name.ends_with(".index.json") => Role::Index,
        () if name == "adapter_config.json" || stem == "adapter_model" => Role::Adapter,
        () if TOKENIZERS.contains(&name) => Role::Tokenizer,
        () if name.starts_with("chat_template") || ending == "jinja" => Role::Template,
        () if CONFIGURATIONS.contains(&name) => Role::Configuration,
        () if RECORDS.contains(&name) || matches!(ending, "sig" | "sigstore") => Role::Provenance,
        () if is_state(name) && matches!(ending, "pt" | "pth" | "bin") => Role::Provenance,
        () if DEPENDENCIES.contains(&name) || ending == "lock" || stem == "pylock" => Role::Dependencies,
        () if stem == "dockerfile" || ending == "dockerfile" => Role::Dependencies,
        () if ending == "txt" && (stem.contains("requirements") || stem.contains("constraints")) => Role::Dependencies,
        () if matches!(name, "dataset_infos.json" | "dataset_info.json" | "dataset_dict.json") => Role::Data,
        () => return None,
    })
}

/// Whether a file is named as what a trainer keeps to go on later.
pub(super) fn is_state(name: &str) -> bool {
    STATE.iter().any(|start| name.starts_with(start))
}

fn by_place(lower: &str, name: &str, ending: &str) -> Option<Role> {
    let within = |folder: &str| lower.split('/').rev().skip(1).any(|part| part == folder);
    let is_results = name.starts_with("eval_result") || name.ends_with("_results.json") || within(".eval_results");
    Some(match () {
        () if is_results && matches!(ending, "json" | "yaml" | "yml") => Role::Results,
        () if DATA.contains(&ending) => Role::Data,
        () if (within("data") || within("dataset") || within("datasets"))
            && !matches!(ending, "py" | "safetensors" | "gguf") =>
        {
            Role::Data
        }
        () if matches!(ending, "py" | "ipynb" | "sh") => Role::Code,
        () => return None,
    })
}

fn by_format(ending: &str, format: Option<&str>) -> Role {
    let is_archive = format == Some("zip") && ARCHIVES.contains(&ending);
    let is_weights = is_archive || ENDINGS.contains(&ending);
    if is_weights || format.is_some_and(|format| WEIGHTS.contains(&format)) { Role::Weights } else { Role::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_formats_say_what_a_file_is_for() {
        for (path, format, role) in [
            ("README.md", Some("text"), Role::Card),
            ("LICENSE", Some("text"), Role::Licence),
            ("licenses.py", Some("python-source"), Role::Code),
            ("model-00001-of-00002.safetensors", Some("safetensors"), Role::Weights),
            ("model.safetensors.index.json", Some("json"), Role::Index),
            ("pytorch_model.bin", Some("zip"), Role::Weights),
            ("model.safetensors", None, Role::Weights),
            ("archive.zip", Some("zip"), Role::Other),
            ("adapter_model.safetensors", Some("safetensors"), Role::Adapter),
            ("adapter_config.json", Some("json"), Role::Adapter),
            ("unet/config.json", Some("huggingface-config"), Role::Configuration),
            ("data/train.npy", Some("npy"), Role::Data),
            ("data/models/llama/model.safetensors", Some("safetensors"), Role::Weights),
            ("checkpoint-500/optimizer.pt", Some("zip"), Role::Provenance),
            ("data/load.py", Some("python-source"), Role::Code),
            ("train.jsonl", Some("json"), Role::Data),
            (".eval_results/mmlu.yaml", Some("yaml"), Role::Results),
            ("requirements-dev.txt", Some("requirements"), Role::Dependencies),
            ("Dockerfile", Some("text"), Role::Dependencies),
            ("uv.lock", Some("settings"), Role::Dependencies),
            ("training_args.bin", Some("zip"), Role::Provenance),
            ("notes.txt", Some("text"), Role::Other),
        ] {
            assert_eq!(role_of(path, format), role, "{path}");
        }
    }
}
