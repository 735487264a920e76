//! Names of members, which the archive's author chose: what is wrong with one, and which are the same to some reader.

use std::collections::BTreeMap;

use crate::fact::Anomaly;
use crate::facts::Facts;
use crate::look_alike;

/// What Unix calls a mode: the bits that tell files from links and devices.
const MODE_TYPE: u32 = 0o170_000;

/// Adds what is wrong with a member's name.
pub(crate) fn check(name: &str, at: u64, facts: &mut Facts) {
    if leaves(name) {
        facts.anomaly(at, Anomaly::PathTraversal, format!("{name} leaves the folder it is unpacked in"));
    } else if let Some(device) = look_alike::device(name) {
        facts.anomaly(at, Anomaly::PathTraversal, format!("'{device}' in {name} is a device to Windows, and no file"));
    } else if name.contains('\\') {
        facts.anomaly(at, Anomaly::DeceptiveName, format!("{name} has a backslash, a folder to some readers only"));
    }
    if let Some(character) = name.chars().find(|&character| is_deceptive(character)) {
        let code = u32::from(character);
        facts.anomaly(at, Anomaly::DeceptiveName, format!("{name} contains the invisible character U+{code:04X}"));
    }
    if let Some(why) = look_alike::mixed_script(name) {
        facts.anomaly(at, Anomaly::DeceptiveName, why);
    } else if let Some(why) = look_alike::judge(name, true) {
        facts.anomaly(at, Anomaly::LookAlike, why);
    }
}

/// Whether a path, read with either kind of slash, can point outside the folder it is unpacked in.
pub(crate) fn leaves(path: &str) -> bool {
    let drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    drive || path.starts_with(['/', '\\']) || path.split(['/', '\\']).any(|part| part == "..")
}

/// Whether a link within `name`'s folder to `target` points outside the archive.
pub(crate) fn link_leaves(name: &str, target: &str) -> bool {
    if target.starts_with(['/', '\\']) || matches!(target.as_bytes(), [_, b':', ..]) {
        return true;
    }
    let mut depth = name.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").count().saturating_sub(1);
    for part in target.split(['/', '\\']) {
        match part {
            ".." if depth == 0 => return true,
            ".." => depth = depth.saturating_sub(1),
            "" | "." => {}
            _ => depth = depth.saturating_add(1),
        }
    }
    false
}

/// Control characters, direction overrides, characters without width, and tags.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character), 0x00ad | 0x061c | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2069 | 0xfeff | 0xe0000..=0xe007f)
}

/// What a mode makes of a member, when it is not a file or a folder.
pub(crate) fn special(mode: u32) -> Option<&'static str> {
    match mode & MODE_TYPE {
        0o120_000 => Some("a symbolic link"),
        0o010_000 => Some("a named pipe"),
        0o020_000 | 0o060_000 => Some("a device"),
        0o140_000 => Some("a socket"),
        _ => None,
    }
}

/// Whether a mode is a named pipe's.
pub(crate) fn is_pipe(mode: u32) -> bool {
    mode & MODE_TYPE == 0o010_000
}

/// Finds names that are the same, or that some reader takes for the same.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    names: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Seen {
    /// Adds a name; says when it was there before.
    pub(crate) fn add(&mut self, name: &[u8], at: u64, facts: &mut Facts) {
        let shown = String::from_utf8_lossy(name);
        match self.names.insert(folded(name), name.to_vec()) {
            Some(earlier) if earlier == name => {
                facts.anomaly(at, Anomaly::DuplicateName, format!("{shown} is there twice"));
            }
            Some(earlier) => {
                let earlier = String::from_utf8_lossy(&earlier);
                facts.anomaly(
                    at,
                    Anomaly::DuplicateName,
                    format!("{shown} and {earlier} are one name to some readers"),
                );
            }
            None => {}
        }
    }
}

/// A name as the most forgiving reader takes it: without case, cut at the first zero byte, one kind of slash.
fn folded(name: &[u8]) -> Vec<u8> {
    let cut = name.split(|&byte| byte == 0).next().unwrap_or_default();
    let parts = cut.split(|&byte| byte == b'/' || byte == b'\\');
    let kept: Vec<_> = parts.filter(|part| !part.is_empty() && *part != b".").map(<[u8]>::to_ascii_lowercase).collect();
    kept.join(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_out_is_seen() {
        for name in ["../a", "a/../../b", "/etc/passwd", "C:\\a", "..\\a", "\\\\host\\share", "a/.."] {
            assert!(leaves(name), "{name}");
        }
        for name in ["a", "a..b", "a/b", "...", "archive/data.pkl", ".data/version"] {
            assert!(!leaves(name), "{name}");
        }
    }

    #[test]
    fn links_are_followed_from_where_they_are() {
        assert!(!link_leaves("a/b", "../c"));
        assert!(link_leaves("a/b", "../../c"));
        assert!(link_leaves("a", "/etc/passwd"));
        assert!(!link_leaves("a", "b/../c"));
        assert!(link_leaves("a", "b/../../c"));
    }

    #[test]
    fn names_that_differ_in_case_or_slashes_collide() {
        let mut facts = Facts::new();
        let mut seen = Seen::default();
        for name in [b"archive/data.pkl".as_slice(), b"archive/data", b"Archive\\.\\data.PKL\0.txt"] {
            seen.add(name, 0, &mut facts);
        }
        assert_eq!(facts.list().len(), 1);
    }

    #[test]
    fn devices_are_no_files() {
        let told = |name: &str| {
            let mut facts = Facts::new();
            check(name, 0, &mut facts);
            facts.list().iter().map(|fact| format!("{:?}", fact.kind)).collect::<String>()
        };
        for name in ["archive/CON", "nul", "aux/x", "a\\COM1 "] {
            assert!(told(name).contains("PathTraversal"), "{name}: {}", told(name));
        }
        // NumPy writes an array called `aux` so.
        assert!(told("aux.npy").contains("LookAlike"));
        assert_eq!(told("archive/console"), "");
    }

    #[test]
    fn invisible_characters_are_named() {
        let mut facts = Facts::new();
        check("a\u{202e}fdp.exe", 0, &mut facts);
        assert!(facts.has_anomaly(Anomaly::DeceptiveName));
    }
}
