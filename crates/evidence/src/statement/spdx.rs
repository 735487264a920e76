//! A bill of materials in SPDX's JSON, version 2 or 3. Only what tells it from other documents is read here.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/predicates/spdx2.md>,
//! <https://github.com/in-toto/attestation/blob/main/spec/predicates/spdx3.md>

use serde_json::Value;

use super::evidence::{EvidenceType, Maker, Reading};
use super::predicate::{InvalidPredicate, Line};

/// The predicate's type of documents of version 2.
pub const PREDICATE_TYPE: &str = "https://spdx.dev/Document";
/// The predicate's type of documents of version 3.
pub const PREDICATE_TYPE_3: &str = "https://spdx.dev/Document/v3";
/// What the context of documents of version 3 starts with.
const CONTEXT_3: &str = "https://spdx.org/rdf/3.";

pub(super) static TYPE: EvidenceType = EvidenceType {
    id: "spdx",
    title: "SPDX bill of materials",
    about: "what it is made of, as an SPDX document of version 2 or 3",
    uris: &[PREDICATE_TYPE, PREDICATE_TYPE_3],
    versioned: true,
    specification: "https://github.com/in-toto/attestation/blob/main/spec/predicates/spdx3.md",
    maker: Maker::File,
    read,
};

fn read(value: &Value) -> Result<Reading, InvalidPredicate> {
    match value.get("spdxVersion") {
        Some(version) => second(value, version),
        None => third(value),
    }
}

fn second(value: &Value, version: &Value) -> Result<Reading, InvalidPredicate> {
    let version = version.as_str().and_then(|text| text.strip_prefix("SPDX-"));
    let version = version.filter(|version| version.starts_with("2.")).ok_or_else(|| {
        InvalidPredicate::at("spdxVersion", "'SPDX-2.' and a number is expected; version 3 has @context instead")
    })?;
    if value.get("SPDXID").and_then(Value::as_str) != Some("SPDXRef-DOCUMENT") {
        return Err(InvalidPredicate::at("SPDXID", "'SPDXRef-DOCUMENT' is expected"));
    }
    let count = |field: &str| -> Result<usize, InvalidPredicate> {
        match value.get(field) {
            None => Ok(0),
            Some(Value::Array(items)) => Ok(items.len()),
            Some(_) => Err(InvalidPredicate::at(field, "a list is expected")),
        }
    };
    let mut lines = vec![Line::new("version", version)];
    lines.extend(value.get("name").and_then(Value::as_str).map(|name| Line::new("name", name)));
    lines.push(Line::new("packages", count("packages")?));
    lines.push(Line::new("files", count("files")?));
    Ok(Reading::of_document(PREDICATE_TYPE, lines))
}

fn third(value: &Value) -> Result<Reading, InvalidPredicate> {
    let context = value
        .get("@context")
        .ok_or_else(|| InvalidPredicate::at("", "it has neither spdxVersion, as SPDX 2, nor @context, as SPDX 3"))?;
    let contexts: Vec<&str> = match context {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    let Some(context) = contexts.into_iter().find(|context| context.starts_with(CONTEXT_3)) else {
        return Err(InvalidPredicate::at("@context", format_args!("'{CONTEXT_3}…' is expected")));
    };
    let graph = value.get("@graph").and_then(Value::as_array);
    let graph = graph.ok_or_else(|| InvalidPredicate::at("@graph", "a list of elements is expected"))?;
    let kind = |element: &&Value, name: &str| element.get("type").and_then(Value::as_str) == Some(name);
    let count = |name| graph.iter().filter(|element| kind(element, name)).count();
    let version = context.trim_start_matches("https://spdx.org/rdf/").split('/').next().unwrap_or_default();
    let lines = vec![
        Line::new("version", version),
        Line::new("elements", graph.len()),
        Line::new("AI packages", count("ai_AIPackage")),
        Line::new("datasets", count("dataset_DatasetPackage")),
    ];
    Ok(Reading::of_document(PREDICATE_TYPE_3, lines))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_versions_are_told_apart() {
        let second = json!({"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "a", "packages": [{}]});
        assert_eq!(read(&second).unwrap().uri, PREDICATE_TYPE);
        let third =
            json!({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [{"type": "ai_AIPackage"}]});
        let reading = read(&third).unwrap();
        assert_eq!((reading.uri, &reading.lines[0]), (PREDICATE_TYPE_3, &Line::new("version", "3.0.1")));
        assert!(reading.lines.contains(&Line::new("AI packages", 1)));
    }

    #[test]
    fn other_documents_are_refused_with_the_place() {
        let place = |value| read(&value).unwrap_err().place;
        assert_eq!(place(json!({})), "predicate");
        assert_eq!(place(json!({"spdxVersion": "SPDX-3.0"})), "spdxVersion");
        assert_eq!(place(json!({"spdxVersion": "SPDX-2.3", "SPDXID": "x"})), "SPDXID");
        assert_eq!(place(json!({"@context": "https://schema.org", "@graph": []})), "@context");
        assert_eq!(place(json!({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"})), "@graph");
    }
}
