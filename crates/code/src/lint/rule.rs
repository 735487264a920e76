//! What a rule is.

use waag_engine::rules::Meta;

use super::Options;
use super::configuration::Configuration;
use super::problem::Problem;
use super::program::Program;
use super::syntax::{Call, Script};
use super::unit::Unit;

/// One file, for rules that look at files one by one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    /// The file.
    pub(crate) unit: &'a Unit,
    /// What was read in it.
    pub(crate) script: &'a Script,
    /// What is known from elsewhere.
    pub(crate) options: &'a Options,
}

/// A rule: each is one file with its page beside it, and one line in [`super::rules::ALL`].
pub(crate) trait Rule: Sync {
    /// Who it is.
    fn meta(&self) -> &'static Meta;

    /// Whether its opinion about programs needs this call: of a file that has been read, no other is kept.
    fn needs(&self, _: &Script, _: &Call) -> bool {
        false
    }

    /// Its opinion about one file of Python or notebook.
    fn script(&self, _: &View<'_>, _: &mut Vec<Problem>) {}

    /// Its opinion about a program: a file that is started, with what it imports of the project. With the file that each
    /// opinion is about, by its place among the program's files.
    fn program(&self, _: &Program<'_>, _: &mut Vec<(usize, Problem)>) {}

    /// Its opinion about one file where no other file counts, told if it belongs to a program that trains: it is asked once,
    /// however many programs have the file.
    fn member(&self, _: &Unit, _: &mut Vec<Problem>) {}

    /// Its opinion about a configuration.
    fn configuration(&self, _: &Configuration, _: &mut Vec<Problem>) {}
}
