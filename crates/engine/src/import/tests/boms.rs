//! Bills of materials and signatures.

use super::*;

const CYCLONEDX: &str = r#"{
  "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"timestamp": "2026-01-02T03:04:05Z", "component":
    {"type": "machine-learning-model", "bom-ref": "m", "name": "tuned", "purl": "pkg:huggingface/me/tuned",
     "hashes": [{"alg": "SHA-256", "content": "AA11111111111111111111111111111111111111111111111111111111111111"}],
     "licenses": [{"license": {"id": "Apache-2.0"}}],
     "pedigree": {"ancestors": [{"type": "machine-learning-model", "name": "base", "purl": "pkg:huggingface/org/base"},
                                {"type": "machine-learning-model", "name": "tuned", "purl": "pkg:huggingface/me/tuned"}]},
     "modelCard": {"modelParameters": {"datasets": [{"ref": "d"}, {"type": "dataset", "name": "inline"}, {"ref": "gone"}]}},
     "components": [{"type": "file", "bom-ref": "f", "name": "model.safetensors"}]}},
  "components": [{"type": "data", "bom-ref": "d", "name": "reviews"}, {"type": "library", "bom-ref": "t", "name": "torch", "purl": "pkg:pypi/torch@2.4.0"}],
  "dependencies": [{"ref": "m", "dependsOn": ["t", "d", "nobody"]}, {"ref": "t", "dependsOn": ["m"]}]
}"#;

#[test]
fn a_cyclonedx_bom_tells_pedigree_data_and_dependencies() {
    let root = folder(&[("bom.json", CYCLONEDX)]);
    let imported = import(root.path());
    assert_eq!(
        told(&imported),
        [
            "base-model: pkg:huggingface/org/base (bom.json#/metadata/component/pedigree/ancestors/0)",
            "dataset: reviews (bom.json#/metadata/component/modelCard/modelParameters/datasets/0)",
            "dataset: inline (bom.json#/metadata/component/modelCard/modelParameters/datasets/1)",
            "description: bom.json (bom.json#/metadata/component/licenses/0)",
            "dependency: pkg:pypi/torch@2.4.0 (bom.json#/dependencies/0/dependsOn/0)",
            "dataset: reviews (bom.json#/dependencies/0/dependsOn/1)",
            "dependency: pkg:huggingface/me/tuned (bom.json#/dependencies/1/dependsOn/0)",
        ]
    );
    let texts: Vec<&str> = imported.remarks.iter().map(|remark| remark.text.as_str()).collect();
    for expected in ["own ancestor", "not among the components", "round in a circle"] {
        assert!(texts.iter().any(|text| text.contains(expected)), "{expected}: {texts:?}");
    }
    assert_eq!(imported.claims[0].said_at.map(|time| time.to_string()).as_deref(), Some("2026-01-02T03:04:05Z"));
    assert!(
        imported.claims.iter().any(|claim| claim.subject.digest.get("sha256").is_some_and(|d| d.starts_with("aa11")))
    );
}

#[test]
fn versions_that_are_not_known_are_told() {
    for (version, known) in [("1.4", true), ("1.5", true), ("1.7", true), ("2.0", false)] {
        let bom = CYCLONEDX.replace("\"1.6\"", &format!("\"{version}\""));
        let imported = import(folder(&[("x.cdx.json", &bom)]).path());
        assert_eq!(
            imported.remarks.iter().any(|remark| remark.text.contains("is not known here")),
            !known,
            "{version}"
        );
    }
}

#[test]
fn an_spdx_2_document_tells_relationships() {
    let document = r#"{"spdxVersion": "SPDX-2.3", "creationInfo": {"created": "2026-01-02T03:04:05Z"},
      "packages": [
        {"SPDXID": "SPDXRef-m", "name": "tuned", "licenseConcluded": "NOASSERTION", "licenseDeclared": "Apache-2.0",
         "checksums": [{"algorithm": "SHA256", "checksumValue": "aa11111111111111111111111111111111111111111111111111111111111111"}]},
        {"SPDXID": "SPDXRef-b", "name": "base", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:huggingface/org/base"}]},
        {"SPDXID": "SPDXRef-d", "name": "reviews"}],
      "relationships": [
        {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-m"},
        {"spdxElementId": "SPDXRef-m", "relationshipType": "DESCENDANT_OF", "relatedSpdxElement": "SPDXRef-b"},
        {"spdxElementId": "SPDXRef-d", "relationshipType": "DATA_FILE_OF", "relatedSpdxElement": "SPDXRef-m"},
        {"spdxElementId": "SPDXRef-m", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-gone"},
        {"spdxElementId": "SPDXRef-m", "relationshipType": "COPY_OF", "relatedSpdxElement": "SPDXRef-b"}]}"#;
    let imported = import(folder(&[("m.spdx.json", document)]).path());
    assert_eq!(
        told(&imported),
        [
            "description: m.spdx.json (m.spdx.json#/packages/0/licenseDeclared)",
            "base-model: pkg:huggingface/org/base (m.spdx.json#/relationships/1)",
            "dataset: reviews (m.spdx.json#/relationships/2)",
            "input: pkg:huggingface/org/base (m.spdx.json#/relationships/4)",
        ]
    );
    assert_eq!(imported.remarks.len(), 1, "{:?}", imported.remarks);
}

#[test]
fn an_spdx_2_document_tells_copies_variants_and_what_is_needed_to_run() {
    let document = r#"{"spdxVersion": "SPDX-2.3",
      "packages": [{"SPDXID": "SPDXRef-a", "name": "a"}, {"SPDXID": "SPDXRef-b", "name": "b"}],
      "relationships": [
        {"spdxElementId": "SPDXRef-a", "relationshipType": "COPY_OF", "relatedSpdxElement": "SPDXRef-b"},
        {"spdxElementId": "SPDXRef-b", "relationshipType": "RUNTIME_DEPENDENCY_OF", "relatedSpdxElement": "SPDXRef-a"},
        {"spdxElementId": "SPDXRef-a", "relationshipType": "VARIANT_OF", "relatedSpdxElement": "SPDXRef-b"},
        {"spdxElementId": "SPDXRef-a", "relationshipType": "VARIANT_OF", "relatedSpdxElement": "SPDXRef-gone"}]}"#;
    let imported = import(folder(&[("m.spdx.json", document)]).path());
    assert_eq!(
        told(&imported),
        ["input: b (m.spdx.json#/relationships/0)", "dependency: b (m.spdx.json#/relationships/1)"]
    );
    assert!(imported.claims.iter().all(|claim| claim.subject.name.as_deref() == Some("a")), "{:?}", imported.claims);
    let remarks: Vec<_> = imported.remarks.iter().map(|remark| remark.text.as_str()).collect();
    assert_eq!(
        remarks,
        [
            "'a' is a variant of 'b', and which of them was made from the other is not said",
            "a relationship leads to or from what is not in the document",
        ]
    );
}

#[test]
fn an_spdx_3_document_tells_what_a_build_read_and_made() {
    let document = r#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [
      {"type": "build_Build", "spdxId": "https://x.org/build", "name": "training"},
      {"type": "ai_AIPackage", "spdxId": "https://x.org/m", "name": "tuned"},
      {"type": "dataset_DatasetPackage", "spdxId": "https://x.org/d", "name": "reviews"},
      {"type": "LifecycleScopedRelationship", "spdxId": "https://x.org/r1", "from": "https://x.org/build", "to": ["https://x.org/d"], "relationshipType": "hasInput"},
      {"type": "LifecycleScopedRelationship", "spdxId": "https://x.org/r2", "from": "https://x.org/build", "to": ["https://x.org/m"], "relationshipType": "hasOutput"}]}"#;
    let imported = import(folder(&[("m.spdx3.json", document)]).path());
    assert_eq!(
        told(&imported),
        [
            "input: https://x.org/d (m.spdx3.json#/@graph/3/to/0)",
            "run: https://x.org/build (m.spdx3.json#/@graph/4/to/0)",
        ]
    );
    assert_eq!(imported.claims[1].subject.uri.as_deref(), Some("https://x.org/m"));
    assert!(imported.remarks.is_empty(), "{:?}", imported.remarks);
}

#[test]
fn an_spdx_3_document_tells_what_a_model_was_trained_and_tested_on() {
    let document = r#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [
      {"type": "CreationInfo", "@id": "_:c", "created": "2026-01-02T03:04:05Z"},
      {"type": "ai_AIPackage", "spdxId": "https://x.org/m", "name": "tuned",
       "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": "aa11111111111111111111111111111111111111111111111111111111111111"}]},
      {"type": "ai_AIPackage", "spdxId": "https://x.org/b", "name": "base", "software_packageUrl": "pkg:huggingface/org/base"},
      {"type": "dataset_DatasetPackage", "spdxId": "https://x.org/d", "name": "reviews"},
      {"type": "simplelicensing_LicenseExpression", "spdxId": "https://x.org/l", "simplelicensing_licenseExpression": "MIT"},
      {"type": "Relationship", "spdxId": "https://x.org/r1", "from": "https://x.org/m", "to": ["https://x.org/b"], "relationshipType": "descendantOf"},
      {"type": "Relationship", "spdxId": "https://x.org/r2", "from": "https://x.org/m", "to": ["https://x.org/d"], "relationshipType": "trainedOn"},
      {"type": "LifecycleScopedRelationship", "spdxId": "https://x.org/r3", "from": "https://x.org/m", "to": ["https://x.org/d"], "relationshipType": "testedOn"},
      {"type": "Relationship", "spdxId": "https://x.org/r4", "from": "https://x.org/m", "to": ["https://x.org/l"], "relationshipType": "hasDeclaredLicense"}]}"#;
    let imported = import(folder(&[("m.spdx3.json", document)]).path());
    assert_eq!(
        told(&imported),
        [
            "base-model: pkg:huggingface/org/base (m.spdx3.json#/@graph/5/to/0)",
            "dataset: https://x.org/d (m.spdx3.json#/@graph/6/to/0)",
            "evaluation-dataset: https://x.org/d (m.spdx3.json#/@graph/7/to/0)",
            "description: m.spdx3.json (m.spdx3.json#/@graph/8/to/0)",
        ]
    );
}

#[test]
fn a_signature_says_what_it_is_about_and_is_not_verified() {
    let vector = Path::new(env!("CARGO_MANIFEST_DIR")).join("../signing/tests/vectors");
    let path = walk(&[vector], false)
        .unwrap()
        .into_iter()
        .map(|entry| entry.path)
        .find(|path| path.ends_with("key-p256.sig"))
        .unwrap();
    let imported = import(&path);
    let described = imported.claims.iter().find(|claim| claim.role == Role::Description).unwrap();
    assert!(described.subject.digest.get("sha256").is_some());
    assert!(imported.claims.iter().any(|claim| claim.role == Role::PartOf));
    assert!(imported.remarks.iter().any(|remark| remark.text.contains("not verified here")));
}
