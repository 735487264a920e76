//! GGUF files for cases: `version N`, `key = JSON value` and `tensor NAME TYPE [shape]` lines.
//!
//! Integers are stored as `u32`, other numbers as `f32`, arrays by the type of their first element.

use serde_json::Value;

use crate::literal;

const ALIGNMENT: usize = 32;
/// Element types that cases need: name, number, bytes of an element.
const TYPES: &[(&str, u32, u64)] = &[("F32", 0, 4), ("F16", 1, 2), ("I8", 24, 1)];

const KIND_U32: u32 = 4;
const KIND_F32: u32 = 6;
const KIND_BOOL: u32 = 7;
const KIND_STRING: u32 = 8;
const KIND_ARRAY: u32 = 9;

/// The bytes of a file.
pub(crate) fn assemble(text: &str) -> Result<Vec<u8>, String> {
    let (mut version, mut metadata, mut tensors) = (3_u32, Vec::new(), Vec::new());
    let (mut keys, mut names, mut data) = (0_u64, 0_u64, 0_u64);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some((key, value)) = line.split_once(" = ") {
            string(&literal::text(key)?, &mut metadata);
            let value = serde_json::from_str(value).map_err(|error| format!("'{line}': {error}"))?;
            typed(&value, &mut metadata)?;
            keys += 1;
        } else if let Some(tensor) = line.strip_prefix("tensor ") {
            data = write_tensor(tensor, data, &mut tensors).map_err(|error| format!("'{line}': {error}"))?;
            names += 1;
        } else if let Some(number) = line.strip_prefix("version ") {
            version = literal::integer(number)?;
        } else {
            return Err(format!("'{line}' is no line of a gguf block"));
        }
    }
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend(names.to_le_bytes());
    bytes.extend(keys.to_le_bytes());
    bytes.extend(metadata);
    bytes.extend(tensors);
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    bytes.resize(bytes.len() + usize::try_from(data).map_err(|error| error.to_string())?, 0);
    Ok(bytes)
}

fn string(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.bytes());
}

fn typed(value: &Value, bytes: &mut Vec<u8>) -> Result<(), String> {
    bytes.extend(kind(value)?.to_le_bytes());
    plain(value, bytes)
}

fn kind(value: &Value) -> Result<u32, String> {
    Ok(match value {
        Value::Bool(_) => KIND_BOOL,
        Value::Number(number) if number.is_u64() => KIND_U32,
        Value::Number(_) => KIND_F32,
        Value::String(_) => KIND_STRING,
        Value::Array(_) => KIND_ARRAY,
        _ => return Err(format!("{value} has no type in GGUF")),
    })
}

fn plain(value: &Value, bytes: &mut Vec<u8>) -> Result<(), String> {
    match value {
        Value::Bool(value) => bytes.push(u8::from(*value)),
        Value::Number(number) if number.is_u64() => {
            bytes.extend(literal::integer::<u32>(&number.to_string())?.to_le_bytes());
        }
        Value::Number(number) => {
            bytes.extend(number.to_string().parse::<f32>().map_err(|error| error.to_string())?.to_le_bytes());
        }
        Value::String(text) => string(text, bytes),
        Value::Array(values) => {
            bytes.extend(values.first().map_or(Ok(KIND_U32), kind)?.to_le_bytes());
            bytes.extend((values.len() as u64).to_le_bytes());
            values.iter().try_for_each(|value| plain(value, bytes))?;
        }
        _ => return Err(format!("{value} has no type in GGUF")),
    }
    Ok(())
}

/// Writes a tensor's description, with its data at `offset`, and returns the offset of the next.
fn write_tensor(text: &str, offset: u64, bytes: &mut Vec<u8>) -> Result<u64, String> {
    let mut words = text.splitn(3, ' ');
    let (Some(name), Some(element), Some(shape)) = (words.next(), words.next(), words.next()) else {
        return Err("name, type and shape are expected".into());
    };
    let (_, number, size) = TYPES.iter().find(|(known, ..)| *known == element).ok_or("no such type")?;
    let shape: Vec<u64> = serde_json::from_str(shape).map_err(|error| error.to_string())?;
    string(&literal::text(name)?, bytes);
    bytes.extend(u32::try_from(shape.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(shape.iter().flat_map(|extent| extent.to_le_bytes()));
    bytes.extend(number.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    let length = shape.iter().product::<u64>() * size;
    Ok((offset + length).next_multiple_of(ALIGNMENT as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_metadata_and_tensors_follow_each_other() {
        let bytes = assemble("a = \"hi\"\nb = 7\nc = [true, false]\ntensor w F32 [2, 2]\n").unwrap();
        assert_eq!(&bytes[..24], b"GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0");
        assert_eq!(&bytes[24..47], b"\x01\0\0\0\0\0\0\0a\x08\0\0\0\x02\0\0\0\0\0\0\0hi");
        assert_eq!(&bytes[47..64], b"\x01\0\0\0\0\0\0\0b\x04\0\0\0\x07\0\0\0");
        assert_eq!(&bytes[64..91], b"\x01\0\0\0\0\0\0\0c\x09\0\0\0\x07\0\0\0\x02\0\0\0\0\0\0\0\x01\0");
        assert_eq!(bytes.len(), (91_usize + 9 + 4 + 16 + 4 + 8).next_multiple_of(32) + 32);
    }

    #[test]
    fn the_version_can_be_chosen() {
        assert_eq!(assemble("version 9").map(|bytes| bytes[4]), Ok(9));
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for text in ["odd", "a = {}", "a = nil", "tensor w F32", "tensor w X9 [1]", "a = 4294967296"] {
            assert!(assemble(text).is_err(), "{text}");
        }
    }
}
