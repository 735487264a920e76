//! The licence of a model or dataset: what is declared, and what the text of a licence among its files is.

use serde::Serialize;

use super::model::{Said, Text};

/// A licence as it is said, and as an expression of SPDX where it is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Licence {
    /// As it is written.
    pub said: String,
    /// A valid expression of SPDX; `LicenseRef-…` for a licence that SPDX does not list.
    pub expression: Option<String>,
    /// Its name, where the card gives one.
    pub name: Option<String>,
    /// Where its text is, as the card says.
    pub link: Option<String>,
}

/// What is known of a licence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Licences {
    /// What the card or the configuration says.
    pub declared: Option<Said<Licence>>,
    /// What a file with the text of a licence is.
    pub concluded: Option<Said<Licence>>,
    /// What else is said: other sources, in their own words.
    pub further: Vec<Text>,
}

/// Reads what a card says.
pub(super) fn read(said: &str, name: Option<&str>, link: Option<&str>) -> Licence {
    let read = crate::licence::read(said, name, link);
    Licence { said: read.said, expression: read.expression, name: read.name, link: read.link }
}

/// Whether a file is named as the text of a licence; notices and policies stand beside one.
pub(super) fn is_text(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    ["license", "licence", "copying", "unlicense"].iter().any(|start| name.starts_with(start))
}

/// Recognises the text of a licence; none where it is only a little like one.
pub(super) fn of_text(text: &str) -> Option<Licence> {
    let recognised = crate::licence::of_text(text)?;
    let is_sure = recognised.confidence != waag_evidence::Confidence::Low;
    let id = recognised.id;
    is_sure.then(|| Licence { said: id.clone(), expression: Some(id), name: None, link: None })
}
