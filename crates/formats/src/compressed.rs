//! Compressed streams: each is one child, decoded by whoever opens it.

use crate::child::{Child, Encoding, Role};
use crate::decode::{self, feed::Feed};
use crate::fact::{Anomaly, FactKind, Position};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, Window, read_up_to};
use crate::zip::names;

/// Decoded bytes of a zlib stream that are tried before it is called one.
const TRIED: usize = 512;

/// One compression format.
#[derive(Debug)]
pub struct Compressed {
    meta: &'static Meta,
    encoding: Encoding,
    tell: fn(&Probe<'_>) -> Option<Certainty>,
    /// Endings that the compressed name has and the plain one has instead.
    endings: &'static [(&'static str, &'static str)],
}

const fn meta(
    id: &'static str,
    title: &'static str,
    extensions: &'static [&'static str],
    specification: &'static str,
) -> Meta {
    let reads = "The stream, decoded; what is inside is analysed as what it is.";
    Meta { id, title, extensions, depth: Depth::Container, reads, specification }
}

/// gzip.
pub static GZIP: Compressed = Compressed {
    meta: &meta("gzip", "gzip stream", &["gz", "tgz"], "https://www.rfc-editor.org/rfc/rfc1952"),
    encoding: Encoding::Gzip,
    tell: |probe| certain(probe, b"\x1f\x8b\x08"),
    endings: &[(".tgz", ".tar"), (".gz", "")],
};

/// bzip2.
pub static BZIP2: Compressed = Compressed {
    meta: &meta("bzip2", "bzip2 stream", &["bz2", "tbz2"], "https://sourceware.org/bzip2/"),
    encoding: Encoding::Bzip2,
    tell: bzip2,
    endings: &[(".tbz2", ".tar"), (".bz2", "")],
};

/// xz.
pub static XZ: Compressed = Compressed {
    meta: &meta("xz", "xz stream", &["xz", "txz"], "https://tukaani.org/xz/xz-file-format.txt"),
    encoding: Encoding::Xz,
    tell: |probe| certain(probe, b"\xfd7zXZ\0"),
    endings: &[(".txz", ".tar"), (".xz", "")],
};

/// The older `.lzma` container.
pub static LZMA: Compressed = Compressed {
    meta: &meta("lzma", "LZMA stream", &["lzma"], "https://www.7-zip.org/sdk.html"),
    encoding: Encoding::Lzma,
    tell: lzma,
    endings: &[(".lzma", "")],
};

/// Zstandard.
pub static ZSTD: Compressed = Compressed {
    meta: &meta("zstd", "Zstandard stream", &["zst", "tzst"], "https://www.rfc-editor.org/rfc/rfc8878"),
    encoding: Encoding::Zstd,
    tell: |probe| framed(probe, b"\x28\xb5\x2f\xfd"),
    endings: &[(".tzst", ".tar"), (".zst", "")],
};

/// LZ4 frames.
pub static LZ4: Compressed = Compressed {
    meta: &meta("lz4", "LZ4 stream", &["lz4"], "https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md"),
    encoding: Encoding::Lz4,
    tell: |probe| framed(probe, b"\x04\x22\x4d\x18").or_else(|| certain(probe, b"\x02\x21\x4c\x18")),
    endings: &[(".lz4", "")],
};

/// zlib.
pub static ZLIB: Compressed = Compressed {
    meta: &meta("zlib", "zlib stream", &["zlib", "z"], "https://www.rfc-editor.org/rfc/rfc1950"),
    encoding: Encoding::Zlib,
    tell: zlib,
    endings: &[(".zlib", ""), (".z", "")],
};

/// joblib's wrapper before it could write gzip: `ZF`, the decoded length in hexadecimal digits, spaces, and a zlib stream.
#[derive(Debug)]
pub struct JoblibZfile;

static ZFILE_META: Meta = Meta {
    id: "joblib-zfile",
    title: "joblib ZFile",
    extensions: &[],
    depth: Depth::Container,
    reads: "The declared length and the stream, decoded; what is inside is analysed as what it is.",
    specification: "https://github.com/joblib/joblib/blob/main/joblib/numpy_pickle_compat.py",
};

/// The signature, and the prefix Python writes hexadecimal numbers with.
const ZFILE: &[u8] = b"ZF0x";
/// The longest header: the signature, the longest number and the space that joblib wrote with Python 2.
const ZFILE_HEADER: usize = 22;

/// The declared length, and where the stream begins. Padding is passed over rather than counted: its width changed
/// between releases, and no zlib stream begins with a space.
fn zfile(head: &[u8]) -> Option<(u64, u64)> {
    let rest = head.get(..head.len().min(ZFILE_HEADER))?.strip_prefix(ZFILE)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let number = std::str::from_utf8(rest.get(..digits)?).ok()?;
    // Python 2 ends a long number with a letter.
    let padding = rest.get(digits..)?.iter().take_while(|byte| matches!(byte, b' ' | b'L')).count();
    let start = ZFILE.len().saturating_add(digits).saturating_add(padding);
    Some((u64::from_str_radix(number, 16).ok()?, start as u64))
}

impl Format for JoblibZfile {
    fn meta(&self) -> &'static Meta {
        &ZFILE_META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        zfile(&probe.head).map(|_| Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let Some((length, start)) = zfile(&read_up_to(source, 0, ZFILE_HEADER)) else {
            return facts.anomaly(0, Anomaly::Malformed, "the header of joblib's wrapper cannot be read");
        };
        let name = context.name.rsplit(['/', '\\']).next().unwrap_or_default();
        // Arrays beside the pickle are wrapped too, and nothing but their numbers.
        let role = if name.ends_with(".npy.z") { Role::Numbers } else { Role::Unknown };
        let child = Child {
            name: name.strip_suffix(".z").unwrap_or(name).to_owned(),
            offset: start,
            length: source.len().saturating_sub(start),
            encoding: Encoding::Zlib,
            declared: Some(length),
            role,
        };
        facts.push(Position::Offset(start), FactKind::Child(child));
    }
}

fn certain(probe: &Probe<'_>, magic: &[u8]) -> Option<Certainty> {
    probe.starts_with(magic).then_some(Certainty::Certain)
}

/// A frame, perhaps behind one that is to be passed over, whose signature both frame formats share.
fn framed(probe: &Probe<'_>, magic: &[u8]) -> Option<Certainty> {
    if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] = *probe.head.as_slice() {
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
        let next = read_up_to(probe.source, (length as u64).saturating_add(8), magic.len());
        return (next == magic).then_some(Certainty::Certain);
    }
    certain(probe, magic)
}

fn bzip2(probe: &Probe<'_>) -> Option<Certainty> {
    let block = [b"1AY&SY".as_slice(), b"\x17\x72\x45\x38\x50\x90"];
    let fits = matches!(probe.head.as_slice(), [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] if block.iter().any(|block| rest.starts_with(block)));
    fits.then_some(Certainty::Certain)
}

/// There is no signature: plausible properties, a dictionary as encoders choose it, a plausible size, and the first byte
/// of the range coder, which is always zero.
fn lzma(probe: &Probe<'_>) -> Option<Certainty> {
    let &[properties, a, b, c, d, s0, s1, s2, s3, s4, s5, s6, s7, 0, ..] = probe.head.as_slice() else { return None };
    let dictionary = u32::from_le_bytes([a, b, c, d]);
    let size = u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
    let usual = dictionary >= 4096 && (dictionary.is_power_of_two() || dictionary.checked_div(3)?.is_power_of_two());
    let chosen = usual || dictionary == u32::MAX;
    if properties >= 225 || !chosen || (size != u64::MAX && size > 1 << 40) {
        return None;
    }
    Some(if properties == 0x5d { Certainty::Likely } else { Certainty::Possible })
}

/// There is no signature: a header whose two bytes check each other, and a stream that decodes.
fn zlib(probe: &Probe<'_>) -> Option<Certainty> {
    let &[method, flags, ..] = probe.head.as_slice() else { return None };
    let header = method & 0x0f == 8 && method >> 4 <= 7 && u16::from_be_bytes([method, flags]).is_multiple_of(31);
    let body = probe.head.get(2..probe.head.len().min(TRIED)).unwrap_or_default();
    if !header || flags & 0x20 != 0 || !decode::inflates(body) {
        return None;
    }
    Some(if method == 0x78 && matches!(flags, 0x01 | 0x5e | 0x9c | 0xda) {
        Certainty::Likely
    } else {
        Certainty::Possible
    })
}

impl Format for Compressed {
    fn meta(&self) -> &'static Meta {
        self.meta
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        // A store of compressed chunks, with its directory behind them, is no stream.
        if crate::ocdbt::is_data(probe) {
            return None;
        }
        (self.tell)(probe)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        if self.encoding == Encoding::Gzip {
            gzip(source, facts);
        }
        let child = Child {
            name: self.plain_name(context.name),
            offset: 0,
            length: source.len(),
            encoding: self.encoding,
            declared: None,
            role: Role::Unknown,
        };
        facts.push(Position::Offset(0), FactKind::Child(child));
    }
}

impl Compressed {
    /// The name without what the compression added to it.
    fn plain_name(&self, name: &str) -> String {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let plain = self.endings.iter().find_map(|(ending, instead)| {
            let stem = name.len().checked_sub(ending.len())?;
            let fits = name.get(stem..)?.eq_ignore_ascii_case(ending) && stem > 0;
            fits.then(|| format!("{}{instead}", name.get(..stem).unwrap_or_default()))
        });
        plain.unwrap_or_else(|| if name.is_empty() { "content".into() } else { name.to_owned() })
    }
}

fn gzip(source: &dyn Source, facts: &mut Facts) {
    let mut feed = Feed::new(Window::new(source, 0, source.len()));
    let Ok(header) = decode::gzip_header(&mut feed) else { return };
    if let Some(name) = header.name {
        names::check(&name, 0, facts);
        facts.property("name", name);
    }
    if let Some(comment) = header.comment {
        facts.property("comment", comment);
    }
    if header.extra > 0 {
        let child = Child::stored("the header's extra field", 12, header.extra.into());
        facts.push(Position::Offset(12), FactKind::Child(child));
    }
}

#[cfg(test)]
mod tests;
