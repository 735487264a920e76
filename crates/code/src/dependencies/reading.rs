//! What was read of a project's dependencies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use waag_evidence::{Dependency, Finding, Location};

use super::text::Text;

/// Everything that a project's files, or an environment, say of packages.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reading {
    /// What was read, in order of path.
    pub files: Vec<FileRead>,
    /// Packages: one entry for each place that names one, by file and line.
    pub dependencies: Vec<Dependency>,
    /// Where packages are looked for, as far as the files say it.
    pub indexes: Vec<Index>,
    /// The versions of Python that are asked for.
    pub python: Vec<PythonClaim>,
    /// Folders of tools, which were seen and not read: `.venv`, `.git`, `node_modules`.
    pub passed_over: Vec<String>,
    /// What publishers say of packages and versions that nobody should begin with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// What verifying installed files came to; none where nothing installed was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
    /// What was found while reading; with [`super::examine`], what every check found too.
    pub findings: Vec<Finding>,
    /// The folder that was asked about: what it is called says nothing of what is in it.
    #[serde(skip)]
    pub(super) root: PathBuf,
    /// The texts, for showing a line.
    #[serde(skip)]
    pub(super) texts: BTreeMap<String, Text>,
}

/// A file that was read, or a package that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileRead {
    /// Its path, as it is named to people.
    pub path: String,
    /// What it was read as.
    pub kind: FileKind,
    /// Packages that it names.
    pub packages: usize,
    /// Whether all of it was understood.
    pub complete: bool,
    /// Files that it takes in with `-r` and `-c`, as far as they were read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<String>,
    /// Whether it demands a digest for everything (`--require-hashes`).
    #[serde(skip_serializing_if = "is_false")]
    pub requires_hashes: bool,
    /// Groups that a lock file was made for, where it says that; empty where it holds all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Names of what it builds: these are no dependencies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub own_names: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// `requirements.txt`, `requirements/*.txt`, `*.in`.
    Requirements,
    /// `constraints.txt`, or what is only taken in with `-c`.
    Constraints,
    /// `pyproject.toml`.
    Pyproject,
    /// `setup.cfg`.
    SetupCfg,
    /// `setup.py`: what it says in so many words.
    SetupPy,
    /// `Pipfile`.
    Pipfile,
    /// A conda `environment.yml`.
    CondaEnvironment,
    /// MLflow's `python_env.yaml`.
    MlflowEnvironment,
    /// `.python-version`.
    PythonVersion,
    /// `uv.lock`.
    UvLock,
    /// `poetry.lock`.
    PoetryLock,
    /// `pdm.lock`.
    PdmLock,
    /// `pylock.toml` (PEP 751).
    Pylock,
    /// `Pipfile.lock`.
    PipfileLock,
    /// `conda-lock.yml`.
    CondaLock,
    /// A list of archives for one platform, below `@EXPLICIT`.
    CondaExplicit,
    /// What pip says that it installed, or would have (`pip install --report`).
    PipReport,
    /// A package that is installed.
    Installed,
}

impl FileKind {
    /// Whether a tool resolved it: versions in it are exact.
    #[must_use]
    pub const fn is_lock(self) -> bool {
        matches!(
            self,
            Self::UvLock
                | Self::PoetryLock
                | Self::PdmLock
                | Self::Pylock
                | Self::PipfileLock
                | Self::CondaLock
                | Self::CondaExplicit
        )
    }

    /// Whether its first lines may name its encoding.
    pub(super) const fn is_of_python(self) -> bool {
        matches!(self, Self::Requirements | Self::Constraints | Self::SetupPy)
    }

    /// What people call it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requirements => "requirements",
            Self::Constraints => "constraints",
            Self::Pyproject => "project",
            Self::SetupCfg | Self::SetupPy => "setup",
            Self::Pipfile => "Pipfile",
            Self::CondaEnvironment => "conda environment",
            Self::MlflowEnvironment => "MLflow environment",
            Self::PythonVersion => "Python version",
            Self::UvLock => "lock of uv",
            Self::PoetryLock => "lock of Poetry",
            Self::PdmLock => "lock of PDM",
            Self::Pylock => "lock (PEP 751)",
            Self::PipfileLock => "lock of Pipenv",
            Self::CondaLock => "lock of conda-lock",
            Self::CondaExplicit => "explicit list of conda",
            Self::PipReport => "report of pip",
            Self::Installed => "installed",
        }
    }
}

/// A place where packages are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Index {
    /// Its address, without a name and password; of a trusted host, the host.
    pub url: String,
    /// What it is used for.
    pub role: IndexRole,
    /// What the project calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether a password or token is written in the address. It is not kept.
    pub has_credentials: bool,
    /// Where it is written.
    pub location: Location,
}

/// What an index is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndexRole {
    /// In place of the usual one.
    Main,
    /// Asked together with another one; the higher version wins, whoever published it.
    Extra,
    /// Asked before another one, and what it has is not looked for elsewhere.
    First,
    /// Asked only for packages that name it.
    Explicit,
    /// A page or folder of archives beside an index (`--find-links`).
    Links,
    /// A channel of conda.
    Channel,
    /// A host whose certificate is not checked (`--trusted-host`, `verify_ssl = false`).
    Unverified,
}

/// A version of Python that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PythonClaim {
    /// What is asked for, as a specifier of PEP 440 where it can be told as one: `>=3.10`, `==3.11.*`.
    pub constraint: String,
    /// Where.
    pub location: Location,
}

/// What its publisher says of a package that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Notice {
    /// The package.
    pub package: String,
    /// The version that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What is said.
    pub says: Says,
    /// Where.
    pub location: Location,
}

/// What a publisher says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// The package is given up: the classifier `Development Status :: 7 - Inactive`.
    Inactive,
    /// The version was withdrawn from its index ("yanked", PEP 592).
    Yanked,
}

/// The classifier of a package that is given up. <https://pypi.org/classifiers/>
pub(super) const INACTIVE: &str = "Development Status :: 7 - Inactive";

/// What verifying installed files came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verified {
    /// Files that have the digest that was recorded for them.
    pub matching: u64,
    /// Files that do not.
    pub changed: u64,
    /// Files that are recorded and not there.
    pub missing: u64,
    /// Files that no package has recorded.
    pub unlisted: u64,
    /// Files that are recorded without a digest that can be checked, as compiled modules are.
    pub unchecked: u64,
    /// Packages without a record of their files.
    pub unrecorded: u64,
}

impl Reading {
    /// What a project's files say, with what is installed in the same folder.
    pub(super) fn with_installed(mut self, installed: Self) -> Self {
        self.files.extend(installed.files);
        self.dependencies.extend(installed.dependencies);
        self.notices.extend(installed.notices);
        self.findings.extend(installed.findings);
        self.passed_over.retain(|folder| !folder.ends_with("-packages"));
        Self { verified: installed.verified, ..self }
    }

    /// The files that say what is needed: all but what is installed.
    pub(super) fn declaring(&self) -> impl Iterator<Item = &FileRead> {
        self.files.iter().filter(|file| file.kind != FileKind::Installed)
    }

    /// The file at a path, as it is named to people.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&FileRead> {
        self.files.iter().find(|file| file.path == path)
    }

    /// A file's path below the folder that was asked about.
    pub(super) fn below<'p>(&self, path: &'p str) -> &'p str {
        Path::new(path).strip_prefix(&self.root).ok().and_then(Path::to_str).unwrap_or(path)
    }

    /// The line that a place is at, as it was read; none where no text is there.
    #[must_use]
    pub fn line(&self, location: &Location) -> Option<&str> {
        self.texts.get(&location.file)?.line(location.line?)
    }

    /// How many packages are named, each once.
    #[must_use]
    pub fn packages(&self) -> usize {
        let names: std::collections::BTreeSet<_> =
            self.dependencies.iter().map(|dependency| (dependency.ecosystem, &dependency.name)).collect();
        names.len()
    }
}
