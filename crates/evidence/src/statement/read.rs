//! Reading a statement whose predicate may be anything.

use super::{EARLY_STATEMENT_TYPE, ResourceDescriptor, STATEMENT_TYPE, Statement};
use crate::{strict, unique};

/// Subjects of one statement: as many as a model may have files.
const MAX_SUBJECTS: usize = 5_000_001;

/// Why something is no statement. Texts may quote it: sanitize them before they are shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidStatement {
    /// It is no JSON document of this form.
    #[error("it is no in-toto statement: {0}")]
    Form(String),
    /// It is of a version that is not known.
    #[error("its type is '{0}'")]
    Version(String),
    /// It is about nothing.
    #[error("it has no subject")]
    NoSubject,
    /// More subjects than are read.
    #[error("it has {0} subjects: {MAX_SUBJECTS} are read")]
    TooManySubjects(usize),
    /// A subject that could be anything.
    #[error("its subject '{0}' has no digest")]
    NoDigest(String),
    /// It does not say what kind of claim it is.
    #[error("it has no predicateType")]
    NoPredicateType,
}

impl Statement {
    /// Reads a statement, of version 1 or the one before. What it claims is not looked at, and nothing is verified.
    ///
    /// # Errors
    /// When it is of another form or version, has one name twice in an object, or is about nothing that has a digest.
    pub fn parse(json: &[u8]) -> Result<Self, InvalidStatement> {
        let form = |error: serde_json::Error| InvalidStatement::Form(error.to_string());
        // What a predicate says twice would be told in one way here and in another way elsewhere.
        unique::parse(json).map_err(form)?;
        let statement: Self = strict::from_slice(json).map_err(form)?;
        statement.check()?;
        Ok(statement)
    }
}

impl<P> Statement<P> {
    /// Whether it says what it is about and of what kind it is.
    ///
    /// # Errors
    /// With the first thing that is missing.
    pub fn check(&self) -> Result<(), InvalidStatement> {
        if ![STATEMENT_TYPE, EARLY_STATEMENT_TYPE].contains(&self.statement_type.as_str()) {
            return Err(InvalidStatement::Version(self.statement_type.clone()));
        }
        if self.predicate_type.is_empty() {
            return Err(InvalidStatement::NoPredicateType);
        }
        match self.subject.len() {
            0 => return Err(InvalidStatement::NoSubject),
            many if many > MAX_SUBJECTS => return Err(InvalidStatement::TooManySubjects(many)),
            _ => {}
        }
        match self.subject.iter().find(|subject| subject.digest.is_empty()) {
            Some(subject) => Err(InvalidStatement::NoDigest(called(subject).to_owned())),
            None => Ok(()),
        }
    }
}

/// What a descriptor is called, for people.
fn called(descriptor: &ResourceDescriptor) -> &str {
    descriptor.name.as_deref().or(descriptor.uri.as_deref()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(subject: &str, version: &str, predicate: &str) -> Result<Statement, InvalidStatement> {
        let text = format!(
            r#"{{"_type":"{version}","subject":{subject},"predicateType":"https://example.org/p","predicate":{predicate}}}"#
        );
        Statement::parse(text.as_bytes())
    }

    #[test]
    fn both_versions_are_read() {
        for version in [STATEMENT_TYPE, EARLY_STATEMENT_TYPE] {
            assert!(parse(r#"[{"digest":{"sha256":"00"}}]"#, version, "{}").is_ok());
        }
    }

    #[test]
    fn what_says_too_little_or_things_twice_is_refused() {
        let good = r#"[{"digest":{"sha256":"00"}}]"#;
        assert_eq!(parse("[]", STATEMENT_TYPE, "{}"), Err(InvalidStatement::NoSubject));
        assert_eq!(parse(good, "x", "{}"), Err(InvalidStatement::Version("x".into())));
        assert_eq!(parse(r#"[{"name":"a"}]"#, STATEMENT_TYPE, "{}"), Err(InvalidStatement::NoDigest("a".into())));
        for predicate in ["[]", "null", r#"{"a":{"b":1,"b":2}}"#] {
            assert!(matches!(parse(good, STATEMENT_TYPE, predicate), Err(InvalidStatement::Form(_))), "{predicate}");
        }
    }
}
