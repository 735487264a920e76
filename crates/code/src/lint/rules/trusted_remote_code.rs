//! Code that comes with a model or dataset.

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::configuration::Configuration;
use super::super::models::{Pin, Place, code_pin, place};
use super::super::problem::Problem;
use super::super::rule::{Rule, View};

/// Who it is.
pub static META: Meta = Meta {
    id: "trusted-remote-code",
    title: "code of a model's repository is run",
    page: include_str!("trusted_remote_code.md"),
};

/// The rule.
pub(crate) struct TrustedRemoteCode;

const BESIDE: &str = "code that lies beside the model is run";

impl Rule for TrustedRemoteCode {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        for call in &view.script.calls {
            let Some((_, argument)) = call.keywords.iter().find(|(name, _)| name == "trust_remote_code") else {
                continue;
            };
            if !argument.value.is(true) {
                continue;
            }
            let where_from =
                call.argument("pretrained_model_name_or_path", None).or(call.argument("model", None)).or(call.first());
            let place = where_from.map_or(Place::Unknown, |argument| place(view, &argument.value));
            let name = where_from.and_then(|argument| argument.value.text()).unwrap_or("trust_remote_code");
            let (severity, message) = match (place, code_pin(call)) {
                // From version 4 on, the library takes no code of datasets any more.
                (Place::Hub, Pin::None | Pin::Name(_) | Pin::Unknown) if call.is("datasets.load_dataset") => {
                    (Severity::Medium, "before version 4 of datasets, code of the repository is run")
                }
                (_, Pin::Commit) => (Severity::Low, "code of a pinned commit of the repository is run"),
                (Place::Here, _) => (Severity::Low, BESIDE),
                (Place::Hub, _) => (Severity::High, "code of the repository is run, whatever is there at the time"),
                (Place::Unknown, _) => (Severity::Medium, "code of whatever repository is named is run"),
            };
            let next = "Leave it out where the library has a class for the model. Otherwise read the code, and pin the commit that you read: revision=\"<40 digits>\".";
            let found =
                |severity, message| Problem::new(&META, argument.span, message, next).severity(severity).about(name);
            problems.push(match (place, code_pin(call)) {
                (Place::Hub, pin) if pin != Pin::Commit => {
                    found(severity, message).unless_written(name, Some(found(Severity::Low, BESIDE)))
                }
                _ => found(severity, message),
            });
        }
    }

    fn configuration(&self, configuration: &Configuration, problems: &mut Vec<Problem>) {
        let trusting = configuration.entries.iter().filter(|entry| entry.key == "trust_remote_code" && entry.is_true());
        for entry in trusting {
            let next = "Set it to false where the library has a class for the model. Otherwise read the code, and pin the commit that you read.";
            problems.push(
                Problem::new(&META, entry.span, "code of the model's repository is run", next)
                    .about(entry.path.clone()),
            );
        }
    }
}
