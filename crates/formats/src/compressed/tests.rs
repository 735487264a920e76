//! Each stream is told from its bytes and gives one child.

use super::*;
use crate::budget::Budget;
use waag_testkit::encode::gzip as encode_gzip;
use waag_testkit::mutate;

use crate::decode::tests::{ENCODERS, text};
use crate::fact::Anomaly;

static ALL: [&Compressed; 7] = [&GZIP, &BZIP2, &XZ, &LZMA, &ZSTD, &LZ4, &ZLIB];

fn inspect(format: &Compressed, bytes: &Vec<u8>, name: &str) -> Facts {
    let mut facts = Facts::new();
    let budget = Budget::small();
    format.inspect(bytes, &Context { name, role: Role::Unknown, budget: &budget }, &mut facts);
    facts
}

fn names(facts: &Facts) -> Vec<String> {
    let kinds = facts.list().iter().filter_map(|fact| match &fact.kind {
        FactKind::Child(child) => Some(child.name.clone()),
        _ => None,
    });
    kinds.collect()
}

#[test]
fn every_stream_is_told_by_one_format_only() {
    for (encoding, encode, _) in ENCODERS.into_iter().filter(|(encoding, ..)| *encoding != Encoding::Deflate) {
        let stored = encode(&text());
        let probe = Probe::new(&stored, "x", Role::Unknown);
        let found: Vec<_> = ALL.iter().filter(|format| format.recognise(&probe).is_some()).collect();
        assert_eq!(found.len(), 1, "{encoding:?}");
        assert_eq!(found[0].encoding, encoding);
        assert!(found[0].recognise(&probe) >= Some(Certainty::Likely), "{encoding:?}");
    }
}

#[test]
fn joblib_wrappers_of_every_width_are_opened() {
    let stored = ENCODERS.into_iter().find(|(encoding, ..)| *encoding == Encoding::Zlib).unwrap().1(b"N.");
    for (header, name, role) in [
        ("ZF0x2                ", "model.pkl.z", Role::Unknown),
        ("ZF0x2                 ", "model.pkl", Role::Unknown),
        ("ZF0x2L               ", "model.pkl", Role::Unknown),
        ("ZF0x2              ", "model.pkl_01.npy.z", Role::Numbers),
    ] {
        let bytes = [header.as_bytes(), &stored].concat();
        assert_eq!(JoblibZfile.recognise(&Probe::new(&bytes, name, Role::Unknown)), Some(Certainty::Certain));
        let mut facts = Facts::new();
        let budget = Budget::small();
        JoblibZfile.inspect(&bytes, &Context { name, role: Role::Unknown, budget: &budget }, &mut facts);
        let Some(FactKind::Child(child)) = facts.list().first().map(|fact| &fact.kind) else { panic!("{header}") };
        let shape = (child.offset, child.length, child.declared, child.role);
        assert_eq!(shape, (header.len() as u64, stored.len() as u64, Some(2), role), "{header}");
    }
    assert_eq!(JoblibZfile.recognise(&Probe::new(&b"ZF is a word".to_vec(), "x", Role::Unknown)), None);
}

#[test]
fn ordinary_bytes_are_not_streams() {
    for bytes in
        [b"x\x01 is text".to_vec(), b"x\x9cabcdefghijk".to_vec(), b"BZh9 is a word".to_vec(), Vec::new(), vec![0; 600]]
    {
        let probe = Probe::new(&bytes, "x", Role::Unknown);
        assert!(ALL.iter().all(|format| format.recognise(&probe).is_none()), "{bytes:?}");
    }
}

#[test]
fn a_frame_behind_one_to_be_skipped_is_seen() {
    let mut stored = vec![0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    stored.extend([0x28, 0xb5, 0x2f, 0xfd]);
    let probe = Probe::new(&stored, "x", Role::Unknown);
    assert_eq!(ZSTD.recognise(&probe), Some(Certainty::Certain));
    assert_eq!(LZ4.recognise(&probe), None);
}

#[test]
fn the_child_has_the_plain_name() {
    let stored = encode_gzip(b"x");
    for (name, plain) in
        [("dir/model.pkl.GZ", "model.pkl"), ("a.tgz", "a.tar"), ("model.pkl", "model.pkl"), ("", "content")]
    {
        assert_eq!(names(&inspect(&GZIP, &stored, name)), [plain]);
    }
}

#[test]
fn the_gzip_header_is_read() {
    let mut stored = encode_gzip(b"x");
    stored[3] = 4 | 8;
    stored.splice(10..10, b"\x04\x00evil../up\0".to_vec());
    let facts = inspect(&GZIP, &stored, "x.gz");
    assert!(facts.has_anomaly(Anomaly::PathTraversal));
    assert_eq!(names(&facts), ["the header's extra field", "x"]);
}

#[test]
fn nothing_that_can_be_done_to_a_stream_makes_the_reader_fail() {
    for (_, encode, _) in ENCODERS {
        mutate(&encode(b"sample sample"), 1000, |bytes| {
            let probe = Probe::new(&bytes, "x", Role::Unknown);
            for format in ALL.iter().filter(|format| format.recognise(&probe).is_some()) {
                assert!(inspect(format, &bytes, "x").list().len() < 10);
            }
        });
    }
}
