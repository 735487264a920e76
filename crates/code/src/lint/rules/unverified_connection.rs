//! Connections to anybody.

use waag_engine::rules::Meta;

use super::super::problem::Problem;
use super::super::rule::{Rule, View};

/// Who it is.
pub static META: Meta = Meta {
    id: "unverified-connection",
    title: "a server's certificate is not checked",
    page: include_str!("unverified_connection.md"),
};

/// The rule.
pub(crate) struct UnverifiedConnection;

impl Rule for UnverifiedConnection {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        for call in &view.script.calls {
            let path = call.callee.path.as_str();
            let asks = path.starts_with("requests.") || path.starts_with("httpx.");
            let off = call.argument("verify", None).filter(|argument| asks && argument.value.is(false));
            let is_context = path == "ssl._create_unverified_context";
            if let Some(span) = off.map(|argument| argument.span).or(is_context.then_some(call.span)) {
                problems.push(Problem::new(&META, span, MESSAGE, NEXT).about(path));
            }
        }
        for store in &view.script.stores {
            let is_switch = store.path == "ssl._create_default_https_context"
                && store.value.path() == Some("ssl._create_unverified_context");
            if is_switch {
                problems.push(Problem::new(&META, store.span, MESSAGE, NEXT).about(store.path.clone()));
            }
        }
    }
}

const MESSAGE: &str = "anybody on the way can answer instead of the server";
const NEXT: &str = "Leave the check on; where a proxy has its own certificate, name its file: verify=\"/path/ca.pem\".";
