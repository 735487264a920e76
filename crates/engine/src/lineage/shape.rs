//! The parts of statements that the graph is made of, read with bounded memory whoever wrote them: what is not needed is
//! passed over, and lists have an end.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use waag_evidence::statement::role::Role;
use waag_signing::model_statement::NAMES_DIGEST;

use super::identifier::{Identifier, Naming};

/// Items of one list that are read. The rest is counted.
pub(super) const MAX_ITEMS: usize = 1 << 20;
/// Digests of one descriptor that are read.
const MAX_DIGESTS: usize = 16;
/// Bytes of an algorithm's name, and of a digest.
const MAX_DIGEST: usize = 256;
/// Bytes of a text that is kept.
const MAX_TEXT: usize = 64 << 10;

/// A list, of which only so much is kept.
#[derive(Debug, Clone)]
pub(super) struct Bounded<T> {
    pub(super) items: Vec<T>,
    /// How many more there were.
    pub(super) more: u64,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self { items: Vec::new(), more: 0 }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Writers say `null` where they have nothing.
        deserializer.deserialize_any(BoundedVisitor(PhantomData))
    }
}

struct BoundedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for BoundedVisitor<T> {
    type Value = Bounded<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Bounded::default())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
        let mut bounded = Bounded::default();
        while bounded.items.len() < MAX_ITEMS {
            match list.next_element()? {
                Some(item) => bounded.items.push(item),
                None => return Ok(bounded),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            bounded.more += 1;
        }
        Ok(bounded)
    }
}

/// A text, or nothing where something else stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Text(pub(super) Option<String>);

impl Text {
    pub(super) fn as_str(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text((text.len() <= MAX_TEXT).then(|| text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Text, S::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Text, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}

/// An artifact as statements name it.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(super) struct Descriptor {
    #[serde(default)]
    pub(super) name: Text,
    #[serde(default)]
    pub(super) uri: Text,
    #[serde(default)]
    pub(super) digest: Digests,
    #[serde(default)]
    pub(super) annotations: Option<Annotations>,
}

/// What is read of annotations.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(super) struct Annotations {
    #[serde(default)]
    role: Text,
    /// How many files it has: only a whole says so.
    #[serde(default)]
    files: Option<IgnoredAny>,
    /// The digest over names, where it does not stand among the digests.
    #[serde(default, rename = "dirHash")]
    names: Text,
}

/// Digests by algorithm. Statements of others hold more than hexadecimal digits.
#[derive(Debug, Clone, Default)]
pub(super) struct Digests(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Digests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DigestsVisitor)
    }
}

struct DigestsVisitor;

impl<'de> Visitor<'de> for DigestsVisitor {
    type Value = Digests;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("digests by algorithm")
    }

    fn visit_unit<E>(self) -> Result<Digests, E> {
        Ok(Digests::default())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Digests, M::Error> {
        let mut digests = BTreeMap::new();
        while let Some((algorithm, digits)) = map.next_entry::<String, Text>()? {
            let Some(digits) = digits.0.filter(|digits| is_digest(&algorithm, digits)) else { continue };
            if digests.len() >= MAX_DIGESTS {
                return Err(M::Error::custom(format_args!("an artifact has more than {MAX_DIGESTS} digests")));
            }
            if digests.insert(algorithm, lower_hex(digits)).is_some() {
                return Err(M::Error::custom("one algorithm has two digests"));
            }
        }
        Ok(Digests(digests))
    }
}

fn is_digest(algorithm: &str, digits: &str) -> bool {
    let is_word = |text: &str, more: &str| {
        !text.is_empty()
            && text.len() <= MAX_DIGEST
            && text.chars().all(|letter| letter.is_ascii_alphanumeric() || more.contains(letter))
    };
    is_word(algorithm, "_-.") && is_word(digits, "+/=_-:.")
}

/// Hexadecimal digits are lower case; other encodings are left as they are.
fn lower_hex(digits: String) -> String {
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { digits.to_ascii_lowercase() } else { digits }
}

impl Descriptor {
    /// What it is called, the best name first. A bare name counts only where there is no other.
    pub(super) fn identifiers(&self) -> Vec<Identifier> {
        let digests = self.digest.0.iter().map(|(algorithm, digits)| Identifier::digest(algorithm, digits));
        let noted = self.annotations.as_ref().and_then(|annotations| annotations.names.as_str());
        let noted = noted.filter(|digits| is_digest(NAMES_DIGEST, digits) && !self.digest.0.contains_key(NAMES_DIGEST));
        let noted = noted.map(|digits| Identifier::digest(NAMES_DIGEST, &lower_hex(digits.to_owned())));
        let mut identifiers: Vec<_> = digests.chain(noted).chain(self.uri.as_str().map(Identifier::uri)).collect();
        if identifiers.is_empty() {
            identifiers.extend(self.name.as_str().map(|name| Identifier::new(Naming::Name, name)));
        }
        identifiers.sort_by(|one, other| one.rank().cmp(&other.rank()));
        identifiers
    }

    /// What people call it.
    pub(super) fn label(&self) -> Option<&str> {
        self.name.as_str()
    }

    /// Whether it is a whole with files: in-toto's digest of a folder is among its digests, or it says how many it has.
    pub(super) fn is_whole(&self) -> bool {
        let noted = self.annotations.as_ref();
        self.digest.0.contains_key(NAMES_DIGEST)
            || noted.is_some_and(|noted| noted.files.is_some() || noted.names.as_str().is_some())
    }

    /// The part that it had: as it is annotated, or as its kind of name tells.
    pub(super) fn role(&self) -> Role {
        let annotated = self.annotations.as_ref().and_then(|annotations| annotations.role.as_str());
        annotated.and_then(|role| role.parse().ok()).unwrap_or_else(|| self.guessed_role())
    }

    fn guessed_role(&self) -> Role {
        let uri = self.uri.as_str().unwrap_or_default();
        let has = |algorithm| self.digest.0.contains_key(algorithm);
        let is_image = uri.starts_with("pkg:docker/") || uri.starts_with("pkg:oci/");
        match () {
            () if uri.starts_with("git+") || has("gitCommit") || has("sha1") && uri.contains("git") => Role::Code,
            () if is_image => Role::Environment,
            () if uri.starts_with("pkg:huggingface/") => Role::Input,
            () if uri.starts_with("pkg:") => Role::Dependency,
            () => Role::Input,
        }
    }
}
