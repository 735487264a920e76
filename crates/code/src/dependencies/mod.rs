//! What a project says that it needs, what its lock files resolved, and what is installed: read, never run, and judged.
//!
//! [`read_project`] walks a folder and reads every file that names packages; [`read_environment`] reads what is installed and
//! compares each file with the digest that was recorded for it. Both give a [`Reading`]: plain values that other rooms judge
//! in their own way, and what was found on the way. [`examine`] does either and asks every check of [`CHECKS`].

mod checks;
mod direct_url;
mod environment;
mod finding;
pub mod output;
mod project;
mod readers;
mod reading;
mod requirement;
mod source;
mod text;
mod tree;
mod version;

use std::io;
use std::path::Path;

use waag_engine::rules::Meta;
use waag_evidence::{Finding, Location};

pub use checks::{CHECKS, Check};
pub use environment::{is_environment, read_environment};
pub use project::read_project;
pub use reading::{FileKind, FileRead, Index, IndexRole, Notice, PythonClaim, Reading, Says, Verified};

/// Every rule of this room, in the order in which they are listed to people.
#[must_use]
pub fn rules() -> Vec<&'static Meta> {
    CHECKS.iter().map(|check| check.meta()).collect()
}

/// Reads a project, or an environment where the folder is one, and judges it: what was read, and the findings of reading and
/// of every check, sorted by place.
///
/// # Errors
/// When the path is not there or cannot be listed.
pub fn examine(path: &Path) -> io::Result<Reading> {
    let mut reading = if is_environment(path) { read_both(path)? } else { read_project(path)? };
    let found = checks::judge(&reading);
    reading.findings.extend(found);
    finding::settle(&mut reading.findings);
    Ok(reading)
}

/// Reads and judges one file that is in memory, as it would be read under this name; none where no file of that name is known to
/// name packages. What it takes in is not followed, which is said.
#[must_use]
pub fn examine_bytes(name: &str, bytes: &[u8]) -> Option<Reading> {
    let kind = readers::kind_of(name)?;
    let text = text::Text::new(name.to_owned(), bytes);
    let page = readers::read(&text, kind);
    let mut findings = page.findings;
    if let Some(include) = page.includes.first() {
        let location = Location { line: Some(include.line), ..Location::file(name) };
        findings.push(finding::incomplete(
            location,
            "what it takes in was not read",
            "name the folder that it lies in",
        ));
    }
    let mut reading = Reading {
        files: vec![page.file],
        dependencies: page.dependencies,
        indexes: page.indexes,
        python: page.python,
        notices: page.notices,
        findings,
        texts: [(name.to_owned(), text.clone())].into(),
        ..Reading::default()
    };
    reading.findings.extend(checks::judge(&reading));
    finding::settle(&mut reading.findings);
    Some(reading)
}

/// Reads an environment, and the project that may lie in the same folder: an environment hides nothing.
fn read_both(path: &Path) -> io::Result<Reading> {
    let project = if project::may_lie_in(path) { Some(read_project(path)?) } else { None };
    let project = project.filter(|project| !project.files.is_empty() || !project.findings.is_empty());
    match (read_environment(path), project) {
        (Ok(installed), Some(project)) => Ok(project.with_installed(installed)),
        (Err(_), Some(project)) => Ok(project),
        (installed, None) => installed,
    }
}

/// That no file of a project names packages: where nothing was looked at, nothing is clean.
#[must_use]
pub fn nothing_read(path: &Path) -> Finding {
    let place = Location::file(path.display().to_string());
    let next = "name the project's folder, or write down what it needs in pyproject.toml or requirements.txt";
    finding::incomplete(place, "no file here names packages, so nothing was judged", next)
}

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod hidden_tests;
#[cfg(test)]
mod tests;
