//! Walks, opens, scans and judges model files.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods))]

pub mod attest;
pub mod bom;
pub mod bounded;
mod bytecode_cache;
pub mod cache;
pub mod card;
mod checkpoint;
pub mod clock;
mod content_address;
pub mod convert;
pub mod diff;
mod disguised;
pub mod evidence;
pub mod examine;
mod expectation;
mod flood;
pub mod hash;
pub mod import;
pub mod io;
pub mod key_files;
pub mod ledger;
pub mod licence;
pub mod lineage;
pub mod lock;
pub mod output;
pub mod pins;
pub mod project;
pub mod report;
mod repository;
pub mod rules;
pub mod sanitize;
pub mod scan;
pub mod settings;
mod shards;
pub mod sign;
mod stored;
mod summary;
pub mod trust_store;
mod uncovered;
pub mod verify;
pub mod walk;
pub mod weights;
