//! Licences: what is declared among a component's licences, what was concluded from a text among its evidence.

use super::document::{LicenceChoice, License};
use super::property;
use crate::bom::licence::Licence;
use crate::bom::writing::{address, plain};

/// Identifiers of SPDX that came after the list in the schemas of CycloneDX: they can only stand in expressions.
const NEWER: &[&str] = &[
    "BSD-2-Clause-pos-unchanged",
    "BSD-3-Clause-OpenWebUI",
    "BSD-Source-Code-no-disclaimer",
    "BSD-Source-alt-GPL",
    "BSD-ask-to-endorse",
    "Brian-Gladman-3-Clause-no-conversion",
    "Bugroff",
    "CC-BY-NC-3.0-IGO",
    "FDK-MPEG-H",
    "GFDL-1.1-invariants",
    "GFDL-1.1-no-invariants",
    "GFDL-1.2-invariants",
    "GFDL-1.2-no-invariants",
    "GFDL-1.3-invariants",
    "GFDL-1.3-no-invariants",
    "Google-Patent-WebM",
    "Hippocratic-3.0-core",
    "Informatica",
    "MVT-1.1",
    "Spelling-Provider-LGPL-exception",
    "atc-game",
];

/// One licence in the form that says most of it.
pub(super) fn choice(licence: &Licence, acknowledgement: &'static str) -> LicenceChoice {
    let expression = licence.expression.clone();
    let is_listed = |id: &str| spdx::license_id(id).is_some_and(|found| found.name == id) && !NEWER.contains(&id);
    let is_own = |id: &str| id.starts_with("LicenseRef-") && !id.contains(' ');
    match expression {
        Some(id) if is_listed(&id) => {
            LicenceChoice::One { license: License { id: Some(id), ..named(licence, acknowledgement) } }
        }
        Some(expression) if !is_own(&expression) => LicenceChoice::Expression { expression, acknowledgement },
        own => {
            let name = licence.name.as_ref().unwrap_or(&licence.said);
            let properties = own.iter().map(|own| property("waag:licence:expression", own)).collect();
            LicenceChoice::One {
                license: License { name: Some(plain(name)), properties, ..named(licence, acknowledgement) },
            }
        }
    }
}

fn named(licence: &Licence, acknowledgement: &'static str) -> License {
    License { acknowledgement, url: licence.link.as_deref().and_then(address), ..License::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_licence_stands_in_the_form_that_the_schema_has_for_it() {
        let shown = |expression: Option<&str>| {
            let expression = expression.map(str::to_owned);
            let licence = Licence { said: "said".into(), expression, name: None, link: Some("bad link".into()) };
            serde_json::to_string(&choice(&licence, "declared")).unwrap()
        };
        assert_eq!(shown(Some("MIT")), r#"{"license":{"id":"MIT","acknowledgement":"declared"}}"#);
        assert_eq!(shown(Some("Bugroff")), r#"{"expression":"Bugroff","acknowledgement":"declared"}"#);
        assert_eq!(
            shown(Some("MIT OR Apache-2.0")),
            r#"{"expression":"MIT OR Apache-2.0","acknowledgement":"declared"}"#
        );
        assert!(shown(Some("LicenseRef-x")).contains(r#""name":"said""#));
        assert_eq!(shown(None), r#"{"license":{"name":"said","acknowledgement":"declared"}}"#);
    }
}
