//! What a text that names a model or dataset means: something on a hub, or a file here.

use std::path::Path;

use super::rule::View;
use super::syntax::{Call, Script, Text, Value};

/// What a name of a model or dataset means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Something on a hub.
    Hub,
    /// A file or folder.
    Here,
    /// Nobody knows.
    Unknown,
}

/// Functions that write to the folder that they are given.
const WRITERS: &[&str] = &["save_pretrained", "save_model", "save", "save_to_disk", "makedirs", "mkdir"];
/// Arguments that name a folder that is written.
const OUTPUTS: &[&str] = &["output_dir", "save_dir", "local_dir", "cache_dir"];

/// What a value names, where it stands. What the project itself writes to is not known yet: see
/// [`Problem::unless_written`](super::problem::Problem::unless_written).
pub(crate) fn place(view: &View<'_>, value: &Value) -> Place {
    let Value::Text(text) = value else { return Place::Unknown };
    if text.is_file || is_path(text) {
        return Place::Here;
    }
    if !text.is_whole || !is_hub_name(&text.known) {
        return Place::Unknown;
    }
    if is_there(view, &text.known) { Place::Here } else { Place::Hub }
}

fn is_path(text: &Text) -> bool {
    let known = text.known.as_str();
    let starts = known.starts_with(['.', '/', '~', '\\', '$']) || known.get(1..3).is_some_and(|drive| drive == ":\\");
    starts || known.contains('\\') || known.matches('/').count() > 1
}

/// `owner/name`, or a name of the days before owners: those have a number or a hyphen in them.
fn is_hub_name(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.len() <= 96
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    const FILES: &[&str] =
        &[".pt", ".pth", ".bin", ".ckpt", ".json", ".safetensors", ".gguf", ".csv", ".txt", ".py", ".h5"];
    if FILES.iter().any(|ending| name.ends_with(ending)) {
        return false;
    }
    match name.split_once('/') {
        Some((owner, name)) => {
            // Names of folders that people give their results.
            const FOLDERS: &[&str] = &[
                "models",
                "model",
                "output",
                "outputs",
                "data",
                "checkpoints",
                "results",
                "saved",
                "tmp",
                "path",
                "runs",
                "ckpt",
            ];
            is_word(owner) && is_word(name) && !FOLDERS.contains(&owner.to_ascii_lowercase().as_str())
        }
        None => is_word(name) && KNOWN.iter().any(|known| name.starts_with(known)),
    }
}

/// Models and datasets without an owner start like this.
const KNOWN: &[&str] = &[
    "bert-",
    "gpt2",
    "roberta-",
    "distil",
    "t5-",
    "xlm-",
    "xlnet-",
    "albert-",
    "facebook-",
    "openai-",
    "ctrl",
    "camembert-",
    "transfo-",
    "flaubert",
    "glue",
    "squad",
    "imdb",
    "mnist",
    "cifar10",
    "wikitext",
    "super_glue",
    "ag_news",
    "conll2003",
    "cnn_dailymail",
    "xsum",
    "wmt1",
    "librispeech_asr",
    "common_voice",
    "yelp_",
    "rotten_tomatoes",
    "emotion",
    "trec",
    "food101",
    "beans",
];

/// Whether there is such a file beside the program or in the project's folder.
pub(crate) fn is_there(view: &View<'_>, name: &str) -> bool {
    let folders = view.unit.opened.ancestors().skip(1).take(view.unit.relative.components().count());
    folders.filter(|folder| *folder != Path::new("")).any(|folder| folder.join(name).exists())
}

/// What a file writes to, by the names that it knows.
pub(crate) fn written(script: &Script) -> impl Iterator<Item = &str> {
    script.calls.iter().flat_map(|call| {
        let is_writer = WRITERS.contains(&call.callee.name.as_str());
        let first = call.first().filter(|_| is_writer).and_then(|first| first.value.text());
        first.into_iter().chain(OUTPUTS.iter().filter_map(|output| call.keyword(output)?.text()))
    })
}

/// Whether a revision can never mean something else: a commit, in full.
pub(crate) fn is_commit(revision: &str) -> bool {
    matches!(revision.len(), 40 | 64) && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What a call says of the revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pin {
    /// A commit.
    Commit,
    /// A branch or tag.
    Name(String),
    /// Nothing: whatever is there when it is asked.
    None,
    /// Something that is not known here.
    Unknown,
}

/// The revision that a call asks for.
pub(crate) fn pin(call: &Call) -> Pin {
    pinned(call, call.keyword("revision"))
}

/// The revision of the code that a call asks for: that of the rest, where nothing else is said.
pub(crate) fn code_pin(call: &Call) -> Pin {
    pinned(call, call.keyword("code_revision").or(call.keyword("revision")))
}

fn pinned(call: &Call, revision: Option<&Value>) -> Pin {
    match revision {
        None if call.is_open => Pin::Unknown,
        None | Some(Value::Nothing) => Pin::None,
        Some(Value::Text(text)) if text.is_whole && is_commit(&text.known) => Pin::Commit,
        Some(Value::Text(text)) if text.is_whole => Pin::Name(text.known.clone()),
        Some(_) => Pin::Unknown,
    }
}

/// Whether a value comes straight from a network.
pub(crate) fn is_downloaded(value: &Value) -> bool {
    const SOURCES: &[&str] = &[
        "huggingface_hub.hf_hub_download()",
        "huggingface_hub.snapshot_download()",
        "huggingface_hub.cached_download()",
        "transformers.utils.cached_file()",
        "transformers.utils.hub.cached_file()",
        "urllib.request.urlopen()",
        "urllib.request.urlretrieve()",
        "urllib.urlopen()",
        "urllib2.urlopen()",
        "requests.get()",
        "requests.post()",
        "httpx.get()",
        "wget.download()",
        "gdown.download()",
        "torch.hub.load_state_dict_from_url()",
    ];
    let is_source = |path: &str| SOURCES.iter().any(|source| path.contains(source));
    value.path().is_some_and(is_source)
}
