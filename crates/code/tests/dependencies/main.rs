//! Runs the case on every page of the dependency checks: writes its files, examines the folder, and compares what is found
//! with what the page says. `WAAG_BLESS=1` rewrites the pages instead; the difference is then for a person to judge.
//!
//! A case is a block `project` (files below lines `--- NAME`) and after it a block `findings` with one line for each:
//! `severity[rule] path:line: message`.

// A test may stop at what it did not expect, and reads only what it made itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod locks;

use std::path::Path;

use waag_code::dependencies::{CHECKS, examine};
use waag_evidence::Finding;
use waag_evidence::finding::Nature;

#[test]
fn every_case_gives_the_findings_of_its_page() {
    let is_blessed = std::env::var_os("WAAG_BLESS").is_some_and(|value| value == "1");
    let mut failures = Vec::new();
    for check in CHECKS {
        let meta = check.meta();
        let actual = run(meta.page);
        assert!(actual.contains(&format!("[{}]", meta.id)), "{}: no case gives a finding of this check", meta.id);
        if actual == meta.page {
            continue;
        }
        if is_blessed {
            let name = format!("src/dependencies/checks/{}.md", meta.id.replace('-', "_"));
            std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), actual).unwrap();
        } else {
            failures.push(format!("{}: what is found is\n{actual}", meta.id));
        }
    }
    assert!(failures.is_empty(), "WAAG_BLESS=1 rewrites the pages\n\n{}", failures.join("\n\n"));
}

/// The page as it should be: with what is really found in place of what it says.
fn run(page: &str) -> String {
    let (head, cases) = page.split_once("\n## Case\n").unwrap();
    let mut actual = format!("{head}\n## Case\n");
    let mut rest = cases;
    while let Some((before, after)) = rest.split_once("```project\n") {
        let (input, after) = after.split_once("```\n").unwrap();
        let (between, after) = after.split_once("```findings\n").unwrap();
        let (_, after) = after.split_once("```\n").unwrap();
        actual.push_str(&format!("{before}```project\n{input}```\n{between}```findings\n{}```\n", found(input)));
        rest = after;
    }
    actual + rest
}

fn found(input: &str) -> String {
    let root = tempfile::tempdir().unwrap();
    for part in input.split("--- ").skip(1) {
        let (name, text) = part.split_once('\n').unwrap();
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let reading = examine(root.path()).unwrap();
    let shown = reading.findings.iter().map(|finding| format!("{}\n", line(finding)));
    shown.collect::<String>().replace(&format!("{}/", root.path().display()), "")
}

fn line(finding: &Finding) -> String {
    let severity = match finding.nature {
        Nature::Incomplete => "incomplete".to_owned(),
        Nature::Risk => serde_json::to_string(&finding.severity).unwrap().replace('"', ""),
    };
    let place = finding.location.line.map(|line| format!(":{line}")).unwrap_or_default();
    format!("{severity}[{}] {}{place}: {}", finding.rule, finding.location.path(), finding.message)
}
