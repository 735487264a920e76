//! Walks, opens, scans and judges model files.

pub mod output;
pub mod report;
pub mod rules;
pub mod sanitize;
pub mod scan;
pub mod settings;
