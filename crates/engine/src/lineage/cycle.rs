//! Circles: artifacts that were made from themselves, as statements say. Some statement is wrong then.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Answer, AnswerEdge};
use super::relation::{Crossing, Relation};

/// Circles that are named.
const MAX_CYCLES: usize = 64;
/// Artifacts of one that are named.
const MAX_MEMBERS: usize = 64;

/// The circles of an answer along edges of ancestry, each as the places of its nodes. What has two names is one node.
pub(super) fn find(answer: &Answer) -> Vec<Vec<usize>> {
    let groups = groups(answer);
    let mut next = vec![Vec::new(); answer.nodes.len()];
    let is_ancestry = |edge: &&AnswerEdge| edge.meaning.map(Relation::crossing) == Some(Crossing::Ancestry);
    for edge in answer.edges.iter().filter(is_ancestry) {
        next[groups[edge.subject]].push(groups[edge.object]);
    }
    let mut circle_of = vec![UNSEEN; answer.nodes.len()];
    let mut count = 0;
    for members in components(&next) {
        if members.len() > 1 || members.first().is_some_and(|only| next[*only].contains(only)) {
            members.iter().for_each(|member| circle_of[*member] = count);
            count += 1;
        }
    }
    // Those names are told by which the edges go.
    let mut cycles: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
    for edge in answer.edges.iter().filter(is_ancestry) {
        let (one, other) = (circle_of[groups[edge.subject]], circle_of[groups[edge.object]]);
        if one == other && one != UNSEEN {
            cycles[one].extend([edge.subject, edge.object]);
        }
    }
    let mut cycles: Vec<Vec<usize>> =
        cycles.into_iter().map(|members| members.into_iter().take(MAX_MEMBERS).collect()).collect();
    cycles.sort_unstable();
    cycles.truncate(MAX_CYCLES);
    cycles
}

/// For each node, the one that stands for all its names. A name that several digests have is left apart: their versions are
/// made from each other, and that is no circle.
fn groups(answer: &Answer) -> Vec<usize> {
    let is_digest = |place: usize| answer.nodes[place].naming == "digest";
    let names = answer.edges.iter().filter(|edge| edge.meaning == Some(Relation::SameAs));
    let mut digests: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut groups: Vec<usize> = (0..answer.nodes.len()).collect();
    for edge in names {
        match (is_digest(edge.subject), is_digest(edge.object)) {
            (true, true) => join(&mut groups, edge.subject, edge.object),
            (true, false) => _ = digests.entry(edge.object).or_default().insert(edge.subject),
            (false, true) => _ = digests.entry(edge.subject).or_default().insert(edge.object),
            (false, false) => {}
        }
    }
    for (name, digests) in digests {
        let first = digests.first().map(|digest| first_of(&mut groups, *digest));
        if let Some(first) = first
            && digests.iter().all(|digest| first_of(&mut groups, *digest) == first)
        {
            join(&mut groups, name, first);
        }
    }
    (0..groups.len()).map(|place| first_of(&mut groups, place)).collect()
}

fn join(groups: &mut [usize], one: usize, other: usize) {
    let (one, other) = (first_of(groups, one), first_of(groups, other));
    groups[one.max(other)] = one.min(other);
}

fn first_of(groups: &mut [usize], place: usize) -> usize {
    let mut at = place;
    while groups[at] != at {
        groups[at] = groups[groups[at]];
        at = groups[at];
    }
    at
}

const UNSEEN: usize = usize::MAX;

/// Tarjan's strongly connected components, without recursion.
fn components(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let nodes = next.len();
    let (mut index, mut low, mut on_stack) = (vec![UNSEEN; nodes], vec![0; nodes], vec![false; nodes]);
    let (mut stack, mut found, mut count) = (Vec::new(), Vec::new(), 0);
    for root in 0..nodes {
        if index[root] != UNSEEN {
            continue;
        }
        let mut calls = vec![(root, 0)];
        while let Some((node, edge)) = calls.pop() {
            if edge == 0 {
                (index[node], low[node], on_stack[node]) = (count, count, true);
                count += 1;
                stack.push(node);
            } else {
                low[node] = low[node].min(low[next[node][edge - 1]]);
            }
            let (mut edge, mut is_left) = (edge, true);
            while let Some(&to) = next[node].get(edge) {
                edge += 1;
                if index[to] == UNSEEN {
                    calls.extend([(node, edge), (to, 0)]);
                    is_left = false;
                    break;
                } else if on_stack[to] {
                    low[node] = low[node].min(index[to]);
                }
            }
            if is_left && low[node] == index[node] {
                let start = stack.iter().rposition(|member| *member == node).unwrap_or_default();
                let members = stack.split_off(start);
                members.iter().for_each(|member| on_stack[*member] = false);
                found.push(members);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By the definition: two nodes are together when each leads to the other.
    fn reference(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let nodes = next.len();
        let mut leads: Vec<Vec<bool>> =
            (0..nodes).map(|from| (0..nodes).map(|to| from == to || next[from].contains(&to)).collect()).collect();
        for by in 0..nodes {
            for from in 0..nodes {
                for to in 0..nodes {
                    let through = leads[from][by] && leads[by][to];
                    leads[from][to] |= through;
                }
            }
        }
        let together = |one: usize| (0..nodes).filter(|other| leads[one][*other] && leads[*other][one]).collect();
        let mut found: Vec<Vec<usize>> = (0..nodes).map(together).collect();
        found.sort();
        found.dedup();
        found
    }

    proptest! {
        #[test]
        fn components_are_what_the_definition_says(
            next in proptest::collection::vec(proptest::collection::vec(0..8_usize, 0..4), 8),
        ) {
            let mut found = components(&next);
            found.iter_mut().for_each(|members| members.sort_unstable());
            found.sort();
            prop_assert_eq!(found, reference(&next));
        }
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let next: Vec<Vec<usize>> =
            (0..200_000).map(|node| if node == 0 { vec![199_999] } else { vec![node - 1] }).collect();
        assert_eq!(components(&next).len(), 1);
    }
}
