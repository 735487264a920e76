//! What provenance and verdicts have to say, as whoever verifies expects it.

use serde::de::DeserializeOwned;
use waag_evidence::statement::Statement;
use waag_evidence::statement::provenance::{self, BuildType, Provenance};
use waag_evidence::statement::verdict::{self, VerificationSummary};

use crate::verify::report::Problem;

/// Expectations of provenance and of verdicts; none where nothing is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Who has to have run it.
    pub builder: Option<String>,
    /// What has to have been run: a URI, or the name of a build type of ours.
    pub build_type: Option<String>,
    /// URIs, names or digests that have to be among what was read.
    pub sources: Vec<String>,
    /// Who has to have judged.
    pub verifier: Option<String>,
    /// What a verdict has to be about: where the subject was got from.
    pub resource: Option<String>,
}

/// The predicate of a statement, where it is of this type.
fn predicate<P: DeserializeOwned>(statement: Option<&Statement>, kind: &str) -> Option<P> {
    let statement = statement.filter(|statement| statement.predicate_type == kind)?;
    serde_json::from_value(statement.predicate.clone()).ok()
}

impl Expected {
    /// What is not as expected in a statement; of another type than what is expected, everything.
    pub(super) fn problems(&self, statement: Option<&Statement>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.builder.is_some() || self.build_type.is_some() || !self.sources.is_empty() {
            match predicate::<Provenance>(statement, provenance::PREDICATE_TYPE) {
                Some(provenance) => problems.extend(self.provenance_problems(&provenance)),
                None => problems.push(Problem::new(
                    "not-provenance",
                    "it does not say how the subject was made",
                    "leave out other attestations with --type provenance",
                )),
            }
        }
        if self.verifier.is_some() || self.resource.is_some() {
            match predicate::<VerificationSummary>(statement, verdict::PREDICATE_TYPE) {
                Some(verdict) => problems.extend(self.verdict_problems(&verdict)),
                None => problems.push(Problem::new(
                    "not-verdict",
                    "it is no verdict on the subject",
                    "leave out other attestations with --type verdict",
                )),
            }
        }
        problems
    }

    fn provenance_problems(&self, provenance: &Provenance) -> impl Iterator<Item = Problem> {
        let checks = [self.builder_problem(provenance), self.build_type_problem(provenance)];
        checks.into_iter().flatten().chain(self.source_problems(provenance))
    }

    fn verdict_problems(&self, verdict: &VerificationSummary) -> impl Iterator<Item = Problem> {
        let other = |expected: &Option<String>, found: &str| expected.clone().filter(|expected| expected != found);
        let verifier = other(&self.verifier, &verdict.verifier.id).map(|expected| {
            let words = format!("'{}' judged it, not '{expected}'", verdict.verifier.id);
            Problem::new("verifier-mismatch", words, "ask whoever publishes it why")
        });
        let resource = other(&self.resource, &verdict.resource_uri).map(|expected| {
            let words = format!("the verdict is on '{}', not on '{expected}'", verdict.resource_uri);
            Problem::new("resource-mismatch", words, "get the verdict on what you have, from where you have it")
        });
        [verifier, resource].into_iter().flatten()
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
        Statement::new(Vec::new(), provenance::PREDICATE_TYPE, predicate)
    }

    fn codes(builder: Option<&str>, build_type: Option<&str>, sources: &[&str]) -> Vec<&'static str> {
        let expected = Expected {
            builder: builder.map(str::to_owned),
            build_type: build_type.map(str::to_owned),
            sources: sources.iter().map(|source| (*source).to_owned()).collect(),
            ..Expected::default()
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

    #[test]
    fn a_verdict_is_by_whom_and_on_what_is_expected() {
        let summary = json!({
            "verifier": {"id": "https://example.org/v"},
            "resourceUri": "pkg:huggingface/a/b",
            "policy": {"uri": "https://example.org/p"},
            "verificationResult": "PASSED",
            "verifiedLevels": [],
        });
        let verdict = Statement::new(Vec::new(), verdict::PREDICATE_TYPE, summary);
        let codes = |verifier: &str, resource: &str, statement: &Statement| {
            let [verifier, resource] = [verifier, resource].map(|text| Some(text.to_owned()));
            let expected = Expected { verifier, resource, ..Expected::default() };
            expected.problems(Some(statement)).iter().map(|problem| problem.code).collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        assert_eq!(codes("https://example.org/v", "pkg:huggingface/a/b", &verdict), none);
        assert_eq!(codes("https://example.org", "pkg:x/y", &verdict), ["verifier-mismatch", "resource-mismatch"]);
        assert_eq!(codes("https://example.org/v", "pkg:x/y", &statement()), ["not-verdict"]);
    }
}
