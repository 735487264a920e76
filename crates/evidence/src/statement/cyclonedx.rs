//! A bill of materials in CycloneDX's JSON. Only what tells it from other documents is read here.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/predicates/cyclonedx.md>

use serde::Deserialize;
use serde_json::Value;

use super::evidence::{EvidenceType, Maker, Reading};
use super::predicate::{InvalidPredicate, Line};
use crate::strict;

/// The predicate's type. Documents of all versions are written by it.
pub const PREDICATE_TYPE: &str = "https://cyclonedx.org/bom";

pub(super) static TYPE: EvidenceType = EvidenceType {
    id: "cyclonedx",
    title: "CycloneDX bill of materials",
    about: "what it is made of, as a CycloneDX document",
    uris: &[PREDICATE_TYPE],
    versioned: true,
    specification: "https://github.com/in-toto/attestation/blob/main/spec/predicates/cyclonedx.md",
    maker: Maker::File,
    read,
};

/// The fields that are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    bom_format: String,
    spec_version: String,
    #[serde(default)]
    serial_number: Option<String>,
    #[serde(default, deserialize_with = "strict::objects")]
    components: Vec<Component>,
    #[serde(default, deserialize_with = "strict::objects")]
    vulnerabilities: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "type")]
    kind: String,
    name: String,
}

fn read(value: &Value) -> Result<Reading, InvalidPredicate> {
    let outline: Outline =
        serde_path_to_error::deserialize(value).map_err(|error| InvalidPredicate::at(error.path(), error.inner()))?;
    if outline.bom_format != "CycloneDX" {
        return Err(InvalidPredicate::at("bomFormat", "'CycloneDX' is expected"));
    }
    let is_version = outline.spec_version.split('.').all(|part| part.parse::<u32>().is_ok());
    if !is_version {
        return Err(InvalidPredicate::at("specVersion", "a version such as 1.6 is expected"));
    }
    let models = outline.components.iter().filter(|component| component.kind == "machine-learning-model");
    let mut lines = vec![Line::new("version", &outline.spec_version)];
    lines.extend(outline.serial_number.iter().map(|number| Line::new("serial number", number)));
    lines.push(Line::new("components", outline.components.len()));
    lines.extend(models.take(5).map(|model| Line::new("model", &model.name)));
    let count = outline.vulnerabilities.len();
    lines.extend((count > 0).then(|| Line::new("vulnerabilities", count)));
    Ok(Reading::of_document(PREDICATE_TYPE, lines))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_told_from_others() {
        let component = json!({"type": "machine-learning-model", "name": "llama", "version": "1"});
        let document = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [component]});
        let reading = read(&document).unwrap();
        assert_eq!(reading.uri, PREDICATE_TYPE);
        assert!(reading.lines.contains(&Line::new("model", "llama")));
        let place = |value| read(&value).unwrap_err().place;
        assert_eq!(place(json!({"bomFormat": "SPDX", "specVersion": "1.6"})), "bomFormat");
        assert_eq!(place(json!({"bomFormat": "CycloneDX", "specVersion": "new"})), "specVersion");
        assert_eq!(place(json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": {}})), "components");
        assert_eq!(
            place(json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": 1}]})),
            "components[0].type"
        );
    }
}
