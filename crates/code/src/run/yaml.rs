//! The plain `provenance.yaml` that people in the field write by hand, filled in. What is not known stays empty.

use std::fmt::Write as _;

use waag_evidence::statement::provenance::BuildType;
use waag_evidence::statement::role::Role;

use super::facts::{Facts, Input};
use super::machine;

/// The document.
pub(super) fn document(facts: &Facts) -> String {
    let mut text = String::from("# Where this model comes from, as a run was captured. Empty: not known.\n");
    model(&mut text, facts);
    list(&mut text, "base_model", &of_role(facts, &[Role::BaseModel, Role::Adapter]));
    list(&mut text, "training_data", &of_role(facts, &[Role::Dataset]));
    dependencies(&mut text, facts);
    training(&mut text, facts);
    capture(&mut text, facts);
    text
}

/// A text that every reader of YAML takes for that text: as JSON has it, without what YAML takes for the end of a line, and
/// without what terminals obey.
fn quoted(text: &str) -> String {
    escaped(&serde_json::to_string(text).unwrap_or_default())
}

fn escaped(json: &str) -> String {
    let is_odd = |letter: char| matches!(letter, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        match is_odd(letter) {
            true => _ = write!(text, "\\u{:04x}", u32::from(letter)),
            false => text.push(letter),
        }
    }
    text
}

/// A seed as a number where it is one: people write anything after `--seed`.
fn seed(text: &str) -> String {
    let is_number = !text.is_empty() && text.len() < 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.to_owned() } else { quoted(text) }
}

fn line(text: &mut String, name: &str, value: Option<String>) {
    let value = value.map(|value| format!(" {value}")).unwrap_or_default();
    let _ = writeln!(text, "{name}:{value}");
}

fn model(text: &mut String, facts: &Facts) {
    let name = facts.outputs.first().map(|output| quoted(&output.name));
    let made = match facts.build_type {
        BuildType::PrepareDataset => "dataset",
        _ => "model",
    };
    line(text, made, None);
    line(text, "  name", name);
    line(text, "  files", if facts.outputs.is_empty() { Some("[]".into()) } else { None });
    for output in &facts.outputs {
        line(text, "    - path", Some(quoted(&output.name)));
        line(text, "      sha256", output.digest.map(|digest| digest.to_string()));
    }
}

fn of_role<'a>(facts: &'a Facts, roles: &[Role]) -> Vec<&'a Input> {
    facts.inputs.iter().filter(|input| input.role.is_some_and(|role| roles.contains(&role))).collect()
}

fn list(text: &mut String, name: &str, inputs: &[&Input]) {
    if inputs.is_empty() {
        return line(text, name, None);
    }
    line(text, name, None);
    for input in inputs {
        line(text, "  - path", Some(quoted(&input.name)));
        let algorithm = if input.files.is_some() { "    dir_hash" } else { "    sha256" };
        line(text, algorithm, input.digest.map(|digest| digest.to_string()));
        if let Some(files) = input.files {
            line(text, "    files", Some(files.to_string()));
        }
        if input.changed {
            line(text, "    changed_during_run", Some("true".into()));
        }
    }
}

fn dependencies(text: &mut String, facts: &Facts) {
    line(text, "dependencies", None);
    for package in &facts.packages {
        line(text, "  - name", Some(quoted(&package.name)));
        line(text, "    version", package.version.as_deref().map(quoted));
    }
}

fn training(text: &mut String, facts: &Facts) {
    let (script, digest) = facts.script.clone().map_or((None, None), |(script, digest)| (Some(script), digest));
    let gpu = Some(machine::gpu(&facts.machine)).filter(|gpu| !gpu.is_empty());
    let seconds = facts.finished.duration_since(facts.started).as_secs_f64();
    // With a date that was set, no time passes.
    let hours = (std::env::var_os("SOURCE_DATE_EPOCH").is_none()).then(|| format!("{:.6}", seconds / 3600.0));
    line(text, "training", None);
    line(text, "  script", script.as_deref().map(quoted));
    line(text, "  script_sha256", digest.map(|digest| digest.to_string()));
    line(text, "  command", serde_json::to_string(&facts.command).ok().as_deref().map(escaped));
    line(text, "  commit", facts.commit.as_ref().map(|commit| quoted(&commit.commit)));
    line(text, "  random_seed", facts.seed.as_deref().map(seed));
    line(text, "  gpu", gpu.as_deref().map(quoted));
    line(text, "  duration_hours", hours);
}

fn capture(text: &mut String, facts: &Facts) {
    line(text, "capture", Some(quoted(if facts.observed { "observed" } else { "declared, not observed" })));
    line(text, "reproducibility", Some(quoted(facts.level.name())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_line() {
        let text = quoted("a\u{85}b\u{2028}c\u{7f}\u{9b}31m\n\"");
        assert_eq!(text, r#""a\u0085b\u2028c\u007f\u009b31m\n\"""#);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), "a\u{85}b\u{2028}c\u{7f}\u{9b}31m\n\"");
    }

    #[test]
    fn seeds_are_numbers_or_quoted() {
        assert_eq!(
            (seed("7").as_str(), seed("7\nmodel: x").as_str(), seed("").as_str()),
            ("7", r#""7\nmodel: x""#, r#""""#)
        );
    }
}
