//! sentence-transformers: modules by their class and folder, and functions by their path, all imported while loading.

use super::Observer;
use super::found::{Found, external, is_dotted};
use crate::facts::Facts;
use crate::json::{Event, Segment, Value};

/// Keys whose value is imported when it is a path: the activation of a `Dense` layer and of a cross-encoder.
const FUNCTIONS: &[&str] = &["activation_function", "activation_fn", "sbert_ce_default_activation_function"];
/// The list of modules, and the same for a model of several ways.
const ROUTER: &str = "router_config.json";
/// The modules of a model.
const MODULES: &str = "modules.json";

#[derive(Debug, Default)]
struct SentenceTransformers {
    found: Found,
    is_modules: bool,
    is_router: bool,
}

pub(super) fn observer(name: &str) -> Box<dyn Observer> {
    let (is_modules, is_router) = (name == MODULES, name == ROUTER);
    Box::new(SentenceTransformers { found: Found::default(), is_modules, is_router })
}

impl Observer for SentenceTransformers {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        let (Some(key), Value::Text(text)) = (event.key(), event.value) else { return };
        let is_type = match event.path {
            [Segment::Index(_), Segment::Key(key)] => self.is_modules && key == "type",
            [Segment::Key(types), Segment::Key(_)] => self.is_router && types == "types",
            _ => false,
        };
        if self.is_modules && key == "path" {
            external(event.offset, key, text, facts);
        }
        // The library's own names, such as `gelu`, are looked up in a table.
        if is_dotted(text) && (is_type || FUNCTIONS.contains(&key)) {
            self.found.target(event.offset, text, &format!("{key}: {text}"));
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        self.found.finish(facts);
    }
}
