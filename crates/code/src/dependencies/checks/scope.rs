//! Which files belong together: those that take in each other, and the locks that hold for a folder.

use std::collections::{BTreeMap, BTreeSet};

use waag_evidence::{Dependency, DependencySource, Ecosystem, Standing};

use crate::dependencies::project::folder_of;
use crate::dependencies::reading::{FileKind, FileRead, Reading};

/// A reading, with what belongs together.
#[derive(Debug)]
pub struct Scope<'r> {
    pub(super) reading: &'r Reading,
    files: BTreeMap<&'r str, &'r FileRead>,
    by_file: BTreeMap<&'r str, Vec<&'r Dependency>>,
    /// The set of each file: the first path of those that take in each other.
    sets: BTreeMap<&'r str, &'r str>,
    /// The files of each set.
    members: BTreeMap<&'r str, Vec<&'r str>>,
    /// Lock files by their folder.
    locks: BTreeMap<&'r str, Vec<&'r FileRead>>,
}

/// Digests that can be forged.
const WEAK: [&str; 2] = ["md5:", "sha1:"];

impl<'r> Scope<'r> {
    pub(super) fn new(reading: &'r Reading) -> Self {
        let files = reading.files.iter().map(|file| (file.path.as_str(), file)).collect();
        let mut by_file: BTreeMap<&str, Vec<&Dependency>> = BTreeMap::new();
        for dependency in &reading.dependencies {
            by_file.entry(&dependency.location.file).or_default().push(dependency);
        }
        let sets = sets(reading);
        let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (path, set) in &sets {
            members.entry(set).or_default().push(path);
        }
        let mut locks: BTreeMap<&str, Vec<&FileRead>> = BTreeMap::new();
        for lock in reading.files.iter().filter(|file| file.kind.is_lock()) {
            locks.entry(folder_of(&lock.path)).or_default().push(lock);
        }
        Self { reading, files, by_file, sets, members, locks }
    }

    /// Files of some kinds.
    pub(super) fn files(&self, is_wanted: impl Fn(FileKind) -> bool) -> impl Iterator<Item = &'r FileRead> {
        self.reading.files.iter().filter(move |file| is_wanted(file.kind))
    }

    /// What a file names.
    pub(super) fn of(&self, path: &str) -> &[&'r Dependency] {
        self.by_file.get(path).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn file(&self, path: &str) -> Option<&'r FileRead> {
        self.files.get(path).copied()
    }

    /// The files that are installed together with one, itself included.
    pub(super) fn set_of(&self, path: &str) -> &[&'r str] {
        self.set_name(path).and_then(|set| self.members.get(set)).map(Vec::as_slice).unwrap_or_default()
    }

    /// What files that are installed together name.
    pub(super) fn of_set(&self, path: &str) -> impl Iterator<Item = &'r Dependency> {
        self.set_of(path).iter().flat_map(|path| self.of(path)).copied()
    }

    /// One name for each set.
    pub(super) fn set_name(&self, path: &str) -> Option<&'r str> {
        self.sets.get(path).copied()
    }

    /// Lock files that hold for a file: those of its folder, or of the nearest folder above that has one.
    pub(super) fn locks_for(&self, path: &str) -> &[&'r FileRead] {
        let mut folder = folder_of(path);
        loop {
            let here = self.locks_in(folder);
            if !here.is_empty() || folder.is_empty() {
                return here;
            }
            folder = folder_of(folder);
        }
    }

    /// Lock files of a folder.
    pub(super) fn locks_in(&self, folder: &str) -> &[&'r FileRead] {
        self.locks.get(folder).map(Vec::as_slice).unwrap_or_default()
    }

    /// A file and all that it takes in, and what those take in.
    fn with_included(&self, file: &FileRead) -> BTreeSet<&'r str> {
        let mut found = BTreeSet::new();
        let mut open = vec![file.path.as_str()];
        while let Some(path) = open.pop() {
            if let Some((path, file)) = self.files.get_key_value(path)
                && found.insert(*path)
            {
                open.extend(file.includes.iter().map(String::as_str));
            }
        }
        found
    }

    /// Names that something pins for a file: its locks, itself and what it takes in, and, for what a tool resolves, lists of
    /// exact versions beside it.
    pub(super) fn pinned_for(&self, file: &FileRead) -> BTreeSet<(Ecosystem, &'r str)> {
        let mut paths = self.with_included(file);
        paths.extend(self.locks_for(&file.path).iter().map(|lock| lock.path.as_str()));
        let is_input = file.path.ends_with(".in")
            || matches!(file.kind, FileKind::Pyproject | FileKind::SetupCfg | FileKind::SetupPy);
        let beside = self.files(|kind| matches!(kind, FileKind::Requirements | FileKind::Constraints));
        let beside = beside.filter(|other| other.path != file.path && folder_of(&other.path) == folder_of(&file.path));
        let beside = beside.map(|other| other.path.as_str()).filter(|path| is_input && self.is_resolved(path));
        paths.extend(beside);
        let all = paths.into_iter().flat_map(|path| self.of(path));
        all.filter(|it| is_fixed(it)).map(|it| (it.ecosystem, it.name.as_str())).collect()
    }

    /// Whether a list names nothing but exact versions, as tools that resolve write it.
    pub(super) fn is_resolved(&self, path: &str) -> bool {
        let all = self.of(path);
        !all.is_empty() && all.iter().all(|dependency| is_fixed(dependency))
    }
}

/// Whether exactly one thing is meant.
pub(super) fn is_fixed(dependency: &Dependency) -> bool {
    match &dependency.source {
        DependencySource::Index { .. } => dependency.version.is_some(),
        // What these are pinned to is another question.
        _ => true,
    }
}

/// Whether an installer compares its archive with a digest that cannot be forged.
pub(super) fn is_digested(dependency: &Dependency) -> bool {
    dependency.digests.iter().any(|digest| !WEAK.iter().any(|weak| digest.starts_with(weak)))
}

/// Whether a place only declares.
pub(super) fn is_declared(dependency: &Dependency) -> bool {
    dependency.standing == Standing::Declared
}

/// Whether a file is for those who work on the project, and no part of what it does.
pub(super) fn is_for_developers(path: &str, group: Option<&str>) -> bool {
    const WORDS: [&str; 14] = [
        "dev",
        "develop",
        "test",
        "tests",
        "testing",
        "doc",
        "docs",
        "lint",
        "style",
        "typing",
        "ci",
        "build-system",
        "quality",
        "benchmark",
    ];
    let words = |text: &str| {
        text.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).any(|it| WORDS.contains(&it))
    };
    group.is_some_and(|group| group == "build-system" || words(group)) || words(path)
}

fn sets(reading: &Reading) -> BTreeMap<&str, &str> {
    let mut sets: BTreeMap<&str, &str> =
        reading.files.iter().map(|file| (file.path.as_str(), file.path.as_str())).collect();
    // Each pass brings the smallest name one step further; a chain of files is never long.
    for _ in 0..=reading.files.len() {
        let mut is_settled = true;
        for file in &reading.files {
            for included in &file.includes {
                let (Some(one), Some(other)) =
                    (sets.get(file.path.as_str()).copied(), sets.get(included.as_str()).copied())
                else {
                    continue;
                };
                let Some((key, _)) = sets.get_key_value(included.as_str()).map(|(key, value)| (*key, *value)) else {
                    continue;
                };
                let least = one.min(other);
                is_settled &= one == other;
                sets.insert(&file.path, least);
                sets.insert(key, least);
            }
        }
        if is_settled {
            break;
        }
    }
    sets
}
