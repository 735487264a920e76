//! Everything about cards below a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use waag_evidence::finding::{Finding, Location, Persona, Severity};
use waag_formats::fact::Position;

use super::complete::{self, Completeness};
use super::contradiction::{self, stated};
use super::files::{Proven, WEIGHTS, plain_reference, prove};
use super::malformed;
use super::read::{self, Card, Kind};
use super::rules::MISSING;
use crate::import::identity::{OwnNames, is_local};
use crate::licence::chain::{self, Basis, Judged, Link, Role};
use crate::licence::{self, Licence};
use crate::rules::finding::Findings;
use crate::rules::{Meta, incomplete_analysis};
use crate::walk::{EntryKind, walk};

/// Models and datasets below one folder that are examined.
const MAX_EXAMINED: usize = 5_000;

/// What was found.
#[derive(Debug, Default)]
pub struct CardReport {
    /// Models and datasets, in order of their folders.
    pub cards: Vec<Examined>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Files that were read, below the folder that was asked about.
    pub read: Vec<String>,
    /// Folders that were looked at.
    pub folders: usize,
}

/// A model or dataset.
#[derive(Debug)]
pub struct Examined {
    /// Its folder, below the one that was asked about; empty for that one itself.
    pub folder: String,
    /// What it is.
    pub kind: Kind,
    /// Its card; none where there is none, or it could not be read.
    pub card: Option<Card>,
    /// What its files prove.
    pub proven: Proven,
    /// Its licence, as the card states it, or else as another file does.
    pub licence: Option<Licence>,
    /// How much of what a card has to say is there.
    pub completeness: Option<Completeness>,
    /// Its licence against those of what it was made from.
    pub chain: Option<Judged>,
    /// Where it lies.
    path: PathBuf,
}

/// Examines the cards of everything below a folder, or the card that is named.
///
/// # Errors
/// When the path does not exist or cannot be read at all. What cannot be read below it is a finding.
pub fn examine(root: &Path) -> io::Result<CardReport> {
    let mut report = CardReport::default();
    let (folder, only) = match std::fs::metadata(root)?.is_file() {
        true => (root.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new(".")), Some(root)),
        false => (root, None),
    };
    match only {
        Some(path) => {
            let shown = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let card = read::read(path, &shown, Kind::Model).map_err(|why| format!("{shown}: {why}"));
            report.folders = 1;
            report.take(folder, String::new(), Some(card));
        }
        None => report.all(folder)?,
    }
    report.chains();
    report.findings.sort_by(|one, other| one.location.cmp(&other.location).then_with(|| one.rule.cmp(&other.rule)));
    report.read.sort();
    Ok(report)
}

impl CardReport {
    /// Tells every place as it is reached from where the user is: below `root`, as it was named.
    pub fn told_below(&mut self, root: &Path) {
        let root = root.to_string_lossy().trim_end_matches('/').to_owned();
        if root.is_empty() || root == "." {
            return;
        }
        let told =
            |place: &str| if place.is_empty() || place == "." { root.clone() } else { format!("{root}/{place}") };
        for finding in &mut self.findings {
            finding.location.file = told(&finding.location.file);
        }
        self.read.iter_mut().for_each(|name| *name = told(name));
        for examined in &mut self.cards {
            examined.folder = told(&examined.folder);
            if let Some(card) = &mut examined.card {
                card.shown = told(&card.shown);
            }
        }
    }

    fn all(&mut self, root: &Path) -> io::Result<()> {
        let mut covered: BTreeSet<PathBuf> = BTreeSet::new();
        let folders = folders(root, self)?;
        self.folders = folders.len();
        for (folder, names) in folders {
            if self.cards.len() >= MAX_EXAMINED {
                let message = format!("only the first {MAX_EXAMINED} models and datasets were examined");
                self.incomplete("", &message, "examine parts of the folder one by one");
                break;
            }
            let shown = shown(root, &folder);
            let is_thing = is_candidate(&names);
            let card = read::of_folder(&folder, &shown, Kind::Model, is_thing);
            if card.is_none() && !is_thing {
                continue;
            }
            let is_covered = folder.ancestors().skip(1).any(|above| covered.contains(above));
            if card.is_none() && is_covered {
                continue;
            }
            if self.take(&folder, shown, card) {
                covered.insert(folder);
            }
        }
        Ok(())
    }

    /// Examines one folder. Whether it has a card is given back.
    fn take(&mut self, folder: &Path, shown: String, card: Option<Result<Card, String>>) -> bool {
        let proven = prove(folder);
        let is_thing = proven.is_model() || proven.is_dataset();
        // A text beside a configuration of something else is no card.
        let is_other = |card: &Result<Card, String>| card.as_ref().is_ok_and(|card| !card.speaks_of_a_model());
        if !is_thing && card.as_ref().is_none_or(is_other) {
            return false;
        }
        let has_card = card.is_some();
        let below = |name: &str| if shown.is_empty() { name.to_owned() } else { format!("{shown}/{name}") };
        self.read.extend(proven.read.iter().map(|name| below(name)));
        for (name, why) in &proven.unread {
            let next = "mend or replace the file: what the card says of it was not compared";
            self.incomplete(&below(name), &format!("could not be read: {why}"), next);
        }
        let card = match card {
            Some(Ok(card)) => Some(card),
            Some(Err(why)) => {
                self.incomplete(&shown, &format!("the card could not be read: {why}"), "mend or replace it");
                None
            }
            None => {
                self.missing(&shown, &proven);
                None
            }
        };
        let kind = match &card {
            Some(card) if card.kind == Kind::Dataset => Kind::Dataset,
            _ if proven.is_dataset() => Kind::Dataset,
            _ => Kind::Model,
        };
        let card = card.map(|card| Card { kind, ..card });
        let completeness = card.as_ref().map(|card| self.judge(card, folder, &proven));
        let licence = licence_of(card.as_ref(), &proven);
        let path = folder.to_owned();
        self.cards.push(Examined { folder: shown, kind, card, proven, licence, completeness, chain: None, path });
        has_card
    }

    fn judge(&mut self, card: &Card, folder: &Path, proven: &Proven) -> Completeness {
        self.read.push(card.shown.clone());
        malformed::check(card, &mut self.findings);
        contradiction::check(card, folder, proven, &mut self.findings);
        complete::check(card, proven.has_results, &mut self.findings)
    }

    fn missing(&mut self, shown: &str, proven: &Proven) {
        let kind = if proven.is_model() { Kind::Model } else { Kind::Dataset };
        let place = if shown.is_empty() { "." } else { shown };
        let message = format!("the {} has no card", kind.name());
        let next = "`waag card init` drafts one from what the files prove, and marks what only a person can say";
        let location = Location::file(place);
        let mut findings = Findings::new(&location, &MISSING, &mut self.findings);
        findings.add(Severity::Medium, Position::Whole, message, next).persona(Persona::Reviewer);
    }

    fn incomplete(&mut self, file: &str, message: &str, next: &str) {
        let location = Location::file(if file.is_empty() { "." } else { file });
        let meta: &'static Meta = crate::rules::Rule::meta(&incomplete_analysis::IncompleteAnalysis);
        Findings::new(&location, meta, &mut self.findings).add_incomplete(Position::Whole, message, next);
    }

    /// Judges the licence of everything that has a card by the licences of what it was made from.
    fn chains(&mut self) {
        let known: Vec<Known> = self
            .cards
            .iter()
            .map(|examined| {
                let place = examined.card.as_ref().map_or_else(|| examined.folder.clone(), |card| card.shown.clone());
                let names = OwnNames::of(&examined.path);
                Known { names, kind: examined.kind, licence: examined.licence.clone(), place: Location::file(place) }
            })
            .collect();
        for at in 0..self.cards.len() {
            let Some((result, parts)) = links(&self.cards[at], &known, at) else { continue };
            let judged = chain::judge(&result, &parts);
            self.findings.extend(judged.findings.iter().cloned());
            self.cards[at].chain = Some(judged);
        }
    }
}

/// Parts of one chain that are told with their line.
const MAX_LINES: usize = 200;

/// What another model or dataset that was found is called, and its licence.
struct Known {
    names: OwnNames,
    kind: Kind,
    licence: Option<Licence>,
    place: Location,
}

/// Which of those that were found a name means: the one that has it whole, or else the only one whose name ends like it.
fn meant<'k>(known: &'k [Known], own: usize, role: Role, name: &str) -> Option<&'k Known> {
    let kind = if role == Role::Dataset { Kind::Dataset } else { Kind::Model };
    let others = || known.iter().enumerate().filter(|(at, other)| *at != own && other.kind == kind).map(|(_, one)| one);
    let mut likely = others().filter(|other| other.names.may_have(name));
    others().find(|other| other.names.has(name)).or_else(|| likely.next().filter(|_| likely.next().is_none()))
}

/// The result and its parts, for everything that has a card whose values could be read.
fn links(examined: &Examined, known: &[Known], own: usize) -> Option<(Link, Vec<Link>)> {
    let card = examined.card.as_ref().filter(|card| card.broken.is_none())?;
    let root = card.root();
    let place = |pointer: &str| Location { line: card.line_of(pointer), ..Location::file(card.shown.clone()) };
    let own_name = card.name().filter(|name| !name.is_empty()).unwrap_or_else(|| card.shown.clone());
    let basis = if examined.licence.is_some() { Basis::Read } else { Basis::None };
    let licence = examined.licence.clone();
    let result =
        Link { role: Role::Result, name: own_name.clone(), relation: None, licence, basis, place: place("/license") };
    let relation = root.text_of("base_model_relation").map(str::to_owned);
    let (mut parts, mut seen): (Vec<Link>, BTreeSet<(Role, String)>) = (Vec::new(), BTreeSet::new());
    let mut add = |role: Role, name: &str, pointer: &str| {
        let is_itself = role == Role::BaseModel && known.get(own).is_some_and(|one| one.names.has(name));
        let plain = plain_reference(name);
        if is_itself || !seen.insert((role, plain.clone())) {
            return;
        }
        // A line is looked for from the top, so it is told of no more parts than people read.
        let at = if seen.len() <= MAX_LINES { place(pointer) } else { Location::file(card.shown.clone()) };
        let mut link = Link::named(role, if is_local(name) { name } else { &plain }, at);
        name.clone_into(&mut link.name);
        link.relation = relation.clone().filter(|_| role == Role::BaseModel);
        if let Some(other) = meant(known, own, role, &plain) {
            (link.licence, link.place) = (other.licence.clone(), other.place.clone());
            link.basis = if other.licence.is_some() { Basis::Read } else { Basis::None };
        }
        parts.push(link);
    };
    for (key, role) in
        [("base_model", Role::BaseModel), ("datasets", Role::Dataset), ("source_datasets", Role::Dataset)]
    {
        let nodes = root.list(key).into_iter().filter(|node| node.text() != Some("original"));
        for node in nodes {
            // What cannot be read is a part of it all the same, with a licence that nobody knows.
            let name = node.text().unwrap_or("(an entry that is no text)");
            add(role, name.rsplit('|').next().unwrap_or(name), node.place());
        }
    }
    for base in examined.proven.bases.iter().filter(|base| base.place != "/_name_or_path") {
        add(Role::BaseModel, &base.value, "/base_model");
    }
    Some((result, parts))
}

/// The licence of a model or dataset: as its card states it, as a text beside it is recognised, as another file says.
fn licence_of(card: Option<&Card>, proven: &Proven) -> Option<Licence> {
    card.and_then(stated)
        .or_else(|| proven.text_licence().map(|all| licence::read(&all, None, None)))
        .or_else(|| proven.licences.first().map(|(_, licence)| licence.clone()))
}

/// Folders with the names of their files, parents first.
fn folders(root: &Path, report: &mut CardReport) -> io::Result<BTreeMap<PathBuf, Vec<String>>> {
    let mut folders: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    folders.entry(root.to_owned()).or_default();
    for entry in walk(&[root.to_owned()], false)? {
        match &entry.kind {
            EntryKind::File(_) => {
                let (Some(parent), Some(name)) = (entry.path.parent(), entry.path.file_name()) else { continue };
                folders.entry(parent.to_owned()).or_default().push(name.to_string_lossy().into_owned());
            }
            EntryKind::StrayLink(target) if is_looked_at(&entry.path) => {
                let why = format!("leads out of the folder, to '{target}', and was not followed");
                report.incomplete(&shown(root, &entry.path), &why, "put the file itself there");
            }
            EntryKind::Unreadable(why) => {
                report.incomplete(
                    &shown(root, &entry.path),
                    &format!("could not be read: {why}"),
                    "check that you may read it",
                );
            }
            _ => {}
        }
    }
    // Files of installed packages are nobody's models.
    let is_environment = |path: &Path| path != root && folders.get(path).is_some_and(|names| has(names, "pyvenv.cfg"));
    let inside = |folder: &Path| folder.ancestors().take_while(|above| *above != root).any(&is_environment);
    let installed: Vec<PathBuf> = folders.keys().filter(|folder| inside(folder)).cloned().collect();
    folders.retain(|folder, _| installed.binary_search(folder).is_err());
    Ok(folders)
}

fn has(names: &[String], wanted: &str) -> bool {
    names.iter().any(|name| name == wanted)
}

/// Whether a file of this name would have been compared with something.
fn is_looked_at(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let starts = ["readme.md", "modelcard.", "license", "licence", "config.json", "adapter_config.json", "model"];
    starts.iter().any(|start| name.starts_with(start)) || WEIGHTS.iter().any(|ending| name.ends_with(ending))
}

/// Whether files are those of a model, or of a dataset that was saved as one.
fn is_candidate(names: &[String]) -> bool {
    let is_state = |name: &str| {
        ["optimizer", "scheduler", "rng_state", "training_args"].iter().any(|start| name.starts_with(start))
    };
    // Not every pickle is a model, and many things are called .bin.
    let endings = || WEIGHTS.iter().filter(|ending| ![".bin", ".pkl"].contains(ending));
    names.iter().any(|name| {
        let is_weights = endings().any(|ending| name.ends_with(ending)) || name == "model.pkl";
        let is_bin = (name.starts_with("pytorch_model") || name.starts_with("adapter_model")) && name.ends_with(".bin");
        let is_file =
            ["adapter_config.json", "model_index.json", "config.json", "dataset_infos.json", "dataset_dict.json"];
        (is_weights || is_bin || is_file.contains(&name.as_str())) && !is_state(name)
            || name.ends_with(".parquet")
            || name.ends_with(".arrow")
    })
}

fn shown(root: &Path, folder: &Path) -> String {
    let below = folder.strip_prefix(root).unwrap_or(folder);
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
