//! Documents that somebody gives to a ledger: files with one, files with one on each line, and folders of these.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use waag_signing::bundle::MAX_BYTES;

/// Folders within folders that are walked.
const MAX_DEPTH: usize = 16;
/// Files of a folder that are looked at.
const MAX_FILES: usize = 1 << 22;
/// Names of files in a folder that hold statements. A file that is named itself may be called anything.
const ENDINGS: [&str; 6] = [".json", ".jsonl", ".sigstore", ".sig", ".bundle", ".dsse"];

/// One document, and where it was.
#[derive(Debug)]
pub struct Document {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1, where the file has several.
    pub line: Option<u64>,
    /// What is there.
    pub bytes: Vec<u8>,
    /// Why it is not one document on one line, after "it", where the file has several.
    pub broken: Option<String>,
}

/// The files that a path stands for, in order of their names, and whether it is a folder.
///
/// # Errors
/// When it cannot be read.
pub fn files(path: &Path) -> io::Result<(Vec<PathBuf>, bool)> {
    if !fs::metadata(path)?.is_dir() {
        return Ok((vec![path.to_owned()], false));
    }
    let mut files = Vec::new();
    walk(path, MAX_DEPTH, &mut files)?;
    Ok((files, true))
}

/// Links are not followed: a folder is what is in it.
fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if depth == 0 {
        return Err(io::Error::other(format!("it has more than {MAX_DEPTH} folders within each other")));
    }
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            walk(&path, depth - 1, files)?;
        } else if kind.is_file() && is_named_so(&path) {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(io::Error::other(format!("it has more than {MAX_FILES} files")));
        }
    }
    Ok(())
}

fn is_named_so(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    ENDINGS.iter().any(|end| name.ends_with(end))
}

/// Gives every document of a file, one after the other, so that a large file of lines is never in memory as a whole. A
/// document that goes over several lines is given where it is alone; beside others, its lines are given as broken.
///
/// # Errors
/// When the file cannot be read, a document is too long, or `take` gives up.
pub fn documents<E: From<io::Error>>(path: &Path, mut take: impl FnMut(Document) -> Result<(), E>) -> Result<(), E> {
    let mut reader = BufReader::with_capacity(1 << 18, File::open(path)?);
    let first = line(&mut reader)?.unwrap_or_default();
    let document = |line, bytes, broken| Document { path: path.to_owned(), line, bytes, broken };
    // A document on several lines is not one on its first.
    if !is_json(&first) {
        reader.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        io::copy(&mut (&mut reader).take(MAX_BYTES + 1), &mut bytes)?;
        if !is_several(&bytes) {
            return take(document(None, bytes, None));
        }
    }
    let is_alone = is_json(&first) && line(&mut reader)?.is_none();
    reader.seek(SeekFrom::Start(0))?;
    let (mut number, mut broken): (u64, Option<u64>) = (0, None);
    while let Some(bytes) = line(&mut reader)? {
        number += 1;
        if bytes.is_empty() {
            continue;
        }
        if !is_json(&bytes) {
            broken.get_or_insert(number);
            continue;
        }
        // A line within a document that is spread out can be a text or a number, and be JSON by itself.
        if broken.is_some() && bytes.first() != Some(&b'{') {
            continue;
        }
        if let Some(start) = broken.take() {
            take(document(Some(start), Vec::new(), Some(spread(start, number - 1))))?;
        }
        take(document((!is_alone).then_some(number), bytes, None))?;
    }
    match broken {
        Some(start) => take(document(Some(start), Vec::new(), Some(spread(start, number)))),
        None => Ok(()),
    }
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Whether there is a document, and something after it.
fn is_several(bytes: &[u8]) -> bool {
    let mut documents = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    matches!(documents.next(), Some(Ok(_))) && documents.next().is_some()
}

fn spread(start: u64, end: u64) -> String {
    let lines = if start == end { "is".to_owned() } else { format!("goes on to line {end}, which is") };
    format!("{lines} no JSON document on one line, as each has to be in a file of several (`jq -c .` writes them so)")
}

/// The next line, without its end; none at the end.
fn line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let read = reader.take(MAX_BYTES + 1).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("a line is longer than {MAX_BYTES} bytes")));
    }
    let end = bytes.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |last| last + 1);
    bytes.truncate(end);
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Option<u64>, String)> {
        all(text).into_iter().map(|(line, text, _)| (line, text)).collect()
    }

    fn all(text: &str) -> Vec<(Option<u64>, String, Option<String>)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, text).unwrap();
        let mut found = Vec::new();
        documents(&path, |document| {
            found.push((document.line, String::from_utf8(document.bytes).unwrap(), document.broken));
            Ok::<_, io::Error>(())
        })
        .unwrap();
        found
    }

    #[test]
    fn lines_and_whole_files_are_told_apart() {
        let owned = |line, text: &str| (line, text.to_owned());
        assert_eq!(read("{\"a\":1}\n"), [owned(None, "{\"a\":1}")]);
        assert_eq!(read("{\"a\":1}\r\n\n{\"b\":2}"), [owned(Some(1), "{\"a\":1}"), owned(Some(3), "{\"b\":2}")]);
        assert_eq!(read("{\n\"a\":1}"), [owned(None, "{\n\"a\":1}")]);
        assert_eq!(read(""), [owned(None, "")]);
    }

    #[test]
    fn a_document_over_several_lines_beside_others_is_broken_and_said_once() {
        for (text, expected) in [
            ("{\"a\":1}\n{\n\"b\":\n2\n}\n{\"c\":3}\n", vec![(1, None), (2, Some("goes on to line 5,")), (6, None)]),
            ("{\n\"a\":1\n}\n{\"b\":2}\n", vec![(1, Some("goes on to line 3,")), (4, None)]),
            ("{\n\"a\":1\n}\n{\n\"b\":2\n}\n", vec![(1, Some("goes on to line 6,"))]),
            ("{\"a\":1}\n{\"b\":\n", vec![(1, None), (2, Some("is no JSON document on one line"))]),
        ] {
            let found = all(text);
            let told: Vec<_> = found.iter().map(|(line, _, broken)| (line.unwrap(), broken.is_some())).collect();
            assert_eq!(told, expected.iter().map(|(line, why)| (*line, why.is_some())).collect::<Vec<_>>(), "{text}");
            for ((_, _, broken), (_, why)) in found.iter().zip(expected) {
                assert!(broken.as_deref().unwrap_or_default().starts_with(why.unwrap_or_default()), "{broken:?}");
            }
        }
    }

    #[test]
    fn a_folder_is_walked_in_order_and_without_links() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.json", "a.sigstore.json", "model.bin", "d.JSON", "e.dsse"] {
            fs::write(folder.path().join(name), "{}").unwrap();
        }
        std::os::unix::fs::symlink("b.json", folder.path().join("c.json")).unwrap();
        let (files, is_folder) = files(folder.path()).unwrap();
        let names: Vec<_> = files.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert!(is_folder && names == ["a.sigstore.json", "b.json", "d.JSON", "e.dsse"]);
    }
}
