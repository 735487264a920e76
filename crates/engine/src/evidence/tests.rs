use std::path::Path;

use waag_evidence::gathered::SignatureState;
use waag_evidence::{Decision, Outcome};

use super::*;
use crate::hash::files_of;
use crate::report::Report;
use crate::scan::{Options, Silent, scan_paths};
use crate::settings::Settings;

/// A project with a model and a dataset.
fn project(settings: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in [("m/config.json", "{}"), ("m/README.md", "# m"), ("d.csv", "a\n1\n"), ("waag.toml", settings)]
    {
        std::fs::create_dir_all(root.path().join(name).parent().unwrap()).unwrap();
        std::fs::write(root.path().join(name), text).unwrap();
    }
    root
}

fn check(root: &Path, path: &str) -> Report {
    let settings = Settings::load(&root.join("waag.toml")).unwrap();
    let sources = Sources { store: TrustStore::new(None), ledger: None, cache: None };
    let options = Options { settings, root: Some(root.to_owned()), controls: Some(sources), ..Options::default() };
    scan_paths(&[root.join(path)], &options, &Silent).unwrap()
}

fn outcome(report: &Report, id: &str) -> Outcome {
    report.verdict.controls.iter().find(|judged| judged.id == id).unwrap().outcome
}

#[test]
fn a_file_has_the_formats_of_what_is_inside() {
    let root = project("");
    std::fs::write(root.path().join("m/a.pkl"), b"\x80\x04K\x01.").unwrap();
    let report = check(root.path(), "m");
    let pickle = report.evidence.files.iter().find(|file| file.path.ends_with("a.pkl")).unwrap();
    assert_eq!(pickle.format.as_deref(), Some("pickle"));
    assert_eq!(report.subject.files, 3);
    assert_eq!(outcome(&report, "no-untrusted-pickle"), Outcome::Fail);
    assert_eq!(report.verdict.decision, Decision::Allow, "a pickle that only builds data is allowed by default");
}

#[test]
fn findings_alone_are_judged_where_nothing_else_is_asked_for() {
    let root = project("[policy.controls]\nsignature = 'deny'");
    let settings = Settings::load(&root.path().join("waag.toml")).unwrap();
    let options = Options { settings, ..Options::default() };
    let report = scan_paths(&[root.path().join("m")], &options, &Silent).unwrap();
    assert_eq!(report.verdict.decision, Decision::Allow);
    assert_eq!(report.verdict.controls.len(), 4);
    assert_eq!(check(root.path(), "m").verdict.decision, Decision::Deny);
}

#[test]
fn a_signature_that_the_settings_name_and_that_is_gone_denies() {
    let root = project("[[model]]\npath = 'm'\nsignature = 'm.sig'");
    let report = check(root.path(), "m");
    let signature = &report.evidence.signatures[0];
    assert!(signature.declared && matches!(signature.state, SignatureState::Absent { .. }), "{signature:?}");
    assert_eq!((outcome(&report, "signature"), report.verdict.decision), (Outcome::Fail, Decision::Deny));
    // Of a part of it, nothing follows.
    let report = check(root.path(), "m/config.json");
    assert_eq!(outcome(&report, "signature"), Outcome::Unknown);
    // Where nobody says who may sign, a signature says nothing.
    std::fs::write(root.path().join("m.sig"), "{}").unwrap();
    assert_eq!(outcome(&check(root.path(), "m"), "signature"), Outcome::Unknown);
}

#[test]
fn files_and_models_are_denied_by_digest() {
    let root = project("");
    let listed = files_of(&root.path().join("m"), &[], false, None).unwrap();
    assert_eq!(listed.files.len(), 2);
    let digests = |path: &str| {
        let digests = crate::lineage::question::digests_of(&root.path().join(path), &Silent).unwrap();
        let files = digests.files.into_iter().map(|(_, file)| file);
        digests.whole.into_iter().chain(files).map(|digest| digest.text.split_once(':').unwrap().1.to_owned())
    };
    let all: Vec<String> = digests("m").collect();
    assert_eq!(all.len(), 4, "two roots and two files");
    for digest in all {
        let settings = format!("[[trust.denied]]\ndigest = '{digest}'\nreason = 'poisoned'");
        std::fs::write(root.path().join("waag.toml"), settings).unwrap();
        let report = check(root.path(), "m");
        assert_eq!((outcome(&report, "not-denied"), report.verdict.decision), (Outcome::Fail, Decision::Deny));
        assert_eq!(outcome(&check(root.path(), "d.csv"), "not-denied"), Outcome::Pass);
    }
}

#[test]
fn datasets_have_to_be_locked() {
    let root = project(
        "[[dataset]]\npath = 'd.csv'\nsource = 'https://example.org/d.csv'\n[policy]\nsources = ['https://example.org/**']",
    );
    let report = check(root.path(), "d.csv");
    assert_eq!((outcome(&report, "dataset-pinned"), report.verdict.decision), (Outcome::Fail, Decision::Inconclusive));
    assert_eq!(outcome(&report, "source-trusted"), Outcome::Unknown, "a place that is allowed, and not locked");
}
