//! The project that a command works in: the folder of `waag.toml`, and what it says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use waag_code::project::ProjectExaminer;
use waag_engine::clock;
use waag_engine::evidence::Sources;
use waag_engine::ledger::Ledger;
use waag_engine::lock::{self, Known, ProjectLock, Signed, SignedError};
use waag_engine::project::Examiner;
use waag_engine::sanitize::sanitize;
use waag_engine::scan::{Options, Silent};
use waag_engine::settings::{self, Driver, Settings};
use waag_evidence::ingredient::Ingredient;

use crate::failure::Failure;
use crate::terminal::Terminal;

/// A folder and its settings.
pub(super) struct Project {
    /// The folder that paths in the settings are below.
    pub(super) root: PathBuf,
    pub(super) settings: Settings,
}

impl Project {
    /// The project of the settings file that is named, or of the nearest one.
    pub(super) fn find(config: Option<&Path>) -> Result<Self, Failure> {
        let found = match config {
            Some(path) => Some(path.to_owned()),
            None => std::env::current_dir().ok().and_then(|directory| settings::find(&directory)),
        };
        let Some(path) = found else {
            return Err(Failure::with_hint(
                "there is no waag.toml here or above, up to the repository's root",
                "make one that names what the project is made of:\n  [[model]]\n  path = \"models/base\"",
            ));
        };
        Ok(Self { settings: Settings::load(&path)?, root: root_of(&path) })
    }
}

/// How things are judged here: by the settings that are named, by the nearest ones, or by the default. With the file.
pub(super) fn in_force(config: Option<&Path>) -> Result<(Options, Option<PathBuf>), Failure> {
    let found = match config {
        Some(path) => Some(path.to_owned()),
        None => std::env::current_dir().ok().and_then(|directory| settings::find(&directory)),
    };
    let Some(path) = found else {
        return Ok((Options { trust_store: crate::keyless::store(), ..Options::default() }, None));
    };
    let mut settings = Settings::load(&path)?;
    if let Some(driver) = &mut settings.driver {
        driver.location.file = from_here(&path).display().to_string();
    }
    let root = root_of(&path);
    let lock = ProjectLock::load(&root)?;
    let trust_store = crate::keyless::store();
    Ok((Options { settings, lock, root: Some(root), trust_store, ..Options::default() }, Some(path)))
}

/// Says that settings lie inside what is judged: whoever made that wrote them, then. The folder that the user is in is the
/// user's own.
pub(super) fn tell_own_word(settings: &Path, judged: &[PathBuf], terminal: &Terminal) {
    let Some(path) = judged.iter().find(|path| is_own_word(settings, path)) else { return };
    let (settings, path) = (sanitize(&settings.display().to_string()), sanitize(&path.display().to_string()));
    terminal.note(format_args!(
        "the settings '{settings}' lie inside '{path}', which they judge: what they allow is its publisher's own word"
    ));
}

fn is_own_word(settings: &Path, judged: &Path) -> bool {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    let real = |path: &Path| path.canonicalize().ok();
    let (Some(settings), Some(judged)) = (real(&root_of(settings)), real(judged)) else { return false };
    settings.starts_with(&judged) && here.as_ref() != Some(&judged)
}

/// Where evidence is looked for: the user's trusted roots, and the nearest ledger.
pub(crate) fn sources(settings: &Settings) -> Sources {
    let ledger = std::env::current_dir().ok().and_then(|directory| Ledger::find(&directory));
    let examiner: Option<Arc<dyn Examiner>> = Some(Arc::new(examiner(settings.driver.clone())));
    Sources { store: crate::keyless::store(), ledger, cache: crate::folders::cache(), examiner }
}

/// Days beyond which imported advisories do not count: new ones are published every day.
const MAX_AGE: i64 = 180;

/// Who looks at projects, which are to run on a driver where one is known.
pub(super) fn examiner(driver: Option<Driver>) -> ProjectExaminer {
    ProjectExaminer {
        advisories: crate::folders::data().map(|data| data.join("advisories")),
        max_age: Some(MAX_AGE),
        today: clock::today(),
        driver,
    }
}

/// The folder of a settings file.
pub(super) fn root_of(settings: &Path) -> PathBuf {
    match settings.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A path as it is reached from where the user is; `.` is where they are.
pub(super) fn from_here(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    match below {
        Some(below) if below.as_os_str().is_empty() => PathBuf::from("."),
        below => below.unwrap_or_else(|| path.to_owned()),
    }
}

impl From<SignedError> for Failure {
    fn from(error: SignedError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

/// Who signed an ingredient, by the trust policy, where it has to be signed.
pub(super) fn signed(root: &Path, ingredient: &Ingredient, settings: &Settings) -> Result<Signed, Failure> {
    let store = crate::keyless::store();
    let project = (root, settings, &store);
    Ok(lock::signed(project, ingredient, &Known::new(), waag_engine::clock::now(), &Silent)?)
}
