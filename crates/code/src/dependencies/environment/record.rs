//! Recorded files, compared with what is there.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use rayon::prelude::*;
use sha2::{Digest, Sha256, Sha384, Sha512};
use waag_evidence::{Finding, Location, Severity};

use super::Place;
use crate::dependencies::checks::TAMPERED;
use crate::dependencies::finding::{few, incomplete, risk};
use crate::dependencies::reading::{Reading, Verified};
use crate::dependencies::text::read_file;

/// Bytes of one record: the largest packages list tens of thousands of files.
const MAX_RECORD: u64 = 64 << 20;
/// Files of one record.
const MAX_ROWS: usize = 500_000;
/// Bytes hashed at once.
const BLOCK: usize = 128 << 10;
/// Endings of what runs when a package is used.
const CODE: [&str; 7] = [".py", ".pyc", ".so", ".pyd", ".pth", ".dll", ".dylib"];

/// A recorded file.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    /// The path below the folder of packages, as it is recorded.
    name: String,
    /// How it is digested, and the digest; none of it where nothing is recorded or it cannot be read.
    digest: Option<(String, Vec<u8>)>,
}

/// What became of a recorded file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Matching,
    Changed,
    Missing,
    /// It has no digest, as compiled modules and the record itself have none.
    Unchecked,
    /// It has no digest that can be compared, and should have one.
    Undigested,
    /// It is recorded outside of the environment.
    Outside,
    Unreadable,
}

/// Compares every package's files with its record. `listed` gets what is recorded.
pub(super) fn verify(place: &Place<'_>, lists: &[PathBuf], reading: &mut Reading, listed: &mut BTreeSet<PathBuf>) {
    // Packages side by side, and the files of each too: a few large ones hold most files.
    let results: Vec<Package> = lists.par_iter().map(|list| package(place, list)).collect();
    let sum = reading.verified.get_or_insert_with(Verified::default);
    for result in results {
        listed.extend(result.paths);
        sum.matching += result.verified.matching;
        sum.changed += result.verified.changed;
        sum.missing += result.verified.missing;
        sum.unchecked += result.verified.unchecked;
        sum.unrecorded += result.verified.unrecorded;
        reading.findings.extend(result.findings);
    }
}

#[derive(Default)]
struct Package {
    paths: Vec<PathBuf>,
    verified: Verified,
    findings: Vec<Finding>,
}

fn package(place: &Place<'_>, list: &Path) -> Package {
    let path = list.join("RECORD");
    let shown = place.shown(&path);
    let name = list.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = match read_file(&path, MAX_RECORD) {
        Ok(bytes) => bytes,
        Err(error) => return unrecorded(place, list, &name, &error),
    };
    let text = String::from_utf8_lossy(&bytes);
    let rows: Vec<Row> = rows(&text).collect();
    let mut result = Package::default();
    if rows.len() > MAX_ROWS {
        let message = "its record has more files than are verified";
        result.findings.push(incomplete(Location::file(shown.clone()), message, "look at it by hand"));
    }
    let states: Vec<(&Row, PathBuf, State)> = rows[..rows.len().min(MAX_ROWS)]
        .par_iter()
        .map(|row| {
            let path = joined(place.folder, &row.name);
            let state = state(place.prefix, &path, row);
            (row, path, state)
        })
        .collect();
    let undigested = states.iter().filter(|(_, _, state)| *state == State::Undigested).map(|(row, ..)| &row.name);
    result.undigested(&name, &shown, &undigested.collect::<Vec<_>>());
    for (row, path, state) in states {
        result.count(place, &name, row, &path, state);
        result.paths.push(path);
    }
    result
}

/// Old packages have none, and Debian's have theirs elsewhere: that is no alarm, and not verified.
fn unrecorded(place: &Place<'_>, list: &Path, name: &str, error: &io::Error) -> Package {
    let mut result = Package { verified: Verified { unrecorded: 1, ..Verified::default() }, ..Package::default() };
    let message =
        format!("the files of '{name}' were not verified: it has no record of them that can be read ({error})");
    let next = "install it again with pip or uv, which record files with their digests";
    result.findings.push(incomplete(Location::file(place.shown(list)), &message, next));
    result
}

impl Package {
    /// Whoever changes a file can take its digest out of the record.
    fn undigested(&mut self, package: &str, record: &str, names: &[&String]) {
        if names.is_empty() {
            return;
        }
        let files = waag_engine::output::text::counted(names.len() as u64, "file");
        let shown = few(names.iter().map(|name| name.as_str()));
        let message = format!("not verified, without a digest that can be compared: {files} of '{package}': {shown}");
        let next = "install the package again with pip or uv, which record SHA-256 for every file";
        self.findings.push(incomplete(Location::file(record), &message, next));
    }

    fn count(&mut self, place: &Place<'_>, package: &str, row: &Row, path: &Path, state: State) {
        let location = || Location::file(place.shown(path));
        let again = "install the package again from a source that you trust, and find out who changed it";
        match state {
            State::Matching => self.verified.matching += 1,
            State::Unchecked | State::Undigested => self.verified.unchecked += 1,
            State::Changed => {
                self.verified.changed += 1;
                let is_code = CODE.iter().any(|ending| row.name.ends_with(ending)) || row.name.contains("/bin/");
                let severity = if is_code { Severity::High } else { Severity::Medium };
                let message = format!("'{}' of '{package}' is not what was installed: its digest differs", row.name);
                self.findings.push(risk(&TAMPERED, severity, &location(), &message, again).subject(package).done());
            }
            State::Missing => {
                self.verified.missing += 1;
                let message = format!("'{}' of '{package}' was installed and is not there", row.name);
                self.findings
                    .push(risk(&TAMPERED, Severity::Low, &location(), &message, again).subject(package).done());
            }
            State::Outside => {
                self.verified.unchecked += 1;
                let message =
                    format!("'{}' of '{package}' is recorded outside of the environment, and was not read", row.name);
                let next = "look at the record: what belongs to a package lies inside its environment";
                self.findings.push(incomplete(location(), &message, next));
            }
            State::Unreadable => {
                self.verified.unchecked += 1;
                let message = format!("'{}' of '{package}' could not be read, and was not verified", row.name);
                self.findings.push(incomplete(location(), &message, "see who may read it"));
            }
        }
    }
}

fn state(prefix: &Path, path: &Path, row: &Row) -> State {
    if !path.starts_with(prefix) {
        return State::Outside;
    }
    let Some((algorithm, expected)) = &row.digest else {
        return if has_none(&row.name) { State::Unchecked } else { State::Undigested };
    };
    let found = match algorithm.as_str() {
        "sha256" => digest::<Sha256>(path),
        "sha384" => digest::<Sha384>(path),
        "sha512" => digest::<Sha512>(path),
        _ => return State::Undigested,
    };
    match found {
        Ok(found) if found == *expected => State::Matching,
        Ok(_) => State::Changed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => State::Missing,
        Err(_) => State::Unreadable,
    }
}

/// Compiled modules, and the record itself with its signatures.
fn has_none(name: &str) -> bool {
    let is_record = [".dist-info/RECORD", ".dist-info/RECORD.jws", ".dist-info/RECORD.p7s"];
    name.ends_with(".pyc") || is_record.iter().any(|ending| name.ends_with(ending))
}

fn digest<D: Digest>(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for someone to write into it.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut file = File::open(path)?;
    let mut digest = D::new();
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(digest.finalize().to_vec()),
            count => digest.update(&block[..count]),
        }
    }
}

/// A recorded path below a folder, without `..`: links are not asked, so that what is recorded is what is read.
fn joined(folder: &Path, name: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for component in folder.join(name).components() {
        match component {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

/// The rows of a record: path, digest and size, where the path may stand in quotes.
fn rows(text: &str) -> impl Iterator<Item = Row> + '_ {
    text.lines().filter_map(|line| {
        let mut parts = line.rsplitn(3, ',');
        let (_, digest, path) = (parts.next()?, parts.next()?, parts.next()?);
        let name = match path.strip_prefix('"').and_then(|path| path.strip_suffix('"')) {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => path.to_owned(),
        };
        let digest = digest.split_once('=').and_then(|(algorithm, text)| {
            let bytes = Base64UrlUnpadded::decode_vec(text.trim_end_matches('=')).ok()?;
            Some((algorithm.to_owned(), bytes))
        });
        Some(Row { name, digest })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_csv() {
        let text = "a/b.py,sha256=YWJj,3\n\"a,\"\"b.py\",,\nodd\na.pyc,,\n";
        let rows: Vec<Row> = rows(text).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].digest, Some(("sha256".to_owned(), b"abc".to_vec())));
        assert_eq!(rows[1].name, "a,\"b.py");
    }

    #[test]
    fn a_digest_is_missing_where_there_should_be_one() {
        let states = |text: &str| {
            let rows: Vec<Row> = rows(text).collect();
            rows.iter().map(|row| state(Path::new("/v"), &Path::new("/v").join(&row.name), row)).collect::<Vec<_>>()
        };
        let expected = states("p.pyc,,\na-1.dist-info/RECORD,,\na-1.dist-info/RECORD.jws,,\n");
        assert!(expected.iter().all(|state| *state == State::Unchecked), "{expected:?}");
        let missing = states("a.py,,\nb.py,md5=YWJj,3\nc.py,sha256=!!!,3\nRECORD,,\n");
        assert!(missing.iter().all(|state| *state == State::Undigested), "{missing:?}");
    }

    #[test]
    fn paths_are_joined_without_asking_links() {
        assert_eq!(joined(Path::new("/v/lib/sp"), "../../bin/x"), Path::new("/v/bin/x"));
        assert_eq!(joined(Path::new("/v"), "../../../etc/passwd"), Path::new("/etc/passwd"));
        assert_eq!(joined(Path::new("/v"), "/etc/passwd"), Path::new("/etc/passwd"));
    }
}
