//! Datasets are pinned.

use super::{Control, Group, Level, Observation};
use crate::gathered::{Evidence, Subject};
use crate::ingredient::IngredientKind;
use crate::policy::Policy;

pub(super) static CONTROL: Control = Control {
    id: "dataset-pinned",
    group: Group::Datasets,
    title: "every dataset is pinned, file by file",
    why: "A model cannot be made again, nor be blamed on its data, where nobody knows which data it was.",
    needs: "[[dataset]] in waag.toml, and waag.lock",
    pass: "Lock it with `waag lock`, and keep waag.lock with the code.",
    default: Level::Inconclusive,
    least: Level::Off,
    judge,
};

fn judge(_: &Subject, evidence: &Evidence, _: &Policy) -> Vec<Observation> {
    let datasets = evidence.parts.iter().filter(|part| part.kind == IngredientKind::Dataset);
    let observations: Vec<_> = datasets
        .map(|part| match part.locked {
            true => Observation::pass(&part.path, format!("the dataset '{}' is in waag.lock", part.name)),
            false => Observation::fail(
                &part.path,
                format!("the dataset '{}' is not in waag.lock", part.name),
                "lock it with `waag lock`",
            ),
        })
        .collect();
    if observations.is_empty() {
        vec![Observation::not_applicable("waag.toml names no dataset here")]
    } else {
        observations
    }
}
