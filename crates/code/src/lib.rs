//! A project's code and compute: what it needs, whether that goes together and what is known to be wrong with it, how its
//! images are built, what its code does that should be otherwise, and what a command really does when it makes a model.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods))]

pub mod advisories;
pub mod dependencies;
pub mod image;
pub mod lint;
#[cfg(test)]
mod pages;
pub mod project;
pub mod run;
pub mod stack;
mod telling;

use waag_engine::rules::Meta;

/// The rules of every room, in the order in which they are listed to people.
#[must_use]
pub fn rules() -> Vec<&'static Meta> {
    [&dependencies::rules()[..], stack::RULES, advisories::RULES, image::RULES, lint::rules::RULES].concat()
}
