//! What a signature does not cover, and whether any of it could be loaded or run: what nobody signed, anybody can have put
//! there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::Serialize;
use waag_formats::FORMATS;
use waag_formats::child::Role;
use waag_formats::format::{Probe, extension};

use crate::hash::{Uncovered, UncoveredReason};
use crate::io::FileSource;

/// Files and folders below one path that are looked at.
const MAX_ENTRIES: usize = 20_000;
/// Formats that nothing loads as a model or runs.
const INERT_FORMATS: [&str; 2] = ["text", "media"];
/// Endings of programs and of weights, beside those of the formats that are read.
const MORE_ENDINGS: [&str; 20] = [
    "py", "pyc", "pyd", "sh", "bash", "zsh", "bat", "cmd", "ps1", "js", "jar", "class", "so", "dll", "dylib", "exe",
    "bin", "pkl", "pickle", "rb",
];

/// Something that a signature does not cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Its path below the model. It may come from a stranger.
    pub path: String,
    /// Why it is not covered, in a word that does not change.
    pub reason: &'static str,
    /// The same for people.
    #[serde(skip)]
    pub words: String,
    /// The first file at or below it that could be loaded or run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loadable: Option<String>,
    /// Whether not everything below it was looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub partly_read: bool,
}

/// Looks at what is not covered.
pub(crate) fn look(model: &Path, uncovered: &[Uncovered]) -> Vec<Open> {
    uncovered.iter().map(|uncovered| open(model, uncovered)).collect()
}

/// Looks at a file that is there and was not signed; of a shard, at its file.
pub(crate) fn look_at(model: &Path, name: &str) -> Open {
    let mut search = Search { left: MAX_ENTRIES, found: None, partly: false };
    let path = if name == "." { model.to_owned() } else { model.join(name) };
    search.at(&path, name);
    // A shard's name is no file's: what cannot be looked at counts as not looked at.
    Open {
        path: name.to_owned(),
        reason: "unsigned",
        words: "nobody signed it".to_owned(),
        loadable: search.found,
        partly_read: search.partly,
    }
}

fn open(model: &Path, uncovered: &Uncovered) -> Open {
    let Uncovered { path, reason } = uncovered;
    let mut search = Search { left: MAX_ENTRIES, found: None, partly: false };
    // The signature was read as one, and where there are no bytes there is nothing to load.
    if matches!(reason, UncoveredReason::Ignored | UncoveredReason::IgnoredByDefault) {
        search.at(&model.join(path), path);
    }
    Open {
        path: path.clone(),
        reason: reason.code(),
        words: reason.to_string(),
        loadable: search.found,
        partly_read: search.partly,
    }
}

struct Search {
    left: usize,
    found: Option<String>,
    partly: bool,
}

impl Search {
    /// Looks at a path and what is below it, in order of name, until something is found. Links are not followed: what
    /// is behind one counts as loadable, since it may be anything.
    fn at(&mut self, path: &Path, name: &str) {
        if self.found.is_some() || self.partly {
            return;
        }
        let Some(left) = self.left.checked_sub(1) else {
            self.partly = true;
            return;
        };
        self.left = left;
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.folder(path, name),
            Ok(metadata) if metadata.is_file() => {
                if metadata.permissions().mode() & 0o111 != 0 || is_loadable(path, name) {
                    self.found = Some(name.to_owned());
                }
            }
            Ok(_) => self.found = Some(name.to_owned()),
            Err(_) => self.partly = true,
        }
    }

    fn folder(&mut self, path: &Path, name: &str) {
        let Ok(entries) = fs::read_dir(path) else {
            self.partly = true;
            return;
        };
        let mut names: Vec<_> =
            entries.flatten().take(self.left.saturating_add(1)).map(|entry| entry.file_name()).collect();
        names.sort_unstable();
        for below in names {
            self.at(&path.join(&below), &format!("{name}/{}", below.to_string_lossy()));
        }
    }
}

fn is_loadable(path: &Path, name: &str) -> bool {
    let ending = extension(name);
    let formats = FORMATS.iter().map(|format| format.meta()).filter(|meta| !INERT_FORMATS.contains(&meta.id));
    let by_name = !ending.is_empty()
        && (MORE_ENDINGS.contains(&ending.as_str())
            || formats.clone().any(|meta| meta.extensions.contains(&ending.as_str())));
    by_name || is_program(path, name)
}

/// Whether the bytes are a program's.
fn is_program(path: &Path, name: &str) -> bool {
    // What cannot be read cannot be told to be harmless.
    let Ok(source) = FileSource::open(path) else { return true };
    let probe = Probe::new(&source, name, Role::Unknown);
    let executable = FORMATS.iter().find(|format| format.meta().id == "executable");
    probe.starts_with(b"#!") || executable.is_some_and(|format| format.recognise(&probe).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loadable(files: &[(&str, &[u8])]) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let uncovered = Uncovered { path: ".git".into(), reason: UncoveredReason::IgnoredByDefault };
        look(root.path(), &[uncovered]).remove(0).loadable
    }

    #[test]
    fn what_could_be_loaded_or_run_is_found() {
        assert_eq!(loadable(&[(".git/HEAD", b"ref: main"), (".git/description", b"words")]), None);
        for (name, bytes) in [
            (".git/a/model.pkl", &b""[..]),
            (".git/a/hook.sh", b""),
            (".git/a/plain", b"#!/bin/sh\n"),
            (".git/a/plain", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0"),
            (".git/config.json", b"{}"),
        ] {
            assert_eq!(loadable(&[(".git/HEAD", b"ref"), (name, bytes)]).as_deref(), Some(name), "{name} {bytes:?}");
        }
    }
}
