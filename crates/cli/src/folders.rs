//! Where programs keep what is a user's.

use std::path::PathBuf;

/// The folder for data that waag keeps for the user: trusted roots. None where the user has no home.
pub(crate) fn data() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")))?;
    Some(data.join("waag"))
}

/// The folder for what waag can make again: results of earlier scans, and records of ledgers.
pub(crate) fn cache() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join("waag"))
}
