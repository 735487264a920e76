//! What is installed: each package of a `site-packages` folder with its version, where it came from, and whether its files
//! are still the ones that were recorded when it was installed.
//!
//! A `RECORD` is not signed: who can change a file can change its record too. What is verified here is that nothing was
//! changed beside it. <https://packaging.python.org/en/latest/specifications/recording-installed-packages/>

mod package;
mod record;
mod unlisted;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use waag_evidence::Location;

use super::finding::{incomplete, settle};
use super::reading::{Reading, Verified};

/// Packages of one environment.
const MAX_PACKAGES: usize = 20_000;

/// Files of a project. One that is installed where it lies, or was unpacked from its archive, has a list of what it provides
/// (`NAME.egg-info`) and is no environment.
const OF_PROJECTS: [&str; 3] = ["pyproject.toml", "setup.py", "setup.cfg"];
/// Folders that only ever hold what is installed.
pub(super) const OF_INSTALLERS: [&str; 2] = ["site-packages", "dist-packages"];

/// Whether a folder is an environment: it has a `pyvenv.cfg`, or packages that are installed and no project's files.
#[must_use]
pub fn is_environment(path: &Path) -> bool {
    let is_named_so = path.file_name().is_some_and(|name| OF_INSTALLERS.iter().any(|known| name == *known));
    let is_project = || OF_PROJECTS.iter().any(|file| path.join(file).is_file());
    path.join("pyvenv.cfg").is_file() || !lists_in(path).is_empty() && (is_named_so || !is_project())
}

/// Reads what is installed in an environment or a folder of packages, and verifies every file that was recorded. Files are
/// hashed side by side; a large environment takes about as long as reading it does.
///
/// # Errors
/// When the folder cannot be listed, or nothing is installed in it.
pub fn read_environment(path: &Path) -> io::Result<Reading> {
    let prefix = std::fs::canonicalize(path)?;
    let folders = folders_of(&prefix);
    let mut reading = Reading { verified: Some(Verified::default()), ..Reading::default() };
    if folders.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no folder of installed packages is in it"));
    }
    for folder in &folders {
        // A folder of packages that was named itself is all that may be read; of an environment, all of it.
        let place = Place { prefix: &prefix, folder, named: path };
        in_folder(&place, &mut reading);
    }
    reading.files.sort_by(|one, other| one.path.cmp(&other.path));
    reading
        .dependencies
        .sort_by(|one, other| (&one.name, &one.location.file).cmp(&(&other.name, &other.location.file)));
    settle(&mut reading.findings);
    Ok(reading)
}

/// Where packages are, and how that is told.
struct Place<'a> {
    /// The environment: nothing is read outside of it.
    prefix: &'a Path,
    /// The folder of packages.
    folder: &'a Path,
    /// The environment, as it was named.
    named: &'a Path,
}

impl Place<'_> {
    /// A file below the folder as people are told of it.
    fn shown(&self, path: &Path) -> String {
        let below = path.strip_prefix(self.prefix).unwrap_or(path);
        super::project::named_to_people(self.named, below)
    }
}

fn in_folder(place: &Place<'_>, reading: &mut Reading) {
    let lists = lists_in(place.folder);
    if lists.len() > MAX_PACKAGES {
        let location = Location::file(place.shown(place.folder));
        let next = "name a smaller environment";
        reading.findings.push(incomplete(location, "more packages are installed than are read", next));
    }
    let mut listed: BTreeSet<PathBuf> = BTreeSet::new();
    for list in lists.iter().take(MAX_PACKAGES) {
        package::read(place, list, reading, &mut listed);
    }
    record::verify(place, &lists, reading, &mut listed);
    unlisted::find(place, &listed, reading);
}

/// Folders of packages in an environment: its own, or `lib/python3.11/site-packages`, or `Lib/site-packages`.
fn folders_of(prefix: &Path) -> Vec<PathBuf> {
    if !lists_in(prefix).is_empty() {
        return vec![prefix.to_owned()];
    }
    let mut folders = BTreeSet::new();
    for lib in ["lib", "lib64", "Lib"] {
        let lib = prefix.join(lib);
        folders.extend(std::fs::canonicalize(lib.join("site-packages")));
        for entry in std::fs::read_dir(&lib).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("python") {
                for kind in ["site-packages", "dist-packages"] {
                    folders.extend(std::fs::canonicalize(entry.path().join(kind)));
                }
            }
        }
    }
    // `lib64` is often a link to `lib`: each folder once, and none outside of the environment.
    folders.into_iter().filter(|folder| folder.starts_with(prefix) && folder.is_dir()).collect()
}

/// Folders that describe a package, sorted.
fn lists_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_list = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "dist-info" || ending == "egg-info");
    let mut lists: Vec<PathBuf> = entries.filter(is_list).collect();
    lists.sort_unstable();
    lists
}
