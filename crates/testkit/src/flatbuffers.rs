//! FlatBuffers for tests: tables written front to back, each with its list of fields before it.

/// A field of a table.
#[derive(Debug, Clone)]
pub enum Field {
    /// Not there.
    Absent,
    /// One byte.
    Byte(u8),
    /// Four bytes.
    Word(u32),
    /// Eight bytes.
    Long(u64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A vector of numbers.
    Numbers(Vec<i32>),
    /// A vector of long numbers.
    Longs(Vec<u64>),
    /// A table.
    Table(Vec<Field>),
    /// A vector of tables.
    Tables(Vec<Vec<Field>>),
}

/// A file with this root and identifier.
#[must_use]
pub fn write(identifier: &[u8; 4], root: &[Field]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(identifier);
    let at = table(root, &mut bytes);
    bytes[..4].copy_from_slice(&number(at).to_le_bytes());
    bytes
}

fn number(value: usize) -> u32 {
    u32::try_from(value).expect("test files are small")
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
}

fn width(field: &Field) -> usize {
    match field {
        Field::Absent => 0,
        Field::Byte(_) => 1,
        Field::Long(_) => 8,
        _ => 4,
    }
}

fn table(fields: &[Field], bytes: &mut Vec<u8>) -> usize {
    pad(bytes);
    let list = bytes.len();
    let (mut size, mut offsets) = (4, Vec::new());
    for field in fields {
        let width = width(field);
        size = if width == 0 { size } else { usize::next_multiple_of(size, width) };
        offsets.push(if width == 0 { 0 } else { size });
        size += width;
    }
    let short = |value: usize| u16::try_from(value).expect("test tables are small").to_le_bytes();
    bytes.extend(short(4 + 2 * fields.len()));
    bytes.extend(short(size));
    offsets.iter().for_each(|offset| bytes.extend(short(*offset)));
    pad(bytes);
    let start = bytes.len();
    bytes.resize(start + size, 0);
    patch(bytes, start, number(start - list));
    for (field, offset) in fields.iter().zip(offsets) {
        fill(field, start + offset, bytes);
    }
    start
}

fn patch(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn fill(field: &Field, at: usize, bytes: &mut Vec<u8>) {
    let target = match field {
        Field::Absent => return,
        Field::Byte(value) => return bytes[at] = *value,
        Field::Word(value) => return patch(bytes, at, *value),
        Field::Long(value) => return bytes[at..at + 8].copy_from_slice(&value.to_le_bytes()),
        Field::Text(text) => vector(text.len(), text.as_bytes(), bytes),
        Field::Bytes(content) => vector(content.len(), content, bytes),
        Field::Numbers(list) => {
            vector(list.len(), &list.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>(), bytes)
        }
        Field::Longs(list) => {
            vector(list.len(), &list.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>(), bytes)
        }
        Field::Table(fields) => table(fields, bytes),
        Field::Tables(tables) => {
            let start = vector(tables.len(), &vec![0; tables.len() * 4], bytes);
            for (index, fields) in tables.iter().enumerate() {
                let place = start + 4 + index * 4;
                let target = table(fields, bytes);
                patch(bytes, place, number(target - place));
            }
            start
        }
    };
    patch(bytes, at, number(target - at));
}

fn vector(count: usize, content: &[u8], bytes: &mut Vec<u8>) -> usize {
    pad(bytes);
    let start = bytes.len();
    bytes.extend(number(count).to_le_bytes());
    bytes.extend(content);
    start
}
