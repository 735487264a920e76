//! What the licence of a part does not allow, and the licence of the result gives.

use waag_evidence::finding::{Confidence, Severity};

use super::Licence;
use super::chain::{Link, Role};
use super::expression::Part;
use super::terms::{Commercial, Scope, Terms};

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conflict {
    pub(super) severity: Severity,
    pub(super) confidence: Confidence,
    pub(super) why: String,
    pub(super) next: String,
}

/// Conversions of weights that add nothing of anybody's own.
const MECHANICAL: &[&str] = &["quantized", "quantised", "converted"];

/// What does not fit between a part whose licence is known and the result: the choice of the part that fits best counts,
/// against the choice of the result that fits worst.
pub(super) fn between(part: &Link, result: &Link, given: &Licence) -> Vec<Conflict> {
    let Some(own) = &part.licence else { return Vec::new() };
    let mut worst: Vec<Conflict> = Vec::new();
    for receiver in &given.choices {
        let all = own.choices.iter().map(|maker| of_choice(part, result, maker, receiver));
        let best = all.min_by_key(|found| weight(found)).unwrap_or_default();
        if weight(&best) > weight(&worst) {
            worst = best;
        }
    }
    worst
}

fn weight(found: &[Conflict]) -> (Option<Severity>, usize) {
    (found.iter().map(|conflict| conflict.severity).max(), found.len())
}

fn of_choice(part: &Link, result: &Link, maker: &[Part], receiver: &[Part]) -> Vec<Conflict> {
    let mut found = Vec::new();
    for licence in maker {
        let Some(terms) = &licence.terms else { continue };
        match part.role {
            Role::BaseModel | Role::Adapter => of_weights(part, result, terms, receiver, &mut found),
            Role::Dataset => of_data(terms, receiver, &mut found),
            // Code that goes with weights keeps its own licence.
            Role::Code | Role::Result => {}
        }
    }
    found.dedup();
    found
}

fn of_weights(part: &Link, result: &Link, terms: &Terms, receiver: &[Part], found: &mut Vec<Conflict>) {
    let is_mechanical = part.relation.as_deref().is_some_and(|relation| MECHANICAL.contains(&relation));
    if !terms.derive && !is_mechanical {
        found.push(conflict(
            Severity::Medium,
            format!("{} does not allow derivatives to be given to others", terms.id()),
            "ask its publisher for leave, or start from a base model that allows derivatives",
        ));
    }
    found.extend(commercial(terms, receiver));
    found.extend(share_alike(terms, receiver, Severity::Medium));
    found.extend(restrictions(terms, receiver));
    found.extend(naming(terms, &result.name));
}

/// What training on data does to the licence of a model is not settled: what is told of it is less sure.
fn of_data(terms: &Terms, receiver: &[Part], found: &mut Vec<Conflict>) {
    let unsettled = |mut conflict: Conflict| {
        conflict.why.push_str("; whether that reaches a model trained on data is not settled");
        conflict.confidence = Confidence::Low;
        conflict.severity = conflict.severity.min(Severity::Low);
        conflict
    };
    found.extend(commercial(terms, receiver).map(|conflict| Conflict { confidence: Confidence::Medium, ..conflict }));
    if terms.scope != Scope::Data {
        found.extend(share_alike(terms, receiver, Severity::Low).map(unsettled));
    }
    if !terms.derive {
        let why = format!("{} does not allow derivatives to be given to others", terms.id());
        found.push(unsettled(conflict(Severity::Low, why, "ask the publisher of the data")));
    }
    found.extend(restrictions(terms, receiver).map(unsettled));
}

fn commercial(terms: &Terms, receiver: &[Part]) -> Option<Conflict> {
    let freest = receiver.iter().filter_map(|part| part.terms.as_ref()).map(|terms| rank(terms.commercial)).max()?;
    if freest >= rank(terms.commercial) {
        return None;
    }
    let id = terms.id();
    let (severity, why) = match terms.commercial {
        Commercial::Research => {
            (Severity::Medium, format!("{id} allows nothing but research, and the result is not bound to that"))
        }
        Commercial::No => (Severity::Medium, format!("{id} forbids commercial use, and the result allows it")),
        Commercial::Limited | Commercial::Yes => {
            let who = terms.threshold.as_deref().unwrap_or("commercial use is limited");
            (Severity::Medium, format!("{id} limits commercial use ({who}), and the result does not"))
        }
    };
    Some(conflict(
        severity,
        why,
        "give the result under a licence with the same limit, or ask for another one of the part",
    ))
}

const fn rank(commercial: Commercial) -> u8 {
    match commercial {
        Commercial::Yes => 0,
        Commercial::Limited => 1,
        Commercial::No => 2,
        Commercial::Research => 3,
    }
}

fn share_alike(terms: &Terms, receiver: &[Part], severity: Severity) -> Option<Conflict> {
    let is_kept = receiver.iter().any(|part| terms.share.iter().any(|share| share.eq_ignore_ascii_case(&part.id)));
    if terms.share.is_empty() || is_kept {
        return None;
    }
    let id = terms.id();
    let (severity, why) = match terms.scope {
        Scope::Work => {
            (severity, format!("{id} asks that derivatives have the same licence, and the result has another"))
        }
        Scope::Files => {
            (Severity::Low, format!("{id} asks that changed files keep it, and the result does not name it"))
        }
        Scope::Library => (
            Severity::Low,
            format!(
                "{id} asks that it can be exchanged within the result and keeps its licence, and the result does not name it"
            ),
        ),
        Scope::Data => (severity, format!("{id} asks that the data keep it, and the result has another")),
    };
    let next = format!("give the result under one of: {}", terms.share.join(", "));
    Some(conflict(severity, why, &next))
}

fn restrictions(terms: &Terms, receiver: &[Part]) -> Option<Conflict> {
    let passed_on = terms.restrictions.as_deref()?;
    let is_same = receiver.iter().any(|part| part.id.eq_ignore_ascii_case(terms.id()));
    let others: Vec<&Terms> = receiver.iter().filter_map(|part| part.terms.as_ref()).collect();
    // Attachments A of the RAIL family forbid nearly the same: which of them holds is a matter of reading both.
    let is_alike = others.iter().any(|other| other.restrictions.as_deref() == Some(passed_on));
    if is_same {
        return None;
    }
    let id = terms.id();
    let next = format!("name {id} as the licence of the result, or add it with AND, and put its text beside it");
    Some(match is_alike {
        true => {
            let why = format!(
                "{id} asks that its own restrictions be passed on, and the result passes on those of another licence"
            );
            conflict(Severity::Low, why, &next)
        }
        false => {
            let why =
                format!("{id} asks that everyone downstream be bound to {passed_on}, and the result binds nobody");
            conflict(Severity::Medium, why, &next)
        }
    })
}

fn naming(terms: &Terms, name: &str) -> Option<Conflict> {
    let prefix = terms.prefix.as_deref()?;
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let last = name.rsplit('/').next().unwrap_or(name).trim();
    // The Hub's template has these words before it.
    let heading = last.to_lowercase();
    let words = ["model card for ", "model card of ", "model card: "];
    let last = words
        .iter()
        .find(|words| heading.starts_with(**words))
        .and_then(|words| last.get(words.len()..))
        .unwrap_or(last);
    if last.is_empty() || plain(last).starts_with(&plain(prefix)) {
        return None;
    }
    let why = format!(
        "{} asks that the name of a model made from it begin with \"{prefix}\", and this one is called {last}",
        terms.id()
    );
    let named = conflict(Severity::Low, why, "rename the model, or ask its publisher");
    Some(Conflict { confidence: Confidence::Medium, ..named })
}

fn conflict(severity: Severity, why: String, next: &str) -> Conflict {
    Conflict { severity, confidence: Confidence::High, why, next: next.to_owned() }
}

#[cfg(test)]
mod tests {
    use waag_evidence::Location;

    use super::super::chain::{Agreement, Basis, judge};
    use super::super::read;
    use super::*;

    fn link(role: Role, name: &str, licence: &str) -> Link {
        let licence = (!licence.is_empty()).then(|| read(licence, None, None));
        let basis = if licence.is_some() { Basis::Read } else { Basis::None };
        Link { role, name: name.into(), relation: None, licence, basis, place: Location::file("README.md") }
    }

    fn said(result: &str, parts: &[(Role, &str)]) -> Vec<String> {
        let parts: Vec<Link> = parts.iter().map(|(role, licence)| link(*role, "org/part", licence)).collect();
        let judged = judge(&link(Role::Result, "Llama-mine", result), &parts);
        judged.findings.iter().map(|finding| format!("{} {}", finding.rule, finding.message)).collect()
    }

    fn is_good(result: &str, base: &str) -> bool {
        let found = said(result, &[(Role::BaseModel, base)]);
        found.is_empty()
    }

    #[test]
    fn what_may_be_derived_under_which_licence() {
        let good = [
            ("mit", "apache-2.0"),
            ("llama3.2", "llama3.2"),
            ("LicenseRef-llama3.2 AND MIT", "llama3.2"),
            ("cc-by-sa-4.0", "cc-by-4.0"),
            ("cc-by-sa-4.0", "cc-by-sa-3.0"),
            ("cc-by-nc-4.0", "cc-by-4.0"),
            ("cc-by-nc-sa-4.0", "cc-by-nc-4.0"),
            ("gpl-3.0", "cc-by-sa-4.0"),
            ("agpl-3.0", "gpl-3.0"),
            ("mit", "MIT OR GPL-3.0-only"),
            ("gemma", "gemma"),
            ("cc-by-nc-4.0", "apple-ascl"),
        ];
        for (result, base) in good {
            assert!(is_good(result, base), "{result} from {base}: {:?}", said(result, &[(Role::BaseModel, base)]));
        }
        let bad = [
            ("apache-2.0", "llama3.2", "binds nobody"),
            ("mit", "cc-by-nc-4.0", "forbids commercial use"),
            ("cc-by-nc-4.0", "apple-amlr", "nothing but research"),
            ("apache-2.0", "cc-by-sa-4.0", "the same licence"),
            ("gpl-2.0", "gpl-3.0", "the same licence"),
            ("cc-by-4.0", "cc-by-nd-4.0", "derivatives"),
            ("MIT OR GPL-3.0-only", "gpl-3.0", "the same licence"),
            ("apache-2.0", "stabilityai-ai-community", "limits commercial use"),
            ("openrail++", "creativeml-openrail-m", "those of another licence"),
            ("llama3.2", "llama3.1", "binds nobody"),
            ("mit", "mpl-2.0", "changed files"),
        ];
        for (result, base, why) in bad {
            let found = said(result, &[(Role::BaseModel, base)]);
            assert!(found.iter().any(|message| message.contains(why)), "{result} from {base}: {found:?}");
        }
    }

    #[test]
    fn a_quantised_copy_is_no_derivative() {
        let mut base = link(Role::BaseModel, "org/base", "cc-by-nd-4.0");
        let result = link(Role::Result, "mine", "cc-by-nd-4.0");
        assert_eq!(judge(&result, std::slice::from_ref(&base)).agreement, Agreement::Conflicts);
        base.relation = Some("quantized".into());
        assert_eq!(judge(&result, &[base]).agreement, Agreement::Agrees);
    }

    #[test]
    fn unknown_links_are_said_and_never_pass() {
        let parts = [link(Role::BaseModel, "org/base", ""), link(Role::Dataset, "org/data", "other")];
        let judged = judge(&link(Role::Result, "mine", "mit"), &parts);
        assert_eq!(judged.agreement, Agreement::Unknown);
        insta::assert_snapshot!(judged.shown.join("\n"), @"
        base model org/base: no licence known
        dataset org/data: other
        this mine: MIT
        ");
        assert_eq!(judged.findings.len(), 2);
        let nothing = judge(&link(Role::Result, "mine", ""), &[]);
        assert_eq!((nothing.findings[0].rule.as_str(), nothing.agreement), ("licence-missing", Agreement::Unknown));
    }

    #[test]
    fn well_known_bases_are_less_sure_and_names_have_to_begin_as_asked() {
        let base = Link::named(Role::BaseModel, "meta-llama/Llama-3.2-1B", Location::file("README.md"));
        let judged = judge(&link(Role::Result, "me/tiny", "llama3.2"), &[base]);
        let finding = &judged.findings[0];
        assert!(finding.message.contains("begin with \"Llama\""), "{}", finding.message);
        assert_eq!((finding.severity, finding.confidence), (Severity::Low, Confidence::Medium));
    }

    #[test]
    fn data_reaches_models_less_surely() {
        let found = said("apache-2.0", &[(Role::Dataset, "cc-by-sa-4.0")]);
        assert!(found[0].contains("not settled"), "{found:?}");
        assert!(
            said("apache-2.0", &[(Role::Dataset, "odbl"), (Role::Dataset, "c-uda"), (Role::Code, "gpl-3.0")])
                .is_empty()
        );
        assert!(said("apache-2.0", &[(Role::Dataset, "cc-by-nc-4.0")])[0].contains("forbids commercial use"));
    }

    #[test]
    fn a_chain_of_thousands_ends() {
        let parts: Vec<Link> = (0..5000).map(|number| link(Role::Dataset, &format!("org/{number}"), "mit")).collect();
        let judged = judge(&link(Role::Result, "mine", "mit"), &parts);
        assert_eq!((judged.findings.len(), judged.findings[0].rule.as_str()), (1, "incomplete-analysis"));
    }
}
