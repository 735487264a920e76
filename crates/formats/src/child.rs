//! An artifact within an artifact. A parser names it; the engine opens it, under the same budget.

use serde::Serialize;

/// How a child's bytes are stored in its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Encoding {
    /// As they are: a range of the parent.
    Stored,
    /// Raw deflate, as in zip.
    Deflate,
    /// A zlib stream.
    Zlib,
    /// One or more gzip members.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// The older `.lzma` container.
    Lzma,
    /// Zstandard.
    Zstd,
    /// An LZ4 frame.
    Lz4,
    /// Entry of a 7z archive, by its index there; the range is the whole archive.
    SevenZip {
        /// Index among the archive's entries.
        index: u32,
    },
    /// Base64 text.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// UTF-8 text whose characters are bytes.
    Latin1,
    /// Text in UTF-16 or UTF-32, without its byte order mark.
    Wide {
        /// Bytes of one unit: 2 or 4.
        width: u8,
        /// Whether the first byte of a unit counts most.
        big: bool,
    },
}

/// What the parent uses the child for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whatever it turns out to be.
    Unknown,
    /// Raw numbers that no loader interprets: looked at only for what does not belong there.
    Numbers,
    /// A pickle, whatever its first bytes look like.
    Pickle,
}

/// A named range of the parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Child {
    /// Name within the parent; for people, never a path to write to.
    pub name: String,
    /// First stored byte, as an offset in the parent.
    pub offset: u64,
    /// Stored length in bytes.
    pub length: u64,
    /// How it is stored.
    pub encoding: Encoding,
    /// Decoded length in bytes, as far as the parent declares one.
    pub declared: Option<u64>,
    /// What the parent uses it for.
    pub role: Role,
}

/// Names of what follows the end of a parent start so, with the place behind.
const RESTS: &[&str] = &["trailing@", "bytes at "];

impl Child {
    /// Whether this is what follows the end of its parent, which may stand behind padding.
    #[must_use]
    pub fn is_rest(&self) -> bool {
        RESTS.iter().any(|start| self.name.starts_with(start))
    }

    /// A child stored as it is.
    #[must_use]
    pub fn stored(name: impl Into<String>, offset: u64, length: u64) -> Self {
        Self {
            name: name.into(),
            offset,
            length,
            encoding: Encoding::Stored,
            declared: Some(length),
            role: Role::Unknown,
        }
    }
}
