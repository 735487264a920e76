//! `waag lock`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueHint};
use waag_engine::io::write_atomically;
use waag_engine::lock::{Drift, DriftKind, FILE_NAME, Known, LockError, MakeError, ProjectLock, compare, make};
use waag_engine::output::text::counted;
use waag_engine::sanitize::sanitize;
use waag_engine::settings::Settings;
use waag_evidence::ingredient::Ingredient;
use waag_evidence::lock::{Lock, Locked};

use super::project::Project;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::terminal::Terminal;

/// Differences that are listed; beyond that they are counted.
const MAX_LISTED: usize = 40;

const EXAMPLES: &str = "\
Examples:
  waag lock                    lock what waag.toml names; waag.lock then belongs into version control
  waag lock --check            in CI: fail when waag.lock is not what this would write

A waag.toml that names a model and a dataset:
  [[model]]
  path = \"models/base\"
  pins = [\"models/SHA256SUMS\"]      lists of checksums, DVC files or Git LFS pointers it has to agree with
  [[dataset]]
  path = \"data/train.parquet\"";

/// Pin every model and dataset of the project, file by file
///
/// Digests and scans what waag.toml names, checks it against the lists of checksums that it names, and writes waag.lock.
/// `waag check` then fails when a file differs, and `waag fetch` brings back exactly what was locked. Nothing is
/// written when something is denied or breaks a promise.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct LockCommand {
    /// Settings file, instead of the nearest waag.toml up to the repository's root
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Input")]
    config: Option<PathBuf>,

    /// Write nothing; exit with 1 when waag.lock is not what would be written
    #[arg(long, help_heading = "Output")]
    check: bool,
}

impl From<MakeError> for Failure {
    fn from(error: MakeError) -> Self {
        match error.hint() {
            Some(hint) => Self::with_hint(&error, hint),
            None => Self::Told { message: error.to_string(), hint: None },
        }
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

impl LockCommand {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let Project { root, settings } = Project::find(self.config.as_deref())?;
        if settings.ingredients.is_empty() {
            return Err(Failure::with_hint(
                "waag.toml names no model and no dataset, so there is nothing to lock",
                "name one:\n  [[model]]\n  path = \"models/base\"",
            ));
        }
        let before = ProjectLock::load(&root)?;
        let made = self.make(&root, &settings, terminal)?;
        for problem in &made.problems {
            terminal.complain(sanitize(&problem.to_string()));
        }
        if !made.problems.is_empty() {
            terminal.note(format_args!("{FILE_NAME} was not written"));
            return Ok(ExitCode::from(1));
        }
        self.write(&root, before.map(|project| project.lock), &made.lock, terminal)
    }

    fn make(&self, root: &Path, settings: &Settings, terminal: &Terminal) -> Result<waag_engine::lock::Made, Failure> {
        let bar = Bar::new(terminal.is_watched());
        let signer = &mut |ingredient: &Ingredient| super::project::signer_of(root, ingredient, settings);
        let made = make(root, settings, signer, &bar)?;
        bar.finish();
        Ok(made)
    }

    fn write(&self, root: &Path, before: Option<Lock>, lock: &Lock, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let unchanged = before.as_ref() == Some(lock);
        terminal.answer(None, |out| {
            for locked in &lock.ingredients {
                writeln!(out, "{}", summary(locked))?;
            }
            differences(&before.unwrap_or_default(), lock)
                .iter()
                .take(MAX_LISTED)
                .try_for_each(|line| writeln!(out, "  {}", sanitize(line)))
        })?;
        if unchanged {
            terminal.note(format_args!("{FILE_NAME} is up to date"));
            return Ok(ExitCode::SUCCESS);
        }
        if self.check {
            terminal.complain(format_args!("{FILE_NAME} is not what `waag lock` would write"));
            return Ok(ExitCode::from(1));
        }
        let path = root.join(FILE_NAME);
        let written = write_atomically(&path, |file| {
            std::io::Write::write_all(file, lock.to_text().as_bytes()).map(|()| None::<()>)
        });
        written.map_err(|error| {
            Failure::with_hint(
                format!("cannot write '{}': {error}", path.display()),
                "check the permissions of the project's folder",
            )
        })?;
        terminal.note(format_args!("{FILE_NAME} written: keep it with the code"));
        Ok(ExitCode::SUCCESS)
    }
}

fn summary(locked: &Locked) -> String {
    let bytes = locked.files.iter().map(|file| file.size).sum();
    let files = counted(locked.files.len() as u64, "file");
    let size = waag_engine::output::text::size(bytes);
    let Locked { kind, name, verdict, .. } = locked;
    let signed = locked.signer.as_deref().map(|signer| format!(", signed by {signer}")).unwrap_or_default();
    sanitize(&format!("{kind} {name}: {files}, {size}, {verdict}{signed}"))
}

/// What changes in a lock, by path below the project.
fn differences(before: &Lock, after: &Lock) -> Vec<String> {
    let mut lines = Vec::new();
    for locked in &after.ingredients {
        let Some(old) = before.at(&locked.path) else { continue };
        let kept = |path: &str| old.files.iter().find(|file| file.path == path);
        for file in &locked.files {
            match kept(&file.path) {
                None => lines.push(format!("added    {}/{}", locked.path, file.path)),
                Some(old) if old.sha256 != file.sha256 => lines.push(format!("changed  {}/{}", locked.path, file.path)),
                Some(_) => {}
            }
        }
        let gone = old.files.iter().filter(|old| locked.files.iter().all(|file| file.path != old.path));
        lines.extend(gone.map(|file| format!("removed  {}/{}", locked.path, file.path)));
    }
    let gone = before.ingredients.iter().filter(|old| after.at(&old.path).is_none());
    lines.extend(gone.map(|old| format!("removed  {}", old.path)));
    lines
}

/// What still differs after files were fetched.
pub(super) fn remaining(project: &ProjectLock, only: &[String]) -> Vec<(String, Drift)> {
    let wanted = |locked: &&Locked| only.is_empty() || only.contains(&locked.name) || only.contains(&locked.path);
    let chosen = project.lock.ingredients.iter().filter(wanted);
    let drifts = chosen.flat_map(|locked| {
        let drifts = compare(&project.root, locked, &Known::new());
        drifts.into_iter().map(|drift| (locked.path.clone(), drift))
    });
    drifts.filter(|(_, drift)| drift.kind == DriftKind::Added).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use waag_evidence::lock::LockedFile;
    use waag_evidence::{Decision, Sha256Digest, ingredient::IngredientKind};

    fn lock(path: &str, files: &[(&str, u8)]) -> Lock {
        let file = |(path, digest): &(&str, u8)| LockedFile {
            path: (*path).into(),
            size: 1,
            sha256: Sha256Digest::new([*digest; 32]),
        };
        let (name, path) = ("m".to_owned(), path.to_owned());
        let files = files.iter().map(file).collect();
        let verdict = Decision::Allow;
        Lock::new(vec![Locked { kind: IngredientKind::Model, name, path, verdict, signer: None, files }])
    }

    #[test]
    fn changes_are_told_by_file() {
        let before = lock("m", &[("a", 1), ("b", 1), ("c", 1)]);
        let after = lock("m", &[("a", 1), ("b", 2), ("d", 1)]);
        assert_eq!(differences(&before, &after), ["changed  m/b", "added    m/d", "removed  m/c"]);
        assert_eq!(differences(&before, &lock("n", &[("a", 1)])), ["removed  m"]);
        assert_eq!(differences(&before, &before), [""; 0]);
    }
}
