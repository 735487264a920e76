//! The shortest way from an artifact to an ancestor that nobody who is trusted has signed for.

use std::collections::{HashMap, HashSet};

use super::answer::{Answer, Level, Options};
use super::extract::ClaimedBy;
use super::maker::{Maker, level, walk};
use super::walk::{Crossed, Direction, Walk};
use crate::ledger::assurance::{Assurance, Judge};
use crate::ledger::graph::LedgerGraph;
use crate::ledger::{Ledger, LedgerError};

/// The path, its last edge the one that is not signed; none where every edge is.
///
/// # Errors
/// When the ledger cannot be read.
pub fn path(
    ledger: &mut Ledger,
    starts: &[u32],
    most_depth: u32,
    judge: &dyn Judge,
) -> Result<(bool, Answer), LedgerError> {
    loop {
        let (answer, is_broken) = try_path(ledger, starts, most_depth, judge)?;
        if !is_broken {
            return Ok(answer);
        }
        // Only once: what comes from the rows of the index is in memory.
        ledger.forget_picture();
    }
}

/// The path, and whether the graph was found to be another than the index knows.
fn try_path(
    ledger: &mut Ledger,
    starts: &[u32],
    most_depth: u32,
    judge: &dyn Judge,
) -> Result<((bool, Answer), bool), LedgerError> {
    let options = Options { direction: Direction::Ancestors, most_depth, most_nodes: usize::MAX };
    let found = walk(ledger, starts, options)?;
    let last = first_unsigned(ledger, &found.graph, &found.walk, judge)?;
    let mut maker = Maker::new(&found, options);
    maker.count();
    if !maker.has_ancestry() {
        maker.answer.incomplete.push("no statement says what it was made from".to_owned());
    }
    let mut path = Vec::new();
    if let Some(last) = last {
        path = path_to(&found.graph, &found.walk, last);
    }
    let ends: Vec<u32> = path.iter().flat_map(|crossed| ends(&found.graph, *crossed)).collect();
    for (depth, node) in starts.iter().take(1).chain(&ends).enumerate() {
        maker.node(ledger, *node, u32::try_from(depth.div_ceil(2)).unwrap_or(u32::MAX))?;
    }
    maker.cite(ledger, judge, &parallels(&found.graph, &found.walk, &path))?;
    let answer = maker.finish(ledger, judge)?;
    Ok(((last.is_some(), answer), found.graph.graph.is_broken()))
}

/// The nodes of an edge, in the order in which it was crossed.
fn ends(graph: &LedgerGraph, crossed: Crossed) -> [u32; 2] {
    let edge = graph.graph.edge(crossed.place);
    if crossed.backwards { [edge.object, edge.subject] } else { [edge.subject, edge.object] }
}

/// What tells that two edges say the same.
fn meaning(graph: &LedgerGraph, crossed: Crossed) -> (u32, u32, u8) {
    let edge = graph.graph.edge(crossed.place);
    (edge.subject, edge.object, edge.relation)
}

/// Edges were crossed the nearest first, so the first that nobody signed ends the shortest path.
fn first_unsigned(
    ledger: &Ledger,
    graph: &LedgerGraph,
    walk: &Walk,
    judge: &dyn Judge,
) -> Result<Option<Crossed>, LedgerError> {
    let mut together: HashMap<(u32, u32, u8), Vec<u32>> = HashMap::new();
    for crossed in &walk.crossed {
        together.entry(meaning(graph, *crossed)).or_default().push(crossed.place);
    }
    let mut known: HashMap<u32, Assurance> = HashMap::new();
    for crossed in &walk.crossed {
        // Edges that say the same are looked at once, with the first of them.
        let Some(places) = together.remove(&meaning(graph, *crossed)) else { continue };
        let mut is_signed = false;
        for place in places {
            is_signed |= said(ledger, graph, place, judge, &mut known)? == Level::Signed;
        }
        if !is_signed {
            return Ok(Some(*crossed));
        }
    }
    Ok(None)
}

fn said(
    ledger: &Ledger,
    graph: &LedgerGraph,
    place: u32,
    judge: &dyn Judge,
    known: &mut HashMap<u32, Assurance>,
) -> Result<Level, LedgerError> {
    let edge = graph.graph.edge(place);
    if let (false, Some(row)) = (known.contains_key(&edge.statement), ledger.statement(edge.statement)?) {
        known.insert(edge.statement, ledger.assurance(&row, judge)?);
    }
    let claim = ledger.claim(edge.row)?.and_then(|claim| serde_json::from_str::<ClaimedBy>(&claim).ok());
    Ok(level(claim.as_ref(), known.get(&edge.statement)))
}

/// The way to an edge, and the edge.
fn path_to(graph: &LedgerGraph, walk: &Walk, last: Crossed) -> Vec<Crossed> {
    let [tail, _] = ends(graph, last);
    let visit = walk.visits.iter().position(|visit| visit.node == tail).unwrap_or_default();
    let mut path = walk.path(visit);
    path.push(last);
    path
}

/// Edges of a path with those that say the same.
fn parallels(graph: &LedgerGraph, walk: &Walk, path: &[Crossed]) -> Vec<Crossed> {
    let on_path: HashSet<_> = path.iter().map(|crossed| meaning(graph, *crossed)).collect();
    walk.crossed.iter().copied().filter(|crossed| on_path.contains(&meaning(graph, *crossed))).collect()
}
