//! Findings of one file, of which an archive can have one for each of a hundred thousand members: nobody reads them all,
//! and the memory for them has an end.

use std::collections::HashMap;

use waag_evidence::finding::{Finding, Location, Nature, Persona, Severity};

/// What is said of those that are not listed.
const MORE: &str = "more findings of this rule in this file are not listed one by one";

/// Findings of one file that are listed, whatever they are.
const MAX_LISTED: usize = 4_000;
/// Findings of one rule, nature and severity that are listed beyond that: a flood hides nothing of another kind.
const MAX_OF_A_KIND: usize = 50;

/// What a file has of one kind.
#[derive(Debug, Default)]
struct Kind {
    listed: usize,
    /// Where the finding stands that counts those not listed.
    more: Option<usize>,
}

/// How many findings of each rule, nature and severity a file has.
#[derive(Debug, Default)]
pub(crate) struct Kinds(HashMap<(String, Nature, Severity), Kind>);

impl Kinds {
    /// Adds what was found in an artifact to the findings of its file. What is not listed is counted in one finding about
    /// the file: an exception for some of its members does not cover it.
    pub(crate) fn add(&mut self, found: Vec<Finding>, list: &mut Vec<Finding>) {
        for finding in found {
            let kind = self.0.entry((finding.rule.clone(), finding.nature, finding.severity)).or_default();
            if list.len() < MAX_LISTED || kind.listed < MAX_OF_A_KIND {
                kind.listed += 1;
                list.push(finding);
            } else if let Some(more) = kind.more.and_then(|index| list.get_mut(index)) {
                more.count = more.count.saturating_add(finding.count);
            } else {
                kind.more = Some(list.len());
                list.push(rest(finding));
            }
        }
    }
}

/// The finding that stands for those not listed, in the words of the first of them.
fn rest(finding: Finding) -> Finding {
    let location = Location::file(finding.location.file);
    let message = format!("{}; {MORE}", finding.message);
    Finding { location, message, persona: Persona::Everyone, subject: None, evidence: None, ..finding }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Meta, finding::Findings};
    use waag_formats::fact::Position;

    static META: Meta = Meta { id: "test-rule", title: "a test", page: "" };

    fn found(member: usize, severity: Severity) -> Vec<Finding> {
        let mut list = Vec::new();
        let location = Location { members: vec![format!("{member}.class")], ..Location::file("program.jar") };
        let mut findings = Findings::new(&location, &META, &mut list);
        findings.add(severity, Position::Offset(0), "a program", "look").subject(format!("{member}.class")).count(2);
        list
    }

    #[test]
    fn a_flood_is_counted_in_a_finding_about_the_file() {
        let (mut kinds, mut list) = (Kinds::default(), Vec::new());
        for member in 0..MAX_LISTED + 30 {
            kinds.add(found(member, Severity::High), &mut list);
        }
        kinds.add(found(7, Severity::Critical), &mut list);
        assert_eq!(list.len(), MAX_LISTED + 2);
        let more = &list[MAX_LISTED];
        assert_eq!((more.count, more.severity), (60, Severity::High));
        assert_eq!(more.message, format!("a program; {MORE}"));
        assert_eq!((&more.location, &more.subject), (&Location::file("program.jar"), &None));
        assert_eq!(list[MAX_LISTED + 1].subject.as_deref(), Some("7.class"), "the worst comes last, and is listed");
    }
}
