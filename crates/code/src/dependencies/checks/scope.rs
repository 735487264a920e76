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
}

impl<'r> Scope<'r> {
    pub(super) fn new(reading: &'r Reading) -> Self {
        let files = reading.files.iter().map(|file| (file.path.as_str(), file)).collect();
        let mut by_file: BTreeMap<&str, Vec<&Dependency>> = BTreeMap::new();
        for dependency in &reading.dependencies {
            by_file.entry(&dependency.location.file).or_default().push(dependency);
        }
        Self { reading, files, by_file, sets: sets(reading) }
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
    pub(super) fn set_of(&self, path: &str) -> Vec<&'r str> {
        let own = self.sets.get(path);
        self.sets.iter().filter(|(_, set)| Some(*set) == own).map(|(path, _)| *path).collect()
    }

    /// One name for each set.
    pub(super) fn set_name(&self, path: &str) -> Option<&'r str> {
        self.sets.get(path).copied()
    }

    /// Lock files that hold for a file: those of its folder, or of the nearest folder above that has one.
    pub(super) fn locks_for(&self, path: &str) -> Vec<&'r FileRead> {
        let mut folder = folder_of(path);
        loop {
            let here = self.files(FileKind::is_lock).filter(|lock| folder_of(&lock.path) == folder);
            let here: Vec<&FileRead> = here.collect();
            if !here.is_empty() || folder.is_empty() {
                return here;
            }
            folder = folder_of(folder);
        }
    }

    /// Names that something pins for a file: its locks, files of its set, and lists of exact versions beside it.
    pub(super) fn pinned_for(&self, file: &FileRead) -> BTreeSet<(Ecosystem, &'r str)> {
        let locks = self.locks_for(&file.path);
        let mut paths: BTreeSet<&str> = locks.iter().map(|lock| lock.path.as_str()).collect();
        paths.extend(self.set_of(&file.path));
        let beside = self.files(|kind| matches!(kind, FileKind::Requirements | FileKind::Constraints));
        let beside = beside.filter(|other| other.path != file.path && folder_of(&other.path) == folder_of(&file.path));
        paths.extend(beside.map(|other| other.path.as_str()).filter(|path| self.is_resolved(path)));
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
