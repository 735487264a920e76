//! What provenance has to say, as whoever verifies expects it.

use waag_evidence::statement::Statement;
use waag_evidence::statement::provenance::{BuildType, PREDICATE_TYPE, Provenance};

use crate::verify::report::Problem;

/// Expectations of provenance; none where nothing is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Who has to have run it.
    pub builder: Option<String>,
    /// What has to have been run: a URI, or the name of a build type of ours.
    pub build_type: Option<String>,
    /// URIs, names or digests that have to be among what was read.
    pub sources: Vec<String>,
}

impl Expected {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is not as expected in a statement; of another type than provenance, everything.
    pub(super) fn problems(&self, statement: Option<&Statement>) -> Vec<Problem> {
        if self.is_empty() {
            return Vec::new();
        }
        let provenance = statement.filter(|statement| statement.predicate_type == PREDICATE_TYPE);
        let provenance = provenance.and_then(|it| serde_json::from_value::<Provenance>(it.predicate.clone()).ok());
        let Some(provenance) = provenance else {
            let hint = "leave out other attestations with --type provenance";
            return vec![Problem::new("not-provenance", "it does not say how the subject was made", hint)];
        };
        let checks = [self.builder_problem(&provenance), self.build_type_problem(&provenance)];
        checks.into_iter().flatten().chain(self.source_problems(&provenance)).collect()
    }

    fn builder_problem(&self, provenance: &Provenance) -> Option<Problem> {
        let (expected, found) = (self.builder.as_ref()?, &provenance.run_details.builder.id);
        let words = || format!("'{found}' made it, not '{expected}'");
        (expected != found).then(|| Problem::new("builder-mismatch", words(), "ask whoever publishes it why"))
    }

    fn build_type_problem(&self, provenance: &Provenance) -> Option<Problem> {
        let (expected, found) = (self.build_type.as_ref()?, &provenance.build_definition.build_type);
        let ours = BuildType::ALL.into_iter().find(|build_type| build_type.name() == expected);
        let expected = ours.map_or(expected.as_str(), |ours| ours.uri());
        let words = || format!("the build type is '{found}', not '{expected}'");
        (expected != found).then(|| Problem::new("build-type-mismatch", words(), "ask whoever publishes it why"))
    }

    fn source_problems(&self, provenance: &Provenance) -> Vec<Problem> {
        let read = &provenance.build_definition.resolved_dependencies;
        let is_there = |source: &&String| {
            let digits = source.rsplit_once(':').map_or(source.as_str(), |(_, digits)| digits);
            read.iter().any(|dependency| {
                [&dependency.uri, &dependency.name].into_iter().flatten().any(|name| name == *source)
                    || dependency.digest.iter().any(|(_, digest)| digest == digits)
            })
        };
        let missing = self.sources.iter().filter(|source| !is_there(source));
        let words = |source| format!("'{source}' is not among what it was made from");
        missing
            .map(|source| Problem::new("source-missing", words(source), "compare with what it says it was made from"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn statement() -> Statement {
        let predicate = json!({
            "buildDefinition": {
                "buildType": BuildType::Merge.uri(),
                "externalParameters": {},
                "resolvedDependencies": [{"uri": "pkg:huggingface/a/b", "name": "b", "digest": {"sha256": "00ff"}}],
            },
            "runDetails": {"builder": {"id": "https://example.org/b"}},
        });
        Statement::new(Vec::new(), PREDICATE_TYPE, predicate)
    }

    fn codes(builder: Option<&str>, build_type: Option<&str>, sources: &[&str]) -> Vec<&'static str> {
        let expected = Expected {
            builder: builder.map(str::to_owned),
            build_type: build_type.map(str::to_owned),
            sources: sources.iter().map(|source| (*source).to_owned()).collect(),
        };
        expected.problems(Some(&statement())).iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn what_is_expected_has_to_be_there() {
        let none: [&str; 0] = [];
        assert_eq!(codes(None, None, &[]), none);
        assert_eq!(
            codes(Some("https://example.org/b"), Some("merge"), &["pkg:huggingface/a/b", "b", "sha256:00ff"]),
            none
        );
        assert_eq!(codes(Some("https://example.org"), None, &[]), ["builder-mismatch"]);
        assert_eq!(
            codes(None, Some("train"), &["pkg:huggingface/a", ""]),
            ["build-type-mismatch", "source-missing", "source-missing"]
        );
        let expected = Expected { builder: Some("x".into()), ..Expected::default() };
        assert_eq!(expected.problems(None)[0].code, "not-provenance");
    }
}
