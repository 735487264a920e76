//! Signing: every service is asked, and whoever verifies sees who it was.

use waag_signing::keyless::{
    Code, Content, Identity, Services, Token, VerifiedStatement, sign_artifact, sign_statement, verify_artifact,
    verify_statement,
};
use waag_signing::signer::TimeSource;
use waag_testkit::sigstore::Options;

use crate::instance::{IDENTITY, ISSUER, Local, STATEMENT, identity};

#[test]
fn what_is_signed_verifies_with_both_logs() {
    let local = Local::good();
    for (version, log_index) in [(1, 3), (2, 3)] {
        let signed = local.sign(version).unwrap();
        let VerifiedStatement { statement, signer } =
            verify_statement(signed.bundle.as_bytes(), &identity(), &local.root).unwrap();
        assert_eq!(statement, STATEMENT.as_bytes());
        assert_eq!(signer, signed.signer);
        assert_eq!(signer.identity.as_deref(), Some(IDENTITY));
        assert_eq!(signer.issuer.as_deref(), Some(ISSUER));
        assert_eq!(signer.log_index, Some(log_index));
        let sources: Vec<TimeSource> = signer.times.iter().map(|time| time.source).collect();
        let expected = [TimeSource::TransparencyLog, TimeSource::TimestampAuthority];
        assert_eq!(sources, expected[usize::from(version == 2)..]);
    }
}

#[test]
fn artifacts_are_signed_by_bytes_or_by_digest() {
    let local = Local::good();
    let content = Content::Bytes(b"weights");
    for version in [1, 2] {
        let signed = sign_artifact(content, local.token(IDENTITY), &local.services(version), &local.root).unwrap();
        let verify = |content| verify_artifact(signed.bundle.as_bytes(), content, &identity(), &local.root);
        assert_eq!(verify(content).unwrap(), signed.signer);
        assert_eq!(verify(Content::Bytes(b"other weights")).unwrap_err().code(), Code::ArtifactMismatch);
    }
}

#[test]
fn workflows_sign_with_their_address() {
    let local = Local::good();
    let workflow = "https://github.com/waag/waag/.github/workflows/release.yml@refs/heads/main";
    let signed = sign_statement(STATEMENT.as_bytes(), local.token(workflow), &local.services(2), &local.root).unwrap();
    let identity = Identity { name: workflow.to_owned(), issuer: ISSUER.to_owned() };
    assert!(verify_statement(signed.bundle.as_bytes(), &identity, &local.root).is_ok());
}

#[test]
fn tokens_of_others_get_no_certificate() {
    let (local, other) = (Local::good(), Local::new(Options { keys: 50, ..Options::default() }));
    let error =
        sign_statement(STATEMENT.as_bytes(), other.token(IDENTITY), &local.services(1), &local.root).unwrap_err();
    assert_eq!(error.code(), Code::CertificateRefused);
}

#[test]
fn what_is_no_statement_is_sent_nowhere() {
    let local = Local::good();
    // Nobody listens there.
    let config = local.server.instance().signing_config("http://127.0.0.1:1", 1);
    let nowhere = Services::from_json(config.to_string().as_bytes()).unwrap();
    for statement in ["", "{}", r#"{"_type":"x","subject":[],"predicateType":"y"}"#] {
        let error = sign_statement(statement.as_bytes(), local.token(IDENTITY), &nowhere, &local.root).unwrap_err();
        assert_eq!(error.code(), Code::StatementInvalid, "{statement}");
    }
    let error = sign_statement(STATEMENT.as_bytes(), local.token(IDENTITY), &nowhere, &local.root).unwrap_err();
    assert_eq!(error.code(), Code::CertificateRefused);
}

#[test]
fn a_result_that_nobody_could_verify_is_not_given_out() {
    let (local, other) = (Local::good(), Local::new(Options { keys: 50, ..Options::default() }));
    let token = Token::from_jwt(&local.server.instance().token(IDENTITY, ISSUER)).unwrap();
    let error = sign_statement(STATEMENT.as_bytes(), token, &local.services(1), &other.root).unwrap_err();
    assert_eq!(error.code(), Code::UntrustedRoot);
}
