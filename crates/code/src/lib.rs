//! A project's code and compute: what a command really does when it makes a model.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods))]

pub mod lint;
pub mod advisories;
pub mod image;
#[cfg(test)]
mod pages;
pub mod run;
pub mod stack;
mod telling;
