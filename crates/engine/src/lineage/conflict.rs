//! Claims that disagree: different sources that say of one artifact that it was made from different models.
//!
//! It is no conflict when one source names more than another, nor when what one names was itself made from what the other
//! names: many tools write down the model at the root.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use waag_evidence::statement::claims::ClaimSource;
use waag_evidence::statement::role::Role;

use super::answer::{Kind, Said};
use super::extract::ClaimedBy;
use super::graph::{Graph, Step};
use super::maker::{MAX_NAMES, Maker, names};
use super::relation::Relation;
use super::walk::{Bits, Direction, Walk};
use crate::ledger::assurance::Judge;
use crate::ledger::{Ledger, LedgerError};
use crate::sanitize::sanitize;

/// Edges of one artifact that are compared.
const MAX_EDGES: usize = 256;
/// Conflicts that are told.
const MAX_CONFLICTS: usize = 256;
/// Artifacts of an answer whose sources are compared.
const MAX_ARTIFACTS: usize = 20_000;
/// Sources of one artifact that say different things.
const MAX_SIDES: usize = 8;
/// Walks to see whether one model is behind another.
const MAX_WALKS: usize = 200;
/// How far back one model is looked for behind another.
const MAX_DEPTH: u32 = 16;

/// Sources that disagree about one artifact.
#[derive(Debug, Serialize)]
pub struct Conflict {
    /// What they disagree about: a place in the nodes.
    pub subject: usize,
    /// What each says that it was made from.
    pub sides: Vec<Side>,
}

/// What one or more sources say.
#[derive(Debug, Serialize)]
pub struct Side {
    /// What it was made from.
    pub objects: Vec<String>,
    /// Who says so.
    pub said: Vec<Said>,
}

/// One source: a statement, and the place that it repeats.
type Source = (u32, Option<(String, String)>);
/// What is named, and the edges that name it.
type Spoken = (BTreeSet<u32>, Vec<u32>);

pub(super) fn find(maker: &mut Maker<'_>, ledger: &Ledger, judge: &dyn Judge) -> Result<Vec<Conflict>, LedgerError> {
    let (mut conflicts, mut walks) = (Vec::new(), MAX_WALKS);
    // An artifact has a place for its digest and one for each of its names; the first stands for all that is said of them.
    let mut compared: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for place in 0..maker.answer.nodes.len().min(MAX_ARTIFACTS) {
        let node = &maker.answer.nodes[place];
        if conflicts.len() >= MAX_CONFLICTS || walks == 0 {
            maker.answer.incomplete.push(format!("the sources of only {place} artifacts were compared"));
            break;
        }
        if !matches!(node.kind, Kind::Model | Kind::File | Kind::Artifact) {
            continue;
        }
        let known = all_names(maker.graph(), node.number, maker.left_out());
        let (sources, is_cut) = sources(maker, ledger, &known)?;
        let edges: BTreeSet<u32> = sources.values().flat_map(|(_, edges)| edges).copied().collect();
        let is_compared = known.iter().filter_map(|name| compared.get(name)).any(|before| edges.is_subset(before));
        for name in known {
            compared.entry(name).or_default().extend(&edges);
        }
        if is_compared {
            continue;
        }
        let (sides, is_short) = sides(maker, sources);
        if is_cut || is_short {
            let id = sanitize(&maker.answer.nodes[place].id);
            maker.answer.incomplete.push(format!("not everything that sources say of {id} was compared"));
        }
        if is_conflict(maker, &sides, &mut walks) {
            let sides = sides.into_iter().map(|(objects, edges)| side(maker, ledger, judge, &objects, &edges));
            conflicts.push(Conflict { subject: place, sides: sides.collect::<Result<_, _>>()? });
        }
    }
    Ok(conflicts)
}

/// The node with all its names, from whichever of them: other digests, and names. A name that several digests have is of
/// several versions, which are not the same.
fn all_names(graph: &Graph, node: u32, left_out: &Bits) -> Vec<u32> {
    let own = names(graph, node, left_out);
    let digests: Vec<u32> = own.iter().copied().filter(|name| graph.is_digest(*name)).collect();
    if !graph.is_digest(node) && digests.len() > 1 {
        return vec![node];
    }
    let others = digests.iter().flat_map(|digest| names(graph, *digest, left_out));
    let all: BTreeSet<u32> = own.iter().copied().chain(others).collect();
    all.into_iter().take(MAX_NAMES).collect()
}

/// Steps that one artifact was made in whose edges are compared.
const MAX_STEPS: usize = 64;

/// What each source says, and by which edges; and whether there are more edges than are compared.
fn sources(maker: &Maker<'_>, ledger: &Ledger, known: &[u32]) -> Result<(BTreeMap<Source, Spoken>, bool), LedgerError> {
    let (graph, left_out) = (maker.graph(), maker.left_out());
    let is_believed = |step: &Step| !left_out.has(step.statement);
    let is_parent = |step: &Step| {
        matches!(step.meaning(), Some(Relation::Role(Role::BaseModel | Role::ConvertedFrom))) && is_believed(step)
    };
    let mut makers = known.to_vec();
    let own = makers.len();
    // A statement about several artifacts says at its step what they were made from.
    let is_step = |step: &Step| step.meaning() == Some(Relation::MadeIn) && is_believed(step);
    let steps = makers.clone().into_iter().flat_map(|name| graph.edges_from(name)).filter(is_step);
    makers.extend(steps.map(|step| step.node).take(MAX_STEPS + 1));
    let mut is_cut = makers.len() > own + MAX_STEPS;
    let edges = makers.into_iter().flat_map(|name| graph.edges_from(name)).filter(is_parent);
    let edges = edges.map(|step| step.place);
    let mut sources: BTreeMap<Source, Spoken> = BTreeMap::new();
    let mut edges: Vec<u32> = edges.take(MAX_EDGES + 1).collect();
    is_cut |= edges.len() > MAX_EDGES;
    edges.truncate(MAX_EDGES);
    // One edge cannot disagree with itself, and most artifacts have no more.
    if edges.len() < 2 {
        return Ok((sources, is_cut));
    }
    for place in edges {
        let edge = graph.edge(place);
        let claim = ledger.claim(edge.row)?.and_then(|claim| serde_json::from_str::<ClaimedBy>(&claim).ok());
        let read_at = claim.map(|ClaimedBy { source: ClaimSource { kind, location, .. }, .. }| (kind, location));
        let (objects, edges) = sources.entry((edge.statement, read_at)).or_default();
        objects.insert(edge.object);
        edges.push(place);
    }
    Ok((sources, is_cut))
}

/// Sources that say the same stand together; and whether there are more sides than are compared.
fn sides(maker: &Maker<'_>, sources: BTreeMap<Source, Spoken>) -> (Vec<Spoken>, bool) {
    let (mut sides, mut is_short): (Vec<Spoken>, bool) = (Vec::new(), false);
    for (objects, edges) in sources.into_values() {
        let has_room = sides.len() < MAX_SIDES;
        let same = |side: &&mut Spoken| holds(maker, &side.0, &objects) && holds(maker, &objects, &side.0);
        match sides.iter_mut().find(same) {
            Some(side) => side.1.extend(edges),
            None if has_room => sides.push((objects, edges)),
            None => is_short = true,
        }
    }
    (sides, is_short)
}

/// Whether everything in `part` is in `whole`, under one name or another.
fn holds(maker: &Maker<'_>, whole: &BTreeSet<u32>, part: &BTreeSet<u32>) -> bool {
    let known: BTreeSet<u32> = whole.iter().flat_map(|node| names(maker.graph(), *node, maker.left_out())).collect();
    part.iter().all(|node| names(maker.graph(), *node, maker.left_out()).iter().any(|name| known.contains(name)))
}

fn is_conflict(maker: &Maker<'_>, sides: &[Spoken], walks: &mut usize) -> bool {
    let pairs =
        sides.iter().enumerate().flat_map(|(place, one)| sides.iter().skip(place + 1).map(move |other| (one, other)));
    for ((one, _), (other, _)) in pairs {
        if holds(maker, one, other) || holds(maker, other, one) {
            continue;
        }
        *walks = walks.saturating_sub(1);
        if !is_behind(maker, one, other) && !is_behind(maker, other, one) {
            return true;
        }
    }
    false
}

/// Whether everything in `far` is something that `near` was made from.
fn is_behind(maker: &Maker<'_>, near: &BTreeSet<u32>, far: &BTreeSet<u32>) -> bool {
    let starts: Vec<u32> = near.iter().copied().collect();
    let walk = Walk::new(maker.graph(), &starts, Direction::Ancestors, maker.left_out(), MAX_DEPTH);
    let behind: BTreeSet<u32> = walk.visits.iter().map(|visit| visit.node).collect();
    holds(maker, &behind, far)
}

fn side(
    maker: &mut Maker<'_>,
    ledger: &Ledger,
    judge: &dyn Judge,
    objects: &BTreeSet<u32>,
    edges: &[u32],
) -> Result<Side, LedgerError> {
    let said = edges.iter().map(|place| maker.said(ledger, judge, *place)).collect::<Result<_, _>>()?;
    let mut objects: Vec<String> =
        objects.iter().filter_map(|node| maker.graph().identifier(*node)).map(|found| found.to_string()).collect();
    objects.sort();
    Ok(Side { objects, said })
}
