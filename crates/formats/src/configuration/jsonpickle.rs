//! jsonpickle: JSON in which `py/…` keys name what is imported, made and called, as a pickle does.

use super::Observer;
use super::found::Found;
use crate::budget::Budget;
use crate::callable::{judge_danger, judge_named};
use crate::fact::Standing;
use crate::facts::Facts;
use crate::json::{Event, Value, walk};

/// Keys whose text names a class, function or module.
const NAMES: &[&str] = &["py/object", "py/type", "py/function", "py/mod", "py/class", "py/property"];

/// What begins a key that is itself JSON.
const KEY: &str = "json://";

#[derive(Debug, Default)]
struct JsonPickle {
    found: Found,
}

pub(super) fn observer(_name: &str) -> Box<dyn Observer> {
    Box::new(JsonPickle::default())
}

impl Observer for JsonPickle {
    fn event(&mut self, event: &Event<'_>, _facts: &mut Facts) {
        let Some(key) = event.key() else { return };
        if let Some(inner) = key.strip_prefix(KEY)
            && !matches!(event.value, Value::ObjectEnd(_) | Value::ArrayEnd(_))
        {
            self.inside(event.offset, inner);
        }
        let Value::Text(text) = event.value else { return };
        self.value(event.offset, key, text);
    }

    fn finish(&mut self, facts: &mut Facts) {
        self.found.finish(facts);
    }
}

impl JsonPickle {
    /// A key that holds an object, which is decoded as others are (`keys=True`).
    fn inside(&mut self, offset: u64, inner: &str) {
        let bytes = inner.as_bytes();
        walk(&bytes, 0, u64::MAX, &Budget::small(), &mut |event| {
            if let (Some(key), Value::Text(text)) = (event.key(), event.value) {
                self.value(offset, key, text);
            }
        });
    }

    fn value(&mut self, offset: u64, key: &str, text: &str) {
        if key == "py/mod"
            && let Some(standing) = judge_danger(&text.replace('/', "."))
        {
            return self.found.judged(offset, text, standing, &format!("{key}: {text}"));
        }
        if NAMES.contains(&key) {
            let (module, name) = text.rsplit_once('.').unwrap_or(("builtins", text));
            self.found.judged(offset, text, judge_named(module, name), &format!("{key}: {text}"));
        }
        if key == "py/repr" {
            let effect = "runs Python code carried as text".to_owned();
            let standing = Standing::Dangerous { effect, critical: true };
            self.found.judged(offset, "builtins.eval", standing, &format!("py/repr: {text}"));
        }
    }
}
