//! A project's code and compute: what it says that it needs, and what a command really does when it makes a model.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods))]

pub mod dependencies;
pub mod run;
