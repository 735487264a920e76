//! Programs that are fetched and run at once.

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::models::is_downloaded;
use super::super::problem::Problem;
use super::super::rule::{Rule, View};
use super::super::shell::{Taken, lines, taken};
use super::super::syntax::{Call, Value};

/// Who it is.
pub static META: Meta = Meta {
    id: "downloaded-code",
    title: "text from a network is run as code",
    page: include_str!("downloaded_code.md"),
};

/// The rule.
pub(crate) struct DownloadedCode;

impl Rule for DownloadedCode {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        for (index, call) in view.script.calls.iter().enumerate() {
            let is_run = call.is_any(&["exec", "eval", "compile"]);
            let inner = |inner: &&Call| inner.within == Some(index);
            let comes = call.first().is_some_and(|first| is_downloaded(&first.value))
                || view
                    .script
                    .calls
                    .iter()
                    .skip(index + 1)
                    .take(8)
                    .filter(inner)
                    .any(|inner| is_downloaded(&Value::Path(inner.callee.path.clone())));
            if is_run && comes {
                let message = "text is fetched and run as code";
                problems.push(
                    Problem::new(&META, call.span, message, NEXT)
                        .severity(Severity::High)
                        .about(call.callee.path.clone()),
                );
            }
        }
        for line in lines(view.script) {
            for program in taken(&line) {
                if let Taken::Program(address) = program {
                    let message = format!("what is at {address} is fetched and run at once");
                    problems
                        .push(Problem::new(&META, line.span, message, NEXT).severity(Severity::High).about(address));
                }
            }
        }
    }
}

const NEXT: &str =
    "Keep the code in the project, or fetch it, compare its digest with one that you wrote down, and run it then.";
