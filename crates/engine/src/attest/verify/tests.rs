//! Attestations against what is on disk, and against what is asked of them.

use serde_json::{Value, json};
use waag_evidence::statement::evidence::find;
use waag_evidence::statement::{DigestSet, ResourceDescriptor};
use waag_evidence::trust::TrustReason;
use waag_signing::key::{PrivateKey, SigningKey as _};
use waag_signing::verify::Trusted;

use super::report::Whole;
use super::*;
use crate::attest::seal::{With, seal};
use crate::attest::subject::{Listing, Subject};
use crate::attest::{AttestError, Claim, attest, write};
use crate::scan::Silent;

fn key() -> PrivateKey {
    PrivateKey::from_pem(include_str!("../../../../cli/tests/signing/private.pem"), None).unwrap()
}

/// A model, and an attestation beside it.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("model/sub")).unwrap();
        for (name, text) in [("a.json", "{}"), ("sub/b.txt", "b"), ("notes.md", "n")] {
            std::fs::write(root.path().join("model").join(name), text).unwrap();
        }
        Self(root)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn attest(&self, kind: &str, predicate: Value) -> &Self {
        let request = crate::attest::Request {
            subject: &self.path("model"),
            listing: Listing { ignored: vec!["notes.md".into()], allow_symlinks: false },
            output: Some(&self.path("a.json")),
            evidence: find(kind).unwrap(),
            claim: Claim::Given(predicate),
        };
        let key = key();
        let with = With::Key { key: &key, chain: &[] };
        let made = attest::<AttestError>(&request, with, crate::clock::now(), &Silent).unwrap();
        write(&self.path("a.json"), &made.bytes).unwrap();
        self
    }

    /// A statement as another tool would write it.
    fn foreign(&self, subject: Vec<ResourceDescriptor>, kind: &str) -> &Self {
        let statement = serde_json::to_vec(&Statement::new(subject, kind, json!({}))).unwrap();
        let key = key();
        let sealed = seal::<AttestError>(&statement, With::Key { key: &key, chain: &[] }, crate::clock::now()).unwrap();
        write(&self.path("a.json"), &sealed.bytes).unwrap();
        self
    }

    fn report(&self, subject: &str, kind: Option<&str>, strict: bool) -> AttestationsReport {
        let request = Request {
            subject: &self.path(subject),
            attestations: &[self.path("a.json")],
            evidence: kind.map(|kind| find(kind).unwrap()),
            expected: Expected::default(),
            trust: Trust::Signer(Box::new(Trusted::Key(key().public_key().clone()))),
            ignore: &[],
            strict,
        };
        verify(&request, crate::clock::now(), &Silent).unwrap()
    }

    /// What is wrong with the only attestation.
    fn wrong(&self, subject: &str) -> Vec<String> {
        wrong(&self.report(subject, None, false))
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        std::fs::write(self.path("model").join(name), text).unwrap();
        self
    }
}

fn wrong(report: &AttestationsReport) -> Vec<String> {
    let all = &report.attestations;
    let problems = all.iter().flat_map(|it| &it.problems).chain(&report.problems).map(|it| it.code.to_owned());
    let differences = all.iter().flat_map(|it| &it.differences);
    let differences = differences.map(|it| format!("{} {}", it.code.name(), it.name));
    let wrong: Vec<String> = problems.chain(differences).collect();
    assert_eq!(wrong.is_empty(), report.verified, "{report:?}");
    wrong
}

fn passed() -> Value {
    json!({"result": "PASSED", "configuration": [], "passedTests": ["a"]})
}

const NOTHING: [&str; 0] = [];

#[test]
fn what_was_attested_verifies_as_a_whole_and_in_part() {
    let bench = Bench::new();
    bench.attest("test-result", passed());
    assert_eq!(bench.wrong("model"), NOTHING);
    let whole = &bench.report("model", None, true).attestations[0];
    assert_eq!((whole.covered.len(), whole.whole, whole.kind), (2, Whole::Same, Some("test-result")));
    let part = &bench.report("model/sub/b.txt", None, true).attestations[0];
    assert_eq!((part.covered[0].named.as_deref(), part.whole), (Some("sub/b.txt"), Whole::NotSaid));
    assert!(part.is_good() && part.elsewhere == 1);
}

#[test]
fn what_was_changed_is_named() {
    let changed = |change: &dyn Fn(&Bench)| {
        let bench = Bench::new();
        bench.attest("test-result", passed());
        change(&bench);
        bench.wrong("model")
    };
    assert_eq!(changed(&|bench| _ = bench.write("a.json", "[]")), ["changed-file a.json"]);
    assert_eq!(changed(&|bench| _ = bench.write("notes.md", "other")), NOTHING);
    assert_eq!(changed(&|bench| _ = bench.write("new.py", "")), ["unsigned-file new.py"]);
    let removed = changed(&|bench| std::fs::remove_file(bench.path("model/sub/b.txt")).unwrap());
    assert_eq!(removed, ["missing-file sub/b.txt"]);
    let renamed = changed(&|bench| std::fs::rename(bench.path("model/a.json"), bench.path("model/c.json")).unwrap());
    assert_eq!(renamed, ["missing-file a.json", "unsigned-file c.json"]);
    let swapped = changed(&|bench| _ = bench.write("a.json", "b").write("sub/b.txt", "{}"));
    assert_eq!(swapped, ["changed-file a.json", "changed-file sub/b.txt"]);
}

#[test]
fn a_changed_part_does_not_verify() {
    let bench = Bench::new();
    bench.attest("test-result", passed()).write("sub/b.txt", "x");
    assert_eq!(bench.wrong("model/sub/b.txt"), ["changed-file b.txt"]);
    bench.write("other.txt", "other");
    assert_eq!(bench.wrong("model/other.txt"), ["subject-mismatch"]);
}

#[test]
fn a_statement_of_another_tool_covers_what_it_names_by_digest() {
    let bench = Bench::new();
    let subject = Subject::read(&bench.path("model"), &Listing::default(), None, &Silent).unwrap();
    let descriptor = |name: &str, digest: DigestSet| ResourceDescriptor {
        name: Some(name.into()),
        digest,
        ..ResourceDescriptor::default()
    };
    let file = descriptor("dist/model.json", [("sha256", subject.files[0].sha256)].into_iter().collect());
    let commit = descriptor("repository", [("gitCommit", "00ff")].into_iter().collect());
    bench.foreign(vec![file, commit], "https://example.org/predicate/v1");
    let report = bench.report("model", None, false);
    assert_eq!(wrong(&report), NOTHING);
    let only = &report.attestations[0];
    assert_eq!(only.covered[0].named.as_deref(), Some("dist/model.json"));
    assert_eq!(only.not_covered, ["notes.md", "sub/b.txt"]);
    assert_eq!(only.unchecked.len(), 2, "the type and the commit: {:?}", only.unchecked);
    assert_eq!(wrong(&bench.report("model", None, true)), ["not-covered"]);
    let root = subject.names_root.unwrap();
    bench.foreign(vec![descriptor("all", [("dirHash", root)].into_iter().collect())], "https://example.org/v1");
    assert_eq!(bench.report("model", None, false).attestations[0].whole, Whole::Same);
}

#[test]
fn a_bad_result_that_is_well_signed_is_no_good_news() {
    let bench = Bench::new();
    bench.attest("test-result", json!({"result": "FAILED", "configuration": [], "failedTests": ["a"]}));
    assert_eq!(bench.wrong("model"), ["negative-result"]);
}

#[test]
fn a_type_that_is_not_there_is_missed() {
    let bench = Bench::new();
    bench.attest("test-result", passed());
    assert_eq!(wrong(&bench.report("model", Some("provenance"), false)), ["no-attestation"]);
    assert_eq!(wrong(&bench.report("model", Some("test-result"), false)), NOTHING);
}

#[test]
fn malformed_statements_and_predicates_are_refused_however_signed() {
    let bench = Bench::new();
    let subject = Subject::read(&bench.path("model"), &Listing::default(), None, &Silent).unwrap();
    bench.foreign(subject.descriptors(), "https://slsa.dev/provenance/v1");
    assert_eq!(bench.wrong("model"), ["malformed-predicate"]);
    bench.foreign(Vec::new(), "https://example.org/v1");
    assert_eq!(bench.wrong("model"), ["malformed-statement"]);
    bench.foreign(subject.descriptors(), "https://model_signing/signature/v1.0");
    assert_eq!(bench.wrong("model"), ["model-signature"]);
}

/// The places of all values that have nothing below them.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (format!("{at}/{name}"), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at_, value)| (format!("{at}/{at_}"), value)).collect(),
        _ => Vec::new(),
    };
    if below.is_empty() {
        found.push(at.to_owned());
    }
    below.into_iter().for_each(|(place, value)| leaves(value, &place, found));
}

#[test]
fn no_other_leaf_of_an_attestation_verifies() {
    let bench = Bench::new();
    bench.attest("test-result", passed());
    let good: Value = serde_json::from_slice(&std::fs::read(bench.path("a.json")).unwrap()).unwrap();
    let mut places = Vec::new();
    leaves(&good, "", &mut places);
    // Nothing follows from the key's hint, and no list of log entries is as good as an empty one.
    places.retain(|place| !place.ends_with("/keyid") && !place.ends_with("/tlogEntries"));
    assert!(places.len() >= 4, "{places:?}");
    for place in places {
        let leaf = good.pointer(&place).unwrap().as_str().unwrap().to_owned();
        for other in
            [json!(null), json!(""), json!(format!("{leaf}A")), json!(leaf.to_uppercase()), json!(7), json!([leaf])]
        {
            if other == leaf {
                continue;
            }
            let mut changed = good.clone();
            *changed.pointer_mut(&place).unwrap() = other.clone();
            std::fs::write(bench.path("a.json"), serde_json::to_vec(&changed).unwrap()).unwrap();
            assert!(!bench.report("model", None, false).verified, "{place} = {other}");
        }
    }
}

fn by_policy(bench: &Bench, rule: &str) -> AttestationsReport {
    std::fs::write(bench.path("key.pem"), include_str!("../../../../cli/tests/signing/public.pem")).unwrap();
    let signer = "[[trust.signer]]\nname = 'release'\nkey = 'key.pem'\n";
    std::fs::write(bench.path("waag.toml"), format!("{signer}[[trust.rule]]\n{rule}")).unwrap();
    let settings = crate::settings::Settings::load(&bench.path("waag.toml")).unwrap();
    let store = TrustStore::new(None);
    let request = Request {
        subject: &bench.path("model"),
        attestations: &[bench.path("a.json")],
        evidence: None,
        expected: Expected::default(),
        trust: Trust::Policy { policy: &settings.trust, folder: &settings.folder, store: &store },
        ignore: &[],
        strict: false,
    };
    verify(&request, crate::clock::now(), &Silent).unwrap()
}

#[test]
fn settings_say_whom_to_trust() {
    let bench = Bench::new();
    bench.attest("test-result", passed());
    let good = by_policy(&bench, "subject = 'model'\nsigners = ['release']");
    assert!(good.verified && good.attestations[0].signer_name.as_deref() == Some("release"), "{good:?}");
    assert!(!by_policy(&bench, "subject = 'other'\nsigners = ['release']").verified);
    let file = crate::io::sha256(&crate::io::FileSource::open(&bench.path("model/a.json")).unwrap()).unwrap();
    let denied =
        format!("subject = 'model'\nsigners = ['release']\n[[trust.denied]]\ndigest = '{file}'\nreason = 'leaked'");
    assert!(!by_policy(&bench, &denied).verified);
}

#[test]
fn reports_follow_their_schema() {
    let schema = include_str!("../../../../../docs/schema/attestations.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let check = |report: &AttestationsReport| {
        let report = serde_json::to_value(report).unwrap();
        let errors: Vec<_> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{report}");
    };
    let bench = Bench::new();
    bench.attest("test-result", passed());
    check(&bench.report("model/sub/b.txt", None, false));
    check(&bench.report("model", Some("scan"), false));
    check(&by_policy(&bench, "subject = 'model'\nsigners = ['release']"));
    check(&by_policy(&bench, "subject = 'other'\nsigners = ['release']"));
    bench.write("a.json", "[]").write("more.txt", "");
    check(&bench.report("model", None, true));
}

/// A second key, made for this test by openssl.
const OTHER_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7L6UeTTb/X8L3Pvh
bkflDAF4O6ho4+WE4oOhYXYOjKuhRANCAAQgPAKcYrxbhOYnSd02y72V20iCrwsi
hJFEORpC2if4BGPtcBGhZIIDR2rlAPq0mkPc76N5mkI8tsIKfyj1/Yvp
-----END PRIVATE KEY-----
";

/// Attestations that two people signed, one a line, judged by a rule that lets both sign.
fn by_two(lines: &[(bool, Value)], rule: &str) -> AttestationsReport {
    let (bench, other) = (Bench::new(), PrivateKey::from_pem(OTHER_KEY, None).unwrap());
    let (first, mut text) = (key(), Vec::new());
    for (is_first, predicate) in lines {
        let request = crate::attest::Request {
            subject: &bench.path("model"),
            listing: Listing::default(),
            output: None,
            evidence: find("test-result").unwrap(),
            claim: Claim::Given(predicate.clone()),
        };
        let with = With::Key { key: if *is_first { &first } else { &other }, chain: &[] };
        let made = attest::<AttestError>(&request, with, crate::clock::now(), &Silent).unwrap().bytes;
        text.extend(made.trim_ascii_end());
        text.push(b'\n');
    }
    std::fs::write(bench.path("a.json"), text).unwrap();
    std::fs::write(bench.path("other.pem"), other.public_key().to_pem()).unwrap();
    let second = "[[trust.signer]]\nname = 'other'\nkey = 'other.pem'";
    by_policy(&bench, &format!("subject = 'model'\nsigners = ['release', 'other']\n{rule}\n{second}"))
}

#[test]
fn two_signatures_are_over_one_statement() {
    let other = json!({"result": "PASSED", "configuration": [], "passedTests": ["b"]});
    let two = "signatures = 2";
    let same = by_two(&[(true, passed()), (false, passed())], two);
    assert!(same.verified && same.attestations.iter().all(|it| it.trusted), "{same:?}");
    let apart = by_two(&[(true, passed()), (false, other.clone())], two);
    assert!(!apart.verified && apart.attestations.iter().all(|it| !it.trusted), "{apart:?}");
    assert_eq!(apart.policy, [TrustReason::TooFewSignatures { found: 1, needed: 2 }]);
    // One that nobody else signed does not take away from the one that both did.
    let both = by_two(&[(true, other), (true, passed()), (false, passed())], two);
    let trusted: Vec<bool> = both.attestations.iter().map(|it| it.trusted).collect();
    assert!(both.verified && both.policy.is_empty(), "{both:?}");
    assert_eq!(trusted, [false, true, true]);
}

#[test]
fn a_trusted_no_is_not_outvoted() {
    let failed = json!({"result": "FAILED", "configuration": [], "failedTests": ["a"]});
    assert!(by_two(&[(true, passed())], "").verified);
    for lines in [[(true, passed()), (false, failed.clone())], [(true, failed.clone()), (true, passed())]] {
        let report = by_two(&lines, "");
        assert!(!report.verified, "{report:?}");
    }
}

#[test]
fn a_no_about_bytes_that_were_changed_since_says_nothing_of_these() {
    let bench = Bench::new();
    bench.attest("test-result", json!({"result": "FAILED", "configuration": [], "failedTests": ["a"]}));
    let before = std::fs::read(bench.path("a.json")).unwrap();
    bench.write("a.json", "[]").attest("test-result", passed());
    let after = std::fs::read(bench.path("a.json")).unwrap();
    std::fs::write(bench.path("a.json"), [before.trim_ascii_end(), b"\n", &after].concat()).unwrap();
    let report = by_policy(&bench, "subject = 'model'\nsigners = ['release']");
    assert!(report.verified, "{report:?}");
}
