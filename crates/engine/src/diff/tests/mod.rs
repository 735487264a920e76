//! Edits of known kinds, found again.

mod memory;
mod table;
