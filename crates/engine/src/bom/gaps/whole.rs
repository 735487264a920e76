//! Elements of the document itself, of the system as a whole, and of its data, as the minimum elements of the G7 ask for
//! them: how each is looked for, and where it can be written.

use super::elements::{Found, counted, text};
use crate::bom::model::{Bom, Dataset, Owner};

/// What stands in no file, and has to be added by who knows it.
const BY_HAND: &str = "no file that is read here has it: who knows it adds it to the document by hand";

/// An element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    DocumentAuthor,
    DocumentVersion,
    FormatName,
    FormatVersion,
    Signature,
    ToolName,
    ToolVersion,
    GenerationContext,
    DocumentTime,
    Relationships,
    SystemName,
    Components,
    /// What only people know of a system, or what no file of a repository holds.
    ByHand,
    ModelDigests,
    DatasetName,
    DatasetDescription,
    DatasetContent,
    DatasetIdentifier,
    DatasetDigest,
    DatasetOrigin,
    DatasetUse,
    SecurityPolicy,
    Vulnerabilities,
}

impl Whole {
    /// Looks for it.
    pub(super) fn find(self, bom: &Bom) -> Option<Found> {
        let says = |value: &str| Some(counted(value.to_owned()));
        match self {
            Self::DocumentVersion => says("1, in CycloneDX"),
            Self::FormatName => says("CycloneDX or SPDX, whichever is asked for"),
            Self::FormatVersion => says("1.6 or 1.7 of CycloneDX, 3.0.1 of SPDX"),
            Self::ToolName => says("waag"),
            Self::ToolVersion => says(env!("CARGO_PKG_VERSION")),
            Self::GenerationContext => says("analyzed, in SPDX: made from files, after they were built"),
            Self::DocumentTime => bom.time.map(|time| counted(time.to_string())),
            Self::Relationships => {
                let parts = bom.models.len() + bom.datasets.len() + bom.dependencies.len();
                (parts > 0).then(|| counted(format!("what needs what, of {parts} components")))
            }
            Self::SystemName => (!bom.name.is_empty()).then(|| counted(bom.name.clone())),
            Self::Components => {
                let (models, data, software) = (bom.models.len(), bom.datasets.len(), bom.dependencies.len());
                let told = format!("{models} models, {data} datasets, {software} packages, {} files", bom.files.len());
                (!bom.files.is_empty()).then(|| counted(told))
            }
            Self::ModelDigests => {
                let of_models =
                    bom.files.iter().filter(|file| matches!(file.owner, Owner::Model(_) | Owner::Variant(..)));
                let digests: Option<Vec<_>> = of_models.map(|file| file.sha256.as_ref()).collect();
                digests.filter(|all| !all.is_empty()).map(|all| counted(format!("SHA-256 of {} files", all.len())))
            }
            Self::SecurityPolicy => {
                let is_policy = |path: &str| matches!(path.rsplit('/').next(), Some("SECURITY.md" | "security.txt"));
                let file = bom.files.iter().find(|file| is_policy(&file.path))?;
                Some(Found { value: "a policy".to_owned(), place: Some(file.path.clone()) })
            }
            Self::DocumentAuthor | Self::Signature | Self::Vulnerabilities | Self::ByHand => None,
            _ => bom.datasets.iter().find_map(|dataset| self.of_data(bom, dataset)),
        }
    }

    fn of_data(self, bom: &Bom, dataset: &Dataset) -> Option<Found> {
        let place = || dataset.evidence.first().map(crate::bom::model::Evidence::place);
        let found = |value: String| Some(Found { value, place: place() });
        match self {
            Self::DatasetName => found(dataset.name.clone()),
            Self::DatasetDescription => dataset.description.as_ref().map(text),
            Self::DatasetContent => dataset.tasks.first().map(text),
            Self::DatasetIdentifier => dataset.address.clone().and_then(found),
            Self::DatasetOrigin => dataset.address.clone().and_then(found),
            Self::DatasetDigest => {
                let has = |path: &String| bom.files.iter().any(|file| file.path == *path && file.sha256.is_some());
                let is_whole = !dataset.files.is_empty() && dataset.files.iter().all(has);
                is_whole.then(|| counted(format!("SHA-256 of {} files", dataset.files.len())))
            }
            Self::DatasetUse => {
                let number = bom.datasets.iter().position(|other| std::ptr::eq(other, dataset))?;
                let used = bom.models.iter().find(|model| model.data.iter().any(|used| used.dataset == number))?;
                found(format!("of the model {}", used.name.value))
            }
            _ => None,
        }
    }

    /// Where it can be written so that it is found.
    pub(super) const fn write(self) -> &'static str {
        match self {
            Self::DocumentAuthor | Self::Signature => {
                "sign it: `waag attest PATH --type cyclonedx --predicate bom.cdx.json --key KEY` says who wrote it, of which bytes"
            }
            Self::DocumentTime => "--timestamp, or SOURCE_DATE_EPOCH",
            Self::Components | Self::Relationships | Self::SystemName => "a folder with a model, data or software",
            Self::ModelDigests => "a folder with a model whose files can all be read",
            Self::DatasetName | Self::DatasetUse => "README.md, front matter: datasets",
            Self::DatasetDescription => "the dataset's README.md: a paragraph under the title",
            Self::DatasetContent => "the dataset's README.md, front matter: task_categories",
            Self::DatasetIdentifier | Self::DatasetOrigin => "README.md, front matter: datasets, as owner/name",
            Self::DatasetDigest => "make the BOM of a folder that holds the data",
            Self::SecurityPolicy => "SECURITY.md or security.txt: how a weakness is reported",
            Self::Vulnerabilities => {
                "`waag deps` tells what is known; `waag attest --type vulns` says it of these bytes"
            }
            _ => BY_HAND,
        }
    }
}
