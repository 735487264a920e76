//! A lock's part in a scan: files that were locked are read anew and digested, and every difference is a finding.

use std::path::{Path, PathBuf};

use waag_evidence::finding::{Finding, Location};
use waag_evidence::ingredient::{Ingredient, IngredientKind};
use waag_evidence::lock::Locked;
use waag_formats::fact::{Anomaly, FactKind, Gap};

use super::drift::{Drift, DriftKind, Known, compare};
use super::make::shown;
use super::{FILE_NAME, ProjectLock, Signed, signed};
use crate::scan::{Silent, findings};
use crate::settings::Settings;
use crate::trust_store::TrustStore;

/// A project and its lock, beside what a person asked to have scanned.
#[derive(Debug)]
pub(crate) struct Check<'a> {
    lock: Option<&'a ProjectLock>,
    /// The folder of the project, without links.
    root: PathBuf,
    settings: &'a Settings,
    store: &'a TrustStore,
    /// What was asked for: without links, and as it was written.
    given: Vec<(PathBuf, PathBuf)>,
}

/// An ingredient that lies at, above or below something that was asked for.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) kind: IngredientKind,
    pub(crate) name: &'a str,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The same in the words of the person who asked.
    pub(crate) shown: String,
    /// Whether all of it was asked for.
    pub(crate) whole: bool,
    pub(crate) locked: bool,
    /// What the settings say of it; none where only the lock names it.
    pub(crate) declared: Option<&'a Ingredient>,
}

impl<'a> Check<'a> {
    /// The ingredients that are asked for, each once, in the order of the settings and then of the lock.
    pub(crate) fn asked(&self) -> Vec<Asked<'a>> {
        let locked = |path: &str| self.locked().any(|locked| locked.path == path);
        let declared = self.settings.ingredients.iter().map(|(kind, ingredient)| {
            let path = ingredient.path.as_str();
            self.asked_one(*kind, &ingredient.name, path, locked(path), Some(ingredient))
        });
        let is_declared = |path: &str| self.settings.ingredients.iter().any(|(_, ingredient)| ingredient.path == path);
        let others = self.locked().filter(|locked| !is_declared(&locked.path));
        let others = others.map(|locked| self.asked_one(locked.kind, &locked.name, &locked.path, true, None));
        declared.chain(others).flatten().collect()
    }

    fn asked_one(
        &self,
        kind: IngredientKind,
        name: &'a str,
        below: &str,
        locked: bool,
        declared: Option<&'a Ingredient>,
    ) -> Option<Asked<'a>> {
        let path = self.root.join(below);
        let shown = self.shown(&path);
        let whole = shown.is_some();
        let shown = shown.unwrap_or_else(|| below.to_owned());
        self.is_asked(below).then_some(Asked { kind, name, path, shown, whole, locked, declared })
    }

    /// Where a path of the settings leads.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// What a project's lock says of these paths.
    pub(crate) fn new(
        root: &Path,
        lock: Option<&'a ProjectLock>,
        (settings, store): (&'a Settings, &'a TrustStore),
        given: &[PathBuf],
    ) -> Self {
        let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        let real = |path: &PathBuf| (real_path(path), path.clone());
        Self { lock, root, settings, store, given: given.iter().map(real).collect() }
    }

    /// Whether a path that is not there is an ingredient: that it is missing is then a finding and no mistake.
    pub(crate) fn names(&self, path: &Path) -> bool {
        let path = real_path(path);
        self.locked().any(|locked| self.root.join(&locked.path) == path)
    }

    /// Whether a file is part of what was locked, so that nothing but its bytes will do.
    pub(crate) fn covers(&self, file: &Path) -> bool {
        self.lock.is_some() && {
            let file = real_path(file);
            self.locked().any(|locked| file.starts_with(self.root.join(&locked.path)))
        }
    }

    /// Everything that differs, with digests that the scan made.
    pub(crate) fn findings(&self, known: &Known) -> Vec<Finding> {
        let mut list = Vec::new();
        for locked in self.locked().filter(|locked| self.is_asked(&locked.path)) {
            let drifts = compare(&self.root, locked, known);
            // What differs from its lock is told by file, and a signature over other bytes says nothing more.
            if drifts.is_empty() {
                list.extend(self.signature(locked, known));
            }
            for drift in drifts {
                list.extend(self.finding(locked, &drift));
            }
        }
        for (kind, ingredient) in
            self.settings.ingredients.iter().filter(|(_, ingredient)| self.is_asked(&ingredient.path))
        {
            if self.lock.is_none_or(|project| project.lock.at(&ingredient.path).is_none()) {
                let detail = format!("the {kind} '{}' is not in {FILE_NAME}", ingredient.name);
                let place = self.shown(&self.root.join(&ingredient.path)).unwrap_or_else(|| ingredient.path.clone());
                let fact = FactKind::Anomaly { anomaly: Anomaly::Unlocked, detail };
                list.extend(findings(&Location::file(place), fact));
            }
        }
        list
    }

    /// What is to be said of an ingredient's signature, which is verified again: its files are as they were locked, but
    /// what vouched for them may be gone, or its signer may no longer count.
    fn signature(&self, locked: &Locked, known: &Known) -> Vec<Finding> {
        let place = self.root.join(&locked.path);
        let declared = self.settings.ingredients.iter().find(|(_, ingredient)| ingredient.path == locked.path);
        let Some(shown) = self.shown(&place) else { return Vec::new() };
        let said = match (declared.filter(|(_, ingredient)| ingredient.signature.is_some()), &locked.signer) {
            (None, None) => None,
            (None, Some(before)) => {
                Some(format!("was signed by {before}, and waag.toml asks for no signature any more"))
            }
            (Some((_, ingredient)), before) => self.refusal(ingredient, before.as_deref(), known),
        };
        let fact = |detail| FactKind::Anomaly { anomaly: Anomaly::Drift, detail };
        said.map(|detail| findings(&Location::file(shown), fact(detail))).unwrap_or_default()
    }

    /// Why a signature is not what it was when it was locked, if it is not.
    fn refusal(&self, ingredient: &Ingredient, before: Option<&str>, known: &Known) -> Option<String> {
        let project = (&*self.root, self.settings, self.store);
        match signed(project, ingredient, known, crate::clock::now(), &Silent) {
            Ok(Signed::By(signer)) if before.is_some_and(|before| before != signer) => {
                Some(format!("was signed by {}, and is signed by {signer}", before.unwrap_or_default()))
            }
            Ok(Signed::By(_) | Signed::NotAsked) => None,
            Ok(Signed::Refused(reason)) => Some(format!("its signature does not hold: {reason}")),
            Err(error) => Some(format!("its signature cannot be verified: {error}")),
        }
    }

    fn locked(&self) -> impl Iterator<Item = &'a Locked> {
        self.lock.into_iter().flat_map(|project| &project.lock.ingredients)
    }

    /// Whether an ingredient lies at, above or below something that was asked for.
    fn is_asked(&self, path: &str) -> bool {
        let path = self.root.join(path);
        self.given.iter().any(|(real, _)| real.starts_with(&path) || path.starts_with(real))
    }

    fn finding(&self, locked: &Locked, drift: &Drift) -> Vec<Finding> {
        let path = self.root.join(shown(&locked.path, &drift.path));
        // A person who asks for one file of a model asks for nothing else of it.
        let Some(place) = self.shown(&path) else { return Vec::new() };
        let detail = drift.kind.to_string();
        let fact = match drift.kind {
            DriftKind::Unreadable(_) => FactKind::Incomplete { reason: Gap::Unreadable, detail },
            _ => FactKind::Anomaly { anomaly: Anomaly::Drift, detail },
        };
        findings(&Location::file(place), fact)
    }

    /// A path in the words of the person who asked.
    fn shown(&self, path: &Path) -> Option<String> {
        let below = self.given.iter().find_map(|(real, written)| Some((path.strip_prefix(real).ok()?, written)));
        below.map(|(rest, written)| match rest == Path::new("") {
            true => written.display().to_string(),
            false => written.join(rest).display().to_string(),
        })
    }
}

/// A path without links; one that is not there, as far as it is there.
fn real_path(path: &Path) -> PathBuf {
    if let Ok(real) = std::fs::canonicalize(path) {
        return real;
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent(), absolute.file_name()) {
        (Some(above), Some(name)) => real_path(above).join(name),
        _ => absolute,
    }
}

#[cfg(test)]
mod tests {
    use waag_evidence::{Decision, Severity};

    use super::*;
    use crate::scan::{Options, scan_paths};

    fn project() -> (tempfile::TempDir, Options) {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::create_dir_all(root.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(root.path().join(name), text).unwrap();
        };
        write("waag.toml", "[[model]]\npath = 'm'\n[[dataset]]\npath = 'd.csv'");
        write("m/config.json", "{}");
        write("m/__pycache__/x.txt", "x");
        write("d.csv", "a,b\n1,2\n");
        let settings = Settings::load(&root.path().join("waag.toml")).unwrap();
        let signer = &mut |_: &Ingredient| Ok::<_, crate::lock::MakeError>(crate::lock::Signed::NotAsked);
        let made = crate::lock::make(root.path(), &settings, signer, &Silent).unwrap();
        assert_eq!(made.problems, []);
        std::fs::write(root.path().join(FILE_NAME), made.lock.to_text()).unwrap();
        let lock = ProjectLock::load(root.path()).unwrap();
        (root, Options { settings, lock, ..Options::default() })
    }

    fn drifts(options: &Options, paths: &[PathBuf]) -> Vec<(String, String)> {
        let report = scan_paths(paths, options, &Silent).unwrap();
        let drifts = report.findings.iter().filter(|finding| finding.rule == "lock-drift");
        drifts.map(|finding| (finding.location.file.clone(), finding.message.clone())).collect()
    }

    #[test]
    fn what_is_as_it_was_locked_gives_no_finding() {
        let (root, options) = project();
        let report = scan_paths(&[root.path().join("m"), root.path().join("d.csv")], &options, &Silent).unwrap();
        assert_eq!((report.findings, report.verdict.decision), (Vec::new(), Decision::Allow));
    }

    #[test]
    fn every_way_of_drifting_is_named_where_it_is_asked_for() {
        let (root, options) = project();
        std::fs::write(root.path().join("m/config.json"), "[]").unwrap();
        std::fs::write(root.path().join("m/__pycache__/x.txt"), "y").unwrap();
        std::fs::write(root.path().join("m/new.txt"), "").unwrap();
        std::fs::remove_file(root.path().join("d.csv")).unwrap();
        let found = drifts(&options, &[root.path().to_owned()]);
        let named = |name: &str, words: &str| {
            let path = root.path().join(name).display().to_string();
            found.iter().any(|(file, message)| *file == path && message.contains(words))
        };
        assert!(named("m/config.json", "was locked") && named("m/__pycache__/x.txt", "was locked"), "{found:?}");
        assert!(named("m/new.txt", "was not locked") && named("d.csv", "is not there"), "{found:?}");
        assert_eq!(drifts(&options, &[root.path().join("m/new.txt")]).len(), 1);
        assert_eq!(drifts(&options, &[root.path().join("d.csv")]).len(), 1, "an ingredient that is gone is no mistake");
    }

    #[test]
    fn an_ingredient_without_a_lock_is_said() {
        let (root, mut options) = project();
        options.lock = None;
        options.root = Some(root.path().to_owned());
        let report = scan_paths(&[root.path().join("m")], &options, &Silent).unwrap();
        let said: Vec<_> = report.findings.iter().map(|finding| (finding.rule.as_str(), finding.severity)).collect();
        assert_eq!(said, [("lock-drift", Severity::Medium)]);
    }
}
