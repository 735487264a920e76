//! A writer of archives, honest ones and others, for the tests.

use std::io::Write as _;

use super::extra::crc32;

/// A member to be written. Each field of each header can be made to lie.
#[derive(Debug, Clone, Default)]
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) stored: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) method: u16,
    pub(crate) local_method: Option<u16>,
    pub(crate) flags: u16,
    pub(crate) local_flags: Option<u16>,
    pub(crate) crc: u32,
    pub(crate) local_size: Option<u32>,
    /// Whether the own header says the size, though a descriptor follows: as archives of Macs do.
    pub(crate) says_size: bool,
    pub(crate) attributes: u32,
    pub(crate) extra: Vec<u8>,
    pub(crate) descriptor: bool,
    pub(crate) hidden: bool,
    pub(crate) before: Vec<u8>,
    pub(crate) header: Option<u32>,
}

/// An archive to be written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Archive {
    members: Vec<Member>,
    zip64: bool,
    comment: Vec<u8>,
    after: Vec<u8>,
    entries: Option<u16>,
}

/// Raw deflate.
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

impl Member {
    pub(crate) fn stored(name: &str, bytes: &[u8]) -> Self {
        let (name, stored) = (name.as_bytes().to_vec(), bytes.to_vec());
        Self { name, stored, size: bytes.len() as u64, crc: crc32(bytes), ..Self::default() }
    }

    pub(crate) fn deflated(name: &str, bytes: &[u8]) -> Self {
        Self { stored: deflate(bytes), method: 8, ..Self::stored(name, bytes) }
    }

    fn fields(&self, local: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let flags = self.flags | if self.descriptor { 8 } else { 0 };
        out.extend((if local { self.local_flags.unwrap_or(flags) } else { flags }).to_le_bytes());
        out.extend((if local { self.local_method.unwrap_or(self.method) } else { self.method }).to_le_bytes());
        out.extend([0; 4]);
        let open = local && self.descriptor;
        let stored = if local { self.local_size.unwrap_or(self.stored.len() as u32) } else { self.stored.len() as u32 };
        out.extend((if open { 0 } else { self.crc }).to_le_bytes());
        out.extend((if open { 0 } else { stored }).to_le_bytes());
        out.extend((if open && !self.says_size { 0 } else { self.size as u32 }).to_le_bytes());
        let name = if local { self.local_name.as_ref().unwrap_or(&self.name) } else { &self.name };
        out.extend((name.len() as u16).to_le_bytes());
        out.extend((self.extra.len() as u16).to_le_bytes());
        out
    }

    fn local(&self, out: &mut Vec<u8>) {
        out.extend(b"PK\x03\x04\x14\x00");
        out.extend(self.fields(true));
        out.extend(self.local_name.as_ref().unwrap_or(&self.name));
        out.extend(&self.extra);
        out.extend(&self.stored);
        if self.descriptor {
            out.extend(b"PK\x07\x08");
            out.extend(self.crc.to_le_bytes());
            out.extend((self.stored.len() as u32).to_le_bytes());
            out.extend((self.size as u32).to_le_bytes());
        }
    }

    fn central(&self, header: u32, out: &mut Vec<u8>) {
        out.extend(b"PK\x01\x02\x14\x03\x14\x00");
        out.extend(self.fields(false));
        out.extend([0; 6]);
        out.extend(self.attributes.to_le_bytes());
        out.extend(self.header.unwrap_or(header).to_le_bytes());
        out.extend(&self.name);
        out.extend(&self.extra);
    }
}

impl Archive {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn file(self, name: &str, bytes: &[u8]) -> Self {
        self.member(Member::stored(name, bytes))
    }

    pub(crate) fn member(mut self, member: Member) -> Self {
        self.members.push(member);
        self
    }

    pub(crate) fn zip64(mut self) -> Self {
        self.zip64 = true;
        self
    }

    pub(crate) fn comment(mut self, comment: &[u8]) -> Self {
        self.comment = comment.to_vec();
        self
    }

    pub(crate) fn after(mut self, after: &[u8]) -> Self {
        self.after = after.to_vec();
        self
    }

    pub(crate) fn entries(mut self, entries: u16) -> Self {
        self.entries = Some(entries);
        self
    }

    pub(crate) fn finish(&self) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for member in &self.members {
            out.extend(&member.before);
            let header = out.len() as u32;
            if member.header.is_none() {
                member.local(&mut out);
            }
            if !member.hidden {
                member.central(header, &mut directory);
            }
        }
        let start = out.len() as u32;
        out.extend(&directory);
        self.end(start, directory.len() as u32, &mut out);
        out
    }

    fn end(&self, start: u32, size: u32, out: &mut Vec<u8>) {
        let count = self.members.iter().filter(|member| !member.hidden).count() as u16;
        let entries = self.entries.unwrap_or(count);
        if self.zip64 {
            let at = out.len() as u64;
            out.extend(b"PK\x06\x06");
            out.extend(44u64.to_le_bytes());
            out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            out.extend(u64::from(entries).to_le_bytes());
            out.extend(u64::from(entries).to_le_bytes());
            out.extend(u64::from(size).to_le_bytes());
            out.extend(u64::from(start).to_le_bytes());
            out.extend(b"PK\x06\x07\x00\x00\x00\x00");
            out.extend(at.to_le_bytes());
            out.extend(1u32.to_le_bytes());
        }
        out.extend(b"PK\x05\x06\x00\x00\x00\x00");
        out.extend(entries.to_le_bytes());
        out.extend(entries.to_le_bytes());
        out.extend(size.to_le_bytes());
        out.extend(start.to_le_bytes());
        out.extend((self.comment.len() as u16).to_le_bytes());
        out.extend(&self.comment);
        out.extend(&self.after);
    }
}
