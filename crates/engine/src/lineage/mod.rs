//! Where models come from, and where they went: questions to the graph of everything that a ledger's statements say.
//!
//! A node is an artifact by digest, or by a name where nobody gave a digest. An edge goes from what was made to what it was
//! made from, and knows the statement that says so; who made that is verified when an answer cites it.

pub mod answer;
mod conflict;
mod cycle;
pub mod extract;
pub mod graph;
pub mod identifier;
pub mod layout;

mod maker;
pub mod output;
pub mod pages;
pub mod picture;
pub mod question;
pub mod relation;
mod shape;
mod unsigned;
pub mod walk;

pub use maker::answer;
pub use unsigned::path as unsigned_path;
