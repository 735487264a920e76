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
    let expression = expression(name.filter(|_| said.eq_ignore_ascii_case("other")).unwrap_or(said));
    Licence { said: said.to_owned(), expression, name: name.map(str::to_owned), link: link.map(str::to_owned) }
}

fn expression(said: &str) -> Option<String> {
    if said.is_empty() || said.eq_ignore_ascii_case("unknown") || said.eq_ignore_ascii_case("other") {
        return None;
    }
    let known = spdx::identifiers::LICENSES.iter().find(|licence| licence.name.eq_ignore_ascii_case(said));
    if let Some(known) = known {
        return Some(known.name.to_owned());
    }
    if spdx::Expression::parse(said).is_ok() { Some(said.to_owned()) } else { reference(said) }
}

/// `LicenseRef-…` of a name.
fn reference(said: &str) -> Option<String> {
    let plain: String = said
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-') { letter } else { '-' })
        .collect();
    let plain = plain.trim_matches('-');
    (!plain.is_empty()).then(|| format!("LicenseRef-{plain}"))
}

/// Recognises the text of a licence: the titles that licences begin with.
pub(super) fn of_text(text: &str) -> Option<Licence> {
    let id = id_of_text(text)?.to_owned();
    Some(Licence { said: id.clone(), expression: Some(id), name: None, link: None })
}

fn id_of_text(text: &str) -> Option<&'static str> {
    let start: String = text.chars().take(2_000).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    let start = start.to_lowercase();
    let all = |parts: &[&str]| parts.iter().all(|part| start.contains(part));
    match () {
        () if all(&["apache license version 2.0, january 2004"]) => Some("Apache-2.0"),
        () if all(&[
            "permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files",
        ]) =>
        {
            Some("MIT")
        }
        () if start.starts_with("gnu general public license version 3") => Some("GPL-3.0-only"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_becomes_an_expression_where_it_is_one() {
        let told = |said, name| read(said, name, None).expression;
        assert_eq!(told("apache-2.0", None).as_deref(), Some("Apache-2.0"));
        assert_eq!(told("mit", None).as_deref(), Some("MIT"));
        assert_eq!(told("llama3.2", None).as_deref(), Some("LicenseRef-llama3.2"));
        assert_eq!(told("other", Some("my licence")).as_deref(), Some("LicenseRef-my-licence"));
        assert_eq!(told("other", None), None);
        assert_eq!(told("\u{1b}[31m", None).as_deref(), Some("LicenseRef-31m"));
    }
}
