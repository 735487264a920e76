//! Values that several commands take.

use std::path::Path;

/// Reads a number of bytes: `1000000`, `512MiB`, `1GB`.
pub(super) fn byte_count(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit: u64 = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        other => return Err(format!("'{other}' is no unit of bytes: kB, MB, GB, KiB, MiB, GiB")),
    };
    let count: u64 = digits.parse().map_err(|_| "a whole number of bytes is expected, as in 512MiB".to_owned())?;
    match count.checked_mul(unit) {
        Some(bytes) if bytes > 0 => Ok(bytes),
        _ => Err("this is not a number of bytes that files have".to_owned()),
    }
}

/// The file to write to; none for stdout, which `-` names too.
pub(super) fn file_or_stdout(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| *path != Path::new("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_in_units() {
        for (text, bytes) in [("12", 12), ("1GB", 1_000_000_000), ("512MiB", 512 << 20), ("5 kb", 5_000)] {
            assert_eq!(byte_count(text), Ok(bytes), "{text}");
        }
        for text in ["", "GB", "1.5GB", "0", "-1", "99999999TiB", "1 parsec"] {
            assert!(byte_count(text).is_err(), "{text}");
        }
    }
}
