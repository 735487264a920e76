//! spaCy's `config.cfg`: functions of a registry by name (`@architectures = "spacy.Tok2Vec.v2"`). Names that are not of
//! spaCy's own packages need code that is not part of the model.

use super::Observer;
use super::found::Found;
use crate::fact::Standing;
use crate::facts::Facts;
use crate::json::{Event, Value};

/// Registries of spaCy and of Thinc, which it is built on.
const REGISTRIES: &[&str] = &[
    "@architectures",
    "@layers",
    "@optimizers",
    "@schedules",
    "@initializers",
    "@losses",
    "@batchers",
    "@readers",
    "@loggers",
    "@callbacks",
    "@scorers",
    "@tokenizers",
    "@augmenters",
    "@lemmatizers",
    "@misc",
    "@factories",
    "@lookups",
    "@languages",
    "@backends",
    "@ops",
    "@datasets",
    "@llm_models",
    "@llm_tasks",
    "@llm_misc",
    "@llm_backends",
    "@llm_queries",
    "@vectors",
    "@span_getters",
];

#[derive(Debug, Default)]
struct Spacy {
    found: Found,
}

pub(super) fn observer(_name: &str) -> Box<dyn Observer> {
    Box::new(Spacy::default())
}

impl Observer for Spacy {
    fn event(&mut self, event: &Event<'_>, _facts: &mut Facts) {
        let (Some(key), Value::Text(text)) = (event.key(), event.value) else { return };
        if !REGISTRIES.contains(&key) {
            return;
        }
        if !is_known(text) {
            let standing = Standing::Unknown;
            self.found.judged(event.offset, text, standing, &format!("{key} = {text}"));
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        self.found.finish(facts);
    }
}

/// Of spaCy's own packages (`spacy.Tok2Vec.v2`, `spacy-transformers.…`, `spacy_llm.…`), or of Thinc's, whose names have a
/// version and nothing before (`Adam.v1`).
fn is_known(name: &str) -> bool {
    let root = name.split('.').next().unwrap_or(name);
    let is_spacy = root == "spacy" || root.starts_with("spacy-") || root.starts_with("spacy_");
    let (bare, version) = name.rsplit_once(".v").unwrap_or((name, ""));
    let is_thinc = !bare.contains('.') && !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    is_spacy || is_thinc
}
