//! Pickle assembly: one opcode per line, named as in Python's `pickletools`, with its argument.
//!
//! Texts are JSON strings (`SHORT_BINUNICODE "id"`), bytes hexadecimal digits (`SHORT_BINBYTES 00ff`), two-line
//! arguments two words (`GLOBAL os system`). `BYTES 00ff` puts bytes in as they are, for what no opcode can say.

use crate::literal;

/// How an opcode's argument is stored.
#[derive(Debug, Clone, Copy)]
enum Argument {
    None,
    /// Little-endian, of so many bytes.
    Unsigned(usize),
    /// Four bytes, little-endian.
    Signed,
    /// Eight bytes, big-endian.
    Float,
    /// A length of so many bytes, then UTF-8.
    Text(usize),
    /// A length of so many bytes, then bytes.
    Bytes(usize),
    /// A length of so many bytes, then an integer in as few bytes as hold it.
    Long(usize),
    /// As it stands, up to a newline.
    Line,
    /// Two words, each up to a newline.
    TwoLines,
}

#[rustfmt::skip]
const OPCODES: &[(&str, u8, Argument)] = &[
    ("INT", 0x49, Argument::Line),
    ("BININT", 0x4a, Argument::Signed),
    ("BININT1", 0x4b, Argument::Unsigned(1)),
    ("BININT2", 0x4d, Argument::Unsigned(2)),
    ("LONG", 0x4c, Argument::Line),
    ("LONG1", 0x8a, Argument::Long(1)),
    ("LONG4", 0x8b, Argument::Long(4)),
    ("STRING", 0x53, Argument::Line),
    ("BINSTRING", 0x54, Argument::Text(4)),
    ("SHORT_BINSTRING", 0x55, Argument::Text(1)),
    ("BINBYTES", 0x42, Argument::Bytes(4)),
    ("SHORT_BINBYTES", 0x43, Argument::Bytes(1)),
    ("BINBYTES8", 0x8e, Argument::Bytes(8)),
    ("BYTEARRAY8", 0x96, Argument::Bytes(8)),
    ("NEXT_BUFFER", 0x97, Argument::None),
    ("READONLY_BUFFER", 0x98, Argument::None),
    ("NONE", 0x4e, Argument::None),
    ("NEWTRUE", 0x88, Argument::None),
    ("NEWFALSE", 0x89, Argument::None),
    ("UNICODE", 0x56, Argument::Line),
    ("SHORT_BINUNICODE", 0x8c, Argument::Text(1)),
    ("BINUNICODE", 0x58, Argument::Text(4)),
    ("BINUNICODE8", 0x8d, Argument::Text(8)),
    ("FLOAT", 0x46, Argument::Line),
    ("BINFLOAT", 0x47, Argument::Float),
    ("EMPTY_LIST", 0x5d, Argument::None),
    ("APPEND", 0x61, Argument::None),
    ("APPENDS", 0x65, Argument::None),
    ("LIST", 0x6c, Argument::None),
    ("EMPTY_TUPLE", 0x29, Argument::None),
    ("TUPLE", 0x74, Argument::None),
    ("TUPLE1", 0x85, Argument::None),
    ("TUPLE2", 0x86, Argument::None),
    ("TUPLE3", 0x87, Argument::None),
    ("EMPTY_DICT", 0x7d, Argument::None),
    ("DICT", 0x64, Argument::None),
    ("SETITEM", 0x73, Argument::None),
    ("SETITEMS", 0x75, Argument::None),
    ("EMPTY_SET", 0x8f, Argument::None),
    ("ADDITEMS", 0x90, Argument::None),
    ("FROZENSET", 0x91, Argument::None),
    ("POP", 0x30, Argument::None),
    ("DUP", 0x32, Argument::None),
    ("MARK", 0x28, Argument::None),
    ("POP_MARK", 0x31, Argument::None),
    ("GET", 0x67, Argument::Line),
    ("BINGET", 0x68, Argument::Unsigned(1)),
    ("LONG_BINGET", 0x6a, Argument::Unsigned(4)),
    ("PUT", 0x70, Argument::Line),
    ("BINPUT", 0x71, Argument::Unsigned(1)),
    ("LONG_BINPUT", 0x72, Argument::Unsigned(4)),
    ("MEMOIZE", 0x94, Argument::None),
    ("EXT1", 0x82, Argument::Unsigned(1)),
    ("EXT2", 0x83, Argument::Unsigned(2)),
    ("EXT4", 0x84, Argument::Signed),
    ("GLOBAL", 0x63, Argument::TwoLines),
    ("STACK_GLOBAL", 0x93, Argument::None),
    ("REDUCE", 0x52, Argument::None),
    ("BUILD", 0x62, Argument::None),
    ("INST", 0x69, Argument::TwoLines),
    ("OBJ", 0x6f, Argument::None),
    ("NEWOBJ", 0x81, Argument::None),
    ("NEWOBJ_EX", 0x92, Argument::None),
    ("PROTO", 0x80, Argument::Unsigned(1)),
    ("STOP", 0x2e, Argument::None),
    ("FRAME", 0x95, Argument::Unsigned(8)),
    ("PERSID", 0x50, Argument::Line),
    ("BINPERSID", 0x51, Argument::None),
];

/// The bytes of a program.
pub(crate) fn assemble(program: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for line in program.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, argument) = line.split_once(' ').unwrap_or((line, ""));
        instruction(name, argument.trim(), &mut bytes).map_err(|error| format!("'{line}': {error}"))?;
    }
    Ok(bytes)
}

fn instruction(name: &str, argument: &str, bytes: &mut Vec<u8>) -> Result<(), String> {
    if name == "BYTES" {
        bytes.extend(literal::hex(argument)?);
        return Ok(());
    }
    let (_, code, kind) = OPCODES.iter().find(|(known, ..)| *known == name).ok_or("no such opcode")?;
    bytes.push(*code);
    match *kind {
        Argument::None if argument.is_empty() => {}
        Argument::None => return Err("this opcode takes no argument".into()),
        Argument::Unsigned(width) => unsigned(literal::integer(argument)?, width, bytes)?,
        Argument::Signed => bytes.extend(literal::integer::<i32>(argument)?.to_le_bytes()),
        Argument::Float => bytes.extend(argument.parse::<f64>().map_err(|_| "no number")?.to_be_bytes()),
        Argument::Text(width) => counted(literal::text(argument)?.as_bytes(), width, bytes)?,
        Argument::Bytes(width) => counted(&literal::hex(argument)?, width, bytes)?,
        Argument::Long(width) => counted(&long(literal::integer(argument)?), width, bytes)?,
        Argument::Line => line(argument, bytes),
        Argument::TwoLines => {
            let (first, second) = argument.split_once(' ').ok_or("two words are expected")?;
            line(first, bytes);
            line(second, bytes);
        }
    }
    Ok(())
}

fn line(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend(text.bytes());
    bytes.push(b'\n');
}

fn unsigned(value: u64, width: usize, bytes: &mut Vec<u8>) -> Result<(), String> {
    let stored = value.to_le_bytes();
    if stored[width..].iter().any(|byte| *byte != 0) {
        return Err(format!("{value} does not fit in {width} bytes"));
    }
    bytes.extend(&stored[..width]);
    Ok(())
}

fn counted(content: &[u8], width: usize, bytes: &mut Vec<u8>) -> Result<(), String> {
    unsigned(content.len() as u64, width, bytes)?;
    bytes.extend(content);
    Ok(())
}

/// Two's complement, little-endian, without needless bytes; nothing at all for zero.
fn long(value: i64) -> Vec<u8> {
    let mut bytes = value.to_le_bytes().to_vec();
    while let [.., before, last] = bytes[..] {
        let is_needless = last == 0 && before < 0x80 || last == 0xff && before >= 0x80;
        if !is_needless {
            break;
        }
        bytes.pop();
    }
    if value == 0 { Vec::new() } else { bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_argument_is_stored_as_pickletools_reads_it() {
        for (text, expected) in [
            ("PROTO 4", &b"\x80\x04"[..]),
            ("GLOBAL os system", b"cos\nsystem\n"),
            ("SHORT_BINUNICODE \"id\"", b"\x8c\x02id"),
            ("BINUNICODE \"id\"", b"X\x02\0\0\0id"),
            ("SHORT_BINBYTES 00ff", b"C\x02\x00\xff"),
            ("BININT -2", b"J\xfe\xff\xff\xff"),
            ("BININT2 513", b"M\x01\x02"),
            ("BINFLOAT 1.0", b"G\x3f\xf0\0\0\0\0\0\0"),
            ("INT 01", b"I01\n"),
            ("FRAME 3", b"\x95\x03\0\0\0\0\0\0\0"),
            ("LONG1 0", b"\x8a\0"),
            ("LONG1 255", b"\x8a\x02\xff\0"),
            ("LONG1 -128", b"\x8a\x01\x80"),
            ("LONG1 -129", b"\x8a\x02\x7f\xff"),
            ("BYTES 0a 0b", b"\x0a\x0b"),
            ("# a comment\n\nTUPLE1\nREDUCE\nSTOP", b"\x85R."),
        ] {
            assert_eq!(assemble(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_stored_is_refused() {
        for text in ["NOPE", "BINPUT 256", "STOP 1", "GLOBAL os", "BININT x", "SHORT_BINBYTES 0"] {
            assert!(assemble(text).is_err_and(|error| error.contains(text)), "{text}");
        }
    }

    #[test]
    fn codes_and_names_are_unique() {
        let mut codes: Vec<u8> = OPCODES.iter().map(|(_, code, _)| *code).collect();
        let mut names: Vec<&str> = OPCODES.iter().map(|(name, ..)| *name).collect();
        codes.sort_unstable();
        codes.dedup();
        names.sort_unstable();
        names.dedup();
        assert_eq!((codes.len(), names.len(), OPCODES.len()), (68, 68, 68));
    }
}
