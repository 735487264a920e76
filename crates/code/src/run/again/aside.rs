//! Outputs that are moved out of the way, and come back whatever happens.

use std::io;
use std::path::{Path, PathBuf};

use waag_engine::sanitize::sanitize;

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
        // From here on, what was moved comes back also when something goes wrong.
        let mut aside = Self { folder: Some(folder), moved: Vec::new() };
        for (number, place) in places.iter().enumerate().filter(|(_, place)| place.is_file()) {
            let safe = aside.folder().join(number.to_string());
            if recorded.is_input(&shown(place, below)) {
                std::fs::copy(place, &safe)?;
            } else if std::fs::rename(place, &safe).is_err() {
                // On another file system.
                std::fs::copy(place, &safe)?;
                std::fs::remove_file(place)?;
            }
            aside.moved.push((place.clone(), safe));
        }
        Ok(aside)
    }

    fn folder(&self) -> &Path {
        self.folder.as_ref().map_or(Path::new(""), tempfile::TempDir::path)
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

    /// Lets everything lie where it lay. What cannot come back, and what stood in the way, is kept: one line each says where.
    pub(super) fn bring_back(&mut self) -> Vec<String> {
        let mut kept = Vec::new();
        let name = |path: &Path| sanitize(&path.display().to_string());
        for (number, (place, safe)) in std::mem::take(&mut self.moved).into_iter().enumerate() {
            if place.is_dir() {
                let there = self.folder().join(format!("new-{number}"));
                if std::fs::rename(&place, &there).is_ok() {
                    kept.push(format!("the run made a folder of '{}'; it is kept in '{}'", name(&place), name(&there)));
                }
            }
            if let Err(error) = restore(&place, &safe) {
                kept.push(format!("'{}' could not come back and is kept in '{}': {error}", name(&place), name(&safe)));
            }
        }
        match self.folder.take() {
            Some(folder) if !kept.is_empty() => drop(folder.keep()),
            folder => drop(folder),
        }
        kept
    }
}

fn restore(place: &Path, safe: &Path) -> io::Result<()> {
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // On another file system it is copied.
    std::fs::rename(safe, place).or_else(|_| std::fs::copy(safe, place).map(drop))
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = self.bring_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aside(root: &Path, names: &[&str]) -> Aside {
        let folder = tempfile::Builder::new().tempdir_in(root).unwrap();
        let moved = names.iter().enumerate().map(|(number, name)| {
            let safe = folder.path().join(number.to_string());
            std::fs::write(&safe, name).unwrap();
            (root.join(name), safe)
        });
        Aside { moved: moved.collect(), folder: Some(folder) }
    }

    fn text(path: &Path) -> String {
        String::from_utf8(waag_engine::bounded::read(path, 100).unwrap()).unwrap()
    }

    #[test]
    fn a_folder_in_the_way_is_kept_and_the_file_comes_back() {
        let root = tempfile::tempdir().unwrap();
        let mut aside = aside(root.path(), &["out", "more"]);
        std::fs::create_dir(root.path().join("out")).unwrap();
        std::fs::write(root.path().join("out/new"), "new").unwrap();
        let kept = aside.bring_back();
        assert_eq!((text(&root.path().join("out")), text(&root.path().join("more"))), ("out".into(), "more".into()));
        let [line] = kept.as_slice() else { panic!("{kept:?}") };
        let place = line.rsplit('\'').nth(1).unwrap();
        assert_eq!(text(&Path::new(place).join("new")), "new");
    }

    #[test]
    fn what_cannot_come_back_is_kept_and_the_rest_comes_back() {
        let root = tempfile::tempdir().unwrap();
        let mut aside = aside(root.path(), &["a/b", "more"]);
        std::fs::write(root.path().join("a"), "a file where a folder was").unwrap();
        let kept = aside.bring_back();
        assert_eq!(text(&root.path().join("more")), "more");
        let place = kept[0].split('\'').nth(3).unwrap();
        assert_eq!(text(Path::new(place)), "a/b", "{kept:?}");
    }

    #[test]
    fn nothing_is_left_where_all_came_back() {
        let root = tempfile::tempdir().unwrap();
        drop(aside(root.path(), &["out"]));
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
