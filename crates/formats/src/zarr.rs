//! Zarr arrays: JSON beside the chunks, which names the codecs that the chunks go through when they are read, and says
//! which files are chunks.

use crate::callable::judge;
use crate::configuration::Observer;
use crate::fact::{Anomaly, Callable, FactKind, Gap, Position, ReferenceKind, Usage};
use crate::facts::Facts;
use crate::json::{Event, Value};
use crate::location;

/// Keys under which codecs are named.
const LISTS: &[&str] = &["filters", "compressor", "codecs"];

/// Files of one array that are named one by one.
const MAX_CHUNKS: u64 = 4_000;
/// Files that no disk holds: a shape that lies.
const IMPOSSIBLE_CHUNKS: u64 = 1 << 48;
/// Extents of one array.
const MAX_DIMENSIONS: usize = 32;

/// Looks for a codec that unpickles what it is given, and for the names of the chunks.
#[derive(Debug, Default)]
pub struct Codecs {
    /// Whether the file is one that describes an array.
    is_array: bool,
    shape: Vec<u64>,
    chunk: Vec<u64>,
    separator: Option<String>,
    encoding: Option<String>,
    version: Option<String>,
}

/// Makes the observer; only names of chunks depend on the file's own.
#[must_use]
pub fn observe(name: &str) -> Box<dyn Observer> {
    Box::new(Codecs { is_array: matches!(name, ".zarray" | "zarr.json"), ..Codecs::default() })
}

impl Codecs {
    fn layout(&mut self, event: &Event<'_>) {
        let keys = (event.key_at(0), event.key_at(1), event.key_at(2), event.path.len());
        match (keys, event.value) {
            ((Some("shape"), _, _, 2), Value::Number(text)) => extent(&mut self.shape, text),
            ((Some("chunks"), _, _, 2), Value::Number(text)) => extent(&mut self.chunk, text),
            ((Some("chunk_grid"), Some("configuration"), Some("chunk_shape"), 4), Value::Number(text)) => {
                extent(&mut self.chunk, text);
            }
            ((Some("dimension_separator"), _, _, 1), Value::Text(text)) => self.separator = Some(text.to_owned()),
            ((Some("chunk_key_encoding"), Some("name"), _, 2), Value::Text(text)) => {
                self.encoding = Some(text.to_owned());
            }
            ((Some("chunk_key_encoding"), Some("configuration"), Some("separator"), 3), Value::Text(text)) => {
                self.separator = Some(text.to_owned());
            }
            ((Some("zarr_format"), _, _, 1), Value::Number(text)) => self.version = Some(text.to_owned()),
            _ => {}
        }
    }

    /// The name of the chunk at a place in the grid.
    fn name(&self, place: &[u64]) -> String {
        let is_old = self.version.as_deref() == Some("2") || self.encoding.as_deref() == Some("v2");
        let usual = if is_old { "." } else { "/" };
        // What separates is part of a path, so nothing else is taken.
        let separator = self.separator.as_deref().filter(|text| matches!(*text, "." | "/")).unwrap_or(usual);
        let mut parts: Vec<String> = place.iter().map(u64::to_string).collect();
        match (is_old, place.is_empty()) {
            (true, true) => parts.push("0".to_owned()),
            (true, false) => {}
            (false, _) => parts.insert(0, "c".to_owned()),
        }
        parts.join(separator)
    }

    fn name_chunks(&self, facts: &mut Facts) {
        if self.shape.len() != self.chunk.len() || self.version.is_none() {
            return;
        }
        let counts: Vec<u64> =
            self.shape.iter().zip(&self.chunk).map(|(extent, chunk)| extent.div_ceil((*chunk).max(1))).collect();
        let total = counts.iter().fold(1_u64, |product, count| product.saturating_mul(*count));
        if total > IMPOSSIBLE_CHUNKS {
            let detail = format!("the array is said to be kept in {total} files");
            return facts.anomaly(0, Anomaly::AllocationBomb, detail);
        }
        if total > MAX_CHUNKS {
            let detail = format!("the array is kept in {total} files, more than are followed");
            return facts.incomplete(0, Gap::Limit, detail);
        }
        for index in 0..total {
            let mut place = Vec::new();
            let mut rest = index;
            for count in counts.iter().rev() {
                place.push(rest.checked_rem(*count).unwrap_or(0));
                rest = rest.checked_div(*count).unwrap_or(0);
            }
            place.reverse();
            let reference = FactKind::Reference { kind: ReferenceKind::OptionalNumbers, target: self.name(&place) };
            facts.push(Position::Whole, reference);
        }
    }
}

/// TensorStore opens the path of a store as it stands, wherever it leads.
fn elsewhere(event: &Event<'_>, facts: &mut Facts) {
    let outer = event.path.len().checked_sub(2).and_then(|at| event.key_at(at));
    let (Some("kvstore"), Some("path"), Value::Text(path)) = (outer, event.key(), event.value) else { return };
    if let Some(objection) = location::objection(path).filter(|_| !path.is_empty()) {
        let path: String = path.chars().take(200).collect();
        let detail = format!("a store of arrays is in '{path}', which {objection}");
        facts.anomaly(event.offset, Anomaly::ExternalData, detail);
    }
}

fn extent(list: &mut Vec<u64>, text: &str) {
    if list.len() < MAX_DIMENSIONS {
        list.push(text.parse().unwrap_or(u64::MAX));
    }
}

impl Observer for Codecs {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        if self.is_array {
            self.layout(event);
        }
        elsewhere(event, facts);
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

    fn finish(&mut self, facts: &mut Facts) {
        if self.is_array {
            self.name_chunks(facts);
        }
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

    fn chunks(name: &str, text: &str) -> Vec<String> {
        let facts = inspect(&Json, name, text.as_bytes());
        let target = |kind: &FactKind| match kind {
            FactKind::Reference { target, .. } => Some(target.clone()),
            _ => None,
        };
        facts.list().iter().filter_map(|fact| target(&fact.kind)).collect()
    }

    #[test]
    fn chunks_are_named_as_the_versions_name_them() {
        let old = r#"{"chunks": [2, 3], "shape": [4, 3], "zarr_format": 2}"#;
        assert_eq!(chunks(".zarray", old), ["0.0", "1.0"]);
        assert_eq!(chunks("config.json", old), Vec::<String>::new());
        assert_eq!(chunks(".zarray", r#"{"chunks": [], "shape": [], "zarr_format": 2}"#), ["0"]);
        let new = r#"{"shape": [4], "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}}, "zarr_format": 3}"#;
        assert_eq!(chunks("zarr.json", new), ["c/0", "c/1"]);
        let odd = r#"{"chunks": [1], "shape": [2], "dimension_separator": "/../", "zarr_format": 2}"#;
        assert_eq!(chunks(".zarray", odd), ["0", "1"]);
        let facts = inspect(&Json, ".zarray", br#"{"chunks": [1], "shape": [1099511627776], "zarr_format": 2}"#);
        assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Incomplete { .. })));
    }

    #[test]
    fn stores_elsewhere_are_told() {
        let told = |path: &str| {
            let text = format!(r#"{{"driver": "zarr", "kvstore": {{"driver": "file", "path": "{path}"}}}}"#);
            inspect(&Json, "spec.json", text.as_bytes()).has_anomaly(Anomaly::ExternalData)
        };
        assert!(told("/etc/") && told("../../x"));
        assert!(!told("params.kernel") && !told(""));
    }

    #[test]
    fn codecs_that_unpickle_are_told() {
        assert_eq!(callables(r#"{"dtype": "|O", "filters": [{"id": "pickle", "protocol": 5}], "zarr_format": 2}"#), 1);
        assert_eq!(callables(r#"{"codecs": [{"name": "numcodecs.pickle"}], "zarr_format": 3}"#), 1);
        assert_eq!(callables(r#"{"dtype": "<f4", "filters": null, "compressor": {"id": "zstd"}}"#), 0);
        assert_eq!(callables(r#"{"name": "pickle"}"#), 0);
    }
}
