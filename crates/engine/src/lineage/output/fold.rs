//! Nodes that nobody wants to see one by one: the hundred packages of a training run, the files of a model. Those of one
//! kind that lead nowhere else stand together, and a name that adds nothing stands beside what it names, where somebody who
//! is trusted, or a file, says that it is one.

use std::collections::BTreeMap;

use crate::lineage::answer::{Answer, AnswerEdge, Level};
use crate::output::text::counted;

/// From so many on, they stand together.
const MANY: usize = 5;

/// The edges from a node, as they are shown.
#[derive(Debug, Default, Clone)]
pub(super) struct Children {
    /// Other names of it that lead nowhere: nodes.
    pub(super) names: Vec<usize>,
    /// Edges that are shown one by one.
    pub(super) edges: Vec<usize>,
    /// Edges that are shown together.
    pub(super) groups: Vec<Vec<usize>>,
}

/// The node that an edge was crossed from, and the one that it led to.
pub(super) const fn ends(edge: &AnswerEdge) -> (usize, usize) {
    if edge.backwards { (edge.object, edge.subject) } else { (edge.subject, edge.object) }
}

/// For each node, what is shown below it.
pub(super) fn fold(answer: &Answer) -> Vec<Children> {
    let (mut below, mut above) = (vec![Vec::new(); answer.nodes.len()], vec![0; answer.nodes.len()]);
    for (place, edge) in answer.edges.iter().enumerate() {
        let (tail, head) = ends(edge);
        below[tail].push(place);
        above[head] += 1;
    }
    let leads_nowhere = |node: usize| below[node].is_empty() && above[node] == 1;
    below.iter().map(|edges| children(answer, edges, &leads_nowhere)).collect()
}

fn children(answer: &Answer, edges: &[usize], leads_nowhere: &dyn Fn(usize) -> bool) -> Children {
    let mut children = Children::default();
    let mut alike: BTreeMap<(&str, bool, Level), Vec<usize>> = BTreeMap::new();
    for &place in edges {
        let edge = &answer.edges[place];
        let (_, head) = ends(edge);
        match edge.relation {
            // What leads nowhere here is not shown twice; what is missing about it is told apart. That two are one is not
            // taken for so where anybody could have said it: the edge is shown then, with who says it.
            "same-as" if edge.level.is_believed() && leads_nowhere(head) => children.names.push(head),
            "dependency" | "part-of" | "environment" | "input" | "code" | "configuration" if leads_nowhere(head) => {
                alike.entry((edge.relation, edge.backwards, edge.level)).or_default().push(place);
            }
            _ => children.edges.push(place),
        }
    }
    for group in alike.into_values() {
        if group.len() < MANY { children.edges.extend(group) } else { children.groups.push(group) }
    }
    children.edges.sort_by_key(|place| order(answer, &answer.edges[*place]));
    children
}

/// Models first, then data, then what ran.
fn order(answer: &Answer, edge: &AnswerEdge) -> (Option<crate::lineage::relation::Relation>, String) {
    (edge.meaning, answer.nodes[ends(edge).1].id.clone())
}

/// What a group is called: `142 packages`.
pub(super) fn group_name(answer: &Answer, group: &[usize]) -> String {
    let relation = group.first().map_or("", |place| answer.edges[*place].relation);
    let noun = match relation {
        "dependency" => "package",
        "part-of" => "file",
        "environment" => "environment",
        "code" | "configuration" => "file of code",
        _ => "input",
    };
    match (noun, group.len()) {
        ("file of code", count) => format!("{count} files of code"),
        (noun, count) => counted(count as u64, noun),
    }
}
