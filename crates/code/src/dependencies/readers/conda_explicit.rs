//! A list of archives for one platform, as `conda list --explicit` and `conda-lock render --kind explicit` write it: below a line
//! `@EXPLICIT` one address a line, with a digest behind `#`. What pip is to install stands in comments, `# pip name @ address`,
//! which conda-lock and micromamba read.
//! <https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html>

use std::collections::BTreeSet;

use waag_evidence::{Dependency, DependencySource, Ecosystem};

use super::conda_lock::of_pip;
use super::{Page, requirement, source};
use crate::dependencies::reading::IndexRole;

/// The line from which on addresses are read.
const MARK: &str = "@EXPLICIT";
/// Endings of conda's archives.
const ENDINGS: [&str; 2] = [".conda", ".tar.bz2"];

/// Whether a text is such a list, whatever its file is called.
pub(super) fn is_explicit(text: &str) -> bool {
    text.lines().any(|line| line.trim() == MARK)
}

pub(super) fn read(page: &mut Page<'_>) {
    if !is_explicit(&page.text.text) {
        return page.incomplete(1, "it has no line '@EXPLICIT', and is no list of archives");
    }
    let text = page.text;
    let mut channels = BTreeSet::new();
    for (line, written) in (1u64..).zip(text.text.lines()) {
        let written = written.trim();
        if let Some(pip) = written.strip_prefix("# pip ") {
            of_comment(page, pip, line);
        } else if !written.is_empty() && !written.starts_with('#') && written != MARK {
            archive(page, written, line, &mut channels);
        }
    }
}

fn archive(page: &mut Page<'_>, written: &str, line: u64, channels: &mut BTreeSet<String>) {
    let (url, fragment) = written.split_once('#').unwrap_or((written, ""));
    let file = url.rsplit('/').next().unwrap_or_default();
    let Some((name, version)) = ENDINGS.iter().find_map(|ending| file.strip_suffix(ending)).and_then(parts) else {
        let shown = source::masked(written);
        return page.incomplete(line, &format!("'{shown}' is no archive of conda's"));
    };
    let channel = source::channel_of(url);
    if let Some(channel) = channel.as_ref().filter(|channel| channels.insert((*channel).clone())) {
        page.index(channel, IndexRole::Channel, None, line);
    }
    page.add(Dependency {
        version: Some(version.to_owned()),
        source: DependencySource::Index { url: channel },
        digests: digest(fragment).into_iter().collect(),
        ..requirement::named(Ecosystem::Conda, name, page.at(line))
    });
}

/// `name-version-build`; only a name has hyphens.
fn parts(stem: &str) -> Option<(&str, &str)> {
    let mut parts = stem.rsplitn(3, '-').skip(1);
    let version = parts.next().filter(|version| !version.is_empty())?;
    let name = parts.next().filter(|name| !name.is_empty())?;
    Some((name, version))
}

/// MD5, or SHA-256, which some tools name.
fn digest(fragment: &str) -> Option<String> {
    let (named, hex) = fragment.split_once(':').unwrap_or(("", fragment));
    let kind = match hex.len() {
        32 => "md5",
        64 => "sha256",
        _ => return None,
    };
    (source::is_digest(kind, hex) && (named.is_empty() || named == kind))
        .then(|| format!("{kind}:{}", hex.to_ascii_lowercase()))
}

fn of_comment(page: &mut Page<'_>, written: &str, line: u64) {
    let before = page.dependencies.len();
    page.pip_line(written, line, None);
    for dependency in page.dependencies.iter_mut().skip(before) {
        if let DependencySource::Archive { url } = &dependency.source {
            dependency.source = of_pip(url);
        }
    }
}
