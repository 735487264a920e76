//! What artifacts are called in the graph: a digest where anybody gave one, else a package, an address or a bare name.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Bytes of an identifier that are kept as they are. Nobody means a longer one to be read.
const MAX_TEXT: usize = 1024;
/// Digests that name an artifact, the best first. Others come after these, by name.
const PREFERRED: [&str; 6] = ["sha256", "dirHash", "sha512", "blake3", "sha384", "gitCommit"];

/// What kind of name it is, which decides how far it can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Naming {
    /// A digest: whoever has the bytes can check it.
    Digest,
    /// A package URL. What it names can change.
    Package,
    /// Another address. What is there can change.
    Uri,
    /// A name that means something where it was said.
    Name,
    /// An advisory, such as `CVE-2024-3568`.
    Advisory,
    /// A statement of the ledger: a step that made several artifacts, or a description.
    Statement,
}

impl Naming {
    const ALL: [Self; 6] = [Self::Digest, Self::Package, Self::Uri, Self::Name, Self::Advisory, Self::Statement];

    /// In words, for programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::Package => "package",
            Self::Uri => "uri",
            Self::Name => "name",
            Self::Advisory => "advisory",
            Self::Statement => "statement",
        }
    }

    /// The letter before its keys: a name can look like a digest, and must not be taken for one.
    const fn letter(self) -> char {
        match self {
            Self::Digest => 'd',
            Self::Package => 'p',
            Self::Uri => 'u',
            Self::Name => 'n',
            Self::Advisory => 'a',
            Self::Statement => 's',
        }
    }
}

/// One name of one artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    /// What kind of name it is.
    pub naming: Naming,
    /// The name: `sha256:00ff…`, `pkg:pypi/torch@2.5.1`, `https://…`, `train.csv`.
    pub text: String,
}

impl Identifier {
    /// An identifier. One that nobody could read is cut, and its digest stands for the rest.
    #[must_use]
    pub fn new(naming: Naming, text: &str) -> Self {
        Self { naming, text: bounded(text) }
    }

    /// A digest.
    #[must_use]
    pub fn digest(algorithm: &str, digits: &str) -> Self {
        Self::new(Naming::Digest, &format!("{algorithm}:{digits}"))
    }

    /// A package or another address.
    #[must_use]
    pub fn uri(uri: &str) -> Self {
        Self::new(if uri.starts_with("pkg:") { Naming::Package } else { Naming::Uri }, uri)
    }

    /// How the index and the graph hold it.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}{}", self.naming.letter(), self.text)
    }

    /// What a key stands for.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        let letter = key.chars().next()?;
        let naming = Naming::ALL.into_iter().find(|naming| naming.letter() == letter)?;
        Some(Self { naming, text: key.get(1..)?.to_owned() })
    }

    /// What a user may mean by a text: a digest with or without its algorithm, an address, an advisory, a name.
    #[must_use]
    pub fn readings(text: &str) -> Vec<Self> {
        let lower = text.to_ascii_lowercase();
        let is_hex = |digits: &str| digits.len() >= 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut readings = Vec::new();
        if is_hex(text) {
            readings.extend(PREFERRED.iter().chain(&["sha1", "md5"]).map(|algorithm| Self::digest(algorithm, &lower)));
            readings.push(Self::new(Naming::Statement, &lower));
        }
        if let Some((algorithm, digits)) = text.split_once(':')
            && is_hex(digits)
        {
            readings.push(Self::digest(algorithm, &digits.to_ascii_lowercase()));
            if algorithm == "statement" {
                readings.push(Self::new(Naming::Statement, &digits.to_ascii_lowercase()));
            }
        }
        readings.push(Self::uri(text));
        readings.push(Self::new(Naming::Advisory, text));
        readings.push(Self::new(Naming::Name, text));
        readings
    }

    /// Digests and others, in the order in which they name an artifact best.
    pub(crate) fn rank(&self) -> (usize, usize, &str) {
        let kind = Naming::ALL.iter().position(|naming| *naming == self.naming).unwrap_or(Naming::ALL.len());
        let algorithm = self.text.split(':').next().unwrap_or_default();
        let preferred = PREFERRED.iter().position(|known| *known == algorithm).unwrap_or(PREFERRED.len());
        (kind, if kind == 0 { preferred } else { 0 }, &self.text)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.naming {
            Naming::Statement => write!(formatter, "statement:{}", self.text),
            _ => formatter.write_str(&self.text),
        }
    }
}

fn bounded(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let start = text.floor_char_boundary(MAX_TEXT / 2);
    let digest = waag_evidence::Sha256Digest::new(Sha256::digest(text.as_bytes()).into());
    format!("{}…#sha256:{digest}", &text[..start])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_digest() {
        let digest = Identifier::digest("sha256", "00ff");
        let name = Identifier::new(Naming::Name, "sha256:00ff");
        assert_ne!(digest.key(), name.key());
        assert_eq!(digest.to_string(), name.to_string());
        for identifier in [digest, name, Identifier::uri("pkg:pypi/torch@2.5.1"), Identifier::uri("https://a.example")]
        {
            assert_eq!(Identifier::of_key(&identifier.key()), Some(identifier));
        }
        assert_eq!(Identifier::of_key(""), None);
        assert_eq!(Identifier::of_key("éa"), None);
    }

    #[test]
    fn long_names_stay_different() {
        let (one, two) = ("é".repeat(4000), "é".repeat(4001));
        let (one, two) = (Identifier::uri(&one), Identifier::uri(&two));
        assert!(one.text.len() < 2 * MAX_TEXT && one != two);
    }

    #[test]
    fn a_digest_may_be_typed_alone() {
        let digits = "AB".repeat(32);
        let readings = Identifier::readings(&digits);
        assert!(readings.contains(&Identifier::digest("sha256", &digits.to_lowercase())));
        assert!(Identifier::readings("CVE-2024-3568").contains(&Identifier::new(Naming::Advisory, "CVE-2024-3568")));
    }
}
