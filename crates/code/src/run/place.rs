//! Where a file lies, and what follows: most of what a program reads is what it runs on, and is told as a whole.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

/// What kind of place a file lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// What the kernel makes up, or waag's own: of no account.
    Nowhere,
    /// A Python package: folded into it.
    Package,
    /// Python's standard library.
    Standard,
    /// What the system is made of.
    System,
    /// Anything else: a file of its own in the provenance.
    Own,
}

const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];
/// Memory that programs share by names, where data lies as in any other folder.
const NOT_KERNEL: [&str; 2] = ["/dev/shm", "/dev/hugepages"];
const SYSTEM: [&str; 14] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/sbin",
    "/etc",
    "/run",
    "/var/lib",
    "/var/cache",
    "/var/run",
    "/nix/store",
    "/gnu/store",
];
/// Where images keep what they are for, and disks of the user's, below a place of the system.
const NOT_SYSTEM: [&str; 4] = ["/usr/src", "/usr/local/src", "/usr/local/share/models", "/run/media"];

/// Places of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// Folders and files whose files count one by one: the working directory and what was declared.
    pub(super) own: Vec<PathBuf>,
    /// Waag's own.
    pub(super) ignored: Vec<PathBuf>,
}

impl Places {
    /// Where a file lies, by its absolute name.
    pub(super) fn of(&self, path: &Path) -> Place {
        let below = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
        if (below(&KERNEL) && !below(&NOT_KERNEL)) || self.ignored.iter().any(|folder| path.starts_with(folder)) {
            Place::Nowhere
        } else if packages_of(path).is_some() {
            Place::Package
        } else if is_standard(path) {
            Place::Standard
        } else if self.own.iter().any(|folder| path.starts_with(folder)) {
            Place::Own
        } else if (below(&SYSTEM) && !below(&NOT_SYSTEM)) || is_library(path) {
            Place::System
        } else {
            Place::Own
        }
    }
}

/// The folder of packages that a file lies in, when it does.
pub(super) fn packages_of(path: &Path) -> Option<PathBuf> {
    let is_packages = |name: &OsStr| name == "site-packages" || name == "dist-packages";
    let mut folder = PathBuf::new();
    let mut components = path.components();
    while let Some(component) = components.next() {
        folder.push(component);
        if is_packages(component.as_os_str()) && components.clone().next().is_some() {
            return Some(folder);
        }
    }
    None
}

fn is_standard(path: &Path) -> bool {
    let mut names = path.components().map(Component::as_os_str).peekable();
    while let Some(name) = names.next() {
        let version = names.peek().and_then(|next| next.as_bytes().strip_prefix(b"python3"));
        if (name == "lib" || name == "lib64") && version.is_some() {
            return true;
        }
    }
    false
}

/// Shared libraries lie anywhere: `libcudart.so.12`.
fn is_library(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    name.starts_with(b"lib") && (name.ends_with(b".so") || name.windows(4).any(|part| part == b".so."))
}

/// A name without `.`, `..` and doubled slashes, by the text alone: `a/../b` is `b`.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(normal.pop()),
            other => normal.push(other),
        }
    }
    normal
}

/// Whether `normal` could change what a name leads to.
pub(super) fn goes_up(path: &Path) -> bool {
    path.components().any(|component| component == Component::ParentDir)
}

/// A name as provenance tells it: relative below `folder`, with `~` below the user's home, else absolute.
pub(super) fn shown(path: &Path, folder: &Path) -> String {
    if let Ok(relative) = path.strip_prefix(folder) {
        return relative.to_string_lossy().into_owned();
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.components().count() > 1);
    match home.as_ref().and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", rest.to_string_lossy()),
        None => path.to_string_lossy().into_owned(),
    }
}

/// The opposite of [`shown`].
pub(super) fn found(name: &str, folder: &Path) -> PathBuf {
    match (name.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => folder.join(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_where_they_do() {
        let places =
            Places { own: vec!["/usr/src/app".into(), "/etc/model.cfg".into()], ignored: vec!["/tmp/w".into()] };
        for (path, place) in [
            ("/proc/self/maps", Place::Nowhere),
            ("/tmp/w/a", Place::Nowhere),
            ("/usr/src/app/.venv/lib/python3.11/site-packages/numpy/core.so", Place::Package),
            ("/usr/lib/python3/dist-packages/yaml/__init__.py", Place::Package),
            ("/opt/conda/lib/python3.12/json/__init__.py", Place::Standard),
            ("/usr/src/app/train.py", Place::Own),
            ("/usr/src/other/train.py", Place::Own),
            ("/etc/ld.so.cache", Place::System),
            ("/etc/model.cfg", Place::Own),
            ("/opt/cuda/lib/libcudart.so.12", Place::System),
            ("/data/train.csv", Place::Own),
            ("/site-packages", Place::Own),
            ("/dev/shm/train.bin", Place::Own),
            ("/dev/null", Place::Nowhere),
            ("/run/media/me/disk/train.csv", Place::Own),
            ("/run/user/1000/x", Place::System),
        ] {
            assert_eq!(places.of(Path::new(path)), place, "{path}");
        }
    }

    #[test]
    fn names_are_made_normal() {
        for (name, expected) in [("/a/./b//c", "/a/b/c"), ("/a/../b", "/b"), ("/../a", "/a")] {
            assert_eq!(normal(Path::new(name)), Path::new(expected));
        }
    }
}
