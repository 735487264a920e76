//! CycloneDX in JSON, versions 1.6 and 1.7, with the parts for machine learning: <https://cyclonedx.org/capabilities/mlbom/>.
//!
//! The model is the first component; its files and variants lie within it. Where each value was read stands among the
//! occurrences of its evidence. Properties have names below `waag:`, but for those that others look for by name.

mod card;
mod component;
mod document;
mod formulation;
mod licence;
mod model;
mod software;

use std::io::{self, Write};

use document::{Component, Composition, Document, Edge, Metadata, Property, Tools};

pub(super) use card::activity;

use super::model::{Bom, Owner};
use super::writing::{Unique, plain, uuid};

/// Which version is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 1.6, ECMA-424, first edition.
    V1_6,
    /// 1.7, ECMA-424, second edition.
    V1_7,
}

impl Version {
    const fn number(self) -> &'static str {
        match self {
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }
}

/// The reference of what the whole document is about.
const SUBJECT: &str = "subject";

/// Writes a document: the same bytes for the same input. Its serial number follows from what is in it.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(bom: &Bom, version: Version, out: &mut dyn Write) -> io::Result<()> {
    let mut document = document(bom, version);
    let content = serde_json::to_vec(&document).map_err(io::Error::other)?;
    document.serial_number = format!("urn:uuid:{}", uuid(&content));
    crate::output::write_json(&document, out)
}

fn document(bom: &Bom, version: Version) -> Document {
    let names = References::new(bom);
    let mut components: Vec<Component> =
        (0..bom.models.len()).map(|number| model::component(bom, number, &names)).collect();
    components.extend((0..bom.datasets.len()).map(|number| model::dataset(bom, number, &names)));
    components.extend(software::components(bom, version, &names));
    components.extend(bom.files_of(Owner::Project).map(component::file));
    let number = version.number();
    Document {
        schema: format!("http://cyclonedx.org/schema/bom-{number}.schema.json"),
        bom_format: "CycloneDX",
        spec_version: number,
        serial_number: String::new(),
        version: 1,
        metadata: metadata(bom),
        dependencies: edges(bom, &names),
        compositions: compositions(bom, &components),
        formulation: formulation::formulas(bom, &names),
        components,
    }
}

fn metadata(bom: &Bom) -> Metadata {
    let tool = Component {
        kind: "application",
        name: "waag".to_owned(),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        ..Component::default()
    };
    let component = Component {
        kind: if bom.models.is_empty() && !bom.datasets.is_empty() { "data" } else { "application" },
        reference: SUBJECT.to_owned(),
        name: named(&bom.name),
        description: Some("the folder or file that was looked at, as a whole".to_owned()),
        ..Component::default()
    };
    let mut properties = card::for_scorers(bom);
    properties.extend(bom.remarks.iter().map(|remark| {
        let name = if remark.is_gap { "waag:not-read" } else { "waag:remark" };
        property(name, &format!("{}: {}", remark.location, remark.text))
    }));
    Metadata {
        timestamp: bom.time.map(|time| time.to_string()),
        tools: Tools { components: vec![tool] },
        component,
        properties,
    }
}

/// The references by which parts of the document name each other: unique, and the same every time.
#[derive(Debug)]
struct References {
    models: Vec<String>,
    datasets: Vec<String>,
    dependencies: Vec<String>,
}

impl References {
    fn new(bom: &Bom) -> Self {
        let mut taken = Unique::default();
        let mut unique = |wanted: String| taken.take(wanted, '#');
        Self {
            models: bom.models.iter().map(|model| unique(format!("model:{}", plain(&model.full_name())))).collect(),
            datasets: bom.datasets.iter().map(|dataset| unique(format!("dataset:{}", plain(&dataset.name)))).collect(),
            dependencies: bom.dependencies.iter().map(|dependency| unique(software::reference(dependency))).collect(),
        }
    }
}

/// What needs what.
fn edges(bom: &Bom, names: &References) -> Vec<Edge> {
    let direct = software::direct(bom, names);
    let mut subject: Vec<String> = names.models.clone();
    subject.extend(direct);
    if bom.models.is_empty() {
        subject.extend(names.datasets.iter().cloned());
    }
    let mut edges = vec![edge(SUBJECT, subject)];
    for (model, reference) in bom.models.iter().zip(&names.models) {
        let data = model.data.iter().filter_map(|used| names.datasets.get(used.dataset).cloned());
        edges.push(edge(reference, data.collect()));
    }
    edges.extend(names.datasets.iter().map(|reference| edge(reference, Vec::new())));
    edges.extend(software::edges(bom, names));
    edges
}

fn edge(reference: &str, mut depends_on: Vec<String>) -> Edge {
    depends_on.sort();
    depends_on.dedup();
    Edge { reference: reference.to_owned(), depends_on }
}

/// Whether all of a model's files are listed.
fn compositions(bom: &Bom, components: &[Component]) -> Vec<Composition> {
    let aggregate = if bom.has_gaps() { "incomplete" } else { "complete" };
    let models = components.iter().take(bom.models.len());
    models.map(|component| Composition { aggregate, assemblies: vec![component.reference.clone()] }).collect()
}

/// A name that is never empty.
fn named(name: &str) -> String {
    let name = plain(name);
    if name.trim().is_empty() { "unnamed".to_owned() } else { name }
}

fn property(name: &str, value: &str) -> Property {
    Property { name: name.to_owned(), value: plain(value) }
}
