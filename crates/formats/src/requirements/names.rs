//! Names of packages that are one letter off well-known ones.

/// Shorter names are one letter off too many others.
const MIN_LENGTH: usize = 5;

/// Packages that people who install models have heard of.
#[rustfmt::skip]
const WELL_KNOWN: &[&str] = &[
    "absl-py", "accelerate", "aiohttp", "albumentations", "anthropic", "apache-beam", "attrs", "autogluon", "auto-gptq",
    "beautifulsoup4", "bitsandbytes", "black", "bokeh", "boto3", "botocore", "catboost", "celery", "certifi", "chardet",
    "charset-normalizer", "chromadb", "clearml", "click", "cloudpickle", "colorama", "coremltools", "cryptography",
    "cython", "dataclasses-json", "datasets", "deepspeed", "detectron2", "diffusers", "django", "docker", "easydict",
    "einops", "elasticsearch", "evaluate", "faiss-cpu", "faiss-gpu", "fairseq", "faker", "fastai", "fastapi", "fasttext",
    "filelock", "flash-attn", "flask", "ftfy", "fsspec", "gensim", "gradio", "grpcio", "gymnasium", "h5py", "httpx",
    "huggingface-hub", "hydra-core", "imageio", "ipykernel", "ipython", "jinja2", "joblib", "jsonlines", "jsonschema",
    "jupyter", "jupyterlab", "keras", "kornia", "langchain", "langchain-community", "langchain-core", "langchain-openai",
    "librosa", "lightgbm", "lightning", "llama-cpp-python", "llama-index", "loguru", "markdown", "matplotlib", "mlflow",
    "mmcv", "mmdet", "monai", "networkx", "ninja", "nltk", "notebook", "numba", "numexpr", "numpy", "omegaconf", "onnx",
    "onnxruntime", "onnxruntime-gpu", "openai", "openai-whisper", "opencv-contrib-python", "opencv-python",
    "opencv-python-headless", "openpyxl", "optimum", "optuna", "orjson", "packaging", "paddlepaddle", "pandas", "paramiko",
    "peft", "pillow", "plotly", "polars", "prettytable", "prometheus-client", "protobuf", "psutil", "psycopg2",
    "pyarrow", "pycocotools", "pydantic", "pydub", "pygments", "pymongo", "pymysql", "pyspark", "pytest",
    "python-dateutil", "python-dotenv", "python-multipart", "pytorch-lightning", "pyyaml", "qdrant-client", "rapidfuzz",
    "redis", "regex", "requests", "rouge-score", "sacrebleu", "sacremoses", "safetensors", "scikit-image", "scikit-learn",
    "scipy", "seaborn", "selenium", "sentence-transformers", "sentencepiece", "seqeval", "setuptools", "soundfile", "spacy",
    "speechbrain", "sqlalchemy", "starlette", "statsmodels", "streamlit", "supervision", "sympy", "tabulate", "tenacity",
    "tensorboard", "tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-hub", "tensorrt", "termcolor", "tf-keras",
    "tiktoken", "tokenizers", "torch", "torch-geometric", "torchaudio", "torchmetrics", "torchtext", "torchvision",
    "tornado", "tqdm", "transformers", "triton", "typing-extensions", "ultralytics", "unidecode", "unstructured", "urllib3",
    "uvicorn", "wandb", "websockets", "werkzeug", "xformers", "xgboost",
];

/// Packages that exist under names one letter off those.
#[rustfmt::skip]
const REAL: &[&str] = &[
    "attr", "beautifulsoup", "boto", "cchardet", "dataset", "faiss", "ijson", "jinja", "jython", "markdown2", "mmdet3d",
    "openapi", "panda", "psycopg", "pyaml", "pycuda", "python", "scapy", "simpy", "tensorboardx", "tokenizer", "torchx",
    "ujson", "websocket",
];

/// The well-known package that a name is mistaken for, when it is no well-known one itself.
#[must_use]
pub fn mistaken_for(name: &str) -> Option<&'static str> {
    let name = normal(name);
    if name.len() < MIN_LENGTH || WELL_KNOWN.contains(&name.as_str()) || REAL.contains(&name.as_str()) {
        return None;
    }
    let letters: Vec<char> = name.chars().collect();
    // These names are ASCII. Others of about this length are few: every package of a long list is compared with them.
    let is_near = |known: &&str| known.len() >= MIN_LENGTH && known.len().abs_diff(letters.len()) <= 1;
    WELL_KNOWN.iter().copied().filter(is_near).find(|known| one_off(&letters, known))
}

/// Whether a package is one that people who install models have heard of.
#[must_use]
pub fn is_well_known(name: &str) -> bool {
    let name = normal(name);
    WELL_KNOWN.contains(&name.as_str()) || REAL.contains(&name.as_str())
}

/// As the index compares names.
fn normal(name: &str) -> String {
    name.chars().map(|c| if matches!(c, '_' | '.') { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Whether one letter is missing, added, changed, or two neighbours are swapped.
fn one_off(left: &[char], right: &str) -> bool {
    let right: Vec<char> = right.chars().collect();
    let start = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let (left, right) = (left.get(start..).unwrap_or_default(), right.get(start..).unwrap_or_default());
    match (left, right) {
        ([], []) => false,
        ([a, b, left @ ..], [c, d, right @ ..]) if a == d && b == c && left == right => true,
        ([_, rest @ ..], right) if rest == right => true,
        (left, [_, rest @ ..]) if left == rest => true,
        ([_, left @ ..], [_, right @ ..]) => left == right,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_is_one_letter() {
        let one_off = |left: &str, right| one_off(&left.chars().collect::<Vec<char>>(), right);
        for (left, right) in [("torchh", "torch"), ("reqeusts", "requests"), ("nunpy", "numpy"), ("panda", "pandas")] {
            assert!(one_off(left, right), "{left}");
        }
        assert!(!one_off("torch", "torch"));
        assert!(!one_off("torchxx", "torch"));
        assert!(!one_off("abcde", "abxye"));
    }

    #[test]
    fn well_known_names_are_not_mistaken() {
        assert!(WELL_KNOWN.iter().all(|name| mistaken_for(name).is_none()));
        assert_eq!(mistaken_for("Requestss"), Some("requests"));
        assert_eq!((mistaken_for("tor\u{4d5}h"), mistaken_for("torchxx")), (Some("torch"), None));
        assert!(WELL_KNOWN.iter().all(|name| name.is_ascii()));
    }
}
