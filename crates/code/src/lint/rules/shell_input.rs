//! Commands that are put together from what is given.

use waag_engine::rules::Meta;

use super::super::problem::Problem;
use super::super::rule::{Rule, View};
use super::super::syntax::Call;

/// Who it is.
pub static META: Meta =
    Meta { id: "shell-input", title: "a shell runs text that is put together", page: include_str!("shell_input.md") };

/// The rule.
pub(crate) struct ShellInput;

impl Rule for ShellInput {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        for (index, call) in view.script.calls.iter().enumerate() {
            let path = call.callee.path.as_str();
            let is_shell = path == "os.system"
                || path == "os.popen"
                || path.starts_with("subprocess.") && call.keyword("shell").is_some_and(|value| value.is(true));
            let Some(first) = call.first().filter(|_| is_shell) else { continue };
            let from_input = view
                .script
                .calls
                .iter()
                .skip(index + 1)
                .take(8)
                .any(|inner| inner.within == Some(index) && inner.is_any(INPUTS))
                || first.value.path().is_some_and(|path| INPUTS.iter().any(|input| path.contains(input)));
            if !from_input && !is_partly_input(view, call) {
                continue;
            }
            let next =
                "Give subprocess.run a list of words, without a shell: subprocess.run([\"tool\", name], check=True).";
            problems
                .push(Problem::new(&META, call.span, "a shell runs what somebody types or sends", next).about(path));
        }
    }
}

const INPUTS: &[&str] = &["input", "input()", "sys.argv[]", "flask.request", "os.environ[]", "os.getenv()"];

/// Whether what is asked for on the command line is put into the text.
fn is_partly_input(view: &View<'_>, call: &Call) -> bool {
    let Some(first) = call.first() else { return false };
    let written = view.unit.source.slice(first.span);
    let is_text = first.value.part().is_some() && first.value.text().is_none();
    is_text && ["sys.argv", "input(", "request."].iter().any(|source| written.contains(source))
}
