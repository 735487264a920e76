//! Base64 and hexadecimal, each with one spelling: what is written in another way is refused, so that a signature has
//! one form.

use base64ct::{Base64, Encoding as _};

/// Standard Base64 with padding.
#[must_use]
pub fn to_base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// The bytes of standard Base64 with padding; none when there are other characters, line breaks or stray bits.
#[must_use]
pub fn of_base64(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_one_spelling() {
        assert_eq!(of_base64("AAE="), Some(vec![0, 1]));
        for other in ["AAE", "AAF=", "AA E=", "AAE=\n", "_AE=", "AAE=="] {
            assert_eq!(of_base64(other), None, "{other:?}");
        }
    }
}
