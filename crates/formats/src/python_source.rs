//! Python source beside a model: remote code when a configuration names it. Listed here, analysed elsewhere.

use crate::fact::{FactKind, Position, ReferenceKind};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::Source;
use crate::text::is_text;

static META: Meta = Meta {
    id: "python-source",
    title: "Python source",
    extensions: &["py", "pyi", "pyw"],
    depth: Depth::Surface,
    reads: "that it is there",
    specification: "https://docs.python.org/3/reference/",
};

/// The format.
#[derive(Debug)]
pub struct PythonSource;

impl Format for PythonSource {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let named = META.extensions.contains(&probe.extension().as_str());
        (named && is_text(&probe.head)).then_some(Certainty::Likely)
    }

    fn inspect(&self, _source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        facts.property("language", "python");
        let mut path = context.name.rsplit(['/', '\\']);
        // No configuration names these: `generate` and the servers of inference endpoints look for them by their paths.
        let target = match (path.next(), path.next()) {
            (Some("generate.py"), Some("custom_generate")) => "custom_generate/generate.py",
            (Some("handler.py"), _) => "handler.py",
            _ => return,
        };
        let target = target.to_owned();
        facts.push(Position::Whole, FactKind::Reference { kind: ReferenceKind::RemoteCode, target });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::inspect;

    #[test]
    fn a_generate_of_the_repositorys_own_is_remote_code() {
        let remote = |name: &str| {
            let facts = inspect(&PythonSource, name, b"def generate(): ...");
            facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Reference { .. }))
        };
        assert!(remote("model/custom_generate/generate.py"));
        assert!(remote("custom_generate\\generate.py"));
        assert!(!remote("model/generate.py"));
        assert!(!remote("custom_generate/utils.py"));
    }
}
