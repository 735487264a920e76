//! Every check of the rooms has a page, and the case on it gives the findings that it says.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::Date;
use waag_engine::rules::Meta;
use waag_evidence::{Dependency, DependencySource, Ecosystem, Finding, Location, Severity, Standing};

use crate::stack::{Project, Statement};
use crate::{advisories, image, stack};

const HEADINGS: &[&str] =
    &["## What it reports", "## Why it matters", "## What to do", "## When it is acceptable", "## Case"];

fn rooms() -> [(&'static str, &'static [&'static Meta]); 3] {
    [("stack", stack::RULES), ("advisories", advisories::RULES), ("image", image::RULES)]
}

#[test]
fn every_page_has_a_summary_and_the_headings_in_order() {
    for Meta { id, page, .. } in rooms().iter().flat_map(|(_, rules)| rules.iter()) {
        let mut lines = page.lines();
        assert_eq!(lines.next(), Some(format!("# {id}").as_str()));
        let summary = lines.find(|line| !line.is_empty()).unwrap_or_default();
        assert!(summary.ends_with('.') && !summary.starts_with('#'), "{id}: one sentence below the title");
        let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, HEADINGS, "{id}");
        let (_, snippet) = page.split_once("```toml\n").unwrap();
        let policy: waag_evidence::Policy = toml::from_str(snippet.split_once("```").unwrap().0).unwrap();
        assert_eq!(policy.exceptions[0].about(), *id);
    }
}

#[test]
fn every_page_is_registered() {
    for (room, rules) in rooms() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let pages: BTreeSet<String> =
            names.filter_map(|name| Some(name.strip_suffix(".md")?.replace('_', "-"))).collect();
        let ids: BTreeSet<String> = rules.iter().map(|rule| rule.id.to_owned()).collect();
        assert_eq!(pages, ids, "{room}");
    }
}

#[test]
fn the_case_on_every_page_gives_its_findings() {
    for Meta { id, page, .. } in rooms().iter().flat_map(|(_, rules)| rules.iter()) {
        let (_, rest) = page.split_once("```project\n").unwrap();
        let (project, rest) = rest.split_once("\n```").unwrap();
        let (_, rest) = rest.split_once("```findings\n").unwrap();
        let (expected, _) = rest.split_once("\n```").unwrap();
        let findings = judge(project);
        let told: Vec<String> = findings.iter().filter(|one| one.rule == *id).map(told).collect();
        assert_eq!(told.join("\n"), expected, "{id}");
    }
}

fn told(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    };
    let line = finding.location.line.map(|line| format!(":{line}")).unwrap_or_default();
    format!("{severity}[{}] {}{line}: {}", finding.rule, finding.location.file, finding.message)
}

/// What the three rooms make of a project; of requirements as much is read here as the pages need.
fn judge(project: &str) -> Vec<Finding> {
    let (mut dependencies, mut indexes, mut images, mut findings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for part in project.split("--- ").filter(|part| !part.is_empty()) {
        let (file, text) = part.split_once('\n').unwrap();
        if image::is_read(file) {
            let (described, found) = image::read_text(file, text);
            images.extend(described.images());
            indexes.extend(described.indexes.clone());
            dependencies.extend(described.packages);
            findings.extend(found);
            continue;
        }
        for (line, text) in (1..).zip(text.lines()) {
            let location = Location { line: Some(line), ..Location::file(file) };
            match text.strip_prefix("--extra-index-url ") {
                Some(url) => indexes.push(Statement { text: url.to_owned(), location, group: None }),
                None => dependencies.push(requirement(text, location)),
            }
        }
    }
    let project = Project { dependencies: &dependencies, indexes: &indexes, images: &images, ..Project::default() };
    findings.extend(stack::examine(&project).1);
    findings.extend(advisories::examine(&dependencies, None, Date::new(2026, 11, 27).unwrap(), None).1);
    findings
}

fn requirement(text: &str, location: Location) -> Dependency {
    let (name, constraint) = text.split_at(text.find(['=', '<', '>']).unwrap_or(text.len()));
    Dependency {
        ecosystem: Ecosystem::Pypi,
        name: name.to_owned(),
        written: name.to_owned(),
        constraint: Some(constraint.to_owned()).filter(|text| !text.is_empty()),
        version: constraint.strip_prefix("==").map(str::to_owned),
        extras: Vec::new(),
        marker: None,
        source: DependencySource::Index { url: None },
        digests: Vec::new(),
        standing: Standing::Declared,
        group: None,
        requires: Vec::new(),
        location,
    }
}
