//! The parts of a document: elements with their attributes, and runs of text.

/// Characters of text that are kept.
pub(super) const MAX_KEPT: usize = 4096;

/// An attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    /// Its name, with its prefix.
    pub(super) name: String,
    /// Its value, with references replaced; its start, when it is long.
    pub(super) value: String,
    /// Where the value starts.
    pub(super) offset: u64,
    /// Bytes of the value as written.
    pub(super) length: u64,
    /// Whether nothing in it but Base64 can be.
    pub(super) is_base64: bool,
}

/// An element that opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Its name, with its prefix.
    pub(super) name: String,
    /// Where its `<` is.
    pub(super) offset: u64,
    /// Its attributes, in order.
    pub(super) attributes: Vec<Attribute>,
}

impl Element {
    /// The name without its prefix.
    pub(super) fn local(&self) -> &str {
        local(&self.name)
    }

    /// The value of the first attribute of this local name.
    pub(super) fn attribute(&self, wanted: &str) -> Option<&str> {
        self.find(wanted).map(|attribute| attribute.value.as_str())
    }

    /// The first attribute of this local name.
    pub(super) fn find(&self, wanted: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| local(&attribute.name) == wanted)
    }
}

/// Text between two tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Run {
    /// Where it starts.
    pub(super) offset: u64,
    /// Its bytes, as written.
    pub(super) length: u64,
    /// Its start, as written.
    pub(super) start: String,
    /// Whether nothing in it but Base64 can be.
    pub(super) is_base64: bool,
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Whether a byte belongs to Base64, in either alphabet.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// A value with character references and the five entities of XML replaced; other entities stand as they are.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let replaced = after.split_once(';').and_then(|(name, behind)| Some((entity(name)?, behind)));
        match replaced {
            Some((character, behind)) => {
                plain.push(character);
                rest = behind;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// The character that a reference stands for, when it needs no declaration.
pub(super) fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => digits.parse(),
            };
            code.ok().and_then(char::from_u32)
        }
    }
}
