//! Attestations of every kind that waag makes itself.

use proptest::prelude::*;
use serde_json::{Value, json};
use waag_evidence::statement::evidence::find;
use waag_evidence::statement::role::Role;
use waag_evidence::statement::{Statement, provenance};
use waag_signing::key::PrivateKey;
use waag_signing::sealed::Sealed;

use super::*;
use crate::scan::Silent;
use dependency::Dependency;

fn model() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("model/sub")).unwrap();
    for (name, text) in [("a.json", "{}"), ("sub/b.txt", "b"), ("evil.pkl", "cos\nsystem\n(S'id'\ntR.")] {
        std::fs::write(root.path().join("model").join(name), text).unwrap();
    }
    root
}

fn made(root: &Path, kind: &str, claim: Claim<'_>) -> Result<(Statement, AttestReport), AttestError> {
    let request = Request {
        subject: &root.join("model"),
        listing: Listing::default(),
        output: None,
        evidence: find(kind).unwrap(),
        claim,
    };
    let now = "2026-11-27T12:00:00.5Z".parse().unwrap();
    let attested: Attested = attest::<AttestError>(&request, With::Nobody, now, &Silent)?;
    let bytes = Sealed::parse(&attested.bytes).unwrap().statement_bytes().unwrap();
    Ok((Statement::parse(&bytes).unwrap(), attested.report))
}

fn judged() -> Judged<'static> {
    Judged { options: Options::default(), policy: PolicySource::default() }
}

#[test]
fn a_scan_names_files_as_the_subject_does() {
    let root = model();
    let (statement, report) = made(root.path(), "scan", Claim::Scan(judged())).unwrap();
    assert_eq!(statement.predicate["decision"], "deny");
    assert_eq!(statement.predicate["findings"][0]["location"]["file"], "evil.pkl");
    assert_eq!((report.files, report.signer), (3, None));
    let text = serde_json::to_string(&statement).unwrap();
    assert!(!text.contains(&root.path().display().to_string()), "{text}");
    let schema = include_str!("../../../../docs/schema/scan-predicate.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<_> = schema.iter_errors(&statement.predicate).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
}

#[test]
fn a_verdict_passes_what_the_policy_allows_and_nothing_else() {
    let root = model();
    let (statement, report) = made(root.path(), "verdict", Claim::Verdict(judged(), None)).unwrap();
    assert_eq!(statement.predicate["verificationResult"], "FAILED");
    assert_eq!(statement.predicate["verifiedLevels"], json!(["FAILED"]));
    assert_eq!(statement.predicate["timeVerified"], "2026-11-27T12:00:00Z");
    assert_eq!(statement.predicate["resourceUri"], "file:model");
    assert_eq!(report.predicate_type, "https://slsa.dev/verification_summary/v1");
    std::fs::remove_file(root.path().join("model/evil.pkl")).unwrap();
    let (statement, _) = made(root.path(), "verdict", Claim::Verdict(judged(), Some("pkg:x/y".into()))).unwrap();
    assert_eq!(statement.predicate["verificationResult"], "PASSED");
    assert_eq!(statement.predicate["resourceUri"], "pkg:x/y");
}

#[test]
fn a_step_that_somebody_tells_has_digests_and_roles() {
    let root = model();
    let base: Dependency = format!("base-model={}", root.path().join("model/sub").display()).parse().unwrap();
    let declared = Declared {
        build_type: provenance::BuildType::FineTune,
        builder: None,
        parameters: [("seed".to_owned(), json!(7))].into_iter().collect(),
        dependencies: vec![base],
    };
    let (statement, _) = made(root.path(), "provenance", Claim::Provenance(declared)).unwrap();
    let made: provenance::Provenance = serde_json::from_value(statement.predicate).unwrap();
    let [dependency] = made.build_definition.resolved_dependencies.as_slice() else { panic!("one is expected") };
    assert_eq!((dependency.name.as_deref(), provenance::role_of(dependency)), (Some("sub"), Some(Role::BaseModel)));
    assert!(dependency.digest.get("dirHash").is_some());
    assert_eq!(made.run_details.builder.id, super::provenance::DECLARED);
}

#[test]
fn a_wrong_predicate_is_refused_with_its_place() {
    let root = model();
    let refused = |kind, value: Value| made(root.path(), kind, Claim::Given(value)).unwrap_err().to_string();
    let error = refused("test-result", json!({"result": "GOOD", "configuration": []}));
    assert!(error.starts_with("cannot attest: the predicate is no in-toto test result: result: "), "{error}");
    assert!(matches!(made(root.path(), "signature", Claim::Given(json!({}))), Err(AttestError::NotHere { .. })));
}

#[test]
fn fields_that_nobody_knows_are_kept_and_told() {
    let root = model();
    let value = json!({"result": "PASSED", "configuration": [], "passedTest": ["a"]});
    let (statement, report) = made(root.path(), "test-result", Claim::Given(value.clone())).unwrap();
    assert_eq!((statement.predicate, report.unknown_fields), (value, vec!["passedTest".to_owned()]));
}

#[test]
fn reports_follow_their_schema() {
    let root = model();
    let (_, report) = made(root.path(), "verdict", Claim::Verdict(judged(), None)).unwrap();
    let schema = include_str!("../../../../docs/schema/attest.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let report = serde_json::to_value(report).unwrap();
    assert_eq!(schema.iter_errors(&report).map(|error| error.to_string()).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn what_changed_after_it_was_scanned_is_not_attested() {
    let root = model();
    let path = root.path().join("model");
    let scanned = scan::Scanned::read(&path, &Options::default(), &Silent).unwrap();
    let subject = || Subject::read(&path, &Listing::default(), None, &Silent).unwrap();
    assert!(scanned.objection(&subject()).is_none());
    std::fs::write(path.join("sub/b.txt"), "other").unwrap();
    let objection = scanned.objection(&subject());
    assert!(matches!(&objection, Some(AttestError::Changed(file)) if file == "sub/b.txt"), "{objection:?}");
}

#[test]
fn what_was_not_scanned_is_not_attested() {
    for hidden in ["__pycache__/x.pyc", "sub/.venv/a.pkl", "sub/node_modules/a.js"] {
        let root = model();
        std::fs::remove_file(root.path().join("model/evil.pkl")).unwrap();
        let file = root.path().join("model").join(hidden);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "cos\nsystem\n(S'id'\ntR.").unwrap();
        for (kind, claim) in [("scan", Claim::Scan(judged())), ("verdict", Claim::Verdict(judged(), None))] {
            let refused = made(root.path(), kind, claim).unwrap_err();
            assert!(matches!(&refused, AttestError::NotScanned(path) if path == hidden), "{refused:?}");
        }
    }
}

#[test]
fn a_file_under_two_names_is_scanned_once() {
    let root = model();
    let path = root.path().join("model");
    std::os::unix::fs::symlink("sub", path.join("again")).unwrap();
    let scanned = scan::Scanned::read(&path, &Options::default(), &Silent).unwrap();
    let listing = Listing { allow_symlinks: true, ..Listing::default() };
    let subject = Subject::read(&path, &listing, None, &Silent).unwrap();
    assert!(subject.files.iter().any(|file| file.path == "again/b.txt"), "{:?}", subject.files);
    assert!(scanned.objection(&subject).is_none());
}

#[test]
fn claims_follow_their_schema() {
    let claim = |role: &Role, voice: &str| {
        json!({
            "subject": {"name": "a"}, "role": role, "object": {"uri": "pkg:huggingface/a/b"}, "voice": voice,
            "source": {"kind": "card", "location": "README.md", "place": "/base_model", "sha256": "ab".repeat(32)},
            "saidAt": "2026-01-01T00:00:00Z",
        })
    };
    let of = |voice| Role::ALL.iter().map(move |role| claim(role, voice));
    let claims = json!({"claims": of("self-declared").chain(of("derived-from-file")).collect::<Vec<_>>()});
    let reading = (find("claims").unwrap().read)(&claims).unwrap();
    assert_eq!(reading.unknown, [""; 0]);
    let schema = include_str!("../../../../docs/schema/claims-predicate.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    assert_eq!(schema.iter_errors(&claims).map(|error| error.to_string()).collect::<Vec<_>>(), [""; 0]);
}

/// Names that mean something to a reader, so that what is drawn gets deeper than the first field.
const FIELDS: &str = "verifier|id|policy|uri|digest|sha256|resourceUri|verificationResult|verifiedLevels|result|configuration|\
    scanner|db|lastUpdate|metadata|attributes|attribute|evidence|references|attester|bomFormat|specVersion|components|type|\
    spdxVersion|SPDXID|@context|@graph|claims|subject|object|role|source|buildDefinition|buildType|externalParameters|\
    runDetails|builder|resolvedDependencies|annotations|decision|findings|location|file|incomplete|artifacts|serialization";

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "PASSED|FAILED|CycloneDX|1\\.6|SPDX-2\\.3|SPDXRef-DOCUMENT|https://spdx\\.org/rdf/3\\.0/x|deny|00ff|\\PC{0,300}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(FIELDS, inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever a predicate is, reading it ends without a panic, and what is wrong has a place.
    #[test]
    fn any_predicate_is_read_or_refused(value in any_json()) {
        for evidence in waag_evidence::statement::evidence::EVIDENCE {
            match (evidence.read)(&value) {
                Ok(reading) => prop_assert!(evidence.is(reading.uri)),
                Err(error) => prop_assert!(!error.place.is_empty() && !error.problem.is_empty()),
            }
        }
    }
}

#[test]
fn the_same_gives_the_same_bytes() {
    let root = model();
    let key = PrivateKey::from_pem(include_str!("../../../cli/tests/signing/private.pem"), None).unwrap();
    let bytes = || {
        let request = Request {
            subject: &root.path().join("model"),
            listing: Listing::default(),
            output: None,
            evidence: find("scan").unwrap(),
            claim: Claim::Scan(judged()),
        };
        let with = With::Key { key: &key, chain: &[] };
        attest::<AttestError>(&request, with, crate::clock::now(), &Silent).unwrap().bytes
    };
    assert_eq!(bytes(), bytes());
}
