//! Files within a pickle's data: bytes and texts that are a pickle, a program or an archive of their own. Loading does
//! not open them; whoever hides something there means to, or has somebody do it.

use super::machine::Machine;
use super::opcode::{self, describe};
use crate::child::{Child, Encoding, Role};
use crate::fact::{Anomaly, FactKind, Position};
use crate::payload::is_payload;
use crate::secrets;
use crate::source::{Window, read_up_to};

/// Files of one pickle that are opened; more are of one kind, or noise.
const MAX_FILES: u32 = 64;
/// Fewer bytes do nothing.
const LEAST: u64 = 12;
/// Characters that are looked at to tell a text that is Base64 or hexadecimal from one that is not.
const GLANCE: usize = 64;

/// Whether a text could be a pickle in Base64 or in hexadecimal digits, or a credential, by its first characters.
#[inline]
pub(super) fn may_be_encoded(text: &[u8]) -> bool {
    matches!(text, [b'g', b'A', ..] | [b'8', b'0', ..]) || may_be_secret(text)
}

/// Whether a text could be a credential.
#[inline]
fn may_be_secret(text: &[u8]) -> bool {
    matches!(
        text,
        [b'A', b'K' | b'S', b'I', b'A', ..]
            | [b'A', b'I', b'z', b'a', ..]
            | [b'g', b'h' | b's', _, b'_', ..]
            | [b'g', b'i' | b'l', b't' | b'p', _, ..]
            | [b'h', b'f', b'_', ..]
            | [b's' | b'r', b'k', b'-' | b'_', ..]
            | [b'x', b'o' | b'a', _, _, b'-', ..]
            | [b'-', b'-', b'-', b'-', b'-', b'B', ..]
    )
}

/// Bytes that start as a pickle does: a protocol from 2 on, and an opcode.
fn starts_as_pickle(bytes: &[u8]) -> bool {
    matches!(bytes, [opcode::PROTO, 2..=5, code, ..] if describe(*code).is_some())
}

fn encoding_of(text: &[u8]) -> Option<Encoding> {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match text {
        [a, b, c, d, ..] if text.starts_with(b"gA") && text.iter().all(is_base64) => {
            let value = |byte: u8| u32::try_from(BASE64.iter().position(|known| *known == byte)?).ok();
            let bits = [a, b, c, d].into_iter().try_fold(0u32, |bits, byte| Some(bits << 6 | value(*byte)?))?;
            let [_, bytes @ ..] = bits.to_be_bytes();
            starts_as_pickle(&bytes).then_some(Encoding::Base64)
        }
        [b'8', b'0', ..] => {
            let digits = text.iter().map(|byte| digit(*byte)).collect::<Option<Vec<u8>>>()?;
            let bytes: Vec<u8> =
                digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
            starts_as_pickle(&bytes).then_some(Encoding::Hex)
        }
        _ => None,
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Machine<'_> {
    /// Looks at a value that has just been read: `length` bytes, which end where the machine stands.
    pub(super) fn look_into(&mut self, code: u8, length: u64) {
        if length < LEAST || self.embedded >= MAX_FILES {
            return;
        }
        let offset = self.cursor.position().saturating_sub(length);
        let is_text = matches!(code, opcode::SHORT_BINUNICODE | opcode::BINUNICODE | opcode::BINUNICODE8);
        let (encoding, role) = if is_text {
            let start = read_up_to(&Window::new(self.source, offset, length), 0, GLANCE);
            match encoding_of(&start) {
                Some(encoding) => (encoding, Role::Pickle),
                None if may_be_secret(&start) => return self.secret(offset, length),
                None => return,
            }
        } else if self.is_pickle(offset, length) {
            (Encoding::Stored, Role::Pickle)
        } else if is_payload(self.source, offset, length, false) {
            (Encoding::Stored, Role::Unknown)
        } else {
            return;
        };
        self.embedded = self.embedded.saturating_add(1);
        if role == Role::Pickle {
            self.uses.anomaly(offset, Anomaly::Nested, "a value of the pickle is a pickle of its own");
        }
        let child = Child::stored(format!("bytes at {offset:#x}"), offset, length);
        let declared = child.declared.filter(|_| encoding == Encoding::Stored);
        let child = Child { encoding, role, declared, ..child };
        self.uses.fact(Position::Offset(offset), FactKind::Child(child));
    }

    /// A credential that is a value of its own. What stands beside it, as the other half of a key may, is at hand.
    fn secret(&mut self, offset: u64, length: u64) {
        let mut text = vec![b' '];
        text.extend(read_up_to(self.source, offset, secrets::REACH));
        let whole = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(1);
        if let Some(next) = text.get_mut(whole) {
            *next = b' ';
        }
        for secret in secrets::find(&text, 2).into_iter().filter(|secret| secret.at == 1) {
            let kind = FactKind::Secret { kind: secret.kind.into(), shown: secret.shown };
            self.uses.fact(Position::Offset(offset), kind);
        }
    }

    /// Starts as a pickle does, and ends with STOP.
    fn is_pickle(&self, offset: u64, length: u64) -> bool {
        let last = read_up_to(self.source, offset.saturating_add(length).saturating_sub(1), 1);
        last == [opcode::STOP] && starts_as_pickle(&read_up_to(self.source, offset, 3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_pickles_are_told_from_words() {
        assert_eq!(encoding_of(b"gASVCAAAAAAAAACMAm9zlC4="), Some(Encoding::Base64));
        assert_eq!(encoding_of(b"gAJjb3MKc3lzdGVtCnEAWAI="), Some(Encoding::Base64));
        assert_eq!(encoding_of(b"80049508000000000000008c026f73942e"), Some(Encoding::Hex));
        assert_eq!(encoding_of(b"gAAAAABhfernettokenfernettoken"), None);
        assert_eq!(encoding_of(b"gAIn is a word, and so is this"), None);
        assert_eq!(encoding_of(b"8000 metres above the sea level"), None);
        assert_eq!(encoding_of(b"8012345678901234"), None);
    }
}
