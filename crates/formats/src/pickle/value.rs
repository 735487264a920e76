//! What stands on the abstract machine's stack: eight bytes a value, however large the object it stands for.

use super::global::GlobalId;

/// An abstract value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Value {
    /// Data whose content does not matter: None, booleans, numbers and containers of such.
    Plain,
    /// Text, bytes or a number that the opcode at this offset (from the start of the stream) pushed.
    Literal(u32),
    /// A callable as it was looked up.
    Global(GlobalId),
    /// What an inert use of a callable made.
    Made(GlobalId),
    /// A container, a call or an attribute that is remembered in detail.
    Node(NodeId),
    /// What a persistent id stands for: something the loader provides.
    Persistent,
    /// Nobody knows: the machine ran out of room, or a loader would have stopped with an error.
    Lost,
}

/// Index of a remembered node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NodeId(u32);

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeKind {
    Tuple,
    List,
    Dict,
    Set,
    /// Callable and arguments of a call that is reported.
    Call,
    /// Callable and arguments of a call that only builds data.
    InertCall,
    /// Object and name of an attribute that is looked up.
    Attribute,
    /// A callable from the extension registry, by code.
    Extension,
    /// What a persistent id, its one item, stands for.
    Persistent,
}

/// What a container holds, over all its items, also those not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Holds {
    /// A listed callable, or an attribute of one.
    pub(super) callable: bool,
    /// Something no list clears.
    pub(super) uncleared: bool,
    /// A callable stored under a name that loaders themselves call (`__setstate__`, `append` …).
    pub(super) planted: bool,
}

impl Holds {
    pub(super) fn join(self, other: Self) -> Self {
        Self {
            callable: self.callable || other.callable,
            uncleared: self.uncleared || other.uncleared,
            planted: self.planted || other.planted,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) holds: Holds,
    /// Containers within containers, from here down.
    pub(super) depth: u16,
    /// Objects that walking it would visit, counting shared ones each time.
    pub(super) weight: f32,
    start: u32,
    kept: u16,
    /// True when there are more items than are kept.
    pub(super) cut: bool,
}

/// Nodes that are remembered in one stream.
const MAX_NODES: usize = 1 << 19;
/// Items of all nodes that are remembered in one stream.
const MAX_ITEMS: usize = 1 << 20;
/// Items remembered of one node.
const MAX_ITEMS_OF_NODE: usize = 96;

/// All nodes of one stream.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    nodes: Vec<Node>,
    items: Vec<Value>,
    /// Whether there was no room for one.
    pub(super) full: bool,
}

impl Nodes {
    /// Remembers a node; none when there is no room.
    pub(super) fn add(&mut self, kind: NodeKind, items: &[Value], holds: Holds) -> Option<NodeId> {
        let kept = items.get(..items.len().min(MAX_ITEMS_OF_NODE)).unwrap_or_default();
        if self.nodes.len() >= MAX_NODES || self.items.len().saturating_add(kept.len()) > MAX_ITEMS {
            self.full = true;
            return None;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).ok()?);
        let start = u32::try_from(self.items.len()).ok()?;
        self.items.extend_from_slice(kept);
        let (depth, weight) = self.measure(items);
        let (kept, cut) = (u16::try_from(kept.len()).ok()?, kept.len() < items.len());
        self.nodes.push(Node { kind, holds, depth: depth.saturating_add(1), weight: weight + 1.0, start, kept, cut });
        Some(id)
    }

    /// Greatest depth and total weight of some values.
    fn measure(&self, items: &[Value]) -> (u16, f32) {
        items.iter().fold((0, 0.0), |(depth, weight), item| match item {
            Value::Node(id) => {
                let (of_item, its_weight) = self.get(*id).map_or((0, 1.0), |node| (node.depth, node.weight));
                (depth.max(of_item), weight + its_weight)
            }
            _ => (depth, weight + 1.0),
        })
    }

    /// Adds items to a container; what does not fit is not kept, but what it holds counts.
    pub(super) fn extend(&mut self, id: NodeId, added: &[Value], holds: Holds) {
        let (depth, weight) = self.measure(added);
        let Some(node) = self.nodes.get_mut(id.0 as usize) else { return };
        node.depth = node.depth.max(depth.saturating_add(1));
        node.weight += weight;
        node.holds = node.holds.join(holds);
        let room = MAX_ITEMS_OF_NODE.saturating_sub(usize::from(node.kept));
        let fitting = added.get(..added.len().min(room)).unwrap_or_default();
        node.cut |= fitting.len() < added.len();
        if fitting.is_empty() {
            return;
        }
        let range = node.start as usize..(node.start as usize).saturating_add(usize::from(node.kept));
        let grown = range.len().saturating_add(fitting.len());
        if self.items.len().saturating_add(grown) > MAX_ITEMS {
            node.cut = true;
            return;
        }
        if range.end != self.items.len() {
            // Items of one node lie together: a node that is not the last moves to the end when it grows.
            node.start = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
            self.items.extend_from_within(range);
        }
        node.kept = u16::try_from(grown).unwrap_or(u16::MAX);
        self.items.extend_from_slice(fitting);
    }

    pub(super) fn get(&self, id: NodeId) -> Option<Node> {
        self.nodes.get(id.0 as usize).copied()
    }

    /// The items kept of a node.
    pub(super) fn items(&self, id: NodeId) -> &[Value] {
        let Some(node) = self.nodes.get(id.0 as usize) else { return &[] };
        let start = node.start as usize;
        self.items.get(start..start.saturating_add(usize::from(node.kept))).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_eight_bytes() {
        assert_eq!(size_of::<Value>(), 8);
        assert!(size_of::<Node>() <= 20);
    }

    #[test]
    fn containers_grow_in_turns() {
        let mut nodes = Nodes::default();
        let first = nodes.add(NodeKind::List, &[], Holds::default()).unwrap();
        let second = nodes.add(NodeKind::List, &[Value::Plain], Holds::default()).unwrap();
        nodes.extend(first, &[Value::Literal(1)], Holds::default());
        nodes.extend(second, &[Value::Literal(2)], Holds::default());
        nodes.extend(first, &[Value::Literal(3)], Holds { callable: true, ..Holds::default() });
        assert_eq!(nodes.items(first), [Value::Literal(1), Value::Literal(3)]);
        assert_eq!(nodes.items(second), [Value::Plain, Value::Literal(2)]);
        assert!(nodes.get(first).unwrap().holds.callable);
    }

    #[test]
    fn items_beyond_the_kept_ones_still_count() {
        let mut nodes = Nodes::default();
        let list = nodes.add(NodeKind::List, &[], Holds::default()).unwrap();
        for _ in 0..100 {
            nodes.extend(list, &[Value::Plain], Holds::default());
        }
        nodes.extend(list, &[Value::Lost], Holds { uncleared: true, ..Holds::default() });
        assert_eq!(nodes.items(list).len(), MAX_ITEMS_OF_NODE);
        assert!(nodes.get(list).unwrap().holds.uncleared);
    }
}
