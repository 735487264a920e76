//! Renewing a trusted root by The Update Framework (TUF): the repository proves its age and its signers.

use std::path::Path;

use sigstore_trust_root::{TufBootstrap, TufConfig, fetch_trust_material};

use super::code::{Code, KeylessError};

/// A TUF repository that has a trusted root.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repository {
    /// The public instance's; its first keys are within waag.
    Production,
    /// The one of the public instance for trying things out.
    Staging,
    /// Another.
    Other {
        /// Its address.
        address: String,
        /// Its root metadata, `root.json`, that is believed from the start.
        root: Vec<u8>,
    },
}

/// What a repository gives: both as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    /// The trusted root.
    pub trusted_root: String,
    /// The signing configuration, version 0.2.
    pub signing_config: String,
}

/// Fetches trusted root and signing configuration. `memory` is a folder where the repository's metadata is kept, so
/// that an older state of it will not be taken for the newest later.
///
/// # Errors
///
/// [`Code::FetchFailed`]: no network, a signature or a date of the repository does not hold, or what it has is none.
pub fn fetch_material(repository: &Repository, memory: &Path) -> Result<Material, KeylessError> {
    let config = config(repository).with_cache_dir(memory.to_owned());
    let (root, signing) = wait(fetch_trust_material(config))?.map_err(failed)?;
    let trusted_root = serde_json::to_string_pretty(&root).map_err(failed)?;
    let signing_config = serde_json::to_string_pretty(&signing).map_err(failed)?;
    Ok(Material { trusted_root, signing_config })
}

fn config(repository: &Repository) -> TufConfig {
    match repository {
        Repository::Production => TufConfig::production(),
        Repository::Staging => TufConfig::staging(),
        Repository::Other { address, root } => TufConfig::custom(address, TufBootstrap::trusted(root)),
    }
}

fn failed(why: impl std::fmt::Display) -> KeylessError {
    KeylessError::new(Code::FetchFailed, format_args!("the trusted root cannot be fetched: {why}"))
}

/// Waits for something on the network, on this thread.
pub(super) fn wait<T>(work: impl Future<Output = T>) -> Result<T, KeylessError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(failed)?.block_on(work))
}
