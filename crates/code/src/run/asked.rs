//! What is asked of whoever runs the command, watched or not, and how that can fail.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::capture::Signals;
use super::hashing::Hashing;
use super::place::Places;

/// What is to be run, and how.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) command: Command,
    pub(super) watched: bool,
    pub(super) no_network: bool,
    /// Places that may be written to; None for all.
    pub(super) writable: Option<&'a [PathBuf]>,
    pub(super) log: Option<&'a Path>,
    pub(super) places: &'a Places,
    pub(super) hashing: &'a Hashing,
    pub(super) signals: &'a Signals,
}

/// Why it was not run, or not to its end.
#[derive(Debug)]
pub(super) enum Failed {
    Unwatchable(io::Error),
    Unconfined(String),
    Command(io::Error),
    Log(io::Error),
    Lost(io::Error),
}
