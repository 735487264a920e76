//! SPDX 2.2 and 2.3 in JSON, and SPDX 3.0: packages and what their relationships say.
//!
//! <https://spdx.github.io/spdx-spec/v2.3/>

use std::collections::BTreeMap;
use std::path::Path;

use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::checked::digits_of;
use super::document::{Node, json};
use super::intake::{Grade, Intake};
use super::page::Page;
use super::{Found, Importer, Taken, spdx3};

/// Which end of a relationship was made from the other, and what the other is to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The first is made from the second.
    Forward(Role),
    /// The second is made from the first.
    Backward(Role),
}

const RELATIONSHIPS: &[(&str, Reading)] = &[
    ("DESCENDANT_OF", Reading::Forward(Role::BaseModel)),
    ("ANCESTOR_OF", Reading::Backward(Role::BaseModel)),
    ("GENERATED_FROM", Reading::Forward(Role::Input)),
    ("GENERATES", Reading::Backward(Role::Input)),
    ("DEPENDS_ON", Reading::Forward(Role::Dependency)),
    ("DEPENDENCY_OF", Reading::Backward(Role::Dependency)),
    ("RUNTIME_DEPENDENCY_OF", Reading::Backward(Role::Dependency)),
    // What is wrong with the original is wrong with the copy; that both are models is not said.
    ("COPY_OF", Reading::Forward(Role::Input)),
    ("BUILD_TOOL_OF", Reading::Backward(Role::Dependency)),
    ("DATA_FILE_OF", Reading::Backward(Role::Dataset)),
    ("CONTAINS", Reading::Backward(Role::PartOf)),
    ("CONTAINED_BY", Reading::Forward(Role::PartOf)),
    ("DOCUMENTATION_OF", Reading::Backward(Role::Description)),
];

/// "Same lineage, but not clear which came first", as the specification has it.
const VARIANT: &str = "VARIANT_OF";

/// The importer.
#[derive(Debug)]
pub(super) struct Spdx;

impl Importer for Spdx {
    fn name(&self) -> &'static str {
        "spdx"
    }

    fn reads(&self) -> &'static str {
        "SPDX 2.3 in JSON and 3.0 in JSON-LD: descendantOf, trainedOn, testedOn, hasDataFile, dependsOn, licences"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        let is_json = file.has_ending(&[".json", ".jsonld"]);
        let is_spdx = ["\"spdxVersion\"", "\"SPDXID\"", "spdx.org/rdf/3"].iter().any(|text| file.has(text));
        (is_json && is_spdx).then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let Some((mut page, bytes)) = Page::open(self.name(), path, Voice::SelfDeclared, intake) else { return };
        if let Some(document) = page.document(json(&bytes)) {
            let root = Node::root(&document.root);
            if root.get("spdxVersion").is_some() { read(&mut page, &root) } else { spdx3::read(&mut page, &root) }
        }
        intake.take(page);
    }
}

fn read(page: &mut Page, root: &Node<'_>) {
    let version = root.text_of("spdxVersion").unwrap_or_default();
    if !matches!(version, "SPDX-2.2" | "SPDX-2.3") {
        page.remark(Grade::Unchecked, format!("version '{version}' of SPDX is not known here; it was read as 2.3"));
    }
    page.said_at = root.at(&["creationInfo", "created"]).and_then(|node| node.text()?.parse().ok());
    let mut elements: BTreeMap<&str, ResourceDescriptor> = BTreeMap::new();
    for node in root.list("packages").into_iter().chain(root.list("files")) {
        let Some(id) = node.text_of("SPDXID") else { continue };
        let resource = element(&node);
        if let Some((licence, place)) = licence(&node) {
            page.licence(&resource, &licence, place);
        }
        if elements.insert(id, resource).is_some() {
            page.remark_at(Grade::Unchecked, &node, format!("the identifier '{id}' stands for two elements"));
        }
    }
    let mut others = 0;
    for node in root.list("relationships") {
        let name = node.text_of("relationshipType").unwrap_or_default();
        let ends = (node.text_of("spdxElementId"), node.text_of("relatedSpdxElement"));
        let known = RELATIONSHIPS.iter().find(|(known, _)| *known == name);
        match (known, ends) {
            (Some((_, reading)), (Some(from), Some(to))) => {
                relate(page, &node, *reading, elements.get(from), elements.get(to));
            }
            _ if name == "DESCRIBES" => {}
            (_, (Some(from), Some(to))) if name == VARIANT => {
                variant(page, &node, elements.get(from), elements.get(to));
            }
            _ => others += 1,
        }
    }
    passed_over(page, others);
}

/// Two elements of one lineage of which nobody says which came first: no edge, since either could be the wrong one.
fn variant(page: &mut Page, node: &Node<'_>, from: Option<&ResourceDescriptor>, to: Option<&ResourceDescriptor>) {
    let name = |element: Option<&ResourceDescriptor>| {
        let element = element?;
        element.uri.clone().or_else(|| element.name.clone())
    };
    let text = match (name(from), name(to)) {
        (Some(from), Some(to)) => {
            format!("'{from}' is a variant of '{to}', and which of them was made from the other is not said")
        }
        _ => "a relationship leads to or from what is not in the document".to_owned(),
    };
    page.remark_at(Grade::Note, node, text);
}

/// Says that relationships of other kinds were there.
pub(super) fn passed_over(page: &mut Page, count: usize) {
    if count > 0 {
        page.remark(
            Grade::Note,
            format!("{count} relationships of other kinds say nothing of where artifacts come from"),
        );
    }
}

/// A claim from a relationship whose ends are known.
pub(super) fn relate(
    page: &mut Page,
    node: &Node<'_>,
    reading: Reading,
    from: Option<&ResourceDescriptor>,
    to: Option<&ResourceDescriptor>,
) {
    let (Some(from), Some(to)) = (from, to) else {
        return page.remark_at(Grade::Note, node, "a relationship leads to or from what is not in the document");
    };
    if from == to {
        return page.remark_at(Grade::Note, node, "an element is related to itself");
    }
    match reading {
        Reading::Forward(role) => page.claim(from, role, to.clone(), node.place()),
        Reading::Backward(role) => page.claim(to, role, from.clone(), node.place()),
    }
}

fn element(node: &Node<'_>) -> ResourceDescriptor {
    let digests = node.list("checksums");
    let digest = digests.iter().filter_map(|sum| {
        let algorithm = sum.text_of("algorithm")?.to_ascii_lowercase().replace('-', "");
        let digits = digits_of(&algorithm, sum.text_of("checksumValue")?)?;
        Some((algorithm, digits))
    });
    let references = node.list("externalRefs");
    let purl = references.iter().find(|reference| reference.text_of("referenceType") == Some("purl"));
    let mut resource = ResourceDescriptor {
        name: node.any(&["name", "fileName"]).and_then(|name| name.text()).map(str::to_owned),
        uri: purl.and_then(|purl| purl.text_of("referenceLocator")).map(str::to_owned),
        digest: digest.collect(),
        ..ResourceDescriptor::default()
    };
    if let Some(version) = node.text_of("versionInfo").filter(|_| resource.uri.is_none()) {
        resource.annotations.insert("version".to_owned(), version.into());
    }
    resource
}

/// What was concluded, or else what was declared.
fn licence(node: &Node<'_>) -> Option<(String, String)> {
    let says = |key: &str| {
        let licence = node.get(key)?;
        let text = licence.text().filter(|text| !matches!(*text, "NOASSERTION" | "NONE"))?;
        Some((text.to_owned(), licence.place().to_owned()))
    };
    says("licenseConcluded").or_else(|| says("licenseDeclared"))
}
