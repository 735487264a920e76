//! From facts to the few lines that say what an artifact is.

use std::collections::BTreeMap;

use waag_evidence::finding::Location;
use waag_formats::fact::{FactKind, Standing};
use waag_formats::facts::Facts;
use waag_formats::format::{Depth, Format};

use crate::report::{Analysis, ArtifactReport, Loading};

/// What people are told of a format that nobody here knows.
const UNKNOWN: &str = "unknown";
/// Properties shown of one artifact.
const MAX_PROPERTIES: usize = 40;

/// The report on an artifact, as far as its own facts say.
#[must_use]
pub(crate) fn report(location: Location, size: u64, formats: &[&'static dyn Format], facts: &Facts) -> ArtifactReport {
    let meta = formats.first().map(|format| format.meta());
    ArtifactReport {
        location,
        size,
        format: meta.map(|meta| meta.id),
        title: meta.map_or(UNKNOWN, |meta| meta.title),
        sha256: None,
        analysis: Analysis::Complete,
        properties: properties(facts),
        tensors: facts.totals(),
        dtypes: dtypes(facts),
        loading: loading(facts),
    }
}

/// Id and name of the format that people are told by this name.
pub(crate) fn name_of(title: &str) -> Option<(Option<&'static str>, &'static str)> {
    if title == UNKNOWN {
        return Some((None, UNKNOWN));
    }
    let metas = waag_formats::FORMATS.iter().map(|format| format.meta());
    metas.into_iter().find(|meta| meta.title == title).map(|meta| (Some(meta.id), meta.title))
}

/// The report on a folder that belongs to a tool, and is named but not walked.
pub(crate) fn tool_folder(location: Location) -> ArtifactReport {
    let analysis = Analysis::NotAnalysed;
    ArtifactReport { title: "folder of a tool", analysis, ..report(location, 0, &[], &Facts::new()) }
}

/// The report on a file of raw numbers that a model beside it names and describes.
pub(crate) fn numbers(location: Location, size: u64) -> ArtifactReport {
    ArtifactReport { title: "numbers of a model", ..report(location, size, &[], &Facts::new()) }
}

/// Whether any of the formats is parsed, not only told apart.
#[must_use]
pub(crate) fn is_parsed(formats: &[&'static dyn Format]) -> bool {
    formats.iter().any(|format| format.meta().depth != Depth::Surface)
}

/// Fills in how far the artifact was analysed, when everything about it is known.
pub(crate) fn conclude(report: &mut ArtifactReport, facts: &Facts) {
    let incomplete = facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Incomplete { .. }));
    let surface = waag_formats::FORMATS
        .iter()
        .any(|format| Some(format.meta().id) == report.format && format.meta().depth == Depth::Surface);
    report.analysis = match () {
        () if incomplete => Analysis::Partial,
        () if surface => Analysis::NotAnalysed,
        () => Analysis::Complete,
    };
}

fn properties(facts: &Facts) -> Vec<(String, String)> {
    let mut properties: Vec<(String, String)> = Vec::new();
    for fact in facts.list() {
        if let FactKind::Property { name, value } = &fact.kind
            && properties.len() < MAX_PROPERTIES
            && !properties.iter().any(|(known, _)| known == name)
        {
            properties.push((name.to_string(), value.clone()));
        }
    }
    properties
}

fn dtypes(facts: &Facts) -> Vec<(String, u64)> {
    let mut elements: BTreeMap<String, u64> = BTreeMap::new();
    for fact in facts.list() {
        if let FactKind::Tensor(tensor) = &fact.kind {
            let count = elements.entry(tensor.dtype.clone()).or_default();
            *count = count.saturating_add(tensor.elements());
        }
    }
    let mut dtypes: Vec<_> = elements.into_iter().collect();
    dtypes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    dtypes
}

fn loading(facts: &Facts) -> Loading {
    let mut loading = Loading::default();
    for fact in facts.list() {
        let FactKind::Callable(callable) = &fact.kind else { continue };
        let count = match callable.standing {
            Standing::Inert { .. } => &mut loading.inert,
            Standing::Dangerous { .. } | Standing::Computed => &mut loading.dangerous,
            _ => &mut loading.unlisted,
        };
        *count = count.saturating_add(callable.count);
    }
    loading
}
