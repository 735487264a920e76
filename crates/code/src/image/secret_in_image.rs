//! `secret-in-image`.

use waag_engine::rules::Meta;
use waag_evidence::{Confidence, Finding, Severity};
use waag_formats::secrets;

use super::instruction::{Instruction, Text};
use super::read::Scene;
use super::variables::pairs_at;
use crate::telling::{Told, told};

pub(super) static META: Meta = Meta {
    id: "secret-in-image",
    title: "a credential in the description of an image",
    page: include_str!("secret_in_image.md"),
};

/// How names end that hold a credential.
const ENDINGS: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "SECRET_KEY",
    "PRIVATE_KEY",
    "AUTH_KEY",
    "CREDENTIALS",
    "CREDENTIAL",
];
/// What stands before `_TOKEN` where that is a mark in a text, and no credential.
const MARKS: &[&str] = &["PAD", "EOS", "BOS", "UNK", "SEP", "CLS", "MASK", "STOP"];
/// Credentials of one text that are told.
const MAX_TOLD: usize = 8;
const NEXT: &str =
    "Take it out, and exchange it: whoever has the image can read it. For building, mount it: RUN --mount=type=secret.";

/// What there is to say of a stage's credentials. Their values are told nowhere.
pub(super) fn of_stage(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in scene.stage.instructions {
        match one.keyword.as_str() {
            "ENV" | "ARG" => {
                findings.extend(settings(scene, one));
                findings.extend(addresses(scene, &one.text));
            }
            _ => findings.extend(texts(scene, &one.text)),
        }
        one.documents.iter().for_each(|document| findings.extend(texts(scene, document)));
    }
    findings
}

fn settings(scene: &Scene<'_>, one: &Instruction) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, name, value) in pairs_at(&one.text.text) {
        let value = value.unwrap_or_default();
        let kind = secrets::kinds(&value, 1).first().map(|(kind, _)| *kind);
        let line = one.text.line_at(at);
        let is_argument = one.keyword == "ARG";
        let (severity, message) = match kind {
            Some(kind) => (Severity::High, format!("{name} holds {kind}")),
            None if !tells_secret(&name) => continue,
            None if is_literal(&value) => {
                (Severity::Medium, format!("{name} is given a value in the description of the image"))
            }
            None if !is_argument && value.contains('$') => {
                (Severity::Medium, format!("{name} is kept in the image's environment, for whoever has it"))
            }
            None if is_argument && value.is_empty() => (
                Severity::Medium,
                format!("{name} is given as an argument of the build, which the image's history keeps"),
            ),
            None => continue,
        };
        let confidence = if kind.is_some() { Confidence::High } else { Confidence::Medium };
        findings.push(finding(scene, line, severity, confidence, &message, &name));
    }
    findings
}

/// Credentials that are told by how they look.
fn texts(scene: &Scene<'_>, text: &Text) -> Vec<Finding> {
    let found = secrets::kinds(&text.text, MAX_TOLD);
    let mut findings: Vec<Finding> = found
        .into_iter()
        .map(|(kind, at)| {
            finding(scene, text.line_at(at), Severity::High, Confidence::High, &format!("a command holds {kind}"), kind)
        })
        .collect();
    findings.extend(addresses(scene, text));
    findings
}

/// Passwords in addresses.
fn addresses(scene: &Scene<'_>, text: &Text) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, _) in text.text.match_indices("://").take(1000) {
        if has_password(&text.text[at + 3..]) {
            let message = "an address holds a name and a password";
            findings.push(finding(scene, text.line_at(at), Severity::High, Confidence::Medium, message, "address"));
        }
    }
    findings
}

/// `user:password@host`, written out and not as variables.
fn has_password(rest: &str) -> bool {
    let end = rest.find(|c: char| c == '/' || c.is_whitespace() || c == '"' || c == '\'').unwrap_or(rest.len());
    let Some((login, _)) = rest[..end].rsplit_once('@') else { return false };
    login.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !password.contains(['$', '<', '{']))
}

fn tells_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let is_mark =
        name.strip_suffix("_TOKEN").and_then(|rest| rest.rsplit('_').next()).is_some_and(|word| MARKS.contains(&word));
    let ends = |ending: &str| name.strip_suffix(ending).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'));
    // `S3_NO_CREDENTIALS` says that there are none.
    let is_denied = name.starts_with("NO_") || name.contains("_NO_");
    !is_mark && !is_denied && ENDINGS.iter().any(|ending| ends(ending))
}

/// A value of its own: no switch, number, path, variable or place to be filled.
fn is_literal(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let is_switch = matches!(lower.as_str(), "" | "true" | "false" | "none" | "null" | "yes" | "no" | "0" | "1");
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let is_file = [".json", ".pem", ".key"].iter().any(|ending| lower.ends_with(ending));
    let is_elsewhere =
        is_file || value.contains(['$', '<', '/', '{']) || lower.contains("your") || lower.contains("xxx");
    !is_switch && !is_number && !is_elsewhere
}

fn finding(
    scene: &Scene<'_>,
    line: u64,
    severity: Severity,
    confidence: Confidence,
    message: &str,
    subject: &str,
) -> Finding {
    // A credential of an earlier stage stays in the cache of whoever builds, and not in the image.
    let severity = if scene.stage.is_final { severity } else { Severity::Medium };
    told(Told {
        rule: &META,
        severity,
        confidence,
        location: &scene.at(line),
        message: &format!("{message}{}", scene.aside()),
        subject: Some(subject),
        evidence: None,
        next_step: NEXT.to_owned(),
    })
}
