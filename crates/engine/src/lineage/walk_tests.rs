use std::collections::BTreeSet;

use proptest::prelude::*;
use waag_evidence::statement::role::Role;

use super::super::graph::tests::graph;
use super::super::graph::{Edge, Graph};
use super::*;

const BASE: Relation = Relation::Role(Role::BaseModel);
const PART_OF: Relation = Relation::Role(Role::PartOf);

fn reached(graph: &Graph, start: u32, direction: Direction) -> BTreeSet<u32> {
    let walk = Walk::new(graph, &[start], direction, &Bits::default(), u32::MAX);
    walk.visits.iter().map(|visit| visit.node).collect()
}

#[test]
fn a_walk_goes_one_way_and_ends_in_a_circle() {
    let graph =
        graph(5, &[(1, 0, BASE), (2, 1, BASE), (0, 2, BASE), (3, 2, BASE), (4, 3, Relation::Role(Role::Description))]);
    assert_eq!(reached(&graph, 0, Direction::Descendants), [0, 1, 2, 3].into());
    assert_eq!(reached(&graph, 3, Direction::Ancestors), [0, 1, 2, 3].into());
    assert_eq!(reached(&graph, 4, Direction::Ancestors), [4].into());
}

#[test]
fn a_file_speaks_for_its_whole_and_not_for_its_siblings() {
    // 0 and 1 are files of 2; 3 was made from file 1, 4 from 2. File 0 is also a file of 5, from which 6 was made.
    let graph =
        graph(7, &[(0, 2, PART_OF), (1, 2, PART_OF), (3, 1, BASE), (4, 2, BASE), (0, 5, PART_OF), (6, 5, BASE)]);
    assert_eq!(reached(&graph, 2, Direction::Descendants), [0, 1, 2, 3, 4].into());
    assert_eq!(reached(&graph, 0, Direction::Descendants), [0, 2, 4, 5, 6].into(), "not 1, and so not 3");
    assert_eq!(reached(&graph, 4, Direction::Ancestors), [0, 1, 2, 4].into(), "not 5");
}

#[test]
fn a_name_of_two_artifacts_makes_no_kin() {
    // Node 2 is a name: digests 0 and 1 were both called so. 3 was made from the name.
    let keys = ["dsha256:00", "dsha256:01", "pkg:huggingface/a/b", "dsha256:03"];
    let keys: Vec<String> = keys.iter().map(|key| key.replace("pkg:", "ppkg:")).collect();
    let edges = [(0, 2, Relation::SameAs), (1, 2, Relation::SameAs), (3, 2, BASE)];
    let edges: Vec<Edge> = super::super::graph::tests::list(&edges);
    let graph = Graph::new(&edges, &keys);
    assert_eq!(reached(&graph, 0, Direction::Descendants), [0, 2, 3].into());
    assert_eq!(reached(&graph, 3, Direction::Ancestors), [0, 1, 2, 3].into());
}

#[test]
fn what_is_left_out_is_not_there_and_depth_ends_a_walk() {
    let graph = graph(3, &[(1, 0, BASE), (2, 1, BASE)]);
    let mut left_out = Bits::default();
    left_out.insert(2);
    let walk = Walk::new(&graph, &[0], Direction::Descendants, &left_out, u32::MAX);
    assert_eq!((walk.visits.len(), walk.is_cut), (2, false));
    let walk = Walk::new(&graph, &[0], Direction::Descendants, &Bits::default(), 1);
    assert_eq!((walk.visits.len(), walk.is_cut), (2, true));
    let walk = Walk::new(&graph, &[2], Direction::Ancestors, &Bits::default(), 9);
    assert_eq!(walk.path(2).iter().map(|crossed| graph.edge(crossed.place).object).collect::<Vec<_>>(), [1, 0]);
}

/// The same by the definition: states of a node and what was crossed, until nothing new comes.
fn reference(edges: &[(u32, u32, Relation)], digests: &[bool], start: u32, direction: Direction) -> BTreeSet<u32> {
    let mut states = BTreeSet::from([(start, false, false)]);
    loop {
        let mut more = states.clone();
        for (node, part, name) in &states {
            for (subject, object, relation) in edges {
                for (here, there, way) in
                    [(subject, object, Direction::Ancestors), (object, subject, Direction::Descendants)]
                {
                    if here != node {
                        continue;
                    }
                    let (is_digest, to_digest) = (digests[*here as usize], digests[*there as usize]);
                    let next = match relation.crossing() {
                        Crossing::Ancestry if way == direction => Some((false, false)),
                        Crossing::Part if !part => Some((true, false)),
                        Crossing::Name if is_digest && to_digest => Some((*part, *name)),
                        Crossing::Name if !name => Some((*part, !to_digest)),
                        _ => None,
                    };
                    more.extend(next.map(|(part, name)| (*there, part, name)));
                }
            }
        }
        if more == states {
            return states.into_iter().map(|(node, ..)| node).collect();
        }
        states = more;
    }
}

fn relation() -> impl Strategy<Value = Relation> {
    prop_oneof![
        3 => Just(BASE),
        2 => Just(PART_OF),
        2 => Just(Relation::SameAs),
        1 => Just(Relation::MadeIn),
        1 => Just(Relation::Role(Role::Description)),
    ]
}

proptest! {
    #[test]
    fn a_walk_finds_what_the_definition_says(
        edges in proptest::collection::vec((0..9_u32, 0..9_u32, relation()), 0..24),
        digests in proptest::collection::vec(any::<bool>(), 9),
        start in 0..9_u32,
        down in any::<bool>(),
    ) {
        let direction = if down { Direction::Descendants } else { Direction::Ancestors };
        let keys: Vec<String> =
            digests.iter().zip(0..).map(|(digest, node)| format!("{}{node}", if *digest { 'd' } else { 'u' })).collect();
        let graph = Graph::new(&super::super::graph::tests::list(&edges), &keys);
        prop_assert_eq!(reached(&graph, start, direction), reference(&edges, &digests, start, direction));
    }
}
