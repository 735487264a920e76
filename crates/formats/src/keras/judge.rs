//! What a class that a configuration names is. Keras looks classes up by module and name, or by the name alone, and
//! has moved its modules with almost every release: within Keras the name decides, outside it the module does.

use crate::callable;
use crate::fact::{Standing, Usage};

/// Packages that are Keras, by whichever name.
const FAMILY: &[&str] = &[
    "keras",
    "tf_keras",
    "tensorflow.keras",
    "tensorflow.python.keras",
    "tensorflow_core.python.keras",
    "keras_core",
    "keras_api",
];
/// Where Keras makes its own classes and functions known.
const PUBLIC: &[&str] = &[
    "keras.layers",
    "keras",
    "keras.models",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.losses",
    "keras.metrics",
    "keras.activations",
    "keras.initializers",
    "keras.regularizers",
    "keras.constraints",
    "keras.dtype_policies",
    "keras.mixed_precision",
    "keras.quantizers",
    "keras.random",
    "keras.ops",
    "keras.distribution",
    "keras.saving",
    "keras.utils",
    "keras.config",
    "keras.src.ops.numpy",
    "keras.src.ops.core",
    "keras.src.ops.nn",
    "keras.src.ops.math",
    "keras.src.ops.linalg",
    "keras.src.ops.image",
];

/// Whether a module is part of Keras.
pub(super) fn is_keras(module: &str) -> bool {
    FAMILY.iter().any(|family| module.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// Whether a class without a module is one of Keras.
pub(super) fn is_known(name: &str) -> bool {
    by_name(name, false).is_some_and(|standing| matches!(standing, Standing::Inert { .. }))
}

/// What is known of a class or function. A module that is empty, or `builtins` for a function, is looked for in Keras.
pub(super) fn judge(module: &str, name: &str) -> Standing {
    let exact = callable::judge(module, name, Usage::Instantiate, None);
    if matches!(exact, Standing::Inert { .. } | Standing::Dangerous { .. }) {
        return exact;
    }
    let anywhere = module.is_empty() || module == "builtins";
    if !anywhere && !is_keras(module) {
        return exact;
    }
    let plain = FAMILY.iter().find_map(|family| Some(format!("keras{}", module.strip_prefix(family)?)));
    let renamed = plain.map(|module| callable::judge(&module, name, Usage::Instantiate, None));
    if let Some(standing) =
        renamed.filter(|standing| matches!(standing, Standing::Inert { .. } | Standing::Dangerous { .. }))
    {
        return standing;
    }
    by_name(name, !anywhere).unwrap_or(if anywhere { Standing::Unknown } else { exact })
}

/// The standing by name alone. What is dangerous is so only where a module says that Keras's own is meant.
fn by_name(name: &str, dangers: bool) -> Option<Standing> {
    let standings = || PUBLIC.iter().map(|module| callable::judge(module, name, Usage::Instantiate, None));
    standings()
        .find(|standing| dangers && matches!(standing, Standing::Dangerous { .. }))
        .or_else(|| standings().find(|standing| matches!(standing, Standing::Inert { .. })))
}
