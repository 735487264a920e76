//! Walks over the graph: breadth first, each node at most once for each way of reaching it, so that a walk ends whatever
//! the graph is.
//!
//! Beside the edges of ancestry, a walk crosses between names of one artifact, and between a file and its whole. Both are
//! bounded, or one name that was given to two artifacts, or one licence file that a thousand models share, would make
//! kin of strangers:
//! - after crossing from a digest to a name that can change, a walk does not cross from that name to another digest;
//! - after crossing between a file and a whole, it does not cross so again before it has gone along an edge of ancestry.

use super::graph::{Graph, Step, number};
use super::relation::{Crossing, Relation};

/// Which way to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To what a thing was made from.
    Ancestors,
    /// To what was made from it.
    Descendants,
}

/// A node on a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// Which.
    pub node: u32,
    /// How many edges the walk crossed to it.
    pub depth: u32,
    /// How it may go on: see [`PART`] and [`NAME`].
    flags: u8,
    /// The visit before, and the edge between; the first visits name themselves.
    pub before: u32,
    /// The edge that was crossed; none for where the walk began.
    pub by: Option<Crossed>,
}

/// An edge that was crossed: from its subject to its object, or backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crossed {
    /// Its place in the graph.
    pub place: u32,
    /// Whether from the object to the subject.
    pub backwards: bool,
    /// The node that the walk came from.
    pub near: u32,
    /// The node that it came to.
    pub far: u32,
    /// What the edge says.
    pub relation: u8,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walk {
    /// Every visit, the nearest first. A node can be visited in more than one way.
    pub visits: Vec<Visit>,
    /// Every edge that was crossed, also to nodes that had been visited.
    pub crossed: Vec<Crossed>,
    /// Whether nodes further away were not visited since the walk is that deep.
    pub is_cut: bool,
}

/// Already crossed between a file and its whole.
const PART: u8 = 1;
/// Already crossed from a digest to a name.
const NAME: u8 = 2;

/// A set of small numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bits(Vec<u64>);

impl Bits {
    /// Whether a number is in it.
    #[must_use]
    pub fn has(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Puts a number in; whether it was not there.
    pub fn insert(&mut self, number: u32) -> bool {
        let place = number as usize / 64;
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        let is_new = self.0[place] >> (number % 64) & 1 == 0;
        self.0[place] |= 1 << (number % 64);
        is_new
    }
}

impl Walk {
    /// Walks from some nodes. Edges of the statements in `left_out` are not there.
    #[must_use]
    pub fn new(graph: &Graph, starts: &[u32], direction: Direction, left_out: &Bits, most_depth: u32) -> Self {
        let mut walker = Walker {
            graph,
            left_out,
            direction,
            most_depth,
            seen: vec![0; graph.nodes()],
            crossed: [Bits::default(), Bits::default()],
            walk: Self::default(),
        };
        for start in starts {
            walker.visit(*start, 0, number(walker.walk.visits.len()), None);
        }
        let mut next = 0;
        while let Some(visit) = walker.walk.visits.get(next).copied() {
            walker.leave(visit, number(next));
            next += 1;
        }
        walker.walk
    }

    /// The edges from where the walk began to a visit.
    #[must_use]
    pub fn path(&self, visit: usize) -> Vec<Crossed> {
        let mut path = Vec::new();
        let mut at = visit;
        while let Some(found) = self.visits.get(at)
            && let Some(by) = found.by
        {
            path.push(by);
            at = found.before as usize;
        }
        path.reverse();
        path
    }
}

struct Walker<'a> {
    graph: &'a Graph,
    left_out: &'a Bits,
    direction: Direction,
    most_depth: u32,
    /// For each node, which sets of flags it was visited with.
    seen: Vec<u8>,
    crossed: [Bits; 2],
    walk: Walk,
}

impl Walker<'_> {
    /// Visits a node, unless it was visited with no more restrictions.
    fn visit(&mut self, node: u32, flags: u8, before: u32, by: Option<Crossed>) {
        let depth = match by {
            None => 0,
            Some(_) => self.walk.visits.get(before as usize).map_or(0, |visit| visit.depth) + 1,
        };
        let Some(seen) = self.seen.get_mut(node as usize) else { return };
        let is_less = (0..4).any(|had: u8| *seen >> had & 1 == 1 && had & flags == had);
        if !is_less {
            *seen |= 1 << flags;
            self.walk.visits.push(Visit { node, depth, flags, before, by });
        }
    }

    /// Crosses every edge of a visit that may be crossed.
    fn leave(&mut self, visit: Visit, at: u32) {
        let graph = self.graph;
        // Against its direction a walk crosses few edges, and most nodes have none of these.
        let (sideways_from, sideways_to) = graph.sideways(visit.node);
        if sideways_from || self.direction == Direction::Ancestors {
            graph.edges_from(visit.node).for_each(|step| self.cross(visit, at, step, Direction::Ancestors));
        }
        if sideways_to || self.direction == Direction::Descendants {
            graph.edges_to(visit.node).for_each(|step| self.cross(visit, at, step, Direction::Descendants));
        }
    }

    fn cross(&mut self, visit: Visit, at: u32, step: Step, way: Direction) {
        let Some(flags) = step.meaning().and_then(|relation| self.flags(visit, step.node, relation, way)) else {
            return;
        };
        if self.left_out.has(step.statement) {
            return;
        }
        let Step { place, node: far, relation, .. } = step;
        let crossed = Crossed { place, backwards: way == Direction::Descendants, near: visit.node, far, relation };
        if visit.depth >= self.most_depth {
            self.walk.is_cut = true;
            return;
        }
        if self.crossed[usize::from(crossed.backwards)].insert(crossed.place) {
            self.walk.crossed.push(crossed);
        }
        self.visit(step.node, flags, at, Some(crossed));
    }

    /// How the walk may go on after an edge; none when it may not cross it.
    fn flags(&self, visit: Visit, node: u32, relation: Relation, way: Direction) -> Option<u8> {
        match relation.crossing() {
            Crossing::Ancestry => (way == self.direction).then_some(0),
            Crossing::Part => (visit.flags & PART == 0).then_some(PART),
            Crossing::Name => match (self.graph.is_digest(visit.node), self.graph.is_digest(node)) {
                (true, true) => Some(visit.flags),
                (_, false) if visit.flags & NAME == 0 => Some(visit.flags | NAME),
                (false, true) if visit.flags & NAME == 0 => Some(visit.flags),
                _ => None,
            },
            Crossing::None => None,
        }
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
