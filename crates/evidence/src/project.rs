//! What was looked at of a project beside the formats of its files: its dependencies, compute, code, cards and licences.
//! What was found there stands among the findings; this says what they are to be measured by. A topic that is not here was
//! not looked at, or the project has nothing of the kind.

use serde::{Deserialize, Serialize};

/// What was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProjectEvidence {
    /// Folders that were looked at as projects; where there is none, nothing of a project was looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<String>,
    /// Each topic at most once.
    pub looks: Vec<Look>,
}

/// What was looked at for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Look {
    /// The topic.
    pub topic: Topic,
    /// Paths of the files that were read for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
    /// What the project says, in words: `torch 2.4.0`, `CUDA 12.1`, `Apache-2.0`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<String>,
    /// What could not be told, and what to do about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<NotKnown>,
}

/// Something that could not be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NotKnown {
    /// Why not.
    pub reason: String,
    /// What to do next.
    pub next: String,
}

/// What can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Files that declare or lock packages.
    Dependencies,
    /// Those of them that are pinned to one version.
    Pins,
    /// Whether framework, Python, CUDA and driver fit together.
    Stack,
    /// Whether it is written down what the project computes with.
    Compute,
    /// What is known to be wrong with the packages.
    Advisories,
    /// Files that name container images.
    Images,
    /// Those of them that say how an image is built.
    Builds,
    /// Python files, notebooks and configurations.
    Code,
    /// Those of them that train a model.
    Training,
    /// Cards of models and datasets.
    Cards,
    /// Whether licences are stated.
    Licences,
    /// Whether they agree along the chain of what a model was made from.
    LicenceChain,
}

impl ProjectEvidence {
    /// What was looked at for a topic.
    #[must_use]
    pub fn look(&self, topic: Topic) -> Option<&Look> {
        self.looks.iter().find(|look| look.topic == topic)
    }
}

impl Look {
    /// A topic for which these files were read.
    #[must_use]
    pub const fn at(topic: Topic, places: Vec<String>) -> Self {
        Self { topic, places, said: Vec::new(), unknown: Vec::new() }
    }
}
