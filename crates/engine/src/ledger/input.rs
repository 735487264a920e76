//! Documents that somebody gives to a ledger: files with one, files with one on each line, and folders of these.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

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

/// Gives every document of a file, one after the other, so that a large file of lines is never in memory as a whole.
///
/// # Errors
/// When the file cannot be read, a document is too long, or `take` gives up.
pub fn documents<E: From<io::Error>>(path: &Path, mut take: impl FnMut(Document) -> Result<(), E>) -> Result<(), E> {
    let mut reader = BufReader::with_capacity(1 << 18, File::open(path)?);
    let first = line(&mut reader)?.unwrap_or_default();
    // A document on several lines is not one on its first.
    if serde_json::from_slice::<serde::de::IgnoredAny>(&first).is_err() {
        reader.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        io::copy(&mut reader.take(MAX_BYTES + 1), &mut bytes)?;
        return take(Document { path: path.to_owned(), line: None, bytes });
    }
    let (mut number, mut next) = (1, Some(first));
    let second = line(&mut reader)?;
    let is_alone = second.is_none();
    let mut second = Some(second);
    while let Some(bytes) = next {
        if !bytes.is_empty() {
            take(Document { path: path.to_owned(), line: (!is_alone).then_some(number), bytes })?;
        }
        next = match second.take() {
            Some(second) => second,
            None => line(&mut reader)?,
        };
        number += 1;
    }
    Ok(())
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
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, text).unwrap();
        let mut found = Vec::new();
        documents(&path, |document| {
            found.push((document.line, String::from_utf8(document.bytes).unwrap()));
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
