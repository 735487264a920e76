//! One source while it is read: what it says, and where.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use waag_evidence::Sha256Digest;
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::{Claim, ClaimSource, Voice};
use waag_evidence::statement::role::Role;
use waag_formats::source::{Source as _, read_up_to};

use super::conflict::{Said, Topic};
use super::document::{Document, Node};
use super::intake::{Grade, Intake, Remark};
use crate::io::{FileSource, sha256};

/// Bytes of a source that is read as text. A bill of materials of fifty thousand components has fewer.
const MAX_TEXT: u64 = 64 << 20;
/// Claims that are taken from one source.
const MAX_CLAIMS: usize = 200_000;

/// What one source says.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) source: ClaimSource,
    voice: Voice,
    /// When it was said.
    pub(super) said_at: Option<Timestamp>,
    pub(super) claims: Vec<Claim>,
    pub(super) said: Vec<Said>,
    pub(super) remarks: Vec<Remark>,
    /// Whether there were more claims than are taken.
    is_full: bool,
}

impl Page {
    /// A source that is not a file.
    pub(super) fn at(kind: &str, location: impl Into<String>, voice: Voice) -> Self {
        let source = ClaimSource { kind: kind.to_owned(), location: location.into(), place: None, sha256: None };
        Self { source, voice, said_at: None, claims: Vec::new(), said: Vec::new(), remarks: Vec::new(), is_full: false }
    }

    /// A file that is not read as text.
    pub(super) fn of_digest(kind: &str, path: &Path, voice: Voice, digest: Sha256Digest, intake: &Intake<'_>) -> Self {
        let mut page = Self::at(kind, intake.told(path), voice);
        page.source.sha256 = Some(digest);
        page
    }

    /// A file and its bytes; what is wrong with it is said at once.
    pub(super) fn open(kind: &str, path: &Path, voice: Voice, intake: &mut Intake<'_>) -> Option<(Self, Vec<u8>)> {
        let opened = match FileSource::open(path) {
            Ok(source) => source,
            Err(error) => {
                intake.remark(Grade::Unchecked, path, format!("cannot be read: {error}"));
                return None;
            }
        };
        if opened.len() > MAX_TEXT {
            intake.remark(Grade::Unchecked, path, format!("was not read: it has more than {MAX_TEXT} bytes"));
            return None;
        }
        let bytes = read_up_to(&opened, 0, usize::try_from(MAX_TEXT).unwrap_or(usize::MAX));
        if bytes.len() as u64 != opened.len() {
            intake.remark(Grade::Unchecked, path, "changed while it was read");
            return None;
        }
        let digest = sha256(&bytes.as_slice()).ok()?;
        Some((Self::of_digest(kind, path, voice, digest, intake), bytes))
    }

    /// The document in its text. That there is none is said, and so is what is odd about it.
    pub(super) fn document(&mut self, parsed: Result<Document, String>) -> Option<Document> {
        match parsed {
            Err(why) => {
                self.remark(Grade::Unchecked, why);
                None
            }
            Ok(document) => {
                document.oddities.iter().for_each(|odd| self.remark(Grade::Unchecked, odd.clone()));
                Some(document)
            }
        }
    }

    /// Takes a claim that stands at a place.
    pub(super) fn claim(
        &mut self,
        subject: &ResourceDescriptor,
        role: Role,
        object: ResourceDescriptor,
        place: impl Into<String>,
    ) {
        if self.claims.len() >= MAX_CLAIMS {
            if !std::mem::replace(&mut self.is_full, true) {
                self.remark(Grade::Unchecked, format!("only the first {MAX_CLAIMS} claims are taken"));
            }
            return;
        }
        let source = ClaimSource { place: Some(place.into()).filter(|place| !place.is_empty()), ..self.source.clone() };
        let claim = Claim { subject: subject.clone(), role, object, voice: self.voice, source, said_at: self.said_at };
        self.said.extend(super::conflict::said_by(std::slice::from_ref(&claim)));
        self.claims.push(claim);
    }

    /// The licence that a source gives an artifact: kept on its description, and compared with what others say.
    pub(super) fn licence(&mut self, subject: &ResourceDescriptor, licence: &str, place: impl Into<String>) {
        let place = place.into();
        self.said.push(Said::new(subject, Topic::Licence, licence, licence, &self.source, &place));
        let object = self.description([("license", Value::from(licence))]);
        self.claim(subject, Role::Description, object, place);
    }

    /// The source itself, as what describes an artifact, with what it says of it.
    pub(super) fn description<const N: usize>(&self, annotations: [(&str, Value); N]) -> ResourceDescriptor {
        let annotations = annotations.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let digest = self.source.sha256.iter().map(|digest| ("sha256", digest)).collect();
        ResourceDescriptor { name: Some(self.source.location.clone()), digest, annotations, ..Default::default() }
    }

    /// Says something of the source.
    pub(super) fn remark(&mut self, grade: Grade, text: impl Into<String>) {
        self.remarks.push(Remark { grade, location: self.source.location.clone(), text: text.into() });
    }

    /// Says something of a place in the source.
    pub(super) fn remark_at(&mut self, grade: Grade, node: &Node<'_>, text: impl Into<String>) {
        let location = format!("{}#{}", self.source.location, node.place());
        self.remarks.push(Remark { grade, location, text: text.into() });
    }
}
