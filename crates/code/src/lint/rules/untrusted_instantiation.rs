//! Configurations that name functions.

use waag_engine::rules::Meta;

use super::super::models::is_downloaded;
use super::super::problem::Problem;
use super::super::rule::{Rule, View};
use super::super::syntax::Value;

/// Who it is.
pub static META: Meta = Meta {
    id: "untrusted-instantiation",
    title: "a configuration from elsewhere names what is called",
    page: include_str!("untrusted_instantiation.md"),
};

/// The rule.
pub(crate) struct UntrustedInstantiation;

impl Rule for UntrustedInstantiation {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        for (index, call) in view.script.calls.iter().enumerate() {
            if !call.is_any(&["hydra.utils.instantiate", "hydra.utils.call", "lightning.cli.instantiate_class"]) {
                continue;
            }
            let inner = view.script.calls.iter().skip(index + 1).take(8).filter(|inner| inner.within == Some(index));
            let comes = call.first().is_some_and(|first| is_read(&first.value))
                || inner.clone().any(|inner| is_read(&Value::Path(format!("{}()", inner.callee.path))));
            if comes {
                let next = "Instantiate configurations of the project alone, or look at every `_target_` before: a list of names that may be called.";
                let message = "the file that was read names the functions that are called";
                problems.push(Problem::new(&META, call.span, message, next).about(call.callee.path.clone()));
            }
        }
    }
}

/// Whether a value is read from a file or a network, and not what Hydra composed for the program.
fn is_read(value: &Value) -> bool {
    const READERS: &[&str] =
        &["omegaconf.OmegaConf.load()", "yaml.safe_load()", "yaml.load()", "json.load()", "json.loads()"];
    is_downloaded(value) || value.path().is_some_and(|path| READERS.iter().any(|reader| path.contains(reader)))
}
