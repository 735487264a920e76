//! For programs: everything, in a form that stays. The schema is `docs/schema/report.schema.json`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use waag_evidence::control::Group;
use waag_evidence::exception::Exception;
use waag_evidence::policy::Origin;
use waag_evidence::project::Look;
use waag_evidence::verdict::{Judged, Seen};
use waag_evidence::{Decision, Finding, Level, Location, Outcome, Sha256Digest};
use waag_formats::facts::TensorTotals;

use super::{Output, Style, subject};
use crate::report::{Analysis, ArtifactReport, Loading, Report};
use crate::sanitize::is_deceptive;

/// Names the form of the report. A change that old readers do not survive gets a new number.
const SCHEMA: &str = "https://waag.dev/schema/report-1.json";

/// See the module.
pub(super) struct Json;

impl Output for Json {
    fn id(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "for programs; has a published schema"
    }

    fn render(&self, report: &Report, out: &mut dyn Write, _style: Style) -> io::Result<()> {
        write_json(&Document::from(report), out)
    }
}

/// Writes a value as indented JSON that is safe to print: what could deceive a reader is escaped, and stays the same
/// to a program.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, Printable(PrettyFormatter::new())))?;
    writeln!(out)
}

/// The report as it is written. Kept apart from [`Report`], so that the engine may change and the form stay.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: Tool,
    verdict: VerdictView<'a>,
    paths: &'a [String],
    findings: &'a [Finding],
    exceptions: Vec<ExceptionView<'a>>,
    policy: PolicyView,
    controls: Vec<ControlView<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    project: &'a [Look],
    artifacts: Vec<ArtifactView<'a>>,
}

#[derive(Serialize)]
struct PolicyView {
    sha256: Sha256Digest,
}

#[derive(Serialize)]
struct ControlView<'a> {
    id: &'a str,
    group: Group,
    title: &'a str,
    level: Level,
    origin: Origin,
    outcome: Outcome,
    decision: Decision,
    observations: Vec<ObservationView<'a>>,
}

/// What a control saw; what a finding says is not said again.
#[derive(Serialize)]
struct ObservationView<'a> {
    outcome: Outcome,
    decision: Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct VerdictView<'a> {
    decision: Decision,
    reason: String,
    /// Findings that led to it, as indices into `findings`.
    findings: &'a [usize],
}

#[derive(Serialize)]
struct ExceptionView<'a> {
    #[serde(flatten)]
    exception: &'a Exception,
    state: State,
    /// Findings that it covers, as indices into `findings`.
    findings: Vec<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Applied,
    Ended,
    Unused,
}

#[derive(Serialize)]
struct ArtifactView<'a> {
    location: &'a Location,
    size: u64,
    format: Option<&'a str>,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<Sha256Digest>,
    analysis: Analysis,
    properties: Vec<Property<'a>>,
    tensors: TensorTotals,
    dtypes: Vec<Dtype<'a>>,
    loading: Loading,
}

#[derive(Serialize)]
struct Property<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Dtype<'a> {
    name: &'a str,
    elements: u64,
}

impl<'a> From<&'a Report> for Document<'a> {
    fn from(report: &'a Report) -> Self {
        Self {
            schema: SCHEMA,
            tool: Tool { name: "waag", version: env!("CARGO_PKG_VERSION") },
            verdict: VerdictView {
                decision: report.verdict.decision,
                reason: subject::reason(report),
                findings: &report.verdict.reasons,
            },
            paths: &report.paths,
            findings: &report.findings,
            exceptions: (0..report.exceptions.len()).map(|index| exception(report, index)).collect(),
            policy: PolicyView { sha256: report.policy },
            controls: report.verdict.controls.iter().map(ControlView::from).collect(),
            project: &report.evidence.project.looks,
            artifacts: report.artifacts.iter().map(ArtifactView::from).collect(),
        }
    }
}

impl<'a> From<&'a Judged> for ControlView<'a> {
    fn from(judged: &'a Judged) -> Self {
        let Judged { id, group, title, level, origin, outcome, decision, observations } = judged;
        let observations = observations.iter().map(ObservationView::from).collect();
        let (group, level, origin, outcome, decision) = (*group, *level, *origin, *outcome, *decision);
        Self { id, group, title, level, origin, outcome, decision, observations }
    }
}

impl<'a> From<&'a Seen> for ObservationView<'a> {
    fn from(seen: &'a Seen) -> Self {
        let observation = &seen.observation;
        let text = |text: &'a str| Some(text).filter(|text| observation.finding.is_none() && !text.is_empty());
        Self {
            outcome: observation.outcome,
            decision: seen.decision,
            finding: observation.finding,
            exception: seen.exception,
            place: text(&observation.place),
            seen: text(&observation.seen),
            next: text(&observation.next),
        }
    }
}

fn exception(report: &Report, index: usize) -> ExceptionView<'_> {
    let covered = report.verdict.excepted.iter().filter(|(_, exception)| *exception == index);
    let findings: Vec<usize> = covered.map(|(finding, _)| *finding).collect();
    let state = match super::controls::covered(report, index) {
        1.. => State::Applied,
        0 if report.verdict.ended_exceptions.contains(&index) => State::Ended,
        0 => State::Unused,
    };
    ExceptionView { exception: &report.exceptions[index], state, findings }
}

impl<'a> From<&'a ArtifactReport> for ArtifactView<'a> {
    fn from(artifact: &'a ArtifactReport) -> Self {
        Self {
            location: &artifact.location,
            size: artifact.size,
            format: artifact.format,
            title: artifact.title,
            sha256: artifact.sha256,
            analysis: artifact.analysis,
            properties: artifact.properties.iter().map(|(name, value)| Property { name, value }).collect(),
            tensors: artifact.tensors,
            dtypes: artifact.dtypes.iter().map(|(name, elements)| Dtype { name, elements: *elements }).collect(),
            loading: artifact.loading,
        }
    }
}

/// Writes deceptive characters as `\u` escapes. JSON itself only demands that of a few.
struct Printable<'a>(PrettyFormatter<'a>);

impl Formatter for Printable<'_> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        if !is_deceptive(fragment) {
            return out.write_all(fragment.as_bytes());
        }
        fragment.chars().try_for_each(|character| write_printable(out, character))
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

fn write_printable<W: ?Sized + Write>(out: &mut W, character: char) -> io::Result<()> {
    let mut utf8 = [0; 4];
    let text = character.encode_utf8(&mut utf8);
    if !is_deceptive(text) {
        return out.write_all(text.as_bytes());
    }
    let mut utf16 = [0; 2];
    character.encode_utf16(&mut utf16).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn reports_pass_the_published_schema() {
        let schema = include_str!("../../../../docs/schema/report.schema.json");
        let schema = serde_json::from_str(schema).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        for (name, report) in sample::all() {
            let value = serde_json::to_value(Document::from(&report)).unwrap();
            let errors: Vec<String> =
                validator.iter_errors(&value).map(|error| format!("{} {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{name}: {errors:#?}");
        }
    }

    #[test]
    fn the_schema_is_the_one_that_is_named() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../../../../docs/schema/report.schema.json")).unwrap();
        assert_eq!(schema["$id"], SCHEMA);
    }

    #[test]
    fn escapes_change_the_text_and_not_the_value() {
        let text = "a\u{202e}b\u{9b}\u{e0041}\u{7f}é\n\"";
        let mut bytes = Vec::new();
        write_json(&text, &mut bytes).unwrap();
        assert!(!is_deceptive(std::str::from_utf8(&bytes).unwrap().trim_end()));
        assert_eq!(serde_json::from_slice::<String>(&bytes).unwrap(), text);
    }
}
