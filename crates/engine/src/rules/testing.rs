//! What the tests of the rules share: an artifact sketched as a name and a few facts.

use waag_evidence::finding::{Finding, Location};
use waag_formats::fact::{Anomaly, Callable, Effect, Fact, FactKind, Operator, Position, Standing, Usage};
use waag_formats::format::{Depth, Meta as FormatMeta};

use super::finding::Findings;
use super::{Artifact, Rule};

/// A format that is read fully and can carry code.
pub(super) static PICKLE: FormatMeta = format("pickle", &["pkl", "pickle"], Depth::Full);
/// A format that is read fully and holds numbers only.
pub(super) static SAFETENSORS: FormatMeta = format("safetensors", &["safetensors"], Depth::Full);
/// A container.
pub(super) static ZIP: FormatMeta = format("zip", &["zip"], Depth::Container);

const fn format(id: &'static str, extensions: &'static [&'static str], depth: Depth) -> FormatMeta {
    FormatMeta { id, title: id, extensions, depth, reads: "", specification: "" }
}

/// An operator that is used once.
pub(super) fn operator(name: &str, domain: &str, effect: Effect) -> FactKind {
    FactKind::Operator(Operator { name: name.into(), domain: domain.into(), effect, count: 1 })
}

/// An artifact in the making.
pub(super) struct Sketch {
    name: &'static str,
    format: Option<&'static FormatMeta>,
    within: Option<&'static str>,
    facts: Vec<Fact>,
}

/// A file with this name and format, and no facts yet.
pub(super) fn sketch(name: &'static str, format: &'static FormatMeta) -> Sketch {
    Sketch { name, format: Some(format), within: None, facts: Vec::new() }
}

impl Sketch {
    /// Makes it a member of an archive of that name.
    pub(super) fn within(mut self, archive: &'static str) -> Self {
        self.within = Some(archive);
        self
    }

    /// Makes it a file of a format nobody knows.
    pub(super) fn unknown(mut self) -> Self {
        self.format = None;
        self
    }

    /// Adds a fact at byte 7.
    pub(super) fn fact(mut self, kind: FactKind) -> Self {
        self.facts.push(Fact { position: Position::Offset(7), kind });
        self
    }

    /// Adds an anomaly with the detail `as told`.
    pub(super) fn anomaly(self, anomaly: Anomaly) -> Self {
        self.told(anomaly, "as told")
    }

    /// Adds an anomaly.
    pub(super) fn told(self, anomaly: Anomaly, detail: &str) -> Self {
        self.fact(FactKind::Anomaly { anomaly, detail: detail.to_owned() })
    }

    /// Adds a use of the callable `some.module.thing`.
    pub(super) fn callable(self, usage: Usage, standing: Standing) -> Self {
        self.fact(FactKind::Callable(Callable {
            module: "some.module".into(),
            name: "thing".into(),
            usage,
            standing,
            expression: "some.module.thing('argument')".into(),
            count: 1,
        }))
    }

    /// What a rule finds.
    pub(super) fn findings(&self, rule: &dyn Rule) -> Vec<Finding> {
        let mut location = Location::file(self.within.unwrap_or(self.name));
        location.members.extend(self.within.map(|_| self.name.to_owned()));
        let artifact = Artifact {
            name: self.name,
            size: 100,
            format: self.format,
            facts: &self.facts,
            is_file: self.within.is_none(),
        };
        let mut list = Vec::new();
        rule.judge(&artifact, &mut Findings::new(&location, rule.meta(), &mut list));
        list
    }

    /// What a rule finds, as `severity: message`, with `incomplete` for what was not analysed.
    pub(super) fn said(&self, rule: &dyn Rule) -> Vec<String> {
        self.findings(rule).iter().map(summary).collect()
    }
}

fn summary(finding: &Finding) -> String {
    use waag_evidence::finding::{Nature, Severity};
    let label = match (finding.nature, finding.severity) {
        (Nature::Incomplete, _) => "incomplete",
        (Nature::Risk, Severity::Info) => "info",
        (Nature::Risk, Severity::Low) => "low",
        (Nature::Risk, Severity::Medium) => "medium",
        (Nature::Risk, Severity::High) => "high",
        (Nature::Risk, Severity::Critical) => "critical",
    };
    format!("{label}: {}", finding.message)
}
