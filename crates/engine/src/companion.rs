//! Files of plain numbers that belong to a network written beside them, and have no signature of their own.

use std::path::Path;

use waag_formats::child::Role;
use waag_formats::format::Probe;
use waag_formats::recognise;

use crate::io::FileSource;

/// Endings of networks, and the formats whose runtimes read the numbers from a file of the same name that ends in `.bin`.
const NETWORKS: &[(&str, &str)] = &[("xml", "openvino"), ("param", "ncnn")];

/// Whether a network lies beside this file that takes its numbers from it. What is a format by its own bytes stays that.
pub(crate) fn is_weights(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "bin")
        && NETWORKS.iter().any(|(ending, id)| is_a(&path.with_extension(ending), id))
}

fn is_a(path: &Path, id: &str) -> bool {
    let Ok(source) = FileSource::open(path) else { return false };
    let name = path.to_string_lossy();
    let probe = Probe::new(&source, &name, Role::Unknown);
    recognise(&probe).iter().any(|(format, _)| format.meta().id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_belong_to_the_network_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("a.xml"), "<?xml version='1.0'?><net name='a' version='11'/>").unwrap();
        std::fs::write(path("b.xml"), "<?xml version='1.0'?><note/>").unwrap();
        std::fs::write(path("c.param"), "7767517\n0 0\n").unwrap();
        assert!(is_weights(&path("a.bin")) && is_weights(&path("c.bin")));
        assert!(!is_weights(&path("b.bin")) && !is_weights(&path("d.bin")) && !is_weights(&path("a.pkl")));
    }
}
