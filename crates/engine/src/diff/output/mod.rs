//! How a comparison is told: to people on one screen, to programs, and as a page.
pub mod json;
