//! CycloneDX bills of materials in JSON, 1.4 to 1.7: models and data among the components, their pedigree, what depends on what.
//!
//! <https://cyclonedx.org/docs/1.7/json/>

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::checked::digits_of;
use super::document::{Node, json};
use super::intake::{Grade, Intake};
use super::page::Page;
use super::{Found, Importer, Taken};

/// Versions that are read.
const VERSIONS: &[&str] = &["1.4", "1.5", "1.6", "1.7"];
/// Names of digests, as CycloneDX and as in-toto have them.
const DIGESTS: &[(&str, &str)] =
    &[("MD5", "md5"), ("SHA-1", "sha1"), ("SHA-256", "sha256"), ("SHA-384", "sha384"), ("SHA-512", "sha512")];

/// The importer.
#[derive(Debug)]
pub(super) struct CycloneDx;

impl Importer for CycloneDx {
    fn name(&self) -> &'static str {
        "cyclonedx"
    }

    fn reads(&self) -> &'static str {
        "CycloneDX 1.4 to 1.7 in JSON: models, data, pedigree, dependencies, licences"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        let is_named = file.has_ending(&[".cdx.json", "bom.json"]);
        let is_bom = file.has_ending(&[".json"]) && file.has("\"bomFormat\"") || is_named && file.has("CycloneDX");
        is_bom.then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let Some((mut page, bytes)) = Page::open(self.name(), path, Voice::SelfDeclared, intake) else { return };
        if let Some(document) = page.document(json(&bytes)) {
            read(&mut page, &Node::root(&document.root));
        }
        intake.take(page);
    }
}

/// What a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Model,
    Data,
    Other,
}

/// Components by their references.
type Index = BTreeMap<String, (ResourceDescriptor, Sort)>;

fn read(page: &mut Page, root: &Node<'_>) {
    let version = root.text_of("specVersion").unwrap_or_default();
    if !VERSIONS.contains(&version) {
        page.remark(
            Grade::Unchecked,
            format!("version '{version}' of CycloneDX is not known here; it was read as 1.7"),
        );
    }
    page.said_at = root.at(&["metadata", "timestamp"]).and_then(|node| node.text()?.parse().ok());
    let mut index = Index::new();
    let mut components = Vec::new();
    let main = root.at(&["metadata", "component"]);
    for node in main.into_iter().chain(root.list("components")) {
        gather(page, &node, None, &mut components, &mut index);
    }
    for (node, subject, sort) in &components {
        described(page, node, subject, *sort, &index);
    }
    dependencies(page, root, &index);
}

/// All components within each other, with which of them is part of which.
fn gather<'a>(
    page: &mut Page,
    node: &Node<'a>,
    above: Option<&ResourceDescriptor>,
    components: &mut Vec<(Node<'a>, ResourceDescriptor, Sort)>,
    index: &mut Index,
) {
    let (resource, sort) = component(node);
    if let Some(above) = above {
        page.claim(&resource, Role::PartOf, above.clone(), node.place());
    }
    if let Some(reference) = node.text_of("bom-ref")
        && index.insert(reference.to_owned(), (resource.clone(), sort)).is_some()
    {
        page.remark_at(Grade::Unchecked, node, format!("the reference '{reference}' stands for two components"));
    }
    for part in node.list("components") {
        gather(page, &part, Some(&resource), components, index);
    }
    components.push((node.clone(), resource, sort));
}

fn component(node: &Node<'_>) -> (ResourceDescriptor, Sort) {
    let sort = match node.text_of("type") {
        Some("machine-learning-model") => Sort::Model,
        Some("data" | "dataset") => Sort::Data,
        _ => Sort::Other,
    };
    let name = match (node.text_of("group"), node.text_of("name")) {
        (Some(group), Some(name)) => Some(format!("{group}/{name}")),
        (_, name) => name.map(str::to_owned),
    };
    let hashes = node.list("hashes");
    let digests = hashes.iter().filter_map(|hash| {
        let algorithm = DIGESTS.iter().find(|(name, _)| hash.text_of("alg") == Some(*name))?.1;
        Some((algorithm, digits_of(algorithm, hash.text_of("content")?)?))
    });
    let mut resource = ResourceDescriptor {
        name,
        uri: node.text_of("purl").map(str::to_owned),
        digest: digests.collect(),
        ..ResourceDescriptor::default()
    };
    if let Some(version) = node.text_of("version").filter(|_| resource.uri.is_none()) {
        resource.annotations.insert("version".to_owned(), version.into());
    }
    (resource, sort)
}

/// What a component says of itself: ancestors, data, licences.
fn described(page: &mut Page, node: &Node<'_>, subject: &ResourceDescriptor, sort: Sort, index: &Index) {
    for ancestor in node.at(&["pedigree", "ancestors"]).map(|list| list.items()).unwrap_or_default() {
        let (object, kind) = component(&ancestor);
        if is_same(subject, &object) {
            page.remark_at(Grade::Note, &ancestor, "a component is named as its own ancestor, which nothing is");
            continue;
        }
        let role = match (sort, kind) {
            (Sort::Model, Sort::Model | Sort::Other) => Role::BaseModel,
            (Sort::Model, Sort::Data) => Role::Dataset,
            _ => Role::Input,
        };
        page.claim(subject, role, object, ancestor.place());
    }
    for data in node.at(&["modelCard", "modelParameters", "datasets"]).map(|list| list.items()).unwrap_or_default() {
        let object = match data.text_of("ref") {
            Some(reference) => index.get(reference).map(|(object, _)| object.clone()),
            None => dataset(&data),
        };
        match object {
            Some(object) => page.claim(subject, Role::Dataset, object, data.place()),
            None => page.remark_at(Grade::Note, &data, "a dataset is referred to that is not among the components"),
        }
    }
    if sort != Sort::Other
        && let Some((licence, place)) = licence(node)
    {
        page.licence(subject, &licence, place);
    }
}

/// Data that is described in place.
fn dataset(node: &Node<'_>) -> Option<ResourceDescriptor> {
    let uri = node.at(&["contents", "url"]).and_then(|url| url.text()).map(str::to_owned);
    let name = node.text_of("name").map(str::to_owned);
    (name.is_some() || uri.is_some()).then(|| ResourceDescriptor { name, uri, ..ResourceDescriptor::default() })
}

fn licence(node: &Node<'_>) -> Option<(String, String)> {
    let list = node.list("licenses");
    let names: Vec<&str> = list
        .iter()
        .filter_map(|entry| {
            let licence = entry.get("license");
            let named = licence.as_ref().and_then(|licence| licence.text_of("id").or_else(|| licence.text_of("name")));
            entry.text_of("expression").or(named)
        })
        .collect();
    let place = list.first()?.place().to_owned();
    (!names.is_empty()).then(|| (names.join(" AND "), place))
}

fn is_same(one: &ResourceDescriptor, other: &ResourceDescriptor) -> bool {
    match (&one.uri, &other.uri) {
        (Some(one), Some(other)) => one == other,
        _ => one.name.is_some() && one.name == other.name,
    }
}

/// The graph of dependencies, by what stands at both ends.
fn dependencies(page: &mut Page, root: &Node<'_>, index: &Index) {
    let mut edges: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in root.list("dependencies") {
        let Some(from) = entry.text_of("ref") else { continue };
        for target in entry.list("dependsOn") {
            let Some(to) = target.text() else { continue };
            edges.entry(from).or_default().push(to);
            let (Some((subject, sort)), Some((object, kind))) = (index.get(from), index.get(to)) else {
                page.remark_at(Grade::Note, &target, "a dependency leads to or from what is not among the components");
                continue;
            };
            let role = match (sort, kind) {
                (Sort::Model, Sort::Data) => Role::Dataset,
                (Sort::Model, Sort::Model) => Role::Input,
                _ => Role::Dependency,
            };
            page.claim(subject, role, object.clone(), target.place());
        }
    }
    if let Some(at) = cycle(&edges) {
        page.remark(Grade::Unchecked, format!("dependencies go round in a circle, through '{at}'"));
    }
}

/// A node that can be reached from itself. One walk over all edges, without recursion.
pub(super) fn cycle<'a>(edges: &BTreeMap<&'a str, Vec<&'a str>>) -> Option<&'a str> {
    let (mut done, mut open): (BTreeSet<&str>, BTreeSet<&str>) = (BTreeSet::new(), BTreeSet::new());
    for start in edges.keys() {
        let mut stack = vec![(*start, 0)];
        while let Some((node, next)) = stack.pop() {
            if next == 0 && (done.contains(node) || !open.insert(node)) {
                continue;
            }
            match edges.get(node).and_then(|targets| targets.get(next)) {
                Some(target) if open.contains(target) => return Some(target),
                Some(target) => stack.extend([(node, next + 1), (*target, 0)]),
                None => {
                    open.remove(node);
                    done.insert(node);
                }
            }
        }
    }
    None
}
