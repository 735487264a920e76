//! `root-user`.

use waag_engine::rules::Meta;
use waag_evidence::{Confidence, Finding, Location, Persona, Severity};

use super::instruction::Instruction;
use super::stage::Stage;
use crate::telling::{Told, told};

pub(super) static META: Meta =
    Meta { id: "root-user", title: "an image whose programs run as root", page: include_str!("root_user.md") };

/// The last instruction that sets the user of the image.
fn last<'a>(stages: &'a [Stage<'a>]) -> Option<(&'a Stage<'a>, &'a Instruction)> {
    let mut at = stages.last();
    while let Some(stage) = at {
        let set = stage.instructions.iter().rev().find(|one| one.keyword == "USER" && !one.is_for_later);
        if let Some(set) = set {
            return Some((stage, set));
        }
        at = stage.parent.and_then(|parent| stages.get(parent));
    }
    None
}

fn name(stage: &Stage<'_>, set: &Instruction) -> String {
    let text = set.text.text.trim();
    stage.variables.replace(text, '\\').unwrap_or_else(|| text.to_owned())
}

/// The user of the image, where it sets one.
pub(super) fn user(stages: &[Stage<'_>]) -> Option<String> {
    last(stages).map(|(stage, set)| name(stage, set))
}

/// What there is to say of the image's user.
pub(super) fn of_image(file: &str, stages: &[Stage<'_>]) -> Option<Finding> {
    let image = stages.last()?;
    let (severity, line, message) = match last(stages) {
        Some((stage, set)) => {
            let name = name(stage, set);
            let user = name.split(':').next().unwrap_or_default();
            if !matches!(user, "root" | "0") {
                return None;
            }
            (Severity::Medium, set.line, "programs of the image run as root".to_owned())
        }
        None if image.base == "scratch" => {
            (Severity::Low, image.from.line, "no USER is set, so programs of the image run as root".to_owned())
        }
        None => (
            Severity::Low,
            image.from.line,
            "no USER is set: the base image decides, and most run programs as root".to_owned(),
        ),
    };
    let mut finding = told(Told {
        rule: &META,
        severity,
        confidence: if severity == Severity::Medium { Confidence::High } else { Confidence::Medium },
        location: &Location { line: Some(line), ..Location::file(file) },
        message: &message,
        subject: Some("USER"),
        evidence: None,
        next_step: "End with a USER that is not root, and give it the folders that it writes to.".to_owned(),
    });
    finding.persona = Persona::Reviewer;
    Some(finding)
}
