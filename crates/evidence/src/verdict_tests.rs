use proptest::prelude::*;

use super::*;
use crate::finding::{Confidence, Finding, Location, Nature, Persona, Severity};
use crate::gathered::{
    Ancestor, Ancestry, Assurance, FileEvidence, Part, ProvenanceFacts, SignatureEvidence, SignatureState,
    StatementEvidence, Statements,
};
use crate::ingredient::IngredientKind;
use crate::statement::role::Role;

fn finding(severity: Severity, nature: Nature) -> Finding {
    Finding {
        rule: "code-execution".into(),
        nature,
        severity,
        confidence: Confidence::High,
        persona: Persona::Everyone,
        location: Location::file("models/a.pkl"),
        message: "runs a shell command".into(),
        subject: Some("os.system".into()),
        evidence: Some("os.system('id')".into()),
        next_step: "do not load it".into(),
        count: 1,
    }
}

fn today() -> Date {
    Date::constant(2026, 11, 22)
}

fn subject() -> Subject {
    Subject { name: "models".into(), files: 1, ..Subject::default() }
}

fn judge(findings: &[Finding], policy: &Policy) -> Verdict {
    let file = FileEvidence { path: "models/a.pkl".into(), format: Some("pickle".into()), ..FileEvidence::default() };
    let evidence = Evidence { findings: findings.to_vec(), files: vec![file], ..Evidence::default() };
    evaluate(&subject(), &evidence, policy, today())
}

fn policy(text: &str) -> Policy {
    toml::from_str(text).unwrap()
}

fn excepting(until: &str) -> Policy {
    policy(&format!(
        "[[exception]]\nrule = 'code-execution'\npath = 'models/*.pkl'\nreason = 'ours'\nuntil = '{until}'"
    ))
}

fn outcome_of(verdict: &Verdict, id: &str) -> Outcome {
    verdict.controls.iter().find(|judged| judged.id == id).unwrap().outcome
}

#[test]
fn the_gravest_finding_decides() {
    let policy = Policy::default();
    let low = finding(Severity::Low, Nature::Risk);
    let medium = finding(Severity::Medium, Nature::Risk);
    let high = finding(Severity::High, Nature::Risk);
    let unseen = finding(Severity::Info, Nature::Incomplete);
    assert_eq!(judge(&[], &policy).decision, Decision::Allow);
    assert_eq!(judge(std::slice::from_ref(&low), &policy).decision, Decision::Allow);
    assert_eq!(judge(&[low.clone(), unseen], &policy).decision, Decision::Inconclusive);
    let verdict = judge(&[low, medium, high], &policy);
    assert_eq!((verdict.decision, verdict.reasons), (Decision::Deny, vec![2]));
}

#[test]
fn an_exception_holds_until_it_ends() {
    let findings = [finding(Severity::Critical, Nature::Risk)];
    let held = judge(&findings, &excepting("2026-11-22"));
    assert_eq!((held.decision, held.excepted), (Decision::Allow, vec![(0, 0)]));
    let ended = judge(&findings, &excepting("2026-11-21"));
    assert_eq!((ended.decision, ended.ended_exceptions), (Decision::Deny, vec![0]));
}

#[test]
fn an_exception_for_one_subject_covers_no_other() {
    let mut policy = excepting("2027-01-01");
    let mut finding = finding(Severity::Critical, Nature::Risk);
    finding.evidence = Some("os.system('ours.Ranker')".into());
    policy.exceptions[0].subject = Some("ours.Ranker".into());
    assert_eq!(judge(std::slice::from_ref(&finding), &policy).decision, Decision::Deny);
    finding.subject = Some("ours.Ranker".into());
    assert_eq!(judge(&[finding], &policy).decision, Decision::Allow);
}

#[test]
fn an_exception_that_matches_nothing_is_reported() {
    assert_eq!(judge(&[], &excepting("2027-01-01")).unused_exceptions, vec![0]);
}

#[test]
fn an_ordinary_model_is_allowed_and_what_is_not_known_of_it_is_said() {
    let file = FileEvidence {
        path: "m/model.safetensors".into(),
        format: Some("safetensors".into()),
        tensors: 2,
        ..FileEvidence::default()
    };
    let absent = SignatureState::Absent { looked_for: vec!["m/model.sig".into()] };
    let evidence = Evidence {
        files: vec![file],
        signatures: vec![SignatureEvidence { place: "m".into(), declared: false, sha256: None, state: absent }],
        ..Evidence::default()
    };
    let verdict = evaluate(&subject(), &evidence, &Policy::default(), today());
    assert_eq!(verdict.decision, Decision::Allow);
    assert_eq!(outcome_of(&verdict, "safe-format"), Outcome::Pass);
    assert_eq!(outcome_of(&verdict, "signature"), Outcome::Fail);
    assert_eq!(outcome_of(&verdict, "provenance"), Outcome::Unknown);
    let required = policy("[controls]\nsignature = 'deny'");
    assert_eq!(evaluate(&subject(), &evidence, &required, today()).decision, Decision::Deny);
    let required = policy("[controls]\nprovenance = 'deny'");
    assert_eq!(evaluate(&subject(), &evidence, &required, today()).decision, Decision::Inconclusive);
    let excepted = "[controls]\nsignature = 'deny'\n[[exception]]\ncontrol = 'signature'\npath = 'm'\nreason = 'old'\nuntil = '2027-01-01'";
    let verdict = evaluate(&subject(), &evidence, &policy(excepted), today());
    assert_eq!((verdict.decision, outcome_of(&verdict, "signature")), (Decision::Allow, Outcome::Excepted));
}

#[test]
fn what_the_settings_declare_has_to_hold() {
    let bad = SignatureState::Bad { reason: "changed".into() };
    let signature = |declared| SignatureEvidence { place: "m".into(), declared, sha256: None, state: bad.clone() };
    let with = |declared, policy: &Policy| {
        let evidence = Evidence { signatures: vec![signature(declared)], ..Evidence::default() };
        evaluate(&subject(), &evidence, policy, today()).decision
    };
    assert_eq!(with(false, &Policy::default()), Decision::Allow);
    assert_eq!(with(true, &Policy::default()), Decision::Deny);
    assert_eq!(with(true, &policy("[controls]\nsignature = 'advise'")), Decision::Allow, "unless they say otherwise");
}

#[test]
fn conditions_decide_and_what_cannot_be_told_never_allows() {
    let rule = |when: &str, then: &str| {
        policy(&format!("[[rule]]\nname = 'ours'\nwhen = \"{when}\"\nthen = '{then}'\nreason = 'so'"))
    };
    for (when, then, expected) in [
        ("subject.name == 'models'", "deny", Decision::Deny),
        ("subject.name == 'models'", "inconclusive", Decision::Inconclusive),
        ("subject.name == 'models'", "require", Decision::Allow),
        ("subject.name == 'other'", "deny", Decision::Allow),
        ("subject.name == 'other'", "require", Decision::Deny),
        ("ancestors.all(a, a.trusted)", "require", Decision::Inconclusive),
        ("ancestors.exists(a, a.denied)", "deny", Decision::Inconclusive),
        ("controls['no-untrusted-pickle'] == 'fail'", "deny", Decision::Deny),
    ] {
        assert_eq!(judge(&[], &rule(when, then)).decision, expected, "{when} {then}");
    }
}

fn statement(trusted: bool) -> StatementEvidence {
    StatementEvidence {
        predicate_type: crate::statement::provenance::PREDICATE_TYPE.into(),
        place: "a.jsonl".into(),
        signer: Some("release".into()),
        trusted,
        provenance: Some(ProvenanceFacts {
            build_type: "https://waag.dev/build-types/train/v1".into(),
            ..ProvenanceFacts::default()
        }),
        ..StatementEvidence::default()
    }
}

fn ancestor(name: &str, trusted: bool) -> Ancestor {
    Ancestor {
        name: name.into(),
        digest: Some(crate::Sha256Digest::new([1; 32])),
        role: Role::BaseModel,
        depth: 1,
        assurance: Assurance::Signed { by: "release".into(), trusted },
        denied: None,
        verdict: None,
    }
}

#[test]
fn each_link_of_a_chain_is_asked_for() {
    let mut evidence = Evidence {
        statements: Statements { searched: vec!["ledger".into()], found: vec![statement(true)] },
        ancestry: Ancestry {
            searched: vec!["ledger".into()],
            nodes: vec![ancestor("base", true)],
            ..Ancestry::default()
        },
        ..Evidence::default()
    };
    let outcomes = |evidence: &Evidence| {
        let verdict = evaluate(&subject(), evidence, &Policy::default(), today());
        ["provenance", "provenance-links", "ancestors-signed", "no-ancestor-denied"].map(|id| outcome_of(&verdict, id))
    };
    assert_eq!(outcomes(&evidence), [Outcome::Pass, Outcome::Fail, Outcome::Pass, Outcome::Pass]);
    evidence.ancestry.nodes[0].digest = None;
    assert_eq!(outcomes(&evidence)[2..], [Outcome::Unknown, Outcome::Unknown]);
    evidence.statements.found[0].trusted = false;
    evidence.ancestry.nodes[0] = ancestor("base", false);
    assert_eq!(outcomes(&evidence), [Outcome::Fail, Outcome::Unknown, Outcome::Fail, Outcome::Pass]);
    evidence.ancestry.incomplete.push("there are more".into());
    assert_eq!(outcomes(&evidence)[3], Outcome::Unknown);
    evidence.ancestry.nodes[0].denied = Some("poisoned".into());
    let verdict = evaluate(&subject(), &evidence, &Policy::default(), today());
    assert_eq!((verdict.decision, outcome_of(&verdict, "no-ancestor-denied")), (Decision::Deny, Outcome::Fail));
    evidence.ancestry.nodes.clear();
    evidence.ancestry.cycles = vec![vec!["a".into(), "b".into()]];
    assert_eq!(outcomes(&evidence)[2], Outcome::Fail);
}

fn severities() -> impl Strategy<Value = Severity> {
    use Severity::{Critical, High, Info, Low, Medium};
    prop::sample::select(vec![Info, Low, Medium, High, Critical])
}

fn findings() -> impl Strategy<Value = Finding> {
    let rules = prop::sample::select(vec!["code-execution", "remote-code", "lock-drift", "hidden-content"]);
    let natures = prop::sample::select(vec![Nature::Risk, Nature::Incomplete]);
    let files = prop::sample::select(vec!["m/a.pkl", "m/b.pkl"]);
    (severities(), natures, rules, files).prop_map(|(severity, nature, rule, file)| Finding {
        rule: rule.into(),
        location: Location::file(file),
        ..finding(severity, nature)
    })
}

fn signatures() -> impl Strategy<Value = SignatureEvidence> {
    let state = prop::sample::select(vec![
        SignatureState::Absent { looked_for: vec!["m.sig".into()] },
        SignatureState::Good { signers: vec!["release".into()], uncovered: Vec::new() },
        SignatureState::Bad { reason: "changed".into() },
        SignatureState::Unjudged { reason: "nobody is trusted".into() },
    ]);
    let places = prop::sample::select(vec!["m", "n"]);
    (state, places, any::<bool>()).prop_map(|(state, place, declared)| SignatureEvidence {
        place: place.into(),
        declared,
        sha256: None,
        state,
    })
}

fn files() -> impl Strategy<Value = FileEvidence> {
    let formats = prop::sample::select(vec!["pickle", "safetensors", "odd"]);
    let paths = prop::sample::select(vec!["m/a.pkl", "m/b.pkl", "m/README.md"]);
    (formats, paths, 0u64..2).prop_map(|(format, path, tensors)| FileEvidence {
        path: path.into(),
        format: Some(format.into()),
        size: 1,
        tensors,
        ..FileEvidence::default()
    })
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let parts = any::<(bool, bool)>().prop_map(|(data, locked)| Part {
        kind: if data { IngredientKind::Dataset } else { IngredientKind::Model },
        name: "m".into(),
        path: "m".into(),
        locked,
        source: None,
    });
    let statements = prop::collection::vec(any::<bool>().prop_map(statement), 0..3);
    let ancestors = prop::collection::vec(any::<bool>().prop_map(|trusted| ancestor("base", trusted)), 0..3);
    (
        prop::collection::vec(findings(), 0..4),
        prop::collection::vec(files(), 0..4),
        prop::collection::vec(signatures(), 0..3),
        prop::collection::vec(parts, 0..3),
        (statements, ancestors, any::<bool>()),
    )
        .prop_map(|(findings, files, signatures, parts, (found, nodes, searched))| {
            let searched: Vec<String> = searched.then(|| "ledger".to_owned()).into_iter().collect();
            let statements = Statements { searched: searched.clone(), found };
            let ancestry = Ancestry { searched, nodes, ..Ancestry::default() };
            Evidence { findings, files, signatures, parts, statements, ancestry, ..Evidence::default() }
        })
}

fn policies() -> impl Strategy<Value = Policy> {
    let levels = prop::sample::select(Level::ALL.to_vec());
    let ids = prop::sample::select(CONTROLS.iter().map(|control| control.id).collect::<Vec<_>>());
    let controls = prop::collection::btree_map(ids.prop_map(str::to_owned), levels, 0..6);
    (controls, severities(), severities(), any::<bool>()).prop_map(|(mut controls, one, other, incomplete)| {
        controls.retain(|id, level| crate::policy::check_level(id, *level).is_ok());
        Policy {
            controls,
            deny_at: one.max(other),
            inconclusive_at: one.min(other),
            allow_incomplete_unsafe: incomplete,
            ..Policy::default()
        }
    })
}

fn open(verdict: &Verdict) -> Vec<(String, Outcome, Decision)> {
    verdict.controls.iter().map(|judged| (judged.id.clone(), judged.outcome, judged.decision)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Asking for more never makes a decision better.
    #[test]
    fn requiring_a_control_never_improves_a_decision(evidence in evidence(), policy in policies(), index in 0..CONTROLS.len()) {
        let before = evaluate(&subject(), &evidence, &policy, today()).decision;
        let mut more = policy.clone();
        more.controls.insert(CONTROLS[index].id.into(), Level::Deny);
        let after = evaluate(&subject(), &evidence, &more, today());
        prop_assert!(after.decision >= before);
        let judged = after.controls.iter().find(|judged| judged.id == CONTROLS[index].id).unwrap();
        prop_assert!(judged.outcome != Outcome::Fail || after.decision == Decision::Deny);
    }

    /// What has to be known and is not, never allows.
    #[test]
    fn unknown_never_allows_where_it_is_required(evidence in evidence(), policy in policies()) {
        let verdict = evaluate(&subject(), &evidence, &policy, today());
        for judged in verdict.controls.iter().filter(|judged| judged.level.is_required()) {
            prop_assert!(!judged.outcome.is_open() || judged.decision != Decision::Allow, "{}", judged.id);
            prop_assert!(judged.decision <= verdict.decision);
        }
    }

    /// Nothing depends on the order in which evidence was gathered.
    #[test]
    fn the_order_of_evidence_does_not_matter(evidence in evidence(), policy in policies()) {
        let mut reversed = evidence.clone();
        reversed.findings.reverse();
        reversed.files.reverse();
        reversed.signatures.reverse();
        reversed.parts.reverse();
        reversed.statements.found.reverse();
        reversed.ancestry.nodes.reverse();
        let (one, other) = (
            evaluate(&subject(), &evidence, &policy, today()),
            evaluate(&subject(), &reversed, &policy, today()),
        );
        prop_assert_eq!(open(&one), open(&other));
    }

    /// The same for the conditions of the policy.
    #[test]
    fn the_order_of_conditions_does_not_matter(evidence in evidence()) {
        let rule = |name: &str, when: &str, then: &str| format!("[[rule]]\nname='{name}'\nwhen=\"{when}\"\nthen='{then}'\nreason='so'\n");
        let one = rule("one", "size(findings) > 1", "inconclusive");
        let two = rule("two", "controls.signature == 'pass'", "require");
        let decide = |text: &str| evaluate(&subject(), &evidence, &policy(text), today()).decision;
        prop_assert_eq!(decide(&format!("{one}{two}")), decide(&format!("{two}{one}")));
    }

    /// An exception loosens what it names, and nothing else.
    #[test]
    fn exceptions_loosen_what_they_name(evidence in evidence(), policy in policies(), index in 0..CONTROLS.len()) {
        let id = CONTROLS[index].id;
        let text = format!("control = '{id}'\npath = '**'\nreason = 'agreed'\nuntil = '2027-01-01'");
        let Ok(exception) = toml::from_str::<Exception>(&text) else { return Ok(()) };
        let before = evaluate(&subject(), &evidence, &policy, today());
        let excepting = Policy { exceptions: vec![exception], ..policy };
        let after = evaluate(&subject(), &evidence, &excepting, today());
        prop_assert!(after.decision <= before.decision);
        for (one, other) in before.controls.iter().zip(&after.controls) {
            prop_assert!(one.id == id || one == other, "{} changed", one.id);
        }
    }

    /// Exceptions of rules cover findings of these rules alone.
    #[test]
    fn exceptions_of_rules_cover_their_findings(evidence in evidence(), policy in policies()) {
        let text = "rule = 'code-execution'\npath = '**'\nreason = 'agreed'\nuntil = '2027-01-01'";
        let excepting = Policy { exceptions: vec![toml::from_str(text).unwrap()], ..policy };
        let verdict = evaluate(&subject(), &evidence, &excepting, today());
        for (index, finding) in evidence.findings.iter().enumerate() {
            let covered = verdict.excepted.iter().any(|(excepted, _)| *excepted == index);
            prop_assert_eq!(covered, finding.rule == "code-execution");
        }
    }
}
