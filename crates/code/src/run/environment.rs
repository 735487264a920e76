//! The variables that decide what comes out of a run. No others are recorded: variables hold secrets.

use std::collections::BTreeMap;

use super::secret;

const NAMES: [&str; 44] = [
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_DEVICE_ORDER",
    "CUDA_LAUNCH_BLOCKING",
    "CUDA_VISIBLE_DEVICES",
    "CUDNN_DETERMINISTIC",
    "FLAGS_cudnn_deterministic",
    "GLOBAL_RANK",
    "HF_DATASETS_OFFLINE",
    "HF_HUB_OFFLINE",
    "HIP_VISIBLE_DEVICES",
    "JAX_DEFAULT_PRNG_IMPL",
    "JAX_ENABLE_X64",
    "JAX_PLATFORMS",
    "KMP_DETERMINISTIC_REDUCTION",
    "LANG",
    "LC_ALL",
    "LOCAL_RANK",
    "MKL_CBWR",
    "MKL_NUM_THREADS",
    "NCCL_ALGO",
    "NCCL_PROTO",
    "NUMEXPR_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PL_GLOBAL_SEED",
    "PL_SEED_WORKERS",
    "PYTHONHASHSEED",
    "PYTHONOPTIMIZE",
    "PYTHONUTF8",
    "PYTORCH_CUDA_ALLOC_CONF",
    "RANDOM_SEED",
    "RANK",
    "SEED",
    "SOURCE_DATE_EPOCH",
    "TF_CUDNN_DETERMINISTIC",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TOKENIZERS_PARALLELISM",
    "TRANSFORMERS_OFFLINE",
    "TZ",
    "WORLD_SIZE",
    "XLA_FLAGS",
    "XLA_PYTHON_CLIENT_PREALLOCATE",
];
/// Characters of a value that are told.
const MAX_LENGTH: usize = 1024;

/// Those that are set.
pub(super) fn variables() -> BTreeMap<&'static str, String> {
    NAMES.into_iter().filter_map(|name| Some((name, told(&std::env::var_os(name)?.to_string_lossy())))).collect()
}

fn told(value: &str) -> String {
    let short: String = value.chars().take(MAX_LENGTH).collect();
    secret::masked(&[short]).remove(0)
}
