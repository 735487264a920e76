//! Whatever the bytes, every format ends, within its budget, and does not panic.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use waag_formats::budget::Budget;
use waag_formats::child::Role;
use waag_formats::facts::Facts;
use waag_formats::format::{Context, Probe};
use waag_formats::{FORMATS, recognise};

/// How the formats begin: enough for each parser to go past its signature.
const STARTS: &[&[u8]] = &[
    b"",
    b"\x80\x04\x95\x10\0\0\0\0\0\0\0",
    b"\x80\x02",
    b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.",
    b"\x10\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"",
    b"\x40\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},",
    b"{\"auto_map\":",
    b"{\"chat_template\":\"{{",
    b"[{\"a\":",
    b"{{ messages",
    b"{% for m in messages %}",
    b"PK\x03\x04\x14\0\0\0\0\0",
    b"PK\x05\x06\0\0\0\0\x01\0\x01\0",
    b"PK\x01\x02\x14\x03\x14\0",
    b"PK\x06\x06\x2c\0\0\0\0\0\0\0",
    b"7z\xbc\xaf\x27\x1c\0\x04",
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
    b"\x1f\x8b\x08\x1f",
    b"BZh91AY&SY",
    b"\xfd7zXZ\0\0\x04",
    b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0",
    b"\x28\xb5\x2f\xfd\x04\x58",
    b"\x50\x2a\x4d\x18\x04\0\0\0",
    b"\x04\x22\x4d\x18\x64\x40\xa7",
    b"\x78\x9c",
    b"\x93NUMPY\x01\0\x76\0{'descr': '<f8', 'fortran_order': False, 'shape': (",
    b"\x93NUMPY\x02\0",
    b"GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0",
    b"GGUF\x01\0\0\0\x01\0\0\0\x01\0\0\0",
    b"GGUF\0\0\0\x03",
    b"ggjt\x03\0\0\0",
    b"lmgg",
    b"\x7fELF\x02\x01\x01",
    b"MZ\x90\0",
    b"\xcf\xfa\xed\xfe",
    b"#!/bin/sh\n",
    b"import os\n",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
];

/// Names that make some formats look twice.
const NAMES: &[&str] = &[
    "model",
    "config.json",
    "chat_template.jinja",
    "model.safetensors",
    "a.tar",
    "x.joblib",
    "m.npz",
    "modeling.py",
    "",
];

/// Bytes that mean something to some format.
const TELLING: &[u8; 24] = b"\0\x01\x02\x04\x08\x10\x80\xff09az{}[]()\"',:.\n";

/// Parts of pickles.
const OPCODES: &[&[u8]] = &[
    b"\x80\x04",
    b"(",
    b"t",
    b"R",
    b"2",
    b"h\0",
    b"q\0",
    b"]",
    b"}",
    b"cos\nsystem\n",
    b"\x8c\x02os",
    b"\x93",
    b"\x85",
    b"e",
    b"u",
    b"s",
    b"b",
    b"o",
    b"0",
    b"1",
    b".",
    b"N",
    b"\x94",
    b"g0\n",
    b"\x95\x04\0\0\0\0\0\0\0",
];

/// Every format reads the bytes, whether it would recognise them or not.
fn read(bytes: &Vec<u8>, name: &str) {
    for role in [Role::Unknown, Role::Numbers, Role::Pickle] {
        let probe = Probe::new(bytes, name, role);
        let _ = recognise(&probe);
        for format in FORMATS {
            let budget = Budget::small();
            let mut facts = Facts::with_steps();
            format.inspect(bytes, &Context { name, role, budget: &budget }, &mut facts);
        }
    }
}

/// A tar header whose checksum is right, whatever its fields are.
fn tar_header(fields: &[u8]) -> Vec<u8> {
    let mut header: Vec<u8> = fields.iter().copied().chain(std::iter::repeat(0)).take(512).collect();
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_end(bytes in vec(any::<u8>(), 0..600), name in select(NAMES)) {
        read(&bytes, name);
    }

    #[test]
    fn arbitrary_bytes_behind_a_signature_end(
        start in select(STARTS),
        rest in prop_oneof![vec(any::<u8>(), 0..600), vec(select(&TELLING[..]), 0..600)],
        name in select(NAMES),
    ) {
        read(&[start, &rest].concat(), name);
    }

    #[test]
    fn two_formats_in_one_file_end(
        one in select(STARTS),
        between in vec(any::<u8>(), 0..80),
        other in select(STARTS),
        rest in vec(any::<u8>(), 0..80),
    ) {
        read(&[one, &between, other, &rest].concat(), "model");
    }

    #[test]
    fn lines_of_opcodes_end(
        parts in vec(select(OPCODES), 0..200),
    ) {
        read(&parts.concat(), "model.pkl");
    }

    #[test]
    fn tar_headers_end(fields in vec(any::<u8>(), 0..512), data in vec(any::<u8>(), 0..600)) {
        read(&[tar_header(&fields), data, vec![0; 1024]].concat(), "a.tar");
    }
}
