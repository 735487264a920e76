use super::*;
use crate::finding::{Confidence, Finding, Location, Nature, Persona, Severity};
use crate::gathered::{Ancestry, FileEvidence, SignatureEvidence, SignatureState};

fn finding(rule: &str) -> Finding {
    Finding {
        rule: rule.into(),
        nature: Nature::Risk,
        severity: Severity::High,
        confidence: Confidence::High,
        persona: Persona::Everyone,
        location: Location::file("m/a.pkl"),
        message: "runs a shell command".into(),
        subject: None,
        evidence: None,
        next_step: String::new(),
        count: 1,
    }
}

fn evidence() -> Evidence {
    let file = FileEvidence { path: "m/a.pkl".into(), format: Some("pickle".into()), size: 10, ..Default::default() };
    let state = SignatureState::Good { signers: vec!["release".into()], uncovered: Vec::new() };
    Evidence {
        findings: vec![finding("code-execution")],
        files: vec![file],
        signatures: vec![SignatureEvidence { place: "m".into(), declared: false, sha256: None, state }],
        ..Evidence::default()
    }
}

fn known() -> Known {
    let outcomes = BTreeMap::from([("signature".to_owned(), Outcome::Pass)]);
    Known { outcomes, ..Known::default() }
}

fn answer(text: &str) -> Result<bool, String> {
    let condition = Condition::new(text).map_err(|error| format!("at {}: {error}", error.at))?;
    let subject = Subject { name: "m".into(), formats: vec!["pickle".into()], size: 10, files: 1, is_file: false };
    condition.evaluate(&subject, &evidence(), &known()).map_err(|error| error.to_string())
}

#[test]
fn conditions_ask_everything_that_is_documented() {
    for (text, expected) in [
        ("true", true),
        ("subject.name.startsWith('m') && subject.size < 100", true),
        ("'pickle' in subject.formats", true),
        ("findings.exists(f, f.rule == 'code-execution' && f.grade >= 3)", true),
        ("findings.all(f, f.file.endsWith('.pt'))", false),
        ("size(findings.filter(f, f.severity in ['high', 'critical'])) == 1", true),
        ("files.exists_one(f, f.format == 'pickle')", true),
        ("'release' in signers", true),
        ("controls.signature == 'pass'", true),
        ("controls['model-card'] == 'off'", true),
        ("signers[0] == 'release' ? size(files) > 0 : false", true),
        ("files.exists(f, findings.exists(g, g.file == f.path))", true),
        ("!has(subject.name) || subject.files - 1 == 0", true),
    ] {
        assert_eq!(answer(text), Ok(expected), "{text}");
    }
}

#[test]
fn mistakes_are_found_when_a_condition_is_read() {
    let errors = [
        "subject.nam == 'x'",
        "nothing",
        "subject.size",
        "subject.size == 'x'",
        "subject.name + 'x' == 'mx'",
        "findings.map(f, f.rule) == []",
        "findings.exists(f, f.rule)",
        "findings.exists(f, f.wrong == 1)",
        "controls.no_such == 'pass'",
        "controls['no-such'] == 'pass'",
        "subject.name.matches('a+')",
        "true &&",
        "1.5 > 1.0",
        "[[1]] == [[1]]",
        "{'a': 1}.a == 1",
        "findings.exists(f, files.exists(g, files.exists(h, true)))",
        "\"\\u{202e}",
    ]
    .map(|text| format!("{text}\n    {}", answer(text).expect_err(text)));
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn what_nobody_looked_for_is_no_answer() {
    assert!(answer("ancestors.all(a, a.trusted)").is_err_and(|error| error.contains("nobody looked for ancestors")));
    assert!(answer("statements.all(s, s.trusted)").is_err_and(|error| error.contains("nobody looked")));
    let mut evidence = evidence();
    let ask = |evidence: &Evidence| {
        let condition = Condition::new("ancestors.all(a, a.trusted)").unwrap();
        condition.evaluate(&Subject::default(), evidence, &Known::default())
    };
    evidence.ancestry = Ancestry { searched: vec!["ledger".into()], ..Ancestry::default() };
    assert_eq!(ask(&evidence), Ok(true));
    evidence.ancestry.missing.push("base".into());
    assert!(ask(&evidence).is_err_and(|error| error.to_string().contains("not all ancestors")));
}

#[test]
fn what_is_too_much_is_no_answer() {
    let condition = Condition::new("findings.all(f, f.grade < 9)").unwrap();
    let mut evidence = evidence();
    evidence.findings = vec![finding("x"); MAX_ITEMS];
    let ask = |evidence: &Evidence| condition.evaluate(&Subject::default(), evidence, &Known::default());
    assert_eq!(ask(&evidence), Ok(true));
    evidence.findings.push(finding("x"));
    assert!(matches!(ask(&evidence), Err(ConditionError::TooMany { count: 1001, .. })));
    evidence.findings = vec![Finding { message: "x".repeat(MAX_TEXT + 1), ..finding("x") }];
    assert!(matches!(ask(&evidence), Err(ConditionError::TooLong { .. })));
    assert!(answer("signers[7] == 'x'").is_err(), "there is no such entry");
    assert!(answer(&format!("{}true", " ".repeat(MAX_LENGTH))).is_err());
    for (before, after) in [("(", ")"), ("!", ""), ("1 + ", ""), ("true && ", ""), ("true ? true : ", "")] {
        let nested = |times: usize| answer(&format!("{}true{}", before.repeat(times), after.repeat(times)));
        assert!(nested(300).is_err_and(|error| error.contains("more than")), "{before}");
        let _ = (nested(40), nested(80), nested(160));
    }
    assert_eq!(answer(&format!("{}true", "!".repeat(20))), Ok(true));
    assert_eq!(answer(&format!("true{}", " && true".repeat(60))), Ok(true));
}

#[test]
fn excepted_findings_are_not_asked() {
    let condition = Condition::new("findings.exists(f, f.rule == 'code-execution')").unwrap();
    let known = Known { excepted: BTreeMap::from([(0, 0)]), ..Known::default() };
    assert_eq!(condition.evaluate(&Subject::default(), &evidence(), &known), Ok(false));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(300))]

    #[test]
    fn no_text_brings_it_down(text in "[a-z.()\\[\\]!&|=<>'\"0-9,?:+{} \\-\\\\]{0,60}") {
        let _ = answer(&text);
    }

    #[test]
    fn what_is_accepted_answers_or_says_why(
        field in "(rule|severity|file|message|subject)",
        function in "(contains|startsWith|endsWith)",
        over in "(exists|all|exists_one)",
        text in "[a-z]{0,8}",
    ) {
        let condition = format!("findings.{over}(f, f.{field}.{function}('{text}'))");
        proptest::prop_assert!(answer(&condition).is_ok(), "{}", condition);
    }
}

#[test]
fn a_signer_of_one_part_is_none_of_the_whole() {
    let condition = Condition::new("'release' in signers").unwrap();
    let mut evidence = evidence();
    let answer = |evidence: &Evidence| condition.evaluate(&Subject::default(), evidence, &known());
    assert!(answer(&evidence).unwrap());
    let other = SignatureState::Absent { looked_for: vec!["n.sig".into()] };
    evidence.signatures.push(SignatureEvidence { place: "n".into(), state: other, ..evidence.signatures[0].clone() });
    assert!(answer(&evidence).is_err());
}
