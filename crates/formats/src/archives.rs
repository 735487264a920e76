//! Archives, images of disks and other containers that are not opened here: what is in them is not known to be harmless.

use crate::child::Role;
use crate::fact::Gap;
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, read_up_to};

/// Where a signature stands, the signature, what has it.
const SIGNATURES: &[(u64, &[u8], &str)] = &[
    (0, b"Rar!\x1A\x07", "RAR archive"),
    (0, b"!<arch>\n", "ar archive or Debian package"),
    (0, b"\xED\xAB\xEE\xDB", "RPM package"),
    (0, b"xar!", "xar archive"),
    (0, b"070701", "cpio archive"),
    (0, b"070702", "cpio archive"),
    (0, b"070707", "cpio archive"),
    (0, b"LZIP\x01", "lzip stream"),
    (0, b"LRZI", "lrzip stream"),
    (0, b"\xFF\x06\0\0sNaPpY", "Snappy stream"),
    (0, b"bvx2", "LZFSE stream"),
    (0, b"bvxn", "LZFSE stream"),
    (0, b"zPQ", "ZPAQ archive"),
    (0, b"hsqs", "SquashFS image"),
    (0, b"sqsh", "SquashFS image"),
    (0, b"QFI\xFB", "QEMU disk image"),
    (0, b"KDMV", "VMware disk image"),
    (0, b"vhdxfile", "Hyper-V disk image"),
    (0, b"conectix", "virtual disk image"),
    (0, b"LUKS\xBA\xBE", "encrypted disk image"),
    (0, b"SQLite format 3\0", "SQLite database"),
    (0x8001, b"CD001", "ISO disk image"),
    (0x9001, b"CD001", "ISO disk image"),
];

/// Two bytes, or bytes that stand where others have them too: only together with the name.
const NAMED: &[(u64, &[u8], &str, &str)] = &[
    (0, b"\x60\xEA", "arj", "ARJ archive"),
    (2, b"-lh", "lzh", "LHA archive"),
    (2, b"-lh", "lha", "LHA archive"),
    (7, b"**ACE**", "ace", "ACE archive"),
    (20, b"\xDC\xA7\xC4\xFD", "zoo", "zoo archive"),
    (0x438, b"\x53\xEF", "img", "ext disk image"),
    (0x438, b"\x53\xEF", "ext4", "ext disk image"),
    (0, b"", "br", "Brotli stream"),
    (0, b"", "dmg", "Apple disk image"),
];

static META: Meta = Meta {
    id: "closed-archive",
    title: "archive or disk image that is not opened here",
    extensions: &[
        "rar", "deb", "rpm", "xar", "cpio", "lz", "lrz", "sz", "zpaq", "squashfs", "sqsh", "qcow2", "vmdk", "vhdx",
        "vhd", "iso", "dmg", "arj", "lzh", "lha", "ace", "zoo", "br", "sqlite", "sqlite3",
    ],
    depth: Depth::Surface,
    reads: "which kind it is",
    specification: "https://www.iana.org/assignments/media-types",
};

/// The formats.
#[derive(Debug)]
pub struct ClosedArchive;

impl Format for ClosedArchive {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role == Role::Numbers {
            return None;
        }
        kind(probe.source, probe.name, &probe.tail).map(|(certainty, _)| certainty)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let tail = read_up_to(source, source.len().saturating_sub(512), 512);
        let kind = kind(source, context.name, &tail).map_or("container", |(_, kind)| kind);
        facts.property("kind", kind);
        facts.incomplete(0, Gap::Unsupported, format!("{kind}: what is in it was not looked at"));
    }
}

fn kind(source: &dyn Source, name: &str, tail: &[u8]) -> Option<(Certainty, &'static str)> {
    let has = |at: u64, signature: &[u8]| read_up_to(source, at, signature.len()) == signature;
    if let Some((.., kind)) = SIGNATURES.iter().find(|(at, signature, _)| has(*at, signature)) {
        return Some((Certainty::Certain, kind));
    }
    let trailer = tail.len().checked_sub(512).and_then(|at| tail.get(at..));
    if trailer.is_some_and(|trailer| trailer.starts_with(b"koly")) {
        return Some((Certainty::Certain, "Apple disk image"));
    }
    let ending = crate::format::extension(name);
    let named = NAMED.iter().find(|(at, signature, known, _)| *known == ending && has(*at, signature));
    named.map(|(_, signature, _, kind)| {
        let certainty = if signature.is_empty() { Certainty::Possible } else { Certainty::Likely };
        (certainty, *kind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, oddities};

    #[test]
    fn what_is_not_opened_is_said() {
        for start in [&b"Rar!\x1A\x07\0"[..], b"SQLite format 3\0", b"hsqs", b"!<arch>\ndebian-binary"] {
            assert_eq!(oddities(&inspect(&ClosedArchive, "a", start)), ["Unsupported@0"]);
        }
        let mut image = vec![0; 0x9000];
        image[0x8001..0x8006].copy_from_slice(b"CD001");
        let found = |name: &str, bytes: &Vec<u8>| ClosedArchive.recognise(&Probe::new(bytes, name, Role::Unknown));
        assert_eq!(found("a.bin", &image), Some(Certainty::Certain));
        assert_eq!(found("a.br", &b"\x0b\x02\x80".to_vec()), Some(Certainty::Possible));
        assert_eq!(found("a.bin", &b"-lh5-".to_vec()), None);
    }
}
