//! What conditions may ask: the variables, and the fields of what is in them.

use std::fmt;

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
    /// A text.
    Text,
    /// Several of one kind.
    List(&'static Kind),
    /// Named fields.
    Object(&'static [Field]),
    /// Answers of controls by id, as texts.
    Outcomes,
}

/// A variable, or a field of an object.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The same in words.
    pub about: &'static str,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => formatter.write_str("bool"),
            Self::Int => formatter.write_str("int"),
            Self::Text => formatter.write_str("string"),
            Self::List(kind) => write!(formatter, "list of {kind}"),
            Self::Object(_) => formatter.write_str("object"),
            Self::Outcomes => formatter.write_str("map of strings"),
        }
    }
}

const fn field(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, about }
}

/// Every variable, in the order in which they are documented.
pub static VARIABLES: &[Field] = &[
    field("subject", Kind::Object(SUBJECT), "what is judged"),
    field("files", Kind::List(&Kind::Object(FILE)), "its files"),
    field("findings", Kind::List(&Kind::Object(FINDING)), "what was found, but for what an exception covers"),
    field(
        "signers",
        Kind::List(&Kind::Text),
        "names of those whose trusted signature holds; where parts are signed by different people, nobody knows",
    ),
    field("statements", Kind::List(&Kind::Object(STATEMENT)), "statements about it"),
    field("ancestors", Kind::List(&Kind::Object(ANCESTOR)), "what it descends from"),
    field(
        "controls",
        Kind::Outcomes,
        "answers of controls by id: pass, fail, unknown, not-applicable, excepted or off",
    ),
];

static SUBJECT: &[Field] = &[
    field("name", Kind::Text, "its path, as it was named"),
    field("formats", Kind::List(&Kind::Text), "ids of the formats in it; `waag formats` lists them"),
    field("size", Kind::Int, "bytes"),
    field("files", Kind::Int, "how many files it has"),
];

static FILE: &[Field] = &[
    field("path", Kind::Text, "its path"),
    field("format", Kind::Text, "id of its format; empty where nobody knows it"),
    field("size", Kind::Int, "bytes"),
    field("tensors", Kind::Int, "tensors that it holds"),
];

static FINDING: &[Field] = &[
    field("rule", Kind::Text, "id of the rule"),
    field("severity", Kind::Text, "info, low, medium, high or critical"),
    field("grade", Kind::Int, "the same from 0 to 4"),
    field("nature", Kind::Text, "risk or incomplete"),
    field("file", Kind::Text, "the file"),
    field("message", Kind::Text, "what was found"),
    field("subject", Kind::Text, "what it is about, to the letter; may be empty"),
];

static STATEMENT: &[Field] = &[
    field("type", Kind::Text, "URI of the predicate"),
    field("signer", Kind::Text, "who signed it; empty where nobody did"),
    field("trusted", Kind::Bool, "whether the signer is trusted for it"),
    field("build_type", Kind::Text, "URI of the build type of a provenance; else empty"),
    field("builder", Kind::Text, "URI of who ran it; else empty"),
];

static ANCESTOR: &[Field] = &[
    field("name", Kind::Text, "what it is called"),
    field("sha256", Kind::Text, "its digest; may be empty"),
    field("role", Kind::Text, "its part: base-model, dataset, code …"),
    field("depth", Kind::Int, "steps it is away; 1 for a parent"),
    field("signer", Kind::Text, "who signed for it; may be empty"),
    field("trusted", Kind::Bool, "whether the signer is trusted for it"),
    field("denied", Kind::Bool, "whether it is denied"),
];
