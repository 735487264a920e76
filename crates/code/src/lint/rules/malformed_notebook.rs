//! Notebooks that are broken; reading them tells, in `notebook.rs`.

use waag_engine::rules::Meta;

use super::super::rule::Rule;

/// Who it is.
pub static META: Meta = Meta {
    id: "malformed-notebook",
    title: "a notebook cannot be read to its end",
    page: include_str!("malformed_notebook.md"),
};

/// The rule.
pub(crate) struct MalformedNotebook;

impl Rule for MalformedNotebook {
    fn meta(&self) -> &'static Meta {
        &META
    }
}
