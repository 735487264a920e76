//! `image-package-index`.

use waag_engine::rules::Meta;
use waag_evidence::{Confidence, Finding, Persona, Severity};

use super::read::Scene;
use super::stage::Stage;
use super::variables::pairs;
use crate::telling::{Told, told, without_login};

pub(super) static META: Meta = Meta {
    id: "image-package-index",
    title: "packages of an image that come from another index",
    page: include_str!("image_package_index.md"),
};

/// Hosts of indexes that are well known: the packages that matter there are their own.
const KNOWN: &[&str] = &[
    "pypi.org",
    "files.pythonhosted.org",
    "download.pytorch.org",
    "pypi.nvidia.com",
    "storage.googleapis.com/jax-releases",
];
/// Variables that installers read.
const VARIABLES: &[(&str, &str)] = &[
    ("PIP_INDEX_URL", "--index-url"),
    ("PIP_EXTRA_INDEX_URL", "--extra-index-url"),
    ("PIP_FIND_LINKS", "--find-links"),
    ("PIP_TRUSTED_HOST", "--trusted-host"),
    ("UV_INDEX_URL", "--index-url"),
    ("UV_DEFAULT_INDEX", "--index-url"),
    ("UV_INDEX", "--extra-index-url"),
    ("UV_EXTRA_INDEX_URL", "--extra-index-url"),
    ("UV_FIND_LINKS", "--find-links"),
    ("UV_INSECURE_HOST", "--trusted-host"),
];

/// Indexes that a stage sets for all its commands: what they are, the address, the line.
pub(super) fn set(stage: &Stage<'_>) -> Vec<(&'static str, String, u64)> {
    let mut all = Vec::new();
    for one in stage.instructions.iter().filter(|one| matches!(one.keyword.as_str(), "ENV" | "ARG")) {
        for (name, value) in pairs(&one.text.text) {
            let option = VARIABLES.iter().find(|(variable, _)| *variable == name).map(|(_, option)| *option);
            let value = value.and_then(|value| stage.variables.replace(&value, '\\')).filter(|value| !value.is_empty());
            if let (Some(option), Some(value)) = (option, value) {
                all.extend(value.split_whitespace().map(|value| (option, value.to_owned(), one.line)));
            }
        }
    }
    all
}

/// What there is to say of a stage's indexes.
pub(super) fn of_stage(scene: &Scene<'_>) -> Vec<Finding> {
    let named = scene
        .installs
        .indexes
        .iter()
        .map(|(option, url, location)| (option.clone(), url.clone(), location.line.unwrap_or(0)));
    let set = set(scene.stage).into_iter().map(|(option, url, line)| (option.to_owned(), url, line));
    let mut all: Vec<(String, String, u64)> = named.chain(set).collect();
    all.dedup();
    all.iter().filter_map(|(option, url, line)| finding(scene, option, url, *line)).collect()
}

fn finding(scene: &Scene<'_>, option: &str, url: &str, line: u64) -> Option<Finding> {
    let shown = without_login(url);
    let is_known = KNOWN.iter().any(|host| {
        shown.split_once("://").is_some_and(|(_, rest)| {
            rest.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    });
    let (severity, message) = match option {
        "--trusted-host" | "--allow-insecure-host" => {
            (Severity::High, format!("packages of {shown} are taken from whoever answers in its name"))
        }
        _ if url.starts_with("http://") => (
            Severity::High,
            format!("packages are fetched from {shown} without encryption, so anyone on the way can replace them"),
        ),
        _ if is_known || !url.contains("://") || url.contains('$') => return None,
        "--extra-index-url" | "--index" => (
            Severity::Medium,
            format!("{shown} is asked beside the usual index: whichever has the higher version of a name is taken"),
        ),
        _ => (Severity::Low, format!("packages come from {shown} instead of the usual index")),
    };
    let severity = if scene.stage.is_final || severity < Severity::High { severity } else { Severity::Medium };
    let next_step = if severity >= Severity::Medium && !url.starts_with("http://") && option.contains("index") {
        "Let one index have everything, or pin packages of it with hashes (--require-hashes)."
    } else if severity >= Severity::Medium {
        "Use https with a certificate that can be verified."
    } else {
        "Make sure that this index is meant, and pin what comes from it with hashes."
    };
    let mut finding = told(Told {
        rule: &META,
        severity,
        confidence: Confidence::High,
        location: &scene.at(line),
        message: &format!("{message}{}", scene.aside()),
        subject: Some(&shown),
        evidence: None,
        next_step: next_step.to_owned(),
    });
    if severity < Severity::High {
        finding.persona = Persona::Reviewer;
    }
    Some(finding)
}
