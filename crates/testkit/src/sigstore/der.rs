//! As much of DER as certificates and timestamp tokens need: a writer of values, and a reader of one level.

use jiff::Timestamp;

/// A value: its tag, its length and what is in it.
pub type Der = Vec<u8>;

/// A value of any tag.
pub fn value(tag: u8, content: &[u8]) -> Der {
    let mut der = vec![tag];
    match content.len() {
        length @ 0..=0x7f => der.push(length as u8),
        length @ 0x80..=0xff => der.extend([0x81, length as u8]),
        length @ 0x100..=0xffff => der.extend([0x82, (length >> 8) as u8, length as u8]),
        length => der.extend([0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8]),
    }
    der.extend(content);
    der
}

/// A SEQUENCE.
pub fn sequence(items: &[Der]) -> Der {
    value(0x30, &items.concat())
}

/// A SET of values that are in order already.
pub fn set(items: &[Der]) -> Der {
    value(0x31, &items.concat())
}

/// A value in an explicit context tag.
pub fn explicit(number: u8, item: &Der) -> Der {
    value(0xa0 | number, item)
}

/// A value whose tag is replaced by a context tag.
pub fn implicit(number: u8, item: &Der) -> Der {
    let mut der = item.clone();
    der[0] = 0x80 | number | (der[0] & 0x20);
    der
}

/// An INTEGER that is not negative, from its bytes.
pub fn integer(bytes: &[u8]) -> Der {
    let significant = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    let sign = if significant.first().is_none_or(|byte| byte & 0x80 != 0) { &[0][..] } else { &[] };
    value(0x02, &[sign, significant].concat())
}

/// An OCTET STRING.
pub fn octets(content: &[u8]) -> Der {
    value(0x04, content)
}

/// A BIT STRING of whole bytes.
pub fn bits(content: &[u8]) -> Der {
    value(0x03, &[&[0], content].concat())
}

/// A UTF8String.
pub fn text(content: &str) -> Der {
    value(0x0c, content.as_bytes())
}

/// The BOOLEAN that is true.
pub fn yes() -> Der {
    value(0x01, &[0xff])
}

/// An OBJECT IDENTIFIER, from its dotted form.
pub fn oid(dotted: &str) -> Der {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().expect("an arc is a number")).collect();
    let mut content = base128(arcs[0] * 40 + arcs[1]);
    content.extend(arcs[2..].iter().flat_map(|arc| base128(*arc)));
    value(0x06, &content)
}

fn base128(number: u64) -> Vec<u8> {
    let mut digits = vec![(number & 0x7f) as u8];
    let mut rest = number >> 7;
    while rest > 0 {
        digits.insert(0, (rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    digits
}

/// A GeneralizedTime, to the second.
pub fn generalized_time(time: Timestamp) -> Der {
    value(0x18, time.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes())
}

/// A UTCTime, to the second.
pub fn utc_time(time: Timestamp) -> Der {
    value(0x17, time.strftime("%y%m%d%H%M%SZ").to_string().as_bytes())
}

/// A value that was read: its tag, its content, and all of it.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The tag.
    pub tag: u8,
    /// What is in it.
    pub content: &'a [u8],
    /// Tag, length and content.
    pub whole: &'a [u8],
}

/// Reads the values that stand one after the other. None where they are cut off.
pub fn items(mut bytes: &[u8]) -> Option<Vec<Item<'_>>> {
    let mut items = Vec::new();
    while let Some(&tag) = bytes.first() {
        let (start, length) = match *bytes.get(1)? {
            short @ 0..=0x7f => (2, usize::from(short)),
            0x81 => (3, usize::from(*bytes.get(2)?)),
            0x82 => (4, usize::from(*bytes.get(2)?) << 8 | usize::from(*bytes.get(3)?)),
            _ => return None,
        };
        let whole = bytes.get(..start + length)?;
        items.push(Item { tag, content: &whole[start..], whole });
        bytes = &bytes[start + length..];
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_the_standard_has_them() {
        assert_eq!(oid("1.2.840.10045.4.3.2"), [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]);
        assert_eq!(integer(&[0]), [2, 1, 0]);
        assert_eq!(integer(&[0, 0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(value(4, &[0; 300])[..4], [4, 0x82, 1, 0x2c]);
        assert_eq!(utc_time("2026-11-27T01:02:03Z".parse().unwrap()), b"\x17\x0d261127010203Z");
        assert_eq!(implicit(0, &sequence(&[])), [0xa0, 0]);
    }

    #[test]
    fn what_was_written_is_read() {
        let der = sequence(&[integer(&[5]), octets(&[7; 200])]);
        let outer = items(&der).unwrap();
        let inner = items(outer[0].content).unwrap();
        assert_eq!((inner[0].tag, inner[0].content), (2, &[5][..]));
        assert_eq!(inner[1].whole, octets(&[7; 200]));
        assert!(items(&der[..der.len() - 1]).is_none());
    }
}
