//! What the ledger says of a subject: who says how it was made, and what it descends from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use waag_evidence::gathered::{Ancestor, Ancestry, Assurance, ProvenanceFacts, StatementEvidence, Statements};
use waag_evidence::statement::Statement;
use waag_evidence::statement::evidence::refusal;
use waag_evidence::statement::provenance::{PREDICATE_TYPE, Provenance};
use waag_evidence::statement::role::Role;
use waag_evidence::statement::scan::PREDICATE_TYPE as SCAN_TYPE;
use waag_evidence::statement::verdict::{PREDICATE_TYPE as VERDICT_TYPE, VerificationResult, VerificationSummary};
use waag_evidence::{Decision, Sha256Digest, TrustPolicy};
use waag_signing::model_statement::NAMES_DIGEST;
use waag_signing::sealed::Sealed;

use super::{Gathering, Weights};
use crate::ledger::assurance::Assurance as Judged;
use crate::ledger::graph::LedgerGraph;
use crate::ledger::judge::PolicyJudge;
use crate::ledger::{Ledger, LedgerError, StatementRow};
use crate::lineage::answer::{Answer, Kind, Level, Missing, Node, Options, Said};
use crate::lineage::identifier::Identifier;
use crate::lineage::question::{Digests, Starts, digests_of};
use crate::lineage::relation::Relation;
use crate::lineage::walk::Direction;
use crate::scan::Silent;

/// Steps back that are followed.
const MAX_DEPTH: u32 = 256;
/// Ancestors that are followed.
const MAX_NODES: usize = 10_000;

/// Types of statements that decide.
const DECIDING: [&str; 2] = [VERDICT_TYPE, SCAN_TYPE];
/// Names of one artifact that are looked at.
const MAX_NAMES: usize = 256;
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
    weights: &Weights,
) -> Lineage {
    let mut lineage = Lineage::default();
    let Some(folder) = gathering.options.controls.as_ref().and_then(|sources| sources.ledger.as_ref()) else {
        return lineage;
    };
    let place = folder.display().to_string();
    lineage.statements.searched.push(place.clone());
    lineage.ancestry.searched.push(place);
    let about: Vec<&Path> = about.collect();
    if about.len() > MAX_ASKED {
        lineage.ancestry.incomplete.push(format!("the ledger was asked about {MAX_ASKED} of {} paths", about.len()));
    }
    // What went wrong is told in words: the ledger is then no evidence, and what it holds is not known.
    if let Err(error) = lineage.ask_all(gathering, folder, &about, weights) {
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
        weights: &Weights,
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
        (path, weights): (&Path, &Weights),
        ledger: &mut Ledger,
        judge: &PolicyJudge<'_>,
        trust: &TrustPolicy,
    ) -> Result<(), String> {
        let digests = digests_of(path, &Silent).map_err(|error| error.to_string())?;
        self.object(ledger, &digests, (path, weights), judge).map_err(|error| error.to_string())?;
        let starts = starts(ledger, digests, path, weights).map_err(|error| error.to_string())?;
        if starts.nodes.is_empty() {
            return Ok(());
        }
        let options = Options { direction: Direction::Ancestors, most_depth: MAX_DEPTH, most_nodes: MAX_NODES };
        let answer =
            crate::lineage::answer(ledger, &starts.nodes, options, judge).map_err(|error| error.to_string())?;
        let verdicts = verdicts(ledger, &answer, judge).map_err(|error| error.to_string())?;
        self.take(&answer, trust, &verdicts);
        self.say(&answer, &starts, ledger);
        Ok(())
    }

    /// What people who are trusted say against the subject itself, as a whole or as the files that have its weights: a licence
    /// that another model has too, of which a verdict spoke, says nothing of this one.
    fn object(
        &mut self,
        ledger: &Ledger,
        digests: &Digests,
        (path, weights): (&Path, &Weights),
        judge: &PolicyJudge<'_>,
    ) -> Result<(), LedgerError> {
        let single = digests.files.len() == 1;
        let files = digests.files.iter().filter(|(name, _)| single || weights.has(&path.join(name)));
        let asked: Vec<Identifier> = digests.whole.iter().chain(files.map(|(_, file)| file)).cloned().collect();
        let graph = ledger.graph()?;
        for number in descriptions(&graph, &ledger.nodes_of(&asked)?) {
            let Some((row, signer, statement)) = signed(ledger, number, judge)? else { continue };
            let Some(objection) = refusal(&statement.predicate_type, &statement.predicate) else { continue };
            let found = StatementEvidence {
                predicate_type: statement.predicate_type,
                place: format!("ledger, {:.12}", row.digest.to_string()),
                sha256: Some(row.digest),
                signer: Some(signer),
                trusted: true,
                objection: Some(objection),
                provenance: None,
            };
            if !self.statements.found.contains(&found) {
                self.statements.found.push(found);
            }
        }
        Ok(())
    }

    /// The ancestors of an answer, with the worst step that leads to each.
    fn take(&mut self, answer: &Answer, trust: &TrustPolicy, verdicts: &BTreeMap<usize, Decision>) {
        let mut ancestors: BTreeMap<usize, (Role, Assurance)> = BTreeMap::new();
        let known = by_believed_names(answer);
        for edge in &answer.edges {
            let Ok(role) = edge.relation.parse::<Role>() else { continue };
            if role == Role::PartOf || !role.is_ancestry() || node(answer, edge.object).is_none() {
                continue;
            }
            let best = edge.said.iter().min_by_key(|said| said.level);
            let assurance = match best.filter(|_| known.contains(&edge.subject)) {
                Some(said) => assurance(said, answer),
                // Whoever signed it spoke of something that only somebody who is not trusted takes for this.
                None => Assurance::Unsigned,
            };
            let worse = ancestors.get(&edge.object).is_none_or(|(_, known)| rank(&assurance) > rank(known));
            if worse {
                ancestors.insert(edge.object, (role, assurance));
            }
        }
        for (index, found) in answer.nodes.iter().enumerate().filter(|(_, node)| node.depth > 0) {
            let denied = any_digest(found);
            let denied = denied.and_then(|digest| trust.denied.iter().find(|denied| denied.digest == digest));
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
                verdict: verdicts.get(&index).copied(),
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
                objection: None,
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
fn starts(ledger: &Ledger, digests: Digests, path: &Path, weights: &Weights) -> Result<Starts, LedgerError> {
    let Digests { whole, files } = digests;
    let single = files.len() == 1;
    let counts = |name: &str| single || weights.has(&path.join(name));
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

/// What trusted people decided of artifacts before, the worst of each. Only their digests are asked for: under a name,
/// other bytes may have been judged.
fn verdicts(
    ledger: &Ledger,
    answer: &Answer,
    judge: &PolicyJudge<'_>,
) -> Result<BTreeMap<usize, Decision>, LedgerError> {
    let graph = ledger.graph()?;
    let mut verdicts = BTreeMap::new();
    for (index, found) in answer.nodes.iter().enumerate().filter(|(_, node)| node.depth > 0 && node.naming == "digest")
    {
        let Some((algorithm, digits)) = found.id.split_once(':') else { continue };
        for statement in descriptions(&graph, &ledger.nodes_of(&[Identifier::digest(algorithm, digits)])?) {
            if let Some(decision) = verdict(ledger, statement, judge)? {
                let known = verdicts.entry(index).or_insert(decision);
                *known = decision.max(*known);
            }
        }
    }
    Ok(verdicts)
}

/// Statements that describe some nodes, by any of their digests.
fn descriptions(graph: &LedgerGraph, nodes: &[u32]) -> BTreeSet<u32> {
    let LedgerGraph { graph, left_out } = graph;
    let others = nodes.iter().flat_map(|node| graph.edges_from(*node).chain(graph.edges_to(*node)));
    let others = others.filter(|step| step.meaning() == Some(Relation::SameAs) && graph.is_digest(step.node));
    let others: Vec<u32> = others.map(|step| step.node).take(MAX_NAMES).collect();
    let steps = nodes.iter().chain(&others).flat_map(|node| graph.edges_from(*node));
    let described = steps.filter(|step| step.meaning() == Some(Relation::Role(Role::Description)));
    described.map(|step| step.statement).filter(|statement| !left_out.has(*statement)).collect()
}

/// What a statement of the ledger decides; none where it decides nothing, or nobody who is trusted signed it.
fn verdict(ledger: &Ledger, number: u32, judge: &PolicyJudge<'_>) -> Result<Option<Decision>, LedgerError> {
    let Some((_, _, statement)) = signed(ledger, number, judge)? else { return Ok(None) };
    let is_verdict = statement.predicate_type == VERDICT_TYPE;
    let refused = refusal(&statement.predicate_type, &statement.predicate).map(|_| Decision::Deny);
    let summary = Some(statement.predicate).filter(|_| is_verdict);
    let summary = summary.and_then(|predicate| serde_json::from_value::<VerificationSummary>(predicate).ok());
    let decided = summary.map(|summary| match summary.verification_result {
        VerificationResult::Passed => Decision::Allow,
        VerificationResult::Failed => Decision::Deny,
    });
    Ok(decided.or(refused))
}

/// A verdict or a scan that somebody who is trusted signed, and who that is.
fn signed(
    ledger: &Ledger,
    number: u32,
    judge: &PolicyJudge<'_>,
) -> Result<Option<(StatementRow, String, Statement)>, LedgerError> {
    let row = ledger.statement(number)?.filter(|row| row.fault.is_none());
    let decides = |row: &StatementRow| row.predicate_type.as_deref().is_some_and(|it| DECIDING.contains(&it));
    let Some(row) = row.filter(decides) else { return Ok(None) };
    let Judged::Signed { signer, .. } = ledger.assurance(&row, judge)? else { return Ok(None) };
    let statement = statement_of(ledger, &row.digest);
    Ok(statement.map(|statement| (row, signer, statement)))
}

fn node(answer: &Answer, index: usize) -> Option<&Node> {
    let hidden = [Kind::Advisory, Kind::Step];
    answer.nodes.get(index).filter(|node| node.depth > 0 && !hidden.contains(&node.kind))
}

/// What is reached from where the walk began without taking anybody's word for it that two names are of one artifact.
fn by_believed_names(answer: &Answer) -> BTreeSet<usize> {
    let mut next: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for edge in &answer.edges {
        let is_name = edge.relation == Relation::SameAs.name();
        if is_name && !edge.level.is_believed() {
            continue;
        }
        next.entry(edge.subject).or_default().push(edge.object);
        if is_name || edge.relation == Role::PartOf.name() {
            next.entry(edge.object).or_default().push(edge.subject);
        }
    }
    let starts = answer.nodes.iter().enumerate().filter(|(_, node)| node.depth == 0);
    let mut open: Vec<usize> = starts.map(|(place, _)| place).collect();
    let mut known = BTreeSet::new();
    while let Some(place) = open.pop() {
        if known.insert(place) {
            open.extend(next.get(&place).into_iter().flatten());
        }
    }
    known
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

/// The digest of an artifact, or the one over names and contents: people refuse a model by either.
fn any_digest(node: &Node) -> Option<Sha256Digest> {
    let names = || node.id.strip_prefix(NAMES_DIGEST)?.strip_prefix(':')?.parse().ok();
    digest(node).or_else(|| names().filter(|_| node.naming == "digest"))
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
    let statement = statement_of(ledger, digest)?;
    let is_provenance = statement.predicate_type == PREDICATE_TYPE;
    let provenance = serde_json::from_value::<Provenance>(statement.predicate).ok().filter(|_| is_provenance)?;
    Some(ProvenanceFacts::from(&provenance))
}

fn statement_of(ledger: &Ledger, digest: &Sha256Digest) -> Option<Statement> {
    let sealed = Sealed::parse(&ledger.read(digest).ok()?).ok()?;
    Statement::parse(&sealed.statement_bytes().ok()?).ok()
}
