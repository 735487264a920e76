//! What must hold of files that name packages or describe images, whatever the bytes are: reading ends, says the same each time,
//! keeps within its bounds, and tells what it did not understand.

use waag_code::dependencies::{Reading, examine_bytes};
use waag_code::image;
use waag_evidence::{Finding, Severity};

/// Names that choose a reader: of an input, the first byte says which, and the rest is the file.
pub const NAMES: [&str; 18] = [
    "requirements.txt",
    "constraints.txt",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "Pipfile",
    "environment.yml",
    "python_env.yaml",
    ".python-version",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "pylock.toml",
    "Pipfile.lock",
    "conda-lock.yml",
    "conda-linux-64.lock",
    "Dockerfile",
    "compose.yaml",
];
/// Entries that a file may give.
const MAX_ENTRIES: usize = 100_000;
/// Findings: those of each rule, the rest folded.
const MAX_FINDINGS: usize = 2_000;

/// The file that an input is.
pub fn chosen(data: &[u8]) -> Option<(&'static str, &[u8])> {
    let (choice, bytes) = data.split_first()?;
    Some((NAMES[usize::from(*choice) % NAMES.len()], bytes))
}

/// Reads bytes as the file that the first of them chooses.
pub fn dependencies(data: &[u8]) {
    let Some((name, bytes)) = chosen(data) else { return };
    if image::is_read(name) {
        return described(name, bytes);
    }
    let read = || examine_bytes(name, bytes);
    let Some(reading) = read() else { panic!("'{name}' names packages") };
    within_bounds(&reading, bytes);
    reading.findings.iter().for_each(told_well);
    let is_told = reading.findings.iter().any(|finding| finding.severity >= Severity::Medium);
    assert!(is_told || reading.files.iter().all(|file| file.complete), "what was not understood is said");
    let again = read().map(|again| (again.dependencies, again.findings));
    assert_eq!(again, Some((reading.dependencies, reading.findings)), "the same bytes give the same");
}

fn within_bounds(reading: &Reading, bytes: &[u8]) {
    assert!(reading.dependencies.len() <= MAX_ENTRIES && reading.findings.len() <= MAX_FINDINGS);
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    for dependency in &reading.dependencies {
        // UTF-16 has ends of lines that these bytes do not show.
        let line = dependency.location.line.unwrap_or(1);
        assert!(line > 0 && (line <= lines || bytes.contains(&0)), "line {line} of {lines}");
    }
}

fn described(name: &str, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (image, findings) = image::read_text(name, text);
    findings.iter().for_each(told_well);
    assert!(image.packages.len() <= MAX_ENTRIES && findings.len() <= MAX_FINDINGS);
    assert!(
        image.bases.iter().all(|base| !base.by_digest || base.name.contains('@') || base.open),
        "{:?}",
        image.bases
    );
    assert_eq!(image::read_text(name, text), (image, findings), "the same text gives the same");
}

fn told_well(finding: &Finding) {
    assert!(finding.location.line.is_none_or(|line| line > 0), "lines are counted from 1");
    let texts = [Some(&finding.message), finding.evidence.as_ref(), finding.subject.as_ref(), Some(&finding.next_step)];
    for text in texts.into_iter().flatten() {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    }
    assert!(!finding.message.is_empty() && !finding.message.contains('\n'), "a message is one line");
}
