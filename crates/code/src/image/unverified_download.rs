//! `unverified-download`.

use std::collections::BTreeSet;

use waag_engine::rules::Meta;
use waag_evidence::{Confidence, Finding, Persona, Severity};

use super::instruction::Instruction;
use super::read::{Scene, Script};
use super::shell::{Command, SHELLS, Word};
use crate::telling::{Told, told, without_login};

pub(super) static META: Meta = Meta {
    id: "unverified-download",
    title: "a download into an image that nothing verifies",
    page: include_str!("unverified_download.md"),
};

/// Programs that carry out what they are given, beside shells.
const INTERPRETERS: &[&str] = &["python", "python3", "perl", "ruby", "node"];
/// Programs that verify what was fetched.
const VERIFIERS: &[&str] =
    &["sha256sum", "sha512sum", "sha1sum", "shasum", "b2sum", "gpg", "gpgv", "cosign", "openssl", "minisign"];

/// What there is to say of a stage's downloads.
pub(super) fn of_stage(scene: &Scene<'_>, escape: char) -> Vec<Finding> {
    let added = scene.stage.instructions.iter().filter(|one| one.keyword == "ADD");
    let mut findings: Vec<Finding> = added.flat_map(|one| self::added(scene, one, escape)).collect();
    scene.scripts.iter().for_each(|script| findings.extend(fetched(scene, script)));
    findings
}

/// `ADD` with an address.
fn added(scene: &Scene<'_>, one: &Instruction, escape: char) -> Vec<Finding> {
    if one.option("checksum").is_some() {
        return Vec::new();
    }
    let words = one.json().unwrap_or_else(|| one.text.text.split_whitespace().map(str::to_owned).collect());
    let sources = words.split_last().map(|(_, sources)| sources.to_vec()).unwrap_or_default();
    let replaced =
        sources.iter().map(|word| scene.stage.variables.replace(word, escape).unwrap_or_else(|| word.clone()));
    let remote: Vec<String> =
        replaced.filter(|word| ["http://", "https://", "git@"].iter().any(|start| word.starts_with(start))).collect();
    let each = remote.into_iter().filter(|url| !is_commit(url)).map(|url| {
        let message = format!("ADD fetches {} without a checksum{}", without_login(&url), scene.aside());
        finding(
            scene,
            one.line,
            Severity::Medium,
            &message,
            &without_login(&url),
            "Give its digest: ADD --checksum=sha256:...",
        )
    });
    each.collect()
}

/// A repository at a commit.
fn is_commit(url: &str) -> bool {
    let is_digest = |text: &str| text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    url.contains(".git")
        && url.rsplit_once('#').is_some_and(|(_, reference)| is_digest(reference.split(':').next().unwrap_or_default()))
}

fn fetched(scene: &Scene<'_>, script: &Script) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_verified =
        script.commands.iter().any(|command| program(command).is_some_and(|name| VERIFIERS.contains(&name)));
    let carried_out = carried_out(&script.commands);
    for (index, command) in script.commands.iter().enumerate() {
        let Some((url, word)) = download(command) else { continue };
        let line = if script.text.text.is_empty() { script.line } else { script.text.line_at(word.at) };
        let shown = without_login(&url);
        if carried_out.contains(&index) {
            let severity = if scene.stage.is_final { Severity::High } else { Severity::Medium };
            let message = format!("what {shown} answers is carried out at once{}", scene.aside());
            let next = "Fetch a release of a fixed version to a file, compare its digest, and run it then.";
            findings.push(finding(scene, line, severity, &message, &shown, next));
        } else if !is_verified && !is_listing(command) {
            let message = format!("{shown} is fetched, and nothing verifies what came{}", scene.aside());
            let next = "Compare its digest in the same RUN: echo '...  file' | sha256sum --check.";
            let mut finding = finding(scene, line, Severity::Low, &message, &shown, next);
            finding.persona = Persona::Reviewer;
            findings.push(finding);
        }
    }
    findings
}

/// Downloads whose answer an interpreter carries out: at the end of the pipe, in `<(...)`, or in `$(...)` after `-c` or `eval`.
fn carried_out(commands: &[Command]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut first = 0;
    for (index, command) in commands.iter().enumerate() {
        let is_run = program(command).is_some_and(is_interpreter);
        if is_run && index > first && reads_program(command) {
            found.extend(first..index);
            first = index;
        }
        let last = command.proper().last().map(|word| word.text.as_str()).unwrap_or_default();
        let takes_process = is_run && last == "<";
        let takes_output = last.ends_with("$(") && (is_run || program(command) == Some("eval"));
        if takes_process || takes_output {
            found.insert(index + 1);
        }
        if !command.is_piped {
            first = index + 1;
        }
    }
    found
}

/// Whether an interpreter carries out what it is given as input: unless a script or a file is named, its input is data.
fn reads_program(command: &Command) -> bool {
    let name = program(command).unwrap_or_default();
    let mut words = command.proper().iter().skip(1);
    while let Some(word) = words.next() {
        let text = word.text.as_str();
        if matches!(text, "-" | "-s" | "/dev/stdin") {
            return true;
        }
        if text.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['<', '>']) {
            // A redirection, and where it leads.
            if text.ends_with(['<', '>']) {
                words.next();
            }
        } else if !text.starts_with('-') || gives_program(name, text) {
            return false;
        } else if has_value(name, text) {
            words.next();
        }
    }
    true
}

/// Whether an option says that the program follows.
fn gives_program(name: &str, option: &str) -> bool {
    let letters = option.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
    let has = |wanted: &[char]| letters.is_some_and(|letters| letters.contains(wanted));
    match name {
        _ if SHELLS.contains(&name) => has(&['c']),
        "perl" | "ruby" => has(&['e', 'E']),
        "node" => has(&['e', 'p']) || matches!(option, "--eval" | "--print"),
        _ => has(&['c', 'm']),
    }
}

/// Whether the next word belongs to an option.
fn has_value(name: &str, option: &str) -> bool {
    match name {
        _ if SHELLS.contains(&name) => option.ends_with('o') && !option.starts_with("--"),
        _ => matches!(option, "-W" | "-X" | "-I" | "-r" | "--require"),
    }
}

fn program(command: &Command) -> Option<&str> {
    command.proper().first().map(|word| word.text.rsplit('/').next().unwrap_or_default())
}

fn is_interpreter(name: &str) -> bool {
    SHELLS.contains(&name)
        || INTERPRETERS.contains(&name)
        || name.strip_prefix("python3.").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The address that a command fetches.
fn download(command: &Command) -> Option<(String, &Word)> {
    if !matches!(program(command)?, "curl" | "wget" | "aria2c") {
        return None;
    }
    let is_address = |word: &&Word| {
        word.text.starts_with("http://") || word.text.starts_with("https://") || word.text.starts_with("ftp://")
    };
    let word = command.proper().iter().find(is_address)?;
    Some((word.text.clone(), word))
}

/// Whether a command only looks: what came is kept nowhere.
fn is_listing(command: &Command) -> bool {
    command.proper().iter().any(|word| matches!(word.text.as_str(), "-I" | "--head" | "/dev/null" | "--spider"))
}

fn finding(scene: &Scene<'_>, line: u64, severity: Severity, message: &str, subject: &str, next: &str) -> Finding {
    told(Told {
        rule: &META,
        severity,
        confidence: Confidence::High,
        location: &scene.at(line),
        message,
        subject: Some(subject),
        evidence: None,
        next_step: next.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::shell::all_commands;
    use crate::image::variables::Variables;

    /// Whether something that a script fetches is carried out.
    fn is_carried_out(script: &str) -> bool {
        let commands = all_commands(script, &Variables::default());
        carried_out(&commands).into_iter().any(|index| download(&commands[index]).is_some())
    }

    #[test]
    fn input_is_a_program_unless_another_one_is_named() {
        for script in [
            "curl https://x | sh",
            "curl https://x | bash -s -- --yes",
            "curl https://x | bash -o pipefail 2>/dev/null",
            "curl https://x | tee y | python3 -u -",
            "wget -O- https://x | sudo -u me bash",
            "bash -c \"curl https://x | bash\"",
            "eval `curl https://x`",
            "sh -c \"$(curl https://x)\"",
        ] {
            assert!(is_carried_out(script), "{script}");
        }
        for script in [
            "V=$(curl -s https://x | python3 -c \"import sys, json; print(json.load(sys.stdin))\")",
            "curl https://x | python3 -m json.tool",
            "curl https://x | python3 read.py -",
            "curl https://x | perl -ne 'print'",
            "curl https://x | bash -ec 'cat > y'",
            "curl https://x | sh install.sh",
        ] {
            assert!(!is_carried_out(script), "{script}");
        }
    }
}
