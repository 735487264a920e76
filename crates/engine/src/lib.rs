//! Walks, opens, scans and judges model files.

pub mod report;
pub mod rules;
pub mod sanitize;
