//! Credentials that everybody who has the code has.

use waag_engine::rules::Meta;
use waag_evidence::Severity;
use waag_formats::secrets;

use super::super::configuration::Configuration;
use super::super::problem::Problem;
use super::super::rule::{Rule, View};
use super::super::syntax::Span;

/// Who it is.
pub static META: Meta = Meta {
    id: "hard-coded-secret",
    title: "a credential stands in the code",
    page: include_str!("hard_coded_secret.md"),
};

/// The rule.
pub(crate) struct HardCodedSecret;

impl Rule for HardCodedSecret {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        problems.extend(found(view.unit.source.text.as_bytes()));
    }

    fn configuration(&self, configuration: &Configuration, problems: &mut Vec<Problem>) {
        problems.extend(found(&configuration.bytes));
    }
}

fn found(bytes: &[u8]) -> impl Iterator<Item = Problem> {
    secrets::find(bytes, bytes.len()).into_iter().map(|secret| {
        let next = "Take it back where it was given out, today; then read a new one from the environment.";
        let message = format!("{} stands here for everybody who has the code", secret.kind);
        Problem::new(&META, Span::at(secret.at), message, next)
            .severity(Severity::High)
            .about(format!("{}…", secret.shown))
    })
}
