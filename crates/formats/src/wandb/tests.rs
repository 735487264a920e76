use super::frames::checksum;
use super::*;
use crate::testing::mutate;

/// A field with a length.
fn part(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = Vec::new();
    let tag = u32::from(number) << 3 | 2;
    varint(tag, &mut field);
    varint(bytes.len() as u32, &mut field);
    field.extend_from_slice(bytes);
    field
}

fn varint(mut value: u32, out: &mut Vec<u8>) {
    while value > 0x7F {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A log with these records, split into fragments where a block ends.
pub(super) fn log(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for record in records {
        let mut rest = record.as_slice();
        let mut first = true;
        loop {
            let left = 32_768 - bytes.len() % 32_768;
            if left < 7 {
                bytes.resize(bytes.len() + left, 0);
                continue;
            }
            let (now, later) = rest.split_at(rest.len().min(left - 7));
            let kind = match (first, later.is_empty()) {
                (true, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
                (false, true) => 4,
            };
            bytes.extend(checksum(kind, now).to_le_bytes());
            bytes.extend((now.len() as u16).to_le_bytes());
            bytes.push(kind);
            bytes.extend_from_slice(now);
            (rest, first) = (later, false);
            if rest.is_empty() {
                break;
            }
        }
    }
    bytes
}

fn records() -> Vec<Vec<u8>> {
    let config = part(4, &part(1, &[part(1, b"lr"), part(16, b"0.1")].concat()));
    let run = part(17, &[part(1, b"j399tisq"), part(3, b"iris"), config, part(21, &part(2, b"abc"))].concat());
    let file = part(4, &[part(1, b"model.bin"), part(2, b"Y/Tx6bclNw9FlyBXXNX5Uw=="), vec![0x20, 7]].concat());
    let artifact = part(8, &[part(4, b"model"), part(5, b"iris-model"), part(12, &file)].concat());
    let long = part(3, &part(1, &[part(1, b"notes"), part(16, &vec![b'x'; 70_000])].concat()));
    vec![part(21, &part(1, &part(1, b"0.31.0"))), run, artifact, long, part(18, &[0x08, 3])]
}

fn shown(bytes: &[u8]) -> (Vec<Record>, Outcome) {
    let mut list = Vec::new();
    let outcome = read(&bytes, &Budget::default(), &mut |_, record| list.push(record));
    (list, outcome)
}

#[test]
fn records_are_read_across_blocks() {
    let (list, outcome) = shown(&log(&records()));
    assert_eq!((outcome.records, outcome.damage.len(), list.len()), (5, 0, 5));
    let [Record::Producer(version), Record::Run(run), Record::Artifact(artifact), Record::Summary(notes), end] =
        list.as_slice()
    else {
        panic!("{list:?}")
    };
    assert_eq!((version.as_str(), run.id.as_str(), run.git.commit.as_str()), ("0.31.0", "j399tisq", "abc"));
    assert_eq!(run.config, [Pair { key: "lr".into(), value: "0.1".into() }]);
    let file = &artifact.files[0];
    assert_eq!((artifact.kind.as_str(), file.path.as_str(), file.size), ("model", "model.bin", 7));
    assert_eq!(notes[0].value.len(), 64 << 10, "a long text is cut");
    assert_eq!(end, &Record::Exit(3));
}

#[test]
fn a_changed_byte_is_told_and_its_record_left_out() {
    let mut bytes = log(&records());
    let at = bytes.windows(9).position(|window| window == b"model.bin").unwrap();
    bytes[at] = b'M';
    let (list, outcome) = shown(&bytes);
    assert!(list.iter().all(|record| !matches!(record, Record::Artifact(_))));
    assert!(outcome.damage[0].what.contains("checksum"), "{outcome:?}");
    assert_eq!(outcome.records, 4, "what follows is read");
}

#[test]
fn a_log_that_was_cut_off_is_told() {
    let bytes = log(&records());
    let (_, outcome) = shown(&bytes[..bytes.len() - 3]);
    assert!(outcome.damage.iter().any(|damage| damage.is_end), "{outcome:?}");
    assert!(shown(b":W&B\xE1\xBE\x01").1.damage[0].is_end);
    assert!(shown(b"").1.damage[0].is_end);
}

#[test]
fn no_mutation_panics() {
    mutate(&log(&records()[..3]), 3000, |bytes| drop(shown(&bytes)));
}

#[test]
fn messages_of_any_bytes_end() {
    mutate(&records().concat(), 3000, |bytes| drop(super::record::read(&bytes)));
}
