//! What licences let others do: a table that was written down from their texts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The table; where its ids and terms come from is said in it.
const TERMS: &str = include_str!("../../data/licences/terms.toml");
/// Licences of well-known base models, by the beginning of their names.
const BASES: &str = include_str!("../../data/licences/bases.toml");

/// What one licence lets others do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Its id on the Hub of Hugging Face, or the name by which cards there call it (see `own`).
    #[serde(default)]
    pub hub: Option<String>,
    /// Whether `hub` is no id of the Hub, but a `license_name` that is in use.
    #[serde(default)]
    pub own: bool,
    /// Its SPDX id, or `LicenseRef-…`; none for families and placeholders.
    #[serde(default)]
    pub expression: Option<String>,
    /// Its name.
    pub name: String,
    /// Where its text is.
    #[serde(default)]
    pub url: Option<String>,
    /// A family or a placeholder: nothing is known of its terms.
    #[serde(default)]
    pub unknown: bool,
    /// Whether derivatives may be made and given to others.
    #[serde(default = "yes")]
    pub derive: bool,
    /// Whether it may be used for money.
    #[serde(default)]
    pub commercial: Commercial,
    /// The licences that a derivative may have; empty: any.
    #[serde(default)]
    pub share: Vec<String>,
    /// What has to stay under one of them.
    #[serde(default)]
    pub scope: Scope,
    /// Whether notices or attribution have to be kept.
    #[serde(default = "yes")]
    pub notice: bool,
    /// What has to be passed on to everyone downstream.
    #[serde(default)]
    pub restrictions: Option<String>,
    /// Rules about names and notices of derivatives.
    #[serde(default)]
    pub naming: Option<String>,
    /// How the name of a model made from it has to begin.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Whether offering it over a network counts as giving it to others.
    #[serde(default)]
    pub network: bool,
    /// Whether patents are licensed.
    #[serde(default)]
    pub patent: bool,
    /// Who needs a licence of their own.
    #[serde(default)]
    pub threshold: Option<String>,
    /// Whether it is made for data.
    #[serde(default)]
    pub data: bool,
    /// Whether its text was at hand when the terms were written down.
    #[serde(default = "yes")]
    pub read: bool,
    /// What else matters.
    #[serde(default)]
    pub note: Option<String>,
}

/// Whether something may be used for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Commercial {
    /// By everyone.
    #[default]
    Yes,
    /// By some, or in part; its threshold says by whom.
    Limited,
    /// By nobody.
    No,
    /// By nobody: nothing but research is allowed.
    Research,
}

/// What of a derivative has to stay under the licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All of it.
    #[default]
    Work,
    /// Files of the original, changed or not.
    Files,
    /// The library, and that it can be exchanged.
    Library,
    /// The data, not what is made by means of them.
    Data,
}

impl Terms {
    /// Its expression where it has one, otherwise its id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.expression.as_deref().or(self.hub.as_deref()).unwrap_or(&self.name)
    }

    /// Whether whoever has it may do as with any open-source licence that asks for no more than a notice.
    #[must_use]
    pub fn is_permissive(&self) -> bool {
        self.derive && self.commercial == Commercial::Yes && self.share.is_empty() && self.restrictions.is_none()
    }
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
struct Table {
    licence: Vec<Terms>,
}

#[derive(Debug, Deserialize)]
struct Bases {
    licences: BTreeMap<String, String>,
}

/// Every licence that is known. The files are part of the program: a test reads them.
static TABLE: LazyLock<Vec<Terms>> =
    LazyLock::new(|| toml::from_str::<Table>(TERMS).map(|table| table.licence).unwrap_or_default());

static BASE_TABLE: LazyLock<BTreeMap<String, String>> =
    LazyLock::new(|| toml::from_str::<Bases>(BASES).map(|bases| bases.licences).unwrap_or_default());

/// Every licence that is known.
#[must_use]
pub fn all() -> &'static [Terms] {
    &TABLE
}

/// The licence with an id of the Hub, or with a name that is in use there.
#[must_use]
pub fn of_hub_id(id: &str) -> Option<&'static Terms> {
    TABLE.iter().find(|terms| terms.hub.as_deref().is_some_and(|hub| hub.eq_ignore_ascii_case(id)))
}

/// The licence of an SPDX id or `LicenseRef-…`.
#[must_use]
pub fn of_expression(atom: &str) -> Option<&'static Terms> {
    TABLE.iter().find(|terms| terms.expression.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(atom)))
}

/// The id of the licence under which the publisher of a well-known base model gives it, by the model's name on the Hub.
#[must_use]
pub fn of_base_model(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let fitting = BASE_TABLE.iter().filter(|(beginning, _)| name.starts_with(beginning.as_str()));
    fitting.max_by_key(|(beginning, _)| beginning.len()).map(|(_, licence)| licence.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_is_whole_and_names_nothing_twice() {
        let hub = all().iter().filter(|terms| terms.hub.is_some() && !terms.own).count();
        assert_eq!(hub, 83, "every id of the Hub");
        let ids: Vec<&str> = all().iter().map(Terms::id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        for terms in all() {
            assert_eq!(terms.unknown, terms.expression.is_none(), "{}", terms.name);
            let Some(expression) = &terms.expression else { continue };
            assert!(spdx::Expression::parse(expression).is_ok(), "{expression}");
            for licence in &terms.share {
                assert!(spdx::Expression::parse(licence).is_ok(), "{licence}");
            }
            if !terms.share.is_empty() {
                assert!(terms.share.contains(expression), "{expression} may be kept");
            }
            if terms.commercial == Commercial::Limited {
                assert!(terms.threshold.is_some(), "{expression} says who may");
            }
        }
    }

    #[test]
    fn what_spdx_says_of_them_agrees() {
        for terms in all() {
            let Some(id) = terms.expression.as_deref().and_then(spdx::license_id) else { continue };
            if id.is_osi_approved() {
                assert!(terms.derive && terms.commercial == Commercial::Yes, "{}", id.name);
            }
            // Artistic and LPPL ask for another name, not for the same licence.
            let is_weaker = ["Artistic-2.0", "LPPL-1.3c", "ODbL-1.0", "AFL-3.0"].contains(&id.name);
            if id.is_copyleft() && !is_weaker {
                assert!(!terms.share.is_empty(), "{} is copyleft", id.name);
            }
        }
    }

    #[test]
    fn every_base_has_a_licence_that_is_known() {
        assert!(BASE_TABLE.len() > 50);
        for (base, licence) in BASE_TABLE.iter() {
            assert!(of_hub_id(licence).is_some(), "{base}: {licence}");
            assert_eq!(base, &base.to_ascii_lowercase());
        }
        assert_eq!(of_base_model("meta-llama/Llama-3.2-1B-Instruct"), Some("llama3.2"));
        assert_eq!(of_base_model("meta-llama/Meta-Llama-3-8B"), Some("llama3"));
        assert_eq!(of_base_model("meta-llama/Meta-Llama-3.1-8B"), Some("llama3.1"));
        assert_eq!(of_base_model("Qwen/Qwen2.5-3B-Instruct"), Some("qwen-research"));
        assert_eq!(of_base_model("someone/else"), None);
    }
}
