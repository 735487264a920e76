use std::path::Path;

use waag_evidence::gathered::{Assurance, SignatureState};
use waag_evidence::{Decision, Outcome};

use super::*;
use crate::attest::provenance::Declared;
use crate::attest::seal::With;
use crate::attest::subject::Listing;
use crate::attest::{AttestError, Claim, Request};
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
    let sources = Sources { store: TrustStore::new(None), ledger: None, cache: None, examiner: None };
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

/// The digest of a folder over contents, and the one over names and contents.
fn roots(path: &Path) -> Vec<String> {
    let whole = crate::lineage::question::digests_of(path, &Silent).unwrap().whole;
    whole.into_iter().map(|digest| digest.text.split_once(':').unwrap().1.to_owned()).collect()
}

#[test]
fn a_model_that_the_project_names_is_denied_by_its_root() {
    let root = project("");
    for (hidden, found) in [(None, Outcome::Fail), (Some("m/__pycache__/x.pyc"), Outcome::Fail)] {
        if let Some(hidden) = hidden {
            std::fs::create_dir_all(root.path().join(hidden).parent().unwrap()).unwrap();
            std::fs::write(root.path().join(hidden), "x").unwrap();
        }
        for digest in roots(&root.path().join("m")) {
            let settings = format!("[[model]]\npath = 'm'\n[[trust.denied]]\ndigest = '{digest}'\nreason = 'poisoned'");
            std::fs::write(root.path().join("waag.toml"), settings).unwrap();
            assert_eq!(outcome(&check(root.path(), ""), "not-denied"), found, "{hidden:?}");
            assert_eq!(outcome(&check(root.path(), "m"), "not-denied"), found, "{hidden:?}");
        }
    }
}

#[test]
fn a_model_whose_root_cannot_be_made_is_not_known() {
    let root = project(&format!("[[trust.denied]]\ndigest = '{}'\nreason = 'poisoned'", "ab".repeat(32)));
    assert_eq!(outcome(&check(root.path(), "m"), "not-denied"), Outcome::Pass);
    std::fs::create_dir_all(root.path().join("m/__pycache__")).unwrap();
    std::os::unix::fs::symlink("/nowhere", root.path().join("m/__pycache__/x")).unwrap();
    assert_eq!(outcome(&check(root.path(), "m"), "not-denied"), Outcome::Unknown);
}

/// Signs a statement about a part of a project.
fn attest(root: &Path, subject: &str, ignored: &[&str], kind: &str, claim: Claim<'_>, output: &str) {
    let key = include_str!("../../../cli/tests/signing/private.pem");
    let key = waag_signing::key::PrivateKey::from_pem(key, None).unwrap();
    let request = Request {
        subject: &root.join(subject),
        listing: Listing { ignored: ignored.iter().map(|path| (*path).to_owned()).collect(), allow_symlinks: false },
        output: None,
        evidence: waag_evidence::statement::evidence::find(kind).unwrap(),
        claim,
    };
    let with = With::Key { key: &key, chain: &[] };
    let made = crate::attest::attest::<AttestError>(&request, with, crate::clock::now(), &Silent).unwrap();
    crate::attest::write(&root.join(output), &made.bytes).unwrap();
    std::fs::write(root.join("key.pem"), include_str!("../../../cli/tests/signing/public.pem")).unwrap();
}

/// Provenance of a step, as a person tells it.
fn declared(dependencies: Vec<crate::attest::dependency::Dependency>) -> Claim<'static> {
    let build_type = waag_evidence::statement::provenance::BuildType::FineTune;
    Claim::Provenance(Declared { build_type, builder: None, parameters: serde_json::Map::new(), dependencies })
}

/// Puts provenance of a part of a project beside the model.
fn provenance_of(root: &Path, ignored: &[&str], subject: &str) {
    attest(root, subject, ignored, "provenance", declared(Vec::new()), "m.intoto.jsonl");
}

const RELEASE: &str =
    "[[trust.signer]]\nname = 'release'\nkey = 'key.pem'\n[[trust.rule]]\nsubject = '**'\nsigners = ['release']\n";

#[test]
fn an_ancestor_that_was_judged_before_is_denied() {
    for (result, by_name, expected) in
        [("PASSED", false, Outcome::Unknown), ("FAILED", false, Outcome::Fail), ("PASSED", true, Outcome::Fail)]
    {
        let root = project(RELEASE);
        std::fs::create_dir(root.path().join("base")).unwrap();
        std::fs::write(root.path().join("base/config.json"), "{ }").unwrap();
        if by_name {
            let names = roots(&root.path().join("base")).pop().unwrap();
            let denied = format!("{RELEASE}[[trust.denied]]\ndigest = '{names}'\nreason = 'poisoned'");
            std::fs::write(root.path().join("waag.toml"), denied).unwrap();
        }
        let base = format!("base-model={}", root.path().join("base").display()).parse().unwrap();
        attest(root.path(), "m", &[], "provenance", declared(vec![base]), "made.json");
        let verdict = serde_json::json!({
            "verifier": {"id": "https://example.org/judge"}, "resourceUri": "file:base",
            "policy": {"uri": "https://example.org/policy"}, "verificationResult": result, "verifiedLevels": [result],
        });
        attest(root.path(), "base", &[], "verdict", Claim::Given(verdict), "judged.json");
        let folder = root.path().join(".waag");
        let mut ledger = crate::ledger::Ledger::create(&folder, None).unwrap();
        ledger.add(&[root.path().join("made.json"), root.path().join("judged.json")]).unwrap();
        let settings = Settings::load(&root.path().join("waag.toml")).unwrap();
        let sources = Sources { store: TrustStore::new(None), ledger: Some(folder), cache: None, examiner: None };
        let options = Options { settings, controls: Some(sources), ..Options::default() };
        let report = scan_paths(&[root.path().join("m")], &options, &Silent).unwrap();
        let ancestry = &report.evidence.ancestry;
        assert_eq!(outcome(&report, "no-ancestor-denied"), expected, "{ancestry:?}");
        let verdict = if result == "FAILED" { Decision::Deny } else { Decision::Allow };
        assert!(ancestry.nodes.iter().any(|node| node.verdict == Some(verdict)), "{ancestry:?}");
    }
}

#[test]
fn a_statement_about_a_shared_file_says_nothing_of_weights() {
    for part in ["", "[[model]]\npath = 'm'"] {
        let root = project(&format!("{RELEASE}{part}"));
        let header = r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  "#;
        let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 4]].concat();
        std::fs::write(root.path().join("m/model.safetensors"), bytes).unwrap();
        let trusted = |report: Report| report.evidence.statements.found.iter().map(|it| it.trusted).collect::<Vec<_>>();
        provenance_of(root.path(), &[], "m");
        assert_eq!(trusted(check(root.path(), "m")), [true], "{part}");
        provenance_of(root.path(), &["model.safetensors"], "m");
        assert_eq!(trusted(check(root.path(), "m")), [false], "{part}");
        provenance_of(root.path(), &[], "m/config.json");
        assert_eq!(trusted(check(root.path(), "m")), [false], "{part}");
        assert_eq!(outcome(&check(root.path(), "m"), "provenance"), Outcome::Fail);
    }
}

/// The project with a ledger of some files.
fn check_with_ledger(root: &Path, statements: &[&str]) -> Report {
    let folder = root.join(".waag");
    let mut ledger = crate::ledger::Ledger::create(&folder, None).unwrap();
    let files: Vec<_> = statements.iter().map(|name| root.join(name)).collect();
    assert!(ledger.add(&files).unwrap().refused.is_empty());
    let settings = Settings::load(&root.join("waag.toml")).unwrap();
    let sources = Sources { store: TrustStore::new(None), ledger: Some(folder), cache: None, examiner: None };
    let options = Options { settings, controls: Some(sources), ..Options::default() };
    scan_paths(&[root.join("m")], &options, &Silent).unwrap()
}

fn verdict(result: &str) -> Claim<'static> {
    Claim::Given(serde_json::json!({
        "verifier": {"id": "https://example.org/judge"}, "resourceUri": "file:m",
        "policy": {"uri": "https://example.org/policy"}, "verificationResult": result, "verifiedLevels": [result],
    }))
}

#[test]
fn whoever_is_trusted_and_says_no_of_the_model_itself_is_heard() {
    for (result, expected) in [("PASSED", Outcome::NotApplicable), ("FAILED", Outcome::Fail)] {
        let root = project(RELEASE);
        attest(root.path(), "m", &[], "verdict", verdict(result), "judged.json");
        assert_eq!(outcome(&check(root.path(), "m"), "not-denied"), Outcome::NotApplicable);
        let report = check_with_ledger(root.path(), &["judged.json"]);
        assert_eq!(outcome(&report, "not-denied"), expected, "in the ledger: {:?}", report.evidence.statements);
        std::fs::rename(root.path().join("judged.json"), root.path().join("m.intoto.jsonl")).unwrap();
        let report = check(root.path(), "m");
        assert_eq!(outcome(&report, "not-denied"), expected, "beside it: {:?}", report.evidence.statements);
        assert_eq!(report.verdict.decision == Decision::Deny, result == "FAILED");
        // Nobody trusts the key any more, or it is about other bytes.
        std::fs::write(root.path().join("m/config.json"), "{\"a\": 1}").unwrap();
        assert_eq!(outcome(&check(root.path(), "m"), "not-denied"), Outcome::NotApplicable);
        std::fs::write(root.path().join("m/config.json"), "{}").unwrap();
        std::fs::write(root.path().join("waag.toml"), "").unwrap();
        assert_eq!(outcome(&check(root.path(), "m"), "not-denied"), Outcome::NotApplicable);
    }
}

/// An unsigned statement that the model is what somebody who is trusted spoke of.
#[test]
fn what_was_signed_for_something_else_is_not_signed_for_this_model() {
    let root = project(RELEASE);
    std::fs::create_dir(root.path().join("other")).unwrap();
    std::fs::write(root.path().join("other/config.json"), "{  }").unwrap();
    std::fs::write(root.path().join("base.bin"), "base").unwrap();
    let base = format!("base-model={}", root.path().join("base.bin").display()).parse().unwrap();
    attest(root.path(), "other", &[], "provenance", declared(vec![base]), "made.json");
    let names = waag_signing::model_statement::NAMES_DIGEST;
    let digests = serde_json::json!({
        "sha256": roots(&root.path().join("m"))[0], names: roots(&root.path().join("other"))[1],
    });
    let claim = serde_json::json!({
        "subject": {"digest": digests}, "role": "description", "object": {"name": "x"}, "voice": "self-declared",
        "source": {"kind": "card", "location": "README.md"},
    });
    let claims = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1", "subject": [],
        "predicateType": "https://waag.dev/predicates/claims/v1", "predicate": {"claims": [claim]},
    });
    std::fs::write(root.path().join("claims.json"), claims.to_string()).unwrap();
    let report = check_with_ledger(root.path(), &["made.json", "claims.json"]);
    let ancestry = &report.evidence.ancestry;
    let base = ancestry.nodes.iter().find(|node| node.role == waag_evidence::statement::role::Role::BaseModel);
    assert!(!matches!(base.unwrap().assurance, Assurance::Signed { .. }), "{ancestry:?}");
}
