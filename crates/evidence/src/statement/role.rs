//! What an artifact is to another: the words on the edges of the lineage graph, and in `annotations.role` of provenance.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The part that one artifact had in the making, or has in the description, of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A model that was trained further, quantised or merged.
    BaseModel,
    /// An adapter that was merged in, or is laid over a model.
    Adapter,
    /// The same weights in another container.
    ConvertedFrom,
    /// A teacher, a judge, or another model whose outputs were used.
    Teacher,
    /// Data that a model was trained, tuned or calibrated with.
    Dataset,
    /// Data that a model was measured with.
    EvaluationDataset,
    /// A script, a repository or a commit.
    Code,
    /// Parameters in a file.
    Configuration,
    /// A file with the vocabulary and rules of a tokenizer.
    Tokenizer,
    /// A package, a library or a tool that ran.
    Dependency,
    /// An image, a lock file or a list of what was installed.
    Environment,
    /// A run, an experiment or a workflow that made it.
    Run,
    /// A whole that this is a file of.
    PartOf,
    /// Something else that was read.
    Input,
    /// Something that describes it: a card, a bill of materials, a signature, a report.
    Description,
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no role")]
pub struct NotARole(String);

impl Role {
    /// Every role.
    pub const ALL: [Self; 15] = [
        Self::BaseModel,
        Self::Adapter,
        Self::ConvertedFrom,
        Self::Teacher,
        Self::Dataset,
        Self::EvaluationDataset,
        Self::Code,
        Self::Configuration,
        Self::Tokenizer,
        Self::Dependency,
        Self::Environment,
        Self::Run,
        Self::PartOf,
        Self::Input,
        Self::Description,
    ];

    /// Its name in statements.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BaseModel => "base-model",
            Self::Adapter => "adapter",
            Self::ConvertedFrom => "converted-from",
            Self::Teacher => "teacher",
            Self::Dataset => "dataset",
            Self::EvaluationDataset => "evaluation-dataset",
            Self::Code => "code",
            Self::Configuration => "configuration",
            Self::Tokenizer => "tokenizer",
            Self::Dependency => "dependency",
            Self::Environment => "environment",
            Self::Run => "run",
            Self::PartOf => "part-of",
            Self::Input => "input",
            Self::Description => "description",
        }
    }

    /// Whether what is wrong with the one is wrong with the other: a poisoned dataset reaches the model, a card does not.
    #[must_use]
    pub const fn is_ancestry(self) -> bool {
        !matches!(self, Self::Description | Self::EvaluationDataset)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| NotARole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
        assert!("parent".parse::<Role>().is_err());
    }
}
