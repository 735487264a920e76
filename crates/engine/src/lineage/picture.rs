//! The graph as a file: read in one go, so that the first question after a start does not wait for a million rows.
//!
//! The file is a part of the index: its digest stands there, and another file is not used.

use super::graph::{Graph, number};

/// What the file begins with.
const MAGIC: &[u8; 16] = b"waag graph 1\n\0\0\0";

/// How a statement stood when the picture was taken: its digest, and size, times and inode of its file.
pub type StatementStamp = ([u8; 32], [i64; 4]);

/// Writes a graph, and the stamps of its statements in order of their numbers, from 1.
#[must_use]
pub fn write(graph: &Graph, stamps: &[StatementStamp]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    let counts = [graph.nodes(), graph.edges(), graph.keys.len(), stamps.len()];
    counts.iter().for_each(|count| bytes.extend_from_slice(&(*count as u64).to_le_bytes()));
    let numbers =
        [&graph.from, &graph.subjects, &graph.objects, &graph.statements, &graph.rows, &graph.to, &graph.towards];
    for list in numbers.into_iter().chain([&graph.key_starts]) {
        list.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
    }
    bytes.extend_from_slice(&graph.relations);
    bytes.extend_from_slice(&graph.keys);
    for (digest, stamp) in stamps {
        bytes.extend_from_slice(digest);
        stamp.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
    }
    bytes
}

/// Reads what [`write`] wrote; none for anything else.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<(Graph, Vec<StatementStamp>)> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut count = || {
        let (number, after) = rest.split_first_chunk::<8>()?;
        rest = after;
        usize::try_from(u64::from_le_bytes(*number)).ok()
    };
    let (nodes, edges, keys, stamps) = (count()?, count()?, count()?, count()?);
    let starts = nodes.checked_add(1)?;
    let mut numbers = |count: usize| {
        let (list, after) = rest.split_at_checked(count.checked_mul(4)?)?;
        rest = after;
        Some(list.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number)).collect::<Vec<u32>>())
    };
    let mut graph = Graph {
        from: numbers(starts)?,
        subjects: numbers(edges)?,
        objects: numbers(edges)?,
        statements: numbers(edges)?,
        rows: numbers(edges)?,
        to: numbers(starts)?,
        towards: numbers(edges)?,
        key_starts: numbers(starts)?,
        ..Graph::default()
    };
    let (relations, after) = rest.split_at_checked(edges)?;
    let (keys, after) = after.split_at_checked(keys)?;
    (graph.relations, graph.keys) = (relations.to_vec(), keys.to_vec());
    let (stamps, after) = after.split_at_checked(stamps.checked_mul(64)?)?;
    let stamps = stamps.as_chunks::<64>().0.iter().map(stamp).collect();
    (after.is_empty() && is_sound(&graph)).then_some((graph, stamps))
}

fn stamp(bytes: &[u8; 64]) -> StatementStamp {
    let mut digest = [0; 32];
    digest.copy_from_slice(&bytes[..32]);
    let mut numbers = [0; 4];
    for (number, bytes) in numbers.iter_mut().zip(bytes[32..].as_chunks::<8>().0) {
        *number = i64::from_le_bytes(*bytes);
    }
    (digest, numbers)
}

/// Whether every number is within what it points into, so that no walk leaves the graph.
fn is_sound(graph: &Graph) -> bool {
    let (nodes, edges) = (number(graph.nodes()), number(graph.edges()));
    let rises =
        |list: &[u32], end: usize| list.first() == Some(&0) && list.last() == Some(&number(end)) && list.is_sorted();
    rises(&graph.from, graph.edges())
        && rises(&graph.to, graph.edges())
        && rises(&graph.key_starts, graph.keys.len())
        && graph.subjects.iter().chain(&graph.objects).all(|node| *node < nodes)
        && graph.towards.iter().all(|place| *place < edges)
}

#[cfg(test)]
mod tests {
    use super::super::graph::tests::graph;
    use super::super::relation::Relation;
    use super::*;

    #[test]
    fn a_picture_is_read_as_it_is_written() {
        let graph = graph(3, &[(2, 0, Relation::MadeIn), (0, 1, Relation::SameAs)]);
        let stamps = vec![([7; 32], [1, -2, 3, i64::MAX])];
        let bytes = write(&graph, &stamps);
        assert_eq!(read(&bytes), Some((graph, stamps)));
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), None, "{end}");
        }
        assert_eq!(read(&[bytes.as_slice(), b"x"].concat()), None);
    }

    #[test]
    fn numbers_that_point_outside_are_refused() {
        let bytes = write(&graph(3, &[(2, 0, Relation::MadeIn), (0, 1, Relation::SameAs)]), &[]);
        for place in 48..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[place] ^= 0x80;
            if let Some((graph, _)) = read(&bytes) {
                (0..3).for_each(|node| {
                    graph.edges_from(node).chain(graph.edges_to(node)).for_each(|place| _ = graph.edge(place));
                });
            }
        }
    }
}
