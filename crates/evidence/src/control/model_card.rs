//! There is a model card.

use super::{Control, Group, Level, Observation};
use crate::gathered::{Evidence, Subject};
use crate::policy::Policy;

pub(super) static CONTROL: Control = Control {
    id: "model-card",
    group: Group::Models,
    title: "a model card lies with the model",
    why: "Without one nobody knows what the model is for, what it was made from, and under which licence.",
    needs: "the names of the files; whether the card is complete is not judged",
    pass: "Write README.md or MODEL_CARD.md into the model's folder.",
    default: Level::Advise,
    least: Level::Off,
    judge,
};

const CARDS: [&str; 6] =
    ["readme.md", "model_card.md", "modelcard.md", "modelcard.json", "modelcard.yaml", "modelcard.yml"];

fn judge(subject: &Subject, evidence: &Evidence, _: &Policy) -> Vec<Observation> {
    let card = evidence.files.iter().find(|file| {
        let name = file.path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        file.size > 0 && CARDS.contains(&name.as_str())
    });
    let has_weights = evidence.files.iter().any(|file| file.tensors > 0);
    vec![match card {
        Some(card) => Observation::pass(&card.path, "a card, which was not judged"),
        None if !has_weights => Observation::not_applicable("there are no weights"),
        None if subject.is_file => Observation::not_applicable("one file was asked for, and not what lies beside it"),
        None => Observation::fail("", "no model card", "write README.md into the model's folder"),
    }]
}
