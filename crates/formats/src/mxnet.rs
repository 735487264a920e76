//! MXNet's parameters: a list of arrays, and behind it their names.

use crate::child::Role;
use crate::cursor::Cursor;
use crate::embedded;
use crate::fact::{Anomaly, FactKind, Gap, Position, Tensor};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{ReadError, Source};
use crate::unrecognised::unrecognised;

/// The list's own mark.
const MAGIC: u64 = 0x112;
/// Marks of an array: the second version of its layout, and the third, where an array may have no dimension.
const VERSIONS: [u32; 2] = [0xF993_FAC9, 0xF993_FACA];
/// The first version, which knows no sparse arrays.
const FIRST: u32 = 0xF993_FAC8;
/// Dimensions of an array.
const MAX_DIMENSIONS: u32 = 32;
/// Arrays of one file.
const MAX_ARRAYS: u64 = 200_000;
/// Bytes of a name.
const MAX_NAME: u64 = 4096;

static META: Meta = Meta {
    id: "mxnet-params",
    title: "MXNet parameters",
    extensions: &["params"],
    depth: Depth::Full,
    reads: "every array's type, shape and size, and all names",
    specification: "https://mxnet.apache.org/versions/1.9.1/api/python/docs/api/legacy/ndarray/index.html",
};

/// The format.
#[derive(Debug)]
pub struct MxNetParameters;

impl Format for MxNetParameters {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let has_magic = probe.starts_with(&[0x12, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        (has_magic && probe.role != Role::Numbers).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        if Cursor::sparing(source, 0).u64() != Ok(MAGIC) {
            return unrecognised(source, context, "MXNet parameters", facts);
        }
        facts.property("framework", "MXNet");
        let mut list = List { cursor: Cursor::new(source, 0), context, arrays: Vec::new(), places: Vec::new() };
        match list.read() {
            Ok(()) => {}
            Err(Stop::Read(ReadError::End)) => {
                facts.anomaly(
                    list.cursor.position(),
                    Anomaly::OutOfBounds,
                    "an array or a name ends past the file's end",
                );
            }
            Err(Stop::Read(error)) => facts.incomplete(list.cursor.position(), Gap::Unreadable, error.to_string()),
            Err(Stop::Malformed(detail)) => facts.anomaly(list.cursor.position(), Anomaly::Malformed, detail),
            Err(Stop::Unsupported(detail)) => facts.incomplete(list.cursor.position(), Gap::Unsupported, detail),
            Err(Stop::Limit(detail)) => facts.incomplete(list.cursor.position(), Gap::Limit, detail),
        }
        list.say(facts);
        for (offset, length) in list.places {
            embedded::open(source, "numbers", offset, length, facts);
        }
    }
}

/// Why reading stopped.
enum Stop {
    Read(ReadError),
    Malformed(String),
    Unsupported(String),
    Limit(String),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

struct List<'l> {
    cursor: Cursor<'l>,
    context: &'l Context<'l>,
    arrays: Vec<(u64, Tensor)>,
    /// Where the numbers of arrays are.
    places: Vec<(u64, u64)>,
}

impl List<'_> {
    fn read(&mut self) -> Result<(), Stop> {
        self.cursor.skip(16)?;
        let count = self.count("arrays")?;
        for _ in 0..count {
            self.pay()?;
            let at = self.cursor.position();
            let tensor = self.array()?;
            self.arrays.push((at, tensor));
        }
        let names = self.count("names")?;
        if names != 0 && names != count {
            return Err(Stop::Malformed(format!("{names} names for {count} arrays")));
        }
        for index in 0..names {
            self.pay()?;
            let name = self.name()?;
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            if let Some((_, tensor)) = self.arrays.get_mut(index) {
                tensor.name = name;
            }
        }
        Ok(())
    }

    fn pay(&self) -> Result<(), Stop> {
        self.context.budget.operate(1).map_err(|limit| Stop::Limit(limit.to_string()))
    }

    /// A number of things, of which each takes bytes that must be there.
    fn count(&mut self, what: &str) -> Result<u64, Stop> {
        let count = self.cursor.u64()?;
        if count > self.cursor.remaining() {
            return Err(Stop::Malformed(format!("there are {count} {what}, by its own account")));
        }
        if count > MAX_ARRAYS {
            return Err(Stop::Limit(format!("more than {MAX_ARRAYS} {what}")));
        }
        Ok(count)
    }

    fn name(&mut self) -> Result<String, Stop> {
        let length = self.cursor.u64()?;
        if length > MAX_NAME {
            return Err(Stop::Malformed(format!("a name of {length} bytes")));
        }
        let bytes = self.cursor.take(usize::try_from(length).unwrap_or(0))?;
        Ok(shorten(String::from_utf8_lossy(bytes).into_owned(), 500))
    }

    fn array(&mut self) -> Result<Tensor, Stop> {
        let mark = self.cursor.u32()?;
        if mark != FIRST && !VERSIONS.contains(&mark) {
            return Err(Stop::Unsupported(format!("an array that starts with {mark:#x}")));
        }
        let sparse = if mark == FIRST { 0 } else { self.storage()? };
        let stored = if sparse > 0 { Some(self.shape()?) } else { None };
        let shape = self.shape()?;
        let is_none = shape.is_none() || mark != VERSIONS[1] && shape.as_ref().is_some_and(Vec::is_empty);
        if is_none {
            return Ok(Tensor { name: String::new(), dtype: "none".into(), shape: Vec::new(), bytes: Some(0) });
        }
        let shape = shape.unwrap_or_default();
        // The device it lay on: its kind and number.
        self.cursor.skip(8)?;
        let (dtype, width) = element(self.cursor.u32()?)?;
        let mut bytes = size(stored.flatten().as_ref().unwrap_or(&shape), width)?;
        for _ in 0..sparse {
            let (_, width) = element(self.cursor.u32()?)?;
            let indices = self.shape()?.unwrap_or_default();
            bytes = bytes.saturating_add(size(&indices, width)?);
        }
        let at = self.cursor.position();
        self.cursor.skip(bytes)?;
        self.places.push((at, bytes));
        Ok(Tensor { name: String::new(), dtype: dtype.into(), shape, bytes: Some(bytes) })
    }

    /// How many arrays of indices a sparse array has beside its numbers.
    fn storage(&mut self) -> Result<u64, Stop> {
        match self.cursor.i32()? {
            0 => Ok(0),
            1 => Ok(1),
            2 => Ok(2),
            other => Err(Stop::Malformed(format!("an array is stored in the way {other}, which there is not"))),
        }
    }

    fn shape(&mut self) -> Result<Option<Vec<u64>>, Stop> {
        let dimensions = self.cursor.i32()?;
        let Ok(dimensions) = u32::try_from(dimensions) else { return Ok(None) };
        if dimensions > MAX_DIMENSIONS {
            return Err(Stop::Malformed(format!("an array of {dimensions} dimensions")));
        }
        let mut shape = Vec::new();
        for _ in 0..dimensions {
            let extent = u64::try_from(self.cursor.i64()?);
            shape.push(extent.map_err(|_| Stop::Malformed("an array with a negative extent".to_owned()))?);
        }
        Ok(Some(shape))
    }

    fn say(&mut self, facts: &mut Facts) {
        let mut seen = std::collections::BTreeSet::new();
        let end = self.cursor.position();
        for (at, tensor) in self.arrays.drain(..) {
            if !tensor.name.is_empty() && !seen.insert(tensor.name.clone()) {
                facts.anomaly(at, Anomaly::DuplicateName, format!("two arrays are called '{}'", tensor.name));
            }
            facts.push(Position::Offset(at), FactKind::Tensor(tensor));
        }
        let rest = self.cursor.remaining();
        let is_whole = !facts
            .list()
            .iter()
            .any(|fact| matches!(fact.kind, FactKind::Anomaly { .. } | FactKind::Incomplete { .. }));
        if rest > 0 && is_whole {
            facts.anomaly(end, Anomaly::TrailingBytes, format!("{rest} bytes follow the last name"));
            let child = crate::child::Child::stored(format!("trailing@{end}"), end, rest);
            facts.push(Position::Offset(end), FactKind::Child(child));
        }
    }
}

fn size(shape: &[u64], width: u64) -> Result<u64, Stop> {
    let size = shape.iter().try_fold(width, |product, extent| product.checked_mul(*extent));
    size.ok_or_else(|| Stop::Malformed("an array larger than any file".to_owned()))
}

/// Name and width of an element's type.
fn element(code: u32) -> Result<(&'static str, u64), Stop> {
    Ok(match code {
        0 => ("float32", 4),
        1 => ("float64", 8),
        2 => ("float16", 2),
        3 => ("uint8", 1),
        4 => ("int32", 4),
        5 => ("int8", 1),
        6 => ("int64", 8),
        7 => ("bool", 1),
        8 => ("int16", 2),
        9 => ("uint16", 2),
        10 => ("uint32", 4),
        11 => ("uint64", 8),
        12 => ("bfloat16", 2),
        other => return Err(Stop::Unsupported(format!("elements of the type {other}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    /// One array of two by three numbers.
    fn file() -> Vec<u8> {
        let mut bytes = MAGIC.to_le_bytes().to_vec();
        bytes.extend([0; 8]);
        bytes.extend(1u64.to_le_bytes());
        bytes.extend(VERSIONS[0].to_le_bytes());
        bytes.extend([0i32, 2].map(i32::to_le_bytes).concat());
        bytes.extend([2i64, 3].map(i64::to_le_bytes).concat());
        bytes.extend([1i32, 0, 0].map(i32::to_le_bytes).concat());
        bytes.extend([0; 24]);
        bytes.extend(1u64.to_le_bytes());
        bytes.extend(5u64.to_le_bytes());
        bytes.extend(b"arg:w");
        bytes
    }

    #[test]
    fn arrays_and_their_names_are_read() {
        let facts = inspect(&MxNetParameters, "a.params", &file());
        assert!(oddities(&facts).is_empty(), "{:?}", oddities(&facts));
        assert_eq!((facts.totals().parameters, facts.totals().bytes), (6, 24));
    }

    #[test]
    fn sizes_that_lie_are_told() {
        let mut bytes = file();
        bytes[36] = 0xFF;
        assert_eq!(oddities(&inspect(&MxNetParameters, "a.params", &bytes)), ["OutOfBounds@64"]);
        let mut bytes = file();
        bytes.push(1);
        assert_eq!(oddities(&inspect(&MxNetParameters, "a.params", &bytes)), ["TrailingBytes@109"]);
        let mut bytes = file();
        bytes[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(oddities(&inspect(&MxNetParameters, "a.params", &bytes)), ["Malformed@24"]);
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&file(), 3000, |bytes| drop(inspect(&MxNetParameters, "a.params", &bytes)));
    }
}
