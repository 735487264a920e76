//! What the ledger says of a subject: who says how it was made, and what it descends from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use waag_evidence::gathered::{
    Ancestor, Ancestry, Assurance, FileEvidence, ProvenanceFacts, StatementEvidence, Statements,
};
use waag_evidence::statement::Statement;
use waag_evidence::statement::provenance::{PREDICATE_TYPE, Provenance};
use waag_evidence::statement::role::Role;
use waag_evidence::{Sha256Digest, TrustPolicy};
use waag_signing::sealed::Sealed;

use super::Gathering;
use crate::ledger::Ledger;
use crate::ledger::assurance::Assurance as Judged;
use crate::ledger::judge::PolicyJudge;
use crate::lineage::answer::{Answer, Kind, Level, Missing, Node, Options, Said};
use crate::lineage::question::{Digests, Starts, digests_of};
use crate::lineage::walk::Direction;
use crate::scan::Silent;

/// Steps back that are followed.
const MAX_DEPTH: u32 = 256;
/// Ancestors that are followed.
const MAX_NODES: usize = 10_000;

/// Paths that the ledger is asked about.
const MAX_ASKED: usize = 1000;

/// Statements about what was checked, and its ancestors.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    pub(super) statements: Statements,
    pub(super) ancestry: Ancestry,
}

/// Asks the ledger about some paths. Where there is none, nothing is searched, and nothing is known.
pub(super) fn gather<'a>(
    gathering: &Gathering<'_>,
    about: impl Iterator<Item = &'a Path>,
    files: &[FileEvidence],
) -> Lineage {
    let mut lineage = Lineage::default();
    let Some(folder) = gathering.options.controls.as_ref().and_then(|sources| sources.ledger.as_ref()) else {
        return lineage;
    };
    let place = folder.display().to_string();
    lineage.statements.searched.push(place.clone());
    lineage.ancestry.searched.push(place);
    let about: Vec<&Path> = about.collect();
    let weights: BTreeSet<&Path> =
        files.iter().filter(|file| file.tensors > 0).map(|file| Path::new(&file.path)).collect();
    if about.len() > MAX_ASKED {
        lineage.ancestry.incomplete.push(format!("the ledger was asked about {MAX_ASKED} of {} paths", about.len()));
    }
    // What went wrong is told in words: the ledger is then no evidence, and what it holds is not known.
    if let Err(error) = lineage.ask_all(gathering, folder, &about, &weights) {
        lineage.ancestry.incomplete.push(error);
    }
    lineage
}

impl Lineage {
    fn ask_all(
        &mut self,
        gathering: &Gathering<'_>,
        folder: &Path,
        about: &[&Path],
        weights: &BTreeSet<&Path>,
    ) -> Result<(), String> {
        let Some(sources) = &gathering.options.controls else { return Ok(()) };
        let settings = &gathering.options.settings;
        let judge = PolicyJudge::new(&settings.trust, &settings.folder, &sources.store, crate::clock::now());
        let judge = judge.map_err(|error| error.to_string())?;
        let mut ledger = Ledger::open(folder, sources.cache.as_deref()).map_err(|error| error.to_string())?;
        for path in about.iter().take(MAX_ASKED) {
            self.ask((path, weights), &mut ledger, &judge, &settings.trust)?;
        }
        Ok(())
    }

    fn ask(
        &mut self,
        (path, weights): (&Path, &BTreeSet<&Path>),
        ledger: &mut Ledger,
        judge: &PolicyJudge<'_>,
        trust: &TrustPolicy,
    ) -> Result<(), String> {
        let digests = digests_of(path, &Silent).map_err(|error| error.to_string())?;
        let starts = starts(ledger, digests, path, weights).map_err(|error| error.to_string())?;
        if starts.nodes.is_empty() {
            return Ok(());
        }
        let options = Options { direction: Direction::Ancestors, most_depth: MAX_DEPTH, most_nodes: MAX_NODES };
        let answer =
            crate::lineage::answer(ledger, &starts.nodes, options, judge).map_err(|error| error.to_string())?;
        self.take(&answer, trust);
        self.say(&answer, &starts, ledger);
        Ok(())
    }

    /// The ancestors of an answer, with the worst step that leads to each.
    fn take(&mut self, answer: &Answer, trust: &TrustPolicy) {
        let mut ancestors: BTreeMap<usize, (Role, Assurance)> = BTreeMap::new();
        for edge in &answer.edges {
            let Ok(role) = edge.relation.parse::<Role>() else { continue };
            if role == Role::PartOf || !role.is_ancestry() || node(answer, edge.object).is_none() {
                continue;
            }
            let best = edge.said.iter().min_by_key(|said| said.level);
            let assurance = best.map_or(Assurance::Unsigned, |said| assurance(said, answer));
            let worse = ancestors.get(&edge.object).is_none_or(|(_, known)| rank(&assurance) > rank(known));
            if worse {
                ancestors.insert(edge.object, (role, assurance));
            }
        }
        for (index, found) in answer.nodes.iter().enumerate().filter(|(_, node)| node.depth > 0) {
            let denied = digest(found).and_then(|digest| trust.denied.iter().find(|denied| denied.digest == digest));
            let denied = denied.map(|denied| denied.reason.clone());
            let known = ancestors.remove(&index);
            // Files of an ancestor are told only where they are refused.
            let known = known.or_else(|| denied.as_ref().map(|_| (Role::PartOf, Assurance::Unsigned)));
            let Some((role, assurance)) = known else { continue };
            self.push(Ancestor {
                name: found.label.clone().unwrap_or_else(|| found.id.clone()),
                digest: digest(found),
                role,
                depth: found.depth,
                assurance,
                denied,
                verdict: None,
            });
        }
        self.take_gaps(answer);
    }

    /// What keeps the ancestors of an answer from being all of them.
    fn take_gaps(&mut self, answer: &Answer) {
        let vouched = vouched(answer);
        let unknown = answer.nodes.iter().enumerate().filter(|(index, node)| {
            node.depth > 0 && node.missing == Some(Missing::Statement) && !vouched.contains(index)
        });
        self.ancestry.missing.extend(unknown.map(|(_, node)| node.label.clone().unwrap_or_else(|| node.id.clone())));
        let name = |index: &usize| answer.nodes.get(*index).map(|node| node.id.clone()).unwrap_or_default();
        self.ancestry.cycles.extend(answer.cycles.iter().map(|cycle| cycle.iter().map(name).collect()));
        self.ancestry.incomplete.extend(answer.incomplete.iter().cloned());
        let left_out = answer.left_out.iter();
        self.ancestry
            .incomplete
            .extend(left_out.map(|entry| format!("the entry {} {}", entry.digest, entry.fault.words())));
    }

    /// Several parts of a project may have one ancestor.
    fn push(&mut self, ancestor: Ancestor) {
        if !self.ancestry.nodes.contains(&ancestor) {
            self.ancestry.nodes.push(ancestor);
        }
    }

    /// The statements that say what the subject itself was made from.
    fn say(&mut self, answer: &Answer, starts: &Starts, ledger: &Ledger) {
        let cited = statements_about(answer, starts);
        for cited in cited.into_iter().filter_map(|index| answer.statements.get(index)) {
            let (signer, trusted) = match &cited.assurance {
                Judged::Signed { signer, .. } => (Some(signer.clone()), true),
                Judged::Unverified { claimed, .. } => (claimed.clone(), false),
                Judged::Unsigned => (None, false),
            };
            let statement = StatementEvidence {
                predicate_type: cited.predicate_type.clone().unwrap_or_default(),
                place: format!("ledger, {:.12}", cited.digest.to_string()),
                sha256: Some(cited.digest),
                signer,
                trusted,
                provenance: provenance(ledger, &cited.digest).filter(|_| trusted),
            };
            if !self.statements.found.contains(&statement) {
                self.statements.found.push(statement);
            }
        }
    }
}

/// Where the walk begins: at the whole, or, where nobody speaks of it, at the files that have its weights. A configuration or
/// a licence that another model has too says nothing of this one.
fn starts(
    ledger: &Ledger,
    digests: Digests,
    path: &Path,
    weights: &BTreeSet<&Path>,
) -> Result<Starts, crate::ledger::LedgerError> {
    let Digests { whole, files } = digests;
    let single = files.len() == 1;
    let counts = |name: &str| single || weights.contains(path.join(name).as_path());
    let files: Vec<_> = files.into_iter().filter(|(name, _)| counts(name)).map(|(_, identifier)| identifier).collect();
    let missing = files.iter().map(|file| ledger.nodes_of(std::slice::from_ref(file)));
    let missing = missing.collect::<Result<Vec<_>, _>>()?.iter().any(Vec::is_empty);
    // Weights of which one part is unknown are not the weights that somebody spoke of.
    Starts::of_digests(ledger, whole, if missing && !single { Vec::new() } else { files })
}

/// Statements whose subject is what was asked about: the whole, or each of the files that stand for it.
fn statements_about(answer: &Answer, starts: &Starts) -> BTreeSet<usize> {
    let is_start = |index: usize| answer.nodes.get(index).is_some_and(|node| node.depth == 0);
    let mut said_of: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for edge in answer.edges.iter().filter(|edge| is_start(edge.subject)) {
        edge.said.iter().for_each(|said| {
            said_of.entry(said.statement).or_default().insert(edge.subject);
        });
    }
    let needed = if starts.by_files { starts.nodes.len() } else { 1 };
    said_of.into_iter().filter(|(_, subjects)| subjects.len() >= needed).map(|(statement, _)| statement).collect()
}

fn node(answer: &Answer, index: usize) -> Option<&Node> {
    let hidden = [Kind::Advisory, Kind::Step];
    answer.nodes.get(index).filter(|node| node.depth > 0 && !hidden.contains(&node.kind))
}

/// Artifacts that somebody trusted has signed, by themselves or as files of a whole. One may be where a history begins: that
/// nobody says what it was made from is then no gap.
fn vouched(answer: &Answer) -> BTreeSet<usize> {
    let parts = answer.edges.iter().filter(|edge| edge.relation == Role::PartOf.name());
    let signed = parts.filter(|edge| edge.said.iter().any(|said| said.level == Level::Signed));
    signed.flat_map(|edge| [edge.subject, edge.object]).collect()
}

fn digest(node: &Node) -> Option<Sha256Digest> {
    (node.naming == "digest").then(|| node.id.parse().ok()).flatten()
}

fn assurance(said: &Said, answer: &Answer) -> Assurance {
    let cited = answer.statements.get(said.statement).map(|cited| &cited.assurance);
    match (said.level, cited) {
        (Level::Signed, Some(Judged::Signed { signer, .. })) => Assurance::Signed { by: signer.clone(), trusted: true },
        (Level::Unverified, Some(Judged::Unverified { claimed, .. })) => {
            Assurance::Signed { by: claimed.clone().unwrap_or_else(|| "somebody".to_owned()), trusted: false }
        }
        (Level::DerivedFromFile, _) => Assurance::DerivedFromFile,
        (Level::SelfDeclared, _) => Assurance::SelfDeclared,
        _ => Assurance::Unsigned,
    }
}

/// The better before the worse.
const fn rank(assurance: &Assurance) -> u8 {
    match assurance {
        Assurance::Signed { trusted: true, .. } => 0,
        Assurance::Signed { trusted: false, .. } => 1,
        Assurance::DerivedFromFile => 2,
        Assurance::SelfDeclared => 3,
        Assurance::Unsigned => 4,
    }
}

fn provenance(ledger: &Ledger, digest: &Sha256Digest) -> Option<ProvenanceFacts> {
    let sealed = Sealed::parse(&ledger.read(digest).ok()?).ok()?;
    let statement = Statement::parse(&sealed.statement_bytes().ok()?).ok()?;
    let is_provenance = statement.predicate_type == PREDICATE_TYPE;
    let provenance = serde_json::from_value::<Provenance>(statement.predicate).ok().filter(|_| is_provenance)?;
    Some(ProvenanceFacts::from(&provenance))
}
