//! jsonpickle: JSON in which `py/…` keys name what is imported, made and called, as a pickle does.

use super::Observer;
use super::found::Found;
use crate::callable::judge_named;
use crate::fact::Standing;
use crate::facts::Facts;
use crate::json::{Event, Value};

/// Keys whose text names a class, function or module.
const NAMES: &[&str] = &["py/object", "py/type", "py/function", "py/mod", "py/class", "py/property"];

#[derive(Debug, Default)]
struct JsonPickle {
    found: Found,
}

pub(super) fn observer(_name: &str) -> Box<dyn Observer> {
    Box::new(JsonPickle::default())
}

impl Observer for JsonPickle {
    fn event(&mut self, event: &Event<'_>, _facts: &mut Facts) {
        let (Some(key), Value::Text(text)) = (event.key(), event.value) else { return };
        if NAMES.contains(&key) {
            let (module, name) = text.rsplit_once('.').unwrap_or(("builtins", text));
            self.found.judged(event.offset, text, judge_named(module, name), &format!("{key}: {text}"));
        }
        if key == "py/repr" {
            let effect = "runs Python code carried as text".to_owned();
            let standing = Standing::Dangerous { effect, critical: true };
            self.found.judged(event.offset, "builtins.eval", standing, &format!("py/repr: {text}"));
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        self.found.finish(facts);
    }
}
