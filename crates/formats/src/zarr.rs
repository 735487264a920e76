//! Zarr arrays: JSON beside the chunks, which names the codecs that the chunks go through when they are read.

use crate::callable::judge;
use crate::configuration::Observer;
use crate::fact::{Callable, FactKind, Position, Usage};
use crate::facts::Facts;
use crate::json::{Event, Value};

/// Keys under which codecs are named.
const LISTS: &[&str] = &["filters", "compressor", "codecs"];

/// Looks for a codec that unpickles what it is given.
#[derive(Debug)]
pub struct Codecs;

/// Makes the observer; a name decides nothing.
#[must_use]
pub fn observe(_name: &str) -> Box<dyn Observer> {
    Box::new(Codecs)
}

impl Observer for Codecs {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        let (Some("id" | "name"), Value::Text(codec)) = (event.key(), event.value) else { return };
        let listed = event.path.iter().any(|segment| segment.key().is_some_and(|key| LISTS.contains(&key)));
        if !listed || !matches!(codec, "pickle" | "numcodecs.pickle" | "numcodecs.pickles") {
            return;
        }
        let (module, name, usage) = ("pickle".to_owned(), "loads".to_owned(), Usage::Instantiate);
        let standing = judge(&module, &name, usage, None);
        let expression = "pickle.loads(chunk)".to_owned();
        let callable = Callable { module, name, usage, standing, expression, count: 1 };
        facts.push(Position::Offset(event.offset), FactKind::Callable(callable));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::testing::inspect;

    fn callables(text: &str) -> usize {
        let facts = inspect(&Json, ".zarray", text.as_bytes());
        facts.list().iter().filter(|fact| matches!(fact.kind, FactKind::Callable(_))).count()
    }

    #[test]
    fn codecs_that_unpickle_are_told() {
        assert_eq!(callables(r#"{"dtype": "|O", "filters": [{"id": "pickle", "protocol": 5}], "zarr_format": 2}"#), 1);
        assert_eq!(callables(r#"{"codecs": [{"name": "numcodecs.pickle"}], "zarr_format": 3}"#), 1);
        assert_eq!(callables(r#"{"dtype": "<f4", "filters": null, "compressor": {"id": "zstd"}}"#), 0);
        assert_eq!(callables(r#"{"name": "pickle"}"#), 0);
    }
}
