//! Which versions go together: tables that are shipped with waag and are read when they are first asked. Where they come
//! from and how sure each column is stands in `data/compat/README.md`.

use std::str::FromStr;
use std::sync::OnceLock;

use pep440_rs::{Version, VersionSpecifiers};

/// The day on which the tables were put together.
pub const MADE: &str = "2026-11-22";

/// A release of a package of Python.
#[derive(Debug, Clone)]
pub(super) struct Release {
    pub(super) version: Version,
    /// The tags of Python that there are wheels for: `cp311`, or `py3` for any.
    pub(super) python_tags: Vec<String>,
    /// The least minor version of Python 3 that its metadata allows.
    pub(super) python_min: Option<u64>,
    /// The day on which it was released.
    pub(super) released: String,
}

impl Release {
    /// Whether there is a wheel for Python 3.`minor`.
    pub(super) fn has_wheel_for(&self, minor: u64) -> bool {
        let tag = format!("cp3{minor}");
        let is_late_enough = self.python_min.is_none_or(|least| least <= minor);
        is_late_enough && self.python_tags.iter().any(|one| *one == tag || one == "py3")
    }
}

/// torch on the Python Package Index.
#[derive(Debug)]
pub(super) struct Torch {
    pub(super) release: Release,
    /// The CUDA runtime that its wheels for Linux bring, where they bring one.
    pub(super) cuda: Option<Version>,
    /// Exact versions of NVIDIA's packages that it asks for.
    pub(super) nvidia: Vec<(String, Version)>,
}

/// torchvision or torchaudio.
#[derive(Debug)]
pub(super) struct Companion {
    pub(super) release: Release,
    /// Which torch it needs; none where it says nothing.
    pub(super) torch: Option<VersionSpecifiers>,
    /// Whether that was read in its metadata, or concluded from the only version that a resolver accepts.
    pub(super) is_read: bool,
}

/// A minor version of torch, as its own list of releases has it.
#[derive(Debug)]
pub(super) struct Minor {
    pub(super) torch: (u64, u64),
    pub(super) python_min: u64,
    pub(super) python_max: u64,
    /// Versions of CUDA that it was built for.
    pub(super) cuda: Vec<Version>,
}

/// A minor version of TensorFlow.
#[derive(Debug)]
pub(super) struct Tensorflow {
    pub(super) version: Version,
    /// The release on the index that was looked at.
    pub(super) checked: Option<Version>,
    pub(super) python: Vec<(u64, u64)>,
    pub(super) python_tags: Vec<String>,
    pub(super) cuda: Version,
    pub(super) cudnn: Version,
    /// What a resolver took for CUDA on [`MADE`], where the package has an extra for it.
    pub(super) resolved_cuda: Option<Version>,
    /// What a resolver took for Keras: several where it depends on Python.
    pub(super) keras: Vec<Version>,
}

/// A release of JAX with one of its extras for CUDA.
#[derive(Debug)]
pub(super) struct Jax {
    pub(super) version: Version,
    pub(super) extra: String,
    /// What a resolver took: the newest that is accepted.
    pub(super) jaxlib: Version,
    pub(super) python_min: u64,
    pub(super) cuda: Version,
    pub(super) released: String,
}

/// What a package says that it needs, as its metadata was read.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) package: String,
    pub(super) version: Version,
    pub(super) needs: String,
    pub(super) specifiers: VersionSpecifiers,
}

/// A release of the CUDA toolkit.
#[derive(Debug)]
pub(super) struct Toolkit {
    pub(super) cuda: Version,
    /// The driver for Linux that comes with it: with this one, everything works.
    pub(super) driver: Version,
    /// The least driver with which programs of this major version start at all.
    pub(super) least: Option<Version>,
}

/// All tables. Packages stand in ascending order of version.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) torch: Vec<Torch>,
    pub(super) matrix: Vec<Minor>,
    pub(super) torchvision: Vec<Companion>,
    pub(super) torchaudio: Vec<Companion>,
    pub(super) tensorflow: Vec<Tensorflow>,
    pub(super) jax: Vec<Jax>,
    pub(super) declared: Vec<Declared>,
    pub(super) toolkits: Vec<Toolkit>,
}

/// The tables.
pub(super) fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(Tables::read)
}

impl Tables {
    fn read() -> Self {
        let declared = declared();
        let companion = |name, text| ascending(companions(name, text, &declared), |row| &row.release.version);
        Self {
            torch: ascending(torch(), |row| &row.release.version),
            matrix: matrix(),
            torchvision: companion("torchvision", include_str!("../../data/compat/torchvision.csv")),
            torchaudio: companion("torchaudio", include_str!("../../data/compat/torchaudio.csv")),
            tensorflow: ascending(tensorflow(), |row| &row.version),
            jax: ascending(jax(), |row| &row.version),
            toolkits: ascending(toolkits(), |row| &row.driver),
            declared,
        }
    }

    /// torch of this version.
    pub(super) fn torch(&self, version: &Version) -> Option<&Torch> {
        self.torch.iter().find(|row| row.release.version == *version)
    }

    /// The minor version that a version of torch belongs to.
    pub(super) fn minor(&self, version: &Version) -> Option<&Minor> {
        let minor = minor_of(version);
        self.matrix.iter().find(|row| row.torch == minor)
    }

    /// The toolkit's first release of this minor version.
    pub(super) fn toolkit(&self, cuda: &Version) -> Option<&Toolkit> {
        let minor = minor_of(cuda);
        self.toolkits.iter().find(|row| minor_of(&row.cuda) == minor)
    }

    /// The least driver of a major version of CUDA.
    pub(super) fn least_driver(&self, cuda: &Version) -> Option<&Version> {
        let major = minor_of(cuda).0;
        self.toolkits.iter().filter(|row| minor_of(&row.cuda).0 == major).find_map(|row| row.least.as_ref())
    }
}

/// Major and minor number.
pub(super) fn minor_of(version: &Version) -> (u64, u64) {
    let release = version.release();
    (release.first().copied().unwrap_or(0), release.get(1).copied().unwrap_or(0))
}

fn ascending<T>(mut rows: Vec<T>, version: impl Fn(&T) -> &Version) -> Vec<T> {
    rows.sort_by(|one, other| version(one).cmp(version(other)));
    rows
}

/// A row of a table, by the names of its columns.
struct Row {
    names: csv::StringRecord,
    cells: csv::StringRecord,
}

impl Row {
    fn text(&self, name: &str) -> &str {
        let index = self.names.iter().position(|one| one == name);
        index.and_then(|index| self.cells.get(index)).unwrap_or_default().trim()
    }

    fn words(&self, name: &str) -> Vec<String> {
        self.text(name).split_whitespace().map(str::to_owned).collect()
    }

    fn version(&self, name: &str) -> Option<Version> {
        Version::from_str(self.text(name)).ok()
    }

    fn versions(&self, name: &str) -> Vec<Version> {
        self.text(name).split_whitespace().filter_map(|word| Version::from_str(word).ok()).collect()
    }

    fn python_minor(&self, name: &str) -> Option<u64> {
        python_minor(self.text(name))
    }

    fn release(&self) -> Option<Release> {
        Some(Release {
            version: self.version("version")?,
            python_tags: self.words("python_tags"),
            python_min: self.python_minor("requires_python_min"),
            released: self.text("released").to_owned(),
        })
    }
}

fn python_minor(text: &str) -> Option<u64> {
    text.trim().strip_prefix("3.")?.parse().ok()
}

fn rows(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().cloned().unwrap_or_default();
    reader.records().flatten().map(|cells| Row { names: names.clone(), cells }).collect()
}

fn torch() -> Vec<Torch> {
    let read = |row: &Row| {
        Some(Torch {
            release: row.release()?,
            cuda: row.version("cuda_runtime"),
            nvidia: exact_pins(row.text("nvidia_pins"), row.version("cuda_runtime").as_ref()),
        })
    };
    rows(include_str!("../../data/compat/torch_pypi.csv")).iter().filter_map(read).collect()
}

/// Exact versions among what a resolver took: nvjitlink of another CUDA than the runtime's was not asked for by torch, and
/// where several versions stand, none was.
fn exact_pins(text: &str, cuda: Option<&Version>) -> Vec<(String, Version)> {
    let pins = text.split_whitespace().filter_map(|pin| pin.split_once("=="));
    let pins = pins.filter_map(|(name, version)| Some((name.to_owned(), Version::from_str(version).ok()?)));
    pins.filter(|(name, version)| {
        let is_asked_for = name.starts_with("nvidia-");
        let is_helper = name.starts_with("nvidia-nvjitlink");
        is_asked_for && (!is_helper || cuda.is_some_and(|cuda| minor_of(cuda) == minor_of(version)))
    })
    .collect()
}

fn companions(name: &str, text: &str, declared: &[Declared]) -> Vec<Companion> {
    let read = |row: &Row| {
        let release = row.release()?;
        let said =
            declared.iter().find(|one| one.package == name && one.version == release.version && one.needs == "torch");
        let exact = match row.words("torch").as_slice() {
            [only] => VersionSpecifiers::from_str(&format!("=={only}")).ok(),
            _ => None,
        };
        let is_read = said.is_some();
        let torch = said.map(|one| one.specifiers.clone()).or(exact);
        Some(Companion { release, torch: torch.filter(|specifiers| !specifiers.is_empty()), is_read })
    };
    rows(text).iter().filter_map(read).collect()
}

fn matrix() -> Vec<Minor> {
    let read = |row: &Row| {
        let mut cuda = row.versions("cuda_stable");
        cuda.extend(row.versions("cuda_experimental"));
        let torch = minor_of(&row.version("torch")?);
        Some(Minor {
            torch,
            python_min: row.python_minor("python_min")?,
            python_max: row.python_minor("python_max")?,
            cuda,
        })
    };
    rows(include_str!("../../data/compat/torch_matrix.csv")).iter().filter_map(read).collect()
}

fn tensorflow() -> Vec<Tensorflow> {
    let read = |row: &Row| {
        Some(Tensorflow {
            version: row.version("version")?,
            checked: row.version("pypi_checked_version"),
            python: row.text("python").split(',').filter_map(python_span).collect(),
            python_tags: row.words("pypi_python_tags"),
            cuda: row.version("cuda")?,
            cudnn: row.version("cudnn")?,
            resolved_cuda: row.version("pypi_cuda_runtime"),
            keras: row.versions("pypi_keras"),
        })
    };
    rows(include_str!("../../data/compat/tensorflow.csv")).iter().filter_map(read).collect()
}

/// `3.8-3.11` as minor versions.
fn python_span(text: &str) -> Option<(u64, u64)> {
    let (from, to) = text.trim().split_once('-')?;
    Some((python_minor(from)?, python_minor(to)?))
}

fn jax() -> Vec<Jax> {
    let read = |row: &Row| {
        Some(Jax {
            version: row.version("version")?,
            extra: row.text("extra").to_owned(),
            jaxlib: row.version("jaxlib")?,
            python_min: row.python_minor("requires_python_min")?,
            cuda: row.version("cuda_runtime")?,
            released: row.text("released").to_owned(),
        })
    };
    rows(include_str!("../../data/compat/jax.csv")).iter().filter_map(read).collect()
}

fn declared() -> Vec<Declared> {
    let read = |row: &Row| {
        let text = row.text("declared_specifier");
        // A package without requirements says so in words.
        let text = if text.starts_with('(') { "" } else { text };
        Some(Declared {
            package: row.text("package").to_owned(),
            version: row.version("version")?,
            needs: row.text("dependency").to_owned(),
            specifiers: VersionSpecifiers::from_str(text).ok()?,
        })
    };
    rows(include_str!("../../data/compat/declared_requires.csv")).iter().filter_map(read).collect()
}

fn toolkits() -> Vec<Toolkit> {
    let read = |row: &Row| {
        Some(Toolkit {
            cuda: row.version("cuda")?,
            driver: row.version("linux_driver_bundled")?,
            least: row.version("minor_compat_min_driver"),
        })
    };
    rows(include_str!("../../data/compat/cuda_driver.csv")).iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> usize {
        text.lines().count() - 1
    }

    #[test]
    fn every_row_is_read() {
        let tables = tables();
        assert_eq!(tables.torch.len(), lines(include_str!("../../data/compat/torch_pypi.csv")));
        assert_eq!(tables.matrix.len(), lines(include_str!("../../data/compat/torch_matrix.csv")));
        assert_eq!(tables.torchvision.len(), lines(include_str!("../../data/compat/torchvision.csv")));
        assert_eq!(tables.torchaudio.len(), lines(include_str!("../../data/compat/torchaudio.csv")));
        assert_eq!(tables.tensorflow.len(), lines(include_str!("../../data/compat/tensorflow.csv")));
        assert_eq!(tables.jax.len(), lines(include_str!("../../data/compat/jax.csv")));
        assert_eq!(tables.declared.len(), lines(include_str!("../../data/compat/declared_requires.csv")));
        assert_eq!(tables.toolkits.len(), lines(include_str!("../../data/compat/cuda_driver.csv")));
    }

    #[test]
    fn what_metadata_says_counts_more_than_what_was_resolved() {
        let needs = |version: &str| {
            let row = tables().torchvision.iter().find(|row| row.release.version.to_string() == version).unwrap();
            (row.torch.as_ref().unwrap().to_string(), row.is_read)
        };
        assert_eq!(needs("0.29.1"), (">=2.14.0".to_owned(), true));
        assert_eq!(needs("0.29.0"), ("==2.14.0".to_owned(), false));
        let audio = tables().torchaudio.last().unwrap();
        assert!(audio.torch.is_none() && audio.is_read);
    }

    #[test]
    fn a_toolkit_is_its_first_release() {
        let cuda = Version::from_str("12.1").unwrap();
        assert_eq!(tables().toolkit(&cuda).unwrap().driver.to_string(), "530.30.02".replace(".02", ".2"));
        assert_eq!(tables().least_driver(&cuda).unwrap().to_string(), "525");
        assert!(tables().least_driver(&Version::from_str("10.2").unwrap()).is_none());
    }
}
