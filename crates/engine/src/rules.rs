//! The rules. Each is one file with its page beside it, and one line in [`RULES`].

pub mod finding;

use waag_formats::fact::Fact;
use waag_formats::format::Meta as FormatMeta;

use finding::Findings;

/// Who a rule is.
#[derive(Debug)]
pub struct Meta {
    /// Stable id, kebab-case; reads well after "allow".
    pub id: &'static str,
    /// What it reports, as a noun phrase.
    pub title: &'static str,
    /// Its page: Markdown with fixed headings and a case (input and the findings it must give).
    pub page: &'static str,
}

/// What a rule looks at: the facts of one artifact.
#[derive(Debug, Clone, Copy)]
pub struct Artifact<'a> {
    /// Path of the innermost name: the file's path, or the member's name within its archive.
    pub name: &'a str,
    /// Size in bytes.
    pub size: u64,
    /// The format it was read as.
    pub format: Option<&'static FormatMeta>,
    /// What was read.
    pub facts: &'a [Fact],
    /// Whether it was named by the user or lies in a folder that was; not a member of an archive.
    pub is_file: bool,
}

/// A rule.
pub trait Rule: Sync {
    /// Who it is.
    fn meta(&self) -> &'static Meta;

    /// Adds its opinion about one artifact.
    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>);
}

impl std::fmt::Debug for dyn Rule + '_ {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Rule({})", self.meta().id)
    }
}

/// Every rule, in the order in which they are listed to people.
pub static RULES: &[&dyn Rule] = &[];

/// The rule with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static dyn Rule> {
    RULES.iter().copied().find(|rule| rule.meta().id == id)
}
