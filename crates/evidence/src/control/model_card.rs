//! There is a model card.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level, Observation};
use crate::gathered::{Evidence, Subject};
use crate::policy::Policy;
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: "model-card",
    group: Group::Models,
    title: "a model card lies with the model, complete, and agrees with the files",
    why: "Without one nobody knows what the model is for, what it was made from, and under which licence.",
    needs: "the card, and the files that it speaks of",
    pass: "Draft one with `waag card init`, and say what only you can say.",
    default: Level::Advise,
    least: Level::Off,
    judge,
};

const CARDS: [&str; 6] =
    ["readme.md", "model_card.md", "modelcard.md", "modelcard.json", "modelcard.yaml", "modelcard.yml"];

static PRACTICE: Practice = Practice {
    id: "model-card",
    topic: Topic::Cards,
    measure: Measure::Practice,
    nothing: "there is no card",
    clean: "complete, and it agrees with the files",
};

fn judge(subject: &Subject, evidence: &Evidence, policy: &Policy) -> Vec<Observation> {
    if evidence.project.look(Topic::Cards).is_some() {
        return PRACTICE.judge(evidence, policy);
    }
    let card = evidence.files.iter().find(|file| {
        let name = file.path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        file.size > 0 && CARDS.contains(&name.as_str())
    });
    let has_weights = evidence.files.iter().any(|file| file.tensors > 0);
    vec![match card {
        _ if !has_weights => Observation::not_applicable("there are no weights"),
        Some(card) => {
            Observation::unknown(&card.path, "a card is there, and was not judged", "judge it: `waag card check`")
        }
        None if subject.is_file => Observation::not_applicable("one file was asked for, and not what lies beside it"),
        None => Observation::fail("", "no model card", "write README.md into the model's folder"),
    }]
}
