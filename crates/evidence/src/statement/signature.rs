//! A model's signature by OpenSSF Model Signing. It is known here, so that it can be kept and told beside other evidence;
//! `waag sign` makes it, and `waag verify --signature` compares every file with it.
//!
//! <https://github.com/ossf/model-signing-spec/blob/main/spec/v1.0.md>

use serde_json::Value;

use super::evidence::{EvidenceType, Maker, Reading};
use super::predicate::{InvalidPredicate, Line};

/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";
/// The predicate's type of the first signers. Its digests stand among the subjects.
pub const EARLY_PREDICATE_TYPE: &str = "https://model_signing/Digests/v0.1";

pub(super) static TYPE: EvidenceType = EvidenceType {
    id: "signature",
    title: "OpenSSF model signature",
    about: "that somebody signed every file of it; `waag sign` makes it",
    uris: &[PREDICATE_TYPE, EARLY_PREDICATE_TYPE],
    versioned: false,
    specification: "https://github.com/ossf/model-signing-spec/blob/main/spec/v1.0.md",
    maker: Maker::Sign,
    read,
};

fn read(value: &Value) -> Result<Reading, InvalidPredicate> {
    let Some(resources) = value.get("resources") else {
        // The first signers left the predicate empty.
        return Ok(Reading::of_document(EARLY_PREDICATE_TYPE, Vec::new()));
    };
    let resources = resources.as_array().ok_or_else(|| InvalidPredicate::at("resources", "a list is expected"))?;
    let method = value.pointer("/serialization/method").and_then(Value::as_str);
    let method = method.ok_or_else(|| InvalidPredicate::at("serialization.method", "files or shards is expected"))?;
    let lines = vec![Line::new("lists", format_args!("{} {method}", resources.len()))];
    Ok(Reading::of_document(PREDICATE_TYPE, lines))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn signatures_of_both_versions_are_known() {
        let current = json!({"serialization": {"method": "files"}, "resources": [{}]});
        assert_eq!(read(&current).unwrap().lines, [Line::new("lists", "1 files")]);
        assert_eq!(read(&json!({})).unwrap().uri, EARLY_PREDICATE_TYPE);
        assert_eq!(read(&json!({"resources": 1})).unwrap_err().place, "resources");
    }
}
