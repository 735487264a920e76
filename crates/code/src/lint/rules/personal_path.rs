//! Paths that nobody else has.

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::configuration::Configuration;
use super::super::problem::Problem;
use super::super::rule::{Rule, View};

/// Who it is.
pub static META: Meta = Meta {
    id: "personal-path",
    title: "a path leads into one person's machine",
    page: include_str!("personal_path.md"),
};

/// The rule.
pub(crate) struct PersonalPath;

impl Rule for PersonalPath {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        if view.unit.is_test() {
            return;
        }
        for (span, text) in &view.script.texts {
            if is_personal(text) {
                let next = "Take the path from an argument, or from the project's folder on.";
                problems.push(
                    Problem::new(&META, *span, "the path is one of a single person's machine", next)
                        .severity(Severity::Low)
                        .about(text.clone()),
                );
            }
        }
    }

    fn configuration(&self, configuration: &Configuration, problems: &mut Vec<Problem>) {
        for entry in configuration.entries.iter().filter(|entry| entry.text().is_some_and(is_personal)) {
            let next = "Write it from the project's folder on, or leave it to whoever starts the training.";
            problems.push(
                Problem::new(&META, entry.span, "the path is one of a single person's machine", next)
                    .severity(Severity::Low)
                    .about(entry.path.clone()),
            );
        }
    }
}

/// Accounts that are the same on many machines, or stand for any.
const ANYBODY: &[&str] = &[
    "user",
    "username",
    "runner",
    "jovyan",
    "ubuntu",
    "ec2-user",
    "vscode",
    "app",
    "me",
    "you",
    "someone",
    "shared",
    "Shared",
    "Public",
    "airflow",
    "docker",
    "node",
    "work",
    "name",
    "your_name",
    "foo",
    "bar",
    "USER",
    "<user>",
    "sagemaker-user",
    "linuxbrew",
];

/// Whether a text is a path below somebody's home folder.
fn is_personal(text: &str) -> bool {
    let rest = ["/home/", "/Users/", "C:\\Users\\", "C:/Users/"].iter().find_map(|prefix| text.strip_prefix(prefix));
    let Some((name, more)) = rest.and_then(|rest| rest.split_once(['/', '\\'])) else { return false };
    let is_name =
        !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.'));
    is_name
        && !more.is_empty()
        && !ANYBODY.contains(&name)
        && !text.contains(['\n', '*', '{', '<', '$', '\0'])
        && text.len() < 300
}
