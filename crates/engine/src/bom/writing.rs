//! What every format needs: identifiers that follow from what they identify, and texts that break nothing.

use std::collections::BTreeMap;

use sha1::{Digest as _, Sha1};
use waag_evidence::{Dependency, DependencySource};

use crate::sanitize::sanitize;

/// The namespace of identifiers: the UUID of URLs (RFC 9562, appendix A.1) over the address of this program.
const NAMESPACE: [u8; 16] =
    [0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

/// A UUID of version 5 (RFC 9562): the same for the same bytes.
pub(super) fn uuid(content: &[u8]) -> String {
    let hash =
        Sha1::new().chain_update(NAMESPACE).chain_update(b"https://waag.dev/bom/").chain_update(content).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// Identifiers, of which each is given once.
#[derive(Debug, Default)]
pub(super) struct Unique(BTreeMap<String, u64>);

impl Unique {
    /// The one that is wanted, or the first with a number behind `mark` that nothing else has.
    pub(super) fn take(&mut self, wanted: String, mark: char) -> String {
        let mut taken = wanted.clone();
        while self.0.contains_key(&taken) {
            let count = self.0.entry(wanted.clone()).or_default();
            *count += 1;
            taken = format!("{wanted}{mark}{count}");
        }
        self.0.insert(taken.clone(), 1);
        taken
    }
}

/// What a dependency is called: where no name stands, by where it comes from.
pub(super) fn name_of(dependency: &Dependency) -> &str {
    match &dependency.source {
        _ if !dependency.name.trim().is_empty() => &dependency.name,
        DependencySource::Archive { url } | DependencySource::Repository { url, .. } => url,
        DependencySource::Path { path, .. } => path,
        DependencySource::Index { .. } => &dependency.name,
    }
}

/// An address that is one: `http` or `https`, and nothing in it that an address may not have.
pub(super) fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&byte);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = !host.is_empty()
        && !host.starts_with(':')
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:@".contains(&byte));
    let escapes_hold =
        text.split('%').skip(1).all(|part| part.len() >= 2 && part.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit));
    let port_holds = host.rsplit_once(':').is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let one_fragment = text.matches('#').count() <= 1;
    (is_host && text.bytes().all(is_allowed) && escapes_hold && port_holds && one_fragment).then(|| text.to_owned())
}

/// A text that can stand anywhere: lines stay lines, and what a terminal or a reader would obey is escaped.
pub(super) fn plain(text: &str) -> String {
    text.split('\n').map(|line| sanitize(line.trim_end_matches('\r'))).collect::<Vec<_>>().join("\n")
}

/// A text as part of an identifier: letters, digits, `-._/`; the rest as `%XX`.
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'/' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_of_version_five_and_follow_from_content() {
        let one = uuid(b"a");
        assert_eq!(one, uuid(b"a"));
        assert_ne!(one, uuid(b"b"));
        assert_eq!((one.len(), &one[14..15]), (36, "5"));
        assert!(matches!(&one[19..20], "8" | "9" | "a" | "b"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for good in ["https://example.org/a?b=c#d", "http://localhost:8080", "https://arxiv.org/abs/1910.01108"] {
            assert_eq!(address(good).as_deref(), Some(good));
        }
        for bad in [
            "ftp://x",
            "javascript:alert(1)",
            "https://",
            "https://a b",
            "https://a/\u{7}",
            "https://a/<x>",
            "https://a/%zz",
            "https://:80",
            "https://a/\u{202e}",
            "https://a#b#c",
            "https://a:b/",
        ] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }

    #[test]
    fn no_identifier_is_given_twice() {
        let mut unique = Unique::default();
        let taken: Vec<String> = ["a-2", "a", "a", "a"].iter().map(|id| unique.take((*id).to_owned(), '-')).collect();
        assert_eq!(taken, ["a-2", "a", "a-3", "a-4"]);
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(plain("a\r\nb\u{1b}[0m"), "a\nb\\u{1b}[0m");
        assert_eq!(encoded("a b/ü"), "a%20b/%C3%BC");
    }
}
