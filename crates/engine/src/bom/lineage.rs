//! What a model was made from: cards, configurations, adapters, GGUF headers and recipes of merges, joined, with where they
//! disagree.

use std::collections::BTreeMap;

use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Claim;
use waag_evidence::statement::role::Role;

use super::document::Document;
use super::model::{Ancestor, Evidence, Method, Purpose, Remark};
use crate::import::conflict::{self, Conflict, Said, Topic};

/// Sources of claims that are read; what trackers keep is no part of a model.
pub(super) const SOURCES: &[&str] = &[
    "huggingface-card",
    "huggingface-config",
    "adapter-configuration",
    "gguf",
    "mergekit",
    "provenance-yaml",
    "modelcard-yaml",
    "sentence-transformers",
];

/// The source whose `_name_or_path` is whatever path a model was loaded from.
const CONFIGURATION: &str = "huggingface-config";

/// What files say of where a model comes from.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    pub(super) ancestors: Vec<Ancestor>,
    pub(super) conflicts: Vec<Conflict>,
    pub(super) data: Vec<NamedData>,
    /// Licences that sources beside the card give.
    pub(super) licences: Vec<(String, Evidence)>,
    pub(super) remarks: Vec<Remark>,
}

/// Data that is named.
#[derive(Debug)]
pub(super) struct NamedData {
    pub(super) name: String,
    pub(super) address: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) purpose: Purpose,
    pub(super) evidence: Vec<Evidence>,
}

/// Joins the claims about one model. `names` are those that it goes by itself.
pub(super) fn join(claims: &[&Claim], names: &[String], cards: &[&Document]) -> Lineage {
    let mut lineage = Lineage::default();
    // One artifact, whatever it is called.
    let subject = ResourceDescriptor { uri: names.first().cloned(), ..ResourceDescriptor::default() };
    let mut said = Vec::new();
    let is_told_elsewhere = claims.iter().any(|claim| is_origin(claim) && claim.source.kind != CONFIGURATION);
    for claim in claims {
        let evidence = evidence(claim, cards);
        match claim.role {
            _ if is_origin(claim) && is_itself(claim, names, is_told_elsewhere) => {
                let text =
                    format!("'{}' is the model itself, which is not what it was made from", name_of(&claim.object));
                lineage.remarks.push(Remark::note(evidence.place(), text));
                continue;
            }
            Role::BaseModel | Role::ConvertedFrom => ancestor(&mut lineage.ancestors, claim, evidence),
            Role::Dataset => data(&mut lineage.data, claim, Purpose::Training, evidence),
            Role::EvaluationDataset => data(&mut lineage.data, claim, Purpose::Evaluation, evidence),
            Role::Description => {
                let Some(licence) = claim.object.annotations.get("license").and_then(|value| value.as_str()) else {
                    continue;
                };
                said.push(Said::new(&subject, Topic::Licence, licence, licence, &claim.source, &evidence.place()));
                lineage.licences.push((licence.to_owned(), evidence));
                continue;
            }
            _ => continue,
        }
        said.extend(conflict::said_by(&[Claim { subject: subject.clone(), ..(*claim).clone() }]));
    }
    lineage.conflicts = conflict::find(&said);
    lineage
}

fn name_of(object: &ResourceDescriptor) -> String {
    object.name.clone().or_else(|| object.uri.clone()).unwrap_or_default()
}

fn is_origin(claim: &Claim) -> bool {
    matches!(claim.role, Role::BaseModel | Role::ConvertedFrom)
}

/// Whether a reference is to the model itself: by its whole name; in a configuration, which has the path that it was saved
/// under, by the last part too, unless something else says what it was made from.
fn is_itself(claim: &Claim, names: &[String], is_told_elsewhere: bool) -> bool {
    let name = name_of(&claim.object);
    let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let is_path = claim.source.kind == CONFIGURATION && !is_told_elsewhere;
    names.iter().any(|own| own.eq_ignore_ascii_case(&name) || is_path && own.eq_ignore_ascii_case(last))
}

fn ancestor(list: &mut Vec<Ancestor>, claim: &Claim, evidence: Evidence) {
    let name = name_of(&claim.object);
    let annotation = |key: &str| claim.object.annotations.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let key = name.to_ascii_lowercase();
    if let Some(known) = list.iter_mut().find(|known| known.name.to_ascii_lowercase() == key) {
        known.revision = known.revision.take().or_else(|| annotation("revision"));
        known.relation = known.relation.take().or_else(|| annotation("relation"));
        // The longer address has the revision in it.
        if known.uri.as_ref().map_or(0, String::len) < claim.object.uri.as_ref().map_or(0, String::len) {
            known.uri.clone_from(&claim.object.uri);
        }
        return known.evidence.push(evidence);
    }
    let (revision, relation) = (annotation("revision"), annotation("relation"));
    list.push(Ancestor { name, uri: claim.object.uri.clone(), revision, relation, evidence: vec![evidence] });
}

fn data(list: &mut Vec<NamedData>, claim: &Claim, purpose: Purpose, evidence: Evidence) {
    let name = name_of(&claim.object);
    let revision = claim.object.annotations.get("revision").and_then(|value| value.as_str()).map(str::to_owned);
    let key = name.to_ascii_lowercase();
    let known = list.iter_mut().find(|known| known.name.to_ascii_lowercase() == key && known.purpose == purpose);
    if let Some(known) = known {
        known.revision = known.revision.take().or(revision);
        return known.evidence.push(evidence);
    }
    list.push(NamedData { name, address: claim.object.uri.clone(), revision, purpose, evidence: vec![evidence] });
}

/// Where a claim stands, with the line where it is a card's.
fn evidence(claim: &Claim, cards: &[&Document]) -> Evidence {
    let (file, place) = (&claim.source.location, claim.source.place.as_deref().unwrap_or_default());
    if let Some(card) = cards.iter().find(|card| card.file == *file) {
        return card.evidence_at(place);
    }
    let method = match claim.source.kind.as_str() {
        "gguf" => Method::Header,
        "modelcard-yaml" | "provenance-yaml" => Method::Card,
        _ => Method::Configuration,
    };
    let place = Some(place.to_owned()).filter(|place| !place.is_empty());
    Evidence { file: file.clone(), line: None, place, method }
}

/// Claims by the folder of the model that their source lies in: the innermost.
pub(super) fn by_model<'a>(claims: &'a [Claim], folders: &[String]) -> BTreeMap<usize, Vec<&'a Claim>> {
    let mut sorted: BTreeMap<usize, Vec<&Claim>> = BTreeMap::new();
    for claim in claims {
        if let Some(model) = super::folders::model_of(&claim.source.location, folders) {
            sorted.entry(model).or_default().push(claim);
        }
    }
    sorted
}
