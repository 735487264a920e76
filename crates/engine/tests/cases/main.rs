//! Runs the case on every rule's page: assembles its input, scans it, and compares what is found with what the page
//! says. `WAAG_BLESS=1` rewrites the pages instead; the difference is then for a person to judge.
//!
//! A case is a fenced block whose fence says what the input is and, optionally, the file's name, and after it a block
//! `findings` with one line for each: `severity[rule] path @ offset: message`, in the order of the report. Inputs are
//! `project` (files below lines `--- NAME`), `pickle-assembly`, `zip`, `safetensors-header`, `gguf`, `jinja`, `json`, `text NAME` and `hex NAME`; how each is
//! written stands at the top of its file in `waag-testkit`.

mod page;

use std::path::Path;

use waag_engine::lock::ProjectLock;
use waag_engine::rules::RULES;
use waag_engine::scan::{Options, Silent, scan_bytes, scan_paths};
use waag_engine::settings::Settings;
use waag_evidence::finding::{Finding, Nature};
use waag_testkit::assemble;

use page::Case;

#[test]
fn every_case_gives_the_findings_of_its_page() {
    let is_blessed = std::env::var_os("WAAG_BLESS").is_some_and(|value| value == "1");
    let mut failures = Vec::new();
    for rule in RULES {
        let meta = rule.meta();
        match run(meta.id, meta.page) {
            Err(error) => failures.push(format!("{}: {error}", meta.id)),
            Ok(actual) if actual == meta.page => {}
            Ok(actual) if is_blessed => write(meta.id, &actual).unwrap(),
            Ok(actual) => failures.push(format!("{}: {}", meta.id, difference(meta.page, &actual))),
        }
    }
    assert!(
        failures.is_empty(),
        "{} cases differ from their pages; WAAG_BLESS=1 rewrites the pages\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

/// The page as it should be: with what is really found in place of what it says.
fn run(id: &str, page: &str) -> Result<String, String> {
    let cases = page::cases(page)?;
    let mut actual = page.to_owned();
    let mut seen = Vec::new();
    for case in cases.iter().rev() {
        let findings = match case.kind {
            "project" => project(case.input).map_err(|error| error.to_string())?,
            kind => {
                let input = assemble(kind, case.input)?;
                scan_bytes(&input.name, input.bytes).findings
            }
        };
        actual.replace_range(case.expected.clone(), &render_all(&findings));
        seen.extend(findings);
    }
    // Blessing must not turn a page into one that shows nothing of its own rule.
    if seen.iter().any(|finding| finding.rule == id) {
        Ok(actual)
    } else {
        Err(format!("no case gives a finding of this rule; what is found is\n{}", render_all(&seen)))
    }
}

/// A folder with a settings file and a lock, each file below a line `--- NAME`; paths are told from the folder on.
fn project(input: &str) -> Result<Vec<Finding>, Box<dyn std::error::Error>> {
    let root = tempfile::tempdir()?;
    for part in input.split("--- ").skip(1) {
        let (name, text) = part.split_once('\n').ok_or("a file has no name")?;
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(root.path()))?;
        std::fs::write(path, text)?;
    }
    let settings = Settings::load(&root.path().join("waag.toml"))?;
    let lock = ProjectLock::load(root.path())?;
    let options = Options { settings, lock, ..Options::default() };
    let mut findings = scan_paths(&[root.path().to_owned()], &options, &Silent)?.findings;
    for finding in &mut findings {
        let file = std::mem::take(&mut finding.location.file);
        finding.location.file = Path::new(&file).strip_prefix(root.path())?.display().to_string();
    }
    Ok(findings)
}

fn render_all(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{}\n", render(finding))).collect()
}

/// A finding on one line: `severity[rule] path @ offset: message`.
fn render(finding: &Finding) -> String {
    let severity = match finding.nature {
        Nature::Incomplete => "incomplete".to_owned(),
        Nature::Risk => serde_json::to_string(&finding.severity).unwrap_or_default().replace('"', ""),
    };
    let location = &finding.location;
    let place = match (location.offset, location.line) {
        (Some(offset), _) => format!(" @ {offset}"),
        (None, Some(line)) => format!(" @ line {line}"),
        (None, None) => String::new(),
    };
    let path = waag_engine::sanitize::sanitize(&location.path());
    format!("{severity}[{}] {path}{place}: {}", finding.rule, finding.message)
}

fn difference(expected: &str, actual: &str) -> String {
    let findings = |page: &str| -> String {
        let cases = page::cases(page).unwrap_or_default();
        cases.iter().map(|case: &Case<'_>| &page[case.expected.clone()]).collect()
    };
    format!("the page says\n{}and what is found is\n{}", findings(expected), findings(actual))
}

fn write(id: &str, page: &str) -> std::io::Result<()> {
    let name = format!("src/rules/{}.md", id.replace('-', "_"));
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), page)
}

#[test]
fn every_input_can_be_assembled() {
    for rule in RULES {
        let cases = page::cases(rule.meta().page).unwrap();
        assert!(!cases.is_empty(), "{}", rule.meta().id);
        for case in cases.iter().filter(|case| case.kind != "project") {
            let input = assemble(case.kind, case.input).unwrap();
            assert!(!input.bytes.is_empty(), "{}", rule.meta().id);
        }
    }
}

#[test]
fn a_finding_is_one_line() {
    let mut finding = Finding {
        rule: "code-execution".into(),
        nature: Nature::Risk,
        severity: waag_evidence::Severity::Critical,
        confidence: waag_evidence::Confidence::High,
        persona: waag_evidence::Persona::Everyone,
        location: waag_evidence::Location::file("model.pt"),
        message: "runs a shell command".into(),
        subject: None,
        evidence: None,
        next_step: String::new(),
        count: 1,
    };
    assert_eq!(render(&finding), "critical[code-execution] model.pt: runs a shell command");
    finding.location.members.push("archive/data.pkl".into());
    finding.location.offset = Some(7);
    finding.nature = Nature::Incomplete;
    assert_eq!(render(&finding), "incomplete[code-execution] model.pt » archive/data.pkl @ 7: runs a shell command");
}
