//! What nodes and edges are called, in the same words everywhere.

use crate::lineage::answer::{Answer, AnswerEdge, Cited, Level, Node, Said};
use crate::lineage::conflict::{Conflict, Side};
use crate::lineage::output::{Asked, Told};
use crate::output::text::{counted, excerpt};
use crate::sanitize::sanitize;

/// Letters of a name.
const NAME: usize = 60;
/// Digits of a digest that people compare.
const DIGITS: usize = 12;

/// What people call a node; its best name where nobody gave another.
pub(super) fn label(node: &Node) -> String {
    match &node.label {
        Some(label) => excerpt(&sanitize(label), NAME),
        None => short(node),
    }
}

/// The best name, so short that it can be read.
pub(super) fn short(node: &Node) -> String {
    match node.naming {
        "digest" | "statement" => short_digest(&node.id),
        _ => excerpt(&sanitize(&node.id), NAME),
    }
}

/// A digest by the digits that people compare; anything else as it is.
pub(super) fn short_digest(id: &str) -> String {
    match id.split_once(':') {
        Some((algorithm, digits)) if digits.len() > 24 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{}:{}…", sanitize(algorithm), digits.chars().take(DIGITS).collect::<String>())
        }
        _ => excerpt(&sanitize(id), NAME),
    }
}

/// What stands in bold where there is little room: of a package or an address, the part that tells it from others.
pub(super) fn headword(node: &Node) -> String {
    let text = sanitize(&node.id);
    match (node.naming, &node.label) {
        ("package", None) => text.split_once('/').map_or(text.clone(), |(_, name)| name.to_owned()),
        ("uri", None) => text.trim_end_matches('/').rsplit('/').next().unwrap_or(&text).to_owned(),
        _ => label(node),
    }
}

/// What an edge is, read from the node that it was crossed from.
pub(super) fn relation(edge: &AnswerEdge) -> String {
    match (edge.relation, edge.backwards) {
        ("same-as", _) => "same as".to_owned(),
        ("part-of", false) => "part of".to_owned(),
        ("part-of", true) => "contains".to_owned(),
        ("made-in", false) => "made in".to_owned(),
        ("made-in", true) => "made".to_owned(),
        ("has-advisory", false) => "advisory".to_owned(),
        ("has-advisory", true) => "affects".to_owned(),
        (relation, false) => relation.to_owned(),
        (relation, true) => format!("{relation} of"),
    }
}

/// Who says an edge, in a few words: the one that can be believed furthest, and how many more there are.
pub(super) fn who(answer: &Answer, edge: &AnswerEdge) -> String {
    let Some(first) = edge.said.first() else { return edge.level.words().to_owned() };
    let words = said(answer, first);
    match edge.said.len() {
        1 => words,
        several => format!("{words} (+{})", several - 1),
    }
}

/// Who says it, and where.
pub(super) fn said(answer: &Answer, said: &Said) -> String {
    let cited = answer.statements.get(said.statement);
    match (&said.claim, cited) {
        (Some(claim), _) => {
            let place = claim.source.place.as_deref().map(|place| format!(" {}", excerpt(&sanitize(place), NAME)));
            let location = excerpt(&sanitize(&claim.source.location), NAME);
            let preposition = if said.level == Level::SelfDeclared { "in " } else { "" };
            format!("{} {preposition}{location}{}", said.level.words(), place.unwrap_or_default())
        }
        (None, Some(cited)) => match said.level {
            Level::SelfDeclared => format!("self-declared, {} unsigned", excerpt(&sanitize(cited.word()), NAME)),
            _ => cited.assurance.to_string(),
        },
        (None, None) => said.level.words().to_owned(),
    }
}

/// The day of a statement, where it says when.
pub(super) fn day(cited: &Cited) -> Option<String> {
    cited.said_at.as_deref().and_then(|at| at.get(..10)).map(sanitize)
}

/// The answer in a line.
pub(super) fn headline(told: &Told<'_>) -> String {
    let about = excerpt(&sanitize(told.about), NAME);
    let count = told.answer.reached;
    match told.asked {
        Asked::Ancestors if count == 0 => format!("no statement says what {about} was made from"),
        Asked::Ancestors => format!("{about} goes back to {}", counted(count, "artifact")),
        Asked::Descendants if count == 0 => format!("no statement says that anything was made from {about}"),
        Asked::Descendants => format!("{} made from {about}", counted(count, "artifact")),
        Asked::Affected if count == 0 => format!("nothing in the ledger descends from {about}"),
        Asked::Affected => format!("{} affected by {about}", counted(count, "artifact")),
        Asked::UnsignedPath if told.answer.edges.is_empty() && count == 0 => {
            format!("no statement says what {about} was made from")
        }
        Asked::UnsignedPath if told.answer.edges.is_empty() && told.answer.is_inconclusive() => {
            format!("everything that was looked at and leads to {about} is signed by somebody who is trusted")
        }
        Asked::UnsignedPath if told.answer.edges.is_empty() => {
            format!("everything that leads to {about} is signed by somebody who is trusted")
        }
        Asked::UnsignedPath => format!("nobody who is trusted has signed the last step of this path from {about}"),
    }
}

/// A conflict: what it is about, and what each side says.
pub(super) fn conflict(answer: &Answer, conflict: &Conflict) -> (String, Vec<String>) {
    let subject = label(&answer.nodes[conflict.subject]);
    let side = |side: &Side| {
        let objects: Vec<_> = side.objects.iter().map(|object| short_digest(object)).collect();
        let who = side.said.first().map(|first| said(answer, first)).unwrap_or_default();
        format!("{}  [{who}]", objects.join(" and "))
    };
    (format!("sources disagree about what {subject} was made from"), conflict.sides.iter().map(side).collect())
}
