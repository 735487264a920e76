//! Edits of known kinds, found again.

mod edges;
mod memory;
mod models;
mod properties;
mod table;
mod told;
