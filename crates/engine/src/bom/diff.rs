//! Two bills of materials in CycloneDX, compared: whoever wrote them, and in whichever version.
//!
//! A component is the same in both when its package URL without the version is the same, or else its type and name. What
//! describes it in other words, such as serial numbers, times and properties, is no difference.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::import::document::{self, Node};
use crate::io::FileSource;
use crate::output::Style;
use crate::output::text::{BAD, DOUBT, GOOD, Painted, counted, excerpt};
use crate::sanitize::sanitize;
use waag_formats::source::read_up_to;

/// The form of the answer in JSON: `docs/schema/bom-diff.schema.json`.
const SCHEMA: &str = "waag-bom-diff-1";
/// Bytes of a document.
const MAX_DOCUMENT: u64 = 64 << 20;
/// Bytes at its start by which it is recognised.
const HEAD: usize = 4096;
/// Components of one document.
const MAX_COMPONENTS: usize = 500_000;
/// Components within components.
const MAX_DEEP: usize = 64;
/// Characters of a value that people are shown.
const MAX_VALUE: usize = 80;

/// Why two documents are not compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BomDiffError {
    /// It cannot be read, or is no bill of materials.
    #[error("cannot read '{}' as a bill of materials: {}", sanitize(.path), sanitize(.why))]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
}

impl BomDiffError {
    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        "name two documents of CycloneDX in JSON, such as `waag bom --format cyclonedx-1.6` writes"
    }
}

/// What changed between two documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BomDiff {
    schema: &'static str,
    /// The first file.
    pub old: String,
    /// The second.
    pub new: String,
    /// Components that only the second has.
    pub added: Vec<Told>,
    /// Components that only the first has.
    pub removed: Vec<Told>,
    /// Components that both have, with what is different.
    pub changed: Vec<Changed>,
    /// Components that are the same.
    pub same: usize,
}

/// A component.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// Its type: `library`, `machine-learning-model`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A component that both have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What is different.
    pub changes: Vec<Change>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// `version`, `digests`, `licences`, `dependencies`, `lineage`.
    pub field: &'static str,
    /// What only the first has.
    pub removed: Vec<String>,
    /// What only the second has.
    pub added: Vec<String>,
}

impl BomDiff {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    fn take(&mut self, before: &Component, now: &Component) {
        let changes = before.changes(now);
        if changes.is_empty() {
            self.same += 1;
        } else {
            self.changed.push(Changed { kind: now.kind.clone(), name: now.name.clone(), changes });
        }
    }
}

/// Whether a file looks like a bill of materials in CycloneDX.
#[must_use]
pub fn is_bom(path: &Path) -> bool {
    let head = FileSource::open(path).map(|source| read_up_to(&source, 0, HEAD)).unwrap_or_default();
    let has = |text: &str| head.windows(text.len()).any(|window| window == text.as_bytes());
    has("\"bomFormat\"") && has("CycloneDX")
}

/// Compares two documents.
///
/// # Errors
/// When one of them cannot be read, or is none.
pub fn diff(old: &Path, new: &Path) -> Result<BomDiff, BomDiffError> {
    let (one, other) = (read(old)?, read(new)?);
    let mut diff = BomDiff {
        schema: SCHEMA,
        old: old.display().to_string(),
        new: new.display().to_string(),
        added: Vec::new(),
        removed: Vec::new(),
        changed: Vec::new(),
        same: 0,
    };
    let none = Vec::new();
    let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    for key in keys {
        compare(&mut diff, one.get(key).unwrap_or(&none), other.get(key).unwrap_or(&none));
    }
    Ok(diff)
}

/// Compares the components of one key: first those of the same version, then the rest in their order.
fn compare(diff: &mut BomDiff, before: &[Component], after: &[Component]) {
    let mut by_version: BTreeMap<&BTreeSet<String>, VecDeque<usize>> = BTreeMap::new();
    for (at, component) in after.iter().enumerate() {
        by_version.entry(&component.version).or_default().push_back(at);
    }
    let mut of_version = |one: &Component| by_version.get_mut(&one.version).and_then(VecDeque::pop_front);
    let paired: Vec<Option<usize>> = before.iter().map(&mut of_version).collect();
    let taken: BTreeSet<usize> = paired.iter().flatten().copied().collect();
    let mut rest = (0..after.len()).filter(|at| !taken.contains(at));
    for (component, at) in before.iter().zip(paired) {
        match at.or_else(|| rest.next()).and_then(|at| after.get(at)) {
            Some(now) => diff.take(component, now),
            None => diff.removed.push(component.told()),
        }
    }
    diff.added.extend(rest.filter_map(|at| after.get(at)).map(Component::told));
}

/// A component, as far as it is compared.
#[derive(Debug, Default)]
struct Component {
    kind: String,
    name: String,
    reference: Option<String>,
    version: BTreeSet<String>,
    digests: BTreeSet<String>,
    licences: BTreeSet<String>,
    lineage: BTreeSet<String>,
    dependencies: BTreeSet<String>,
}

impl Component {
    fn told(&self) -> Told {
        Told { kind: self.kind.clone(), name: self.name.clone(), version: self.version.first().cloned() }
    }

    fn changes(&self, now: &Self) -> Vec<Change> {
        let fields = [
            ("version", &self.version, &now.version),
            ("digests", &self.digests, &now.digests),
            ("licences", &self.licences, &now.licences),
            ("lineage", &self.lineage, &now.lineage),
            ("dependencies", &self.dependencies, &now.dependencies),
        ];
        let changed = fields.into_iter().filter(|(_, before, after)| before != after);
        changed
            .map(|(field, before, after)| Change {
                field,
                removed: before.difference(after).cloned().collect(),
                added: after.difference(before).cloned().collect(),
            })
            .collect()
    }
}

/// Components by what they are the same by.
type Components = BTreeMap<String, Vec<Component>>;

fn read(path: &Path) -> Result<Components, BomDiffError> {
    let failed = |why: String| BomDiffError::Unreadable { path: path.display().to_string(), why };
    let bytes = crate::bounded::read(path, MAX_DOCUMENT).map_err(|error| failed(error.to_string()))?;
    let document = document::json(&bytes).map_err(failed)?;
    let root = Node::root(&document.root);
    if root.text_of("bomFormat") != Some("CycloneDX") {
        return Err(failed("it is none of CycloneDX".to_owned()));
    }
    let (mut found, mut count) = (Components::new(), 0);
    if let Some(subject) = root.at(&["metadata", "component"]) {
        take(&subject, &mut found, &mut count, 0);
    }
    for component in root.list("components") {
        take(&component, &mut found, &mut count, 0);
    }
    if count >= MAX_COMPONENTS {
        return Err(failed(format!("it has more than {MAX_COMPONENTS} components")));
    }
    depend(&root, &mut found);
    Ok(found)
}

fn take(node: &Node<'_>, found: &mut Components, count: &mut usize, depth: usize) {
    if depth > MAX_DEEP || *count >= MAX_COMPONENTS {
        return;
    }
    let (key, component) = component(node);
    found.entry(key).or_default().push(component);
    *count += 1;
    for inner in node.list("components") {
        take(&inner, found, count, depth + 1);
    }
}

fn component(node: &Node<'_>) -> (String, Component) {
    let text = |key: &str| node.text_of(key).map(str::to_owned);
    let kind = text("type").unwrap_or_default();
    let name = full_name(node);
    let purl = text("purl").map(|purl| without_version(&purl).to_owned());
    let key = purl.unwrap_or_else(|| format!("{kind} {name}"));
    let component = Component {
        kind,
        name,
        reference: text("bom-ref"),
        version: text("version").or_else(|| constraint(node)).or_else(|| text("versionRange")).into_iter().collect(),
        digests: node.list("hashes").iter().filter_map(digest).collect(),
        licences: node.list("licenses").iter().filter_map(licence).collect(),
        lineage: node
            .at(&["pedigree", "ancestors"])
            .map(|list| list.items().iter().map(versioned).collect())
            .unwrap_or_default(),
        dependencies: BTreeSet::new(),
    };
    (key, component)
}

fn full_name(node: &Node<'_>) -> String {
    let name = node.text_of("name").unwrap_or_default();
    node.text_of("group").map_or_else(|| name.to_owned(), |group| format!("{group}/{name}"))
}

fn versioned(node: &Node<'_>) -> String {
    let version = node.text_of("version").map(|version| format!("@{version}")).unwrap_or_default();
    format!("{}{version}", full_name(node))
}

fn without_version(purl: &str) -> &str {
    purl.split(['@', '?', '#']).next().unwrap_or(purl)
}

/// A range as it is written, which stands among properties in both versions of the standard.
fn constraint(node: &Node<'_>) -> Option<String> {
    let properties = node.list("properties");
    let own = properties.iter().find(|property| property.text_of("name") == Some("waag:dependency:constraint"))?;
    own.text_of("value").map(str::to_owned)
}

fn digest(node: &Node<'_>) -> Option<String> {
    Some(format!("{}:{}", node.text_of("alg")?, node.text_of("content")?.to_ascii_lowercase()))
}

fn licence(node: &Node<'_>) -> Option<String> {
    let said = node.text_of("expression").map(str::to_owned);
    said.or_else(|| node.get("license")?.any(&["id", "name"])?.text().map(str::to_owned))
}

/// Adds what each component needs, by name: references are the writer's own.
fn depend(root: &Node<'_>, found: &mut Components) {
    let names: BTreeMap<String, String> = found
        .values()
        .flatten()
        .filter_map(|one| Some((one.reference.clone()?, format!("{} {}", one.kind, one.name))))
        .collect();
    let mut needs: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let edges = root.list("dependencies");
    for edge in &edges {
        let Some(reference) = edge.text_of("ref") else { continue };
        let on = edge.list("dependsOn").into_iter().filter_map(|node| {
            let reference = node.value().as_str()?;
            Some(names.get(reference).cloned().unwrap_or_else(|| without_version(reference).to_owned()))
        });
        needs.entry(reference).or_default().extend(on);
    }
    for component in found.values_mut().flatten() {
        let own = component.reference.as_deref().and_then(|reference| needs.get(reference));
        component.dependencies = own.cloned().unwrap_or_default();
    }
}

/// Tells it to people.
///
/// # Errors
/// When `out` cannot be written to.
pub fn plain(diff: &BomDiff, out: &mut dyn Write, style: Style) -> io::Result<()> {
    for (sign, paint, list) in [("+", GOOD, &diff.added), ("-", BAD, &diff.removed)] {
        for told in list {
            let version =
                told.version.as_ref().map(|version| format!(" {}", excerpt(version, MAX_VALUE))).unwrap_or_default();
            let text = format!("{sign} {} {}{version}", sanitize(&told.kind), excerpt(&told.name, MAX_VALUE));
            writeln!(out, "{}", Painted(style.color, paint, text))?;
        }
    }
    for changed in &diff.changed {
        let text = format!("~ {} {}", sanitize(&changed.kind), excerpt(&changed.name, MAX_VALUE));
        writeln!(out, "{}", Painted(style.color, DOUBT, text))?;
        for change in &changed.changes {
            writeln!(out, "    {}:", change.field)?;
            for (sign, list) in [("-", &change.removed), ("+", &change.added)] {
                list.iter().try_for_each(|value| writeln!(out, "      {sign} {}", excerpt(value, MAX_VALUE)))?;
            }
        }
    }
    let count = |list: usize, word: &str| format!("{} {word}", counted(list as u64, "component"));
    writeln!(
        out,
        "{}, {} removed, {} changed, {} the same",
        count(diff.added.len(), "added"),
        diff.removed.len(),
        diff.changed.len(),
        diff.same
    )
}

/// Tells it to programs.
///
/// # Errors
/// When `out` cannot be written to.
pub fn json(diff: &BomDiff, out: &mut dyn Write) -> io::Result<()> {
    crate::output::write_json(diff, out)
}
