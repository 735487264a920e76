//! Files among installed packages that no package has recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use waag_engine::walk::{EntryKind, walk};
use waag_evidence::finding::Persona;
use waag_evidence::{Location, Severity};

use super::Place;
use crate::dependencies::checks::TAMPERED;
use crate::dependencies::finding::{few, incomplete, risk};
use crate::dependencies::reading::Reading;
use crate::dependencies::text::{python_lines, read_file};

/// Bytes of a path file.
const MAX_PATH_FILE: u64 = 1 << 20;
/// What virtualenv and uv put beside packages.
const OF_TOOLS: [&str; 4] = ["_virtualenv.py", "_virtualenv.pth", ".lock", ".gitignore"];
/// Modules that Python takes in when it starts, where they are there.
const OF_SITE: [&str; 2] = ["sitecustomize", "usercustomize"];
/// The one line of virtualenv's path file.
const VIRTUALENV: &str = "import _virtualenv";

/// Tells of files that nobody has recorded: alone where they run when Python starts, and otherwise by folder.
pub(super) fn find(place: &Place<'_>, listed: &BTreeSet<PathBuf>, reading: &mut Reading) {
    let entries = match walk(&[place.folder.to_owned()], false) {
        Ok(entries) => entries,
        Err(error) => {
            let message = format!("the folder could not be listed: {error}");
            let location = Location::file(place.shown(place.folder));
            return reading.findings.push(incomplete(location, &message, "see who may read it"));
        }
    };
    let mut folders: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for entry in entries {
        if matches!(entry.kind, EntryKind::ToolFolder) || is_known(place.folder, &entry.path, listed) {
            continue;
        }
        let below = entry.path.strip_prefix(place.folder).unwrap_or(&entry.path);
        let first = below.components().next().map(|first| first.as_os_str().to_string_lossy().into_owned());
        folders.entry(first.unwrap_or_default()).or_default().push(entry.path);
    }
    let count: usize = folders.values().map(Vec::len).sum();
    if let Some(verified) = &mut reading.verified {
        verified.unlisted += count as u64;
    }
    for (first, files) in &folders {
        tell(place, first, files, reading);
    }
}

/// Whether a file is recorded, or is compiled from one that is, or describes a package.
fn is_known(folder: &Path, path: &Path, listed: &BTreeSet<PathBuf>) -> bool {
    if listed.contains(path) {
        return true;
    }
    // The folder of a package's lists is the installer's: pip and uv add notes of their own.
    let is_list = |path: &Path| path.extension().is_some_and(|ending| ending == "dist-info" || ending == "egg-info");
    path.ancestors().skip(1).take_while(|above| *above != folder).any(|above| is_list(above) && listed.contains(above))
}

fn tell(place: &Place<'_>, first: &str, files: &[PathBuf], reading: &mut Reading) {
    let name = |path: &PathBuf| path.strip_prefix(place.folder).unwrap_or(path).to_string_lossy().into_owned();
    let names: Vec<String> = files.iter().map(name).collect();
    let location = Location::file(place.shown(&files[0]));
    let next = "find out what put it there; make the environment anew if nobody knows";
    if let [path] = files
        && Path::new(first).extension().is_some_and(|ending| ending == "pth")
        && let Some(code) = code_of(path)
        && !(first == "_virtualenv.pth" && code == VIRTUALENV)
    {
        let message = format!("'{first}' runs code whenever Python starts, and no package has recorded it");
        let draft = risk(&TAMPERED, Severity::High, &location, &message, next).subject(first).seen(&code);
        return reading.findings.push(draft.done());
    }
    if OF_SITE.contains(&first.split('.').next().unwrap_or(first)) {
        let message = format!("'{first}' runs whenever Python starts, and no package has recorded it");
        let draft = risk(&TAMPERED, Severity::High, &location, &message, next).subject(first).count(files.len());
        return reading.findings.push(draft.done());
    }
    if OF_TOOLS.contains(&first) {
        let message = format!(
            "'{first}' is recorded by no package; virtualenv and uv put a file of this name there, and it was not compared with theirs"
        );
        let draft = risk(&TAMPERED, Severity::Info, &location, &message, next).subject(first).persona(Persona::Auditor);
        return reading.findings.push(draft.done());
    }
    let what = waag_engine::output::text::counted(files.len() as u64, "file");
    let message =
        format!("{what} in '{first}' that no package has recorded: {}", few(names.iter().map(String::as_str)));
    let draft = risk(&TAMPERED, Severity::Medium, &location, &message, next).subject(first).count(files.len());
    reading.findings.push(draft.done());
}

/// The first line of a path file that is run: those that begin with `import`.
fn code_of(path: &Path) -> Option<String> {
    let Ok(bytes) = read_file(path, MAX_PATH_FILE) else { return Some("(it could not be read)".to_owned()) };
    let text = String::from_utf8_lossy(&bytes);
    // Newer Pythons take the mark of UTF-8 away before they look.
    let text = text.trim_start_matches('\u{feff}');
    let line = python_lines(text)
        .map(|(_, line)| line)
        .find(|line| line.starts_with("import ") || line.starts_with("import\t"));
    line.map(|line| line.trim().to_owned())
}
