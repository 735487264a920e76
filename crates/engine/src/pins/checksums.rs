//! Lists of checksums, as GNU's `sha256sum` (`DIGEST  NAME`, an asterisk for binary, a backslash before a line whose
//! name is escaped) and BSD's (`SHA256 (NAME) = DIGEST`) write them.

use std::path::Path;

use super::digest::PinAlgorithm;
use super::{Pin, PinKind, Pins, PinsError, below};

/// Reads a list. `name` is the list's own, which tells algorithms with digests of one length apart.
pub(super) fn read(list: &Path, name: &str, text: &str) -> Result<Pins, PinsError> {
    let mut pins = Vec::new();
    for line in text.lines().map(|line| line.trim_end_matches('\r')) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((algorithm, digest, file)) = bsd(line).or_else(|| gnu(line, name)) else {
            return Err(PinsError::Unknown(list.display().to_string()));
        };
        pins.push(Pin { path: below(list, &file)?, algorithm, digest, size: None });
    }
    match pins.is_empty() {
        true => Err(PinsError::Unknown(list.display().to_string())),
        false => Ok(Pins { kind: PinKind::Checksums, pins, whole: Vec::new(), notes: Vec::new() }),
    }
}

fn gnu(line: &str, list: &str) -> Option<(PinAlgorithm, String, String)> {
    let (escaped, line) = line.strip_prefix('\\').map_or((false, line), |rest| (true, rest));
    let (digest, file) = line.split_once(' ')?;
    let file = file.strip_prefix([' ', '*'])?;
    let file = if escaped { unescape(file)? } else { file.to_owned() };
    Some((algorithm_of(digest, list)?, digest.to_ascii_lowercase(), file))
}

fn bsd(line: &str) -> Option<(PinAlgorithm, String, String)> {
    let (tag, rest) = line.split_once(" (")?;
    let (file, digest) = rest.rsplit_once(") = ")?;
    let algorithm = match tag {
        "SHA256" | "SHA2-256" => PinAlgorithm::Sha256,
        "SHA512" | "SHA2-512" => PinAlgorithm::Sha512,
        "BLAKE2b" => PinAlgorithm::Blake2b,
        "BLAKE3" => PinAlgorithm::Blake3,
        "SHA1" => PinAlgorithm::Sha1,
        "MD5" => PinAlgorithm::Md5,
        _ => return None,
    };
    is_digest(digest).then(|| (algorithm, digest.to_ascii_lowercase(), file.to_owned()))
}

fn is_digest(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// By its length, and where two have one length, by the list's name: B2SUMS, model.b3 …
fn algorithm_of(digest: &str, list: &str) -> Option<PinAlgorithm> {
    let list = list.to_ascii_lowercase();
    let named = |names: &[&str]| names.iter().any(|name| list.contains(name));
    match digest.len() {
        _ if !is_digest(digest) => None,
        32 => Some(PinAlgorithm::Md5),
        40 => Some(PinAlgorithm::Sha1),
        64 if named(&["b3", "blake3"]) => Some(PinAlgorithm::Blake3),
        64 => Some(PinAlgorithm::Sha256),
        128 if named(&["b2", "blake2"]) => Some(PinAlgorithm::Blake2b),
        128 => Some(PinAlgorithm::Sha512),
        _ => None,
    }
}

fn unescape(name: &str) -> Option<String> {
    let mut plain = String::new();
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next()? {
                'n' => '\n',
                'r' => '\r',
                '\\' => '\\',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins(name: &str, text: &str) -> Result<Vec<(String, PinAlgorithm)>, PinsError> {
        let pins = read(&Path::new("m").join(name), name, text)?.pins;
        Ok(pins.into_iter().map(|pin| (pin.path.display().to_string(), pin.algorithm)).collect())
    }

    #[test]
    fn both_forms_are_read() {
        let sha256 = "ab".repeat(32);
        let text = format!(
            "# made by hand\n{sha256}  a b.bin\n{sha256} *c.bin\n\\{sha256}  d\\n\\\\e\nSHA256 (f (1).bin) = {sha256}\nMD5 (g) = {}\r\n",
            "0".repeat(32)
        );
        let names: Vec<_> = pins("SHA256SUMS", &text).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["m/a b.bin", "m/c.bin", "m/d\n\\e", "m/f (1).bin", "m/g"]);
    }

    #[test]
    fn the_name_of_a_list_tells_algorithms_apart() {
        for (name, digits, expected) in [
            ("SHA256SUMS", 64, PinAlgorithm::Sha256),
            ("B3SUMS", 64, PinAlgorithm::Blake3),
            ("SHA512SUMS", 128, PinAlgorithm::Sha512),
            ("b2sums.txt", 128, PinAlgorithm::Blake2b),
            ("md5.txt", 32, PinAlgorithm::Md5),
        ] {
            let text = format!("{}  x\n", "0".repeat(digits));
            assert_eq!(pins(name, &text).unwrap(), [("m/x".to_owned(), expected)], "{name}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_and_other_texts_are_refused() {
        let sha256 = "ab".repeat(32);
        for file in ["../x", "/etc/passwd", "a/../../x", ".."] {
            let error = pins("SHA256SUMS", &format!("{sha256}  {file}\n"));
            assert!(matches!(error, Err(PinsError::Invalid { .. })), "{file}");
        }
        for text in ["", "# nothing\n", "hello\n", "abc  x\n", &format!("{sha256}\n")] {
            assert!(matches!(pins("SHA256SUMS", text), Err(PinsError::Unknown(_))), "{text}");
        }
    }
}
