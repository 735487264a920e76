//! What models and datasets are called: identifiers of the Hugging Face hub, package URLs, and names that are neither.
//!
//! The type `huggingface` of package URLs names models only, and its version is a commit. So a dataset is named by its
//! address, and a revision that is no commit stands beside the URL and not in it.
//! <https://github.com/package-url/purl-spec/blob/main/types-doc/huggingface-definition.md>

use std::path::Path;

use waag_evidence::statement::ResourceDescriptor;

use super::document::{front_matter, yaml};

/// Characters of an identifier on the hub.
const MAX_ID: usize = 96;
/// Bytes of a card that are read for the model's own name.
const MAX_CARD: u64 = 1 << 20;
/// Where the hub is.
const HUB: [&str; 4] =
    ["https://huggingface.co/", "http://huggingface.co/", "https://hf.co/", "https://www.huggingface.co/"];

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Model,
    Dataset,
}

/// A name on the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `owner/name`; for the oldest models `name` alone.
    pub(crate) id: String,
    kind: Kind,
    revision: Option<String>,
}

impl Identity {
    /// The last part of its identifier.
    pub(crate) fn name(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or(&self.id)
    }

    /// The URI: a package URL for a model, the address for a dataset.
    pub(crate) fn uri(&self) -> Option<String> {
        let commit = self.revision.as_deref().filter(|revision| is_commit(revision));
        Some(match self.kind {
            Kind::Model => {
                let version = commit.map(|commit| format!("@{}", commit.to_ascii_lowercase())).unwrap_or_default();
                format!("pkg:huggingface/{}{version}", self.id)
            }
            Kind::Dataset => format!("{}datasets/{}", HUB[0], self.id),
        })
    }

    /// The commit, where its revision is one.
    pub(crate) fn commit(&self) -> Option<&str> {
        self.revision.as_deref().filter(|revision| is_commit(revision))
    }

    fn descriptor(&self) -> ResourceDescriptor {
        let mut descriptor =
            ResourceDescriptor { name: Some(self.id.clone()), uri: self.uri(), ..ResourceDescriptor::default() };
        let in_uri = self.kind == Kind::Model;
        if let Some(revision) = self.revision.as_deref().filter(|revision| !(in_uri && is_commit(revision))) {
            descriptor.annotations.insert("revision".to_owned(), revision.into());
        }
        descriptor
    }
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a text has the form of an identifier: one or two parts of letters, digits, `-`, `_` and `.`.
pub(crate) fn is_id(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
            && !part.starts_with(['-', '.'])
            && !part.ends_with(['-', '.'])
            && !part.contains("--")
            && !part.contains("..")
    };
    text.len() <= MAX_ID && text.split('/').count() <= 2 && text.split('/').all(is_part)
}

/// Whether a text is a path on somebody's disk. `checkpoint-500` and `output/` are what training leaves behind. An address is
/// none, unless it is one of a disk.
pub(crate) fn is_local(text: &str) -> bool {
    if text.starts_with("pkg:") || text.contains("://") {
        return text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file://"));
    }
    let is_drive = text.len() > 1 && text.as_bytes()[1] == b':' && text.as_bytes()[0].is_ascii_alphabetic();
    let last = text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    text.starts_with(['/', '.', '~', '\\'])
        || is_drive
        || text.contains('\\')
        || text.ends_with('/')
        || text.split('/').count() > 2
        || last.strip_prefix("checkpoint-").is_some_and(|steps| steps.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What a reference means that a source of the hub writes: an identifier, an address, or just a name.
pub(super) fn referred(text: &str, kind: Kind, revision: Option<&str>) -> ResourceDescriptor {
    match hub_id(text, kind) {
        Some((id, in_address)) => {
            let revision = revision.map(str::to_owned).or(in_address);
            Identity { id, kind, revision }.descriptor()
        }
        None => other(text, revision),
    }
}

/// The same where a name without an owner may as well be a folder: it stays a name.
pub(super) fn guessed(text: &str, kind: Kind, revision: Option<&str>) -> ResourceDescriptor {
    if text.contains('/') { referred(text, kind, revision) } else { other(text, revision) }
}

fn other(text: &str, revision: Option<&str>) -> ResourceDescriptor {
    let is_uri = text.starts_with("pkg:") || text.contains("://");
    let (name, uri) = if is_uri { (None, Some(text.to_owned())) } else { (Some(text.to_owned()), None) };
    let mut descriptor = ResourceDescriptor { name, uri, ..ResourceDescriptor::default() };
    if let Some(revision) = revision {
        descriptor.annotations.insert("revision".to_owned(), revision.into());
    }
    descriptor
}

/// The identifier in a text, and the revision when it is an address that has one.
fn hub_id(text: &str, kind: Kind) -> Option<(String, Option<String>)> {
    let Some(path) = HUB.iter().find_map(|hub| text.strip_prefix(hub)) else {
        return (is_id(text) && !is_local(text)).then(|| (text.to_owned(), None));
    };
    let path = path.split(['?', '#']).next()?.trim_end_matches('/');
    let path = match (kind, path.strip_prefix("datasets/")) {
        (Kind::Dataset, Some(path)) => path,
        (Kind::Model, None) => path,
        _ => return None,
    };
    let (id, rest) = match path.split_once("/tree/").or_else(|| path.split_once("/resolve/")) {
        Some((id, revision)) => (id, revision.split('/').next()),
        None => (path, None),
    };
    is_id(id).then(|| (id.to_owned(), rest.map(str::to_owned)))
}

/// The name of a folder in a cache of the hub: `models--owner--name/snapshots/COMMIT`.
pub(crate) fn cache_identity(folder: &Path) -> Option<Identity> {
    let parts: Vec<String> = folder.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let at = parts.iter().rposition(|part| part.starts_with("models--") || part.starts_with("datasets--"))?;
    let (kind, id) = match parts[at].strip_prefix("models--") {
        Some(id) => (Kind::Model, id),
        None => (Kind::Dataset, parts[at].strip_prefix("datasets--")?),
    };
    let id = id.replace("--", "/");
    let is_snapshot = parts.get(at + 1).is_some_and(|part| part == "snapshots") && at + 3 == parts.len();
    let revision = parts.get(at + 2).filter(|_| is_snapshot).cloned();
    is_id(&id).then_some(Identity { id, kind, revision })
}

/// The names that a model in a folder goes by. What its files name by its whole name is the model itself; what only ends like
/// one of its names may be another one, whose name somebody kept.
#[derive(Debug, Default)]
pub(crate) struct OwnNames {
    whole: Vec<String>,
    last: Vec<String>,
}

impl OwnNames {
    /// Names from the folder's path, and from the model's own card. Whoever writes a card chooses the names in it, so they
    /// take nothing away.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut own = Self { whole: Vec::new(), last: names_in_card(folder) };
        let whole = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        if let Some(identity) = cache_identity(folder).or_else(|| cache_identity(&whole)) {
            own.whole.push(identity.id);
        } else if let Some(last) = name(&whole) {
            own.whole.extend(whole.parent().and_then(name).map(|owner| format!("{owner}/{last}")));
            own.last.push(last);
        }
        own
    }

    /// Whether a reference is to the model itself: by owner and name.
    pub(crate) fn has(&self, reference: &str) -> bool {
        let id = hub_id(reference, Kind::Model).map_or_else(|| reference.to_owned(), |(id, _)| id);
        self.whole.iter().any(|name| name.eq_ignore_ascii_case(&id))
    }

    /// Whether a reference ends like a name that the model has.
    pub(crate) fn may_have(&self, reference: &str) -> bool {
        let last = |name: &str| name.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        self.last.iter().any(|name| last(name) == last(reference))
    }
}

fn names_in_card(folder: &Path) -> Vec<String> {
    let path = folder.join("README.md");
    if !path.is_file() {
        return Vec::new();
    }
    let bytes = crate::bounded::read(&path, MAX_CARD).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let Some(Ok(card)) = front_matter(&text).map(yaml) else { return Vec::new() };
    let root = super::document::Node::root(&card.root);
    let index = root.list("model-index");
    let names = index.iter().filter_map(|entry| entry.text_of("name")).chain(root.text_of("model_name"));
    names.map(str::to_owned).collect()
}

/// A package of PyPI, in the form that its package URLs have.
pub(super) fn python_package(name: &str, version: Option<&str>) -> ResourceDescriptor {
    let plain = name.to_ascii_lowercase().replace(['_', '.'], "-");
    let is_plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
    };
    // `4.40.0.dev0+cu121` is a version; `+` has to be escaped in a URL.
    let version = version.filter(|version| version.split('+').all(is_plain)).map(|version| version.replace('+', "%2B"));
    let uri = is_plain(&plain).then(|| match version {
        Some(version) => format!("pkg:pypi/{plain}@{version}"),
        None => format!("pkg:pypi/{plain}"),
    });
    ResourceDescriptor { name: Some(name.to_owned()), uri, ..ResourceDescriptor::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "043235D6088ECD3DD5FB5CA3592B6913FD516027";

    #[test]
    fn models_are_package_urls_and_only_commits_are_versions() {
        let shown = |descriptor: ResourceDescriptor| (descriptor.uri.unwrap_or_default(), descriptor.annotations.len());
        let model = |text, revision| shown(referred(text, Kind::Model, revision));
        assert_eq!(model("org/base", None), ("pkg:huggingface/org/base".into(), 0));
        assert_eq!(model("gpt2", None), ("pkg:huggingface/gpt2".into(), 0));
        assert_eq!(
            model("org/base", Some(COMMIT)),
            (format!("pkg:huggingface/org/base@{}", COMMIT.to_ascii_lowercase()), 0)
        );
        assert_eq!(model("org/base", Some("main")), ("pkg:huggingface/org/base".into(), 1));
        assert_eq!(model("https://huggingface.co/org/base/tree/v2", None), ("pkg:huggingface/org/base".into(), 1));
        assert_eq!(model("https://example.org/x", None), ("https://example.org/x".into(), 0));
        assert_eq!(shown(referred("org/data", Kind::Dataset, None)).0, "https://huggingface.co/datasets/org/data");
        assert_eq!(shown(guessed("output", Kind::Model, None)).0, "");
    }

    #[test]
    fn paths_are_no_identifiers() {
        for path in ["./out", "/home/me/llama", "~/m", "C:\\m", "out/", "a/b/c", "checkpoint-500", "run/checkpoint-1"] {
            assert!(is_local(path), "{path}");
        }
        assert!(is_local("file:///home/me/llama") && is_local("FILE://llama"));
        for id in
            ["https://huggingface.co/org/base", "hf.co://org/base/x", "pkg:huggingface/org/base", "s3://bucket/a/b/"]
        {
            assert!(!is_local(id), "{id}");
        }
        for id in ["org/base", "gpt2", "bert-base-uncased", "org/checkpoint-tuned"] {
            assert!(!is_local(id), "{id}");
        }
        assert!(!is_id("a b/c") && !is_id("a/b/c") && !is_id("") && !is_id("a/..") && !is_id(&"a".repeat(97)));
    }

    #[test]
    fn a_snapshot_in_a_cache_has_a_name_and_a_commit() {
        let path = format!("/c/models--org--base/snapshots/{COMMIT}");
        let uri = cache_identity(Path::new(&path)).and_then(|identity| identity.uri());
        assert_eq!(uri, Some(format!("pkg:huggingface/org/base@{}", COMMIT.to_ascii_lowercase())));
        assert_eq!(cache_identity(Path::new("/c/models")), None);
    }

    #[test]
    fn a_model_knows_its_own_names() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("tiny-tuned");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("README.md"), "---\nmodel-index:\n- name: Tiny-FT\n---\n").unwrap();
        let own = OwnNames::of(&folder);
        let owner = root.path().file_name().unwrap().to_string_lossy().into_owned();
        assert!(own.has(&format!("{owner}/Tiny-Tuned")) && !own.has("org/tiny-tuned") && !own.has("me/tiny-ft"));
        assert!(own.may_have("org/Tiny-Tuned") && own.may_have("me/tiny-ft") && own.may_have("tiny-tuned"));
        assert!(!own.may_have("org/tiny"));
    }

    #[test]
    fn packages_are_named_as_pypi_does() {
        assert_eq!(
            python_package("sentence_transformers", Some("3.0.1")).uri.unwrap(),
            "pkg:pypi/sentence-transformers@3.0.1"
        );
        assert_eq!(python_package("torch", Some("2.4.0+cu121")).uri.unwrap(), "pkg:pypi/torch@2.4.0%2Bcu121");
        assert_eq!(python_package("x y", None).uri, None);
        assert_eq!(python_package("numpy", Some(">=1.20")).uri.unwrap(), "pkg:pypi/numpy");
    }
}
