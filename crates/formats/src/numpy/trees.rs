//! Arrays that are the nodes of a decision tree, as scikit-learn keeps them: compiled code follows the numbers of child
//! nodes without asking whether there are such nodes.

use super::Header;
use super::dtype::parse_dtype;
use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;
use crate::source::{Source, read_up_to};

/// Bytes of a header that are looked at for fields.
const MAX_HEADER: usize = 4096;
/// Bytes of one node; scikit-learn's have 64.
const MAX_NODE: u64 = 512;
/// What scikit-learn writes where there is no child.
const NO_CHILD: i64 = -1;

/// Where the children of a node are among its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    left: (usize, usize),
    right: (usize, usize),
    /// Set in leaves, whose children mean nothing; scikit-learn's plain trees have no such mark.
    leaf: Option<usize>,
}

/// Looks whether every child of every node is a node that comes after it.
pub(super) fn check(source: &dyn Source, header: &Header, budget: &Budget, facts: &mut Facts) {
    let size = header.dtype.itemsize;
    let [count] = header.shape.as_slice() else { return };
    if size == 0 || size > MAX_NODE || !header.dtype.text.starts_with('[') {
        return;
    }
    let length = usize::try_from(header.data).unwrap_or(MAX_HEADER).min(MAX_HEADER);
    let text = String::from_utf8_lossy(&read_up_to(source, 0, length)).into_owned();
    let Some(layout) = layout(&text) else { return };
    let mut cursor = Cursor::new(source, header.data);
    for index in 0..*count {
        let at = cursor.position();
        if let Err(limit) = budget.operate(1) {
            return facts.incomplete(at, Gap::Limit, limit.to_string());
        }
        let Ok(node) = cursor.take(usize::try_from(size).unwrap_or(0)) else { return };
        if let Some(child) = wrong_child(node, layout, index, *count) {
            let detail = format!("node {index} of a decision tree of {count} leads to node {child}");
            return facts.anomaly(at, Anomaly::OutOfBounds, detail);
        }
    }
}

/// A child that is not one of the nodes to come.
fn wrong_child(node: &[u8], layout: Layout, index: u64, count: u64) -> Option<i64> {
    if layout.leaf.and_then(|at| node.get(at)).is_some_and(|&leaf| leaf != 0) {
        return None;
    }
    let (left, right) = (number(node, layout.left)?, number(node, layout.right)?);
    if layout.leaf.is_none() && left == NO_CHILD && right == NO_CHILD {
        return None;
    }
    let fits = |child: &i64| u64::try_from(*child).is_ok_and(|child| child > index && child < count);
    [left, right].into_iter().find(|child| !fits(child))
}

fn number(node: &[u8], (at, size): (usize, usize)) -> Option<i64> {
    let bytes = node.get(at..at.checked_add(size)?)?;
    match size {
        8 => Some(i64::from_le_bytes(bytes.try_into().ok()?)),
        4 => Some(u32::from_le_bytes(bytes.try_into().ok()?).into()),
        _ => None,
    }
}

/// The fields of a record as its header writes them: `('left_child', '<i8'), …`.
fn layout(header: &str) -> Option<Layout> {
    let (mut left, mut right, mut leaf) = (None, None, None);
    let mut at = 0usize;
    for field in header.split("('").skip(1) {
        let mut words = field.split('\'');
        let (name, _, code) = (words.next()?, words.next()?, words.next()?);
        let size = usize::try_from(parse_dtype(code)?.itemsize).ok()?;
        let is_little = code.starts_with('<');
        match name {
            "left_child" | "left" if is_little => left = Some((at, size)),
            "right_child" | "right" if is_little => right = Some((at, size)),
            "is_leaf" => leaf = Some(at),
            _ => {}
        }
        at = at.checked_add(size)?;
    }
    let is_tree = header.contains("'left_child'") || (leaf.is_some() && header.contains("'feature_idx'"));
    is_tree.then_some(Layout { left: left?, right: right?, leaf })
}

#[cfg(test)]
mod tests {
    use crate::testing::{inspect, mutate, oddities};

    fn tree(children: &[(i64, i64)]) -> Vec<u8> {
        let mut header = format!(
            "{{'descr': [('left_child', '<i8'), ('right_child', '<i8'), ('x', '|u1'), ('', '|V7')], 'fortran_order': False, 'shape': ({},)}}",
            children.len()
        );
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        for (left, right) in children {
            bytes.extend(left.to_le_bytes());
            bytes.extend(right.to_le_bytes());
            bytes.extend([0; 8]);
        }
        bytes
    }

    fn odd(children: &[(i64, i64)]) -> usize {
        oddities(&inspect(&super::super::Npy, "a.npy", &tree(children))).len()
    }

    #[test]
    fn children_are_nodes_to_come() {
        assert_eq!(odd(&[(1, 2), (-1, -1), (-1, -1)]), 0);
        assert_eq!(odd(&[(1, 3), (-1, -1), (-1, -1)]), 1);
        assert_eq!(odd(&[(1, 2), (0, 2), (-1, -1)]), 1);
        assert_eq!(odd(&[(1, i64::MIN), (-1, -1)]), 1);
    }

    #[test]
    fn no_mutation_panics() {
        let seed = tree(&[(1, 2), (-1, -1), (-1, -1)]);
        mutate(&seed, 2000, |bytes| drop(inspect(&super::super::Npy, "a.npy", &bytes)));
    }
}
