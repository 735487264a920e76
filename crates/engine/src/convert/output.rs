//! What outputs are called, and how they get their names only when they are whole.

use std::fs::{DirBuilder, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::write::Written;
use super::{ConvertError, Digested, Plan, digest_of};

/// How files of safetensors end.
const ENDING: &str = ".safetensors";
/// What the file in a folder is called before its ending.
const IN_FOLDER: &str = "model";

/// The names of all outputs.
#[derive(Debug)]
pub(super) struct Names {
    folder: PathBuf,
    /// Before the ending.
    stem: String,
    /// Whether the folder is made when it does not exist.
    is_folder: bool,
}

impl Names {
    pub(super) fn of(plan: &Plan) -> Self {
        let name = plan.output.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match name.strip_suffix(ENDING).filter(|stem| !stem.is_empty() && !plan.output.is_dir()) {
            Some(stem) => {
                let folder = plan.output.parent().map(Path::to_owned).unwrap_or_default();
                Self { folder, stem: stem.to_owned(), is_folder: false }
            }
            None => Self { folder: plan.output.clone(), stem: IN_FOLDER.to_owned(), is_folder: true },
        }
    }

    /// The file of a number, of so many.
    pub(super) fn file(&self, number: usize, of: usize) -> PathBuf {
        self.folder.join(self.file_name(number, of))
    }

    /// Its name in its folder.
    pub(super) fn file_name(&self, number: usize, of: usize) -> String {
        if of == 1 { format!("{}{ENDING}", self.stem) } else { format!("{}-{number:05}-of-{of:05}{ENDING}", self.stem) }
    }

    /// The index of several files.
    pub(super) fn index(&self) -> PathBuf {
        self.folder.join(format!("{}{ENDING}.index.json", self.stem))
    }

    /// The statement.
    pub(super) fn statement(&self) -> PathBuf {
        self.folder.join(format!("{}{ENDING}.provenance.json", self.stem))
    }

    /// Makes the folder; sees before the work whether anything would be replaced.
    pub(super) fn check_free(&self, force: bool, of: usize) -> Result<(), ConvertError> {
        let files = (1..=of).map(|number| self.file(number, of));
        let index = (of > 1).then(|| self.index());
        let taken = files.chain(index).chain([self.statement()]).find(|path| path.symlink_metadata().is_ok());
        if let (Some(path), false) = (taken, force) {
            return Err(ConvertError::Exists { path });
        }
        if !self.is_folder {
            return Ok(());
        }
        let made = DirBuilder::new().recursive(true).create(&self.folder);
        made.map_err(|source| ConvertError::Write { path: self.folder.clone(), source })
    }
}

/// A file beside `path` that goes away unless it gets its name.
pub(super) fn temporary(path: &Path) -> Result<NamedTempFile, ConvertError> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".waag-").suffix(".partial").permissions(Permissions::from_mode(0o666));
    builder.tempfile_in(folder).map_err(|source| ConvertError::Write { path: path.to_owned(), source })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Gives a finished file its name, for good: also after the machine stops.
fn persist(temporary: NamedTempFile, path: &Path, force: bool) -> Result<(), ConvertError> {
    let failed = |source| ConvertError::Write { path: path.to_owned(), source };
    let done = if force { temporary.persist(path) } else { temporary.persist_noclobber(path) };
    match done {
        Ok(_) => File::open(folder_of(path)).and_then(|folder| folder.sync_all()).map_err(failed),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(ConvertError::Exists { path: path.to_owned() })
        }
        Err(error) => Err(failed(error.error)),
    }
}

/// Gives all files their names, the index last, so that whoever finds it finds all.
pub(super) fn publish(
    written: Vec<Written>,
    index: Option<(&Path, &str)>,
    force: bool,
) -> Result<Vec<Digested>, ConvertError> {
    let mut outputs = Vec::new();
    for file in written {
        persist(file.temporary, &file.digested.path, force)?;
        outputs.push(file.digested);
    }
    if let Some((path, text)) = index {
        write_text(path, text, force)?;
        outputs.push(digest_of(path, path)?);
    }
    Ok(outputs)
}

/// Writes a text as a whole, or not at all.
pub(super) fn write_text(path: &Path, text: &str, force: bool) -> Result<(), ConvertError> {
    let mut temporary = temporary(path)?;
    let written = temporary.write_all(text.as_bytes()).and_then(|()| temporary.as_file().sync_all());
    written.map_err(|source| ConvertError::Write { path: path.to_owned(), source })?;
    persist(temporary, path, force)
}
