//! The graph in memory: who is made from whom, in both directions, in a form that a walk over a million edges takes
//! milliseconds in. Compressed sparse rows: the edges of a node lie beside each other.

use super::identifier::Identifier;
use super::relation::Relation;

/// Edges that a graph can have: they are numbered with 32 bits.
pub const MAX_EDGES: usize = 1 << 31;

/// One edge, as the index has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// What was made, by number.
    pub subject: u32,
    /// What it was made from.
    pub object: u32,
    /// What the object is to the subject: [`Relation::code`].
    pub relation: u8,
    /// Who says so: the number of a statement.
    pub statement: u32,
    /// The row of the index that says more.
    pub row: u32,
}

/// Nodes and edges. A node is a number from 0; an edge is a place, in order of subjects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// Where the edges from each node begin, and an end.
    pub(super) from: Vec<u32>,
    pub(super) subjects: Vec<u32>,
    pub(super) objects: Vec<u32>,
    pub(super) relations: Vec<u8>,
    pub(super) statements: Vec<u32>,
    pub(super) rows: Vec<u32>,
    /// Where the edges to each node begin in `towards`, and an end.
    pub(super) to: Vec<u32>,
    /// Places of edges, in order of objects.
    pub(super) towards: Vec<u32>,
    /// Where each key begins in `keys`, and an end.
    pub(super) key_starts: Vec<u32>,
    pub(super) keys: Vec<u8>,
}

impl Graph {
    /// A graph of edges in the order of their rows. Edges to nodes that have no key are left out.
    #[must_use]
    pub fn new(edges: &[Edge], keys: &[String]) -> Self {
        let nodes = keys.len();
        let fits = |edge: &&Edge| (edge.subject as usize) < nodes && (edge.object as usize) < nodes;
        let edges: Vec<Edge> = edges.iter().filter(fits).take(MAX_EDGES).copied().collect();
        let mut graph = Self { key_starts: vec![0], ..Self::default() };
        for key in keys {
            graph.keys.extend_from_slice(key.as_bytes());
            graph.key_starts.push(number(graph.keys.len()));
        }
        graph.arrange(&edges);
        graph
    }

    /// Puts edges in order of subjects, and their places in order of objects.
    fn arrange(&mut self, edges: &[Edge]) {
        let nodes = self.nodes();
        let (from, order) = sorted(nodes, edges.iter().map(|edge| edge.subject));
        let in_order = || order.iter().filter_map(|place| edges.get(*place as usize));
        self.subjects = in_order().map(|edge| edge.subject).collect();
        self.objects = in_order().map(|edge| edge.object).collect();
        self.relations = in_order().map(|edge| edge.relation).collect();
        self.statements = in_order().map(|edge| edge.statement).collect();
        self.rows = in_order().map(|edge| edge.row).collect();
        self.from = from;
        (self.to, self.towards) = sorted(nodes, self.objects.iter().copied());
    }

    /// The same graph with more nodes and edges.
    #[must_use]
    pub fn with(mut self, edges: &[Edge], keys: &[String]) -> Self {
        for key in keys {
            self.keys.extend_from_slice(key.as_bytes());
            self.key_starts.push(number(self.keys.len()));
        }
        let nodes = self.nodes();
        let fits = |edge: &&Edge| (edge.subject as usize) < nodes && (edge.object as usize) < nodes;
        let all: Vec<Edge> =
            (0..self.edges()).map(|place| self.edge(number(place))).chain(edges.iter().filter(fits).copied()).collect();
        self.arrange(&all);
        self
    }

    /// Whether it was made with [`Graph::new`]: an empty default has no end of keys.
    pub(crate) fn key_starts_are_there(&self) -> bool {
        !self.key_starts.is_empty()
    }

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.key_starts.len().saturating_sub(1)
    }

    /// How many edges there are.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.objects.len()
    }

    /// The edge at a place, which has to be one of this graph's.
    #[must_use]
    pub fn edge(&self, place: u32) -> Edge {
        let place = place as usize;
        Edge {
            subject: self.subjects[place],
            object: self.objects[place],
            relation: self.relations[place],
            statement: self.statements[place],
            row: self.rows[place],
        }
    }

    /// What an edge says; none for a relation that is not known.
    #[must_use]
    pub fn relation(&self, place: u32) -> Option<Relation> {
        Relation::of_code(self.relations[place as usize])
    }

    /// The places of the edges from a node to what it was made from.
    pub fn edges_from(&self, node: u32) -> impl Iterator<Item = u32> + use<> {
        let node = node as usize;
        let end = self.from.get(node + 1).copied().unwrap_or_default();
        self.from.get(node).copied().unwrap_or(end)..end
    }

    /// The places of the edges to a node from what was made from it.
    pub fn edges_to(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let node = node as usize;
        let end = self.to.get(node + 1).copied().unwrap_or_default() as usize;
        let start = self.to.get(node).map_or(end, |start| *start as usize);
        self.towards.get(start..end).unwrap_or_default().iter().copied()
    }

    /// The key of a node.
    #[must_use]
    pub fn key(&self, node: u32) -> &str {
        let node = node as usize;
        let range = self.key_starts.get(node).zip(self.key_starts.get(node + 1));
        let bytes = range.and_then(|(start, end)| self.keys.get(*start as usize..*end as usize));
        bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// What a node is called.
    #[must_use]
    pub fn identifier(&self, node: u32) -> Option<Identifier> {
        Identifier::of_key(self.key(node))
    }

    /// Whether a node is a digest.
    #[must_use]
    pub fn is_digest(&self, node: u32) -> bool {
        self.key_starts.get(node as usize).and_then(|start| self.keys.get(*start as usize)) == Some(&b'd')
    }
}

/// Where the items of each bucket begin, and the places of all items in order of buckets; equal ones keep their order.
fn sorted(buckets: usize, of: impl Iterator<Item = u32> + Clone) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0_u32; buckets + 1];
    let mut count = 0;
    for bucket in of.clone() {
        starts[bucket as usize + 1] += 1;
        count += 1;
    }
    for bucket in 0..buckets {
        starts[bucket + 1] += starts[bucket];
    }
    let (mut next, mut order) = (starts.clone(), vec![0_u32; count]);
    for (place, bucket) in of.enumerate() {
        let slot = &mut next[bucket as usize];
        order[*slot as usize] = number(place);
        *slot += 1;
    }
    (starts, order)
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
        let from: Vec<_> = graph.edges_from(2).map(|place| graph.edge(place).object).collect();
        let to: Vec<_> = graph.edges_to(1).map(|place| graph.edge(place).subject).collect();
        assert_eq!((from, to), (vec![0, 1, 2], vec![0, 2]));
        assert_eq!((graph.edges_from(3).count(), graph.edges_to(3).count(), graph.edges_to(99).count()), (0, 0, 0));
        assert_eq!(graph.key(3), "dsha256:00000003");
    }

    #[test]
    fn what_is_added_is_as_if_it_had_been_there() {
        let edges = [(2, 0, Relation::MadeIn), (0, 1, Relation::SameAs), (2, 1, Relation::MadeIn)];
        let whole = graph(3, &edges);
        let all = list(&edges);
        let keys: Vec<String> = (0..3).map(|node| format!("dsha256:{node:08}")).collect();
        let grown = Graph::new(&[], &keys[..1]).with(&all[..1], &keys[1..]).with(&all[1..], &[]);
        assert_eq!(grown, whole);
    }
}
