//! Public advisories about the formats read here, each a test named after it: the file it describes, inert and made
//! here, is denied, by the rule that should see it. `grep` for the advisory's number finds its test.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod build;
mod callables;
mod containers;
mod machine;
mod numbers;
mod texts;

use waag_engine::scan::scan_bytes;
use waag_evidence::verdict::Decision;

/// The file is denied, and the rule is among those that say something.
#[track_caller]
fn denied(name: &str, bytes: Vec<u8>, rule: &str) {
    let shown = bytes[..bytes.len().min(200)].escape_ascii().to_string();
    let report = scan_bytes(name, bytes);
    let said: Vec<String> = report
        .findings
        .iter()
        .map(|finding| format!("[{}] {} {}", finding.rule, finding.location.path(), finding.message))
        .collect();
    assert_eq!(report.verdict.decision, Decision::Deny, "{name}: {shown}\n{said:#?}");
    assert!(report.findings.iter().any(|finding| finding.rule == rule), "{name} without {rule}: {shown}\n{said:#?}");
}
