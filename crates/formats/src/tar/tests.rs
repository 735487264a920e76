//! Honest archives have nothing to report; each attack is named after what it is.

use super::*;
use crate::budget::Budget;

fn block(name: &str, kind: u8, size: usize, link: &str, magic: bool) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link.as_bytes());
    if magic {
        block[257..265].copy_from_slice(b"ustar\x0000");
    }
    seal(&mut block);
    block
}

fn seal(block: &mut [u8]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn entry(name: &str, kind: u8, bytes: &[u8], link: &str) -> Vec<u8> {
    let mut out = block(name, kind, bytes.len(), link, true);
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn file(name: &str, bytes: &[u8]) -> Vec<u8> {
    entry(name, b'0', bytes, "")
}

fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut out = entries.concat();
    out.resize(out.len() + 1024, 0);
    out
}

fn inspect(bytes: &Vec<u8>) -> Facts {
    let mut facts = Facts::new();
    let budget = Budget::small();
    Tar.inspect(bytes, &Context { name: "x.tar", role: Role::Unknown, budget: &budget }, &mut facts);
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

#[test]
fn an_honest_archive_has_no_anomalies() {
    let bytes = archive(&[entry("d/", b'5', b"", ""), file("d/a", b"hello"), file("b", b"")]);
    let facts = inspect(&bytes);
    assert_eq!(anomalies(&facts), []);
    let children = children(&facts);
    assert_eq!(children.len(), 1);
    assert_eq!(&bytes[children[0].offset as usize..][..5], b"hello");
    assert_eq!(Tar.recognise(&Probe::new(&bytes, "x", Role::Unknown)), Some(Certainty::Certain));
}

#[test]
fn an_archive_without_magic_is_told_by_its_checksum() {
    let mut bytes = block("old", b'0', 0, "", false);
    bytes.extend([0; 1024]);
    assert_eq!(Tar.recognise(&Probe::new(&bytes, "x", Role::Unknown)), Some(Certainty::Likely));
    bytes[0] ^= 1;
    assert_eq!(Tar.recognise(&Probe::new(&bytes, "x", Role::Unknown)), None);
}

#[test]
fn traversal_by_name_and_by_link() {
    for attack in [
        file("../../etc/cron.d/x", b"x"),
        file("/etc/passwd", b"x"),
        entry("link", b'2', b"", "/etc"),
        entry("a/link", b'2', b"", "../../etc"),
        entry("hard", b'1', b"", "../x"),
    ] {
        assert!(inspect(&archive(&[attack])).has_anomaly(Anomaly::PathTraversal));
    }
    let inside = inspect(&archive(&[entry("a/link", b'2', b"", "../b")]));
    assert_eq!(anomalies(&inside), []);
}

#[test]
fn links_that_stay_are_ordinary() {
    let links = [
        file("v1/config.json", b"{}"),
        entry("latest", b'2', b"", "v1"),
        entry("./v2/config.json", b'1', b"", "v1/config.json"),
    ];
    assert_eq!(anomalies(&inspect(&archive(&links))), []);
}

#[test]
fn links_that_move_what_is_unpacked_are_said() {
    let through = [entry("a", b'2', b"", "b"), file("./a/x", b"1")];
    assert_eq!(anomalies(&inspect(&archive(&through))), [Anomaly::Link]);
    let back = [entry("a", b'2', b"", "b/c"), entry("d", b'2', b"", "a/../../x")];
    assert!(inspect(&archive(&back)).has_anomaly(Anomaly::PathTraversal));
    let back = [entry("x/y/a", b'2', b"", "../../b"), entry("x/y/d", b'2', b"", "a/../../z")];
    assert_eq!(anomalies(&inspect(&archive(&back))), [Anomaly::Link]);
    let nothing = [entry("a", b'1', b"", "elsewhere")];
    assert_eq!(anomalies(&inspect(&archive(&nothing))), [Anomaly::Link]);
}

#[test]
fn devices_and_pipes_are_said() {
    for kind in *b"346" {
        assert_eq!(anomalies(&inspect(&archive(&[entry("a", kind, b"", "")]))), [Anomaly::Link]);
    }
}

#[test]
fn a_long_name_replaces_the_short_one() {
    let long = "../".to_owned() + &"x".repeat(200);
    let bytes = archive(&[entry("././@LongLink", b'L', format!("{long}\0").as_bytes(), ""), file("harmless", b"x")]);
    let facts = inspect(&bytes);
    assert!(facts.has_anomaly(Anomaly::PathTraversal));
    assert_eq!(children(&facts)[0].name, long);
}

#[test]
fn pax_records_rename_and_resize() {
    let bytes = archive(&[entry("pax", b'x', b"16 path=../evil\n9 size=3\n", ""), file("harmless", b"12345")]);
    let facts = inspect(&bytes);
    assert!(facts.has_anomaly(Anomaly::PathTraversal) && facts.has_anomaly(Anomaly::HeaderDisagreement));
    assert_eq!((children(&facts)[0].name.as_str(), children(&facts)[0].length), ("../evil", 3));
}

#[test]
fn names_twice_are_found() {
    assert!(inspect(&archive(&[file("a", b"1"), file("./a", b"2")])).has_anomaly(Anomaly::DuplicateName));
}

#[test]
fn what_stands_behind_the_end_is_found() {
    let mut bytes = archive(&[file("a", b"1")]);
    bytes.extend(archive(&[file("evil.pkl", b"x")]));
    let facts = inspect(&bytes);
    assert_eq!(anomalies(&facts), [Anomaly::TrailingBytes]);
    let hidden = children(&facts).remove(0);
    assert_eq!(&bytes[hidden.offset as usize..][..8], b"evil.pkl");
}

#[test]
fn a_member_cut_off_is_said() {
    let mut bytes = archive(&[file("a", &[1; 5000])]);
    bytes.truncate(1000);
    assert!(inspect(&bytes).has_anomaly(Anomaly::OutOfBounds));
}

#[test]
fn the_tars_of_old_torch_are_told() {
    let names = ["sys_info", "pickle", "tensors", "storages"];
    let facts = inspect(&archive(&names.map(|name| file(name, b"\x80\x02."))));
    assert_eq!(facts.find_property("layout"), Some("pytorch-tar"));
    let pickles = children(&facts).iter().filter(|child| child.role == Role::Pickle).count();
    assert_eq!(pickles, 3);
}

#[test]
fn nothing_that_can_be_done_to_an_archive_makes_the_reader_fail() {
    let sample = archive(&[
        entry("pax", b'x', b"16 path=../evil\n9 size=3\n", ""),
        file("a", b"hello"),
        entry("././@LongLink", b'L', b"name\0", ""),
        entry("link", b'2', b"", "a"),
    ]);
    waag_testkit::mutate(&sample, 3000, |mut bytes| {
        // Most damage would end the reading at the checksum; mend it.
        for at in (0..bytes.len() / 512).map(|index| index * 512) {
            if bytes[at..at + 512].iter().any(|&byte| byte != 0) {
                seal(&mut bytes[at..at + 512]);
            }
        }
        assert!(inspect(&bytes).list().len() < 200);
    });
}
