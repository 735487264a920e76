//! The form in which results are kept between scans.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use waag_evidence::{Finding, Location, Sha256Digest};
use waag_formats::facts::TensorTotals;

use crate::examine::{Examined, FileSize};
use crate::report::{Analysis, ArtifactReport, Loading};
use crate::summary;

/// What a file gave, without what only matters while it is examined.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stored<'a> {
    artifacts: Vec<StoredArtifact<'a>>,
    findings: Cow<'a, [Finding]>,
    references: Cow<'a, [(Location, String)]>,
    numbers: Cow<'a, [(Location, String)]>,
    sizes: Cow<'a, [FileSize]>,
    is_unknown: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredArtifact<'a> {
    location: Cow<'a, Location>,
    size: u64,
    title: Cow<'a, str>,
    sha256: Option<Sha256Digest>,
    analysis: Analysis,
    properties: Cow<'a, [(String, String)]>,
    tensors: TensorTotals,
    dtypes: Cow<'a, [(String, u64)]>,
    loading: Loading,
}

impl<'a> Stored<'a> {
    /// What is to be kept of a file.
    pub(crate) fn of(examined: &'a Examined) -> Self {
        Self {
            artifacts: examined.artifacts.iter().map(StoredArtifact::of).collect(),
            findings: Cow::Borrowed(&examined.findings),
            references: Cow::Borrowed(&examined.references),
            numbers: Cow::Borrowed(&examined.numbers),
            sizes: Cow::Borrowed(&examined.sizes),
            is_unknown: examined.is_unknown,
        }
    }

    /// What was kept; none when it names a format that is no more.
    pub(crate) fn examined(self) -> Option<Examined> {
        Some(Examined {
            artifacts: self.artifacts.into_iter().map(StoredArtifact::report).collect::<Option<_>>()?,
            findings: self.findings.into_owned(),
            references: self.references.into_owned(),
            numbers: self.numbers.into_owned(),
            sizes: self.sizes.into_owned(),
            is_unknown: self.is_unknown,
            ..Examined::default()
        })
    }
}

impl<'a> StoredArtifact<'a> {
    fn of(report: &'a ArtifactReport) -> Self {
        Self {
            location: Cow::Borrowed(&report.location),
            size: report.size,
            title: report.title.into(),
            sha256: report.sha256,
            analysis: report.analysis,
            properties: Cow::Borrowed(&report.properties),
            tensors: report.tensors,
            dtypes: Cow::Borrowed(&report.dtypes),
            loading: report.loading,
        }
    }

    fn report(self) -> Option<ArtifactReport> {
        let (format, title) = summary::name_of(&self.title)?;
        Some(ArtifactReport {
            location: self.location.into_owned(),
            size: self.size,
            format,
            title,
            sha256: self.sha256,
            analysis: self.analysis,
            properties: self.properties.into_owned(),
            tensors: self.tensors,
            dtypes: self.dtypes.into_owned(),
            loading: self.loading,
        })
    }
}
