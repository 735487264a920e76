//! SPDX 3.0.1 in JSON-LD, with the profiles Core, Software, SimpleLicensing, AI and Dataset: <https://spdx.github.io/spdx-spec/v3.0.1/>.
//!
//! What the profiles want and nobody wrote down is `noAssertion` where the specification has that, and is left out where it
//! has not: [`crate::bom::gaps`] names it. A profile is claimed only where everything that it wants is there.

mod graph;
mod licence;
mod package;

use std::io::{self, Write};

use serde_json::{Value, json};

use super::model::{Bom, Owner};
use super::writing::{address, plain, uuid};
use graph::Graph;

/// What the terms mean.
const CONTEXT: &str = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";
/// The time of a document for which none was given: the start of time as computers count it. The specification wants one,
/// and a clock would make every document another.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// Writes a document: the same bytes for the same input.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(bom: &Bom, out: &mut dyn Write) -> io::Result<()> {
    // The identifier follows from the content, so that the content is written once without it.
    let content = serde_json::to_vec(&document(bom, "")).map_err(io::Error::other)?;
    crate::output::write_json(&document(bom, &format!("urn:uuid:{}", uuid(&content))), out)
}

fn document(bom: &Bom, base: &str) -> Value {
    let mut graph = Graph::new(base);
    creation(bom, &mut graph);
    let mut roots = Vec::new();
    let datasets: Vec<String> =
        (0..bom.datasets.len()).map(|number| package::dataset(bom, number, &mut graph)).collect();
    for number in 0..bom.models.len() {
        roots.push(package::model(bom, number, &datasets, &mut graph));
    }
    let dependencies = package::dependencies(bom, &mut graph);
    if roots.is_empty() {
        roots.clone_from(&datasets);
    }
    let project = package::project(bom, &mut graph);
    graph.relate(&project, "contains", &roots);
    graph.relate(&project, "dependsOn", &dependencies);
    let own: Vec<String> = bom.files_of(Owner::Project).map(|file| package::file(file, &mut graph)).collect();
    graph.relate(&project, "contains", &own);
    let main = roots.first().cloned().unwrap_or_else(|| project.clone());
    finish(bom, graph, &project, &main)
}

fn creation(bom: &Bom, graph: &mut Graph) {
    let agent = graph.id("waag");
    let mut info = json!({
        "type": "CreationInfo",
        "@id": graph::CREATION,
        "specVersion": "3.0.1",
        "created": bom.time.map_or_else(|| NO_TIME.to_owned(), graph::time),
        "createdBy": [agent],
    });
    if bom.time.is_none() {
        info["comment"] = "No time was given, and none was taken from a clock.".into();
    }
    graph.add(info);
    graph.add(json!({
        "type": "SoftwareAgent",
        "spdxId": agent,
        "creationInfo": graph::CREATION,
        "name": format!("waag {}", env!("CARGO_PKG_VERSION")),
    }));
}

fn finish(bom: &Bom, mut graph: Graph, project: &str, main: &str) -> Value {
    let (sbom, document) = (graph.id("sbom"), graph.id("document"));
    let elements = graph.ids();
    graph.add(json!({
        "type": "software_Sbom",
        "spdxId": sbom,
        "creationInfo": graph::CREATION,
        "software_sbomType": ["analyzed"],
        "rootElement": if main == project { vec![project] } else { vec![main, project] },
        "element": elements,
    }));
    let mut all = elements;
    all.push(sbom.clone());
    let mut body = json!({
        "type": "SpdxDocument",
        "spdxId": document,
        "creationInfo": graph::CREATION,
        "name": name(&bom.name),
        "profileConformance": profiles(bom),
        "rootElement": [sbom],
        "element": all,
    });
    let remarks: Vec<String> =
        bom.remarks.iter().map(|remark| format!("{}: {}", remark.location, remark.text)).collect();
    if !remarks.is_empty() {
        body["comment"] = plain(&remarks.join("\n")).into();
    }
    graph.add(body);
    json!({ "@context": CONTEXT, "@graph": graph.into_elements() })
}

/// Profiles whose every demand is met.
fn profiles(bom: &Bom) -> Vec<&'static str> {
    let mut list = vec!["core", "software", "simpleLicensing"];
    let is_whole = |model: &super::model::Model| {
        let can_be_had = model.download.as_ref().is_some_and(|download| address(&download.value).is_some());
        model.supplier.is_some() && model.release.is_some() && model.version.is_some() && can_be_had
    };
    if !bom.models.is_empty() && bom.models.iter().all(is_whole) {
        list.push("ai");
    }
    list
}

/// A name that is never empty.
fn name(text: &str) -> String {
    let text = plain(text);
    if text.trim().is_empty() { "unnamed".to_owned() } else { text }
}
