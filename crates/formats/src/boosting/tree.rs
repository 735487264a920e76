//! The shape of one tree: every inner node is reached once, and nothing is reached that does not exist.

/// Whether following `children`, starting at node 0, can go outside `count` nodes or round in circles.
///
/// A node that two others lead to is wrong even where no circle comes of it: no training makes such a tree.
pub(super) fn fault(children: &[u32], count: usize) -> Option<String> {
    let mut reached = vec![0_u64; count.div_ceil(64)];
    for &child in children {
        let index = usize::try_from(child).unwrap_or(usize::MAX);
        if index >= count {
            return Some(format!("a node leads to node {child} of {count}"));
        }
        let bit = 1_u64 << (child & 63);
        let Some(word) = reached.get_mut(index >> 6) else { continue };
        if index == 0 || *word & bit != 0 {
            return Some(format!("node {child} is reached from two sides, so the tree may have no end"));
        }
        *word |= bit;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn trees_end() {
        assert_eq!(fault(&[1, 3, 2, 4], 5), None);
        assert!(fault(&[1, 5], 5).is_some());
        assert!(fault(&[1, 1], 5).is_some());
        assert!(fault(&[1, 0], 5).is_some());
    }
}
