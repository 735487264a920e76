//! Where readers of the same stream part ways.
//!
//! CPython's C unpickler, its pure-Python one and `pickletools` (which many scanners are built on) read some
//! arguments differently. No pickler writes them so that it matters; whoever does wants to be seen as something else.

/// How a line of digits is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digits {
    /// All readers read this number.
    Same(u64),
    /// All readers read a number too large or too small to matter here.
    Other,
    /// Readers disagree or some of them fail.
    Disagreement,
}

/// Reads the argument of INT and LONG. The C unpickler reads it with the base of its prefix (`0x`, and for INT a
/// leading `0` as octal), stops at a NUL and allows a trailing `L`; `pickletools` reads base 10.
pub(super) fn integer(line: &[u8], long: bool) -> Digits {
    let line = if long { line.strip_suffix(b"L").unwrap_or(line) } else { line };
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    match digits {
        b"00" | b"01" if !long && line.len() == 2 => Digits::Other,
        b"0" => Digits::Same(0),
        [b'1'..=b'9', ..] if digits.iter().all(u8::is_ascii_digit) => index(digits),
        _ => Digits::Disagreement,
    }
}

/// Reads the argument of GET and PUT: base 10 for all readers, but what else they accept differs.
pub(super) fn memo_index(line: &[u8]) -> Digits {
    match line {
        b"0" => Digits::Same(0),
        [b'1'..=b'9', ..] if line.iter().all(u8::is_ascii_digit) => index(line),
        // Python takes leading zeros and a sign, `pickletools` reads 00 and 01 as booleans.
        _ => Digits::Disagreement,
    }
}

fn index(digits: &[u8]) -> Digits {
    let text = std::str::from_utf8(digits).unwrap_or_default();
    text.parse().map_or(Digits::Other, Digits::Same)
}

/// Reads the argument of FLOAT: C's `strtod` takes no underscores and stops at a NUL, Python's `float` strips spaces.
pub(super) fn is_plain_float(line: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_digit() || b"+-.eEinfatyINFATY".contains(byte);
    // C refuses what is too large, Python makes it infinite.
    let spelled = |byte: &u8| b"nN".contains(byte);
    let finite = std::str::from_utf8(line).is_ok_and(|text| text.parse().is_ok_and(f64::is_finite));
    !line.is_empty() && line.iter().all(allowed) && (finite || line.iter().any(spelled))
}

/// Whether all readers see this module or name of GLOBAL and INST alike: `pickletools` undoes escapes in it and fails
/// on anything but ASCII, loaders take it as UTF-8 as it stands.
pub(super) fn is_plain_name(line: &[u8]) -> bool {
    line.is_ascii() && !line.contains(&b'\\') && !line.contains(&0)
}

/// Whether a name can be one at all. Loaders strip nothing: a carriage return or a space makes it another name.
pub(super) fn is_identifier_path(name: &str) -> bool {
    !name.is_empty() && name.split('.').all(is_identifier)
}

fn is_identifier(part: &str) -> bool {
    part == "<lambda>"
        || part == "<locals>"
        || (part.chars().next().is_some_and(|first| first == '_' || first.is_alphabetic())
            && part.chars().all(|character| character == '_' || character.is_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_are_read_alike() {
        assert_eq!(integer(b"42", false), Digits::Same(42));
        assert_eq!(integer(b"42L", true), Digits::Same(42));
        assert_eq!(integer(b"-1", false), Digits::Same(1));
        assert_eq!(integer(b"00", false), Digits::Other);
        assert_eq!(memo_index(b"7"), Digits::Same(7));
    }

    #[test]
    fn bases_signs_and_tails_are_not() {
        for line in [&b"0x10"[..], b"010", b"0b1", b"5\0", b" 5", b"5 ", b"1_0", b"+5", b"", b"42L"] {
            assert_eq!(integer(line, false), Digits::Disagreement, "{line:?}");
        }
        for line in [&b"00"[..], b"01", b"+1", b"1 ", b"1_0", b"-1", b""] {
            assert_eq!(memo_index(line), Digits::Disagreement, "{line:?}");
        }
        assert!(!is_plain_name(b"\\x6fs"));
        assert!(!is_plain_name("ос".as_bytes()));
        assert!(!is_plain_float(b"1_0.0"));
        assert!(is_plain_float(b"-1.5e-07"));
        assert!(is_plain_float(b"inf"));
    }
}
