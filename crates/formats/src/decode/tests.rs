//! Streams made by other writers, honest and damaged; and what each damage leaves.

use waag_testkit::encode::{bzip2, gzip, lz4, lzma, xz, zlib, zstd};
use waag_testkit::mutate;

use super::*;
use crate::zip::build::deflate;

pub(crate) fn child(bytes: &[u8], encoding: Encoding) -> Child {
    Child { encoding, declared: None, ..Child::stored("child", 0, bytes.len() as u64) }
}

fn run(bytes: &Vec<u8>, encoding: Encoding) -> (Vec<u8>, Result<Decoded, DecodeError>) {
    let mut out = Vec::new();
    let result = decode(bytes, &child(bytes, encoding), &Budget::small(), &mut out);
    (out, result)
}

fn whole(bytes: &Vec<u8>, encoding: Encoding) -> (Vec<u8>, Decoded) {
    let (out, result) = run(bytes, encoding);
    (out, result.unwrap())
}

/// Ten thousand bytes that compress, but not to nothing.
pub(crate) fn text() -> Vec<u8> {
    (0..10_000u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 28) as u8 + b'a').collect()
}

/// A way to encode, under the name of its encoding.
type Encoder = fn(&[u8]) -> Vec<u8>;

/// All encodings with frames that end by themselves, and whether one may follow another.
pub(crate) const ENCODERS: [(Encoding, Encoder, bool); 8] = [
    (Encoding::Deflate, deflate, false),
    (Encoding::Zlib, zlib, false),
    (Encoding::Gzip, gzip, true),
    (Encoding::Bzip2, bzip2, true),
    (Encoding::Xz, xz, true),
    (Encoding::Lzma, lzma, false),
    (Encoding::Zstd, zstd, true),
    (Encoding::Lz4, lz4, true),
];

#[test]
fn every_encoding_comes_back() {
    for (encoding, encode, _) in ENCODERS {
        let stored = encode(&text());
        let (out, decoded) = whole(&stored, encoding);
        assert!(out == text(), "{encoding:?}");
        let bytes = 10_000;
        let consumed = stored.len() as u64;
        assert_eq!(decoded, Decoded { bytes, consumed, trailing: 0, checksum_ok: true }, "{encoding:?}");
    }
}

#[test]
fn nothing_comes_back_as_nothing() {
    for (encoding, encode, _) in ENCODERS {
        assert_eq!(whole(&encode(b""), encoding).1.bytes, 0, "{encoding:?}");
    }
}

#[test]
fn one_stream_may_follow_another() {
    for (encoding, encode, _) in ENCODERS.into_iter().filter(|(_, _, chained)| *chained) {
        let stored = [encode(b"first "), encode(b"second")].concat();
        let (out, decoded) = whole(&stored, encoding);
        assert_eq!((out.as_slice(), decoded.trailing), (b"first second".as_slice(), 0), "{encoding:?}");
    }
}

#[test]
fn what_lies_behind_the_stream_is_counted() {
    for (encoding, encode, _) in ENCODERS {
        let stored = [encode(&text()), b"trailing pickle".to_vec()].concat();
        let (out, decoded) = whole(&stored, encoding);
        assert_eq!((out.len(), decoded.trailing), (10_000, 15), "{encoding:?}");
    }
}

#[test]
fn cve_2025_10156_a_wrong_checksum_stops_nothing() {
    for (encoding, encode) in [(Encoding::Gzip, gzip as Encoder), (Encoding::Zlib, zlib)] {
        let mut stored = encode(&text());
        let length = stored.len();
        let at = if encoding == Encoding::Gzip { length - 8 } else { length - 1 };
        stored[at] ^= 1;
        stored.extend(if encoding == Encoding::Gzip { gzip(b"second") } else { Vec::new() });
        let (out, decoded) = whole(&stored, encoding);
        assert!(out.starts_with(&text()) && !decoded.checksum_ok, "{encoding:?}");
    }
}

#[test]
fn what_comes_before_the_damage_is_written() {
    let mut noise = Vec::new();
    let mut state = 1u32;
    for _ in 0..600_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push((state >> 24) as u8);
    }
    for (encoding, encode, _) in ENCODERS {
        let mut stored = encode(&noise);
        stored.truncate(stored.len() - 50_000);
        let (out, result) = run(&stored, encoding);
        assert!(noise.starts_with(&out) && out.len() > 300_000, "{encoding:?} gave {}", out.len());
        assert!(encoding == Encoding::Lz4 || matches!(result, Err(DecodeError::Damaged(_))), "{encoding:?} {result:?}");
    }
}

#[test]
fn zeros_behind_gzip_are_part_of_it() {
    let stored = [gzip(b"x"), vec![0; 100_000]].concat();
    assert_eq!(whole(&stored, Encoding::Gzip).1.trailing, 0);
}

#[test]
fn a_budget_ends_the_stream() {
    for (encoding, encode, _) in ENCODERS {
        let stored = encode(&vec![7; 6 << 20]);
        let (out, result) = run(&stored, encoding);
        assert_eq!(result, Err(DecodeError::Exhausted(Exhausted::Expansion)), "{encoding:?}");
        assert!(out.len() <= 4 << 20);
    }
}

#[test]
fn a_bomb_is_one() {
    let stored = bzip2(&vec![0; 70 << 20]);
    let result = decode(&stored, &child(&stored, Encoding::Bzip2), &Budget::default(), &mut std::io::sink());
    assert_eq!(result, Err(DecodeError::Bomb));
}

#[test]
fn a_window_too_large_is_not_allocated() {
    let mut stored = lzma(b"x");
    stored[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(run(&stored, Encoding::Lzma).1, Err(DecodeError::Unsupported(_))));
    let stored = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8, 1, 0, 0];
    let result = run(&stored, Encoding::Zstd).1;
    assert!(matches!(result, Err(DecodeError::Unsupported(_))), "{result:?}");
}

#[test]
fn lzma_as_zip_stores_it_is_read() {
    let plain = lzma(&text());
    let mut stored = vec![9, 20, 5, 0];
    stored.extend(&plain[..5]);
    stored.extend(&plain[13..]);
    for declared in [None, Some(10_000)] {
        let mut out = Vec::new();
        let child = Child { declared, ..child(&stored, Encoding::Lzma) };
        let decoded = decode(&stored, &child, &Budget::small(), &mut out);
        assert!(out == text(), "{declared:?} {decoded:?}");
        assert_eq!(decoded.unwrap().trailing, 0);
    }
}

#[test]
fn base64_is_read_in_lines() {
    let (out, decoded) = whole(&b"aGVs\r\nbG8g d29ybGQ=\n".to_vec(), Encoding::Base64);
    assert_eq!((out.as_slice(), decoded.trailing), (b"hello world".as_slice(), 0));
    assert_eq!(whole(&b"aGk!rest".to_vec(), Encoding::Base64).1.trailing, 5);
}

#[test]
fn hexadecimal_digits_end_where_something_else_begins() {
    let (out, decoded) = whole(&b"68 65\n6C6c6f!".to_vec(), Encoding::Hex);
    assert_eq!((out.as_slice(), decoded.trailing), (&b"hello"[..], 1));
}

#[test]
fn nothing_that_can_be_done_to_a_stream_makes_the_decoder_fail() {
    for (encoding, encode, _) in ENCODERS {
        let sample = encode(&text()[..2000]);
        mutate(&sample, 1500, |bytes| {
            let (out, _) = run(&bytes, encoding);
            assert!(out.len() <= 4 << 20);
        });
    }
}
