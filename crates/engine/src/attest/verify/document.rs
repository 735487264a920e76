//! Files with attestations: a bundle or an envelope, or one a line.

use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use waag_evidence::Sha256Digest;
use waag_evidence::statement::Statement;
use waag_evidence::statement::evidence::EvidenceType;
use waag_signing::bundle::MAX_BYTES;
use waag_signing::sealed::Sealed;

use crate::key_files;
use crate::verify::VerifyError;

/// Attestations of one file that are read.
const MAX_LINES: usize = 10_000;

/// An attestation as it stands in a file.
pub(super) struct Document {
    pub(super) path: PathBuf,
    /// The line, counted from 1, where a file has several.
    pub(super) line: Option<u64>,
    pub(super) json: Vec<u8>,
    /// The predicate type that it claims to have; empty where it says nothing. Nobody vouches for this.
    pub(super) claimed_type: String,
    /// The digest of what it wraps, where that can be read: two signatures over one statement have the same.
    pub(super) statement: Option<Sha256Digest>,
    /// Whether anybody signed it.
    pub(super) is_signed: bool,
}

impl Document {
    fn new(path: &Path, line: Option<u64>, json: Vec<u8>) -> Self {
        let sealed = Sealed::parse(&json);
        let bytes = sealed.as_ref().ok().and_then(|sealed| sealed.statement_bytes().ok());
        let statement = bytes.as_ref().and_then(|bytes| Statement::parse(bytes).ok());
        Self {
            path: path.to_owned(),
            line,
            json,
            claimed_type: statement.map(|statement| statement.predicate_type).unwrap_or_default(),
            statement: bytes.and_then(|bytes| crate::io::sha256(&bytes.as_slice()).ok()),
            is_signed: sealed.is_ok_and(|sealed| sealed.is_signed()),
        }
    }

    /// Whether it is of the type that is asked for.
    pub(super) fn counts(&self, evidence: Option<&EvidenceType>) -> bool {
        evidence.is_none_or(|evidence| evidence.is(&self.claimed_type))
    }
}

/// The attestations of a file.
pub(super) fn documents(path: &Path) -> Result<Vec<Document>, VerifyError> {
    let unreadable = |source| VerifyError::Attestation { path: path.to_owned(), source };
    let bytes = key_files::bytes(path, MAX_BYTES).map_err(unreadable)?;
    if serde_json::from_slice::<IgnoredAny>(&bytes).is_ok() {
        return Ok(vec![Document::new(path, None, bytes.to_vec())]);
    }
    let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    let lines: Vec<_> = lines.take(MAX_LINES + 1).collect();
    match lines.as_slice() {
        [] | [_] => Ok(vec![Document::new(path, None, bytes.to_vec())]),
        many if many.len() > MAX_LINES => {
            Err(unreadable(std::io::Error::other(format!("it has more than {MAX_LINES} lines"))))
        }
        many => {
            Ok(many.iter().map(|(index, line)| Document::new(path, Some(*index as u64 + 1), line.to_vec())).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use waag_signing::envelope::Envelope;

    use super::*;

    fn lines(text: &[u8]) -> Vec<(Option<u64>, String)> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        documents(file.path()).unwrap().into_iter().map(|document| (document.line, document.claimed_type)).collect()
    }

    #[test]
    fn one_document_or_one_a_line() {
        let statement = br#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha1":"00"}}],"predicateType":"https://x/y","predicate":{}}"#;
        let line = Envelope::unsigned(statement).to_json().unwrap();
        let kind = "https://x/y".to_owned();
        assert_eq!(lines(&line), [(None, kind.clone())]);
        let pretty: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(lines(serde_json::to_string_pretty(&pretty).unwrap().as_bytes()), [(None, kind.clone())]);
        let both = [line.as_slice(), b"\n", &line, b"nonsense"].concat();
        assert_eq!(lines(&both), [(Some(1), kind.clone()), (Some(3), kind), (Some(4), String::new())]);
        assert_eq!(lines(b"nonsense"), [(None, String::new())]);
    }
}
