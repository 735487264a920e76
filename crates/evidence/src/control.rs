//! What must be true of a subject, one control for each: what it asks, what it needs to know, and what would make it pass.
//! Each is one file and one line in [`CONTROLS`].

mod analysed_in_full;
mod ancestors_signed;
mod base_image_pinned;
mod compute_documented;
mod dataset_pinned;
mod dependency_sources;
mod deterministic_mode;
mod digests_match_lock;
mod experiment_tracked;
mod fetches_pinned;
mod findings;
mod hardware_documented;
mod image_built_safely;
mod licence_compatible;
mod licence_stated;
mod logs_preserved;
mod model_card;
mod no_ancestor_denied;
mod no_known_advisory;
mod no_remote_code;
mod no_unsafe_code;
mod no_untrusted_pickle;
mod not_denied;
mod pins_hashed;
mod practice;
mod provenance;
mod provenance_links;
mod recorded;
mod safe_format;
mod scanned_nothing_dangerous;
mod script_versioned;
mod seeds_set;
mod signature;
mod source_trusted;
mod stack_agrees;
mod versions_pinned;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::gathered::{Evidence, Subject};
use crate::policy::Policy;

/// A control.
#[derive(Debug)]
pub struct Control {
    /// Stable id, in kebab-case.
    pub id: &'static str,
    /// What it is about.
    pub group: Group,
    /// What is true when it passes.
    pub title: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// The evidence that it needs.
    pub needs: &'static str,
    /// What makes it pass.
    pub pass: &'static str,
    /// How much it counts, where nobody says otherwise.
    pub default: Level,
    /// What it cannot be set below: a danger that was seen is excepted one by one, and not as a whole.
    pub least: Level,
    /// Its answer.
    pub(crate) judge: fn(&Subject, &Evidence, &Policy) -> Vec<Observation>,
}

/// What a control is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Packages, compute and images.
    Dependencies,
    /// Weights and models.
    Models,
    /// Datasets.
    Datasets,
    /// How a model was trained, and what it descends from.
    Training,
    /// The policy's own conditions.
    Conditions,
}

impl Group {
    /// Every group, in the order in which they are told.
    pub const ALL: [Self; 5] = [Self::Dependencies, Self::Models, Self::Datasets, Self::Training, Self::Conditions];

    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Dependencies => "dependencies and compute",
            Self::Models => "weights and models",
            Self::Datasets => "datasets",
            Self::Training => "training and lineage",
            Self::Conditions => "conditions of the policy",
        }
    }
}

/// How much a control counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It is not asked.
    Off,
    /// Its answer is told, and decides nothing.
    Advise,
    /// When it fails or its answer is unknown, the verdict is inconclusive.
    Inconclusive,
    /// When it fails, the verdict is deny; what is unknown is told, and decides nothing.
    DenyKnown,
    /// When it fails, the verdict is deny; when its answer is unknown, inconclusive.
    Deny,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 5] = [Self::Off, Self::Advise, Self::Inconclusive, Self::DenyKnown, Self::Deny];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Advise => "advise",
            Self::Inconclusive => "inconclusive",
            Self::DenyKnown => "deny-known",
            Self::Deny => "deny",
        }
    }

    /// Whether a control at this level has to be known to pass.
    #[must_use]
    pub const fn is_required(self) -> bool {
        matches!(self, Self::Inconclusive | Self::Deny)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a control answers, the better before the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// There is nothing that it could be asked of.
    NotApplicable,
    /// It is true.
    Pass,
    /// It is not, and an exception covers that.
    Excepted,
    /// What is known does not say, or has to be weighed by a person.
    Unknown,
    /// It is not true.
    Fail,
}

impl Outcome {
    /// Every answer.
    pub const ALL: [Self; 5] = [Self::NotApplicable, Self::Pass, Self::Excepted, Self::Unknown, Self::Fail];

    /// Its name in reports and conditions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotApplicable => "not-applicable",
            Self::Pass => "pass",
            Self::Excepted => "excepted",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        }
    }

    /// Whether there is something to be said against it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Unknown | Self::Fail)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One thing that a control saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Observation {
    /// What it speaks for.
    pub outcome: Outcome,
    /// The path of what it is about; empty for the subject as a whole.
    pub place: String,
    /// What was seen. It may quote an artifact.
    pub seen: String,
    /// What to do next; empty where nothing has to be done.
    pub next: String,
    /// The finding that says so, as an index into the list that was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<usize>,
    /// Whether the settings say that this has to hold, beside what they say of the control.
    #[serde(skip)]
    pub declared: bool,
}

impl Observation {
    fn new(outcome: Outcome, place: &str, seen: impl Into<String>, next: impl Into<String>) -> Self {
        let (place, seen, next) = (place.to_owned(), seen.into(), next.into());
        Self { outcome, place, seen, next, finding: None, declared: false }
    }

    pub(crate) fn pass(place: &str, seen: impl Into<String>) -> Self {
        Self::new(Outcome::Pass, place, seen, "")
    }

    pub(crate) fn not_applicable(seen: impl Into<String>) -> Self {
        Self::new(Outcome::NotApplicable, "", seen, "")
    }

    pub(crate) fn unknown(place: &str, seen: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Outcome::Unknown, place, seen, next)
    }

    pub(crate) fn fail(place: &str, seen: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Outcome::Fail, place, seen, next)
    }
}

/// Every control, in the order in which they are told.
pub static CONTROLS: &[&Control] = &[
    &versions_pinned::CONTROL,
    &pins_hashed::CONTROL,
    &dependency_sources::CONTROL,
    &stack_agrees::CONTROL,
    &compute_documented::CONTROL,
    &no_known_advisory::CONTROL,
    &base_image_pinned::CONTROL,
    &image_built_safely::CONTROL,
    &scanned_nothing_dangerous::CONTROL,
    &analysed_in_full::CONTROL,
    &no_remote_code::CONTROL,
    &not_denied::CONTROL,
    &digests_match_lock::CONTROL,
    &signature::CONTROL,
    &source_trusted::CONTROL,
    &no_untrusted_pickle::CONTROL,
    &safe_format::CONTROL,
    &model_card::CONTROL,
    &licence_stated::CONTROL,
    &licence_compatible::CONTROL,
    &dataset_pinned::CONTROL,
    &provenance::CONTROL,
    &provenance_links::CONTROL,
    &script_versioned::CONTROL,
    &seeds_set::CONTROL,
    &deterministic_mode::CONTROL,
    &no_unsafe_code::CONTROL,
    &fetches_pinned::CONTROL,
    &experiment_tracked::CONTROL,
    &hardware_documented::CONTROL,
    &logs_preserved::CONTROL,
    &ancestors_signed::CONTROL,
    &no_ancestor_denied::CONTROL,
];

/// The control with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Control> {
    CONTROLS.iter().copied().find(|control| control.id == id)
}

/// Whether a control speaks of findings alone, so that they are told in its place.
#[must_use]
pub fn is_of_findings(id: &str) -> bool {
    findings::CONTROLS.contains(&id)
}

/// The control that a finding belongs to.
#[must_use]
pub fn of_finding(finding: &Finding) -> &'static str {
    findings::control_of(finding)
}

/// The control that the findings of a rule belong to.
#[must_use]
pub fn of_rule(rule: &str) -> &'static str {
    findings::control_of_rule(rule)
}

#[cfg(test)]
mod tests;
