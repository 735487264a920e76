//! Where sources disagree: two of them name other base models, datasets or licences for one artifact.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::subject::FOLDER;
use serde::Serialize;
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::{Claim, ClaimSource};
use waag_evidence::statement::role::Role;

/// What sources can disagree about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// What it was made from.
    BaseModel,
    /// Which revision of that.
    Revision,
    /// What it was trained on.
    Dataset,
    /// Under which licence it is.
    Licence,
}

impl fmt::Display for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::BaseModel => "base model",
            Self::Revision => "revision of the base model",
            Self::Dataset => "datasets",
            Self::Licence => "licence",
        })
    }
}

/// What one source says about one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    subject: (String, String),
    /// For a revision: of what.
    of: String,
    topic: Topic,
    /// The value in the form in which values are compared.
    key: String,
    value: String,
    source: String,
    place: String,
}

impl Said {
    pub(crate) fn new(
        subject: &ResourceDescriptor,
        topic: Topic,
        key: &str,
        value: &str,
        source: &ClaimSource,
        place: &str,
    ) -> Self {
        Self {
            subject: (identity(subject), shown(subject)),
            of: String::new(),
            topic,
            key: key_for(topic, key),
            value: value.to_owned(),
            source: source.location.clone(),
            place: place.to_owned(),
        }
    }
}

/// Licences are written with `_`, spaces or `-`; on the hub, these are letters of different names.
fn key_for(topic: Topic, key: &str) -> String {
    let key = key.trim().to_lowercase();
    if topic == Topic::Licence { key.replace(['_', ' '], "-") } else { key }
}

/// Two or more sources that disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// What about.
    pub topic: Topic,
    /// Of which artifact.
    pub subject: String,
    /// What each source says, in order of source.
    pub voices: Vec<VoiceIn>,
}

/// What one source says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VoiceIn {
    /// The source.
    pub source: String,
    /// The place of the first of them.
    pub place: String,
    /// What it names.
    pub values: Vec<String>,
}

/// What tells one subject from another: a digest, or else its address. Two artifacts may have one name.
fn identity(resource: &ResourceDescriptor) -> String {
    let sha256 = resource.digest.get("sha256").map(str::to_owned);
    let other = || resource.digest.iter().next().map(|(algorithm, digits)| format!("{algorithm}:{digits}"));
    let folder = || resource.annotations.get(FOLDER).and_then(|path| path.as_str()).map(str::to_owned);
    sha256.or_else(other).or_else(folder).or_else(|| resource.uri.clone()).unwrap_or_default()
}

/// How a resource is told.
pub(super) fn shown(resource: &ResourceDescriptor) -> String {
    let name = resource.uri.clone().or_else(|| resource.name.clone());
    name.or_else(|| resource.digest.get("sha256").map(|digest| format!("sha256:{digest}"))).unwrap_or_default()
}

/// What a model or dataset is compared by: its name on the hub without revision, however it is written.
fn key_of(object: &ResourceDescriptor) -> String {
    let uri = object.uri.as_deref().or(object.name.as_deref()).unwrap_or_default();
    let id = uri.strip_prefix("pkg:huggingface/").or_else(|| uri.strip_prefix("https://huggingface.co/datasets/"));
    let name = id.unwrap_or(uri);
    // Elsewhere, `@` is a letter like others.
    let name = if uri.starts_with("pkg:") { name.split('@').next().unwrap_or_default() } else { name };
    name.to_lowercase()
}

fn revision_of(object: &ResourceDescriptor) -> Option<String> {
    let in_uri = object.uri.as_deref().filter(|uri| uri.starts_with("pkg:")).and_then(|uri| uri.split_once('@'));
    let beside = || object.annotations.get("revision").and_then(|revision| revision.as_str()).map(str::to_owned);
    in_uri.map(|(_, revision)| revision.to_owned()).or_else(beside)
}

/// What claims say about topics that can be disagreed about.
pub(crate) fn said_by(claims: &[Claim]) -> Vec<Said> {
    let mut list = Vec::new();
    for claim in claims {
        let topic = match claim.role {
            Role::BaseModel => Topic::BaseModel,
            Role::Dataset => Topic::Dataset,
            _ => continue,
        };
        let place = claim.source.place.as_deref().unwrap_or_default();
        let key = key_of(&claim.object);
        list.push(Said::new(&claim.subject, topic, &key, &shown(&claim.object), &claim.source, place));
        if let Some(revision) = revision_of(&claim.object).filter(|_| topic == Topic::BaseModel) {
            let said = Said::new(&claim.subject, Topic::Revision, &revision, &revision, &claim.source, place);
            list.push(Said { of: key, ..said });
        }
    }
    list
}

/// Sources whose sets of names differ so that neither has all of the other's: one of them that says less is no conflict.
pub(crate) fn find(said: &[Said]) -> Vec<Conflict> {
    type Group<'a> = BTreeMap<&'a str, Vec<&'a Said>>;
    let mut groups: BTreeMap<(Topic, &str, &str), Group<'_>> = BTreeMap::new();
    for one in said.iter().filter(|one| !one.subject.0.is_empty()) {
        let group = groups.entry((one.topic, &one.subject.0, &one.of)).or_default();
        group.entry(&one.source).or_default().push(one);
    }
    let mut conflicts = Vec::new();
    for ((topic, ..), sources) in groups {
        let sets: Vec<BTreeSet<&str>> =
            sources.values().map(|list| list.iter().map(|said| said.key.as_str()).collect()).collect();
        let disagree = sets
            .iter()
            .enumerate()
            .any(|(index, one)| sets[index + 1..].iter().any(|other| !one.is_subset(other) && !other.is_subset(one)));
        if !disagree {
            continue;
        }
        let subject = sources.values().flatten().map(|said| said.subject.1.clone()).next().unwrap_or_default();
        let voices = sources.iter().map(|(source, list)| voice(source, list)).collect();
        conflicts.push(Conflict { topic, subject, voices });
    }
    conflicts
}

fn voice(source: &str, list: &[&Said]) -> VoiceIn {
    let values: BTreeSet<&str> = list.iter().map(|said| said.value.as_str()).collect();
    let place = list.first().map(|said| said.place.clone()).unwrap_or_default();
    VoiceIn { source: source.to_owned(), place, values: values.into_iter().map(str::to_owned).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(topic: Topic, source: &str, value: &str) -> Said {
        let subject = ResourceDescriptor { uri: Some("pkg:huggingface/o/m".into()), ..ResourceDescriptor::default() };
        let source = ClaimSource { location: source.into(), ..ClaimSource::default() };
        Said::new(&subject, topic, value, value, &source, "/x")
    }

    #[test]
    fn other_names_are_a_conflict_and_fewer_are_not() {
        let agree = [said(Topic::BaseModel, "a", "org/x"), said(Topic::BaseModel, "b", "Org/X")];
        assert_eq!(find(&agree), []);
        let fewer = [said(Topic::Dataset, "a", "d1"), said(Topic::Dataset, "b", "d1"), said(Topic::Dataset, "b", "d2")];
        assert_eq!(find(&fewer), []);
        let other = [said(Topic::Licence, "a", "apache-2.0"), said(Topic::Licence, "b", "llama3.2")];
        let found = find(&other);
        assert_eq!((found.len(), found[0].topic, found[0].voices.len()), (1, Topic::Licence, 2));
        assert_eq!(found[0].voices[1].values, ["llama3.2"]);
    }

    #[test]
    fn names_that_differ_in_a_letter_are_two() {
        let two = [said(Topic::BaseModel, "a", "org/my_model"), said(Topic::BaseModel, "b", "org/my-model")];
        assert_eq!(find(&two).len(), 1);
        let nameless = ResourceDescriptor { name: Some("m".into()), ..ResourceDescriptor::default() };
        let source = |location: &str| ClaimSource { location: location.into(), ..ClaimSource::default() };
        let said = |location, value| Said::new(&nameless, Topic::BaseModel, value, value, &source(location), "/x");
        assert_eq!(find(&[said("a", "org/x"), said("b", "org/y")]), [], "two artifacts may be called m");
        let key = |name: &str| key_of(&ResourceDescriptor { name: Some(name.into()), ..ResourceDescriptor::default() });
        assert_ne!(key("a@b"), key("a@c"));
    }

    #[test]
    fn spellings_of_one_licence_agree() {
        assert_eq!(find(&[said(Topic::Licence, "a", "Apache-2.0"), said(Topic::Licence, "b", "apache-2.0")]), []);
    }
}
