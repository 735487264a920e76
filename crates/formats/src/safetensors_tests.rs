//! Tests of the safetensors reader, with the reference implementation as the oracle.

use proptest::prelude::*;

use super::*;
use crate::testing::{inspect, mutate, oddities};

fn file(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

fn odd(header: &str, data: usize) -> Vec<String> {
    oddities(&inspect(&Safetensors, "model.safetensors", &file(header, data)))
}

const GOOD: &str = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"F4","shape":[4],"data_offsets":[16,18]}}   "#;

#[test]
fn a_good_file_has_nothing_odd() {
    let bytes = file(GOOD, 18);
    let facts = inspect(&Safetensors, "", &bytes);
    assert_eq!(oddities(&facts), Vec::<String>::new());
    assert_eq!(facts.find_property("framework"), Some("pt"));
    assert_eq!((facts.totals().tensors, facts.totals().parameters, facts.totals().bytes), (2, 8, 18));
    let probe = Probe::new(&bytes, "x", crate::child::Role::Unknown);
    assert_eq!(Safetensors.recognise(&probe), Some(Certainty::Certain));
}

#[test]
fn scalars_and_empty_tensors_are_good() {
    let header = r#"{"s":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"e":{"dtype":"F32","shape":[0,7],"data_offsets":[8,8]}}"#;
    assert_eq!(odd(header, 8), Vec::<String>::new());
    assert_eq!(odd("{}", 0), Vec::<String>::new());
}

#[test]
fn every_way_to_hide_bytes_is_found() {
    assert_eq!(odd(r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}"#, 6), ["Hole@61"]);
    assert_eq!(odd(r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, 6), ["TrailingBytes@63"]);
    let overlap =
        r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#;
    assert_eq!(odd(overlap, 6).len(), 1);
    assert!(odd(overlap, 6)[0].starts_with("Overlap@"));
    assert!(odd("{} hidden", 0).contains(&"TrailingBytes@11".to_owned()));
    assert_eq!(odd(" {}", 0), ["Malformed@8"]);
}

#[test]
fn duplicate_names_are_found_through_escapes() {
    let header = r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#;
    assert_eq!(odd(header, 2), ["DuplicateName@61"]);
}

#[test]
fn sizes_that_contradict_or_overflow_are_found() {
    assert_eq!(odd(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4), ["SizeMismatch@13"]);
    let bomb = r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#;
    assert_eq!(odd(bomb, 4), ["AllocationBomb@13"]);
    assert_eq!(odd(r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[5,4]}}"#, 4)[0], "OutOfBounds@13");
    assert_eq!(odd(r#"{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}"#, 4), ["OutOfBounds@13"]);
    assert_eq!(odd(r#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#, 2), ["SizeMismatch@13"]);
}

#[test]
fn headers_of_the_wrong_shape_are_malformed() {
    let headers = [
        r#"{"a":{"dtype":"X9","shape":[1],"data_offsets":[0,1]}}"#,
        r#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}"#,
        r#"{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}"#,
        r#"{"a":{"dtype":"U8","shape":"1","data_offsets":[0,1]}}"#,
        r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}"#,
        r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}"#,
        r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":{"y":[1]}}}"#,
        r#"{"a":[1]}"#,
        r#"{"__metadata__":{"a":1}}"#,
        r#"{"__metadata__":[]}"#,
        "[]",
        "{",
        "",
    ];
    for header in headers {
        assert!(odd(header, 1).iter().any(|one| one.starts_with("Malformed")), "{header}: {:?}", odd(header, 1));
    }
}

#[test]
fn header_lengths_that_lie_are_found() {
    let bytes = [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat();
    assert_eq!(oddities(&inspect(&Safetensors, "", &bytes)), ["AllocationBomb@0"]);
    let bytes = [100u64.to_le_bytes().as_slice(), b"{}"].concat();
    assert_eq!(oddities(&inspect(&Safetensors, "", &bytes)), ["OutOfBounds@0"]);
    assert_eq!(oddities(&inspect(&Safetensors, "", b"abc")), ["Malformed@0"]);
}

#[test]
fn no_mutation_panics_and_none_that_the_reference_refuses_passes() {
    let seed = file(GOOD, 18);
    mutate(&seed, 4000, |bytes| {
        let clean = oddities(&inspect(&Safetensors, "m.safetensors", &bytes)).is_empty();
        let accepted = safetensors::SafeTensors::deserialize(&bytes).is_ok();
        assert!(accepted || !clean, "accepted here, refused there: {:?}", String::from_utf8_lossy(&bytes));
    });
}

/// A header of tensors one behind the other, each perhaps a little wrong.
fn headers() -> impl Strategy<Value = (String, usize)> {
    let dtype = prop::sample::select(DTYPES).prop_map(|(name, bits)| (name, bits as usize));
    let tensor =
        (dtype, prop::collection::vec(0usize..5, 0..4), prop::sample::select(vec![0i64, 0, 0, 0, 0, 1, -1, 8]));
    (prop::collection::vec(tensor, 0..5), prop::sample::select(vec![0usize, 0, 0, 1])).prop_map(|(tensors, extra)| {
        let (mut at, mut entries) = (0i64, Vec::new());
        for (index, ((dtype, bits), shape, slip)) in tensors.into_iter().enumerate() {
            let begin = at;
            at += (shape.iter().product::<usize>() * bits / 8) as i64 + slip;
            entries
                .push(format!(r#""t{index}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{begin},{at}]}}"#));
        }
        (format!("{{{}}}", entries.join(",")), at.max(0) as usize + extra)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_reference_reader_agrees((header, data) in headers()) {
        let bytes = file(&header, data);
        let clean = oddities(&inspect(&Safetensors, "m.safetensors", &bytes)).is_empty();
        let accepted = safetensors::SafeTensors::deserialize(&bytes).is_ok();
        prop_assert_eq!(clean, accepted, "{}", header);
    }
}
