//! Cards of models and datasets: whether they are there and whole, and whether they say what the files prove.
//!
//! [`examine`] reads everything below a folder and judges it; [`draft::draft`] writes a first card from what files prove;
//! [`show`] lays one out. Nothing is executed, and nothing is looked up anywhere else.

mod architecture;
mod complete;
mod contradiction;
pub mod draft;
mod examine;
pub mod files;
mod label;
mod language;
mod malformed;
pub(crate) mod markdown;
pub mod output;
pub mod read;
mod rows;
pub mod rules;
pub mod sections;
pub mod show;
#[cfg(test)]
mod tests;

pub use complete::Completeness;
pub use examine::{CardReport, Examined, examine};
pub use read::{Card, Kind};
