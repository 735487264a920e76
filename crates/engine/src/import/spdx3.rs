//! SPDX 3.0 in JSON-LD: elements of a graph, and relationships that are elements too.
//!
//! <https://spdx.github.io/spdx-spec/v3.0.1/model/Core/Vocabularies/RelationshipType/>

use std::collections::BTreeMap;

use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::role::Role;

use super::checked::digits_of;
use super::document::Node;
use super::intake::Grade;
use super::page::Page;
use super::spdx::{Reading, passed_over, relate};

const RELATIONSHIPS: &[(&str, Reading)] = &[
    ("descendantOf", Reading::Forward(Role::BaseModel)),
    ("ancestorOf", Reading::Backward(Role::BaseModel)),
    ("trainedOn", Reading::Forward(Role::Dataset)),
    ("testedOn", Reading::Forward(Role::EvaluationDataset)),
    ("hasDataFile", Reading::Forward(Role::Input)),
    ("hasInput", Reading::Forward(Role::Input)),
    // A build made it.
    ("hasOutput", Reading::Backward(Role::Run)),
    ("generates", Reading::Backward(Role::Input)),
    ("dependsOn", Reading::Forward(Role::Dependency)),
    ("usesTool", Reading::Forward(Role::Dependency)),
    ("contains", Reading::Backward(Role::PartOf)),
    ("hasDistributionArtifact", Reading::Backward(Role::PartOf)),
    ("hasDocumentation", Reading::Forward(Role::Description)),
];

/// Reads a document. Without `@graph` it is one element.
pub(super) fn read(page: &mut Page, root: &Node<'_>) {
    let graph = if root.get("@graph").is_some() { root.list("@graph") } else { vec![root.clone()] };
    page.said_at = graph.iter().find_map(|node| node.text_of("created")?.parse().ok());
    let mut elements: BTreeMap<&str, ResourceDescriptor> = BTreeMap::new();
    let mut licences: BTreeMap<&str, &str> = BTreeMap::new();
    for node in &graph {
        let Some(id) = id(node) else { continue };
        if let Some(expression) = node.any(&["simplelicensing_licenseExpression", "name"]).and_then(|text| text.text())
            && node.text_of("type").is_some_and(|kind| kind.contains("icens"))
        {
            licences.insert(id, expression);
        }
        if elements.insert(id, element(node, id)).is_some() {
            page.remark_at(Grade::Unchecked, node, format!("the identifier '{id}' stands for two elements"));
        }
    }
    let mut others = 0;
    for node in graph.iter().filter(|node| node.text_of("type").is_some_and(|kind| kind.ends_with("elationship"))) {
        relationship(page, node, &elements, &licences, &mut others);
    }
    passed_over(page, others);
}

fn id<'a>(node: &Node<'a>) -> Option<&'a str> {
    node.text_of("spdxId").or_else(|| node.text_of("@id"))
}

fn relationship(
    page: &mut Page,
    node: &Node<'_>,
    elements: &BTreeMap<&str, ResourceDescriptor>,
    licences: &BTreeMap<&str, &str>,
    others: &mut usize,
) {
    let name = node.text_of("relationshipType").unwrap_or_default();
    let from = node.text_of("from").and_then(|from| elements.get(from));
    let known = RELATIONSHIPS.iter().find(|(known, _)| *known == name);
    let is_licence = matches!(name, "hasDeclaredLicense" | "hasConcludedLicense");
    for target in node.list("to") {
        let to = target.text().unwrap_or_default();
        match known {
            Some((_, reading)) => relate(page, &target, *reading, from, elements.get(to)),
            None if is_licence => {
                if let (Some(from), Some(licence)) = (from, licences.get(to)) {
                    page.licence(from, licence, target.place());
                }
            }
            None => *others += 1,
        }
    }
}

fn element(node: &Node<'_>, id: &str) -> ResourceDescriptor {
    let digests = node.list("verifiedUsing");
    let digest = digests.iter().filter_map(|hash| {
        let algorithm = hash.text_of("algorithm")?;
        Some((algorithm.to_owned(), digits_of(algorithm, hash.text_of("hashValue")?)?))
    });
    let uri = node.any(&["software_packageUrl", "packageUrl"]).and_then(|purl| purl.text()).unwrap_or(id);
    ResourceDescriptor {
        name: node.text_of("name").map(str::to_owned),
        uri: Some(uri.to_owned()),
        digest: digest.collect(),
        ..ResourceDescriptor::default()
    }
}
