//! A run as a tracker recorded it: what went in, what came out, and what it was told.

use jiff::Timestamp;
use serde_json::Value;
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::{Claim, ClaimSource, Voice};
use waag_evidence::statement::provenance::BuildType;
use waag_evidence::statement::role::Role;

use super::identity::{Kind, guessed, is_local};

/// Claims that are made of one run: each of its inputs with each of its outputs. The statement of the run has both in full.
const MAX_CLAIMS: usize = 50_000;

/// Something that went into a run.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) what: ResourceDescriptor,
    pub(super) role: Role,
    /// Where in the record it stands.
    pub(super) place: String,
}

/// A run.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// The record, and its digest where it is a file.
    pub(super) source: ClaimSource,
    /// The tracker's identifier of it.
    pub(super) id: String,
    pub(super) started: Option<Timestamp>,
    pub(super) finished: Option<Timestamp>,
    /// Versions of the tracker's parts.
    pub(super) version: Vec<(&'static str, String)>,
    /// What the user chose: parameters, the script.
    pub(super) external: Value,
    /// The rest: an object.
    pub(super) internal: Value,
    pub(super) inputs: Vec<Input>,
    /// What came out.
    pub(super) outputs: Vec<ResourceDescriptor>,
    /// Results and logs.
    pub(super) byproducts: Vec<ResourceDescriptor>,
    /// What the record names and nothing is claimed from: the place, and why.
    pub(super) notes: Vec<(String, String)>,
}

impl Run {
    pub(super) fn new(source: ClaimSource, id: impl Into<String>) -> Self {
        Self {
            source,
            id: id.into(),
            started: None,
            finished: None,
            version: Vec::new(),
            external: Value::Object(serde_json::Map::new()),
            internal: Value::Object(serde_json::Map::new()),
            inputs: Vec::new(),
            outputs: Vec::new(),
            byproducts: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn input(&mut self, role: Role, what: ResourceDescriptor, place: impl Into<String>) {
        let mut what = what;
        what.uri = what.uri.as_deref().map(without_credentials);
        what.name = what.name.as_deref().map(without_credentials);
        self.inputs.push(Input { what, role, place: place.into() });
    }

    /// A model or data that the record names. Somebody's path names neither, which is said.
    pub(super) fn named(&mut self, role: Role, kind: Kind, name: &str, place: String) {
        if is_local(name) {
            let text = format!("'{name}' is a path on somebody's disk, which does not say what went into the run");
            self.notes.push((place, text));
        } else if !name.is_empty() {
            self.input(role, guessed(name, kind, None), place);
        }
    }

    /// Which step it was, by what went in.
    pub(super) fn build_type(&self) -> BuildType {
        let tuned = self.inputs.iter().any(|input| input.role == Role::BaseModel);
        if tuned { BuildType::FineTune } else { BuildType::Train }
    }

    /// The address that stands for records of this tracker: nobody vouches for what is in them.
    pub(super) fn builder(&self) -> String {
        format!("https://waag.dev/importers/{}", self.source.kind)
    }

    /// How many claims are too many to be made.
    pub(super) fn more_claims(&self) -> usize {
        (self.outputs.len().max(1)).saturating_mul(self.inputs.len()).saturating_sub(MAX_CLAIMS)
    }

    /// Each input as a claim about each output.
    pub(super) fn claims(&self) -> Vec<Claim> {
        let record = ResourceDescriptor {
            name: Some(self.id.clone()),
            digest: self.source.sha256.iter().map(|digest| ("sha256", digest)).collect(),
            ..ResourceDescriptor::default()
        };
        let outputs = if self.outputs.is_empty() { std::slice::from_ref(&record) } else { &self.outputs };
        let claim = |output: &ResourceDescriptor, input: &Input| Claim {
            subject: output.clone(),
            role: input.role,
            object: input.what.clone(),
            voice: Voice::DerivedFromFile,
            source: ClaimSource { place: Some(input.place.clone()), ..self.source.clone() },
            said_at: self.finished.or(self.started),
        };
        let claims = outputs.iter().flat_map(|output| self.inputs.iter().map(move |input| claim(output, input)));
        claims.take(MAX_CLAIMS).collect()
    }
}

/// A commit as something that went in; none when it is no commit.
pub(super) fn commit(commit: &str, remote: Option<&str>) -> Option<ResourceDescriptor> {
    let is_digest = matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    let remote = remote.filter(|remote| !remote.is_empty()).map(without_credentials);
    let uri = remote.map(|remote| if remote.starts_with("git+") { remote } else { format!("git+{remote}") });
    let digest = [("gitCommit", commit.to_ascii_lowercase())].into_iter().collect();
    is_digest.then(|| ResourceDescriptor { name: Some("code".to_owned()), uri, digest, ..Default::default() })
}

/// An address without the name and password that some people leave in it.
pub(super) fn without_credentials(address: &str) -> String {
    match address.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?))) {
        Some((scheme, (name, rest))) if !name.contains('/') => format!("{scheme}://{rest}"),
        _ => address.to_owned(),
    }
}

/// A time of milliseconds since 1970.
pub(super) fn of_milliseconds(value: Option<i64>) -> Option<Timestamp> {
    value
        .filter(|milliseconds| *milliseconds > 0)
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_of_one_run_have_an_end() {
        let mut run = Run::new(ClaimSource::default(), "r");
        (0..300).for_each(|number| run.input(Role::Input, ResourceDescriptor::default(), number.to_string()));
        run.outputs = vec![ResourceDescriptor::default(); 200];
        assert_eq!((run.claims().len(), run.more_claims()), (MAX_CLAIMS, 300 * 200 - MAX_CLAIMS));
    }

    #[test]
    fn what_goes_in_keeps_no_password() {
        let mut run = Run::new(ClaimSource::default(), "r");
        let uri = Some("https://me:secret@example.org/data".to_owned());
        run.input(Role::Dataset, ResourceDescriptor { uri, ..ResourceDescriptor::default() }, "");
        assert_eq!(run.inputs[0].what.uri.as_deref(), Some("https://example.org/data"));
    }

    #[test]
    fn credentials_do_not_leave_an_address() {
        let told = |remote| commit(&"a".repeat(40), Some(remote)).unwrap().uri.unwrap();
        assert_eq!(told("https://me:secret@example.org/r.git"), "git+https://example.org/r.git");
        assert_eq!(told("git@example.org:r.git"), "git+git@example.org:r.git");
        assert_eq!(commit("main", None), None);
    }
}
