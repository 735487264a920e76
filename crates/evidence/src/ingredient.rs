//! What a project is made of, as its owner declares it in `waag.toml`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::manifest::is_inside;

/// What an ingredient is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IngredientKind {
    /// Weights, with their configuration.
    Model,
    /// Data to train or to test with.
    Dataset,
}

impl fmt::Display for IngredientKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
        })
    }
}

/// An entry of `[[model]]` or `[[dataset]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawIngredient")]
pub struct Ingredient {
    /// What people call it.
    pub name: String,
    /// The file or folder, below the folder of `waag.toml`, with `/` between its parts.
    pub path: String,
    /// Checksum lists, DVC files or Git LFS pointers that it has to agree with, below the same folder.
    pub pins: Vec<String>,
    /// The signature that it has to have, below the same folder.
    pub signature: Option<String>,
    /// Files with attestations about it, below the same folder.
    pub attestations: Vec<String>,
    /// Where it comes from: a place that `sources` in `[policy]` may allow.
    pub source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIngredient {
    name: Option<String>,
    path: String,
    #[serde(default)]
    pins: Vec<String>,
    signature: Option<String>,
    #[serde(default)]
    attestations: Vec<String>,
    source: Option<String>,
}

/// Why an entry is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIngredient {
    /// A path that leads out of the project, or is none.
    #[error("the path '{0}' does not lead below the folder of waag.toml")]
    Outside(String),
    /// A name that cannot be written on one line.
    #[error("the name '{0}' is empty or has control characters")]
    Name(String),
}

impl TryFrom<RawIngredient> for Ingredient {
    type Error = InvalidIngredient;

    fn try_from(raw: RawIngredient) -> Result<Self, InvalidIngredient> {
        let plain = |path: String| {
            let plain = path.trim_start_matches("./").trim_end_matches('/');
            let inside = is_inside(plain) && plain != ".";
            if inside { Ok(plain.to_owned()) } else { Err(InvalidIngredient::Outside(path)) }
        };
        let path = plain(raw.path)?;
        let last = path.rsplit('/').next().unwrap_or(&path).to_owned();
        let name = raw.name.unwrap_or(last);
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err(InvalidIngredient::Name(name));
        }
        let pins = raw.pins.into_iter().map(plain).collect::<Result<_, _>>()?;
        let signature = raw.signature.map(plain).transpose()?;
        let attestations = raw.attestations.into_iter().map(plain).collect::<Result<_, _>>()?;
        Ok(Self { name, path, pins, signature, attestations, source: raw.source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_needs_a_path_below_the_project() -> Result<(), toml::de::Error> {
        let entry: Ingredient = toml::from_str("path = './models/base/'\npins = ['models/SHA256SUMS']")?;
        assert_eq!((entry.name.as_str(), entry.path.as_str()), ("base", "models/base"));
        for text in ["path = '../x'", "path = '/x'", "path = '.'", "path = ''", "path = 'a'\nname = ''", "name = 'a'"] {
            assert!(toml::from_str::<Ingredient>(text).is_err(), "{text}");
        }
        Ok(())
    }
}
