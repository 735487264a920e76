//! From a folder to everything that its files say of packages: the walk, and files that take in others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Component, Path, PathBuf};

use waag_engine::walk::{Entry, EntryKind, walk};
use waag_evidence::{Location, Standing};

use super::environment::OF_INSTALLERS;
use super::finding::incomplete;
use super::readers::{self, Include, kind_of};
use super::reading::{FileKind, Reading};
use super::text::Text;

/// Files of one project that are read.
const MAX_FILES: usize = 2000;
/// Bytes of all of them.
const MAX_TOTAL: usize = 256 << 20;
/// Packages and indexes of all of them.
const MAX_NAMED: usize = 200_000;
/// Files that are taken in by all of them together, and those of one file that are told one by one where they are refused.
const MAX_INCLUDED: usize = 10_000;
const MAX_REFUSED: usize = 100;
/// Files that are told when they take in each other, one after the other.
const MAX_DEEP: usize = 64;
/// What makes a folder an environment, whose files are no part of the project.
const ENVIRONMENT: &str = "pyvenv.cfg";
/// Folders that tools fill with other people's packages.
const TOOL_FOLDERS: [&str; 7] = ["site-packages", "dist-packages", ".tox", ".nox", ".eggs", "conda-meta", "vendor"];

/// Reads every file of a project that names packages: below a folder, or one file and what it takes in. Installed environments
/// and folders of tools are told, and not read.
///
/// # Errors
/// When the path is not there or cannot be listed, or is a file that is not known to name packages.
pub fn read_project(path: &Path) -> io::Result<Reading> {
    let is_folder = std::fs::metadata(path)?.is_dir();
    let root = if is_folder { path.to_owned() } else { parent(path) };
    let mut project = Project { bounds: std::fs::canonicalize(&root)?, root, ..Project::default() };
    if is_folder {
        project.list()?;
    } else {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kind = kind_of(&name).or_else(|| name.ends_with(".txt").then_some(FileKind::Requirements));
        match kind {
            Some(kind) => project.queue.push_back((PathBuf::from(name), kind, 0)),
            // What describes an image is read as such, and what it installs is told there.
            None if crate::image::is_read(&name) => {}
            None => {
                let why = "it is no file that is known to name packages";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
        }
    }
    project.read_all();
    Ok(project.finish())
}

/// Whether a folder in which something is installed may be a project's too: it has a file that names packages, or an
/// environment was made right in it, which puts its packages into folders of their own.
pub(super) fn may_lie_in(path: &Path) -> bool {
    let is_of_installer = path.file_name().is_some_and(|name| OF_INSTALLERS.iter().any(|known| name == *known));
    let entries = || std::fs::read_dir(path).into_iter().flatten().flatten();
    let names_packages = || entries().any(|entry| kind_of(&entry.file_name().to_string_lossy()).is_some());
    !is_of_installer && (path.join(ENVIRONMENT).is_file() || names_packages())
}

/// Folders that are an environment and nothing else: none of their own files names packages, and they were not asked for.
fn environments(root: &Path, entries: &[Entry]) -> Vec<PathBuf> {
    let of_file = |entry: &Entry| entry.path.parent().map(Path::to_owned);
    let name = |entry: &Entry| entry.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let projects: BTreeSet<PathBuf> =
        entries.iter().filter(|entry| kind_of(&name(entry)).is_some()).filter_map(of_file).collect();
    let marked = entries.iter().filter(|entry| name(entry) == ENVIRONMENT).filter_map(of_file);
    marked.filter(|folder| folder != root && !projects.contains(folder)).collect()
}

fn parent(path: &Path) -> PathBuf {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new(".")).to_owned()
}

#[derive(Default)]
struct Project {
    root: PathBuf,
    /// The folder that nothing is read outside of.
    bounds: PathBuf,
    /// Files to read, below the root, and how many took in each other before.
    queue: VecDeque<(PathBuf, FileKind, usize)>,
    seen: BTreeSet<PathBuf>,
    /// How files are taken in: by which, as constraints or not, for which group.
    taken: BTreeMap<String, Vec<Include>>,
    /// How many files are taken in.
    included: usize,
    filled_elsewhere: Vec<Location>,
    bytes: usize,
    reading: Reading,
}

impl Project {
    fn list(&mut self) -> io::Result<()> {
        let entries = walk(std::slice::from_ref(&self.root), false)?;
        let environments = environments(&self.root, &entries);
        let mut passed_over: BTreeSet<PathBuf> = environments.iter().cloned().collect();
        for entry in &entries {
            if environments.iter().any(|environment| entry.path.starts_with(environment)) {
                continue;
            }
            let below = entry.path.strip_prefix(&self.root).unwrap_or(&entry.path).to_owned();
            if let Some(folder) = tool_folder(&below) {
                passed_over.insert(self.root.join(folder));
                continue;
            }
            self.entry(entry.path.as_path(), &entry.kind, below, &mut passed_over);
        }
        let shown = passed_over.iter().map(|folder| folder.strip_prefix(&self.root).unwrap_or(folder));
        let named = shown.filter(|folder| !folder.ends_with("__pycache__") && !folder.as_os_str().is_empty());
        self.reading.passed_over = named.map(|folder| named_to_people(&self.root, folder)).collect();
        Ok(())
    }

    fn entry(&mut self, path: &Path, kind: &EntryKind, below: PathBuf, passed_over: &mut BTreeSet<PathBuf>) {
        match kind {
            EntryKind::ToolFolder => {
                passed_over.insert(path.to_owned());
            }
            EntryKind::Unreadable(why) => self.incomplete(&below, None, &format!("it could not be listed: {why}")),
            EntryKind::File(_) => {
                if let Some(kind) = kind_of(&below.to_string_lossy()) {
                    self.queue.push_back((below, kind, 0));
                }
            }
            EntryKind::StrayLink(_) if kind_of(&below.to_string_lossy()).is_some() => {
                self.incomplete(&below, None, "it is a link that leads out of the project, and was not followed");
            }
            EntryKind::Special if kind_of(&below.to_string_lossy()).is_some() => {
                self.incomplete(&below, None, "it is no regular file, and was not read");
            }
            EntryKind::StrayLink(_) | EntryKind::Special => {}
        }
    }

    fn incomplete(&mut self, below: &Path, line: Option<u64>, message: &str) {
        let location = Location { line, ..Location::file(named_to_people(&self.root, below)) };
        let next = "see what it names by hand, or name a folder that holds all of it";
        self.reading.findings.push(incomplete(location, message, next));
    }

    fn read_all(&mut self) {
        while let Some((below, kind, depth)) = self.queue.pop_front() {
            if !self.seen.insert(below.clone()) {
                continue;
            }
            let named = self.reading.dependencies.len() + self.reading.indexes.len();
            if self.seen.len() > MAX_FILES || self.bytes > MAX_TOTAL || named > MAX_NAMED {
                return self.incomplete(
                    &below,
                    None,
                    "there are more files, or longer ones, than are read of one project",
                );
            }
            match Text::read(&self.root.join(&below), named_to_people(&self.root, &below)) {
                Ok(text) => self.read(&below, text, kind, depth),
                Err(error) => self.incomplete(&below, None, &format!("it could not be read: {error}")),
            }
        }
    }

    fn read(&mut self, below: &Path, text: Text, kind: FileKind, depth: usize) {
        self.bytes += text.text.len();
        let page = readers::read(&text, kind);
        // Files of a conda environment's or a project's name that name nothing are other people's.
        if kind == FileKind::CondaEnvironment
            && page.dependencies.is_empty()
            && page.includes.is_empty()
            && page.python.is_empty()
            && page.findings.is_empty()
        {
            return;
        }
        let (includes, mut file) = (page.includes, page.file);
        self.filled_elsewhere
            .extend(page.filled_elsewhere.map(|line| Location { line: Some(line), ..Location::file(&text.path) }));
        self.reading.dependencies.extend(page.dependencies);
        self.reading.indexes.extend(page.indexes);
        self.reading.python.extend(page.python);
        self.reading.notices.extend(page.notices);
        self.reading.findings.extend(page.findings);
        let mut refused = 0;
        for include in includes {
            match self.include(below, &include, depth) {
                Ok(path) => file.includes.push(path),
                Err(why) => {
                    refused += 1;
                    if refused <= MAX_REFUSED {
                        self.incomplete(below, Some(include.line), &why);
                    }
                }
            }
        }
        file.complete &= refused == 0;
        if refused > MAX_REFUSED {
            let more = format!("{} more files that it takes in were not read", refused - MAX_REFUSED);
            self.incomplete(below, None, &more);
        }
        self.reading.files.push(file);
        self.reading.texts.insert(text.path.clone(), text);
    }

    /// Puts a file that is taken in on the list, and gives the name it has for people.
    fn include(&mut self, below: &Path, include: &Include, depth: usize) -> Result<String, String> {
        let written = &include.path;
        if written.contains("://") {
            return Err(format!("it takes in '{}', which was not fetched", super::source::masked(written)));
        }
        if written.contains("${") {
            return Err(format!("it takes in '{written}', which depends on a variable"));
        }
        if self.included >= MAX_INCLUDED {
            return Err(format!("it takes in '{written}', after more files than are followed"));
        }
        if depth >= MAX_DEEP {
            return Err(format!("it takes in '{written}', after more files in a row than are followed"));
        }
        let target = inside(&parent_of(below).join(written))
            .ok_or_else(|| format!("it takes in '{written}', which is outside of the project, and was not read"))?;
        let whole = std::fs::canonicalize(self.root.join(&target))
            .map_err(|error| format!("it takes in '{written}', which cannot be read: {error}"))?;
        if !whole.starts_with(&self.bounds) {
            return Err(format!("it takes in '{written}', which leads out of the project, and was not read"));
        }
        self.included += 1;
        let name = named_to_people(&self.root, &target);
        self.taken.entry(name.clone()).or_default().push(include.clone());
        let kind = match kind_of(&target.to_string_lossy()) {
            Some(kind @ (FileKind::Requirements | FileKind::Constraints)) => kind,
            _ if include.is_constraint => FileKind::Constraints,
            _ => FileKind::Requirements,
        };
        self.queue.push_back((target, kind, depth + 1));
        Ok(name)
    }

    fn finish(mut self) -> Reading {
        self.settle_standing();
        self.say_what_was_filled_elsewhere();
        let reading = &mut self.reading;
        reading.root = self.root;
        reading.files.sort_by(|one, other| one.path.cmp(&other.path));
        reading.dependencies.sort_by(|one, other| {
            (&one.location.file, one.location.line).cmp(&(&other.location.file, other.location.line))
        });
        reading.indexes.sort_by(|one, other| {
            (&one.location.file, one.location.line).cmp(&(&other.location.file, other.location.line))
        });
        reading.python.sort_by(|one, other| {
            (&one.location.file, one.location.line).cmp(&(&other.location.file, other.location.line))
        });
        super::finding::settle(&mut reading.findings);
        self.reading
    }

    /// What is only taken in with `-c` installs nothing, whatever the file is called; what is taken in with `-r` does.
    fn settle_standing(&mut self) {
        let taken = |file: &str| self.taken.get(file).map(Vec::as_slice).unwrap_or_default();
        for file in &mut self.reading.files {
            let includes = taken(&file.path);
            if matches!(file.kind, FileKind::Requirements | FileKind::Constraints) && !includes.is_empty() {
                let is_bound = includes.iter().all(|include| include.is_constraint);
                file.kind = if is_bound { FileKind::Constraints } else { FileKind::Requirements };
            }
        }
        let kinds: BTreeMap<&str, FileKind> =
            self.reading.files.iter().map(|file| (file.path.as_str(), file.kind)).collect();
        for dependency in &mut self.reading.dependencies {
            match kinds.get(dependency.location.file.as_str()) {
                Some(FileKind::Constraints) => dependency.standing = Standing::Constrained,
                Some(FileKind::Requirements) => dependency.standing = Standing::Declared,
                _ => {}
            }
            let includes = taken(&dependency.location.file);
            if let [Include { group: Some(group), .. }] = includes {
                dependency.group = dependency.group.take().or_else(|| Some(group.clone()));
            }
        }
    }

    /// A project that leaves its dependencies to setuptools is understood where files of setuptools beside it have them, or
    /// have told what of them is not known.
    fn say_what_was_filled_elsewhere(&mut self) {
        for location in std::mem::take(&mut self.filled_elsewhere) {
            let folder = folder_of(&location.file);
            let has_setup = self.reading.files.iter().any(|file| {
                matches!(file.kind, FileKind::SetupCfg | FileKind::SetupPy)
                    && folder_of(&file.path) == folder
                    && (file.packages > 0 || !file.complete)
            });
            if !has_setup {
                let next = "write them into [project] dependencies, or name the files that they come from";
                self.reading.findings.push(incomplete(location, readers::COMPUTED, next));
            }
        }
    }
}

/// The folder of a path, as it is named to people.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn parent_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// A path without `.` and `..`; none where it leads above where it begins.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !inside.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(inside)
}

/// The outermost folder of a tool on a path.
fn tool_folder(below: &Path) -> Option<PathBuf> {
    let is_tool = |path: &&Path| path.file_name().is_some_and(|name| TOOL_FOLDERS.iter().any(|tool| name == *tool));
    below.parent()?.ancestors().filter(is_tool).last().map(Path::to_owned)
}

/// A path as a person would write it: from where they are, without a `.` in front.
pub(super) fn named_to_people(root: &Path, below: &Path) -> String {
    let whole = if root == Path::new(".") { below.to_owned() } else { root.join(below) };
    whole.to_string_lossy().into_owned()
}
