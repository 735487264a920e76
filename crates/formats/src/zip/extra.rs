//! The extra fields of a record: the ones that change what a reader sees.

use super::bytes::{u16_at, u32_at, u64_at};

/// Sizes too large for the record itself.
const ZIP64: u16 = 0x0001;
/// A second name, in UTF-8.
const UNICODE_PATH: u16 = 0x7075;
/// A 32-bit field with this value says: look in the zip64 field.
pub(super) const SATURATED: u32 = u32::MAX;

/// What the extra fields of one record say.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Extra {
    /// Contents of the first zip64 field.
    pub(super) zip64: Option<Vec<u8>>,
    /// How many zip64 fields there are; more than one is a choice between readers.
    pub(super) zip64_fields: usize,
    /// The name in the unicode path field, when it belongs to this record's name.
    pub(super) unicode: Option<Vec<u8>>,
}

impl Extra {
    /// Reads the fields; what does not parse is padding, as every reader treats it.
    pub(super) fn parse(mut bytes: &[u8], name: &[u8]) -> Self {
        let mut extra = Self::default();
        while let (Some(id), Some(length)) = (u16_at(bytes, 0), u16_at(bytes, 2)) {
            let end = usize::from(length).saturating_add(4);
            let Some(body) = bytes.get(4..end) else { break };
            extra.field(id, body, name);
            bytes = bytes.get(end..).unwrap_or_default();
        }
        extra
    }

    fn field(&mut self, id: u16, body: &[u8], name: &[u8]) {
        match id {
            ZIP64 => {
                self.zip64_fields = self.zip64_fields.saturating_add(1);
                self.zip64.get_or_insert_with(|| body.to_vec());
            }
            UNICODE_PATH if u32_at(body, 1) == Some(crc32(name)) => {
                self.unicode = body.get(5..).map(<[u8]>::to_vec);
            }
            _ => {}
        }
    }

    /// Replaces each saturated value by the next number of the zip64 field, in the order the values are given.
    /// False when the field has too few.
    pub(super) fn widen(&self, values: &mut [&mut u64]) -> bool {
        let body = self.zip64.as_deref().unwrap_or_default();
        let mut at = 0usize;
        for value in values.iter_mut().filter(|value| ***value == u64::from(SATURATED)) {
            let Some(wide) = u64_at(body, at) else { return false };
            **value = wide;
            at = at.saturating_add(8);
        }
        true
    }
}

/// The checksum zip uses.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unicode_name_for_another_name_is_ignored() {
        let mut field = UNICODE_PATH.to_le_bytes().to_vec();
        field.extend([8, 0, 1]);
        field.extend(crc32(b"a.txt").to_le_bytes());
        field.extend(b"b.x");
        assert_eq!(Extra::parse(&field, b"a.txt").unicode.as_deref(), Some(b"b.x".as_slice()));
        assert_eq!(Extra::parse(&field, b"other").unicode, None);
    }

    #[test]
    fn only_saturated_values_are_widened() {
        let mut field = ZIP64.to_le_bytes().to_vec();
        field.extend([8, 0]);
        field.extend(5_000_000_000_u64.to_le_bytes());
        let extra = Extra::parse(&field, b"");
        let (mut first, mut second) = (7, u64::from(SATURATED));
        assert!(extra.widen(&mut [&mut first, &mut second]));
        assert_eq!((first, second), (7, 5_000_000_000));
        assert!(!extra.widen(&mut [&mut u64::from(SATURATED), &mut u64::from(SATURATED)]));
    }
}
