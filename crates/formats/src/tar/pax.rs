//! PAX records: `length key=value\n`, one after another.

/// What extension records say about a member.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Overrides {
    pub(super) name: Option<String>,
    pub(super) link: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) sparse: bool,
}

/// Applies all records up to the first that does not parse.
pub(super) fn apply(mut bytes: &[u8], overrides: &mut Overrides) {
    while let Some((key, value, rest)) = record(bytes) {
        let text = || Some(String::from_utf8_lossy(value).into_owned());
        match key {
            b"path" => overrides.name = text(),
            b"linkpath" => overrides.link = text(),
            b"size" => overrides.size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok()),
            b"GNU.sparse.name" => (overrides.name, overrides.sparse) = (text(), true),
            _ => overrides.sparse |= key.starts_with(b"GNU.sparse."),
        }
        bytes = rest;
    }
}

fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|&byte| byte == b' ')?;
    let length: usize = std::str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let body = record.get(space.checked_add(1)?..)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|&byte| byte == b'=')?;
    Some((body.get(..equals)?, body.get(equals.checked_add(1)?..)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_until_one_is_broken() {
        let mut overrides = Overrides::default();
        apply(b"12 path=a/b\n9 size=7\n99 linkpath=x\n", &mut overrides);
        assert_eq!(overrides, Overrides { name: Some("a/b".into()), size: Some(7), ..Overrides::default() });
    }

    #[test]
    fn a_length_that_lies_ends_the_reading() {
        let mut overrides = Overrides::default();
        for bytes in [b"0 path=a\n".as_slice(), b"18446744073709551615 path=a\n", b"3 a", b"", b"x path=y\n"] {
            apply(bytes, &mut overrides);
        }
        assert_eq!(overrides, Overrides::default());
    }
}
