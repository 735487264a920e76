//! Names of files that a model keeps its numbers in. They come from the model, and a loader opens them.

use crate::fact::{Anomaly, FactKind, Position, ReferenceKind};
use crate::facts::Facts;

/// Where ONNX Runtime takes an address in its own memory for a file.
const MEMORY: &str = "*/_ORT_";

/// Why a loader should not open a name: none when it stays within the model's folder.
#[must_use]
pub fn objection(location: &str) -> Option<&'static str> {
    let parts = || location.split(['/', '\\']);
    let bytes = location.as_bytes();
    Some(match () {
        () if location.is_empty() => "is empty",
        () if location.starts_with(MEMORY) => "is an address in the memory of whoever loads it",
        () if location.contains('\0') => "holds a NUL, behind which some readers see nothing",
        () if location.contains("://") => "is an address on a network, or another scheme than a file's",
        () if location.starts_with("\\\\") || location.starts_with("//") => "is on another machine",
        () if location.starts_with(['/', '\\']) => "is an absolute path",
        () if bytes.get(1) == Some(&b':') && bytes.first().is_some_and(u8::is_ascii_alphabetic) => "names a drive",
        () if parts().any(|part| part == "..") => "climbs out of the model's folder",
        () if location.starts_with('~') => "starts in a home folder, where it is expanded",
        () if location.contains('\\') => "has backslashes, which only some readers take for folders",
        () if parts().all(|part| matches!(part, "" | ".")) => "is a folder",
        () => return None,
    })
}

/// Notes a file that a loader opens beside the model; where it lies outside, that it does. True when it is inside.
pub fn note(location: &str, whose: &str, offset: u64, facts: &mut Facts) -> bool {
    if let Some(objection) = objection(location) {
        let detail = format!("{whose} is in '{location}', which {objection}");
        facts.anomaly(offset, Anomaly::ExternalData, detail);
        return false;
    }
    let reference = FactKind::Reference { kind: ReferenceKind::Numbers, target: location.to_owned() };
    facts.push(Position::Offset(offset), reference);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_within_the_folder_are_fine() {
        for location in ["weights.bin", "./model.onnx.data", "sub/weights.bin", "a..b", "..data"] {
            assert_eq!(objection(location), None, "{location}");
        }
    }

    #[test]
    fn names_outside_are_told() {
        for location in [
            "",
            "/etc/passwd",
            "../../etc/passwd",
            "sub/../../x",
            "..\\x",
            "C:\\x",
            "c:x",
            "\\\\host\\share\\x",
            "//host/share",
            "http://example.com/x",
            "file:///etc/passwd",
            "a\0b",
            "~/.ssh/id_rsa",
            "a\\b",
            ".",
            "*/_ORT_MEM_ADDR_/*",
        ] {
            assert!(objection(location).is_some(), "{location}");
        }
    }
}
