//! It is what somebody who is trusted has signed.

use super::{Control, Group, Level, Observation};
use crate::gathered::{Evidence, SignatureEvidence, SignatureState, Subject};
use crate::policy::Policy;

pub(super) static CONTROL: Control = Control {
    id: "signature",
    group: Group::Models,
    title: "signed by somebody who is trusted for it",
    why: "A name and a place say nothing of who made the bytes, nor whether they were changed since.",
    needs: "a signature: of a [[model]] or [[dataset]] that names one, model.sig in the folder, or a file with .sig at the end \
            of its name; and [trust] in waag.toml",
    pass: "Sign it with `waag sign`, or get the publisher's signature, and name who may sign it in [trust].",
    default: Level::Advise,
    least: Level::Off,
    judge,
};

fn judge(_: &Subject, evidence: &Evidence, _: &Policy) -> Vec<Observation> {
    if evidence.signatures.is_empty() {
        return vec![Observation::unknown("", "no signature was looked for", "name a model, and not a part of one")];
    }
    evidence.signatures.iter().map(observation).collect()
}

fn observation(signature: &SignatureEvidence) -> Observation {
    let place = signature.place.as_str();
    let observation = match &signature.state {
        SignatureState::Good { signers, .. } => Observation::pass(place, format!("signed by {}", signers.join(", "))),
        SignatureState::Absent { looked_for } => Observation::fail(
            place,
            format!("not signed: there is no {}", looked_for.join(" and no ")),
            "sign it with `waag sign`, or get the publisher's signature",
        ),
        SignatureState::Bad { reason } => Observation::fail(
            place,
            format!("not what a trusted signer signed: {reason}"),
            "do not use it before you know who changed it; `waag verify` tells all",
        ),
        SignatureState::Unjudged { reason } => Observation::unknown(
            place,
            format!("there is a signature, and nobody knows whose: {reason}"),
            "say in waag.toml who may sign it: [[trust.signer]] and [[trust.rule]]",
        ),
    };
    Observation { declared: signature.declared, ..observation }
}
