//! Arrays within MessagePack, as Flax packs them: shape, name of the element type, bytes.

use super::{Problem, Value, walk};
use crate::budget::Budget;
use crate::fact::{Anomaly, FactKind, Gap, Position, Tensor};
use crate::facts::Facts;
use crate::foreign;
use crate::json::Segment;
use crate::protobuf::Span;
use crate::source::Source;

/// Extents of one array that are read.
const MAX_DIMENSIONS: usize = 64;

/// What was found within an array.
#[derive(Default)]
struct Parts {
    shape: Vec<u64>,
    dtype: String,
    data: Option<Span>,
    bad: Option<&'static str>,
}

/// How many elements an array has by its shape.
pub(super) fn elements(source: &dyn Source, span: Span, budget: &Budget) -> u64 {
    let mut parts = Parts::default();
    walk(source, span, budget, &mut |path, _, value| parts.take(path, value));
    parts.shape.iter().fold(1_u64, |product, extent| product.saturating_mul(*extent))
}

/// Reads an array, and holds its size against its shape.
pub(super) fn read(source: &dyn Source, span: Span, name: &str, budget: &Budget, facts: &mut Facts) {
    let mut parts = Parts::default();
    let outcome = walk(source, span, budget, &mut |path, _, value| parts.take(path, value));
    if let Some(note) = outcome.notes.first() {
        return match note.problem {
            Problem::Odd(anomaly) => facts.anomaly(note.offset, anomaly, note.detail.as_str()),
            Problem::Stopped(gap) => facts.incomplete(note.offset, gap, note.detail.as_str()),
        };
    }
    if outcome.end != span.end() {
        let detail = format!("array '{name}' has bytes behind its parts");
        facts.anomaly(outcome.end, Anomaly::HiddenContent, detail);
    }
    let Some(data) = parts.data.filter(|_| parts.bad.is_none()) else {
        let detail = format!("array '{name}': {}", parts.bad.unwrap_or("it has no data"));
        return facts.anomaly(span.offset, Anomaly::Malformed, detail);
    };
    foreign::open(source, name, data, false, budget, facts);
    check(name, &parts, data, span.offset, facts);
    let tensor = Tensor { name: name.to_owned(), dtype: parts.dtype, shape: parts.shape, bytes: Some(data.length) };
    facts.push(Position::Offset(data.offset), FactKind::Tensor(tensor));
}

impl Parts {
    fn take(&mut self, path: &[Segment], value: Value<'_>) {
        match (path, value) {
            ([], Value::Array(3) | Value::ArrayEnd) => {}
            ([Segment::Index(0)], Value::Array(_) | Value::ArrayEnd) => {}
            ([Segment::Index(0), _], Value::Integer(extent)) => match u64::try_from(extent) {
                Ok(extent) if self.shape.len() < MAX_DIMENSIONS => self.shape.push(extent),
                _ => self.bad = Some("an extent is negative, or there are too many"),
            },
            ([Segment::Index(1)], Value::Text(name)) => self.dtype = name.to_owned(),
            ([Segment::Index(2)], Value::Bytes(data)) => self.data = Some(data),
            _ => self.bad = Some("it is not made of a shape, a type and bytes"),
        }
    }
}

fn check(name: &str, parts: &Parts, data: Span, at: u64, facts: &mut Facts) {
    let dtype = parts.dtype.as_str();
    if dtype == "object" || dtype.starts_with("void") {
        let detail = format!("array '{name}' is of Python objects, whose bytes are addresses");
        return facts.anomaly(at, Anomaly::Malformed, detail);
    }
    let Some(bits) = bits(dtype) else {
        let detail = format!("array '{name}' is of the unknown type '{dtype}'");
        return facts.incomplete(at, Gap::Unsupported, detail);
    };
    let elements = parts.shape.iter().try_fold(1_u64, |product, &extent| product.checked_mul(extent));
    // Types of less than a byte are packed by no version: each element takes one.
    match elements.and_then(|elements| elements.checked_mul(bits.max(8) / 8)) {
        None => facts.anomaly(at, Anomaly::AllocationBomb, format!("the size of array '{name}' overflows 64 bits")),
        Some(needed) if needed != data.length => {
            let detail = format!("array '{name}' needs {needed} bytes by type and shape but has {}", data.length);
            facts.anomaly(at, Anomaly::SizeMismatch, detail);
        }
        Some(_) => {}
    }
}

/// Bits of an element: a number at the end of the name, mostly.
fn bits(dtype: &str) -> Option<u64> {
    match dtype {
        "bool" => return Some(8),
        "V2" => return Some(16),
        _ => {}
    }
    if let Some(rest) = dtype.strip_prefix("float8").or_else(|| dtype.strip_prefix("float4")) {
        return (rest.is_empty() || rest.starts_with('_')).then_some(8);
    }
    let kind = dtype.trim_end_matches(|c: char| c.is_ascii_digit());
    let bits = dtype.get(kind.len()..)?.parse::<u64>();
    match kind {
        "int" | "uint" | "float" | "bfloat" | "complex" | "str" | "bytes" => bits.ok(),
        // A type of text or bytes without a length has elements of none.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::bits;

    #[test]
    fn types_have_the_size_their_name_says() {
        let known = [("float32", 32), ("bfloat16", 16), ("bool", 8), ("int4", 4), ("float8_e4m3fn", 8)];
        for (name, size) in known {
            assert_eq!(bits(name), Some(size), "{name}");
        }
        assert_eq!((bits("object"), bits("odd7"), bits("float")), (None, None, None));
    }
}
