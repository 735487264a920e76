//! Outputs that are moved out of the way, and come back whatever happens.

use std::io;
use std::path::{Path, PathBuf};

use super::recorded::Recorded;
use crate::run::place::shown;

/// Files that lie aside. When this is dropped, they lie where they lay.
#[derive(Debug)]
pub(super) struct Aside {
    folder: Option<tempfile::TempDir>,
    moved: Vec<(PathBuf, PathBuf)>,
}

impl Aside {
    /// Moves files aside. One that is an input as well stays, and is copied.
    pub(super) fn put(places: &[PathBuf], below: &Path, recorded: &Recorded) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(".waag-again-").tempdir_in(below)?;
        let mut aside = Self { folder: None, moved: Vec::new() };
        for (number, place) in places.iter().enumerate().filter(|(_, place)| place.is_file()) {
            let safe = folder.path().join(number.to_string());
            if recorded.is_input(&shown(place, below)) {
                std::fs::copy(place, &safe)?;
            } else if std::fs::rename(place, &safe).is_err() {
                // On another file system.
                std::fs::copy(place, &safe)?;
                std::fs::remove_file(place)?;
            }
            aside.moved.push((place.clone(), safe));
        }
        aside.folder = Some(folder);
        Ok(aside)
    }

    /// Where a file lies meanwhile. Its ending is gone: what it is shows in its bytes.
    pub(super) fn of(&self, place: &Path) -> Option<PathBuf> {
        self.moved.iter().find(|(moved, _)| moved == place).map(|(_, safe)| safe.clone())
    }

    /// Copies what came out to a folder of the user's.
    pub(super) fn keep_new(&self, places: &[PathBuf], below: &Path, keep: &Path) -> io::Result<()> {
        for place in places.iter().filter(|place| place.is_file()) {
            let name = place.strip_prefix(below).ok().or_else(|| place.file_name().map(Path::new)).unwrap_or(place);
            let target = keep.join(name);
            if let Some(folder) = target.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::copy(place, target)?;
        }
        Ok(())
    }

    fn bring_back(&mut self) -> io::Result<()> {
        while let Some((place, safe)) = self.moved.pop() {
            if let Some(folder) = place.parent() {
                std::fs::create_dir_all(folder)?;
            }
            if std::fs::rename(&safe, &place).is_err() {
                std::fs::copy(&safe, &place)?;
            }
        }
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // What cannot come back must not be thrown away with the folder.
        if self.bring_back().is_err()
            && let Some(folder) = self.folder.take()
        {
            let _ = folder.keep();
        }
    }
}
