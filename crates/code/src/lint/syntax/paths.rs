//! One spelling for each library: what is known under several names is told under one.

/// A prefix of a dotted name, and what it is told as. The first that fits counts.
const SPELLINGS: &[(&str, &str)] = &[
    ("tensorflow.compat.v1.", "tensorflow."),
    ("tensorflow.compat.v2.", "tensorflow."),
    ("tensorflow.python.keras.", "keras."),
    ("tensorflow.keras.", "keras."),
    ("tf_keras.", "keras."),
    ("pytorch_lightning.", "lightning."),
    ("lightning.pytorch.", "lightning."),
    ("lightning_fabric.", "lightning.fabric."),
    ("sklearn.externals.joblib.", "joblib."),
    ("cPickle.", "pickle."),
    ("_pickle.", "pickle."),
    ("pickle5.", "pickle."),
    ("six.moves.cPickle.", "pickle."),
    ("six.moves.urllib.request.", "urllib.request."),
    ("six.moves.urllib.", "urllib."),
    ("torch.serialization.", "torch."),
    ("torch.utils.data.dataloader.", "torch.utils.data."),
    ("torch.utils.data.dataset.", "torch.utils.data."),
    ("datasets.load.", "datasets."),
    ("huggingface_hub.file_download.", "huggingface_hub."),
    ("transformers.trainer_utils.", "transformers."),
    ("transformers.trainer.", "transformers."),
    ("transformers.training_args.", "transformers."),
    ("transformers.pipelines.", "transformers."),
    ("accelerate.utils.random.", "accelerate.utils."),
    ("numpy.lib.npyio.", "numpy."),
    ("pandas.io.pickle.", "pandas."),
    ("hydra.utils.hydra.", "hydra."),
    ("builtins.", ""),
    ("__builtin__.", ""),
];

/// A dotted name in the one spelling.
pub(super) fn spelt(path: String) -> String {
    for (prefix, spelling) in SPELLINGS {
        if let Some(rest) = path.strip_prefix(prefix) {
            // One more time: a library can be known under a name that itself is one of several.
            return if spelling.is_empty() { rest.to_owned() } else { format!("{spelling}{rest}") };
        }
    }
    path
}
