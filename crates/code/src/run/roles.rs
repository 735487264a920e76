//! What part a file has in a run, told by its name; and literals that tell a seed.

use std::path::Path;

use waag_evidence::statement::role::Role;

const CODE: &[&str] = &[
    "py", "pyw", "pyx", "ipynb", "sh", "bash", "r", "jl", "lua", "pl", "rb", "js", "mjs", "ts", "c", "cu", "cuh",
    "cpp", "h", "rs", "go", "pyc",
];
const WEIGHTS: &[&str] = &[
    "safetensors",
    "pt",
    "pth",
    "bin",
    "gguf",
    "ggml",
    "onnx",
    "keras",
    "ckpt",
    "tflite",
    "msgpack",
    "mlmodel",
    "pdparams",
    "nemo",
    "engine",
    "pb",
];
const DATA: &[&str] = &[
    "csv",
    "tsv",
    "parquet",
    "arrow",
    "feather",
    "jsonl",
    "ndjson",
    "npy",
    "npz",
    "tfrecord",
    "tfrecords",
    "txt",
    "jpg",
    "jpeg",
    "png",
    "bmp",
    "gif",
    "webp",
    "tif",
    "tiff",
    "wav",
    "flac",
    "mp3",
    "ogg",
    "mp4",
    "zip",
    "tar",
    "gz",
    "zst",
    "bz2",
    "xz",
    "mdb",
    "db",
    "sqlite",
    "lmdb",
    "h5",
    "hdf5",
    "zarr",
    "mat",
    "orc",
    "avro",
    "xlsx",
    "json",
    "xml",
    "md",
    "html",
];
const CONFIGURATION: &[&str] = &["yaml", "yml", "toml", "ini", "cfg", "conf", "properties"];
const TOKENIZERS: &[&str] = &[
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "chat_template.jinja",
];
const ENVIRONMENT: &[&str] = &[
    "pyproject.toml",
    "environment.yml",
    "environment.yaml",
    "uv.lock",
    "poetry.lock",
    "Pipfile",
    "Pipfile.lock",
    "pdm.lock",
    "conda-lock.yml",
    "pixi.lock",
    "setup.cfg",
    "Dockerfile",
    "pyvenv.cfg",
];
/// JSON up to here, with a name that says so, is configuration.
const SETTINGS: &[&str] = &["config", "settings", "params", "args", "hparams", "preprocessor", "generation"];

/// The part of a file, by its name. What tells nothing is an input.
pub(super) fn of(path: &Path) -> Role {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let ends = |list: &[&str]| list.contains(&ending.as_str());
    if TOKENIZERS.contains(&name.as_ref()) || ending == "tiktoken" {
        Role::Tokenizer
    } else if ENVIRONMENT.contains(&name.as_ref()) || (name.starts_with("requirements") && ending == "txt") {
        Role::Environment
    } else if name.starts_with("adapter_model.") {
        Role::Adapter
    } else if ends(CODE) {
        Role::Code
    } else if ends(WEIGHTS) || name.ends_with(".safetensors.index.json") {
        Role::BaseModel
    } else if ends(CONFIGURATION) || (ending == "json" && SETTINGS.iter().any(|word| name.contains(word))) {
        Role::Configuration
    } else if ends(DATA) {
        Role::Dataset
    } else {
        Role::Input
    }
}

/// The seed that a command names: `--seed 7`, `--random-seed=7`.
pub(super) fn seed_of(words: &[String]) -> Option<String> {
    let is_seed = |name: &str| {
        let name = name.trim_start_matches('-').replace('_', "-");
        name == "seed" || name.ends_with("-seed") || name == "random-state"
    };
    let is_number = |text: &&str| text.parse::<u64>().is_ok();
    words.iter().enumerate().find_map(|(index, word)| {
        let found = match word.split_once('=') {
            Some((name, value)) => is_seed(name).then_some(value),
            None => {
                (word.starts_with("--") && is_seed(word)).then(|| words.get(index + 1).map(String::as_str)).flatten()
            }
        };
        found.filter(is_number).map(str::to_owned)
    })
}

/// The seed that a script names, when it names one and no other: `seed(7)`, `random_state=7`, `SEED = 7`.
pub(super) fn seed_in(script: &str) -> Option<String> {
    let mut seeds: Vec<&str> = script.lines().flat_map(seeds_of_line).collect();
    seeds.sort_unstable();
    seeds.dedup();
    match seeds.as_slice() {
        [only] => Some((*only).to_owned()),
        _ => None,
    }
}

fn seeds_of_line(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split('#').next().unwrap_or_default();
    ["seed", "SEED", "random_state"].into_iter().flat_map(move |word| {
        code.match_indices(word).filter_map(move |(index, _)| {
            let rest = code.get(index + word.len()..)?.trim_start();
            let rest = rest.strip_prefix(['=', '('])?.trim_start();
            let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
            let follows = rest[end..].trim_start().chars().next();
            (end > 0 && follows.is_none_or(|next| ",) ;".contains(next))).then(|| &rest[..end])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_parts() {
        for (name, role) in [
            ("a/train.py", Role::Code),
            ("model.safetensors", Role::BaseModel),
            ("adapter_model.safetensors", Role::Adapter),
            ("adapter_config.json", Role::Configuration),
            ("tokenizer.json", Role::Tokenizer),
            ("data/train.JSON", Role::Dataset),
            ("requirements-dev.txt", Role::Environment),
            ("iris.csv", Role::Dataset),
            ("params.yaml", Role::Configuration),
            ("noname", Role::Input),
        ] {
            assert_eq!(of(Path::new(name)), role, "{name}");
        }
    }

    #[test]
    fn seeds_are_found_where_there_is_one() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(seed_of(&words("python t.py --seed 7")), Some("7".into()));
        assert_eq!(seed_of(&words("t --random_seed=8 x")), Some("8".into()));
        assert_eq!(seed_of(&words("t --seed-file 7")), None);
        assert_eq!(seed_of(&words("t seed=9")), Some("9".into()));
        assert_eq!(seed_in("np.random.seed(42)\nf(random_state=42)  # seed(1)"), Some("42".into()));
        assert_eq!(seed_in("random.seed(1)\nSEED = 2"), None, "two");
        assert_eq!(seed_in("seed(args.seed)\nseed = 1.5"), None);
    }
}
