//! NumPy's `.npy`: a Python literal and numbers, or, when elements are Python objects, a pickle.

mod dtype;
mod literal;
mod plain;
mod trees;

pub use dtype::{Dtype, parse_dtype};
pub use plain::{Plain, plain_dtype, read_plain};

use crate::child::{Child, Role};
use crate::cursor::Cursor;
use crate::fact::{Anomaly, FactKind, Gap, Position, Tensor};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::numbers::{Array, Arrays, Element};
use crate::source::{ReadError, Source};
use literal::Literal;

/// The signature.
pub const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// The longest header NumPy reads without being told to.
const TRUSTED_HEADER: usize = 10_000;
/// The longest header read here.
const MAX_HEADER: usize = 1 << 20;
/// Dimensions of an array; NumPy's own limit.
const MAX_DIMENSIONS: usize = 64;
/// An array this many times larger than its file makes the reader allocate for nothing.
const BOMB_RATIO: u64 = 16;
/// Below so many bytes it does not matter.
const BOMB_LEAST: u64 = 1 << 20;

static META: Meta = Meta {
    id: "npy",
    title: "NumPy array",
    extensions: &["npy"],
    depth: Depth::Full,
    reads: "the header as a literal, type, shape and size; an array of objects is handed on as the pickle it is",
    specification: "https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html",
};

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Major and minor version.
    pub version: (u8, u8),
    /// Element type.
    pub dtype: Dtype,
    /// Whether the first index changes fastest.
    pub fortran_order: bool,
    /// Extent of each dimension.
    pub shape: Vec<u64>,
    /// Offset of the first byte of data.
    pub data: u64,
    /// What a strict reader would object to: where, what, and one sentence.
    pub notes: Vec<(u64, Anomaly, String)>,
}

impl Header {
    /// Bytes of data that type and shape need; `None` when they overflow.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        let elements = self.shape.iter().try_fold(1u64, |product, &extent| product.checked_mul(extent))?;
        elements.checked_mul(self.dtype.itemsize)
    }
}

/// Why there is no header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The bytes end or cannot be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// It breaks the specification.
    #[error("{1}")]
    Malformed(u64, String),
    /// It is of a version, or has a type, that is not read here.
    #[error("{1}")]
    Unsupported(u64, String),
}

/// Reads a header, signature included, and leaves the cursor at the first byte of data.
///
/// # Errors
/// Whatever makes the rest unreadable; lesser faults are among the header's notes.
pub fn read_header(cursor: &mut Cursor<'_>) -> Result<Header, HeaderError> {
    let start = cursor.position();
    if cursor.take(MAGIC.len())? != MAGIC {
        return Err(HeaderError::Malformed(start, "the signature of a NumPy array is missing".into()));
    }
    let version = (cursor.byte()?, cursor.byte()?);
    let length = match version.0 {
        1 => usize::from(cursor.u16()?),
        2 | 3 => usize::try_from(cursor.u32()?).unwrap_or(usize::MAX),
        _ => {
            let detail = format!("version {}.{} of the format is not read here", version.0, version.1);
            return Err(HeaderError::Unsupported(start, detail));
        }
    };
    if length > MAX_HEADER {
        let detail = format!("a header of {length} bytes; NumPy itself refuses more than {TRUSTED_HEADER}");
        return Err(HeaderError::Malformed(start, detail));
    }
    let at = cursor.position();
    let bytes = cursor.take(length)?.to_vec();
    let mut header = understand(&bytes, version, at)?;
    if length > TRUSTED_HEADER {
        let detail = format!("a header of {length} bytes; NumPy refuses more than {TRUSTED_HEADER}");
        header.notes.push((start, Anomaly::Malformed, detail));
    }
    header.data = cursor.position();
    Ok(header)
}

fn understand(bytes: &[u8], version: (u8, u8), at: u64) -> Result<Header, HeaderError> {
    let text = match (version.0, std::str::from_utf8(bytes)) {
        (3, Err(_)) => return Err(HeaderError::Malformed(at, "the header is not valid UTF-8".into())),
        (3, Ok(text)) => text.to_owned(),
        _ => bytes.iter().copied().map(char::from).collect(),
    };
    let fault = |(offset, what): literal::Fault| HeaderError::Malformed(at.saturating_add(offset as u64), what.into());
    let Literal::Dict(pairs) = literal::parse(&text).map_err(fault)? else {
        return Err(HeaderError::Malformed(at, "the header is not a dictionary".into()));
    };
    let mut notes = Vec::new();
    if version.1 != 0 {
        notes.push((at, Anomaly::Malformed, format!("version {}.{} does not exist", version.0, version.1)));
    }
    let mut get = |wanted: &str| {
        let mut found = pairs.iter().filter(|(key, _)| *key == Literal::Text(wanted.to_owned()));
        // Python keeps the last of several.
        let value = found.next_back().map(|(_, value)| value);
        if found.next_back().is_some() {
            notes.push((at, Anomaly::DuplicateName, format!("the header has `{wanted}` twice")));
        }
        value.ok_or_else(|| HeaderError::Malformed(at, format!("the header has no `{wanted}`")))
    };
    let (descr, order, shape) = (get("descr")?, get("fortran_order")?, get("shape")?);
    let dtype = dtype::from_literal(descr);
    let dtype = dtype.ok_or_else(|| HeaderError::Unsupported(at, "the element type is not understood".into()))?;
    let Literal::Truth(fortran_order) = *order else {
        return Err(HeaderError::Malformed(at, "`fortran_order` is neither true nor false".into()));
    };
    let shape = dtype::extents(shape).filter(|shape| shape.len() <= MAX_DIMENSIONS);
    let shape =
        shape.ok_or_else(|| HeaderError::Malformed(at, "`shape` is not a tuple of a few whole numbers".into()))?;
    if pairs.len() > 3 {
        notes.push((at, Anomaly::Malformed, "the header has more than its three keys".into()));
    }
    Ok(Header { version, dtype, fortran_order, shape, data: 0, notes })
}

/// The format.
#[derive(Debug)]
pub struct Npy;

impl Format for Npy {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        probe.starts_with(MAGIC).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut cursor = Cursor::new(source, 0);
        match read_header(&mut cursor) {
            Ok(header) => {
                report(&header, source.len(), context.name, facts);
                trees::check(source, &header, context.budget, facts);
                sample(&header, source, context, facts);
            }
            Err(error) => failed(&error, cursor.position(), source.len(), facts),
        }
    }
}

/// Numbers that spell something else than numbers.
fn sample(header: &Header, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
    let Some(element) = Element::named(&header.dtype.text).filter(|_| !header.dtype.has_object) else { return };
    let length = source.len().saturating_sub(header.data);
    let (name, shape) = (context.name.chars().take(100).collect(), header.shape.clone());
    let mut arrays = Arrays::of_data();
    arrays.add(Array { name, element, offset: header.data, length, shape });
    arrays.observe(source, context.budget, facts);
}

/// Without a header nobody knows what the data are: what NumPy refuses today another reader may unpickle.
fn failed(error: &HeaderError, at: u64, length: u64, facts: &mut Facts) {
    match error {
        HeaderError::Read(ReadError::End) => {
            facts.anomaly(at, Anomaly::OutOfBounds, "the header goes on after the file's end");
        }
        HeaderError::Read(error) => facts.incomplete(at, Gap::Unreadable, error.to_string()),
        HeaderError::Malformed(offset, detail) => facts.anomaly(*offset, Anomaly::Malformed, detail.as_str()),
        HeaderError::Unsupported(offset, detail) => facts.incomplete(*offset, Gap::Unsupported, detail.as_str()),
    }
    let rest = length.saturating_sub(at);
    if rest > 0 {
        facts.push(Position::Offset(at), FactKind::Child(Child::stored("data", at, rest)));
    }
}

fn report(header: &Header, length: u64, name: &str, facts: &mut Facts) {
    facts.property("version", format!("{}.{}", header.version.0, header.version.1));
    for (offset, anomaly, detail) in &header.notes {
        facts.anomaly(*offset, *anomaly, detail.as_str());
    }
    let rest = length.saturating_sub(header.data);
    let objects = header.dtype.has_object;
    let bytes = if objects { Some(rest) } else { header.size() };
    let name = name.rsplit(['/', '\\', '!']).next().unwrap_or_default();
    let name = name.strip_suffix(".npy").unwrap_or(name).to_owned();
    let tensor = Tensor { name, dtype: header.dtype.text.clone(), shape: header.shape.clone(), bytes };
    facts.push(Position::Offset(0), FactKind::Tensor(tensor));
    if objects {
        let child = Child { role: Role::Pickle, ..Child::stored("objects.pkl", header.data, rest) };
        facts.push(Position::Offset(header.data), FactKind::Child(child));
    } else {
        verify(header, rest, length, facts);
    }
}

/// Numbers must fill the file, no more and no less.
fn verify(header: &Header, rest: u64, length: u64, facts: &mut Facts) {
    let at = header.data;
    let Some(size) = header.size() else {
        return facts.anomaly(at, Anomaly::AllocationBomb, "the size of the array overflows 64 bits");
    };
    if size > rest {
        let bomb = size > length.saturating_mul(BOMB_RATIO).max(BOMB_LEAST);
        let anomaly = if bomb { Anomaly::AllocationBomb } else { Anomaly::SizeMismatch };
        facts.anomaly(at, anomaly, format!("the array needs {size} bytes where the file has {rest}"));
    } else if size < rest {
        let (end, count) = (at.saturating_add(size), rest.saturating_sub(size));
        facts.anomaly(end, Anomaly::TrailingBytes, format!("{count} bytes follow the array"));
        facts.push(Position::Offset(end), FactKind::Child(Child::stored(format!("trailing@{end}"), end, count)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    fn file(version: u8, header: &str, data: usize) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([version, 0]);
        let mut header = header.to_owned();
        while !(bytes.len() + 4 + header.len() + 1).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
        bytes.extend(header.bytes());
        bytes.resize(bytes.len() + data, 0);
        bytes
    }

    fn array(descr: &str, shape: &str, data: usize) -> Facts {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
        inspect(&Npy, "a.npy", &file(1, &header, data))
    }

    fn kinds(facts: &Facts) -> Vec<String> {
        oddities(facts).iter().map(|one| one.split('@').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn good_arrays_have_nothing_odd() {
        let cases = [
            ("'<f8'", "(2, 3)", 48),
            ("'|b1'", "()", 1),
            ("'<U3'", "(2,)", 24),
            ("'<M8[ns]'", "(2,)", 16),
            ("'|V2'", "(2,)", 4),
            ("'<f4'", "(0, 3)", 0),
            ("'<i8'", "(2L,)", 16),
            ("[('a', '<f4'), ('b', [('c', '|u1', (2, 2)), (('title', 'd'), '<i2')])]", "(3,)", 30),
            ("('<f8', (3,))", "(2,)", 48),
        ];
        for (descr, shape, data) in cases {
            assert_eq!(kinds(&array(descr, shape, data)), Vec::<String>::new(), "{descr}");
        }
        let header = "{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}";
        for version in 1..=3 {
            assert_eq!(kinds(&inspect(&Npy, "", &file(version, header, 4))), Vec::<String>::new());
        }
    }

    #[test]
    fn cve_2019_6446_object_array() {
        for descr in ["'|O'", "'O'", "'|O8'", "[('a', '<f4'), ('b', [('c', '|O')])]", "('O', (2,))"] {
            let facts = array(descr, "(1,)", 20);
            let is_pickle = |fact: &crate::fact::Fact| matches!(&fact.kind, FactKind::Child(child) if child.role == Role::Pickle && child.length == 20);
            assert!(facts.list().iter().any(is_pickle), "{descr}");
            assert_eq!(kinds(&facts), Vec::<String>::new());
        }
    }

    #[test]
    fn sizes_that_lie_are_found() {
        assert_eq!(kinds(&array("'<f8'", "(2,)", 8)), ["SizeMismatch"]);
        assert_eq!(kinds(&array("'<f8'", "(2,)", 17)), ["TrailingBytes"]);
        assert_eq!(kinds(&array("'<f8'", "(99999999999,)", 8)), ["AllocationBomb"]);
        assert_eq!(kinds(&array("'<f8'", "(4294967296, 4294967296)", 8)), ["AllocationBomb"]);
    }

    #[test]
    fn headers_that_are_no_literals_are_malformed() {
        let headers = [
            "__import__('os').system('id')",
            "{'descr': eval('1'), 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} + {}",
            "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}",
            "[1]",
            "",
        ];
        for header in headers {
            let found = kinds(&inspect(&Npy, "", &file(1, header, 4)));
            assert!(found.contains(&"Malformed".to_owned()), "{header}: {found:?}");
        }
        let deep = "(".repeat(5_000);
        assert_eq!(kinds(&inspect(&Npy, "", &file(1, &deep, 0))), ["Malformed"]);
        let twice = "{'descr': '<f4', 'descr': '|O', 'fortran_order': False, 'shape': (1,)}";
        assert!(kinds(&inspect(&Npy, "", &file(1, twice, 4))).contains(&"DuplicateName".to_owned()));
    }

    #[test]
    fn unknown_types_and_versions_are_incomplete() {
        for descr in ["'<x4'", "'<f3'", "'i4,f8'", "1", "[('a',)]"] {
            assert_eq!(kinds(&array(descr, "(1,)", 4)), ["Unsupported"], "{descr}");
        }
        assert_eq!(kinds(&inspect(&Npy, "", b"\x93NUMPY\x04\x00\x00\x00")), ["Unsupported"]);
        assert_eq!(kinds(&inspect(&Npy, "", b"\x93NUMPY\x01\x00\xff\xff")), ["OutOfBounds"]);
    }

    #[test]
    fn no_mutation_panics() {
        let seed = file(1, "{'descr': [('a', '<f4', (2,)), ('b', '|O')], 'fortran_order': False, 'shape': (2, 3)}", 32);
        mutate(&seed, 4000, |bytes| drop(inspect(&Npy, "a.npy", &bytes)));
    }
}
