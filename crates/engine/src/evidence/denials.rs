//! The digests of files and models beside those that are refused.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use waag_evidence::Sha256Digest;
use waag_evidence::gathered::{Denial, Denials};
use waag_evidence::manifest::names_root;

use super::{Gathering, real};
use crate::hash::DEFAULT_IGNORED;
use crate::lineage::question::digests_of;
use crate::lock::Asked;
use crate::report::ArtifactReport;
use crate::scan::Silent;

/// What a folder that no scan reads is called.
const TOOL_FOLDER: &str = "folder of a tool";

/// Compares every file, the folders that were asked for as models or that the project names as such, and the roots that
/// signatures name.
pub(super) fn gather(
    gathering: &Gathering<'_>,
    asked: &[Asked<'_>],
    artifacts: &[ArtifactReport],
    roots: &[(String, Sha256Digest)],
) -> Denials {
    let trust = &gathering.options.settings.trust;
    let listed = trust.denied.len() as u64;
    if listed == 0 {
        return Denials::default();
    }
    let digests = artifacts.iter().filter_map(|artifact| Some((artifact.location.path(), artifact.sha256?)));
    let models = models(gathering, asked);
    let (made, not_made): (Vec<_>, Vec<_>) =
        models.iter().map(|path| roots_of(path, artifacts)).partition(Option::is_some);
    let mut found: Vec<Denial> = digests
        .chain(made.into_iter().flatten().flatten())
        .chain(roots.iter().cloned())
        .flat_map(|(place, digest)| {
            let denied = trust.denied.iter().filter(move |denied| denied.digest == digest);
            denied.map(move |denied| Denial { place: place.clone(), digest, reason: denied.reason.clone() })
        })
        .collect();
    found.sort_by(|one, other| (&one.place, one.digest).cmp(&(&other.place, other.digest)));
    found.dedup();
    let files = artifacts.iter().filter(|artifact| artifact.location.members.is_empty());
    let undigested = files.filter(|file| file.sha256.is_none() && file.title != TOOL_FOLDER).count() + not_made.len();
    Denials { listed, found, undigested: undigested as u64 }
}

/// What counts as one model: paths that were asked for, and parts of the project below them. A project that is named as a
/// whole is no model, unless it says so.
fn models(gathering: &Gathering<'_>, asked: &[Asked<'_>]) -> BTreeSet<PathBuf> {
    let parts = asked.iter().filter(|part| part.whole).map(|part| PathBuf::from(&part.shown));
    let project = real(&gathering.options.settings.folder);
    let is_project = |path: &&PathBuf| real(path) == project && real(path).join("waag.toml").is_file();
    let paths = gathering.paths.iter().filter(|path| !is_project(path)).cloned();
    parts.chain(paths).filter(|path| path.is_dir()).collect()
}

/// The two digests of a folder as a model: over contents, and over names and contents. None where they are not known.
fn roots_of(path: &Path, artifacts: &[ArtifactReport]) -> Option<Vec<(String, Sha256Digest)>> {
    let place = path.display().to_string();
    let made =
        |(contents, names): (Sha256Digest, Sha256Digest)| vec![(place.clone(), contents), (place.clone(), names)];
    match scanned_roots(path, artifacts) {
        Scanned::Known(roots) => Some(made(roots)),
        Scanned::Empty => Some(Vec::new()),
        // No scan reads what is in folders of tools, and it is part of the model.
        Scanned::Unknown => whole_roots(path).map(made),
    }
}

/// What a scan knows of a folder.
enum Scanned {
    Known((Sha256Digest, Sha256Digest)),
    Empty,
    Unknown,
}

fn scanned_roots(path: &Path, artifacts: &[ArtifactReport]) -> Scanned {
    use sha2::{Digest as _, Sha256};
    let mut files: Vec<(&str, Sha256Digest)> = Vec::new();
    for artifact in artifacts.iter().filter(|artifact| artifact.location.members.is_empty()) {
        let Ok(below) = Path::new(&artifact.location.file).strip_prefix(path) else { continue };
        let Some(name) = below.to_str().filter(|name| !name.is_empty()) else { continue };
        let top = name.split('/').next().unwrap_or(name);
        match artifact.sha256 {
            _ if DEFAULT_IGNORED.contains(&top) => {}
            Some(digest) => files.push((name, digest)),
            None => return Scanned::Unknown,
        }
    }
    if files.is_empty() {
        return Scanned::Empty;
    }
    files.sort_unstable();
    let mut contents = Sha256::new();
    files.iter().for_each(|(_, digest)| contents.update(digest.bytes()));
    let names = names_root(files.into_iter());
    Scanned::Known((Sha256Digest::new(contents.finalize().into()), names))
}

/// The same of a folder that is read again.
fn whole_roots(path: &Path) -> Option<(Sha256Digest, Sha256Digest)> {
    let whole = digests_of(path, &Silent).ok()?.whole;
    let mut digests = whole.iter().filter_map(|digest| digest.text.split_once(':')?.1.parse().ok());
    Some((digests.next()?, digests.next()?))
}
