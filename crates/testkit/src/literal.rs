//! Literals in the inputs of cases: JSON strings and numbers, and bytes as hexadecimal digits.

/// Bytes written as hexadecimal digits, with spaces wherever they help; `#` begins a comment.
pub(crate) fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = text
        .lines()
        .flat_map(|line| line.split('#').next().unwrap_or("").bytes())
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    if !digits.len().is_multiple_of(2) {
        return Err(format!("an odd number of hexadecimal digits in '{text}'"));
    }
    let byte = |pair: &[u8]| {
        let pair = String::from_utf8_lossy(pair);
        u8::from_str_radix(&pair, 16).map_err(|_| format!("'{pair}' are no hexadecimal digits"))
    };
    digits.chunks(2).map(byte).collect()
}

/// A text: as it stands, or as a JSON string when it is quoted.
pub(crate) fn text(text: &str) -> Result<String, String> {
    if !text.starts_with('"') {
        return Ok(text.to_owned());
    }
    serde_json::from_str(text).map_err(|error| format!("{text} is no JSON string: {error}"))
}

/// An integer of any type.
pub(crate) fn integer<T: TryFrom<i128>>(text: &str) -> Result<T, String> {
    let value: i128 = text.parse().map_err(|_| format!("'{text}' is no integer"))?;
    T::try_from(value).map_err(|_| format!("{value} does not fit here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read() {
        assert_eq!(hex("00 ff # end\n0a"), Ok(vec![0, 255, 10]));
        assert_eq!(text("os system"), Ok("os system".into()));
        assert_eq!(text(r#""a\nb\u202e""#), Ok("a\nb\u{202e}".into()));
        assert_eq!(integer::<u8>("255"), Ok(255));
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        assert!(hex("0").is_err());
        assert!(hex("zz").is_err());
        assert!(text(r#""open"#).is_err());
        assert!(integer::<u8>("256").is_err());
        assert!(integer::<u8>("x").is_err());
    }
}
