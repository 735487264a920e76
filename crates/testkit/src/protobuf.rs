//! Messages of Protocol Buffers for cases, as text without a schema: `NUMBER = value` lines, and `NUMBER {` … `}`.
//!
//! A value is an integer, a number with a point (a `float`), a JSON string, or bytes as `hex 00ff`. Names may stand
//! behind a number, for whoever reads it: `7 graph {`.

use crate::literal;

/// The bytes of a message.
pub(crate) fn assemble(text: &str) -> Result<Vec<u8>, String> {
    let mut open: Vec<(u32, Vec<u8>)> = vec![(0, Vec::new())];
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line == "}" {
            let (number, bytes) = open.pop().filter(|_| !open.is_empty()).ok_or("'}' without '{'")?;
            let (_, outer) = open.last_mut().ok_or("'}' without '{'")?;
            put_bytes(number, &bytes, outer);
        } else if let Some(head) = line.strip_suffix('{') {
            open.push((field(head)?, Vec::new()));
        } else {
            let (head, value) = line.split_once('=').ok_or_else(|| format!("'{line}' is no line of a message"))?;
            let (_, bytes) = open.last_mut().ok_or("nothing is open")?;
            put(field(head)?, value.trim(), bytes)?;
        }
    }
    match open.as_slice() {
        [(_, bytes)] => Ok(bytes.clone()),
        _ => Err("'{' without '}'".into()),
    }
}

/// The number in front of a line.
fn field(head: &str) -> Result<u32, String> {
    literal::integer(head.split_whitespace().next().unwrap_or_default())
}

fn put(number: u32, value: &str, bytes: &mut Vec<u8>) -> Result<(), String> {
    if let Some(digits) = value.strip_prefix("hex") {
        put_bytes(number, &literal::hex(digits)?, bytes);
    } else if value.starts_with('"') {
        put_bytes(number, literal::text(value)?.as_bytes(), bytes);
    } else if value.contains('.') {
        varint(u64::from(number) << 3 | 5, bytes);
        bytes.extend(value.parse::<f32>().map_err(|error| format!("'{value}': {error}"))?.to_le_bytes());
    } else {
        varint(u64::from(number) << 3, bytes);
        // Negative numbers are those of 64 bits.
        let value: i128 = literal::integer(value)?;
        let wrapped = value.rem_euclid(1 << 64);
        varint(u64::try_from(wrapped).map_err(|error| error.to_string())?, bytes);
    }
    Ok(())
}

fn put_bytes(number: u32, value: &[u8], bytes: &mut Vec<u8>) {
    varint(u64::from(number) << 3 | 2, bytes);
    varint(value.len() as u64, bytes);
    bytes.extend(value);
}

fn varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7F).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_as_the_specification_has_them() {
        assert_eq!(assemble("1 = 150"), Ok(vec![0x08, 0x96, 0x01]));
        assert_eq!(assemble("2 name = \"testing\""), Ok(b"\x12\x07testing".to_vec()));
        assert_eq!(assemble("3 {\n1 = 150\n}"), Ok(vec![0x1A, 0x03, 0x08, 0x96, 0x01]));
        assert_eq!(assemble("1 = 1.0\n1 = hex 00ff"), Ok(vec![0x0D, 0, 0, 0x80, 0x3F, 0x0A, 2, 0, 0xFF]));
        assert_eq!(assemble("1 = -1").map(|bytes| bytes.len()), Ok(11));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        assert!(assemble("}").is_err());
        assert!(assemble("1 {").is_err());
        assert!(assemble("words").is_err());
    }
}
