//! Other files at the start of raw numbers, in formats that have no schema to look with.

use crate::child::{Child, Role};
use crate::fact::{FactKind, Position};
use crate::facts::Facts;
use crate::payload::is_payload;
use crate::source::{Source, read_up_to};

/// Fewer bytes are no file of any kind looked for.
const LEAST: u64 = 12;
/// Bytes by which a script is told.
const HEAD: usize = 32;

/// Opens numbers that start as a file does. Two bytes that start a pickle stand in numbers by chance, so that what
/// starts so is only looked at as numbers are: it counts when it does something.
pub(crate) fn open(source: &dyn Source, name: &str, offset: u64, length: u64, facts: &mut Facts) {
    if length < LEAST {
        return;
    }
    let head = read_up_to(source, offset, HEAD.min(usize::try_from(length).unwrap_or(HEAD)));
    let role = match head.as_slice() {
        [0x80, 2..=5, ..] => Role::Numbers,
        _ if is_script(&head) || is_payload(source, offset, length, false) => Role::Unknown,
        _ => return,
    };
    let child = Child { role, ..Child::stored(format!("{name}@{offset}"), offset, length) };
    facts.push(Position::Offset(offset), FactKind::Child(child));
}

/// Whether numbers start as a script does, with the path of what runs it.
fn is_script(head: &[u8]) -> bool {
    let path = head.strip_prefix(b"#!").map(|rest| rest.split(|byte| *byte == b'\n').next().unwrap_or_default());
    path.is_some_and(|path| {
        path.trim_ascii_start().starts_with(b"/") && path.iter().all(|byte| (0x20..0x7F).contains(byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(bytes: &[u8]) -> Option<Role> {
        let mut facts = Facts::new();
        open(&bytes, "numbers", 0, bytes.len() as u64, &mut facts);
        facts.list().iter().find_map(|fact| match &fact.kind {
            FactKind::Child(child) => Some(child.role),
            _ => None,
        })
    }

    #[test]
    fn files_in_numbers_are_opened() {
        assert_eq!(role(b"#!/bin/sh\necho waag-inert\n"), Some(Role::Unknown));
        assert_eq!(role(b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0"), Some(Role::Unknown));
        assert_eq!(role(b"\x80\x02cos\nsystem\n(X"), Some(Role::Numbers));
        assert_eq!(role(b"#!\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A"), None);
        assert_eq!(role(&[0; 64]), None);
    }
}
