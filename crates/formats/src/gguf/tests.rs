//! Tests of the GGUF reader; the files are made here.

use super::*;
use crate::fact::FactKind;
use crate::testing::{inspect, mutate, oddities};

/// A file, written in either byte order and any version.
struct Writer {
    bytes: Vec<u8>,
    big: bool,
    narrow: bool,
}

impl Writer {
    fn new(version: u32, big: bool, tensors: u64, pairs: u64) -> Self {
        let mut writer = Self { bytes: b"GGUF".to_vec(), big, narrow: version == 1 };
        writer.u32(version).count(tensors).count(pairs);
        writer
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn count(&mut self, value: u64) -> &mut Self {
        if self.narrow { self.u32(value as u32) } else { self.u64(value) }
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.count(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    fn pair(&mut self, key: &str, value: &str) -> &mut Self {
        self.text(key).u32(8).text(value)
    }

    fn tensor(&mut self, name: &str, shape: &[u64], kind: u32, offset: u64) -> &mut Self {
        self.text(name).u32(shape.len() as u32);
        for extent in shape {
            self.count(*extent);
        }
        self.u32(kind).u64(offset)
    }

    fn data(&mut self, count: usize) -> Vec<u8> {
        self.bytes.resize(self.bytes.len().next_multiple_of(32) + count, 0);
        std::mem::take(&mut self.bytes)
    }
}

fn good(version: u32, big: bool) -> Vec<u8> {
    let mut file = Writer::new(version, big, 2, 6);
    file.pair("general.architecture", "llama").pair("general.name", "Tiny");
    file.text("general.file_type").u32(4).u32(15);
    file.text("general.alignment").u32(4).u32(32);
    file.text("tokenizer.ggml.tokens").u32(9).u32(8).count(4).text("a").text("b").text("c").text("d");
    file.pair("tokenizer.chat_template", "{% for m in messages %}{{ m['content'] }}{% endfor %}");
    file.tensor("a", &[3], 0, 0).tensor("b", &[256, 2], 12, 32).data(32 + 288)
}

fn odd(bytes: &[u8]) -> Vec<String> {
    oddities(&inspect(&Gguf, "model.gguf", bytes))
}

fn kinds(bytes: &[u8]) -> Vec<String> {
    odd(bytes).iter().map(|one| one.split('@').next().unwrap().to_owned()).collect()
}

#[test]
fn good_files_of_every_version_and_byte_order_have_nothing_odd() {
    for (version, big) in [(1, false), (2, false), (3, false), (3, true)] {
        let facts = inspect(&Gguf, "model.gguf", &good(version, big));
        assert_eq!(oddities(&facts), Vec::<String>::new(), "{version} {big}");
        assert_eq!(facts.find_property("architecture"), Some("llama"));
        assert_eq!(facts.find_property("quantization"), Some("Q4_K_M"));
        assert_eq!(facts.totals().parameters, 3 + 512);
        let template = |fact: &crate::fact::Fact| matches!(fact.kind, FactKind::Template { .. });
        assert_eq!(facts.list().iter().filter(|fact| template(fact)).count(), 1);
    }
}

#[test]
fn arrays_are_summarised() {
    let facts = inspect(&Gguf, "", &good(3, false));
    let found = facts.list().iter().any(
        |fact| matches!(&fact.kind, FactKind::Metadata { value, .. } if value == "string[4]: \"a\", \"b\", \"c\", …"),
    );
    assert!(found);
}

#[test]
fn cve_2024_34359_chat_template() {
    let template = "{{ ''.__class__.__mro__[1].__subclasses__() }}";
    for key in ["tokenizer.chat_template", "tokenizer.chat_template.tool_use"] {
        let facts = inspect(&Gguf, "", &Writer::new(3, false, 0, 1).pair(key, template).data(0));
        let reach = |fact: &crate::fact::Fact| matches!(fact.kind, FactKind::TemplateReach { .. });
        assert!(facts.list().iter().any(reach), "{key}");
    }
    let mut file = Writer::new(3, false, 0, 1);
    let bytes = file.text("tokenizer.chat_template").u32(9).u32(8).count(1).text(template).data(0);
    let facts = inspect(&Gguf, "", &bytes);
    assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::TemplateReach { .. })));
}

#[test]
fn a_template_is_found_although_the_rest_is_broken() {
    let bytes = Writer::new(3, false, 0, 9).pair("tokenizer.chat_template", "{{ lipsum }}").data(0);
    let facts = inspect(&Gguf, "", &bytes);
    assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::TemplateReach { .. })));
    assert!(!oddities(&facts).is_empty());
}

#[test]
fn cve_2024_21836_tensor_count() {
    assert_eq!(odd(&Writer::new(3, false, u64::MAX, 0).data(64))[0], "AllocationBomb@8");
}

#[test]
fn cve_2024_23605_pair_count() {
    assert_eq!(odd(&Writer::new(3, false, 0, 1 << 60).data(64))[0], "AllocationBomb@8");
}

#[test]
fn cve_2024_21825_array_length() {
    for kind in [4, 8, 9] {
        let mut file = Writer::new(3, false, 0, 1);
        let bytes = file.text("k").u32(9).u32(kind).u64(0x4000_0000_0000_0001).data(64);
        assert_eq!(kinds(&bytes), ["AllocationBomb"], "{kind}");
    }
}

#[test]
fn cve_2024_23496_string_length() {
    let mut file = Writer::new(3, false, 0, 1);
    assert_eq!(kinds(&file.u64(u64::MAX).data(64)), ["OutOfBounds"]);
    let mut file = Writer::new(3, false, 0, 1);
    assert_eq!(kinds(&file.text("k").u32(8).u64(u64::MAX).data(64)), ["OutOfBounds"]);
}

#[test]
fn cve_2024_21802_dimensions() {
    let bytes = Writer::new(3, false, 1, 0).tensor("a", &[1, 1, 1, 1, 1], 0, 0).data(64);
    assert_eq!(kinds(&bytes), ["Malformed"]);
}

#[test]
fn cve_2025_53630_and_2026_33298_size_overflow() {
    let bytes = Writer::new(3, false, 1, 0).tensor("a", &[1 << 32, 1 << 32], 0, 0).data(64);
    assert_eq!(kinds(&bytes), ["AllocationBomb"]);
    let bytes = Writer::new(3, false, 1, 0).tensor("a", &[1 << 62], 0, 0).data(64);
    assert_eq!(kinds(&bytes), ["AllocationBomb"]);
    let big = (1 << 60) - 32;
    let bytes = Writer::new(3, false, 2, 0).tensor("a", &[big], 0, 0).tensor("b", &[big], 0, 4 * big).data(64);
    assert!(kinds(&bytes).contains(&"OutOfBounds".to_owned()));
}

#[test]
fn bytes_that_belong_to_nothing_are_found() {
    let mut trailing = good(3, false);
    let length = trailing.len();
    trailing.extend_from_slice(b"PK\x03\x04");
    assert_eq!(odd(&trailing), [format!("TrailingBytes@{length}")]);
    let hole = Writer::new(3, false, 2, 0).tensor("a", &[8], 0, 0).tensor("b", &[8], 0, 64).data(96);
    assert_eq!(kinds(&hole), ["Hole"]);
    let overlap = Writer::new(3, false, 2, 0).tensor("a", &[16], 0, 0).tensor("b", &[8], 0, 32).data(64);
    assert_eq!(kinds(&overlap), ["Overlap"]);
    let mut padded = good(3, false);
    let at = length - 288 - 5;
    padded[at] = 1;
    assert_eq!(odd(&padded), [format!("HiddenContent@{at}")]);
}

#[test]
fn names_and_places_are_verified() {
    let file = |name: &str, shape: &[u64], kind, offset| {
        kinds(&Writer::new(3, false, 1, 0).tensor(name, shape, kind, offset).data(32))
    };
    assert_eq!(file("a", &[8], 0, 8), ["Malformed", "OutOfBounds", "Hole"]);
    assert_eq!(file("a", &[31], 2, 0), ["SizeMismatch"]);
    assert_eq!(file("a", &[8], 4, 0), ["Unsupported"]);
    assert_eq!(file("a", &[8], 999, 0), ["Malformed", "Unsupported"]);
    assert_eq!(file(&"a".repeat(64), &[8], 0, 0), ["Malformed"]);
    let twice = Writer::new(3, false, 2, 0).tensor("a", &[8], 0, 0).tensor("a", &[8], 0, 32).data(64);
    assert_eq!(kinds(&twice), ["DuplicateName"]);
    let keys = Writer::new(3, false, 0, 2).pair("a", "1").pair("a", "2").data(0);
    assert_eq!(kinds(&keys), ["DuplicateName"]);
    assert_eq!(kinds(&Writer::new(3, false, 0, 1).pair("a\u{202e}", "1").data(0)), ["Malformed"]);
    assert_eq!(kinds(&Writer::new(3, false, 0, 1).text("general.alignment").u32(4).u32(48).data(0)), ["Malformed"]);
}

#[test]
fn unknown_versions_and_kinds_are_incomplete() {
    assert_eq!(odd(&Writer::new(4, false, 0, 0).data(0)), ["Unsupported@4"]);
    assert_eq!(kinds(&Writer::new(3, false, 0, 1).text("k").u32(13).data(8)), ["Malformed", "Unreadable"]);
    assert_eq!(odd(&Writer::new(99, false, 0, 0).data(0)), ["Malformed@4", "Unsupported@4"]);
    assert_eq!(odd(b"GGUF"), ["OutOfBounds@4"]);
    assert_eq!(oddities(&inspect(&GgmlLegacy, "", b"tjgg\x03\x00\x00\x00")), ["Unsupported@0"]);
}

#[test]
fn another_magic_is_no_gguf() {
    let mut bytes = good(3, false);
    bytes[3] = b'G';
    assert_eq!(odd(&bytes), ["Malformed@0"]);
}

/// Two tokens, and a pair of another key.
fn with_tokens(write: impl FnOnce(&mut Writer)) -> Vec<String> {
    let mut file = Writer::new(3, false, 0, 2);
    file.text("tokenizer.ggml.tokens").u32(9).u32(8).count(2).text("a").text("b");
    write(&mut file);
    kinds(&file.data(0))
}

#[test]
fn the_keys_of_a_tokenizer_agree() {
    let scores = |count: u64| {
        with_tokens(|file| {
            file.text("tokenizer.ggml.scores").u32(9).u32(6).count(count);
            for _ in 0..count {
                file.u32(0);
            }
        })
    };
    assert_eq!(scores(1), ["SizeMismatch"]);
    assert_eq!(scores(2), Vec::<String>::new());
    let id = |id: u32| {
        with_tokens(|file| {
            file.text("tokenizer.ggml.bos_token_id").u32(4).u32(id);
        })
    };
    assert_eq!(id(4_000_000), ["SizeMismatch"]);
    for honest in [0, 1, 2, 300, u32::MAX] {
        assert_eq!(id(honest), Vec::<String>::new(), "{honest}");
    }
}

#[test]
fn well_known_keys_have_well_known_types() {
    let items = |key: &str, kind: u32| {
        with_tokens(|file| {
            file.text(key).u32(9).u32(kind).count(2);
            for _ in 0..2 {
                if kind == 8 {
                    file.text("x")
                } else {
                    file.u32(0)
                };
            }
        })
    };
    assert_eq!(items("tokenizer.ggml.token_type", 8), ["Malformed"]);
    assert_eq!(items("tokenizer.ggml.token_type", 5), Vec::<String>::new());
    assert_eq!(items("tokenizer.ggml.merges", 5), ["Malformed"]);
    assert_eq!(items("tokenizer.chat_template", 5), ["Malformed"]);
    assert_eq!(items("general.tags", 8), Vec::<String>::new());
    let number = with_tokens(|file| {
        file.text("general.architecture").u32(4).u32(1);
    });
    assert_eq!(number, ["Malformed"]);
}

#[test]
fn arrays_within_arrays_are_read_to_a_depth() {
    let nested = |levels: usize| {
        let mut file = Writer::new(3, false, 0, 1);
        file.text("k").u32(9);
        for _ in 1..levels {
            file.u32(9).u64(1);
        }
        file.u32(0).u64(1);
        file.bytes.push(7);
        kinds(&file.data(0))
    };
    assert_eq!(nested(3), Vec::<String>::new());
    assert_eq!(nested(50), ["Depth"]);
}

#[test]
fn no_mutation_panics() {
    for seed in [good(3, false), good(1, false), good(3, true)] {
        mutate(&seed, 2000, |bytes| drop(inspect(&Gguf, "m.gguf", &bytes)));
    }
}
