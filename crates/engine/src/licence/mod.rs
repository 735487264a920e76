//! Licences: which one is meant, what it lets others do, and whether those along a chain of models and data agree.
//!
//! Ids of Hugging Face, SPDX expressions and names are read; texts are recognised by their words. What is not known is
//! said to be unknown and is never guessed. None of this is legal advice.

pub mod chain;
mod conflict;
mod expression;
mod fingerprint;
mod name;
pub mod rules;
pub mod terms;

use std::collections::BTreeSet;

pub use expression::Part;
pub use fingerprint::{Recognised, of_text};
pub use terms::{Commercial, Scope, Terms};

/// What goes with every answer about licences.
pub const NO_ADVICE: &str = "what licences allow is told here as their texts say it; it is no legal advice";

/// A licence, as it was stated and as it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    /// What was said, to the letter.
    pub said: String,
    /// The name that was given beside it (`license_name`).
    pub name: Option<String>,
    /// The address of its text that was given beside it (`license_link`).
    pub link: Option<String>,
    /// A valid SPDX expression, with `LicenseRef-…` for a licence of somebody's own; none where nothing definite was said.
    pub expression: Option<String>,
    /// What the expression leaves to choose from: each is enough, and all licences within one hold together.
    pub choices: Vec<Vec<Part>>,
    /// What a reader has to know of how it was understood.
    pub notes: Vec<String>,
}

impl Licence {
    /// Whether the terms of every licence that may hold are known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.choices.is_empty() && self.choices.iter().flatten().all(|part| part.terms.is_some())
    }

    /// The ids in it, each once.
    #[must_use]
    pub fn ids(&self) -> Vec<&str> {
        let ids: BTreeSet<&str> = self.choices.iter().flatten().map(|part| part.id.as_str()).collect();
        ids.into_iter().collect()
    }

    /// How it is told to people: its expression, or what was said.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.expression.as_deref().unwrap_or(&self.said)
    }

    /// Whether the two are the same licence, as far as that can be told: versions that cannot be told apart are.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let ids = |licence: &Self| -> BTreeSet<String> { licence.ids().into_iter().map(without_later).collect() };
        self.expression.is_some() && other.expression.is_some() && ids(self) == ids(other)
    }

    /// What was said is what a hub or standard calls unknown: families, `other` without a name, no words at all.
    fn unknown(said: &str, note: Option<&str>) -> Self {
        let note = note.unwrap_or("no licence of that name is known");
        Self {
            said: said.to_owned(),
            name: None,
            link: None,
            expression: None,
            choices: Vec::new(),
            notes: vec![note.to_owned()],
        }
    }
}

fn without_later(id: &str) -> String {
    id.trim_end_matches("-or-later").trim_end_matches("-only").to_ascii_lowercase()
}

/// Reads what somebody says of a licence: an id of the Hub, an SPDX expression, a name, a classifier of PyPI. `name` and
/// `link` are what cards give beside `other`.
#[must_use]
pub fn read(said: &str, name: Option<&str>, link: Option<&str>) -> Licence {
    let trimmed = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let (given_name, given_link) = (name.and_then(trimmed), link.and_then(trimmed));
    let mut licence = understood(said.trim(), given_name.as_deref(), given_link.as_deref());
    said.clone_into(&mut licence.said);
    (licence.name, licence.link) = (given_name, given_link);
    let notes = licence.choices.iter().flatten().filter_map(|part| Some((part, part.terms.as_ref()?)));
    let told = notes.flat_map(|(part, terms)| {
        let unread = (!terms.read).then(|| format!("{}: its text was not read for this", part.id));
        let note = terms.note.as_deref().filter(|note| note.starts_with("it is not said"));
        note.map(|note| format!("{}: {note}", part.id)).into_iter().chain(unread)
    });
    let told: Vec<String> = told.collect();
    licence.notes.extend(told);
    licence
}

fn understood(said: &str, given: Option<&str>, link: Option<&str>) -> Licence {
    if let Some(terms) = terms::of_hub_id(said).filter(|terms| !terms.own) {
        let is_other = terms.unknown && said.eq_ignore_ascii_case("other");
        return match (terms.unknown, is_other) {
            (false, _) => definite(expression::single(terms.id())),
            (true, true) => other(given, link).unwrap_or_else(|| Licence::unknown(said, terms.note.as_deref())),
            (true, false) => Licence::unknown(said, terms.note.as_deref()),
        };
    }
    let by_name = || named(said).map(definite);
    let by_expression = || expression::read(said).map(definite);
    let own = || match said.is_empty() || said.contains('\n') || said.len() > 100 {
        true => Licence::unknown(said, said.is_empty().then_some("nothing is said")),
        false => of_its_own(said),
    };
    by_name().or_else(by_expression).or_else(|| other(given, link)).unwrap_or_else(own)
}

/// A licence that is none of the Hub's: by the name and the link that are given for it.
fn other(given: Option<&str>, link: Option<&str>) -> Option<Licence> {
    let by_name = given.and_then(named).map(definite);
    let by_link = || link.and_then(name::at).map(|terms| definite(expression::single(terms.id())));
    by_name.or_else(by_link).or_else(|| given.map(of_its_own))
}

fn named(name: &str) -> Option<expression::Read> {
    if let Some(terms) = terms::of_hub_id(name).filter(|terms| !terms.unknown) {
        return Some(expression::single(terms.id()));
    }
    name::meant(name).map(expression::single)
}

fn of_its_own(said: &str) -> Licence {
    let own = expression::own(said);
    if own.expression.is_empty() {
        return Licence::unknown(said, None);
    }
    let mut licence = definite(own);
    licence.notes.push("a licence of its publisher's own: its terms are not known here".to_owned());
    licence
}

fn definite(read: expression::Read) -> Licence {
    Licence {
        said: String::new(),
        name: None,
        link: None,
        expression: Some(read.expression),
        choices: read.choices,
        notes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(said: &str) -> Option<String> {
        read(said, None, None).expression
    }

    #[test]
    fn every_id_of_the_hub_is_read_and_families_stay_unknown() {
        for terms in terms::all().iter().filter(|terms| !terms.own) {
            let Some(hub) = &terms.hub else { continue };
            let licence = read(&hub.to_uppercase(), None, None);
            assert_eq!(licence.expression, terms.expression, "{hub}");
            assert_eq!(licence.is_known(), !terms.unknown, "{hub}");
            assert_eq!(licence.said, hub.to_uppercase());
            assert!(licence.is_known() || !licence.notes.is_empty(), "{hub} says why");
        }
    }

    #[test]
    fn names_expressions_and_licences_of_their_own_are_read() {
        assert_eq!(expression("apache-2.0 OR mit").as_deref(), Some("Apache-2.0 OR MIT"));
        assert_eq!(expression("Apache License, Version 2.0").as_deref(), Some("Apache-2.0"));
        assert_eq!(expression("GPL-3.0+").as_deref(), Some("GPL-3.0-or-later"));
        assert_eq!(expression("gpl-3.0").as_deref(), Some("GPL-3.0-only"));
        assert_eq!(expression("Acme Licence 3").as_deref(), Some("LicenseRef-acme-licence-3"));
        assert_eq!((expression(""), expression("a\nb")), (None, None));
        assert!(!read("Acme Licence 3", None, None).is_known());
        let other = read("other", Some("flux-1-dev-non-commercial-license"), Some("LICENSE.md"));
        assert_eq!(other.expression.as_deref(), Some("LicenseRef-flux-1-dev-non-commercial"));
        assert!(other.is_known() && other.link.as_deref() == Some("LICENSE.md"));
        let linked = read("other", None, Some("https://ai.google.dev/gemma/terms"));
        assert_eq!(linked.expression.as_deref(), Some("LicenseRef-gemma"));
        let named = read("other", Some("House Rules"), None);
        assert_eq!((named.expression.as_deref(), named.is_known()), (Some("LicenseRef-house-rules"), false));
    }

    #[test]
    fn only_and_later_are_not_told_apart_where_a_text_cannot() {
        let same = |one, other| read(one, None, None).is_same(&read(other, None, None));
        assert!(same("gpl-3.0", "GPL-3.0-or-later") && same("mit", "MIT License"));
        assert!(!same("mit", "isc") && !same("other", "other"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_an_expression_is_valid(said in "\\PC{0,60}") {
            if let Some(expression) = read(&said, None, None).expression {
                proptest::prop_assert!(spdx::Expression::parse(&expression).is_ok(), "{}", expression);
            }
        }
    }
}
