//! Somebody who is trusted says how it was made.

use super::recorded::NEXT;
use super::{Control, Group, Level, Observation};
use crate::gathered::{Evidence, Subject};
use crate::policy::Policy;
use crate::statement::provenance::PREDICATE_TYPE;

pub(super) static CONTROL: Control = Control {
    id: "provenance",
    group: Group::Training,
    title: "somebody who is trusted says how it was made",
    why: "What anybody can write down, nobody can rely on; a signed provenance names who answers for it.",
    needs: "statements of SLSA provenance about it, and who signed them",
    pass: "Record and sign the run with `waag run --key FILE`, and name the signer in [trust].",
    default: Level::Advise,
    least: Level::Off,
    judge,
};

fn judge(_: &Subject, evidence: &Evidence, _: &Policy) -> Vec<Observation> {
    let statements = &evidence.statements;
    let trusted = statements.trusted_provenance().map(|(statement, facts)| {
        let signer = statement.signer.as_deref().unwrap_or("a trusted signer");
        Observation::pass(&statement.place, format!("{signer} says how: {}", facts.build_type))
    });
    let trusted: Vec<_> = trusted.collect();
    if !trusted.is_empty() {
        return trusted;
    }
    if statements.searched.is_empty() {
        return vec![Observation::unknown(
            "",
            "no statement of how it was made was found: no attestation is named, and there is no ledger",
            NEXT,
        )];
    }
    let claims = statements.found.iter().filter(|statement| statement.predicate_type == PREDICATE_TYPE);
    let untrusted: Vec<_> = claims
        .map(|statement| {
            let seen = match &statement.signer {
                Some(signer) => format!("'{signer}' says how it was made, whom waag.toml does not trust for all of it"),
                None => "it is said how it was made, and nobody signed that".to_owned(),
            };
            Observation::fail(&statement.place, seen, NEXT)
        })
        .collect();
    match untrusted.is_empty() {
        true => vec![Observation::fail(
            "",
            format!("nothing in {} says how it was made", statements.searched.join(", ")),
            NEXT,
        )],
        false => untrusted,
    }
}
