//! What lies in `__pycache__`: Python takes a file there in place of the source beside the folder, and mostly compares the two.
//! <https://peps.python.org/pep-0552/>

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Endings of what tools keep there: Python's bytecode, and what numba compiles for one machine.
const OF_TOOLS: [&str; 4] = ["pyc", "pyo", "nbi", "nbc"];
/// The bit that says that a digest of the source stands in place of its time and size.
const BY_DIGEST: u8 = 1;
/// The bit that says that the digest is compared with the source.
const COMPARED: u8 = 2;

/// Whether a file of such a folder is what tools keep there, and is not taken without a look at its source.
pub(crate) fn is_ordinary(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let is_bytecode = matches!(ending.as_str(), "pyc" | "pyo");
    OF_TOOLS.contains(&ending.as_str()) && !(is_bytecode && is_taken_unseen(path))
}

/// Whether the head says that the source is not to be compared.
fn is_taken_unseen(path: &Path) -> bool {
    let mut head = [0; 8];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head[4] & (BY_DIGEST | COMPARED) == BY_DIGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytecode_that_is_taken_unseen_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let is_ordinary_with = |name: &str, flags: u8| {
            let path = folder.path().join(name);
            std::fs::write(&path, [0xa7, 0x0d, 0x0d, 0x0a, flags, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
            is_ordinary(&path)
        };
        assert!(is_ordinary_with("a.cpython-311.pyc", 0));
        assert!(is_ordinary_with("b.cpython-311.pyc", 3), "compared with its source");
        assert!(!is_ordinary_with("c.cpython-311.pyc", 1));
        assert!(is_ordinary_with("f.nbi", 1));
        assert!(!is_ordinary_with("model.pkl", 0));
    }
}
