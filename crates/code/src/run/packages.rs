//! Files of Python packages, folded into the packages that they belong to.
//!
//! A package says in its `RECORD` which files it has, with their digests. What was really read is compared with that; the
//! digest of the `RECORD` then stands for all of it. <https://packaging.python.org/en/latest/specifications/recording-installed-packages/>

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha2::{Digest as _, Sha256};
use waag_engine::bounded;
use waag_evidence::Sha256Digest;

use super::hashing::{Hashed, folder_digest};
use super::place::packages_of;

const MAX_RECORD: u64 = 64 << 20;
const MAX_METADATA: u64 = 4 << 20;
/// Files that differ that are named.
const MAX_DIFFERING: usize = 20;

/// A package of which something was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: Option<String>,
    /// Where its list of files is, and the digest of that list.
    pub(super) record: Option<(PathBuf, Sha256Digest)>,
    /// Files that were read.
    pub(super) read: u64,
    /// Of these, how many have the digest that is listed.
    pub(super) matching: u64,
    /// Files that do not.
    pub(super) differing: Vec<String>,
    /// The digest of everything that was read; of a package without a list.
    pub(super) files: Option<Sha256Digest>,
}

/// What is installed in a folder.
#[derive(Debug, Default)]
struct Installed {
    packages: Vec<Package>,
    files: BTreeMap<String, (usize, Option<Sha256Digest>)>,
}

/// Folds files into packages, sorted by name.
pub(super) fn fold<'a>(files: impl IntoIterator<Item = (&'a Path, &'a Hashed)>) -> Vec<Package> {
    let mut folders: BTreeMap<PathBuf, Vec<(String, &Hashed)>> = BTreeMap::new();
    for (path, hashed) in files {
        let Some(folder) = packages_of(path) else { continue };
        let Ok(relative) = path.strip_prefix(&folder) else { continue };
        let relative = relative.to_string_lossy().into_owned();
        folders.entry(folder).or_default().push((relative, hashed));
    }
    let mut packages: Vec<Package> = folders.iter().flat_map(|(folder, files)| in_folder(folder, files)).collect();
    packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    packages
}

fn in_folder(folder: &Path, files: &[(String, &Hashed)]) -> Vec<Package> {
    let mut installed = installed(folder);
    let mut others: BTreeMap<String, Vec<(&str, &Hashed)>> = BTreeMap::new();
    for (file, hashed) in files {
        match listed(&installed, file) {
            Some((package, expected)) => count(&mut installed.packages[package], file, hashed, expected),
            None => others.entry(first_name(file)).or_default().push((file, hashed)),
        }
    }
    let known = installed.packages.into_iter().filter(|package| package.read > 0);
    known.chain(others.into_iter().map(|(name, files)| unlisted(name, &files))).collect()
}

fn count(package: &mut Package, file: &str, hashed: &Hashed, expected: Option<Sha256Digest>) {
    package.read += 1;
    match (expected, hashed.digest) {
        (Some(expected), Some(digest)) if expected == digest => package.matching += 1,
        (Some(_), Some(_)) if package.differing.len() < MAX_DIFFERING => package.differing.push(file.to_owned()),
        _ => {}
    }
}

/// The package that a file belongs to, and the digest that it should have. A compiled module belongs where its source
/// does, and has no digest: it is made where it is used.
fn listed(installed: &Installed, file: &str) -> Option<(usize, Option<Sha256Digest>)> {
    if let Some(found) = installed.files.get(file) {
        return Some(*found);
    }
    let (package, _) = installed.files.get(&source_of(file)?)?;
    Some((*package, None))
}

/// `a/__pycache__/b.cpython-311.pyc` is made from `a/b.py`.
pub(super) fn source_of(compiled: &str) -> Option<String> {
    let (folder, name) = compiled.rsplit_once('/').unwrap_or(("", compiled));
    let folder = folder.strip_suffix("__pycache__")?;
    let module = name.strip_suffix(".pyc")?.split('.').next()?;
    Some(format!("{folder}{module}.py"))
}

fn first_name(file: &str) -> String {
    let first = file.split('/').next().unwrap_or_default();
    let first = if first == "__pycache__" { file.rsplit('/').next().unwrap_or_default() } else { first };
    first.split('.').next().unwrap_or_default().to_owned()
}

fn unlisted(name: String, files: &[(&str, &Hashed)]) -> Package {
    let digests = files.iter().filter_map(|(file, hashed)| Some((*file, hashed.digest.as_ref()?)));
    Package { name, read: files.len() as u64, files: Some(folder_digest(digests)), ..Package::default() }
}

fn installed(folder: &Path) -> Installed {
    let mut installed = Installed::default();
    let Ok(entries) = std::fs::read_dir(folder) else { return installed };
    let mut lists: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "dist-info"))
        .collect();
    lists.sort_unstable();
    for list in lists {
        let _ = add(&mut installed, &list);
    }
    installed
}

fn add(installed: &mut Installed, list: &Path) -> Option<()> {
    let place = list.join("RECORD");
    let record = bounded::read(&place, MAX_RECORD).ok()?;
    let metadata = bounded::read(&list.join("METADATA"), MAX_METADATA).unwrap_or_default();
    let metadata = String::from_utf8_lossy(&metadata);
    let field =
        |name: &str| metadata.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned());
    let index = installed.packages.len();
    installed.packages.push(Package {
        name: field("Name: ").unwrap_or_else(|| first_name(&list.file_name().unwrap_or_default().to_string_lossy())),
        version: field("Version: "),
        record: Some((place, Sha256Digest::new(Sha256::digest(&record).into()))),
        ..Package::default()
    });
    for line in String::from_utf8_lossy(&record).lines() {
        if let Some((file, digest)) = row(line) {
            installed.files.entry(file).or_insert((index, digest));
        }
    }
    Some(())
}

/// A row: the path, the digest and the size, where the path may stand in quotes.
fn row(line: &str) -> Option<(String, Option<Sha256Digest>)> {
    let mut parts = line.rsplitn(3, ',');
    let (_, digest, path) = (parts.next()?, parts.next()?, parts.next()?);
    let path = match path.strip_prefix('"').and_then(|path| path.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => path.to_owned(),
    };
    let mut bytes = [0; 32];
    let decoded = digest.strip_prefix("sha256=").and_then(|text| Base64UrlUnpadded::decode(text, &mut bytes).ok());
    let whole = decoded.is_some_and(|decoded| decoded.len() == 32);
    Some((path, whole.then(|| Sha256Digest::new(bytes))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::hashing::hash_file;

    #[test]
    fn files_are_folded_into_their_packages() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("lib/python3.11/site-packages");
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        // sha256 of "abc"
        let digest = "sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
        write("p-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: P\nVersion: 1.0\n\nName: no\n");
        let record = format!("p/a.py,{digest},3\n\"p/b,c.py\",{digest},3\np/c.py,{digest},3\np-1.dist-info/RECORD,,\n");
        write("p-1.dist-info/RECORD", &record);
        let files = [
            write("p/a.py", "abc"),
            write("p/b,c.py", "changed"),
            write("p/__pycache__/c.cpython-311.pyc", "compiled"),
            write("alone/x.py", "abc"),
        ];
        let hashed: Vec<Hashed> = files.iter().map(|path| hash_file(path).unwrap()).collect();
        let packages = fold(files.iter().map(PathBuf::as_path).zip(&hashed));
        let [known, alone] = packages.as_slice() else { panic!("{packages:?}") };
        assert_eq!((known.name.as_str(), known.version.as_deref()), ("P", Some("1.0")));
        assert_eq!((known.read, known.matching, &known.differing[..]), (3, 1, &["p/b,c.py".to_owned()][..]));
        assert_eq!((alone.name.as_str(), alone.read, alone.files.is_some()), ("alone", 1, true));
    }

    #[test]
    fn sources_are_told_by_the_names_of_what_is_compiled() {
        assert_eq!(source_of("a/__pycache__/b.cpython-311.pyc").as_deref(), Some("a/b.py"));
        assert_eq!(source_of("__pycache__/b.cpython-311.opt-1.pyc").as_deref(), Some("b.py"));
        assert_eq!(source_of("a/b.pyc"), None);
    }
}
