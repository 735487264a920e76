//! Compressed streams and archives, as other writers make them.

use std::io::{Cursor, Write};

use flate2::Compression;

/// A gzip member.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
    write(&mut encoder, bytes);
    encoder.finish().expect(MEMORY)
}

/// A zlib stream.
#[must_use]
pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    write(&mut encoder, bytes);
    encoder.finish().expect(MEMORY)
}

/// A bzip2 stream.
#[must_use]
pub fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    write(&mut encoder, bytes);
    encoder.finish().expect(MEMORY)
}

/// An LZ4 frame.
#[must_use]
pub fn lz4(bytes: &[u8]) -> Vec<u8> {
    let info = lz4_flex::frame::FrameInfo::new().block_size(lz4_flex::frame::BlockSize::Max64KB);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    write(&mut encoder, bytes);
    encoder.finish().expect(MEMORY)
}

/// A Zstandard frame.
#[must_use]
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// An xz stream.
#[must_use]
pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).expect(MEMORY);
    write(&mut encoder, bytes);
    encoder.finish().expect(MEMORY)
}

/// The older `.lzma` container.
#[must_use]
pub fn lzma(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::LzmaOptions::with_preset(1);
    let mut encoder = lzma_rust2::LzmaWriter::new_use_header(Vec::new(), &options, None).expect(MEMORY);
    write(&mut encoder, bytes);
    encoder.finish().expect(MEMORY)
}

/// A 7z archive of some files.
#[must_use]
pub fn sevenzip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).expect(MEMORY);
    for (name, bytes) in files {
        writer.push_archive_entry(sevenz_rust2::ArchiveEntry::new_file(name), Some(*bytes)).expect(MEMORY);
    }
    writer.finish().expect(MEMORY).into_inner()
}

/// A tar archive of some files.
#[must_use]
pub fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, bytes) in files {
        let mut header = vec![0; 512];
        let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
        put(0, name.as_bytes());
        put(100, b"0000644\0");
        put(124, format!("{:011o}\0", bytes.len()).as_bytes());
        put(148, b"        ");
        put(156, b"0");
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend(header);
        archive.extend(*bytes);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

const MEMORY: &str = "writing to memory does not fail";

fn write(encoder: &mut impl Write, bytes: &[u8]) {
    encoder.write_all(bytes).expect(MEMORY);
}
