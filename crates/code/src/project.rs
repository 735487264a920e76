//! A project as a whole: its packages, stack, advisories, images, code, cards and licences, each looked at by its own room.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use jiff::civil::Date;
use waag_engine::card;
use waag_engine::io::FileSource;
use waag_engine::licence::chain::{Agreement, Judged};
use waag_engine::output::text::counted;
use waag_engine::project::{Examined, Examiner};
use waag_engine::settings::Driver;
use waag_engine::walk::{Entry, EntryKind, walk};
use waag_evidence::finding::{Finding, Location};
use waag_evidence::{Dependency, DependencySource, Look, NotKnown, ProjectEvidence, Topic};
use waag_formats::source::{Source as _, read_up_to};

use crate::advisories::{self, Outcome};
use crate::dependencies::{self, Reading};
use crate::image::{self, Described};
use crate::lint;
use crate::stack::{self, Part, Statement};
use crate::telling::incomplete;

/// Words of one topic that are kept.
const MAX_SAID: usize = 50;

/// What to do where advisories are missing or old.
const IMPORT: &str = "get all.zip of PyPI from OSV (https://google.github.io/osv.dev/data/#data-dumps), and take it over: \
                      `waag advisories import all.zip`";

/// Looks at projects with everything that waag has.
#[derive(Debug, Clone)]
pub struct ProjectExaminer {
    /// Where imported advisories are.
    pub advisories: Option<PathBuf>,
    /// Days beyond which advisories do not count; none for any age.
    pub max_age: Option<i64>,
    /// Today.
    pub today: Date,
    /// The NVIDIA driver of the machines that projects are to run on, where somebody says so.
    pub driver: Option<Driver>,
}

impl Examiner for ProjectExaminer {
    fn examine(&self, folder: &Path) -> Examined {
        let mut project = Project::new(folder, self.driver.as_ref());
        let files = walk(&[folder.to_owned()], false).unwrap_or_default();
        let reading = project.packages();
        let described = project.images(&files);
        let packages = all_packages(folder, &reading, &described);
        let torch = project.stack(&files, &reading, &described, &packages);
        project.advisories(self, &packages);
        project.code(torch);
        project.papers();
        project.examined()
    }
}

/// A project while it is looked at.
struct Project<'a> {
    folder: &'a Path,
    driver: Option<&'a Driver>,
    findings: Vec<Finding>,
    looks: Vec<Look>,
}

impl<'a> Project<'a> {
    fn new(folder: &'a Path, driver: Option<&'a Driver>) -> Self {
        Self { folder, driver, findings: Vec::new(), looks: Vec::new() }
    }

    fn examined(self) -> Examined {
        let folders = Vec::new();
        Examined { findings: self.findings, evidence: ProjectEvidence { folders, looks: self.looks } }
    }

    /// A path below the folder, as it is reached from where the user is.
    fn below(&self, path: &str) -> String {
        self.folder.join(path).display().to_string()
    }

    /// Findings whose places are below the folder.
    fn take_below(&mut self, findings: Vec<Finding>) {
        for mut finding in findings {
            finding.location.file = self.below(&finding.location.file);
            self.findings.push(finding);
        }
    }

    fn look(&mut self, topic: Topic, places: Vec<String>) -> &mut Look {
        self.looks.push(Look::at(topic, places));
        let last = self.looks.len() - 1;
        &mut self.looks[last]
    }

    /// That a room could not look at all.
    fn unread(&mut self, what: &str, error: &std::io::Error) {
        let place = Location::file(self.folder.display().to_string());
        let message = format!("the {what} of the project could not be read: {error}");
        self.findings.push(incomplete(&place, &message, "check the permissions of the folder"));
    }

    fn packages(&mut self) -> Reading {
        let reading = match dependencies::examine(self.folder) {
            Ok(reading) => reading,
            Err(error) => {
                self.unread("dependency files", &error);
                return Reading::default();
            }
        };
        self.findings.extend(reading.findings.iter().cloned().map(|mut finding| {
            finding.location.file = reached(self.folder, &finding.location.file);
            finding
        }));
        if !reading.dependencies.is_empty() {
            let count = counted(reading.packages() as u64, "package");
            let files: Vec<&str> = reading.files.iter().map(|file| file.path.as_str()).collect();
            let said = format!("{count} in {}", files.join(", "));
            let places = files.iter().map(|path| reached(self.folder, path)).collect();
            self.look(Topic::Dependencies, places).said.push(said);
            self.pins(&reading);
        }
        reading
    }

    /// How many of the packages have one version, in declarations and locks alike.
    fn pins(&mut self, reading: &Reading) {
        let is_pinned =
            |one: &&Dependency| one.version.is_some() && matches!(one.source, DependencySource::Index { .. });
        let pinned: BTreeSet<&str> =
            reading.dependencies.iter().filter(is_pinned).map(|one| one.name.as_str()).collect();
        if !pinned.is_empty() {
            let said = counted(pinned.len() as u64, "pinned package");
            self.look(Topic::Pins, Vec::new()).said.push(said);
        }
    }

    fn images(&mut self, files: &[Entry]) -> Vec<Described> {
        let wanted = files.iter().filter(|entry| image::is_read(name_of(&entry.path)));
        let paths: Vec<(PathBuf, String)> =
            wanted.filter_map(|entry| Some((entry.opened()?.to_owned(), entry.path.display().to_string()))).collect();
        let (described, findings) = image::examine(&paths);
        self.findings.extend(findings);
        let bases: Vec<String> =
            described.iter().flat_map(|one| &one.bases).map(|base| base.name.clone()).take(MAX_SAID).collect();
        let files = |is_meant: fn(&&Described) -> bool| -> Vec<String> {
            described.iter().filter(is_meant).map(|one| one.file.clone()).collect()
        };
        // A compose file says which images are run, and not how one is built.
        let (naming, building) = (files(|one| one.stages > 0 || !one.bases.is_empty()), files(|one| one.stages > 0));
        if !naming.is_empty() {
            self.look(Topic::Images, naming).said = bases;
        }
        if !building.is_empty() {
            self.look(Topic::Builds, building);
        }
        described
    }

    /// Whether the versions fit; gives the one of PyTorch that is pinned.
    fn stack(
        &mut self,
        files: &[Entry],
        reading: &Reading,
        described: &[Described],
        packages: &[Dependency],
    ) -> Option<lint::Version> {
        let python = pythons(files, reading);
        let indexes: Vec<Statement> =
            indexes(reading).chain(described.iter().flat_map(|one| one.indexes.clone())).collect();
        let images: Vec<Statement> = described.iter().flat_map(Described::images).collect();
        let driver = self.driver.map(|driver| Statement {
            text: driver.version.clone(),
            location: driver.location.clone(),
            group: None,
        });
        let (stack, findings) = stack::examine(&stack::Project {
            dependencies: packages,
            python: &python,
            indexes: &indexes,
            images: &images,
            driver: driver.as_ref(),
        });
        self.findings.extend(findings);
        let said: Vec<String> =
            stack.claims.iter().map(stack::Claim::told).collect::<BTreeSet<_>>().into_iter().take(MAX_SAID).collect();
        let frameworks = [Part::Torch, Part::Tensorflow, Part::Jax];
        let idle = idle_driver(&stack);
        if stack.compared > 0 || !stack.not_known.is_empty() || idle.is_some() {
            let unknown = stack.not_known.iter().map(|one| NotKnown {
                reason: one.message.clone(),
                next: "try it on the machine it is for".to_owned(),
            });
            // Several files often say the same.
            let mut told = BTreeSet::new();
            let unknown = open_versions(&stack.claims).chain(unknown).chain(idle);
            let unknown = unknown.filter(|one| told.insert(one.reason.clone())).collect();
            let look = self.look(Topic::Stack, Vec::new());
            (look.said, look.unknown) = (said, unknown);
        }
        if stack.claims.iter().any(|claim| frameworks.contains(&claim.part)) {
            let documented: Vec<String> = stack.documented_cuda().map(stack::Claim::told).collect();
            self.compute(documented);
        }
        pinned(packages, "torch").and_then(|version| version.parse().ok())
    }

    fn compute(&mut self, documented: Vec<String>) {
        let is_silent = documented.is_empty();
        let look = self.look(Topic::Compute, Vec::new());
        look.said = documented;
        if is_silent {
            look.unknown.push(NotKnown {
                reason: "no file says which CUDA and cuDNN the project computes with".to_owned(),
                next: "name the wheel index (https://download.pytorch.org/whl/cu128) or a base image with its CUDA version"
                    .to_owned(),
            });
        }
    }

    fn advisories(&mut self, examiner: &ProjectExaminer, packages: &[Dependency]) {
        if packages.is_empty() {
            return;
        }
        let folder = examiner.advisories.as_deref();
        let (answer, findings) = advisories::examine(packages, folder, examiner.today, examiner.max_age);
        self.findings.extend(findings);
        let look = self.look(Topic::Advisories, Vec::new());
        let unknown = |reason| NotKnown { reason, next: IMPORT.to_owned() };
        match answer.outcome {
            // Of what is built in no version is too new, and most packages are not in it: it can find, and not clear.
            Outcome::Checked { data, .. } | Outcome::NotChecked { data: Some(data), .. } if data.built_in => {
                let reason = format!("no advisories were imported, and there are only {}", data.told());
                look.unknown.push(unknown(reason));
            }
            Outcome::Checked { packages, not_checked, data } => {
                look.said.push(format!("{} in {}", counted(packages as u64, "package"), data.told()));
                if data.unplaced > 0 {
                    let entries = counted(data.unplaced as u64, "advisory");
                    look.unknown.push(unknown(format!(
                        "not checked: {entries}, which could not be read on import and may be about any package"
                    )));
                }
                if not_checked > 0 {
                    let what = counted(not_checked as u64, "package");
                    look.unknown.push(unknown(format!("not checked: {what}, in {}", data.told())));
                }
            }
            Outcome::NotChecked { why, .. } => look.unknown.push(unknown(format!("not checked: {why}"))),
        }
    }

    fn code(&mut self, torch: Option<lint::Version>) {
        let examined =
            match lint::examine(&[self.folder.to_owned()], &lint::Options { torch, ..lint::Options::default() }) {
                Ok(examined) => examined,
                Err(error) => return self.unread("code", &error),
            };
        self.findings.extend(examined.findings);
        let places: Vec<String> = examined.looked_at.iter().map(|file| file.path.clone()).collect();
        if !places.is_empty() {
            let files = counted(places.len() as u64, "file");
            self.look(Topic::Code, places).said.push(files);
        }
        if !examined.trains.is_empty() {
            self.look(Topic::Training, examined.trains);
        }
    }

    fn papers(&mut self) {
        let report = match card::examine(self.folder) {
            Ok(report) => report,
            Err(error) => return self.unread("cards", &error),
        };
        self.take_below(report.findings);
        let cards = report.cards.iter().filter_map(|one| one.card.as_ref());
        let cards: Vec<String> = cards.map(|card| self.below(&card.shown)).collect();
        if report.cards.iter().any(|one| one.kind == card::Kind::Model) {
            self.look(Topic::Cards, cards.clone());
        }
        self.licences(&report.cards, cards);
    }

    fn licences(&mut self, examined: &[card::Examined], cards: Vec<String>) {
        if examined.is_empty() {
            return;
        }
        let stated: BTreeSet<String> =
            examined.iter().filter_map(|one| one.licence.as_ref()).map(|licence| licence.shown().to_owned()).collect();
        let is_found = |one: &card::Examined| {
            let folder = self.below(&one.folder);
            self.findings
                .iter()
                .any(|finding| finding.rule == "licence-missing" && finding.location.file.starts_with(&folder))
        };
        let silent = examined.iter().filter(|one| one.licence.is_none() && !is_found(one));
        let silent: Vec<NotKnown> = silent
            .map(|one| NotKnown {
                reason: format!("nothing states a licence for '{}'", self.below(&one.folder)),
                next: "name an SPDX licence in the card's `license`".to_owned(),
            })
            .collect();
        let chains: Vec<&Judged> = examined.iter().filter_map(|one| one.chain.as_ref()).collect();
        let unknown = chains.iter().filter(|chain| chain.agreement == Agreement::Unknown);
        let unknown: Vec<NotKnown> = unknown
            .map(|chain| NotKnown {
                reason: format!("not known all along the chain: {}", chain.shown.join(", ")),
                next: "find out the licence of what it was made from, and name it in the card".to_owned(),
            })
            .collect();
        let said: Vec<String> = stated.into_iter().collect();
        let look = self.look(Topic::Licences, cards.clone());
        (look.said, look.unknown) = (said.clone(), silent);
        if !chains.is_empty() {
            let look = self.look(Topic::LicenceChain, cards);
            (look.said, look.unknown) = (said, unknown);
        }
    }
}

impl ProjectExaminer {
    /// Whether packages that were read go together, and what is known to be wrong with them: findings, and what could not be
    /// told. Images below the folder count too, or the one that a file describes.
    #[must_use]
    pub fn packages(&self, path: &Path, reading: &Reading) -> Examined {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        let mut project = Project::new(folder, self.driver.as_ref());
        let files = walk(&[path.to_owned()], false).unwrap_or_default();
        let described = project.images(&files);
        let packages = all_packages(folder, reading, &described);
        project.stack(&files, reading, &described, &packages);
        project.advisories(self, &packages);
        project.examined()
    }
}

/// A path of a dependency file, which may be told with or without a leading `./`, as files are named when the folder is walked.
fn reached(folder: &Path, path: &str) -> String {
    let plain: PathBuf = folder.components().filter(|part| *part != Component::CurDir).collect();
    let path = Path::new(path);
    let below = path.strip_prefix(folder).or_else(|_| path.strip_prefix(&plain)).unwrap_or(path);
    folder.join(below).display().to_string()
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// What files declare, and what images install, with places as they are reached.
fn all_packages(folder: &Path, reading: &Reading, described: &[Described]) -> Vec<Dependency> {
    let declared = reading.dependencies.iter().cloned().map(|mut one| {
        one.location.file = reached(folder, &one.location.file);
        one
    });
    declared.chain(described.iter().flat_map(|one| one.packages.clone())).collect()
}

/// Frameworks of which nobody says the one version: what is declared of them may fit, and what is installed may not.
fn open_versions(claims: &[stack::Claim]) -> impl Iterator<Item = NotKnown> {
    let parts: BTreeSet<Part> = claims.iter().map(|claim| claim.part).filter(|part| part.is_framework()).collect();
    let is_open = |part: &Part| !claims.iter().any(|claim| claim.part == *part && claim.is_exact());
    let open: Vec<&str> = parts.into_iter().filter(is_open).map(Part::name).collect();
    let told = (!open.is_empty()).then(|| NotKnown {
        reason: format!("what is declared can fit, and nothing says which version is meant: {}", open.join(", ")),
        next: "pin it to one version, or lock it".to_owned(),
    });
    told.into_iter()
}

/// A driver that somebody named, and that nothing was compared with: nothing says which CUDA is brought. What is built without
/// CUDA needs none.
fn idle_driver(stack: &stack::Stack) -> Option<NotKnown> {
    let driver = stack.claims.iter().find(|claim| claim.part == Part::Driver)?;
    let needs_none = stack.claims.iter().any(stack::Claim::is_without_cuda);
    (stack.compared_with_driver == 0 && !needs_none).then(|| NotKnown {
        reason: format!("nothing was compared with {}: no file says which CUDA it is to run", driver.told()),
        next:
            "pin torch, tensorflow[and-cuda] or jax[cuda12] to one version, or name a base image with its CUDA version"
                .to_owned(),
    })
}

/// The one version of a package that is meant, where all that name one agree.
fn pinned<'a>(packages: &'a [Dependency], name: &str) -> Option<&'a str> {
    let named = packages.iter().filter(|one| one.name == name && matches!(one.source, DependencySource::Index { .. }));
    let versions: BTreeSet<&str> = named.filter_map(|one| one.version.as_deref()).collect();
    match versions.len() {
        1 => versions.into_iter().next(),
        _ => None,
    }
}

fn indexes(reading: &Reading) -> impl Iterator<Item = Statement> {
    reading.indexes.iter().map(|index| Statement {
        text: index.url.clone(),
        location: index.location.clone(),
        group: None,
    })
}

/// What says which Python is used.
fn pythons(files: &[Entry], reading: &Reading) -> Vec<Statement> {
    let mut list: Vec<Statement> = reading
        .python
        .iter()
        .map(|claim| Statement { text: claim.constraint.clone(), location: claim.location.clone(), group: None })
        .collect();
    for entry in files {
        let name = name_of(&entry.path);
        let EntryKind::File(opened) = &entry.kind else { continue };
        if let Some(text) = Some(opened).filter(|_| stack::python::is_read(name)).and_then(|path| text_of(path)) {
            list.extend(stack::python::read(&text, &entry.path.display().to_string()));
        }
    }
    list
}

fn text_of(path: &Path) -> Option<String> {
    let source = FileSource::open(path).ok().filter(|source| source.len() <= stack::python::MAX_BYTES)?;
    let length = usize::try_from(source.len()).ok()?;
    String::from_utf8(read_up_to(&source, 0, length)).ok()
}

#[cfg(test)]
#[path = "project_tests.rs"]
mod tests;
