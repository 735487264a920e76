//! `unpinned-base-image`.

use waag_engine::rules::Meta;
use waag_evidence::{Confidence, Finding, Location, Persona, Severity};

use super::Base;
use super::read::Scene;
use crate::telling::{Told, told};

pub(super) static META: Meta = Meta {
    id: "unpinned-base-image",
    title: "a base image that is not named by its digest",
    page: include_str!("unpinned_base_image.md"),
};

/// What there is to say of a stage's base image.
pub(super) fn of_stage(scene: &Scene<'_>) -> Option<Finding> {
    let stage = scene.stage;
    if stage.parent.is_some() || stage.base == "scratch" {
        return None;
    }
    finding(&stage.base, stage.is_open, scene.at(stage.from.line), &scene.aside(), stage.is_final)
}

/// What there is to say of a service's image.
pub(super) fn of_service(base: &Base) -> Option<Finding> {
    finding(&base.name, base.open, base.location.clone(), "", true)
}

fn finding(name: &str, is_open: bool, location: Location, aside: &str, is_final: bool) -> Option<Finding> {
    if name.contains("@sha256:") {
        return None;
    }
    let tag = name.rsplit('/').next().and_then(|last| last.split_once(':')).map(|(_, tag)| tag);
    let (severity, what) = match tag {
        _ if is_open => (Severity::Low, "which image is built on is given from outside".to_owned()),
        None => (
            Severity::Medium,
            format!("the base image {name} has neither digest nor tag, and is another one each time it is released"),
        ),
        Some("latest") => (Severity::Medium, format!("the base image {name} is another one each time it is released")),
        Some(_) => (Severity::Low, format!("the base image {name} is named by a tag, which can be moved")),
    };
    let severity = if is_final { severity } else { Severity::Low };
    let plain = name.split('@').next().unwrap_or_default();
    let next_step = if is_open {
        "Give the variable a default that names an image by its digest.".to_owned()
    } else {
        format!(
            "Name it by its digest: {}@sha256:..., as `docker buildx imagetools inspect {}` tells it.",
            waag_engine::sanitize::sanitize(plain),
            waag_engine::sanitize::sanitize(plain)
        )
    };
    let mut finding = told(Told {
        rule: &META,
        severity,
        confidence: Confidence::High,
        location: &location,
        message: &format!("{what}{aside}"),
        subject: Some(name),
        evidence: None,
        next_step,
    });
    finding.persona = Persona::Reviewer;
    Some(finding)
}
