//! Zip archives for cases, stored without compression:
//!
//! ```text
//! name = text of the member
//! name (local=other.pkl, encrypted) = its local header says another name, and that it is encrypted
//! name <- pickle-assembly
//! STOP
//! end
//! BYTES 00ff
//! ```
//!
//! `BYTES` puts bytes between the records, as they are.

use crate::literal;

const FLAG_ENCRYPTED: u16 = 1;

struct Member {
    name: String,
    local: String,
    flags: u16,
    content: Vec<u8>,
}

/// The bytes of an archive.
pub(crate) fn assemble(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    let mut members = 0_u16;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        if let Some(raw) = line.strip_prefix("BYTES ") {
            bytes.extend(literal::hex(raw)?);
            continue;
        }
        let member = member(line, &mut lines)?;
        let offset = literal::integer::<u32>(&bytes.len().to_string())?;
        write_local(&member, &mut bytes);
        write_central(&member, offset, &mut directory);
        members += 1;
    }
    write_end(members, &directory, &mut bytes);
    Ok(bytes)
}

fn member<'a>(line: &'a str, lines: &mut impl Iterator<Item = &'a str>) -> Result<Member, String> {
    let (head, content) = if let Some((head, kind)) = line.split_once(" <- ") {
        let body: Vec<&str> = lines.take_while(|line| line.trim() != "end").collect();
        (head, crate::assemble::bytes(kind.trim(), &body.join("\n"))?.1)
    } else {
        let (head, text) = line.split_once(" = ").ok_or_else(|| format!("'{line}' is no member"))?;
        (head, literal::text(text)?.into_bytes())
    };
    let (name, attributes) =
        head.split_once(" (").map_or((head, ""), |(name, rest)| (name, rest.trim_end_matches(')')));
    let name = literal::text(name.trim())?;
    let mut member = Member { local: name.clone(), name, flags: 0, content };
    for attribute in attributes.split(',').map(str::trim).filter(|attribute| !attribute.is_empty()) {
        match attribute.split_once('=') {
            Some(("local", name)) => member.local = literal::text(name)?,
            None if attribute == "encrypted" => member.flags |= FLAG_ENCRYPTED,
            _ => return Err(format!("'{attribute}' is nothing a member can be")),
        }
    }
    Ok(member)
}

fn write_local(member: &Member, bytes: &mut Vec<u8>) {
    bytes.extend(b"PK\x03\x04");
    write_common(member, &member.local, bytes);
    bytes.extend(member.local.bytes());
    bytes.extend(&member.content);
}

fn write_central(member: &Member, offset: u32, bytes: &mut Vec<u8>) {
    bytes.extend(b"PK\x01\x02\x14\0");
    write_common(member, &member.name, bytes);
    bytes.extend([0; 10]); // no comment, first disk, no attributes
    bytes.extend(offset.to_le_bytes());
    bytes.extend(member.name.bytes());
}

/// What both headers hold: version, flags, method, time and date, checksum, sizes, lengths of name and extra field.
fn write_common(member: &Member, name: &str, bytes: &mut Vec<u8>) {
    let size = u32::try_from(member.content.len()).unwrap_or(u32::MAX);
    bytes.extend(20_u16.to_le_bytes());
    bytes.extend(member.flags.to_le_bytes());
    bytes.extend([0, 0, 0, 0, 0x21, 0]); // stored, on the first day of 1980
    bytes.extend(checksum(&member.content).to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
    bytes.extend(0_u16.to_le_bytes());
}

fn write_end(members: u16, directory: &[u8], bytes: &mut Vec<u8>) {
    let start = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let size = u32::try_from(directory.len()).unwrap_or(u32::MAX);
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(members.to_le_bytes());
    bytes.extend(members.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0, 0]);
}

/// CRC-32 as in zip, bit by bit: members of cases are short.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zip() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn members_stand_where_the_directory_says() {
        let bytes = assemble("BYTES ff\na.txt = hi\nb.pkl <- pickle-assembly\nNONE\nSTOP\nend\n").unwrap();
        assert_eq!(bytes[0], 0xff);
        assert_eq!(&bytes[1..5], b"PK\x03\x04");
        assert_eq!(&bytes[31..38], b"a.txthi");
        assert_eq!(&bytes[38 + 30..38 + 37], b"b.pklN.");
        let directory = 38 + 37;
        assert_eq!(&bytes[directory..directory + 4], b"PK\x01\x02");
        assert_eq!(bytes[directory + 42], 1);
        assert_eq!(bytes.len(), directory + 2 * 51 + 22);
    }

    #[test]
    fn the_headers_may_be_made_to_differ() {
        let bytes = assemble("a.pkl (local=b.pkl, encrypted) = x").unwrap();
        assert_eq!((bytes[6], &bytes[30..36]), (1, &b"b.pklx"[..]));
        assert_eq!(&bytes[36 + 46..36 + 51], b"a.pkl");
    }

    #[test]
    fn what_is_no_member_is_refused() {
        for text in ["nothing", "a (odd) = x", "a <- tarot\nend"] {
            assert!(assemble(text).is_err(), "{text}");
        }
    }
}
