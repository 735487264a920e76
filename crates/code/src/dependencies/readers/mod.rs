//! One reader for each kind of file. Each is told apart by the file's name, reads a text that is in memory, and writes down
//! what it says; what it cannot understand it says too. None of them runs, resolves or fetches anything.

mod conda_environment;
mod conda_explicit;
mod conda_lock;
mod pdm_lock;
mod pip_report;
mod pipfile;
mod pipfile_lock;
mod poetry_lock;
mod pylock;
mod pyproject;
mod python_version;
mod requirements;
mod setup_cfg;
mod setup_py;
mod uv_lock;

use std::collections::BTreeMap;

use waag_evidence::{Dependency, DependencySource, Ecosystem, Finding, Location, Standing};

use super::finding::incomplete;
use super::reading::{FileKind, FileRead, Index, IndexRole, Notice, PythonClaim};
use super::text::Text;
use super::{requirement, source, tree};

pub(super) use pyproject::COMPUTED;
pub(super) use requirements::looks_like_requirements;

/// Packages of one file.
const MAX_PACKAGES: usize = 100_000;
/// Indexes, and versions of Python, of one file.
const MAX_INDEXES: usize = 5000;
const MAX_PYTHONS: usize = 100;
/// What is not understood of one file that is told one by one.
const MAX_TOLD: usize = 100;

/// What is read of one file.
pub(super) struct Page<'t> {
    pub(super) text: &'t Text,
    pub(super) file: FileRead,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) indexes: Vec<Index>,
    /// Addresses of indexes, by what the file calls them; of two with one name the first.
    addresses: BTreeMap<String, String>,
    pub(super) python: Vec<PythonClaim>,
    pub(super) notices: Vec<Notice>,
    pub(super) findings: Vec<Finding>,
    /// Files that it takes in.
    pub(super) includes: Vec<Include>,
    /// The line that says that something else fills in what it needs.
    pub(super) filled_elsewhere: Option<u64>,
}

/// A file that another one takes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Include {
    /// The path, as it is written.
    pub(super) path: String,
    /// Whether only what it says of versions counts (`-c`).
    pub(super) is_constraint: bool,
    /// The group that it is for.
    pub(super) group: Option<String>,
    pub(super) line: u64,
}

/// What a file is, by its path below the project.
pub(super) fn kind_of(path: &str) -> Option<FileKind> {
    let lower = path.to_ascii_lowercase();
    let (folder, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    Some(match name {
        "pyproject.toml" => FileKind::Pyproject,
        "uv.lock" => FileKind::UvLock,
        "poetry.lock" => FileKind::PoetryLock,
        "pdm.lock" => FileKind::PdmLock,
        "pipfile" => FileKind::Pipfile,
        "pipfile.lock" => FileKind::PipfileLock,
        "setup.cfg" => FileKind::SetupCfg,
        "setup.py" => FileKind::SetupPy,
        ".python-version" => FileKind::PythonVersion,
        "python_env.yaml" => FileKind::MlflowEnvironment,
        _ if name == "pylock.toml" || (name.starts_with("pylock.") && name.ends_with(".toml")) => FileKind::Pylock,
        _ if is_yaml && stem.ends_with("conda-lock") => FileKind::CondaLock,
        _ if name.starts_with("conda-") && name.ends_with(".lock") => FileKind::CondaExplicit,
        _ if is_yaml && is_environment_name(stem) => FileKind::CondaEnvironment,
        _ if name.ends_with(".json") && is_report_name(stem) => FileKind::PipReport,
        _ if looks_like_requirements(folder, name) => {
            if name.contains("constraint") {
                FileKind::Constraints
            } else {
                FileKind::Requirements
            }
        }
        _ => return None,
    })
}

/// `environment.yml`, `environment-gpu.yml`, `conda.yaml`, `conda-env.yml`, `env.yml`.
fn is_environment_name(stem: &str) -> bool {
    let rest = ["environment", "conda", "env"].iter().find_map(|start| stem.strip_prefix(start));
    let is_named = stem.ends_with("environment") || stem.ends_with("-env") || stem.ends_with("_env");
    is_named || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.']))
}

/// `pip-report.json`, `pip_install_report-gpu.json`.
fn is_report_name(stem: &str) -> bool {
    stem.starts_with("pip") && stem.contains("report")
}

/// Reads a text as what it is.
pub(super) fn read(text: &Text, kind: FileKind) -> Page<'_> {
    // `conda list --explicit` names no file: people write it to any.
    let is_list = matches!(kind, FileKind::Requirements | FileKind::Constraints);
    let kind = if is_list && conda_explicit::is_explicit(&text.text) { FileKind::CondaExplicit } else { kind };
    let mut page = Page::new(text, kind);
    if text.is_lossy {
        page.incomplete(1, "some bytes are no text in UTF-8, and were read as U+FFFD");
    }
    // pip reads lists, and Python its own programs, in the encoding that they name.
    if let Some(encoding) = text.other_encoding().filter(|_| kind.is_of_python()) {
        page.incomplete(1, &format!("it says that it is written in '{encoding}', and was read as UTF-8"));
    }
    match kind {
        FileKind::Requirements | FileKind::Constraints => requirements::read(&mut page),
        FileKind::Pyproject => page.with(tree::toml, pyproject::read),
        FileKind::UvLock => page.with(tree::toml, uv_lock::read),
        FileKind::PoetryLock => page.with(tree::toml, poetry_lock::read),
        FileKind::PdmLock => page.with(tree::toml, pdm_lock::read),
        FileKind::Pylock => page.with(tree::toml, pylock::read),
        FileKind::Pipfile => page.with(tree::toml, pipfile::read),
        FileKind::PipfileLock => page.with(tree::json, pipfile_lock::read),
        FileKind::CondaEnvironment => page.with(tree::yaml, conda_environment::read),
        FileKind::MlflowEnvironment => page.with(tree::yaml, conda_environment::read_mlflow),
        FileKind::CondaLock => page.with(tree::yaml, conda_lock::read),
        FileKind::CondaExplicit => conda_explicit::read(&mut page),
        FileKind::SetupCfg => setup_cfg::read(&mut page),
        FileKind::SetupPy => setup_py::read(&mut page),
        FileKind::PythonVersion => python_version::read(&mut page),
        FileKind::PipReport => page.with(tree::json, pip_report::read),
        FileKind::Installed => {}
    }
    page.file.packages = page.dependencies.len();
    page
}

impl<'t> Page<'t> {
    fn new(text: &'t Text, kind: FileKind) -> Self {
        let file = FileRead {
            path: text.path.clone(),
            kind,
            packages: 0,
            complete: true,
            includes: Vec::new(),
            requires_hashes: false,
            groups: Vec::new(),
            own_names: Vec::new(),
        };
        Self {
            text,
            file,
            dependencies: Vec::new(),
            indexes: Vec::new(),
            addresses: BTreeMap::new(),
            python: Vec::new(),
            notices: Vec::new(),
            findings: Vec::new(),
            includes: Vec::new(),
            filled_elsewhere: None,
        }
    }

    fn with(&mut self, parse: fn(&Text) -> Result<tree::Node, String>, read: fn(&mut Self, &tree::Node)) {
        match parse(self.text) {
            Ok(root) => read(self, &root),
            Err(why) => self.incomplete(1, &format!("nothing of this file could be read: {why}")),
        }
    }

    /// A place in this file.
    pub(super) fn at(&self, line: u64) -> Location {
        Location { line: Some(line), ..Location::file(self.text.path.clone()) }
    }

    /// Says that something was not understood.
    pub(super) fn incomplete(&mut self, line: u64, message: &str) {
        let next = "correct what is meant for a tool; what is not understood here may still be installed by one";
        match self.findings.len() {
            // A file can hold millions of lines that are not understood.
            more if more > MAX_TOLD => self.findings[MAX_TOLD].count += 1,
            MAX_TOLD => {
                let message = "more of this file is not understood, and is not told line by line";
                self.findings.push(incomplete(self.at(line), message, next));
            }
            _ => self.findings.push(incomplete(self.at(line), message, next)),
        }
        self.file.complete = false;
    }

    /// A package, of which the name is known.
    pub(super) fn named(&self, name: &str, line: u64) -> Dependency {
        requirement::named(Ecosystem::Pypi, name, self.at(line))
    }

    pub(super) fn add(&mut self, mut dependency: Dependency) {
        if self.dependencies.len() >= MAX_PACKAGES {
            return self.incomplete(1, "it names more packages than are read");
        }
        if self.file.kind.is_lock() {
            dependency.standing = Standing::Locked;
        }
        self.dependencies.push(dependency);
    }

    /// A requirement as PEP 508 writes it.
    pub(super) fn requirement(&mut self, written: &str, line: u64, group: Option<&str>) {
        match requirement::parse(written, self.at(line)) {
            Ok(dependency) => self.add(Dependency { group: group.map(str::to_owned), ..dependency }),
            Err(why) => self.incomplete(line, &format!("'{written}' is no requirement: {why}")),
        }
    }

    /// A line as it stands in a list that pip reads: a package, or an option.
    pub(super) fn pip_line(&mut self, written: &str, line: u64, group: Option<&str>) {
        let text = Text::new(self.text.path.clone(), written.as_bytes());
        let inner = read(&text, FileKind::Requirements);
        let (location, group) = (self.at(line), group.map(str::to_owned));
        self.indexes.extend(inner.indexes.into_iter().map(|it| Index { location: location.clone(), ..it }));
        self.includes.extend(inner.includes.into_iter().map(|it| Include { line, group: group.clone(), ..it }));
        inner.findings.iter().for_each(|finding| self.incomplete(line, &finding.message));
        for dependency in inner.dependencies {
            self.add(Dependency { location: location.clone(), group: group.clone(), ..dependency });
        }
    }

    /// A place where packages are looked for.
    pub(super) fn index(&mut self, url: &str, role: IndexRole, name: Option<&str>, line: u64) {
        if self.indexes.len() >= MAX_INDEXES {
            return self.incomplete(line, "it names more indexes than are read");
        }
        let (url, has_credentials) = source::without_login(url.trim());
        if let Some(name) = name {
            self.addresses.entry(name.to_owned()).or_insert_with(|| url.clone());
        }
        let (name, location) = (name.map(str::to_owned), self.at(line));
        self.indexes.push(Index { url, role, name, has_credentials, location });
    }

    /// The address of an index, by what the file calls it.
    pub(super) fn address_of(&self, name: &str) -> Option<String> {
        self.addresses.get(name).cloned()
    }

    /// A version of Python that is asked for; `*` and nothing ask for none.
    pub(super) fn python(&mut self, constraint: &str, line: u64) {
        let constraint = constraint.trim();
        if self.python.len() >= MAX_PYTHONS {
            return self.incomplete(line, "it asks for more versions of Python than are read");
        }
        if !constraint.is_empty() && constraint != "*" {
            self.python.push(PythonClaim { constraint: constraint.to_owned(), location: self.at(line) });
        }
    }
}

/// A source beside the index, as tables of Poetry, Pipenv and uv tell it: `git`, `url`, `path`.
fn source_of(table: &tree::Node) -> Option<(DependencySource, Vec<String>)> {
    for system in ["git", "hg", "svn", "bzr"] {
        if let Some(url) = table.text_of(system) {
            let told = ["rev", "ref", "tag", "branch", "revision"].iter().find_map(|key| table.text_of(key));
            return Some((source::repository(url, told), Vec::new()));
        }
    }
    if let Some(url) = table.text_of("url").or_else(|| table.text_of("file").filter(|file| file.contains("://"))) {
        let found = source::address(url);
        return Some((found.source, found.digests));
    }
    let path = table.text_of("path").or_else(|| table.text_of("file"))?;
    let editable = table.flag_of("editable").or_else(|| table.flag_of("develop")).unwrap_or(false);
    Some((DependencySource::Path { path: path.to_owned(), editable }, Vec::new()))
}

/// Digests as lock files list them: texts, or tables with a `hash`. Each once.
fn digests_of(list: &[tree::Node]) -> Vec<String> {
    let texts = list.iter().filter_map(|item| item.text().or_else(|| item.text_of("hash")));
    let mut digests: Vec<String> = texts.filter(|text| text.contains(':')).map(str::to_ascii_lowercase).collect();
    digests.sort_unstable();
    digests.dedup();
    digests
}

/// Names in a list of requirements.
fn names_of(list: &[tree::Node]) -> Vec<String> {
    let parsed = list.iter().filter_map(|item| requirement::parse(item.text()?, Location::file("")).ok());
    parsed.map(|dependency| dependency.name).collect()
}
