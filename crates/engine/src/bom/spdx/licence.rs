//! Licences as elements: each package has one that is declared and one that is concluded; where nobody knows, no assertion is
//! made.

use serde_json::json;

use super::graph::{CREATION, Graph};
use crate::bom::licence::{Licence, Licences};
use crate::bom::writing::{address, plain};

/// The licence that asserts nothing.
const NO_ASSERTION: &str = "https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense";

/// Relates an element to its licences.
pub(super) fn relate(of: &str, licences: &Licences, graph: &mut Graph) {
    let mut element = |licence: Option<&Licence>| match licence {
        Some(licence) => expression(licence, graph),
        None => NO_ASSERTION.to_owned(),
    };
    let declared = element(licences.declared.as_ref().map(|said| &said.value));
    let concluded = element(licences.concluded.as_ref().map(|said| &said.value));
    let place = licences.declared.as_ref().map(|said| plain(&said.evidence.place()));
    graph.relate_with(of, "hasDeclaredLicense", &[declared], place);
    let place = licences.concluded.as_ref().map(|said| plain(&said.evidence.place()));
    graph.relate_with(of, "hasConcludedLicense", &[concluded], place);
}

/// An expression, or the text that somebody wrote where it is none.
fn expression(licence: &Licence, graph: &mut Graph) -> String {
    let said = plain(&licence.said);
    let Some(expression) = licence.expression.clone() else {
        return graph.once(&format!("licence-text-{said}"), |id| {
            json!({
                "type": "simplelicensing_SimpleLicensingText",
                "spdxId": id,
                "creationInfo": CREATION,
                "name": said,
                "simplelicensing_licenseText": licence.link.as_deref().map_or_else(|| said.clone(), plain),
            })
        });
    };
    let link = licence.link.as_deref().and_then(address);
    graph.once(&format!("licence-{expression}"), |id| {
        let mut element = json!({
            "type": "simplelicensing_LicenseExpression",
            "spdxId": id,
            "creationInfo": CREATION,
            "simplelicensing_licenseExpression": expression,
        });
        let name = licence.name.as_ref().map(|name| format!(", named {}", plain(name))).unwrap_or_default();
        let link = link.map(|link| format!(", at {link}")).unwrap_or_default();
        element["comment"] = format!("said as: {said}{name}{link}").into();
        element
    })
}
