//! Arrays as `msgpack-numpy` packs them, of which spaCy's models are made: a map of `nd`, `type`, `kind`, `shape` and
//! `data`. An array of objects is packed as a pickle, and unpickled by whoever reads it.

use super::flax::name;
use super::{Problem, Span, Value, walk};
use crate::budget::Budget;
use crate::child::{Child, Role};
use crate::fact::{Anomaly, FactKind, Gap, Position, Tensor};
use crate::facts::Facts;
use crate::format::Probe;
use crate::json::Segment;
use crate::source::{Source, read_up_to};

/// Extents of one array that are kept.
const MAX_DIMENSIONS: usize = 64;
/// The kind of an array of objects.
const OBJECTS: &str = "O";

/// The settings of a model's layers, each a value of its own within the value.
const SETTINGS: &str = "attrs";
/// Endings of spaCy's files, most of which have none.
const ENDINGS: &[&str] = &["", "bin"];
/// Those that may be longer than what is read to tell them.
const LONG: &[&str] = &["key2row", "lookups.bin", "model", "patterns", "tokenizer"];

/// Whether a file without a telling name is one value, from the first byte to the last.
pub(super) fn is_whole(probe: &Probe<'_>) -> bool {
    if !ENDINGS.contains(&probe.extension().as_str()) {
        return false;
    }
    match probe.head.first() {
        Some(0x80 | 0x90) => return probe.source.len() == 1,
        Some(0x81..=0x9f | 0xdc..=0xdf) => {}
        _ => return false,
    }
    let file = probe.name.rsplit(['/', '\\', '!']).next().unwrap_or_default();
    let outcome = walk(probe.source, Span::whole(probe.source), &Budget::small(), &mut |_, _, _| {});
    match outcome.complete {
        true => outcome.notes.is_empty() && outcome.end == probe.source.len(),
        false => {
            let is_limit = |problem: &Problem| *problem == Problem::Stopped(Gap::Limit);
            outcome.notes.iter().all(|note| is_limit(&note.problem)) && LONG.contains(&file)
        }
    }
}

/// The maps that are open, and the layers' settings.
#[derive(Debug, Default)]
pub(super) struct Layers {
    open: Vec<Packed>,
    /// Where the settings lie that are being read.
    prefix: Vec<Segment>,
}

impl Layers {
    /// Looks at a value; whether it is taken, and nobody else's business.
    pub(super) fn value(
        &mut self,
        source: &dyn Source,
        path: &[Segment],
        value: &Value<'_>,
        budget: &Budget,
        facts: &mut Facts,
    ) -> bool {
        match value {
            Value::Map(_) => self.open.push(Packed::default()),
            Value::MapEnd => {
                if let Some(packed) = self.open.pop() {
                    packed.settle(&name(&[self.prefix.as_slice(), path].concat()), facts);
                }
            }
            Value::Bytes(span) if is_setting(path) && self.prefix.is_empty() => {
                return nested(source, path, *span, budget, facts);
            }
            _ => return self.open.last_mut().is_some_and(|packed| packed.take(source, path, value)),
        }
        false
    }
}

fn is_setting(path: &[Segment]) -> bool {
    path.first().and_then(Segment::key) == Some(SETTINGS)
}

/// Reads a value within the value; false when it is none, from the first byte to the last.
fn nested(source: &dyn Source, path: &[Segment], span: Span, budget: &Budget, facts: &mut Facts) -> bool {
    let outcome = walk(source, span, budget, &mut |_, _, _| {});
    if !outcome.complete || !outcome.notes.is_empty() || outcome.end != span.end() {
        return false;
    }
    let mut layers = Layers { open: Vec::new(), prefix: path.to_vec() };
    walk(source, span, budget, &mut |path, at, value| {
        if !layers.value(source, path, &value, budget, facts)
            && let Value::Bytes(bytes) | Value::Extension(_, bytes) = value
        {
            let name = name(&[layers.prefix.as_slice(), path].concat());
            facts.push(Position::Offset(at), FactKind::Child(Child::stored(name, bytes.offset, bytes.length)));
        }
    });
    true
}

/// What is known of a map that is still open.
#[derive(Debug, Default)]
struct Packed {
    is_array: bool,
    dtype: Option<String>,
    kind: String,
    shape: Vec<u64>,
    data: Option<Span>,
}

impl Packed {
    /// Takes a member of the map; whether it was one that is kept for the map's end.
    fn take(&mut self, source: &dyn Source, path: &[Segment], value: &Value<'_>) -> bool {
        let last = path.last().and_then(Segment::key);
        let list = path.len().checked_sub(2).and_then(|at| path.get(at)).and_then(Segment::key);
        match (last, value) {
            (Some("nd"), Value::Bool(_)) => self.is_array = true,
            (Some("type"), Value::Text(dtype)) => self.dtype = Some((*dtype).to_owned()),
            (Some("type"), Value::Bytes(span)) => self.dtype = Some(text(source, *span)),
            (Some("kind"), Value::Text(kind)) => (*kind).clone_into(&mut self.kind),
            (Some("kind"), Value::Bytes(span)) => self.kind = text(source, *span),
            (Some("data"), Value::Bytes(span)) => self.data = Some(*span),
            (None, Value::Integer(extent)) if list == Some("shape") && self.shape.len() < MAX_DIMENSIONS => {
                self.shape.push(u64::try_from(*extent).unwrap_or(u64::MAX));
            }
            _ => return false,
        }
        true
    }

    /// The map has ended: an array, or a map that has bytes called `data`.
    fn settle(self, name: &str, facts: &mut Facts) {
        let Some(data) = self.data else { return };
        let place = Position::Offset(data.offset);
        if !self.is_array {
            let child = Child::stored(format!("{name}/data"), data.offset, data.length);
            return facts.push(place, FactKind::Child(child));
        }
        let is_object = self.kind == OBJECTS || self.dtype.as_ref().is_some_and(|dtype| dtype.ends_with('O'));
        let role = if is_object { Role::Pickle } else { Role::Numbers };
        let child = Child { role, ..Child::stored(format!("{name}/data"), data.offset, data.length) };
        facts.push(place, FactKind::Child(child));
        if !is_object {
            self.check(name, data, facts);
        }
        let dtype = self.dtype.unwrap_or_default();
        let tensor = Tensor { name: name.to_owned(), dtype, shape: self.shape, bytes: Some(data.length) };
        facts.push(place, FactKind::Tensor(tensor));
    }

    /// Holds the bytes against type and shape. A type that is a list of fields is not read.
    fn check(&self, name: &str, data: Span, facts: &mut Facts) {
        let Some(size) = self.dtype.as_deref().and_then(size) else { return };
        let elements = self.shape.iter().try_fold(size, |product, &extent| product.checked_mul(extent));
        match elements {
            None => {
                let detail = format!("the size of array '{name}' overflows 64 bits");
                facts.anomaly(data.offset, Anomaly::AllocationBomb, detail);
            }
            Some(needed) if needed != data.length => {
                let detail = format!("array '{name}' needs {needed} bytes by type and shape but has {}", data.length);
                facts.anomaly(data.offset, Anomaly::SizeMismatch, detail);
            }
            Some(_) => {}
        }
    }
}

fn text(source: &dyn Source, span: Span) -> String {
    let length = usize::try_from(span.length.min(32)).unwrap_or(0);
    String::from_utf8_lossy(&read_up_to(source, span.offset, length)).into_owned()
}

/// Bytes of an element of NumPy's `<f4` or `|b1`.
fn size(dtype: &str) -> Option<u64> {
    let dtype = dtype.trim_start_matches(['<', '>', '|', '=']);
    let (kind, digits) = dtype.split_at_checked(1)?;
    let length = digits.parse::<u64>().ok()?;
    match kind {
        "U" => length.checked_mul(4),
        "b" | "i" | "u" | "f" | "c" | "S" | "V" | "?" => Some(length),
        _ => None,
    }
}
