//! What was found as a report, so that every output and every exception of the settings is there for it too.

use std::path::PathBuf;

use waag_engine::report::{Analysis, ArtifactReport, Loading, Report};
use waag_engine::settings::Settings;
use waag_engine::{clock, evidence};
use waag_evidence::{Evidence, Finding, Location, evaluate};
use waag_formats::facts::TensorTotals;

use super::{Examined, Kind, LookedAt};
use crate::telling::incomplete;

/// Judges what was found.
#[must_use]
pub fn report(paths: &[PathBuf], examined: Examined, settings: &Settings) -> Report {
    let nothing = nothing(paths, &examined);
    let artifacts: Vec<ArtifactReport> = examined.looked_at.iter().map(artifact).collect();
    let policy = settings.policy.for_findings();
    let subject = evidence::subject(paths, &artifacts);
    let findings = examined.findings.into_iter().chain(nothing).collect();
    let mut gathered = Evidence { findings, ..Evidence::default() };
    let verdict = evaluate(&subject, &gathered, &policy, clock::today());
    let findings = std::mem::take(&mut gathered.findings);
    Report {
        paths: paths.iter().map(|path| path.display().to_string()).collect(),
        artifacts,
        findings,
        verdict,
        exceptions: policy.exceptions,
        policy: settings.policy_digest(),
        subject,
        evidence: gathered,
        reused: 0,
        is_code: true,
    }
}

/// Nothing found in nothing is no good news.
fn nothing(paths: &[PathBuf], examined: &Examined) -> Option<Finding> {
    let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let message = "nothing here is Python, a notebook or the configuration of a training";
    let next = "Name the folder that the code is in.";
    let is_nothing = examined.looked_at.is_empty() && examined.findings.is_empty();
    is_nothing.then(|| incomplete(&Location::file(shown.join(", ")), message, next))
}

fn artifact(file: &LookedAt) -> ArtifactReport {
    let (format, title) = match file.kind {
        Kind::Python => ("python-source", "Python source"),
        Kind::Notebook => ("notebook", "Jupyter notebook"),
        Kind::Configuration => ("configuration", "Configuration of a training"),
    };
    ArtifactReport {
        location: Location::file(file.path.clone()),
        size: file.size,
        format: Some(format),
        title,
        sha256: None,
        analysis: if file.is_complete { Analysis::Complete } else { Analysis::Partial },
        properties: Vec::new(),
        tensors: TensorTotals::default(),
        dtypes: Vec::new(),
        loading: Loading::default(),
    }
}
