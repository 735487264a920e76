use super::*;

const POLICY: &str = r#"
    [[signer]]
    name = "release"
    key = "keys/release.pub.pem"
    [[signer]]
    name = "ci"
    identity = "https://example.org/ci"
    issuer = "https://issuer.example.org"
    [[signer]]
    name = "legal"
    identity = "legal@example.org"
    roots = ["ca.crt"]
    [[rule]]
    subject = "llama-*"
    signers = ["release", "ci"]
    signatures = 2
    [[rule]]
    subject = "**"
    signers = ["ci"]
    max-age-days = 90
    [[denied]]
    digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
    reason = "leaked"
"#;

fn policy() -> TrustPolicy {
    toml::from_str(POLICY).unwrap()
}

fn signed(signer: &str, at: Option<&str>) -> ProvenSignature {
    ProvenSignature { signer: signer.into(), identity: signer.into(), at: at.map(|at| at.parse().unwrap()) }
}

fn judge(subject: &str, signatures: &[ProvenSignature]) -> TrustVerdict {
    policy().judge(subject, signatures, &[], "2026-11-27T00:00:00Z".parse().unwrap())
}

#[test]
fn the_first_rule_that_matches_decides() {
    let both = [signed("release", None), signed("ci", None)];
    assert!(judge("models/llama-3", &both).trusted);
    let one = judge("llama-3", &both[..1]);
    assert_eq!(one.reasons, [TrustReason::TooFewSignatures { found: 1, needed: 2 }]);
    assert!(!one.trusted);
    let names: Vec<_> = policy().signers_of("llama-3").map(|signer| signer.name.clone()).collect();
    assert_eq!(names, ["release", "ci"]);
}

#[test]
fn one_identity_counts_once() {
    let twice = [signed("release", None), ProvenSignature { identity: "release".into(), ..signed("ci", None) }];
    assert!(!judge("llama-3", &twice).trusted);
}

#[test]
fn age_needs_a_time_that_is_not_the_signers() {
    assert!(judge("x", &[signed("ci", Some("2026-09-01T00:00:00Z"))]).trusted);
    let old = judge("x", &[signed("ci", Some("2026-08-01T00:00:00Z"))]);
    assert_eq!(old.reasons[0], TrustReason::SignatureTooOld { signer: "ci".into(), days: 118 });
    let unknown = judge("x", &[signed("ci", None)]);
    assert_eq!(unknown.reasons[0], TrustReason::SignatureWithoutTime { signer: "ci".into() });
    assert!(!judge("x", &[signed("legal", Some("2026-11-01T00:00:00Z"))]).trusted);
}

#[test]
fn what_is_denied_is_denied_whoever_signed() {
    let now = "2026-11-27T00:00:00Z".parse().unwrap();
    let both = [signed("release", None), signed("ci", None)];
    let verdict = policy().judge("llama-3", &both, &[Sha256Digest::new([0; 32])], now);
    assert!(!verdict.trusted);
    assert!(verdict.reasons[0].to_string().ends_with("is denied: leaked"));
}

#[test]
fn without_a_rule_nobody_is_trusted() {
    let verdict = TrustPolicy::default().judge("x", &[signed("ci", None)], &[], Timestamp::UNIX_EPOCH);
    assert_eq!((verdict.trusted, verdict.reasons), (false, vec![TrustReason::NoRule]));
}

#[test]
fn what_nobody_could_mean_is_refused() {
    let error = |text: &str| toml::from_str::<TrustPolicy>(text).unwrap_err().message().to_owned();
    let signer = "[[signer]]\nname = 'a'\nkey = 'k'\n";
    for (text, words) in [
        ("[[signer]]\nname = 'a'".to_owned(), "needs one of"),
        ("[[signer]]\nname = 'a'\nkey = 'k'\nidentity = 'i'".to_owned(), "needs one of"),
        ("[[signer]]\nname = 'a'\nidentity = 'i'\nroots = []".to_owned(), "needs one of"),
        ("[[signer]]\nname = 'a'\nidentity = 'i'\nroots = ['r']\nissuer = 'u'".to_owned(), "needs one of"),
        (signer.repeat(2), "two signers"),
        (format!("{signer}[[rule]]\nsubject = '*'\nsigners = ['b']"), "no [[trust.signer]] describes"),
        (format!("{signer}[[rule]]\nsubject = '*'\nsigners = ['a', 'a']\nsignatures = 2"), "2 signatures of 1 signers"),
        (format!("{signer}[[rule]]\nsubject = '*'\nsigners = []\nsignatures = 0"), "0 signatures"),
        (format!("[[denied]]\ndigest = '{}'\nreason = ' '", "0".repeat(64)), "empty reason"),
    ] {
        assert!(error(&text).contains(words), "{text}: {}", error(&text));
    }
}
