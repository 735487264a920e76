//! Makes an answer of a walk: what is told, who says it, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use waag_evidence::Sha256Digest;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::answer::{Answer, AnswerEdge, Cited, Kind, LeftOut, Level, Missing, Node, Options, Said};
use super::extract::ClaimedBy;
use super::graph::{Graph, Step};
use super::identifier::{Identifier, Naming};
use super::relation::{Crossing, Relation};
use super::walk::{Bits, Crossed, Direction, Walk};
use super::{conflict, cycle};
use crate::ledger::assurance::{Assurance, Judge};
use crate::ledger::graph::LedgerGraph;
use crate::ledger::{Ledger, LedgerError, StatementRow};

/// Statements of an answer that are read and digested. Of the others the file system says whether they have changed.
const READ_AGAIN: usize = 1000;
/// Names of one artifact that are looked at.
pub(super) const MAX_NAMES: usize = 256;
/// Edges of an answer.
const MAX_EDGES: usize = 200_000;

/// What an edge of an answer says: the places of its ends, and what the one is to the other.
type Meaning = (usize, usize, Relation);

/// What a walk found, with everything that is faulty left out of it.
pub(super) struct Found {
    pub(super) graph: LedgerGraph,
    pub(super) walk: Walk,
    told: Told,
}

/// The part of a walk that is told. The way to a node that is told is told too: every node on it is nearer.
struct Told {
    /// How many artifacts were reached.
    reached: u64,
    /// How many nodes there are, told or not.
    nodes: usize,
    /// The nodes that are told, in order: how far they are, and whether they were only reached as names.
    order: Vec<(u32, u32, bool)>,
    /// The edges between them.
    crossed: Vec<Crossed>,
}

/// Walks, and looks at every statement that what is told rests on.
pub(super) fn walk(ledger: &mut Ledger, starts: &[u32], options: Options) -> Result<Found, LedgerError> {
    let mut graph = ledger.graph()?;
    loop {
        let walk = Walk::new(&graph.graph, starts, options.direction, &graph.left_out, options.most_depth);
        let told = Told::new(&graph.graph, &walk, options);
        // Another process may have written to the picture's file; the index has the same.
        if graph.graph.is_broken() {
            ledger.forget_picture();
            graph = ledger.graph()?;
            continue;
        }
        let (mut seen, mut cited, mut read) = (Bits::default(), Vec::new(), Bits::default());
        for crossed in &told.crossed {
            let statement = graph.graph.edge(crossed.place).statement;
            if seen.insert(statement) {
                if cited.len() < READ_AGAIN {
                    read.insert(statement);
                }
                cited.push(statement);
            }
        }
        // Without the faulty ones the walk is another; it ends, since there is one less each time.
        if !ledger.believe(&mut graph, &cited, &read)? {
            return Ok(Found { graph, walk, told });
        }
    }
}

impl Told {
    /// The nearest nodes first, in order of names, whatever the order in which they came.
    fn new(graph: &Graph, walk: &Walk, options: Options) -> Self {
        let (mut seen, mut artifacts, mut order) = (Bits::default(), Bits::default(), Vec::new());
        let (mut reached, mut nodes) = (0, 0);
        let kin = kin(walk, options.direction);
        // Visits come the nearest first, so the first of a node says how far it is.
        for (visit, is_kin) in walk.visits.iter().zip(kin) {
            if seen.insert(visit.node) {
                nodes += 1;
                order.push((visit.depth, visit.node));
            }
            let relation = visit.by.and_then(|by| Relation::of_code(by.relation));
            let is_name = relation.is_none_or(|relation| relation.crossing() == Crossing::Name);
            if !is_name && is_kin && !graph.is_statement(visit.node) {
                artifacts.insert(visit.node);
            }
        }
        for (depth, node) in &order {
            reached += u64::from(*depth > 0 && artifacts.has(*node));
        }
        let order = nearest(graph, order, options.most_nodes);
        let order: Vec<_> =
            order.into_iter().map(|(depth, node)| (depth, node, depth > 0 && !artifacts.has(node))).collect();
        let mut told = Bits::default();
        order.iter().for_each(|(_, node, _)| _ = told.insert(*node));
        let is_told = |crossed: &&Crossed| told.has(crossed.near) && told.has(crossed.far);
        let crossed = walk.crossed.iter().filter(is_told).copied().collect();
        Self { reached, nodes, order, crossed }
    }
}

/// For each visit, whether it is of an ancestor or descendant: files of what was asked about are neither, and whatever a file
/// is part of is affected by it.
fn kin(walk: &Walk, direction: Direction) -> Vec<bool> {
    let mut kin: Vec<bool> = Vec::with_capacity(walk.visits.len());
    for visit in &walk.visits {
        let is_before = visit.by.is_some() && kin.get(visit.before as usize).copied().unwrap_or_default();
        let is_step = visit.by.is_some_and(|by| {
            let crossing = Relation::of_code(by.relation).map(Relation::crossing);
            let is_whole = crossing == Some(Crossing::Part) && !by.backwards;
            is_ancestry(by) || is_whole && direction == Direction::Descendants
        });
        kin.push(is_before || is_step);
    }
    kin
}

fn is_ancestry(crossed: Crossed) -> bool {
    Relation::of_code(crossed.relation).map(Relation::crossing) == Some(Crossing::Ancestry)
}

/// The first nodes in order of depths and names. Names are read of those alone that may be among them.
fn nearest(graph: &Graph, mut order: Vec<(u32, u32)>, most: usize) -> Vec<(u32, u32)> {
    if let Some((last, _)) = most.checked_sub(1).and_then(|last| order.get(last)).copied() {
        let end = order.partition_point(|(depth, _)| *depth <= last);
        order.truncate(end);
    }
    let mut named: Vec<(u32, String, u32)> =
        order.into_iter().map(|(depth, node)| (depth, graph.key(node), node)).collect();
    named.sort_unstable();
    named.truncate(most);
    named.into_iter().map(|(depth, _, node)| (depth, node)).collect()
}

/// Answers a question.
///
/// # Errors
/// When the ledger cannot be read.
pub fn answer(ledger: &mut Ledger, starts: &[u32], options: Options, judge: &dyn Judge) -> Result<Answer, LedgerError> {
    loop {
        let found = walk(ledger, starts, options)?;
        let mut maker = Maker::new(&found, options);
        maker.nodes(ledger)?;
        maker.edges(ledger, judge)?;
        let answer = maker.finish(ledger, judge)?;
        if !found.graph.graph.is_broken() {
            return Ok(answer);
        }
        // Only once: what comes from the rows of the index is in memory.
        ledger.forget_picture();
    }
}

/// Makes an answer of a walk.
pub(super) struct Maker<'a> {
    found: &'a Found,
    options: Options,
    pub(super) answer: Answer,
    /// The places of nodes in the answer.
    pub(super) places: HashMap<u32, usize>,
    /// The places of statements in the answer.
    statements: HashMap<u32, usize>,
    judged: Vec<(StatementRow, Assurance)>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(found: &'a Found, options: Options) -> Self {
        Self {
            found,
            options,
            answer: Answer::default(),
            places: HashMap::new(),
            statements: HashMap::new(),
            judged: Vec::new(),
        }
    }

    pub(super) const fn graph(&self) -> &'a Graph {
        &self.found.graph.graph
    }

    pub(super) const fn left_out(&self) -> &'a Bits {
        &self.found.graph.left_out
    }

    /// How many artifacts were reached.
    pub(super) const fn count(&mut self) {
        self.answer.reached = self.found.told.reached;
    }

    /// Whether the walk crossed an edge from what was made to what it was made from.
    pub(super) fn has_ancestry(&self) -> bool {
        let crossed = &self.found.walk.crossed;
        crossed.iter().any(|crossed| is_ancestry(*crossed))
    }

    /// The nodes that are told.
    fn nodes(&mut self, ledger: &Ledger) -> Result<(), LedgerError> {
        let told = &self.found.told;
        self.count();
        if told.nodes > told.order.len() {
            let (most, nodes) = (told.order.len(), told.nodes);
            self.answer.incomplete.push(format!("only the nearest {most} of {nodes} nodes are told (--limit)"));
            self.answer.is_limited = true;
        }
        for (depth, number, is_name) in &told.order {
            let place = self.node(ledger, *number, *depth)?;
            self.answer.nodes[place].is_name = *is_name;
        }
        Ok(())
    }

    /// A node of the answer.
    pub(super) fn node(&mut self, ledger: &Ledger, number: u32, depth: u32) -> Result<usize, LedgerError> {
        if let Some(place) = self.places.get(&number) {
            return Ok(*place);
        }
        let identifier = self.graph().identifier(number).unwrap_or(Identifier::new(Naming::Name, "?"));
        let place = self.answer.nodes.len();
        self.places.insert(number, place);
        self.answer.nodes.push(Node {
            id: identifier.to_string(),
            naming: identifier.naming.word(),
            label: ledger.label(number)?,
            kind: Kind::Artifact,
            depth,
            missing: None,
            number,
            is_name: false,
        });
        Ok(place)
    }

    /// The edges between nodes that are told.
    fn edges(&mut self, ledger: &Ledger, judge: &dyn Judge) -> Result<(), LedgerError> {
        let mut crossed = self.found.told.crossed.clone();
        if crossed.len() > MAX_EDGES {
            crossed.truncate(MAX_EDGES);
            self.answer.incomplete.push(format!("only {MAX_EDGES} edges are told"));
        }
        self.cite(ledger, judge, &crossed)
    }

    /// Puts edges into the answer, those that say the same thing together.
    pub(super) fn cite(&mut self, ledger: &Ledger, judge: &dyn Judge, crossed: &[Crossed]) -> Result<(), LedgerError> {
        let mut together: BTreeMap<Meaning, ([bool; 2], Vec<u32>)> = BTreeMap::new();
        for crossed in crossed {
            let edge = self.graph().edge(crossed.place);
            let (Some(subject), Some(object)) = (self.places.get(&edge.subject), self.places.get(&edge.object)) else {
                continue;
            };
            let Some(relation) = Relation::of_code(edge.relation) else { continue };
            let (ways, places) = together.entry((*subject, *object, relation)).or_default();
            ways[usize::from(crossed.backwards)] = true;
            places.push(crossed.place);
        }
        for ((subject, object, relation), (ways, places)) in together {
            let places: BTreeSet<u32> = places.into_iter().collect();
            // One that was crossed both ways is told from where the walk began.
            let is_nearer = self.answer.nodes[object].depth < self.answer.nodes[subject].depth;
            let backwards = ways[1] && (!ways[0] || is_nearer);
            let mut said =
                places.iter().map(|place| self.said(ledger, judge, *place)).collect::<Result<Vec<_>, _>>()?;
            said.sort_by_key(|said| self.order_of(said));
            let level = said.iter().map(|said| said.level).min().unwrap_or(Level::Unverified);
            let meaning = Some(relation);
            self.answer.edges.push(AnswerEdge {
                subject,
                object,
                relation: relation.name(),
                level,
                said,
                meaning,
                backwards,
            });
        }
        Ok(())
    }

    fn order_of(&self, said: &Said) -> (Level, Option<Sha256Digest>) {
        (said.level, self.answer.statements.get(said.statement).map(|cited| cited.digest))
    }

    /// Who says an edge.
    pub(super) fn said(&mut self, ledger: &Ledger, judge: &dyn Judge, place: u32) -> Result<Said, LedgerError> {
        let edge = self.graph().edge(place);
        let statement = self.statement(ledger, judge, edge.statement)?;
        let claim = ledger.claim(edge.row)?;
        let claim: Option<ClaimedBy> = claim.and_then(|claim| serde_json::from_str(&claim).ok());
        let assurance = self.answer.statements.get(statement).map(|cited| &cited.assurance);
        Ok(Said { statement, level: level(claim.as_ref(), assurance), claim })
    }

    fn statement(&mut self, ledger: &Ledger, judge: &dyn Judge, number: u32) -> Result<usize, LedgerError> {
        if let Some(place) = self.statements.get(&number) {
            return Ok(*place);
        }
        let row = ledger.statement(number)?.ok_or_else(|| LedgerError::NoStatement(number.to_string()))?;
        let assurance = ledger.assurance(&row, judge)?;
        let place = self.answer.statements.len();
        self.statements.insert(number, place);
        self.answer.statements.push(Cited {
            digest: row.digest,
            predicate_type: row.predicate_type.clone(),
            step: row.step.clone(),
            builder: row.builder.clone(),
            said_at: row.said_at.clone(),
            assurance: assurance.clone(),
        });
        self.judged.push((row, assurance));
        Ok(place)
    }

    /// What is to be said of the whole.
    pub(super) fn finish(mut self, ledger: &mut Ledger, judge: &dyn Judge) -> Result<Answer, LedgerError> {
        self.kinds();
        self.missing();
        self.answer.cycles = cycle::find(&self.answer);
        self.answer.conflicts = conflict::find(&mut self, ledger, judge)?;
        self.order_statements();
        let (cut, unread) = ledger.gaps()?;
        let incomplete = &mut self.answer.incomplete;
        if self.found.walk.is_cut {
            incomplete.push(format!("what is more than {} edges away is not told (--depth)", self.options.most_depth));
        }
        for folder in ledger.unlisted() {
            incomplete.push(format!("the folder {folder} of the ledger cannot be listed"));
        }
        if cut > 0 {
            incomplete
                .push(format!("{cut} statements name more than the graph takes up (waag ledger check names them)"));
        }
        if unread > 0 {
            incomplete.push(format!("nothing could be read from {unread} statements (waag ledger check names them)"));
        }
        let faults = ledger.faults()?;
        self.answer.left_out = faults.into_iter().map(|(digest, fault)| LeftOut { digest, fault }).collect();
        ledger.remember(&self.judged, judge)?;
        Ok(self.answer)
    }

    /// What each node is, as its edges tell.
    fn kinds(&mut self) {
        let mut kinds = vec![BTreeSet::new(); self.answer.nodes.len()];
        for edge in &self.answer.edges {
            let Some(relation) = edge.meaning else { continue };
            let (subject, object) = kinds_of(relation);
            kinds[edge.subject].extend(subject);
            kinds[edge.object].extend(object);
        }
        for (node, kinds) in self.answer.nodes.iter_mut().zip(kinds) {
            node.kind = match node.naming {
                "statement" => Kind::Step,
                "advisory" => Kind::Advisory,
                _ => kinds.into_iter().next().unwrap_or(Kind::Artifact),
            };
        }
    }

    /// What is missing about models and data, where ancestors are asked for; and digests, of anything.
    fn missing(&mut self) {
        let (graph, left_out) = (self.graph(), &self.found.graph.left_out);
        let is_upward = self.options.direction == Direction::Ancestors;
        for node in &mut self.answer.nodes {
            let wants_digest = !matches!(node.kind, Kind::Step | Kind::Advisory | Kind::Run);
            let wants_statement = is_upward && matches!(node.kind, Kind::Model | Kind::Dataset);
            node.missing = if wants_digest && !has_digest(graph, node.number, left_out) {
                Some(Missing::Digest)
            } else if wants_statement && !has_parents(graph, node.number, left_out) {
                Some(Missing::Statement)
            } else {
                None
            };
        }
    }

    /// Statements in order of digests, so that the order in which they were met plays no part.
    fn order_statements(&mut self) {
        let mut order: Vec<usize> = (0..self.answer.statements.len()).collect();
        order.sort_by_key(|place| self.answer.statements[*place].digest);
        let mut places = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, old)| places[*old] = new);
        let edges = self.answer.edges.iter_mut().flat_map(|edge| &mut edge.said);
        let sides =
            self.answer.conflicts.iter_mut().flat_map(|conflict| &mut conflict.sides).flat_map(|side| &mut side.said);
        edges.chain(sides).for_each(|said| said.statement = places[said.statement]);
        self.answer.statements.sort_by_key(|cited| cited.digest);
    }
}

/// How far one saying can be believed.
pub(super) fn level(claim: Option<&ClaimedBy>, assurance: Option<&Assurance>) -> Level {
    match (claim.map(|claim| claim.voice), assurance) {
        // Whoever repeats what others say signs for it, too.
        (_, Some(Assurance::Unverified { .. })) => Level::Unverified,
        (Some(Voice::DerivedFromFile), _) => Level::DerivedFromFile,
        (Some(Voice::SelfDeclared), _) | (None, Some(Assurance::Unsigned) | None) => Level::SelfDeclared,
        (None, Some(Assurance::Signed { .. })) => Level::Signed,
    }
}

/// What an edge tells of its ends.
const fn kinds_of(relation: Relation) -> (Option<Kind>, Option<Kind>) {
    let Relation::Role(role) = relation else { return (None, None) };
    match role {
        Role::BaseModel | Role::Adapter | Role::ConvertedFrom | Role::Teacher => (Some(Kind::Model), Some(Kind::Model)),
        Role::Dataset | Role::EvaluationDataset => (None, Some(Kind::Dataset)),
        Role::Code | Role::Configuration => (None, Some(Kind::Code)),
        Role::Dependency => (None, Some(Kind::Package)),
        Role::Environment => (None, Some(Kind::Environment)),
        Role::Run => (None, Some(Kind::Run)),
        Role::PartOf => (Some(Kind::File), None),
        Role::Tokenizer => (None, Some(Kind::File)),
        Role::Input | Role::Description => (None, None),
    }
}

/// The node and its other names.
pub(super) fn names(graph: &Graph, node: u32, left_out: &Bits) -> Vec<u32> {
    let is_name = |step: &Step| step.meaning() == Some(Relation::SameAs) && !left_out.has(step.statement);
    let (may_from, may_to) = graph.sideways(node);
    let from = may_from.then(|| graph.edges_from(node)).into_iter().flatten();
    let to = may_to.then(|| graph.edges_to(node)).into_iter().flatten();
    let others = from.chain(to).filter(is_name).map(|step| step.node);
    std::iter::once(node).chain(others).take(MAX_NAMES).collect()
}

fn has_digest(graph: &Graph, node: u32, left_out: &Bits) -> bool {
    names(graph, node, left_out).into_iter().any(|name| graph.is_digest(name))
}

/// Whether a statement says what a node, or the whole that it is part of, was made from.
fn has_parents(graph: &Graph, node: u32, left_out: &Bits) -> bool {
    let is_parent = |step: Step| step.crossing() == Some(Crossing::Ancestry) && !left_out.has(step.statement);
    names(graph, node, left_out).into_iter().any(|name| {
        graph.edges_from(name).any(|step| {
            let is_part = step.crossing() == Some(Crossing::Part);
            is_parent(step) || is_part && graph.edges_from(step.node).any(is_parent)
        })
    })
}
