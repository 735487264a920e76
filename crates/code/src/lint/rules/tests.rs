//! Every rule has a page, and every page's cases give what it says. `WAAG_BLESS=1` rewrites the pages; the difference is
//! then for a person to judge.
//!
//! A case is one or more fenced blocks, each a language and the name of a file, and then a block `findings`.

use std::collections::BTreeSet;
use std::path::Path;

use waag_evidence::Finding;
use waag_evidence::finding::Nature;

use super::super::{Options, examine};
use super::{ALL, RULES};

const HEADINGS: &[&str] =
    &["## What it reports", "## Why it matters", "## What to do", "## When it is acceptable", "## Case"];

#[test]
fn rules_are_registered_with_their_pages() {
    let ids: Vec<&str> = RULES.iter().map(|meta| meta.id).collect();
    assert_eq!(ids, ALL.iter().map(|rule| rule.meta().id).collect::<Vec<_>>());
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lint/rules")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if !["mod", "tests"].contains(&stem.as_str()) {
            files.insert((stem, path.extension().unwrap().to_str().unwrap().to_owned()));
        }
    }
    let both = |id: &&str| ["md", "rs"].map(|kind| (id.replace('-', "_"), kind.to_owned()));
    assert_eq!(files, ids.iter().flat_map(both).collect());
    let taken: BTreeSet<&str> = waag_engine::rules::RULES.iter().map(|rule| rule.meta().id).collect();
    assert!(ids.iter().all(|id| !taken.contains(id)), "an id means one thing");
}

#[test]
fn pages_have_a_summary_headings_in_order_and_an_exception() {
    for meta in RULES {
        let mut lines = meta.page.lines();
        assert_eq!(lines.next(), Some(format!("# {}", meta.id).as_str()));
        let summary = lines.find(|line| !line.is_empty()).unwrap();
        assert!(summary.ends_with('.') && !summary.starts_with('#'), "{}", meta.id);
        let headings: Vec<&str> = meta.page.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, HEADINGS, "{}", meta.id);
        let (_, snippet) = meta.page.split_once("```toml\n").unwrap();
        let policy: waag_evidence::Policy = toml::from_str(snippet.split_once("```").unwrap().0).unwrap();
        assert_eq!(policy.exceptions[0].about(), meta.id);
        // What waag says is as long as it is.
        let prose = meta.page.split("```").step_by(2);
        assert!(prose.flat_map(str::lines).all(|line| line.len() < 140), "{}", meta.id);
    }
}

#[test]
fn every_case_gives_the_findings_of_its_page() {
    let is_blessed = std::env::var_os("WAAG_BLESS").is_some_and(|value| value == "1");
    let mut failures = Vec::new();
    for meta in RULES {
        let actual = run(meta.page);
        assert!(
            actual.contains(&format!("[{}]", meta.id)),
            "{}: no case gives a finding of this rule\n{actual}",
            meta.id
        );
        if actual != meta.page && is_blessed {
            let name = format!("src/lint/rules/{}.md", meta.id.replace('-', "_"));
            std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), actual).unwrap();
        } else if actual != meta.page {
            failures.push(format!("{}:\n{}", meta.id, actual.split_once("## Case").unwrap().1));
        }
    }
    assert!(failures.is_empty(), "WAAG_BLESS=1 rewrites the pages\n\n{}", failures.join("\n"));
}

/// The page as it should be.
fn run(page: &str) -> String {
    let (head, cases) = page.split_once("## Case").unwrap();
    let mut actual = format!("{head}## Case");
    let mut files: Vec<(&str, String)> = Vec::new();
    for (index, part) in cases.split("```").enumerate() {
        let is_block = index % 2 == 1;
        match part.split_once('\n').filter(|_| is_block) {
            Some(("findings", _)) => actual += &format!("```findings\n{}```", findings(&std::mem::take(&mut files))),
            Some((kind, text)) => {
                let name = kind.split_once(' ').unwrap().1;
                // No page can show a real token: scanners of repositories would be right to complain.
                files.push((name, text.replace("@@@@", "qWzRtKpLxVbNmJhGfDsAyUiOeCkTzPwQrL")));
                actual += &format!("```{part}```");
            }
            None => actual += part,
        }
    }
    actual
}

fn findings(files: &[(&str, String)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let found = examine(&[folder.path().to_owned()], &Options::default()).unwrap().findings;
    found.iter().map(|finding| line(finding, folder.path())).collect()
}

fn line(finding: &Finding, folder: &Path) -> String {
    let severity = match finding.nature {
        Nature::Incomplete => "incomplete".to_owned(),
        Nature::Risk => serde_json::to_string(&finding.severity).unwrap().replace('"', ""),
    };
    let path = finding.location.path().replace(&format!("{}/", folder.display()), "");
    format!("{severity}[{}] {path} @ line {}: {}\n", finding.rule, finding.location.line.unwrap(), finding.message)
}
