//! The manifest of a model archive for TorchServe: which files of the archive are Python that the server runs.

use super::Observer;
use crate::fact::{Anomaly, Code, FactKind, Position, ReferenceKind, Runs};
use crate::facts::{Facts, shorten};
use crate::json::{Event, Segment, Value};

/// Handlers that the server has.
const OWN_HANDLERS: &[&str] =
    &["image_classifier", "image_segmenter", "object_detector", "text_classifier", "base_handler", "densenet_handler"];

/// Reads `MAR-INF/MANIFEST.json`.
#[derive(Debug)]
struct Manifest {
    is_manifest: bool,
    /// Whether it has a part that only such manifests have.
    is_server: bool,
    runtime: Option<(u64, String)>,
}

/// Makes the observer.
#[must_use]
pub(super) fn observer(name: &str) -> Box<dyn Observer> {
    Box::new(Manifest { is_manifest: name == "MANIFEST.json", is_server: false, runtime: None })
}

impl Observer for Manifest {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        if !self.is_manifest {
            return;
        }
        let Value::Text(text) = event.value else { return };
        let text = shorten(text.chars().take(501).collect(), 500);
        match event.path {
            [Segment::Key(key)] if key == "runtime" => self.runtime = Some((event.offset, text)),
            [Segment::Key(part), Segment::Key(key)] if part == "model" || part == "workflow" => {
                self.is_server = true;
                file(key, event.offset, &text, facts);
            }
            _ => {}
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        if self.is_server {
            facts.property("framework", "TorchServe");
            if let Some((offset, text)) = self.runtime.take() {
                runtime(offset, &text, facts);
            }
        }
    }
}

/// `python`, `python3` or `LSP`: the program that is started.
fn runtime(offset: u64, text: &str, facts: &mut Facts) {
    facts.property("runtime", text);
    if !matches!(text, "python" | "python2" | "python3" | "LSP" | "") {
        facts.anomaly(offset, Anomaly::Malformed, format!("the runtime '{text}' is none of the server's"));
    }
}

fn file(key: &str, offset: u64, text: &str, facts: &mut Facts) {
    if matches!(key, "handler" | "modelFile" | "serializedFile" | "specFile" | "requirementsFile" | "configFile") {
        inside(offset, text, facts);
    }
    // `file.py:function` names a function of the file.
    let is_own = OWN_HANDLERS.contains(&text.split(':').next().unwrap_or(text));
    match key {
        "handler" if is_own => facts.property("handler", text),
        "handler" | "modelFile" if !text.is_empty() => {
            let kind = FactKind::Reference { kind: ReferenceKind::RemoteCode, target: text.to_owned() };
            facts.push(Position::Offset(offset), kind);
        }
        "requirementsFile" if !text.is_empty() => {
            let language = "a list of Python packages to install".into();
            let code = Code { name: text.to_owned(), language, runs: Runs::Started, excerpt: String::new() };
            facts.push(Position::Offset(offset), FactKind::Code(code));
        }
        "modelName" => facts.property("name", text),
        "modelVersion" => facts.property("version", text),
        _ => {}
    }
}

/// The server joins these names to the folder it unpacks the archive in.
fn inside(offset: u64, text: &str, facts: &mut Facts) {
    let leaves =
        text.starts_with(['/', '\\', '~']) || text.split(['/', '\\']).any(|part| part == "..") || text.contains("://");
    if leaves {
        let detail = format!("the manifest names '{text}', which is outside the archive");
        facts.anomaly(offset, Anomaly::PathTraversal, detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::testing::{inspect, oddities};

    fn targets(text: &str) -> Vec<String> {
        let facts = inspect(&Json, "MAR-INF/MANIFEST.json", text.as_bytes());
        let target = |kind: &FactKind| match kind {
            FactKind::Reference { kind: ReferenceKind::RemoteCode, target } => Some(target.clone()),
            _ => None,
        };
        facts.list().iter().filter_map(|fact| target(&fact.kind)).collect()
    }

    #[test]
    fn python_of_the_archives_own_is_told() {
        let text = r#"{"runtime":"python","model":{"modelName":"m","handler":"mine.py:run","modelFile":"net.py"}}"#;
        assert_eq!(targets(text), ["mine.py:run", "net.py"]);
        assert!(targets(r#"{"model":{"handler":"image_classifier","serializedFile":"m.pt"}}"#).is_empty());
    }

    #[test]
    fn names_that_leave_the_archive_are_told() {
        let text = br#"{"model":{"handler":"image_classifier","serializedFile":"../../m.pt"}}"#;
        assert_eq!(oddities(&inspect(&Json, "MAR-INF/MANIFEST.json", text)), ["PathTraversal@56"]);
        assert!(oddities(&inspect(&Json, "other.json", text)).is_empty());
    }
}
