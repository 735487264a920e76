//! The project that a command works in: the folder of `waag.toml`, and what it says.

use std::path::{Path, PathBuf};

use waag_engine::evidence::Sources;
use waag_engine::ledger::Ledger;
use waag_engine::lock::{ProjectLock, Signed};
use waag_engine::scan::{Options, Silent};
use waag_engine::settings::{self, Settings};
use waag_engine::verify::{Request, Trust, verify};
use waag_evidence::ingredient::Ingredient;

use crate::failure::Failure;

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
    let Some(path) = found else { return Ok((Options::default(), None)) };
    let settings = Settings::load(&path)?;
    let root = root_of(&path);
    let lock = ProjectLock::load(&root)?;
    Ok((Options { settings, lock, root: Some(root), ..Options::default() }, Some(path)))
}

/// Where evidence is looked for: the user's trusted roots, and the nearest ledger.
pub(crate) fn sources() -> Sources {
    let ledger = std::env::current_dir().ok().and_then(|directory| Ledger::find(&directory));
    Sources { store: crate::keyless::store(), ledger, cache: crate::folders::cache() }
}

/// The folder of a settings file.
pub(super) fn root_of(settings: &Path) -> PathBuf {
    match settings.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A path as it is reached from where the user is.
pub(super) fn from_here(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    below.unwrap_or_else(|| path.to_owned())
}

/// Who signed an ingredient, by the trust policy, where it has to be signed.
pub(super) fn signed(root: &Path, ingredient: &Ingredient, settings: &Settings) -> Result<Signed, Failure> {
    let Some(signature) = &ingredient.signature else { return Ok(Signed::NotAsked) };
    if settings.trust.is_empty() {
        return Err(Failure::with_hint(
            format!("'{}' has to be signed, and waag.toml does not say by whom", ingredient.name),
            "name who may sign:\n  [[trust.signer]]\n  name = \"release\"\n  key = \"release.pub.pem\"\n  \
             [[trust.rule]]\n  subject = \"models/**\"\n  signers = [\"release\"]",
        ));
    }
    let store = crate::keyless::store();
    let request = Request {
        model: &root.join(&ingredient.path),
        signatures: &[root.join(signature)],
        trust: Trust::Policy { policy: &settings.trust, folder: root, store: &store },
        ignore: &[],
        allow_unsigned: false,
        strict: false,
    };
    let report = verify(&request, waag_engine::clock::now(), &Silent)?;
    let signer = report.signatures.iter().find_map(|signature| signature.signer.as_ref()).map(|who| who.name.clone());
    Ok(match (report.verified, signer) {
        (true, Some(signer)) => Signed::By(signer),
        _ => Signed::Refused(report.reason()),
    })
}
