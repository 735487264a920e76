//! What came of a run of tests or measurements: in-toto's test result, version 0.1.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md>

use serde::{Deserialize, Serialize};

use super::ResourceDescriptor;
use super::evidence::{EvidenceType, Maker, reading};
use super::predicate::{InvalidPredicate, Line, Predicate, check_descriptor, check_uri, told};
use crate::strict;

/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";

pub(super) static TYPE: EvidenceType = EvidenceType {
    id: "test-result",
    title: "in-toto test result",
    about: "which tests or measurements it passed",
    uris: &[PREDICATE_TYPE],
    versioned: false,
    specification: "https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md",
    maker: Maker::File,
    read: |value| reading::<TestResult>(PREDICATE_TYPE, value),
};

/// One run of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// What came of it as a whole.
    pub result: TestOutcome,
    /// What was run.
    #[serde(deserialize_with = "strict::objects")]
    pub configuration: Vec<ResourceDescriptor>,
    /// Where the run can be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Names of tests that passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_tests: Vec<String>,
    /// Names of tests that passed with a warning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warned_tests: Vec<String>,
    /// Names of tests that did not pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_tests: Vec<String>,
}

/// What came of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TestOutcome {
    /// All is well.
    Passed,
    /// Nothing failed.
    Warned,
    /// Something did.
    Failed,
}

impl TestOutcome {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Warned => "WARNED",
            Self::Failed => "FAILED",
        }
    }
}

impl Predicate for TestResult {
    fn check(&self) -> Result<(), InvalidPredicate> {
        for (index, configuration) in self.configuration.iter().enumerate() {
            check_descriptor(format_args!("configuration[{index}]"), configuration)?;
        }
        if let Some(url) = &self.url {
            check_uri("url", url)?;
        }
        match (self.result, self.failed_tests.first()) {
            (TestOutcome::Passed | TestOutcome::Warned, Some(failed)) => {
                Err(InvalidPredicate::at("result", format_args!("'{failed}' failed, and the result is no FAILED")))
            }
            _ => Ok(()),
        }
    }

    fn objection(&self) -> Option<String> {
        (self.result == TestOutcome::Failed).then(|| "the tests FAILED".to_owned())
    }

    fn summary(&self) -> Vec<Line> {
        let count = |tests: &[String]| tests.len();
        let counts = format!(
            "{} passed, {} warned, {} failed",
            count(&self.passed_tests),
            count(&self.warned_tests),
            count(&self.failed_tests)
        );
        let mut lines = vec![Line::new("result", self.result.name()), Line::new("tests", counts)];
        lines.extend(self.failed_tests.iter().take(5).map(|name| Line::new("failed", name)));
        lines.extend(self.configuration.iter().take(5).map(|used| Line::new("configuration", told(used))));
        lines.extend(self.url.iter().map(|url| Line::new("run", url)));
        lines
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::statement::predicate::read;

    #[test]
    fn the_specifications_example_is_read() {
        let example = json!({
            "result": "PASSED",
            "configuration": [{"name": ".github/workflows/ci.yml", "digest": {"gitBlob": "ebe4add40f63c3c98bc9b32ff1e736f04120b023"}}],
            "url": "https://github.com/in-toto/in-toto/actions/runs/4425592351",
            "passedTests": ["build (3.7, ubuntu-latest, py)"],
        });
        let result: TestResult = read(&example).unwrap();
        assert_eq!(serde_json::to_value(&result).unwrap(), example);
    }

    #[test]
    fn a_result_agrees_with_its_tests() {
        let error = |value| read::<TestResult>(&value).unwrap_err().place;
        assert_eq!(error(json!({"result": "PASSED", "configuration": [], "failedTests": ["a"]})), "result");
        assert_eq!(error(json!({"result": "GOOD", "configuration": []})), "result");
        assert_eq!(error(json!({"result": "PASSED", "configuration": [{}]})), "configuration[0]");
        assert_eq!(error(json!({"result": "PASSED"})), "predicate");
    }
}
