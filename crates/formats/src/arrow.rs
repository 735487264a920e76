//! Tables in columns: Arrow's streams and files, and Parquet. Columns are data; what matters is a type that is a pickle.
//!
//! Until version 14.0.1 PyArrow unpickled the description of a column whose type was `arrow.py_extension_type`
//! (CVE-2023-47248), and Parquet files carry the same description.

use crate::child::{Child, Encoding, Role};
use crate::cursor::Cursor;
use crate::fact::{Anomaly, Code, FactKind, Gap, Position, Runs};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{ReadError, Source, read_up_to};
use crate::tables::{batches, parquet as columns};
use crate::unrecognised::unrecognised;

/// Bytes of a description that are searched.
const MAX_SCHEMA: u64 = 16 << 20;
/// Pickles of one description that are opened.
const MAX_PICKLES: usize = 64;
/// Descriptions of Arrow's in one file of Parquet. An honest file has one.
const MAX_SCHEMAS: usize = 8;
/// The type whose description is unpickled.
const PICKLED: &[u8] = b"arrow.py_extension_type";
/// The key under which Parquet keeps Arrow's description.
const KEY: &[u8] = b"ARROW:schema";

static META: Meta = Meta {
    id: "arrow",
    title: "Arrow stream or file",
    extensions: &["arrow", "feather", "ipc"],
    depth: Depth::Surface,
    reads: "the description of the columns, for types that are unpickled; where the columns of every batch are; not what is in them",
    specification: "https://arrow.apache.org/docs/format/Columnar.html",
};

/// The format.
#[derive(Debug)]
pub struct Arrow;

impl Format for Arrow {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role == Role::Numbers {
            return None;
        }
        if probe.starts_with(b"ARROW1\0\0") || probe.starts_with(b"FEA1") && probe.tail.ends_with(b"FEA1") {
            return Some(Certainty::Certain);
        }
        stream(probe.source, 0).map(|_| Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let is_file = read_up_to(source, 0, 6) == b"ARROW1";
        // Readers of streams take the description at the start, readers of files the one at the end.
        let first = stream(source, if is_file { 8 } else { 0 });
        let last = footer(source, b"ARROW1").or_else(|| footer(source, b"FEA1"));
        if first.is_none() && last.is_none() {
            return facts.incomplete(0, Gap::Unsupported, "no description of the columns was found");
        }
        facts.property("layout", if is_file { "file" } else { "stream" });
        for (start, length) in first.into_iter().chain(last) {
            description(source, start, length, context, facts);
        }
        if let Some((start, _)) = first {
            let end = batches::check(source, start.saturating_sub(8), context.budget, facts);
            if let Some(end) = end.filter(|end| !is_file && *end < source.len()) {
                trailing(end, source.len(), facts);
            }
        }
        if is_file && last.is_none() {
            facts.anomaly(source.len(), Anomaly::OutOfBounds, "the file has no end that says where its columns are");
        }
    }
}

/// What follows the end of a stream is none of its reader's business.
fn trailing(end: u64, length: u64, facts: &mut Facts) {
    let rest = length.saturating_sub(end);
    facts.anomaly(end, Anomaly::TrailingBytes, format!("{rest} bytes follow the end of the stream"));
    facts.push(Position::Offset(end), FactKind::Child(Child::stored(format!("trailing@{end}"), end, rest)));
}

/// Where the first message of a stream describes its columns.
fn stream(source: &dyn Source, at: u64) -> Option<(u64, u64)> {
    let mut cursor = Cursor::sparing(source, at);
    if cursor.u32().ok()? != u32::MAX {
        return None;
    }
    let length = u64::from(cursor.u32().ok()?);
    // Some writers do not pad a description that stands alone, as it does in Parquet.
    let is_padded = length.is_multiple_of(4) || length == cursor.remaining();
    let fits = length >= 16 && is_padded && length <= cursor.remaining();
    // Descriptions come first, so that the offset of the root is small.
    let root = u64::from(cursor.u32().ok()?);
    (fits && root < 256 && root < length).then_some((at.saturating_add(8), length))
}

/// Where the end of a file describes its columns: a length, and the mark again.
fn footer(source: &dyn Source, mark: &[u8]) -> Option<(u64, u64)> {
    let end = source.len().checked_sub(mark.len() as u64)?;
    if read_up_to(source, end, mark.len()) != mark {
        return None;
    }
    let end = end.checked_sub(4)?;
    let length = u64::from(Cursor::sparing(source, end).u32().ok()?);
    Some((end.checked_sub(length).filter(|start| *start >= 4)?, length))
}

fn description(source: &dyn Source, start: u64, length: u64, context: &Context<'_>, facts: &mut Facts) {
    let most = usize::try_from(length.min(MAX_SCHEMA)).unwrap_or(0);
    if let Err(limit) = context.budget.operate(length.min(MAX_SCHEMA) / 16) {
        return facts.incomplete(start, Gap::Limit, limit.to_string());
    }
    let bytes = read_up_to(source, start, most);
    if length > MAX_SCHEMA {
        facts.incomplete(start.saturating_add(MAX_SCHEMA), Gap::Limit, "the description is longer than is searched");
    }
    let Some(at) = find(&bytes, PICKLED) else { return pickles(&bytes, start, Role::Unknown, facts) };
    let code = Code {
        name: "the type of a column".into(),
        language: "a Python pickle".into(),
        runs: Runs::Loaded,
        excerpt: "ARROW:extension:name = arrow.py_extension_type".into(),
    };
    facts.push(Position::Offset(start.saturating_add(at as u64)), FactKind::Code(code));
    pickles(&bytes, start, Role::Pickle, facts);
}

/// Texts of the description that start and end as pickles do. A text has its length before it.
fn pickles(bytes: &[u8], start: u64, role: Role, facts: &mut Facts) {
    let mut found = 0;
    for (index, window) in bytes.windows(6).enumerate() {
        let [a, b, c, d, 0x80, 2..=5] = window else { continue };
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
        let from = index.saturating_add(4);
        let text = bytes.get(from..from.saturating_add(length));
        if text.is_some_and(|text| text.ends_with(b".")) && found < MAX_PICKLES {
            found = found.saturating_add(1);
            let at = start.saturating_add(from as u64);
            let child = Child { role, ..Child::stored(format!("text@{at:#x}"), at, length as u64) };
            facts.push(Position::Offset(at), FactKind::Child(child));
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

static PARQUET: Meta = Meta {
    id: "parquet",
    title: "Parquet or ORC table",
    extensions: &["parquet", "orc"],
    depth: Depth::Surface,
    reads: "where the columns are, Arrow's own description, and texts beside them; not what is in the columns",
    specification: "https://parquet.apache.org/docs/file-format/",
};

/// The format.
#[derive(Debug)]
pub struct Parquet;

impl Format for Parquet {
    fn meta(&self) -> &'static Meta {
        &PARQUET
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role == Role::Numbers {
            return None;
        }
        let starts = [&b"PAR1"[..], b"PARE", b"Obj\x01"].iter().any(|mark| probe.starts_with(mark));
        let orc = probe.starts_with(b"ORC") && probe.tail.iter().rev().nth(3) == Some(&b'O');
        (starts || orc).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        match &read_up_to(source, 0, 4)[..] {
            b"PAR1" => parquet(source, context, facts),
            b"PARE" => {
                facts.property("kind", "Parquet");
                facts.anomaly(0, Anomaly::Encrypted, "the description of the columns is encrypted");
            }
            b"Obj\x01" => facts.property("kind", "Avro"),
            [b'O', b'R', b'C', ..] => facts.property("kind", "ORC"),
            _ => unrecognised(source, context, "a table", facts),
        }
    }
}

fn parquet(source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
    facts.property("kind", "Parquet");
    let Some((start, length)) = footer(source, b"PAR1") else {
        return facts.anomaly(
            source.len(),
            Anomaly::OutOfBounds,
            "the file has no end that says where its columns are",
        );
    };
    if let Err(error) = schema(source, start, length, context, facts) {
        facts.incomplete(start, Gap::Unreadable, error.to_string());
    }
}

/// Arrow's description within Parquet's: Base64 behind its key, as text with its length before it.
fn schema(
    source: &dyn Source,
    start: u64,
    length: u64,
    context: &Context<'_>,
    facts: &mut Facts,
) -> Result<(), ReadError> {
    let searched = length.min(MAX_SCHEMA);
    if let Err(limit) = context.budget.operate(searched / 16) {
        facts.incomplete(start, Gap::Limit, limit.to_string());
        return Ok(());
    }
    if length > MAX_SCHEMA {
        facts.incomplete(start.saturating_add(MAX_SCHEMA), Gap::Limit, "the description is longer than is searched");
    }
    let bytes = read_up_to(source, start, usize::try_from(searched).unwrap_or(0));
    if length <= MAX_SCHEMA {
        columns::check(source, &bytes, start, facts);
    }
    let (mut from, mut found) = (0usize, 0usize);
    while let Some(at) = bytes.get(from..).and_then(|rest| find(rest, KEY)) {
        let key_end = from.saturating_add(at).saturating_add(KEY.len());
        from = key_end;
        let rest = bytes.get(key_end..).unwrap_or_default();
        // A field of Thrift: its header, then the length in groups of seven bits.
        let Some((text, length)) = rest.strip_prefix(&[0x18]).and_then(text) else { continue };
        found = found.saturating_add(1);
        if found > MAX_SCHEMAS {
            facts.incomplete(start, Gap::Limit, format!("more than {MAX_SCHEMAS} descriptions of the columns"));
            break;
        }
        let at = start.saturating_add(key_end as u64).saturating_add(1).saturating_add(text);
        let child = Child { encoding: Encoding::Base64, declared: None, ..Child::stored("ARROW:schema", at, length) };
        facts.push(Position::Offset(at), FactKind::Child(child));
    }
    Ok(())
}

/// Bytes that a length takes, and the length.
fn text(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut length = 0u64;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        let bits = u32::try_from(index).ok()?.checked_mul(7)?;
        length |= u64::from(byte & 0x7F).checked_shl(bits)?;
        if byte & 0x80 == 0 {
            return Some((u64::try_from(index).ok()?.checked_add(1)?, length));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    /// A message with a text that is a pickle.
    fn message(name: &[u8]) -> Vec<u8> {
        let mut body = 16u32.to_le_bytes().to_vec();
        body.extend([0; 12]);
        body.extend(name);
        body.extend([4, 0, 0, 0, 0x80, 2, b'N', b'.']);
        body.resize(body.len().next_multiple_of(4), 0);
        [b"\xFF\xFF\xFF\xFF".to_vec(), (body.len() as u32).to_le_bytes().to_vec(), body].concat()
    }

    fn children(facts: &Facts) -> Vec<(Role, Encoding)> {
        let child = |kind: &FactKind| match kind {
            FactKind::Child(child) => Some((child.role, child.encoding)),
            _ => None,
        };
        facts.list().iter().filter_map(|fact| child(&fact.kind)).collect()
    }

    #[test]
    fn a_type_that_is_unpickled_is_told() {
        let facts = inspect(&Arrow, "a.arrow", &message(PICKLED));
        assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Code(_))));
        assert_eq!(children(&facts), [(Role::Pickle, Encoding::Stored)]);
        let facts = inspect(&Arrow, "a.arrow", &message(b"arrow.opaque"));
        assert_eq!(children(&facts), [(Role::Unknown, Encoding::Stored)]);
    }

    #[test]
    fn a_description_that_stands_alone_need_not_be_padded() {
        let mut bytes = message(b"arrow.opaque");
        bytes.truncate(bytes.len() - 2);
        let length = bytes.len() as u32 - 8;
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        let told = |bytes: &[u8]| Arrow.recognise(&Probe::new(&bytes, "ARROW:schema", Role::Unknown));
        assert_eq!(told(&bytes), Some(Certainty::Likely));
        assert_eq!(told(&[&bytes[..], &[0; 4]].concat()), None);
    }

    #[test]
    fn parquet_carries_arrows_description() {
        let bytes = b"PAR1\x18\x0cARROW:schema\x18\x04QUJD\x12\0\0\0PAR1";
        let facts = inspect(&Parquet, "a.parquet", bytes);
        assert_eq!(children(&facts), [(Role::Unknown, Encoding::Base64)]);
        assert_eq!(oddities(&inspect(&Parquet, "a.parquet", b"PAR1 and nothing")), ["OutOfBounds@16"]);
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&message(PICKLED), 1500, |bytes| drop((inspect(&Arrow, "", &bytes), inspect(&Parquet, "", &bytes))));
    }
}
