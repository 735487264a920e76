//! Pickles only from those who are trusted.

use super::{Control, Group, Level, Observation};
use crate::gathered::{Evidence, FileEvidence, SignatureState, Subject};
use crate::policy::Policy;

pub(super) static CONTROL: Control = Control {
    id: "no-untrusted-pickle",
    group: Group::Models,
    title: "no pickle without a trusted signature",
    why: "A pickle is a program. A scan says what it calls today; who wrote it decides what it calls tomorrow.",
    needs: "the formats of the files, and trusted signatures over them",
    pass: "Convert it with `waag convert`, get safetensors from the publisher, or have it signed by somebody [trust] names.",
    default: Level::Advise,
    least: Level::Off,
    judge,
};

const PICKLES: [&str; 2] = ["pickle", "joblib-zfile"];

fn judge(_: &Subject, evidence: &Evidence, _: &Policy) -> Vec<Observation> {
    let pickles = evidence.files.iter().filter(|file| file.formats().any(|format| PICKLES.contains(&format)));
    let observations: Vec<_> = pickles.map(|file| observation(file, evidence)).collect();
    if observations.is_empty() { vec![Observation::not_applicable("there is no pickle")] } else { observations }
}

fn observation(file: &FileEvidence, evidence: &Evidence) -> Observation {
    let signer = evidence.signatures.iter().find_map(|signature| match &signature.state {
        SignatureState::Good { signers, uncovered } if covers(&signature.place, uncovered, &file.path) => {
            Some(signers.join(", "))
        }
        _ => None,
    });
    match signer {
        Some(signer) => Observation::pass(&file.path, format!("a pickle, signed by {signer}")),
        None => Observation::fail(
            &file.path,
            "a pickle that nobody who is trusted has signed",
            "convert it with `waag convert`, or have it signed",
        ),
    }
}

/// Whether a signature over what is at a place is one over a file: signers leave out what is of version control, and more.
fn covers(place: &str, uncovered: &[String], file: &str) -> bool {
    let place = place.trim_end_matches('/');
    is_below(file, place) && !uncovered.iter().any(|left_out| is_below(file, &format!("{place}/{left_out}")))
}

/// Whether a file is or lies below a path.
fn is_below(file: &str, place: &str) -> bool {
    let place = place.trim_end_matches('/');
    file == place || file.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_covers_what_is_below_it() {
        assert!(is_below("m/a.pkl", "m/") && is_below("m", "m"));
        assert!(!is_below("model/a.pkl", "m") && !is_below("a.pkl", "m"));
    }

    #[test]
    fn a_signature_does_not_cover_what_it_leaves_out() {
        let uncovered = [".github".to_owned(), "sub/a.pkl".to_owned()];
        assert!(covers("m/", &uncovered, "m/a.pkl") && covers("m", &uncovered, "m/sub/b.pkl"));
        assert!(!covers("m/", &uncovered, "m/.github/x/a.pkl") && !covers("m", &uncovered, "m/sub/a.pkl"));
    }

    #[test]
    fn a_pickle_that_the_signature_leaves_out_is_not_signed() {
        use crate::control::Outcome;
        use crate::gathered::SignatureEvidence;
        let file =
            |path: &str| FileEvidence { path: path.into(), format: Some("pickle".into()), ..FileEvidence::default() };
        let state = SignatureState::Good { signers: vec!["rel".into()], uncovered: vec![".github".into()] };
        let signature = SignatureEvidence { place: "m".into(), declared: true, sha256: None, state };
        let files = vec![file("m/a.pkl"), file("m/.github/a.pkl")];
        let evidence = Evidence { files, signatures: vec![signature], ..Evidence::default() };
        let outcomes = judge(&Subject::default(), &evidence, &Policy::default()).into_iter().map(|seen| seen.outcome);
        assert_eq!(outcomes.collect::<Vec<_>>(), [Outcome::Pass, Outcome::Fail]);
    }
}
