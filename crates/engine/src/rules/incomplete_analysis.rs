//! Part of a file was not analysed. That is said, and is never taken for clean.

use waag_formats::fact::{FactKind, Gap};

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct IncompleteAnalysis;

static META: Meta = Meta {
    id: "incomplete-analysis",
    title: "parts that were not analysed",
    page: include_str!("incomplete_analysis.md"),
};

impl Rule for IncompleteAnalysis {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for fact in artifact.facts {
            // What is too deep exhausts whoever follows it, which is another rule's business.
            if let FactKind::Incomplete { reason, detail } = &fact.kind
                && *reason != Gap::Depth
            {
                let (text, next_step) = explain(*reason);
                findings.add_incomplete(fact.position, with_detail(text, detail), next_step);
            }
        }
    }
}

fn explain(reason: Gap) -> (&'static str, &'static str) {
    match reason {
        Gap::Limit => (
            "not analysed to the end, because a limit was met",
            "treat it as unchecked: honest models stay far below the limits. If you know why this one does not, split \
             it, or unpack it and check the parts",
        ),
        Gap::Unsupported => (
            "this uses a part of its format that is not read here",
            "look for a newer waag (`waag formats` lists what this one reads), or ask for a version of the format that \
             is read",
        ),
        Gap::UnknownFormat => (
            "no format that is known here",
            "find out what reads this file before anything does (`waag formats` lists what is known here), or leave it \
             out of what you load",
        ),
        Gap::Missing => (
            "something that belongs to this was not there to be analysed",
            "fetch what is missing and check again, or check the folder that holds it",
        ),
        // Unreadable, and whatever reason is added later: the bytes could not be judged.
        _ => (
            "these bytes could not be read or decoded",
            "fetch the file again, compare its digest with the publisher's, and check that you may read it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{PICKLE, sketch};

    #[test]
    fn every_gap_is_said_with_a_step_of_its_own() {
        let gaps = [Gap::Limit, Gap::Unsupported, Gap::Unreadable, Gap::UnknownFormat, Gap::Missing];
        let mut steps: Vec<String> = Vec::new();
        for reason in gaps {
            let kind = FactKind::Incomplete { reason, detail: "as told".into() };
            let file = sketch("model.pkl", &PICKLE).fact(kind);
            assert!(file.said(&IncompleteAnalysis)[0].starts_with("incomplete: "), "{reason:?}");
            steps.extend(file.findings(&IncompleteAnalysis).into_iter().map(|finding| finding.next_step));
        }
        steps.sort();
        steps.dedup();
        assert_eq!(steps.len(), gaps.len());
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        let kind = FactKind::Metadata { key: "incomplete".into(), value: "yes".into() };
        assert!(sketch("model.pkl", &PICKLE).fact(kind).said(&IncompleteAnalysis).is_empty());
    }
}
