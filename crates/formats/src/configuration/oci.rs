//! Images of containers, and models that are kept as such: indexes, manifests and configurations.

use std::collections::BTreeSet;

use super::Observer;
use super::found::leads_out;
use crate::fact::{Anomaly, Code, FactKind, Gap, Position, ReferenceKind, Runs};
use crate::facts::{Facts, shorten};
use crate::json::{Event, Segment, Value};

/// Parts of one manifest that are looked at.
const MAX_PARTS: usize = 10_000;
/// Words of a command that are kept.
const MAX_WORDS: usize = 100;

/// Kinds of parts, by how their media types start, and what keeps models in them.
const LAYOUTS: &[(&str, &str)] = &[
    ("application/vnd.ollama.", "ollama"),
    ("application/vnd.docker.ai.", "docker-model"),
    ("application/vnd.kitops.", "kitops"),
    ("application/vnd.cncf.model.", "cncf-model"),
    ("application/vnd.docker.", "docker-image"),
    ("application/vnd.oci.", "oci-image"),
];

/// A part that a manifest names.
#[derive(Debug, Default)]
struct Part {
    digest: Option<(u64, String)>,
    size: Option<String>,
    media: String,
    has_addresses: bool,
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Oci {
    /// The folder of digests that the file itself lies in, or that lies beside it.
    folder: &'static str,
    part: Part,
    parts: Vec<Part>,
    media: String,
    is_manifest: bool,
    is_configuration: bool,
    command: Vec<String>,
    command_at: u64,
    is_cut: bool,
}

/// A blob is called by its digest, whatever folder it is seen in.
fn is_digest(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Makes the observer.
#[must_use]
pub(super) fn observer(name: &str) -> Box<dyn Observer> {
    let name = name.replace('\\', "/");
    let last = name.rsplit('/').next().unwrap_or_default();
    let folder = match last {
        "index.json" => "blobs/sha256/",
        _ if name.contains("blobs/sha256/") || is_digest(last) => "",
        _ => "-",
    };
    Box::new(Oci { folder, ..Oci::default() })
}

impl Observer for Oci {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        match event.path {
            [Segment::Key(key)] => self.top(key, event),
            [Segment::Key(list), Segment::Index(_), rest @ ..]
                if list == "layers" || list == "manifests" || list == "blobs" =>
            {
                if let ([], Value::Text(path)) = (rest, event.value) {
                    layer(path, event.offset, facts);
                }
                self.part(rest, event);
            }
            [Segment::Key(first), rest @ ..] if first == "config" => {
                self.part(rest, event);
                self.command(rest, event);
            }
            [Segment::Index(_), Segment::Key(key), rest @ ..] => saved(key, rest, event, facts),
            _ => {}
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        let is_manifest = self.is_manifest && self.parts.iter().any(|part| part.digest.is_some());
        if is_manifest {
            self.manifest(facts);
        }
        if self.is_configuration && !self.command.is_empty() {
            let excerpt = shorten(self.command.join(" "), 500);
            let code =
                Code { name: "the container".into(), language: "a command".into(), runs: Runs::Started, excerpt };
            facts.push(Position::Offset(self.command_at), FactKind::Code(code));
        }
    }
}

impl Oci {
    fn top(&mut self, key: &str, event: &Event<'_>) {
        match (key, event.value) {
            ("schemaVersion", Value::Number("2")) => self.is_manifest = true,
            ("mediaType", Value::Text(text)) => self.media = shorten(text.chars().take(201).collect(), 200),
            ("rootfs", Value::Object) => self.is_configuration = true,
            ("config", Value::ObjectEnd(_)) => self.close(),
            _ => {}
        }
    }

    fn part(&mut self, rest: &[Segment], event: &Event<'_>) {
        match (rest, event.value) {
            ([], Value::Object) => self.part = Part::default(),
            ([], Value::ObjectEnd(_)) => self.close(),
            ([Segment::Key(key)], Value::Text(text)) if key == "digest" => {
                self.part.digest = Some((event.offset, shorten(text.chars().take(201).collect(), 200)));
            }
            ([Segment::Key(key)], Value::Text(text)) if key == "mediaType" => {
                self.part.media = shorten(text.chars().take(201).collect(), 200);
            }
            ([Segment::Key(key)], Value::Number(text)) if key == "size" => {
                self.part.size = Some(shorten(text.to_owned(), 50))
            }
            ([Segment::Key(key), Segment::Index(_)], Value::Text(_)) if key == "urls" => self.part.has_addresses = true,
            _ => {}
        }
    }

    fn close(&mut self) {
        let part = std::mem::take(&mut self.part);
        if part.digest.is_none() {
            return;
        }
        if self.parts.len() < MAX_PARTS {
            self.parts.push(part);
        } else {
            self.is_cut = true;
        }
    }

    /// `Entrypoint` and `Cmd` of an image's configuration.
    fn command(&mut self, rest: &[Segment], event: &Event<'_>) {
        let ([Segment::Key(key), ..], Value::Text(text)) = (rest, event.value) else { return };
        if matches!(key.as_str(), "Entrypoint" | "Cmd") && self.command.len() < MAX_WORDS {
            if self.command.is_empty() {
                self.command_at = event.offset;
            }
            self.command.push(shorten(text.chars().take(201).collect(), 200));
        }
    }

    fn manifest(&self, facts: &mut Facts) {
        let all = || self.parts.iter().map(|part| part.media.as_str()).chain([self.media.as_str()]);
        let layout = LAYOUTS.iter().find(|(start, _)| all().any(|media| media.starts_with(start)));
        facts.property("layout", layout.map_or("oci", |(_, layout)| *layout));
        facts.property("parts", self.parts.len().to_string());
        let mut named = BTreeSet::new();
        for part in &self.parts {
            let Some((offset, digest)) = &part.digest else { continue };
            if let Some(target) = self.path(digest, *offset, facts).filter(|target| named.insert(target.clone())) {
                if let Some(size) = part.size.as_ref().and_then(|size| size.parse().ok()) {
                    let (target, most) = (target.clone(), Some(size));
                    facts.push(Position::Offset(*offset), FactKind::FileSize { target, least: size, most });
                }
                facts.push(Position::Offset(*offset), FactKind::Reference { kind: ReferenceKind::File, target });
            }
            if part.size.as_ref().is_none_or(|size| size.parse::<u64>().is_err()) {
                facts.anomaly(*offset, Anomaly::Malformed, format!("the part '{digest}' has no size"));
            }
            if part.has_addresses {
                let detail = format!("the part '{digest}' is fetched from addresses of its own");
                facts.anomaly(*offset, Anomaly::ExternalData, detail);
            }
        }
        if self.is_cut {
            facts.incomplete(0, Gap::Limit, format!("more than {MAX_PARTS} parts"));
        }
    }

    /// Where a part with this digest lies, seen from this file. A digest that is none would be a path.
    fn path(&self, digest: &str, offset: u64, facts: &mut Facts) -> Option<String> {
        let (algorithm, hex) = digest.split_once(':').unwrap_or(("", digest));
        let fits = matches!((algorithm, hex.len()), ("sha256", 64) | ("sha384", 96) | ("sha512", 128));
        if !fits || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let is_path = digest.contains(['/', '\\']);
            // CVE-2024-37032: the digest became the name of a file that was written.
            let anomaly = if is_path { Anomaly::PathTraversal } else { Anomaly::Malformed };
            facts.anomaly(offset, anomaly, format!("'{digest}' is no digest"));
            return None;
        }
        (algorithm == "sha256" && self.folder != "-").then(|| format!("{}{hex}", self.folder))
    }
}

/// A layer that is named by its path.
fn layer(path: &str, offset: u64, facts: &mut Facts) {
    let is_archive = [".tar", ".tar.gz", ".tgz", ".tar.zst"].iter().any(|ending| path.ends_with(ending));
    if is_archive && leads_out(path) {
        let path = shorten(path.chars().take(201).collect(), 200);
        facts.anomaly(offset, Anomaly::PathTraversal, format!("the layer '{path}' lies outside"));
    } else if is_archive {
        let target = path.to_owned();
        facts.push(Position::Offset(offset), FactKind::Reference { kind: ReferenceKind::File, target });
    }
}

/// `manifest.json` of `docker save`: `[{"Config": "…json", "RepoTags": […], "Layers": […]}]`.
fn saved(key: &str, rest: &[Segment], event: &Event<'_>, facts: &mut Facts) {
    if let (Value::Text(path), "Layers", [Segment::Index(_)]) = (event.value, key, rest) {
        return layer(path, event.offset, facts);
    }
    let (Value::Text(text), "RepoTags", [Segment::Index(0)]) = (event.value, key, rest) else { return };
    facts.property("layout", "docker-save");
    facts.property("name", shorten(text.chars().take(201).collect(), 200));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::testing::{inspect, mutate, oddities};

    fn manifest(digest: &str) -> String {
        format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"{digest}","size":3}},
            "layers":[{{"mediaType":"application/vnd.ollama.image.model","digest":"{digest}","size":5}}]}}"#
        )
    }

    fn files(facts: &Facts) -> Vec<String> {
        let target = |kind: &FactKind| match kind {
            FactKind::Reference { kind: ReferenceKind::File, target } => Some(target.clone()),
            _ => None,
        };
        facts.list().iter().filter_map(|fact| target(&fact.kind)).collect()
    }

    #[test]
    fn parts_are_named_where_they_lie() {
        let hex = "ab".repeat(32);
        let text = manifest(&format!("sha256:{hex}"));
        let facts = inspect(&Json, "index.json", text.as_bytes());
        assert_eq!((files(&facts), oddities(&facts)), (vec![format!("blobs/sha256/{hex}")], Vec::new()));
        assert_eq!(facts.find_property("layout"), Some("ollama"));
        assert_eq!(
            files(&inspect(&Json, &format!("a/blobs/sha256/{hex}"), text.as_bytes())),
            std::slice::from_ref(&hex)
        );
        assert!(files(&inspect(&Json, "manifests/library/x/latest", text.as_bytes())).is_empty());
    }

    #[test]
    fn a_digest_that_is_a_path_is_told() {
        let facts = inspect(&Json, "latest", manifest("../../../etc/ld.so.preload").as_bytes());
        assert!(facts.has_anomaly(Anomaly::PathTraversal));
    }

    #[test]
    fn commands_of_an_image_are_told() {
        let text = br#"{"architecture":"amd64","config":{"Entrypoint":["/bin/sh","-c"],"Cmd":["echo waag-inert"]},"rootfs":{"type":"layers"}}"#;
        let facts = inspect(&Json, "config", text);
        let code = facts.list().iter().find_map(|fact| match &fact.kind {
            FactKind::Code(code) => Some((code.runs, code.excerpt.as_str())),
            _ => None,
        });
        assert_eq!(code, Some((Runs::Started, "/bin/sh -c echo waag-inert")));
    }

    #[test]
    fn no_mutation_panics() {
        let text = manifest(&format!("sha256:{}", "ab".repeat(32)));
        mutate(text.as_bytes(), 1500, |bytes| drop(inspect(&Json, "index.json", &bytes)));
    }
}
