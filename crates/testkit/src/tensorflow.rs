//! TensorFlow's files for cases. A graph is lines of text:
//!
//! ```text
//! saved-model                     what it is: also meta-graph; a plain graph when nothing is said
//! node path Const                 name, operator and inputs
//!   value = "/etc/passwd"         an attribute of it: texts, lists of texts and numbers as JSON, @NAME for a function;
//!   value = 1 [2, 2] 16           or a constant: type, shape and bytes
//! function f(x)                   what follows is in a function, up to
//! end
//! asset path vocab.txt            a constant that the loader replaces, and the file it replaces it by
//! ```

use serde_json::Value;

use crate::literal;

/// A field that holds bytes.
#[must_use]
pub fn field(number: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = varint(u64::from(number) << 3 | 2);
    bytes.extend(varint(content.len() as u64));
    bytes.extend(content);
    bytes
}

/// A field that holds a number.
#[must_use]
pub fn number(number: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(number) << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}

#[derive(Default)]
struct Writer {
    graph: Vec<u8>,
    library: Vec<u8>,
    function: Option<Vec<u8>>,
    node: Vec<u8>,
    assets: Vec<u8>,
}

/// The bytes of a graph.
///
/// # Errors
/// When a line is none of those above.
pub fn assemble(text: &str) -> Result<Vec<u8>, String> {
    let mut writer = Writer::default();
    let mut kind = "graph";
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match line.trim() {
            "saved-model" => kind = "saved-model",
            "meta-graph" => kind = "meta-graph",
            trimmed => writer.line(trimmed, line.starts_with(' ')).map_err(|error| format!("'{line}': {error}"))?,
        }
    }
    writer.flush();
    if !writer.library.is_empty() {
        writer.graph.extend(field(2, &writer.library));
    }
    let information = field(1, &[field(4, b"serve"), field(5, b"2.21.0")].concat());
    let meta_graph = [information, field(2, &writer.graph), writer.assets].concat();
    Ok(match kind {
        "saved-model" => [number(1, 1), field(2, &meta_graph)].concat(),
        "meta-graph" => meta_graph,
        _ => writer.graph,
    })
}

impl Writer {
    fn line(&mut self, line: &str, is_attribute: bool) -> Result<(), String> {
        if is_attribute {
            let (key, value) = line.split_once(" = ").ok_or("an attribute is 'key = value'")?;
            let entry = [field(1, key.as_bytes()), field(2, &attribute(value)?)].concat();
            self.node.extend(field(5, &entry));
            return Ok(());
        }
        self.flush();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "node" => self.node = node(rest)?,
            "function" => self.function = Some(field(1, &signature(rest)?)),
            "end" => {
                let function = self.function.take().ok_or("no function is open")?;
                self.library.extend(field(1, &function));
            }
            "asset" => {
                let (name, file) = rest.split_once(' ').ok_or("an asset is 'asset node file'")?;
                let tensor = field(1, format!("{name}:0").as_bytes());
                self.assets.extend(field(6, &[field(1, &tensor), field(2, file.as_bytes())].concat()));
            }
            _ => return Err("no line of a tensorflow-graph block".to_owned()),
        }
        Ok(())
    }

    fn flush(&mut self) {
        let node = std::mem::take(&mut self.node);
        match &mut self.function {
            _ if node.is_empty() => {}
            Some(function) => function.extend(field(3, &node)),
            None => self.graph.extend(field(1, &node)),
        }
    }
}

fn node(line: &str) -> Result<Vec<u8>, String> {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default();
    let operator = words.next().ok_or("a node is 'node name operator inputs'")?;
    let inputs: Vec<u8> = words.flat_map(|input| field(3, input.as_bytes())).collect();
    Ok([field(1, name.as_bytes()), field(2, operator.as_bytes()), inputs].concat())
}

/// `f(x, y)`
fn signature(line: &str) -> Result<Vec<u8>, String> {
    let (name, arguments) =
        line.strip_suffix(')').and_then(|line| line.split_once('(')).ok_or("a function is 'f(x, y)'")?;
    let arguments = arguments.split(", ").filter(|name| !name.is_empty());
    let arguments: Vec<u8> = arguments.flat_map(|name| field(2, &field(1, name.as_bytes()))).collect();
    Ok([field(1, name.as_bytes()), arguments].concat())
}

fn attribute(value: &str) -> Result<Vec<u8>, String> {
    if let Some(function) = value.strip_prefix('@') {
        return Ok(field(10, &field(1, function.as_bytes())));
    }
    if let Some((dtype, rest)) = value.split_once(" [") {
        return constant(dtype, rest).map(|tensor| field(8, &tensor));
    }
    match serde_json::from_str(value).map_err(|error| error.to_string())? {
        Value::String(text) => Ok(field(8, &[number(1, 7), field(2, b""), field(8, text.as_bytes())].concat())),
        Value::Array(texts) => {
            let texts = texts.iter().filter_map(Value::as_str).flat_map(|text| field(2, text.as_bytes()));
            Ok(field(1, &texts.collect::<Vec<u8>>()))
        }
        Value::Object(object) => {
            let text = object.get("s").and_then(Value::as_str).ok_or("a plain text is {\"s\": \"…\"}")?;
            Ok(field(2, text.as_bytes()))
        }
        other => Ok(number(3, other.as_u64().ok_or("no such value")?)),
    }
}

/// `1 [2, 2] 16`
fn constant(dtype: &str, rest: &str) -> Result<Vec<u8>, String> {
    let (shape, bytes) = rest.split_once("] ").ok_or("a constant is 'type [shape] bytes'")?;
    let mut extents = Vec::new();
    for extent in shape.split(", ").filter(|extent| !extent.is_empty()) {
        let extent = literal::integer::<i64>(extent)?;
        extents.extend(field(2, &number(1, extent.cast_unsigned())));
    }
    let content = vec![0; literal::integer::<u16>(bytes)?.into()];
    let content = if content.is_empty() { field(5, &[0; 4]) } else { field(4, &content) };
    Ok([number(1, literal::integer(dtype)?), field(2, &extents), content].concat())
}

/// A table of keys and values, which must be sorted, in one block.
#[must_use]
pub fn table(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let (mut bytes, mut last) = (Vec::new(), &[][..]);
    let mut content = Vec::new();
    for (key, value) in entries {
        let shared = key.iter().zip(last).take_while(|(one, other)| one == other).count();
        content.extend(varint(shared as u64));
        content.extend(varint((key.len() - shared) as u64));
        content.extend(varint(value.len() as u64));
        content.extend(&key[shared..]);
        content.extend(*value);
        last = key;
    }
    let data = block(content, &mut bytes);
    let extra = block(Vec::new(), &mut bytes);
    let entry = [vec![0, 1, u8::try_from(data.len()).unwrap_or(0), 0x7F], data].concat();
    let index = block(entry, &mut bytes);
    let mut footer = [extra, index].concat();
    footer.resize(40, 0);
    bytes.extend(footer);
    bytes.extend(0xDB47_7524_8B80_FB57_u64.to_le_bytes());
    bytes
}

/// Appends a block, and gives its handle.
fn block(mut content: Vec<u8>, bytes: &mut Vec<u8>) -> Vec<u8> {
    content.extend([0, 0, 0, 0, 1, 0, 0, 0]);
    let handle = [varint(bytes.len() as u64), varint(content.len() as u64)].concat();
    content.push(0);
    let checksum = masked(&content);
    bytes.extend(content);
    bytes.extend(checksum.to_le_bytes());
    handle
}

/// An entry of a checkpoint's index: element type, shape, data file, offset, size.
#[must_use]
pub fn place(dtype: u64, shape: &[u64], shard: u64, offset: u64, size: u64) -> Vec<u8> {
    let shape: Vec<u8> = shape.iter().flat_map(|extent| field(2, &number(1, *extent))).collect();
    [number(1, dtype), field(2, &shape), number(3, shard), number(4, offset), number(5, size)].concat()
}

/// A file of records.
#[must_use]
pub fn records(records: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        let length = (record.len() as u64).to_le_bytes();
        bytes.extend(length);
        bytes.extend(masked(&length).to_le_bytes());
        bytes.extend(*record);
        bytes.extend(masked(record).to_le_bytes());
    }
    bytes
}

/// The masked CRC-32C.
fn masked(bytes: &[u8]) -> u32 {
    let mut state = !0_u32;
    for byte in bytes {
        state ^= u32::from(*byte);
        for _ in 0..8 {
            state = if state & 1 == 1 { state >> 1 ^ 0x82F6_3B78 } else { state >> 1 };
        }
    }
    (!state).rotate_right(15).wrapping_add(0xA282_EAD8)
}
