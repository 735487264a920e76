//! From what was seen and hashed to what is told: files of the user's own one by one, everything else folded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use waag_evidence::Sha256Digest;
use waag_evidence::statement::role::Role;

use super::Options;
use super::facts::{Input, Output, Surrounding};
use super::hashing::{Hashed, Hashing, Urgency, folder_digest};
use super::packages::{self, Package, source_of};
use super::place::{Place, Places, shown};
use super::record::{Read, Record};
use super::roles;
use super::stamp::Stamp;

/// Files of one folder, with one role, that are told one by one. More become one entry.
const MAX_IN_FOLDER: usize = 256;
/// Byproducts that are told.
const MAX_BYPRODUCTS: usize = 1000;

/// What was read, in three kinds.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) inputs: Vec<Input>,
    pub(super) packages: Vec<Package>,
    pub(super) surroundings: Vec<Surrounding>,
}

type Digests = BTreeMap<PathBuf, Hashed>;
/// Files of one folder, with one role.
type Group = (PathBuf, Option<Role>);

/// Moves what lies elsewhere than its name says, such as a link in a package that leads to a dataset, to where it belongs.
fn settle(record: &mut Record, hashed: &Digests, places: &Places) -> BTreeMap<PathBuf, Hashed> {
    let mut folded = BTreeMap::new();
    for path in std::mem::take(&mut record.folded) {
        let Some(known) = hashed.get(&path) else { continue };
        let Some(real) = &known.real else { continue };
        match places.of(real) {
            Place::Nowhere => {}
            Place::Own => {
                let read =
                    Read { asked: path, stamp: Some(known.stamp), digest: known.digest, program: false, moved: false };
                record.read(real, read);
            }
            _ => drop(folded.insert(real.clone(), known.clone())),
        }
    }
    folded
}

/// Tells what was read.
pub(super) fn gather(mut record: Record, hashed: &Digests, places: &Places, options: &Options) -> (Record, Gathered) {
    let folded = settle(&mut record, hashed, places);
    let of = |place: Place| folded.iter().filter(move |(path, _)| places.of(path) == place);
    let mut surroundings: Vec<Surrounding> = standard(of(Place::Standard)).collect();
    surroundings.extend(surrounding("system files", Path::new("/"), of(Place::System)));
    let packages = packages::fold(of(Place::Package).map(|(path, hashed)| (path.as_path(), hashed)));
    let inputs = inputs(&record, hashed, options);
    (record, Gathered { inputs, packages, surroundings })
}

fn standard<'a>(files: impl Iterator<Item = (&'a PathBuf, &'a Hashed)>) -> impl Iterator<Item = Surrounding> {
    let mut libraries: BTreeMap<PathBuf, Vec<(&PathBuf, &Hashed)>> = BTreeMap::new();
    for (path, hashed) in files {
        libraries.entry(library_of(path)).or_default().push((path, hashed));
    }
    libraries.into_iter().filter_map(|(folder, files)| {
        let version = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        surrounding(&format!("standard library of {version}"), &folder, files.into_iter())
    })
}

/// `/usr/lib/python3.11`
fn library_of(path: &Path) -> PathBuf {
    let is_library =
        |folder: &&Path| folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python3"));
    path.ancestors().filter(is_library).last().unwrap_or(path).to_owned()
}

fn surrounding<'a>(
    name: &str,
    folder: &Path,
    files: impl Iterator<Item = (&'a PathBuf, &'a Hashed)>,
) -> Option<Surrounding> {
    let mut names = Vec::new();
    let mut not_hashed = 0;
    for (path, hashed) in files {
        match &hashed.digest {
            Some(digest) => {
                names.push((path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned(), digest))
            }
            None => not_hashed += 1,
        }
    }
    let files = names.len() as u64;
    let digest = folder_digest(names.iter().map(|(name, digest)| (name.as_str(), *digest)));
    (files + not_hashed > 0).then(|| Surrounding { name: name.to_owned(), digest, files, not_hashed })
}

fn inputs(record: &Record, hashed: &Digests, options: &Options) -> Vec<Input> {
    let mut inputs: BTreeMap<String, (PathBuf, Input)> = BTreeMap::new();
    for (real, read) in record.reads.iter().filter(|(real, _)| !is_passing(real)) {
        let (path, mut input) = input(record, real, read, hashed, options);
        match inputs.get_mut(&input.name) {
            // A module that was read as it was written and as it was compiled.
            Some((_, known)) if known.compiled != input.compiled => known.merge(input),
            // A name that led to another file before.
            Some(_) => {
                input.name = shown(real, &options.folder);
                inputs.insert(input.name.clone(), (real.clone(), input));
            }
            None => drop(inputs.insert(input.name.clone(), (path, input))),
        }
    }
    let unread = options.inputs.iter().filter(|(_, path)| !record.reads.keys().any(|real| real.starts_with(path)));
    for (role, path) in unread.clone() {
        for (path, hashed) in hashed.range(path.clone()..).take_while(|(file, _)| file.starts_with(path)) {
            let name = shown(path, &options.folder);
            let input = Input {
                name: name.clone(),
                role: Some(*role),
                digest: hashed.digest,
                declared: true,
                ..Input::default()
            };
            inputs.insert(name, (path.clone(), input));
        }
    }
    folded(inputs.into_values().collect(), options)
}

fn input(record: &Record, real: &Path, read: &Read, hashed: &Digests, options: &Options) -> (PathBuf, Input) {
    let known = hashed.get(real);
    let written = record.writes.contains_key(real) || read.moved;
    let digest = read.digest.or_else(|| known.and_then(|known| known.digest));
    // What was hashed must be what was opened, and must still be there.
    let late =
        known.is_some_and(|known| known.unsteady || read.stamp.is_some_and(|stamp| !stamp.has_bytes_of(&known.stamp)));
    let now = std::fs::metadata(real).ok().map(|metadata| Stamp::of(&metadata));
    let other = read.stamp.is_some_and(|first| now.is_none_or(|now| !first.has_bytes_of(&now)));
    let declared = options.inputs.iter().find(|(_, path)| real.starts_with(path) || read.asked.starts_with(path));
    let asked = if read.asked.starts_with("/proc") { real } else { &read.asked };
    let mut input = Input {
        name: shown(asked, &options.folder),
        role: Some(
            declared.map_or_else(|| if read.program { Role::Dependency } else { roles::of(asked) }, |(role, _)| *role),
        ),
        digest,
        changed: (late && read.digest.is_none()) || (other && !written),
        written,
        declared: declared.is_some(),
        observed: true,
        ..Input::default()
    };
    let source = source_of(&asked.to_string_lossy()).map(PathBuf::from).filter(|source| source.is_file());
    if let Some(source) = source {
        input.name = shown(&source, &options.folder);
        input.compiled_digest = digest;
        input.digest = super::hashing::hash_file(&source).ok().and_then(|hashed| hashed.digest);
        input.compiled = true;
    }
    (asked.to_owned(), input)
}

/// Folds folders with very many files of one role into one entry each.
fn folded(inputs: Vec<(PathBuf, Input)>, options: &Options) -> Vec<Input> {
    let folder_of = |path: &Path| {
        let declared =
            options.inputs.iter().map(|(_, path)| path).find(|folder| path.starts_with(folder) && folder.is_dir());
        declared.cloned().or_else(|| path.parent().map(Path::to_owned)).unwrap_or_default()
    };
    let mut folders: BTreeMap<Group, Vec<(PathBuf, Input)>> = BTreeMap::new();
    for (path, input) in inputs {
        folders.entry((folder_of(&path), input.role)).or_default().push((path, input));
    }
    let mut told: Vec<Input> = Vec::new();
    for ((folder, _), files) in folders {
        if files.len() <= MAX_IN_FOLDER || files.iter().any(|(_, input)| input.digest.is_none()) {
            told.extend(files.into_iter().map(|(_, input)| input));
        } else {
            told.push(whole(&folder, files, options));
        }
    }
    told.sort_by(|a, b| a.name.cmp(&b.name));
    told
}

fn whole(folder: &Path, files: Vec<(PathBuf, Input)>, options: &Options) -> Input {
    let names: Vec<(String, Sha256Digest)> =
        files.iter().filter_map(|(path, input)| Some((shown(path, folder), input.digest?))).collect();
    let any = |of: fn(&Input) -> bool| files.iter().any(|(_, input)| of(input));
    let name = shown(folder, &options.folder);
    Input {
        name: if name.is_empty() { "./".to_owned() } else { format!("{name}/") },
        role: files.first().and_then(|(_, input)| input.role),
        digest: Some(folder_digest(names.iter().map(|(name, digest)| (name.as_str(), digest)))),
        files: Some(files.len() as u64),
        changed: any(|input| input.changed),
        written: any(|input| input.written),
        declared: any(|input| input.declared),
        observed: any(|input| input.observed),
        compiled: any(|input| input.compiled),
        compiled_digest: None,
    }
}

/// What was written and remains, as outputs and byproducts.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) outputs: Vec<Output>,
    pub(super) byproducts: Vec<Output>,
    pub(super) notes: Vec<String>,
}

/// Hashes what was written and is still there.
pub(super) fn written(record: &mut Record, options: &Options) -> Written {
    let remaining: BTreeSet<PathBuf> = record
        .writes
        .keys()
        .filter(|path| !is_passing(path) && !is_compiled(path) && path.is_file() && Some(*path) != options.log.as_ref())
        .cloned()
        .collect();
    let hashing = Hashing::alone();
    remaining.iter().for_each(|path| hashing.want(path, None, Urgency::Now));
    let hashed = hashing.finish();
    let mut written = Written::default();
    for path in remaining {
        let output = |record: &Record, kind| Output {
            name: shown(&path, &options.folder),
            digest: hashed.get(&path).and_then(|hashed| hashed.digest),
            kind,
            replaced: record.writes.get(&path).is_some_and(|write| write.existed),
            unchanged: false,
        };
        if is_output(&path, options) {
            written.outputs.push(output(record, ""));
        } else if written.byproducts.len() < MAX_BYPRODUCTS {
            written.byproducts.push(output(record, "written-elsewhere"));
        } else {
            record.gap("byproducts beyond 1,000: not listed");
        }
    }
    let unwritten = options.outputs.iter().filter(|output| !record.writes.keys().any(|path| path.starts_with(output)));
    written.notes = unwritten.map(|path| shown(path, &options.folder)).collect();
    written
}

fn is_output(path: &Path, options: &Options) -> bool {
    if !options.outputs.is_empty() {
        return options.outputs.iter().any(|output| path.starts_with(output));
    }
    let temporary = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into(), "/dev/shm".into()];
    let is_cache = path.components().any(|part| part.as_os_str() == ".cache" || part.as_os_str() == ".config");
    path.starts_with(&options.folder) || !(is_cache || temporary.iter().any(|folder| path.starts_with(folder)))
}

/// What tools leave behind for themselves.
fn is_passing(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == ".git" || part.as_os_str() == ".ipynb_checkpoints")
}

/// What Python compiles for itself.
fn is_compiled(path: &Path) -> bool {
    let in_cache = path.parent().is_some_and(|folder| folder.ends_with("__pycache__"));
    in_cache && path.extension().is_some_and(|ending| ending == "pyc")
}

/// What was declared, where nothing was seen: every file of it.
pub(super) fn declared(paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    paths.for_each(|path| below(path, &mut files));
    files.sort_unstable();
    files.dedup();
    files
}

/// The most files of declared folders.
const MAX_DECLARED: usize = 200_000;

fn below(path: PathBuf, files: &mut Vec<PathBuf>) {
    if files.len() >= MAX_DECLARED {
        return;
    }
    if path.is_dir() {
        let Ok(entries) = std::fs::read_dir(&path) else { return };
        let entries = entries
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink() || entry.path().is_file()));
        entries.for_each(|entry| below(entry.path(), files));
    } else if path.is_file() {
        files.push(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_compiled_modules_are_left_out_of_what_comes_out() {
        for (path, expected) in [
            ("/w/__pycache__/a.cpython-312.pyc", true),
            ("/w/__pycache__/data.bin", false),
            ("/w/a.pyc", false),
            ("/w/a.bin", false),
        ] {
            assert_eq!((is_compiled(Path::new(path)), is_passing(Path::new(path))), (expected, false), "{path}");
        }
        assert!(is_passing(Path::new("/w/.git/index")));
    }

    #[test]
    fn a_module_is_told_once_with_both_digests() {
        let digest = |byte: u8| Some(Sha256Digest::new([byte; 32]));
        let source = Input { name: "a.py".into(), digest: digest(1), ..Input::default() };
        let compiled = Input { compiled: true, compiled_digest: digest(3), digest: digest(2), ..source.clone() };
        let mut known = compiled.clone();
        known.merge(source.clone());
        let mut other = source;
        other.merge(compiled);
        assert_eq!(known, other);
        assert_eq!((known.digest, known.compiled_digest, known.compiled), (digest(1), digest(3), true));
    }
}
