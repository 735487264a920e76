//! What a file's name promises, and what its bytes are.

use waag_formats::FORMATS;
use waag_formats::fact::{Anomaly, FactKind, Gap, Position};
use waag_formats::facts::Facts;
use waag_formats::format::{Format, Probe, extension};

use crate::sanitize::is_deceptive;

/// Endings that say nothing: any format may hide behind them.
const SAYS_NOTHING: &[&str] = &["", "bin", "dat", "data", "model", "weights", "params"];
/// Endings of formats that are written compressed, without an ending that says so.
const COMPRESSED: &[&str] = &["rds", "rda", "rdata"];
const COMPRESSIONS: &[&str] = &["gzip", "bzip2", "xz", "zstd"];
/// Formats that are a kind of another one, and keep its promise.
const KEEPS: &[(&str, &str)] = &[("huggingface-config", "json")];
/// Formats that share their bytes with others, so that being one besides another is no second identity.
const BENEATH_OTHERS: &[&str] =
    &["text", "json", "python-source", "jinja", "zlib", "yaml", "settings", "requirements", "skops"];

/// The format that a name promises.
#[must_use]
pub(crate) fn promised(name: &str) -> Option<&'static dyn Format> {
    let ending = extension(name);
    FORMATS.iter().copied().find(|format| !ending.is_empty() && format.meta().extensions.contains(&ending.as_str()))
}

/// Whether a name promises no format, or only by an ending that weights of any kind have.
#[must_use]
pub(crate) fn promises_nothing(name: &str) -> bool {
    SAYS_NOTHING.contains(&extension(name).as_str()) || promised(name).is_none()
}

/// Whether a text has a name under which people expect weights.
#[must_use]
pub(crate) fn poses_as_weights(name: &str, formats: &[&'static dyn Format]) -> bool {
    is_for_weights(&extension(name)) && is_prose(formats)
}

/// Notes what does not fit together: name and content, one format and another, and names of tensors that deceive.
pub(crate) fn check(probe: &Probe<'_>, formats: &[&'static dyn Format], facts: &mut Facts) {
    check_identity(formats, facts);
    check_tensor_names(facts);
    let ending = extension(probe.name);
    if is_for_weights(&ending) && probe.source.is_empty() {
        return facts.incomplete(0, Gap::Missing, "the file is empty where weights should be");
    }
    if is_for_weights(&ending) && is_prose(formats) {
        return facts.incomplete(0, Gap::Missing, what_text_is_there(probe));
    }
    if !SAYS_NOTHING.contains(&ending.as_str()) {
        check_promise(&ending, formats, facts);
    }
}

fn check_identity(formats: &[&'static dyn Format], facts: &mut Facts) {
    let ids = formats.iter().map(|format| format.meta().id);
    let several: Vec<&str> = ids.filter(|id| !BENEATH_OTHERS.contains(id)).collect();
    if several.len() > 1 {
        facts.anomaly(0, Anomaly::Polyglot, format!("the same bytes are {} at once", several.join(" and ")));
    }
}

fn check_tensor_names(facts: &mut Facts) {
    let deceptive = facts.list().iter().find_map(|fact| match (&fact.kind, fact.position) {
        (FactKind::Tensor(tensor), Position::Offset(at)) if is_deceptive(&tensor.name) => {
            Some((at, tensor.name.clone()))
        }
        _ => None,
    });
    if let Some((at, name)) = deceptive {
        facts.anomaly(
            at,
            Anomaly::DeceptiveName,
            format!("the tensor name '{name}' holds characters that do not show"),
        );
    }
}

fn check_promise(ending: &str, formats: &[&'static dyn Format], facts: &mut Facts) {
    if COMPRESSED.contains(&ending) && formats.iter().all(|format| COMPRESSIONS.contains(&format.meta().id)) {
        return;
    }
    // A text in another encoding is decoded, and then judged under the same name.
    if !formats.is_empty() && formats.iter().all(|format| format.meta().id == "wide-text") {
        return;
    }
    let promises: Vec<_> = FORMATS.iter().filter(|format| format.meta().extensions.contains(&ending)).collect();
    let keeps = |id: &str, promise: &str| id == promise || KEEPS.contains(&(id, promise));
    let kept = formats.iter().any(|format| promises.iter().any(|promise| keeps(format.meta().id, promise.meta().id)));
    if let (false, false, Some(first)) = (promises.is_empty(), kept, formats.first()) {
        let content = first.meta().title;
        facts.anomaly(
            0,
            Anomaly::ExtensionMismatch,
            format!("the name ends in .{ending} but the content is {content}"),
        );
    }
}

/// Endings under which people expect weights.
fn is_for_weights(ending: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "safetensors",
        "gguf",
        "bin",
        "pt",
        "pth",
        "ckpt",
        "pkl",
        "pickle",
        "joblib",
        "npy",
        "npz",
        "onnx",
        "h5",
        "weights",
    ];
    ENDINGS.contains(&ending)
}

/// Whether the content is text that no loader of weights reads.
fn is_prose(formats: &[&'static dyn Format]) -> bool {
    const PROSE: &[&str] =
        &["text", "json", "huggingface-config", "python-source", "jinja", "media", "yaml", "settings", "requirements"];
    !formats.is_empty() && formats.iter().all(|format| PROSE.contains(&format.meta().id))
}

fn what_text_is_there(probe: &Probe<'_>) -> &'static str {
    if probe.starts_with(b"version https://git-lfs.github.com/spec/") {
        "a Git LFS pointer where weights should be: they were not fetched"
    } else {
        "something else than weights where weights should be, such as an error page or a text"
    }
}
