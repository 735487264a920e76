//! PKCS#11 URIs (RFC 7512): which module, token, key and PIN.

use zeroize::Zeroizing;

use crate::error::SigningError;

/// Characters of a URI that are read.
const MAX_LENGTH: usize = 4096;

/// What a URI names. What it leaves out may be anything.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Pkcs11Uri {
    /// The module that leads to the token: an absolute path.
    pub module_path: String,
    /// The token's label.
    pub token: Option<String>,
    /// The token's serial number.
    pub serial: Option<String>,
    /// Who made the token.
    pub manufacturer: Option<String>,
    /// The token's model.
    pub model: Option<String>,
    /// The slot that the token is in.
    pub slot: Option<u64>,
    /// The key's label.
    pub object: Option<String>,
    /// The key's identifier.
    pub id: Option<Vec<u8>>,
    /// The PIN.
    pub pin: Option<Zeroizing<String>>,
    /// A file that holds the PIN.
    pub pin_source: Option<String>,
}

impl Pkcs11Uri {
    /// Reads a URI.
    ///
    /// # Errors
    /// When it is none, names no module or no key, or says something twice.
    pub fn parse(uri: &str) -> Result<Self, SigningError> {
        let rest = uri.strip_prefix("pkcs11:").ok_or_else(|| wrong("it does not begin with 'pkcs11:'"))?;
        if uri.len() > MAX_LENGTH {
            return Err(wrong("it is too long"));
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parsed = Self::default();
        let mut seen = Vec::new();
        for (attribute, is_path) in
            path.split(';').map(|text| (text, true)).chain(query.split('&').map(|text| (text, false)))
        {
            if attribute.is_empty() {
                continue;
            }
            let (name, value) = attribute.split_once('=').ok_or_else(|| wrong("an attribute has no value"))?;
            if seen.contains(&name) {
                return Err(wrong(&format!("'{name}' stands in it twice")));
            }
            seen.push(name);
            parsed.set(name, value, is_path)?;
        }
        parsed.check()
    }

    fn set(&mut self, name: &str, value: &str, is_path: bool) -> Result<(), SigningError> {
        let bytes = decode(value)?;
        if (name, is_path) == ("id", true) {
            self.id = Some(bytes);
            return Ok(());
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong(&format!("'{name}' is not in UTF-8")))?;
        match (name, is_path) {
            ("token", true) => self.token = Some(text),
            ("serial", true) => self.serial = Some(text),
            ("manufacturer", true) => self.manufacturer = Some(text),
            ("model", true) => self.model = Some(text),
            ("object", true) => self.object = Some(text),
            ("slot-id", true) => self.slot = Some(text.parse().map_err(|_| wrong("'slot-id' is no number"))?),
            ("type", true) if text == "private" => {}
            ("type", true) => return Err(wrong("'type' is not 'private'")),
            ("module-path", false) => self.module_path = text,
            ("pin-value", false) => self.pin = Some(Zeroizing::new(text)),
            ("pin-source", false) => self.pin_source = Some(text),
            // Attributes that narrow a search have to be heeded: another key might be found without them.
            (_, true) => return Err(wrong(&format!("'{name}' is not understood"))),
            (_, false) => {}
        }
        Ok(())
    }

    fn check(self) -> Result<Self, SigningError> {
        // A name would be looked for in folders that somebody else chose.
        if !self.module_path.starts_with('/') {
            return Err(wrong("'module-path' has to name the module, from '/' on"));
        }
        if self.object.is_none() && self.id.is_none() {
            return Err(wrong("it names no key: 'object' or 'id' is needed"));
        }
        if self.pin.is_some() && self.pin_source.is_some() {
            return Err(wrong("'pin-value' and 'pin-source' contradict each other"));
        }
        Ok(self)
    }
}

impl std::fmt::Debug for Pkcs11Uri {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The PIN stays where it is.
        write!(
            formatter,
            "Pkcs11Uri({:?}, token {:?}, object {:?}, id {:?})",
            self.module_path, self.token, self.object, self.id
        )
    }
}

/// Bytes from percent-encoding.
fn decode(text: &str) -> Result<Vec<u8>, SigningError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = after;
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or_else(|| wrong("'%' is not followed by two hexadecimal digits"))?);
        rest = after.get(2..).unwrap_or_default();
    }
    Ok(bytes)
}

fn wrong(problem: &str) -> SigningError {
    SigningError::Token(format!("the PKCS#11 URI is not understood: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_form_is_read() {
        let uri =
            "pkcs11:token=my%20token;object=key;id=%00%FFa;type=private?pin-value=12%2034&module-path=/usr/lib/m.so";
        let parsed = Pkcs11Uri::parse(uri).unwrap();
        assert_eq!(parsed.token.as_deref(), Some("my token"));
        assert_eq!(parsed.object.as_deref(), Some("key"));
        assert_eq!(parsed.id, Some(vec![0, 0xFF, b'a']));
        assert_eq!(parsed.pin.as_ref().map(|pin| pin.as_str()), Some("12 34"));
        assert_eq!(parsed.module_path, "/usr/lib/m.so");
        assert!(!format!("{parsed:?}").contains("12 34"), "a PIN is not shown");
    }

    #[test]
    fn what_is_unclear_is_refused() {
        for uri in [
            "http://example.org",
            "pkcs11:object=k",
            "pkcs11:object=k?module-path=m.so",
            "pkcs11:token=t?module-path=/m.so",
            "pkcs11:object=k;object=l?module-path=/m.so",
            "pkcs11:object=k;colour=red?module-path=/m.so",
            "pkcs11:object=k;type=cert?module-path=/m.so",
            "pkcs11:object=%0?module-path=/m.so",
            "pkcs11:object=%+1?module-path=/m.so",
            "pkcs11:object?module-path=/m.so",
            "pkcs11:object=k?module-path=/m.so&pin-value=1&pin-source=/p",
        ] {
            assert_eq!(Pkcs11Uri::parse(uri).map_err(|error| error.code()), Err("token"), "{uri}");
        }
    }
}
