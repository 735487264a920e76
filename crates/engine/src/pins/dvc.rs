//! Files of DVC: `.dvc` and `dvc.lock` name outputs by MD5, and a folder by the MD5 of a list of its files, which lies in
//! DVC's cache. Only MD5: they protect from accidents, not from people.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use waag_formats::budget::Budget;
use waag_formats::json::{self, Segment, Value};
use waag_formats::yaml;

use super::digest::{PinAlgorithm, of_bytes, of_file};
use super::{Pin, PinKind, Pins, PinsError, below};
use crate::hash::files_of;
use crate::io::FileSource;
use waag_formats::source::Source as _;

/// Bytes of a folder's list.
const MAX_LIST: u64 = 256 << 20;
/// Folders above a file in which DVC's cache is looked for.
const MAX_ABOVE: usize = 32;

/// One output as written: its keys and values.
type Output = BTreeMap<String, String>;

/// Reads the outputs of a `.dvc` file or of all stages of a `dvc.lock`.
pub(super) fn read(list: &Path, text: &str) -> Result<Pins, PinsError> {
    let mut pins = Pins { kind: PinKind::Dvc, pins: Vec::new(), whole: Vec::new(), notes: Vec::new() };
    for output in outputs(list, text)? {
        take(&mut pins, list, &output)?;
    }
    match pins.pins.is_empty() && pins.whole.is_empty() {
        true => Err(PinsError::Unknown(list.display().to_string())),
        false => Ok(pins),
    }
}

fn outputs(list: &Path, text: &str) -> Result<Vec<Output>, PinsError> {
    let mut found: BTreeMap<Vec<String>, Output> = BTreeMap::new();
    let budget = Budget::for_size(text.len() as u64);
    let outcome = yaml::walk(text, 0, &budget, &mut |_, event| {
        let (Value::Text(value) | Value::Number(value)) = event.value else { return };
        let Some((Segment::Key(key), above)) = event.path.split_last() else { return };
        // `outs[0].md5` in a .dvc file, `stages.NAME.outs[0].md5` in dvc.lock.
        if let [.., Segment::Key(outs), Segment::Index(_)] = above
            && outs == "outs"
            && matches!(above.len(), 2 | 4)
        {
            let place = above.iter().map(|segment| format!("{segment:?}")).collect();
            found.entry(place).or_default().insert(key.clone(), value.to_owned());
        }
    });
    if let Some((_, stop)) = outcome.stopped {
        let reason = format!("it is no YAML that DVC writes: {stop:?}");
        return Err(PinsError::Invalid { path: list.display().to_string(), reason });
    }
    Ok(found.into_values().collect())
}

fn take(pins: &mut Pins, list: &Path, output: &Output) -> Result<(), PinsError> {
    let invalid = |reason: String| PinsError::Invalid { path: list.display().to_string(), reason };
    let path = output.get("path").ok_or_else(|| invalid("an output has no path".into()))?;
    let Some(md5) = output.get("md5") else {
        pins.notes.push(format!("'{path}' has no digest that is read here"));
        return Ok(());
    };
    let file = below(list, path)?;
    let digits = md5.strip_suffix(".dir").unwrap_or(md5);
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(invalid(format!("'{md5}' is no MD5")));
    }
    if md5.ends_with(".dir") {
        return folder(pins, list, &file, digits);
    }
    let size = output.get("size").and_then(|size| size.parse().ok());
    pins.pins.push(Pin { path: file, algorithm: PinAlgorithm::Md5, digest: digits.to_owned(), size });
    Ok(())
}

/// A folder is pinned by the list of its files. Where DVC's cache has the list, it tells which files; where not, the
/// list is made of what is there, and only the whole can be judged.
fn folder(pins: &mut Pins, list: &Path, folder: &Path, digest: &str) -> Result<(), PinsError> {
    let invalid = |reason: String| PinsError::Invalid { path: list.display().to_string(), reason };
    if let Some(cached) = cached_list(list, digest) {
        if of_bytes(&cached, PinAlgorithm::Md5) != digest {
            return Err(invalid(format!(
                "the list of '{}' in DVC's cache is not what its name says",
                folder.display()
            )));
        }
        for (path, md5) in entries(&cached).ok_or_else(|| invalid("a list in DVC's cache cannot be read".into()))? {
            let inside = below(&folder.join("list"), &path)?;
            pins.pins.push(Pin { path: inside, algorithm: PinAlgorithm::Md5, digest: md5, size: None });
        }
        pins.whole.push(folder.to_owned());
        return Ok(());
    }
    let listed = made_list(folder).map_err(|reason| invalid(format!("'{}': {reason}", folder.display())))?;
    if of_bytes(listed.as_bytes(), PinAlgorithm::Md5) != digest {
        let reason = format!(
            "'{}' is not the folder that was added; which file differs cannot be told without DVC's cache",
            folder.display()
        );
        return Err(invalid(reason));
    }
    pins.whole.push(folder.to_owned());
    for (path, md5) in entries(listed.as_bytes()).unwrap_or_default() {
        pins.pins.push(Pin { path: folder.join(path), algorithm: PinAlgorithm::Md5, digest: md5, size: None });
    }
    Ok(())
}

/// The list of a folder's files, from the cache of the repository that the DVC file lies in.
fn cached_list(list: &Path, digest: &str) -> Option<Vec<u8>> {
    let list = std::fs::canonicalize(list).ok()?;
    let (first, rest) = digest.split_at_checked(2)?;
    let name = format!("{rest}.dir");
    let cache =
        list.ancestors().take(MAX_ABOVE).map(|folder| folder.join(".dvc/cache")).find(|cache| cache.is_dir())?;
    let places = [cache.join("files/md5").join(first).join(&name), cache.join(first).join(&name)];
    let source = places.iter().find_map(|place| FileSource::open(place).ok()).filter(|file| file.len() <= MAX_LIST)?;
    Some(waag_formats::source::read_up_to(&source, 0, usize::try_from(MAX_LIST).ok()?))
}

/// Paths and digests of a list: `[{"md5": …, "relpath": …}, …]`.
fn entries(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut found: BTreeMap<u64, (Option<String>, Option<String>)> = BTreeMap::new();
    let budget = Budget::for_size(bytes.len() as u64);
    let outcome = json::walk(&bytes, 0, bytes.len() as u64, &budget, &mut |event| {
        let [Segment::Index(index), Segment::Key(key)] = event.path else { return };
        let Value::Text(value) = event.value else { return };
        let entry = found.entry(*index).or_default();
        match key.as_str() {
            "relpath" => entry.0 = Some(value.to_owned()),
            "md5" => entry.1 = Some(value.to_owned()),
            _ => {}
        }
    });
    if !outcome.complete {
        return None;
    }
    found.into_values().map(|(path, md5)| Some((path?, md5?))).collect()
}

/// The digest that DVC gives a folder: the MD5 of the list of its files.
pub(crate) fn folder_digest(folder: &Path) -> Result<String, String> {
    Ok(of_bytes(made_list(folder)?.as_bytes(), PinAlgorithm::Md5))
}

/// The list that DVC would make of a folder: Python's `json.dumps` of its files in order of path.
fn made_list(folder: &Path) -> Result<String, String> {
    let listed = files_of(folder, &[], false, None).map_err(|error| error.to_string())?;
    let mut entries = Vec::new();
    for file in listed.files {
        let path: PathBuf = file.opened;
        let (_, md5) = of_file(&path, PinAlgorithm::Md5).map_err(|error| error.to_string())?;
        entries.push(format!("{{\"md5\": \"{md5}\", \"relpath\": \"{}\"}}", escaped(&file.path)));
    }
    Ok(format!("[{}]", entries.join(", ")))
}

/// A text as Python's `json.dumps` writes it: everything outside ASCII as escapes of UTF-16.
fn escaped(text: &str) -> String {
    let mut written = String::new();
    for unit in text.encode_utf16() {
        match char::from_u32(u32::from(unit)) {
            Some('"') => written.push_str("\\\""),
            Some('\\') => written.push_str("\\\\"),
            Some('\n') => written.push_str("\\n"),
            Some('\r') => written.push_str("\\r"),
            Some('\t') => written.push_str("\\t"),
            Some(letter @ ' '..='~') => written.push(letter),
            _ => written.push_str(&format!("\\u{unit:04x}")),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pins::{self, Breach};
    use crate::scan::Silent;

    /// The folder of a repository that DVC 3.67 made; its list is in the cache there.
    const FOLDER: &str =
        "outs:\n- md5: 116d1ca1419ece1c76ef2cdcd885fead.dir\n  size: 15\n  nfiles: 5\n  hash: md5\n  path: ds\n";
    const LIST: &str = "[{\"md5\": \"b1946ac92492d2347c6235b4d2611184\", \"relpath\": \"a.txt\"}, \
        {\"md5\": \"441077cc9e57554dd476bdfb8b8b8102\", \"relpath\": \"b.bin\"}, \
        {\"md5\": \"d41d8cd98f00b204e9800998ecf8427e\", \"relpath\": \"empty\"}, \
        {\"md5\": \"591785b794601e212b260e25925636fd\", \"relpath\": \"sub/c d.txt\"}, \
        {\"md5\": \"9dd4e461268c8034f5c8564e155c67a6\", \"relpath\": \"\\u00e9.txt\"}]";

    fn repository() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        for (name, bytes) in
            [("a.txt", "hello\n"), ("b.bin", "\0\u{1}"), ("empty", ""), ("sub/c d.txt", "o\n"), ("é.txt", "x")]
        {
            write(&format!("ds/{name}"), bytes);
        }
        write("ds.dvc", FOLDER);
        root
    }

    fn verify(root: &Path) -> Result<Vec<pins::Broken>, PinsError> {
        let list = root.join("ds.dvc");
        Ok(pins::verify(&pins::read(&list, &list)?, &Silent))
    }

    #[test]
    fn the_list_of_a_folder_is_the_one_that_dvc_makes() {
        assert_eq!(of_bytes(LIST.as_bytes(), PinAlgorithm::Md5), "116d1ca1419ece1c76ef2cdcd885fead");
        let list = made_list(&repository().path().join("ds")).unwrap();
        assert!(
            list.starts_with("[{\"md5\": \"b1946ac92492d2347c6235b4d2611184\", \"relpath\": \"a.txt\"}, {"),
            "{list}"
        );
        assert!(list.ends_with("\"relpath\": \"\\u00e9.txt\"}]"), "{list}");
    }

    #[test]
    fn a_folder_with_its_list_is_told_file_by_file() {
        let root = repository();
        let cache = root.path().join(".dvc/cache/files/md5/11");
        std::fs::create_dir_all(&cache).unwrap();
        std::fs::write(cache.join("6d1ca1419ece1c76ef2cdcd885fead.dir"), LIST).unwrap();
        std::fs::write(root.path().join("ds/extra"), "").unwrap();
        std::fs::remove_file(root.path().join("ds/a.txt")).unwrap();
        let broken = verify(root.path()).unwrap();
        let of = |name: &str| {
            let path = root.path().join("ds").join(name);
            broken.iter().find(|broken| broken.path == path).map(|broken| &broken.how)
        };
        assert_eq!(of("a.txt"), Some(&Breach::Missing));
        assert_eq!(of("extra"), Some(&Breach::Unlisted));
        assert_eq!(of("empty"), None);
        std::fs::write(cache.join("6d1ca1419ece1c76ef2cdcd885fead.dir"), "[]").unwrap();
        assert!(matches!(verify(root.path()), Err(PinsError::Invalid { reason, .. }) if reason.contains("its name")));
    }

    #[test]
    fn a_folder_without_its_list_is_judged_as_a_whole() {
        let root = repository();
        assert!(
            matches!(verify(root.path()), Err(PinsError::Invalid { reason, .. }) if reason.contains("not the folder"))
        );
        let list = made_list(&root.path().join("ds")).unwrap();
        let digest = of_bytes(list.as_bytes(), PinAlgorithm::Md5);
        let text = format!("outs:\n- md5: {digest}.dir\n  path: ds\n");
        std::fs::write(root.path().join("ds.dvc"), text).unwrap();
        assert_eq!(verify(root.path()).unwrap(), []);
    }

    #[test]
    fn stages_of_a_lock_are_read_and_paths_outside_are_refused() {
        let lock = "schema: '2.0'\nstages:\n  prep:\n    cmd: cp a b\n    deps:\n    - path: a\n      md5: x\n    outs:\n    \
                    - path: out.csv\n      hash: md5\n      md5: b202f333fba4fd38d4b8e5e693077aab\n      size: 10\n";
        let pins = read(Path::new("r/dvc.lock"), lock).unwrap().pins;
        assert_eq!((pins.len(), pins[0].path.as_path(), pins[0].size), (1, Path::new("r/out.csv"), Some(10)));
        for path in ["../x", "/x"] {
            let outside = lock.replace("out.csv", path);
            assert!(matches!(read(Path::new("r/dvc.lock"), &outside), Err(PinsError::Invalid { .. })), "{path}");
        }
    }
}
