//! What only Python can tell: seeds and flags that are in force when it ends. A small module that every Python loads at
//! its start writes that down.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use serde_json::Value;
use waag_engine::bounded;

const MODULE: &str = include_str!("sitecustomize.py");
const RECORDS: &str = "WAAG_RUN_RECORDS";
/// Programs of one run that are told apart.
const MAX_RECORDS: usize = 64;
/// Files of theirs that are read.
const MAX_READ: usize = 4096;
const MAX_RECORD: u64 = 64 << 10;

/// A folder with the module, and with what it writes.
#[derive(Debug)]
pub(super) struct SideChannel(tempfile::TempDir);

impl SideChannel {
    pub(super) fn open() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("waag-run-").tempdir()?;
        std::fs::write(folder.path().join("sitecustomize.py"), MODULE)?;
        std::fs::create_dir(folder.path().join("records"))?;
        Ok(Self(folder))
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Variables that lead Python to it.
    pub(super) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let mut path = self.folder().as_os_str().to_owned();
        if let Some(before) = std::env::var_os("PYTHONPATH").filter(|before| !before.is_empty()) {
            path.push(OsStr::new(":"));
            path.push(before);
        }
        vec![("PYTHONPATH", path), (RECORDS, self.folder().join("records").into_os_string())]
    }

    /// What was written, without what is said twice, in the order of its text; and whether there was more.
    pub(super) fn records(&self) -> (Vec<Value>, bool) {
        let Ok(entries) = std::fs::read_dir(self.folder().join("records")) else { return (Vec::new(), false) };
        // The program can have put anything there; reading a pipe would never end.
        let is_file = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_file());
        let files: Vec<_> = entries.flatten().filter(is_file).take(MAX_READ + 1).collect();
        let mut more = files.len() > MAX_READ;
        let mut texts: Vec<String> = files
            .iter()
            .take(MAX_READ)
            .filter_map(|entry| bounded::read(&entry.path(), MAX_RECORD).ok())
            .filter_map(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
            .map(|value| value.to_string())
            .collect();
        texts.sort_unstable();
        texts.dedup();
        more |= texts.len() > MAX_RECORDS;
        texts.truncate(MAX_RECORDS);
        (texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect(), more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_in_the_order_of_their_text_and_pipes_are_not() {
        let channel = SideChannel::open().unwrap();
        let records = channel.folder().join("records");
        nix::unistd::mkfifo(&records.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for number in 0..100 {
            std::fs::write(records.join(format!("{}", 999 - number)), format!("{{\"n\":{}}}", 100 + number)).unwrap();
        }
        let (told, more) = channel.records();
        assert!(more && told.len() == MAX_RECORDS);
        assert!(told.iter().zip(100..).all(|(record, number)| record["n"] == number), "{told:?}");
    }
}
