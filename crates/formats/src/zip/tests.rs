//! Honest archives have nothing to report; each attack is named after what it is.

use super::build::{Archive, Member};
use super::*;
use crate::budget::Budget;
use crate::child::{Encoding, Role};

const PICKLE: &[u8] = b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.";

fn inspect(bytes: &Vec<u8>) -> Facts {
    let mut facts = Facts::new();
    let budget = Budget::small();
    Zip.inspect(bytes, &Context { name: "test.zip", role: Role::Unknown, budget: &budget }, &mut facts);
    facts
}

fn anomalies(facts: &Facts) -> Vec<Anomaly> {
    let kinds = facts.list().iter().filter_map(|fact| match &fact.kind {
        FactKind::Anomaly { anomaly, .. } => Some(*anomaly),
        _ => None,
    });
    kinds.collect()
}

fn children(facts: &Facts) -> Vec<Child> {
    let kinds = facts.list().iter().filter_map(|fact| match &fact.kind {
        FactKind::Child(child) => Some(child.clone()),
        _ => None,
    });
    kinds.collect()
}

fn content<'a>(bytes: &'a [u8], child: &Child) -> &'a [u8] {
    &bytes[child.offset as usize..][..child.length as usize]
}

/// The archive as it is written and what has to be found in it.
fn expect(archive: &Archive, anomaly: Anomaly) -> Facts {
    let facts = inspect(&archive.finish());
    assert!(facts.has_anomaly(anomaly), "{anomaly:?} is not among {:?}", facts.list());
    facts
}

fn torch() -> Archive {
    let member = |name: &str, bytes: &[u8]| Member { descriptor: true, ..Member::stored(name, bytes) };
    Archive::new()
        .member(member("m/data.pkl", PICKLE))
        .member(member("m/version", b"3\n"))
        .member(member("m/data/0", &[0; 64]))
        .zip64()
}

#[test]
fn archives_of_macs_say_the_size_before_the_data_and_the_stored_size_behind_them() {
    let member = |size| Member { descriptor: true, says_size: true, size, ..Member::deflated("a.txt", &[7; 1000]) };
    let facts = inspect(&Archive::new().member(member(1000)).finish());
    assert_eq!(anomalies(&facts), []);
    assert!(matches!(children(&facts).as_slice(), [Child { declared: Some(1000), .. }]));
}

#[test]
fn an_honest_archive_has_no_anomalies() {
    let archive = Archive::new().file("a.txt", b"hello").file("b/", b"").member(Member::deflated("b/c", &[7; 1000]));
    let bytes = archive.finish();
    let facts = inspect(&bytes);
    assert_eq!(anomalies(&facts), []);
    assert_eq!(facts.find_property("members"), Some("3"));
    let children = children(&facts);
    assert_eq!(children.iter().map(|child| child.name.as_str()).collect::<Vec<_>>(), ["a.txt", "b/c"]);
    assert_eq!(content(&bytes, &children[0]), b"hello");
    assert_eq!((children[1].encoding, children[1].declared), (Encoding::Deflate, Some(1000)));
}

#[test]
fn torch_archives_are_told_and_their_storages_are_numbers() {
    let facts = inspect(&torch().finish());
    assert_eq!(anomalies(&facts), []);
    assert_eq!(facts.find_property("layout"), Some("pytorch-zip"));
    let roles: Vec<_> = children(&facts).iter().map(|child| child.role).collect();
    assert_eq!(roles, [Role::Pickle, Role::Unknown, Role::Numbers]);
}

/// Counts the bytes that are read.
struct Counting(Vec<u8>, std::sync::atomic::AtomicUsize);

impl Source for Counting {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, crate::source::ReadError> {
        let read = self.0.read_at(offset, buffer)?;
        self.1.fetch_add(read, std::sync::atomic::Ordering::Relaxed);
        Ok(read)
    }
}

#[test]
fn the_data_of_members_are_not_read() {
    let member = |name: &str| Member { descriptor: true, ..Member::stored(name, &[1; 4 << 20]) };
    let bytes = torch().member(member("m/data/1")).member(member("m/data/2")).finish();
    let source = Counting(bytes, std::sync::atomic::AtomicUsize::new(0));
    let (mut facts, budget) = (Facts::new(), Budget::small());
    Zip.inspect(&source, &Context { name: "x.pt", role: Role::Unknown, budget: &budget }, &mut facts);
    assert_eq!(anomalies(&facts), []);
    assert!(source.1.into_inner() < 256 << 10);
}

#[test]
fn what_was_piped_into_an_archiver_is_a_file() {
    let member = Member { attributes: 0o010_600 << 16, ..Member::stored("-", b"x") };
    assert_eq!(anomalies(&inspect(&Archive::new().member(member).finish())), []);
}

#[test]
fn an_empty_archive_is_one() {
    assert_eq!(anomalies(&inspect(&Archive::new().finish())), []);
}

#[test]
fn cve_2025_1944_name_mismatch() {
    let member = Member { local_name: Some(b"m/data.pkX".to_vec()), ..Member::stored("m/data.pkl", PICKLE) };
    let facts = expect(&Archive::new().member(member), Anomaly::HeaderDisagreement);
    assert_eq!(children(&facts).len(), 1);
}

#[test]
fn cve_2025_1945_flag_bits() {
    for (flags, local_flags) in [(1, Some(0)), (0, Some(1)), (0x20, Some(0)), (1, None)] {
        let member = Member { flags, local_flags, ..Member::stored("m/data.pkl", PICKLE) };
        let bytes = Archive::new().member(member).finish();
        let facts = inspect(&bytes);
        let expected = if local_flags.is_some() { Anomaly::HeaderDisagreement } else { Anomaly::Encrypted };
        assert!(facts.has_anomaly(expected), "{flags}");
        assert_eq!(content(&bytes, &children(&facts)[0]), PICKLE);
    }
}

#[test]
fn cve_2025_10156_bad_crc() {
    let member = Member { crc: 0, ..Member::deflated("m/data.pkl", PICKLE) };
    let facts = inspect(&Archive::new().member(member).finish());
    assert_eq!(children(&facts).len(), 1);
}

#[test]
fn a_size_that_differs_gives_both_readings() {
    let member = Member { local_size: Some(4), ..Member::stored("m/data.pkl", PICKLE) };
    let facts = expect(&Archive::new().member(member), Anomaly::HeaderDisagreement);
    let lengths: Vec<_> = children(&facts).iter().map(|child| child.length).collect();
    assert!(lengths.contains(&4) && lengths.contains(&(PICKLE.len() as u64)), "{lengths:?}");
}

#[test]
fn a_method_that_differs_gives_both_readings() {
    let member = Member { local_method: Some(8), ..Member::stored("m/data.pkl", PICKLE) };
    let facts = expect(&Archive::new().member(member), Anomaly::HeaderDisagreement);
    let encodings: Vec<_> = children(&facts).iter().map(|child| child.encoding).collect();
    assert_eq!(encodings, [Encoding::Stored, Encoding::Deflate]);
}

#[test]
fn a_pickle_said_to_be_compressed_is_looked_at_as_it_is() {
    let member = Member { method: 8, ..Member::stored("m/data.pkl", PICKLE) };
    let facts = inspect(&Archive::new().member(member).finish());
    assert!(children(&facts).iter().any(|child| child.encoding == Encoding::Stored));
}

#[test]
fn a_method_nobody_reads_is_said() {
    let facts = inspect(&Archive::new().member(Member { method: 99, ..Member::stored("a", PICKLE) }).finish());
    assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Incomplete { reason: Gap::Unsupported, .. })));
}

#[test]
fn a_hidden_local_record_is_found() {
    let hidden = Member { hidden: true, ..Member::stored("evil.pkl", PICKLE) };
    let archive = Archive::new().file("a", b"x").member(hidden).file("b", b"y");
    let facts = expect(&archive, Anomaly::HiddenContent);
    let bytes = archive.finish();
    let found = children(&facts).into_iter().find(|child| child.name.starts_with("evil.pkl")).unwrap();
    assert_eq!(content(&bytes, &found), PICKLE);
}

#[test]
fn a_hidden_record_behind_other_bytes_is_found() {
    let mut before = b"filler".to_vec();
    before.extend(&Archive::new().file("evil.pkl", PICKLE).finish()[..60]);
    let archive = Archive::new().file("a", b"x").member(Member { before, ..Member::stored("b", b"y") });
    let facts = expect(&archive, Anomaly::HiddenContent);
    assert!(children(&facts).iter().any(|child| child.name.starts_with("evil.pkl")));
    assert!(children(&facts).iter().any(|child| child.name == "bytes between records"));
}

#[test]
fn zeros_between_records_are_padding() {
    let archive = Archive::new().file("a", b"x").member(Member { before: vec![0; 40], ..Member::stored("b", b"y") });
    assert_eq!(anomalies(&inspect(&archive.finish())), []);
}

#[test]
fn prepended_data_is_found() {
    let mut bytes = PICKLE.to_vec();
    bytes.extend(torch().finish());
    let facts = inspect(&bytes);
    assert_eq!(anomalies(&facts), [Anomaly::LeadingBytes], "{:?}", facts.list());
    assert_eq!(children(&facts).len(), 4);
    assert_eq!(Zip.recognise(&Probe::new(&bytes, "x", Role::Unknown)), Some(Certainty::Likely));
}

#[test]
fn appended_data_are_found() {
    let facts = expect(&torch().after(PICKLE), Anomaly::TrailingBytes);
    assert_eq!(anomalies(&facts).len(), 1);
    assert!(children(&facts).iter().any(|child| child.name == "bytes after the end of the archive"));
}

#[test]
fn a_tar_that_ends_with_an_archive_is_not_likely_an_archive() {
    let mut bytes = vec![b'a'; 512];
    bytes.extend(torch().after(&[0; 1024]).finish());
    assert_eq!(Zip.recognise(&Probe::new(&bytes, "x", Role::Unknown)), Some(Certainty::Possible));
}

#[test]
fn two_end_records_give_both_directories() {
    let mut second = torch().finish();
    second.extend(Archive::new().file("evil.pkl", PICKLE).finish());
    let facts = inspect(&second);
    assert!(facts.has_anomaly(Anomaly::HeaderDisagreement));
    let names: Vec<_> = children(&facts).into_iter().map(|child| child.name).collect();
    assert!(names.iter().any(|name| name == "evil.pkl") && names.iter().any(|name| name == "m/data.pkl"), "{names:?}");
}

#[test]
fn an_end_record_in_the_comment_is_found() {
    let inner = Archive::new().file("evil.pkl", PICKLE).finish();
    let facts = expect(&torch().comment(&inner), Anomaly::HeaderDisagreement);
    assert!(children(&facts).iter().any(|child| child.name == "the comment"));
    let mut truncated = inner;
    truncated.truncate(60);
    expect(&torch().comment(&truncated), Anomaly::HiddenContent);
    assert_eq!(anomalies(&inspect(&torch().comment(b"made by hand").finish())), []);
}

#[test]
fn a_comment_full_of_signatures_hides_nothing() {
    let facts =
        expect(&torch().comment(&b"PK\x05\x06\xff\xff\xff\xff\xff\xff\xff".repeat(400)), Anomaly::HiddenContent);
    assert!(children(&facts).iter().any(|child| child.name == "m/data.pkl"));
}

#[test]
fn an_archive_in_an_archive_is_no_second_end() {
    let inner = Archive::new().file("a", b"x").finish();
    assert_eq!(anomalies(&inspect(&Archive::new().file("inner.zip", &inner).finish())), []);
}

#[test]
fn a_count_that_lies_is_found() {
    let facts = expect(&torch().entries(2), Anomaly::HeaderDisagreement);
    assert_eq!(children(&facts).len(), 3);
}

#[test]
fn a_zip64_record_that_differs_is_found() {
    let mut bytes = torch().finish();
    let length = bytes.len();
    bytes[length - 12] = 1;
    assert!(inspect(&bytes).has_anomaly(Anomaly::HeaderDisagreement));
}

#[test]
fn names_twice_are_found() {
    expect(&Archive::new().file("m/data.pkl", b"x").file("m/data.pkl", PICKLE), Anomaly::DuplicateName);
    expect(&Archive::new().file("m/data.pkl", b"x").file("m/DATA.pkl", PICKLE), Anomaly::DuplicateName);
}

#[test]
fn a_second_program_in_another_folder_is_found() {
    expect(&torch().file("other/data.pkl", PICKLE), Anomaly::HiddenContent);
}

#[test]
fn overlap_bomb() {
    let mut archive = Archive::new().member(Member::deflated("a", &vec![0; 1 << 20]));
    for index in 0..50 {
        let member = Member {
            size: 1 << 20,
            method: 8,
            header: Some(0),
            ..Member::deflated(&format!("{index}"), &vec![0; 1 << 20])
        };
        archive = archive.member(member);
    }
    let facts = expect(&archive, Anomaly::Overlap);
    assert_eq!(children(&facts).len(), 1, "one range is one child");
}

#[test]
fn quine_like_self_overlap() {
    let honest = Archive::new().file("a", &[1; 40]).finish();
    let mut bytes = honest.clone();
    let length = honest.len() as u32;
    bytes[18..22].copy_from_slice(&length.to_le_bytes());
    bytes[22..26].copy_from_slice(&length.to_le_bytes());
    let central = honest.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    bytes[central + 20..central + 24].copy_from_slice(&length.to_le_bytes());
    bytes[central + 24..central + 28].copy_from_slice(&length.to_le_bytes());
    let facts = inspect(&bytes);
    assert!(facts.has_anomaly(Anomaly::Overlap) && facts.has_anomaly(Anomaly::OutOfBounds), "{:?}", facts.list());
}

#[test]
fn a_size_no_stream_can_reach_is_a_bomb() {
    let member = Member { size: 4_000_000_000, ..Member::deflated("a", &[0; 1000]) };
    expect(&Archive::new().member(member), Anomaly::ExpansionBomb);
}

#[test]
fn links_and_ways_out_are_found() {
    let link = Member { attributes: 0o120_777 << 16, ..Member::stored("link", b"/etc/passwd") };
    let facts = expect(&Archive::new().member(link), Anomaly::Link);
    assert!(facts.has_anomaly(Anomaly::PathTraversal));
    expect(&Archive::new().file("../x", b""), Anomaly::PathTraversal);
    expect(&Archive::new().file("a\u{202e}b", b""), Anomaly::DeceptiveName);
    expect(&Archive::new().file("data.pkl\0.txt", b""), Anomaly::DeceptiveName);
}

#[test]
fn a_second_name_is_found() {
    let mut extra = vec![0x75, 0x70, 13, 0, 1];
    extra.extend(super::extra::crc32(b"a.txt").to_le_bytes());
    extra.extend(b"evil.pkl");
    expect(&Archive::new().member(Member { extra, ..Member::stored("a.txt", b"x") }), Anomaly::HeaderDisagreement);
}

#[test]
fn an_archive_without_its_end_is_read_as_a_stream() {
    let mut bytes = torch().finish();
    let central = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    bytes.truncate(central);
    let facts = inspect(&bytes);
    assert!(facts.has_anomaly(Anomaly::Malformed));
    assert_eq!(children(&facts).len(), 4, "{:?}", facts.list());
}

#[test]
fn a_member_past_the_end_is_said() {
    expect(&Archive::new().member(Member { header: Some(1 << 30), ..Member::stored("a", b"x") }), Anomaly::OutOfBounds);
}

#[test]
fn nothing_that_can_be_done_to_an_archive_makes_the_reader_fail() {
    let sample = torch().member(Member::deflated("x", &[3; 300])).comment(b"a comment").finish();
    waag_testkit::mutate(&sample, 4000, |bytes| {
        let facts = inspect(&bytes);
        assert!(facts.list().len() < 2000);
    });
}
