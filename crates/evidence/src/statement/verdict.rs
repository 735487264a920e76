//! What somebody made of an artifact by a policy: SLSA's verification summary, version 1.
//!
//! <https://slsa.dev/spec/v1.2/verification_summary>

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ResourceDescriptor;
use super::evidence::{EvidenceType, Maker, reading};
use super::predicate::{InvalidPredicate, Line, Predicate, check_descriptor, check_uri, told};
use crate::strict;
use crate::verdict::{Decision, Verdict};

/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/verification_summary/v1";
/// The level of an artifact that did not pass.
pub const FAILED: &str = "FAILED";

pub(super) static TYPE: EvidenceType = EvidenceType {
    id: "verdict",
    title: "SLSA verification summary (VSA)",
    about: "that somebody judged it by a policy, and what came of it",
    uris: &[PREDICATE_TYPE],
    versioned: false,
    specification: "https://slsa.dev/spec/v1.2/verification_summary",
    maker: Maker::Attest,
    read: |value| reading::<VerificationSummary>(PREDICATE_TYPE, value),
};

/// A verdict, by whom and by which policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationSummary {
    /// Who judged.
    #[serde(deserialize_with = "strict::object")]
    pub verifier: Verifier,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_verified: Option<Timestamp>,
    /// Where whoever relies on this gets the artifact from.
    pub resource_uri: String,
    /// By what. Its `uri` has to be there.
    #[serde(deserialize_with = "strict::object")]
    pub policy: ResourceDescriptor,
    /// All attestations that were used; each has a digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "strict::objects")]
    pub input_attestations: Vec<ResourceDescriptor>,
    /// What came of it.
    pub verification_result: VerificationResult,
    /// The highest level of each track, levels of one's own, or [`FAILED`].
    pub verified_levels: Vec<String>,
    /// How many artifacts that it was made of have which level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependency_levels: Option<BTreeMap<String, u64>>,
    /// The version of SLSA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slsa_version: Option<String>,
}

/// Who judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verifier {
    /// A URI.
    pub id: String,
    /// Versions of its parts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VerificationResult {
    /// The policy is fulfilled.
    Passed,
    /// It is not, or that could not be told.
    Failed,
}

impl VerificationResult {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Failed => FAILED,
        }
    }
}

/// What a summary says beside the verdict.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// Who judged.
    pub verifier: Verifier,
    /// When.
    pub at: Timestamp,
    /// Where whoever relies on it gets the artifact from: a URI.
    pub resource_uri: String,
    /// By what.
    pub policy: ResourceDescriptor,
    /// The attestations that were used.
    pub inputs: Vec<ResourceDescriptor>,
}

/// The level of what a policy allows. SLSA leaves words that do not start with `SLSA_` to whoever writes them.
pub const ALLOWED: &str = "WAAG_CHECK_ALLOW";

/// What is neither allowed nor shown to be bad did not pass. What did has a level for each control that passed.
impl From<(&Verdict, Circumstances)> for VerificationSummary {
    fn from((verdict, circumstances): (&Verdict, Circumstances)) -> Self {
        let Circumstances { verifier, at, resource_uri, policy, inputs } = circumstances;
        let passed = verdict.decision == Decision::Allow;
        let levels = match passed {
            true => std::iter::once(ALLOWED.to_owned()).chain(verdict.passed().map(level)).collect(),
            false => vec![FAILED.to_owned()],
        };
        Self {
            verifier,
            // Fractions of a second say nothing here.
            time_verified: Some(Timestamp::from_second(at.as_second()).unwrap_or(at)),
            resource_uri,
            policy,
            input_attestations: inputs,
            verification_result: if passed { VerificationResult::Passed } else { VerificationResult::Failed },
            verified_levels: levels,
            dependency_levels: None,
            slsa_version: Some("1.2".to_owned()),
        }
    }
}

/// The level of a control that passed: `WAAG_SIGNATURE`.
fn level(control: &str) -> String {
    format!("WAAG_{}", control.to_ascii_uppercase().replace('-', "_"))
}

/// The track of a level: `SLSA_BUILD` of `SLSA_BUILD_LEVEL_3`.
fn track(level: &str) -> Option<&str> {
    let (track, number) = level.split_once("_LEVEL_")?;
    let is_level = number == "UNEVALUATED" || !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (track.starts_with("SLSA_") && is_level).then_some(track)
}

impl Predicate for VerificationSummary {
    fn check(&self) -> Result<(), InvalidPredicate> {
        check_uri("verifier.id", &self.verifier.id)?;
        check_uri("resourceUri", &self.resource_uri)?;
        check_descriptor("policy", &self.policy)?;
        check_uri("policy.uri", self.policy.uri.as_deref().unwrap_or_default())?;
        for (index, input) in self.input_attestations.iter().enumerate() {
            let place = format!("inputAttestations[{index}]");
            check_descriptor(&place, input)?;
            if input.digest.is_empty() {
                return Err(InvalidPredicate::at(place, "an attestation that was used needs a digest"));
            }
        }
        self.check_levels()
    }

    fn objection(&self) -> Option<String> {
        (self.verification_result == VerificationResult::Failed).then(|| "the verdict is FAILED".to_owned())
    }

    fn summary(&self) -> Vec<Line> {
        let mut lines = vec![
            Line::new("result", self.verification_result.name()),
            Line::new("levels", self.verified_levels.join(", ")),
            Line::new("verifier", &self.verifier.id),
            Line::new("policy", told(&self.policy)),
            Line::new("resource", &self.resource_uri),
        ];
        lines.extend(self.time_verified.map(|time| Line::new("verified", time)));
        let inputs = self.input_attestations.len();
        lines.extend((inputs > 0).then(|| Line::new("by", format_args!("{inputs} attestations"))));
        lines
    }
}

impl VerificationSummary {
    fn check_levels(&self) -> Result<(), InvalidPredicate> {
        let levels = "verifiedLevels";
        let mut tracks = BTreeSet::new();
        if let Some(twice) = self.verified_levels.iter().find(|level| track(level).is_some_and(|it| !tracks.insert(it)))
        {
            return Err(InvalidPredicate::at(levels, format_args!("'{twice}' is a second level of one track")));
        }
        let failed = self.verified_levels.iter().any(|level| level == FAILED);
        match (self.verification_result, failed) {
            (VerificationResult::Passed, true) => {
                Err(InvalidPredicate::at(levels, "it says FAILED, and verificationResult says PASSED"))
            }
            (VerificationResult::Failed, _) if self.verified_levels.iter().any(|level| level != FAILED) => {
                Err(InvalidPredicate::at(levels, "verificationResult says FAILED: no other level may stand here"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::statement::predicate::read;

    /// The example of the specification.
    fn example() -> Value {
        json!({
            "verifier": {"id": "https://example.com/publication_verifier", "version": {"slsa-verifier": "v2.3.0"}},
            "timeVerified": "1985-04-12T23:20:50.52Z",
            "resourceUri": "https://example.com/example-1.2.3.tar.gz",
            "policy": {"uri": "https://example.com/example_tarball.policy"},
            "inputAttestations": [{"uri": "https://example.com/p.jsonl", "digest": {"sha256": "ab".repeat(32)}}],
            "verificationResult": "PASSED",
            "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
            "dependencyLevels": {"SLSA_BUILD_LEVEL_3": 5},
            "slsaVersion": "1.0",
        })
    }

    fn place(change: impl FnOnce(&mut Value)) -> String {
        let mut value = example();
        change(&mut value);
        read::<VerificationSummary>(&value).map_or_else(|error| error.place, |_| "good".to_owned())
    }

    #[test]
    fn the_specifications_example_is_read() {
        let summary: VerificationSummary = read(&example()).unwrap();
        assert_eq!(serde_json::to_value(&summary).unwrap(), example());
        assert_eq!(summary.summary()[0], Line::new("result", "PASSED"));
    }

    #[test]
    fn a_verdict_is_summed_up_as_the_specification_has_it() {
        use crate::{Evidence, Policy, Subject, evaluate, gathered::FileEvidence};
        let file = FileEvidence {
            path: "a".into(),
            format: Some("safetensors".into()),
            tensors: 1,
            ..FileEvidence::default()
        };
        let evidence = Evidence { files: vec![file], ..Evidence::default() };
        let summary = |policy: &Policy| {
            let verdict = evaluate(&Subject::default(), &evidence, policy, jiff::civil::Date::constant(2026, 11, 27));
            let policy =
                ResourceDescriptor { uri: Some("https://example.org/p".into()), ..ResourceDescriptor::default() };
            VerificationSummary::from((
                &verdict,
                Circumstances {
                    verifier: Verifier { id: "https://example.org/v".into(), ..Verifier::default() },
                    at: Timestamp::UNIX_EPOCH,
                    resource_uri: "file:a".into(),
                    policy,
                    inputs: Vec::new(),
                },
            ))
        };
        let allowed = summary(&Policy::default());
        assert_eq!(allowed.check(), Ok(()));
        assert!(allowed.verified_levels.contains(&"WAAG_SAFE_FORMAT".to_owned()), "{:?}", allowed.verified_levels);
        assert!(!allowed.verified_levels.contains(&"WAAG_SIGNATURE".to_owned()));
        let strict = Policy { controls: [("signature".to_owned(), crate::Level::Deny)].into(), ..Policy::default() };
        assert_eq!(summary(&strict).verified_levels, [FAILED]);
    }

    #[test]
    fn what_is_wrong_is_placed() {
        assert_eq!(place(|value| value["verifier"] = json!({"id": "me"})), "verifier.id");
        assert_eq!(place(|value| value["verifier"] = json!(["https://x"])), "verifier");
        assert_eq!(place(|value| value["policy"] = json!({"digest": {"sha256": "ab".repeat(32)}})), "policy.uri");
        assert_eq!(place(|value| value["inputAttestations"][0]["digest"] = json!({})), "inputAttestations[0]");
        assert_eq!(place(|value| value["verificationResult"] = json!("passed")), "verificationResult");
        assert_eq!(place(|value| value["verificationResult"] = json!("FAILED")), "verifiedLevels");
        assert_eq!(
            place(|value| value["verifiedLevels"] = json!(["SLSA_BUILD_LEVEL_1", "SLSA_BUILD_LEVEL_2"])),
            "verifiedLevels"
        );
        assert_eq!(place(|value| value["verifiedLevels"] = json!(["FAILED"])), "verifiedLevels");
        assert_eq!(
            place(|value| value["dependencyLevels"]["SLSA_BUILD_LEVEL_3"] = json!(-1)),
            "dependencyLevels.SLSA_BUILD_LEVEL_3"
        );
        assert_eq!(place(|value| value["timeVerified"] = json!("yesterday")), "timeVerified");
    }
}
