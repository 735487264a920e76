//! The rules about licences: each is a page beside this file, and one line in [`RULES`].

use crate::rules::Meta;

/// What a licence gives that one before it does not.
pub static CONFLICT: Meta = Meta {
    id: "licence-conflict",
    title: "licences along a chain that do not agree",
    page: include_str!("rules/licence_conflict.md"),
};

/// Nothing is stated.
pub static MISSING: Meta =
    Meta { id: "licence-missing", title: "no licence is stated", page: include_str!("rules/licence_missing.md") };

/// What is stated is not known.
pub static UNKNOWN: Meta = Meta {
    id: "licence-unknown",
    title: "licences whose terms are not known",
    page: include_str!("rules/licence_unknown.md"),
};

/// Every rule about licences, in the order in which they are listed to people.
pub static RULES: &[&Meta] = &[&CONFLICT, &MISSING, &UNKNOWN];
