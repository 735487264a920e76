//! The digests of files and models beside those that are refused.

use std::path::PathBuf;

use waag_evidence::gathered::{Denial, Denials};
use waag_evidence::manifest::names_root;
use waag_evidence::{Sha256Digest, TrustPolicy};

use crate::hash::DEFAULT_IGNORED;
use crate::report::ArtifactReport;

/// Compares every file, the folders that were asked for as models, and the roots that signatures name.
pub(super) fn gather(
    trust: &TrustPolicy,
    paths: &[PathBuf],
    artifacts: &[ArtifactReport],
    roots: &[(String, Sha256Digest)],
) -> Denials {
    let listed = trust.denied.len() as u64;
    if listed == 0 {
        return Denials::default();
    }
    let digests = artifacts.iter().filter_map(|artifact| Some((artifact.location.path(), artifact.sha256?)));
    let models = paths.iter().flat_map(|path| roots_of(path, artifacts));
    let mut found: Vec<Denial> = digests
        .chain(models)
        .chain(roots.iter().cloned())
        .flat_map(|(place, digest)| {
            let denied = trust.denied.iter().filter(move |denied| denied.digest == digest);
            denied.map(move |denied| Denial { place: place.clone(), digest, reason: denied.reason.clone() })
        })
        .collect();
    found.sort_by(|one, other| (&one.place, one.digest).cmp(&(&other.place, other.digest)));
    found.dedup();
    let files = artifacts.iter().filter(|artifact| artifact.location.members.is_empty());
    let undigested = files.filter(|file| file.sha256.is_none() && file.title != "folder of a tool").count() as u64;
    Denials { listed, found, undigested }
}

/// The two digests of a folder as a model: over contents, and over names and contents.
fn roots_of(path: &PathBuf, artifacts: &[ArtifactReport]) -> Vec<(String, Sha256Digest)> {
    use sha2::{Digest as _, Sha256};
    let mut files: Vec<(&str, Sha256Digest)> = Vec::new();
    for artifact in artifacts.iter().filter(|artifact| artifact.location.members.is_empty()) {
        let Ok(below) = std::path::Path::new(&artifact.location.file).strip_prefix(path) else { continue };
        let Some(name) = below.to_str().filter(|name| !name.is_empty()) else { continue };
        let top = name.split('/').next().unwrap_or(name);
        match artifact.sha256 {
            _ if DEFAULT_IGNORED.contains(&top) => {}
            Some(digest) => files.push((name, digest)),
            None => return Vec::new(),
        }
    }
    if files.is_empty() {
        return Vec::new();
    }
    files.sort_unstable();
    let mut contents = Sha256::new();
    files.iter().for_each(|(_, digest)| contents.update(digest.bytes()));
    let names = names_root(files.into_iter());
    let place = path.display().to_string();
    vec![(place.clone(), Sha256Digest::new(contents.finalize().into())), (place, names)]
}
