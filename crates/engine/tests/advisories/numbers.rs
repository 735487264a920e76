//! Advisories about readers of plain weights: counts, sizes and offsets that lie.

use crate::build::{gguf, gguf_pair, gguf_tensor, gguf_text, safetensors};
use crate::denied;

const RULE: &str = "malformed-structure";
const BOMB: &str = "resource-bomb";

#[test]
fn cve_2024_21802_gguf_dimensions() {
    // More dimensions than the reader has room for.
    denied("model.gguf", gguf(1, 0, &gguf_tensor("w", 1000, &[1; 1000], 0)), RULE);
}

#[test]
fn cve_2024_21825_gguf_array_of_texts() {
    // An array's count times the size of its elements overflows.
    let array = [gguf_text(1, "a"), vec![9, 0, 0, 0, 8, 0, 0, 0], (u64::MAX / 16 + 2).to_le_bytes().to_vec()].concat();
    denied("model.gguf", gguf(0, 1, &array), BOMB);
}

#[test]
fn cve_2024_21836_gguf_tensor_count() {
    denied("model.gguf", gguf(u64::MAX / 64, 0, &[]), RULE);
}

#[test]
fn cve_2024_23496_gguf_text_length() {
    // The length plus one for the end of the text is zero.
    denied("model.gguf", gguf(0, 1, &gguf_text(u64::MAX, "a")), RULE);
}

#[test]
fn cve_2024_23605_gguf_pair_count() {
    denied("model.gguf", gguf(0, u64::MAX / 32, &[]), RULE);
}

#[test]
fn cve_2024_34359_gguf_template_escape() {
    let template = "{{ ''.__class__.__mro__[1].__subclasses__()[99]('true', shell=True) }}";
    let body = [gguf_pair("general.architecture", "llama"), gguf_pair("tokenizer.chat_template", template)].concat();
    denied("model.gguf", gguf(0, 2, &body), "template-escape");
}

#[test]
fn cve_2025_49847_gguf_token_longer_than_a_signed_number() {
    let tokens = [
        gguf_text(21, "tokenizer.ggml.tokens"),
        vec![9, 0, 0, 0, 8, 0, 0, 0],
        1u64.to_le_bytes().to_vec(),
        gguf_text(0x8000_0001, "a"),
    ];
    denied("model.gguf", gguf(0, 1, &tokens.concat()), RULE);
}

#[test]
fn cve_2025_53630_gguf_sizes_that_overflow_together() {
    // Each tensor fits in 64 bits, their sum does not.
    let body = [gguf_tensor("a", 1, &[1 << 60], 0), gguf_tensor("b", 1, &[1 << 60], 1 << 62)].concat();
    let body = [body, gguf_tensor("c", 1, &[1 << 60], 1 << 63), gguf_tensor("d", 1, &[1 << 60], 3 << 62)].concat();
    denied("model.gguf", gguf(4, 0, &body), RULE);
}

#[test]
fn cve_2026_27940_gguf_padded_size_that_overflows() {
    let body = gguf_tensor("a", 1, &[(1 << 61) - 1], 0);
    denied("model.gguf", gguf(1, 0, &body), RULE);
}

#[test]
fn cve_2026_33298_gguf_extents_that_overflow() {
    let body = gguf_tensor("a", 4, &[1 << 32, 1 << 32, 1 << 32, 4], 0);
    denied("model.gguf", gguf(1, 0, &body), BOMB);
}

#[test]
fn safetensors_audit_holes_overlaps_and_lengths() {
    for (header, data) in [
        (r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}"#, 6),
        (
            r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#,
            6,
        ),
        (r#"{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}"#, 4),
        (
            r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
            2,
        ),
    ] {
        denied("model.safetensors", safetensors(header, data), RULE);
    }
    let overflow = r#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#;
    denied("model.safetensors", safetensors(overflow, 0), BOMB);
}
