//! The graph: who is made from whom, in both directions. What was there when its picture was taken is read from that as a
//! walk needs it; what came later is in memory beside it.

use std::collections::{HashMap, HashSet};

use super::identifier::Identifier;
use super::pages::Pages;
use super::picture::{self, Picture};
use super::relation::{Crossing, Relation};

/// Edges that a graph can have: they are numbered with 32 bits.
pub const MAX_EDGES: usize = 1 << 31;

/// One edge, as the index has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Edge {
    /// What was made, by number.
    pub subject: u32,
    /// What it was made from.
    pub object: u32,
    /// What the object is to the subject: [`Relation::code`].
    pub relation: u8,
    /// Who says so: the number of a statement.
    pub statement: u32,
    /// The row of the index that says more; 0 where there is no more.
    pub row: u32,
}

/// An edge as it is seen from one of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The edge, by its place in the graph.
    pub place: u32,
    /// The other end.
    pub node: u32,
    /// Who says so.
    pub statement: u32,
    /// What the object is to the subject.
    pub relation: u8,
}

impl Step {
    /// From the subject to the object.
    pub(super) const fn along(place: u32, edge: &Edge) -> Self {
        Self { place, node: edge.object, statement: edge.statement, relation: edge.relation }
    }

    /// From the object to the subject.
    const fn against(place: u32, edge: &Edge) -> Self {
        Self { node: edge.subject, ..Self::along(place, edge) }
    }

    /// What the edge says; none for a relation that is not known.
    #[must_use]
    pub fn meaning(&self) -> Option<Relation> {
        Relation::of_code(self.relation)
    }

    /// How a walk crosses the edge.
    #[must_use]
    pub fn crossing(&self) -> Option<Crossing> {
        self.meaning().map(Relation::crossing)
    }
}

/// Nodes and edges. A node is a number from 0; an edge is a place.
#[derive(Debug)]
pub struct Graph {
    picture: Picture,
    later: Later,
}

/// What is not in the picture.
#[derive(Debug, Default)]
struct Later {
    edges: Vec<Edge>,
    keys: Vec<String>,
    from: HashMap<u32, Vec<u32>>,
    to: HashMap<u32, Vec<u32>>,
    /// Nodes with edges that are crossed both ways.
    sideways: HashSet<u32>,
}

impl Graph {
    /// A graph of edges in the order of their rows. Edges to nodes that have no key are left out.
    #[must_use]
    pub fn new(edges: &[Edge], keys: &[String]) -> Self {
        let (layout, bytes) = picture::write(&fitting(edges, keys.len()), keys);
        Self::of(Picture::new(layout, Pages::Memory(bytes)))
    }

    /// The graph of a picture.
    #[must_use]
    pub fn of(picture: Picture) -> Self {
        Self { picture, later: Later::default() }
    }

    /// The same graph with more nodes and edges.
    #[must_use]
    pub fn with(mut self, edges: &[Edge], keys: &[String]) -> Self {
        self.later.keys.extend_from_slice(keys);
        let room = MAX_EDGES.saturating_sub(self.edges());
        for edge in fitting(edges, self.nodes()).into_iter().take(room) {
            let place = number(self.edges());
            self.later.from.entry(edge.subject).or_default().push(place);
            self.later.to.entry(edge.object).or_default().push(place);
            if !matches!(Step::along(place, &edge).crossing(), Some(Crossing::Ancestry)) {
                self.later.sideways.extend([edge.subject, edge.object]);
            }
            self.later.edges.push(edge);
        }
        self
    }

    /// Whether something was read that is not what was written, so that nothing that was found can be relied on.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.picture.is_broken()
    }

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.picture.nodes() as usize + self.later.keys.len()
    }

    /// How many edges there are.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.picture.edges() as usize + self.later.edges.len()
    }

    /// The edge at a place, which has to be one of this graph's.
    #[must_use]
    pub fn edge(&self, place: u32) -> Edge {
        match place.checked_sub(self.picture.edges()) {
            None => self.picture.edge(place),
            Some(later) => self.later.edges.get(later as usize).copied().unwrap_or_default(),
        }
    }

    /// The edges from a node to what it was made from.
    pub fn edges_from(&self, node: u32) -> impl Iterator<Item = Step> + '_ {
        let later = self.later.from.get(&node).into_iter().flatten();
        self.picture.from(node).chain(later.map(|place| Step::along(*place, &self.edge(*place))))
    }

    /// The edges to a node from what was made from it.
    pub fn edges_to(&self, node: u32) -> impl Iterator<Item = Step> + '_ {
        let later = self.later.to.get(&node).into_iter().flatten();
        self.picture.to(node).chain(later.map(|place| Step::against(*place, &self.edge(*place))))
    }

    /// Whether there can be edges from a node, and to it, that every walk crosses, whichever way it goes.
    #[must_use]
    pub fn sideways(&self, node: u32) -> (bool, bool) {
        let (from, to) = self.picture.sideways(node);
        let later = self.later.sideways.contains(&node);
        (from || later, to || later)
    }

    /// The key of a node.
    #[must_use]
    pub fn key(&self, node: u32) -> String {
        match node.checked_sub(self.picture.nodes()) {
            None => self.picture.key(node),
            Some(later) => self.later.keys.get(later as usize).cloned().unwrap_or_default(),
        }
    }

    fn first_byte(&self, node: u32) -> Option<u8> {
        match node.checked_sub(self.picture.nodes()) {
            None => Some(self.picture.first_byte(node)),
            Some(later) => self.later.keys.get(later as usize)?.bytes().next(),
        }
    }

    /// What a node is called.
    #[must_use]
    pub fn identifier(&self, node: u32) -> Option<Identifier> {
        Identifier::of_key(&self.key(node))
    }

    /// Whether a node is a digest.
    #[must_use]
    pub fn is_digest(&self, node: u32) -> bool {
        self.first_byte(node) == Some(b'd')
    }

    /// Whether a node is a statement, as a step between artifacts.
    #[must_use]
    pub fn is_statement(&self, node: u32) -> bool {
        self.first_byte(node) == Some(b's')
    }
}

fn fitting(edges: &[Edge], nodes: usize) -> Vec<Edge> {
    let fits = |edge: &&Edge| (edge.subject as usize) < nodes && (edge.object as usize) < nodes;
    edges.iter().filter(fits).take(MAX_EDGES).copied().collect()
}

pub(super) fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A graph of nodes `n0`, `n1`, … with these edges, each of a statement of its own.
    pub(in crate::lineage) fn graph(nodes: u32, edges: &[(u32, u32, Relation)]) -> Graph {
        let keys: Vec<String> = (0..nodes).map(|node| format!("dsha256:{node:08}")).collect();
        Graph::new(&list(edges), &keys)
    }

    pub(in crate::lineage) fn list(edges: &[(u32, u32, Relation)]) -> Vec<Edge> {
        edges
            .iter()
            .zip(1..)
            .map(|((subject, object, relation), row)| Edge {
                subject: *subject,
                object: *object,
                relation: relation.code(),
                statement: row,
                row,
            })
            .collect()
    }

    #[test]
    fn edges_are_found_from_both_ends() {
        let graph = graph(
            4,
            &[(2, 0, Relation::MadeIn), (0, 1, Relation::SameAs), (2, 1, Relation::MadeIn), (2, 2, Relation::MadeIn)],
        );
        let from: Vec<_> = graph.edges_from(2).map(|step| step.node).collect();
        let to: Vec<_> = graph.edges_to(1).map(|step| step.node).collect();
        assert_eq!((from, to), (vec![0, 1, 2], vec![0, 2]));
        let ends = graph.edges_to(1).map(|step| graph.edge(step.place)).map(|edge| (edge.subject, edge.object));
        assert_eq!(ends.collect::<Vec<_>>(), [(0, 1), (2, 1)]);
        assert_eq!((graph.edges_from(3).count(), graph.edges_to(3).count(), graph.edges_to(99).count()), (0, 0, 0));
        assert_eq!(graph.key(3), "dsha256:00000003");
    }

    #[test]
    fn what_is_added_is_as_if_it_had_been_there() {
        let edges = [(2, 0, Relation::MadeIn), (0, 1, Relation::SameAs), (2, 1, Relation::MadeIn)];
        let whole = graph(3, &edges);
        let all = list(&edges);
        let keys: Vec<String> = (0..3).map(|node| format!("dsha256:{node:08}")).collect();
        let grown = Graph::new(&[], &keys[..1]).with(&[], &keys[1..]).with(&all[..1], &[]).with(&all[1..], &[]);
        assert_eq!((grown.nodes(), grown.edges()), (whole.nodes(), whole.edges()));
        for node in 0..3 {
            let rows = |graph: &Graph| {
                let from: Vec<_> = graph.edges_from(node).map(|step| graph.edge(step.place)).collect();
                let to: Vec<_> = graph.edges_to(node).map(|step| graph.edge(step.place)).collect();
                (graph.key(node), from, to, graph.is_digest(node))
            };
            assert_eq!(rows(&grown), rows(&whole));
        }
    }
}
