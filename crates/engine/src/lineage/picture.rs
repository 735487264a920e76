//! The graph as bytes: compressed sparse rows, once in order of subjects and once in order of objects, each edge with all
//! that a walk asks of it beside each other. So a walk reads the pages of the nodes that it visits, and no others.
//!
//! All numbers are little-endian. With `n` nodes and `e` edges:
//!
//! | part | bytes |
//! |---|---|
//! | where the edges from each node begin, and an end | 4 (n + 1) |
//! | where the edges to each node begin, and an end | 4 (n + 1) |
//! | of each node, the first byte of its key, and which edges beside ancestry it has | 2 n |
//! | edges from nodes: subject, object, statement, row, relation | 20 e |
//! | edges to nodes: place among those from nodes, subject, statement, relation | 16 e |
//! | where the key of each node begins, and an end | 8 (n + 1) |
//! | keys | |
//!
//! The file is a part of the index: the digest of its pages' digests stands there, and other bytes are not used.

use serde::{Deserialize, Serialize};

use super::graph::{Edge, Step, number};
use super::pages::Pages;
use super::relation::{Crossing, Relation};

/// Bytes of an edge from a node.
const OUTWARD: u64 = 20;
/// Bytes of an edge to a node.
const INWARD: u64 = 16;
/// An edge from the node is crossed whichever way a walk goes.
const SIDEWAYS_FROM: u8 = 1;
/// An edge to the node is crossed whichever way a walk goes.
const SIDEWAYS_TO: u8 = 2;

/// How many of everything there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Nodes.
    pub nodes: u32,
    /// Edges.
    pub edges: u32,
    /// Bytes of keys.
    pub keys: u64,
}

/// A graph as bytes.
#[derive(Debug)]
pub struct Picture {
    layout: Layout,
    pages: Pages,
}

impl Layout {
    const fn starts(self) -> u64 {
        (self.nodes as u64 + 1) * 4
    }

    const fn kinds(self) -> u64 {
        self.starts() * 2
    }

    const fn outward(self) -> u64 {
        self.kinds() + self.nodes as u64 * 2
    }

    const fn inward(self) -> u64 {
        self.outward() + self.edges as u64 * OUTWARD
    }

    const fn key_starts(self) -> u64 {
        self.inward() + self.edges as u64 * INWARD
    }

    const fn key_bytes(self) -> u64 {
        self.key_starts() + (self.nodes as u64 + 1) * 8
    }

    /// Bytes of the whole.
    #[must_use]
    pub const fn length(self) -> u64 {
        self.key_bytes().saturating_add(self.keys)
    }
}

/// Writes a graph of edges, in the order of their rows. Each has to be between nodes that have keys.
#[must_use]
pub fn write(edges: &[Edge], keys: &[String]) -> (Layout, Vec<u8>) {
    let nodes = keys.len();
    let layout = Layout {
        nodes: number(nodes),
        edges: number(edges.len()),
        keys: keys.iter().map(|key| key.len() as u64).sum(),
    };
    let mut bytes = Vec::with_capacity(usize::try_from(layout.length()).unwrap_or_default());
    let (from, outward) = sorted(nodes, edges.iter().map(|edge| edge.subject));
    let in_order: Vec<&Edge> = outward.iter().filter_map(|place| edges.get(*place as usize)).collect();
    let (to, inward) = sorted(nodes, in_order.iter().map(|edge| edge.object));
    let mut put = |numbers: &[u32]| numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
    put(&from);
    put(&to);
    bytes.extend_from_slice(&kinds(edges, keys));
    let mut put = |numbers: &[u32]| numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
    for edge in &in_order {
        put(&[edge.subject, edge.object, edge.statement, edge.row, u32::from(edge.relation)]);
    }
    for place in inward {
        let Some(edge) = in_order.get(place as usize) else { continue };
        put(&[place, edge.subject, edge.statement, u32::from(edge.relation)]);
    }
    let mut start = 0_u64;
    for length in std::iter::once(0).chain(keys.iter().map(String::len)) {
        start += length as u64;
        bytes.extend_from_slice(&start.to_le_bytes());
    }
    keys.iter().for_each(|key| bytes.extend_from_slice(key.as_bytes()));
    (layout, bytes)
}

fn kinds(edges: &[Edge], keys: &[String]) -> Vec<u8> {
    let mut kinds: Vec<u8> = keys.iter().flat_map(|key| [key.bytes().next().unwrap_or_default(), 0]).collect();
    for edge in edges.iter().filter(|edge| is_sideways(edge.relation)) {
        for (node, flag) in [(edge.subject, SIDEWAYS_FROM), (edge.object, SIDEWAYS_TO)] {
            if let Some(flags) = kinds.get_mut(node as usize * 2 + 1) {
                *flags |= flag;
            }
        }
    }
    kinds
}

/// Whether an edge is crossed both ways by every walk.
fn is_sideways(relation: u8) -> bool {
    matches!(Relation::of_code(relation).map(Relation::crossing), Some(Crossing::Part | Crossing::Name))
}

impl Picture {
    /// A graph of these counts in these bytes.
    #[must_use]
    pub const fn new(layout: Layout, pages: Pages) -> Self {
        Self { layout, pages }
    }

    pub(super) const fn nodes(&self) -> u32 {
        self.layout.nodes
    }

    pub(super) const fn edges(&self) -> u32 {
        self.layout.edges
    }

    /// Whether something was read that is not what was written.
    pub(super) fn is_broken(&self) -> bool {
        self.pages.is_broken()
    }

    fn numbers<const N: usize, const BYTES: usize>(&self, at: u64) -> [u32; N] {
        let bytes: [u8; BYTES] = self.pages.array(at);
        let mut numbers = [0; N];
        for (number, bytes) in numbers.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *number = u32::from_le_bytes(*bytes);
        }
        numbers
    }

    /// A range out of a list of starts, which never leaves the edges.
    fn range(&self, list: u64, node: u32) -> std::ops::Range<u32> {
        if node >= self.nodes() {
            return 0..0;
        }
        let [start, end] = self.numbers::<2, 8>(list + u64::from(node) * 4);
        start..end.min(self.edges())
    }

    pub(super) fn edge(&self, place: u32) -> Edge {
        let at = self.layout.outward() + u64::from(place) * OUTWARD;
        let [subject, object, statement, row, relation] = self.numbers::<5, 20>(at);
        Edge { subject, object, statement, row, relation: u8::try_from(relation).unwrap_or(u8::MAX) }
    }

    pub(super) fn from(&self, node: u32) -> impl Iterator<Item = Step> + '_ {
        self.range(0, node).map(|place| Step::along(place, &self.edge(place)))
    }

    pub(super) fn to(&self, node: u32) -> impl Iterator<Item = Step> + '_ {
        self.range(self.layout.starts(), node).map(|inward| {
            let at = self.layout.inward() + u64::from(inward) * INWARD;
            let [place, node, statement, relation] = self.numbers::<4, 16>(at);
            Step { place, node, statement, relation: u8::try_from(relation).unwrap_or(u8::MAX) }
        })
    }

    fn kind(&self, node: u32) -> [u8; 2] {
        if node >= self.nodes() {
            return [0, 0];
        }
        self.pages.array(self.layout.kinds() + u64::from(node) * 2)
    }

    /// The first byte of a node's key.
    pub(super) fn first_byte(&self, node: u32) -> u8 {
        self.kind(node)[0]
    }

    /// Whether the node has edges from it, and to it, that are crossed both ways.
    pub(super) fn sideways(&self, node: u32) -> (bool, bool) {
        let flags = self.kind(node)[1];
        (flags & SIDEWAYS_FROM != 0, flags & SIDEWAYS_TO != 0)
    }

    pub(super) fn key(&self, node: u32) -> String {
        if node >= self.nodes() {
            return String::new();
        }
        let bytes: [u8; 16] = self.pages.array(self.layout.key_starts() + u64::from(node) * 8);
        let mut bounds = bytes.as_chunks::<8>().0.iter().map(|bound| u64::from_le_bytes(*bound));
        let (start, end) = (bounds.next().unwrap_or_default(), bounds.next().unwrap_or_default());
        let end = end.min(self.layout.keys);
        let first = self.layout.key_bytes();
        let bytes = self.pages.range(first.saturating_add(start), first.saturating_add(end));
        String::from_utf8(bytes).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::super::graph::tests::list;
    use super::*;

    #[test]
    fn a_picture_has_the_length_that_its_counts_give() {
        let keys = ["da", "ub", "dc"].map(str::to_owned);
        let (layout, bytes) = write(&list(&[(2, 0, Relation::MadeIn), (0, 1, Relation::SameAs)]), &keys);
        assert_eq!(layout.length(), bytes.len() as u64);
        let picture = Picture::new(layout, Pages::Memory(bytes));
        assert_eq!([0, 1, 2].map(|node| picture.key(node)), keys);
        assert_eq!([0, 1, 2].map(|node| picture.sideways(node)), [(true, false), (false, true), (false, false)]);
        assert_eq!((picture.first_byte(1), picture.key(3)), (b'u', String::new()));
    }

    #[test]
    fn numbers_that_point_outside_lead_nowhere() {
        let keys = ["da", "ub", "dc"].map(str::to_owned);
        let (layout, bytes) = write(&list(&[(2, 0, Relation::MadeIn), (0, 1, Relation::SameAs)]), &keys);
        for place in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[place] ^= 0x80;
            let picture = Picture::new(layout, Pages::Memory(bytes));
            for node in 0..4 {
                let steps: Vec<_> = picture.from(node).chain(picture.to(node)).collect();
                steps.iter().for_each(|step| _ = picture.edge(step.place));
                assert!(steps.len() <= 4 && picture.key(node).len() <= 6);
            }
        }
    }
}
