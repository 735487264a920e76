//! A verdict as SLSA's verification summary.

use jiff::Timestamp;
use waag_evidence::Decision;
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::verdict::{FAILED, VerificationResult, VerificationSummary, Verifier};

use super::TOOL;
use super::scan::Scanned;

/// The level of what the policy allows. SLSA leaves words that do not start with `SLSA_` to whoever writes them.
const ALLOWED: &str = "WAAG_CHECK_ALLOW";

/// The verdict on a scan. What is neither allowed nor shown to be bad did not pass.
pub(super) fn summary(
    scanned: &Scanned,
    policy: ResourceDescriptor,
    resource: Option<&str>,
    now: Timestamp,
) -> VerificationSummary {
    let (verification_result, level) = match scanned.decision() {
        Decision::Allow => (VerificationResult::Passed, ALLOWED),
        Decision::Inconclusive | Decision::Deny => (VerificationResult::Failed, FAILED),
    };
    let version = [("waag".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    VerificationSummary {
        verifier: Verifier { id: TOOL.to_owned(), version: version.into_iter().collect() },
        time_verified: Some(seconds(now)),
        resource_uri: resource.map_or_else(|| format!("file:{}", escaped(&scanned.name())), str::to_owned),
        policy,
        input_attestations: Vec::new(),
        verification_result,
        verified_levels: vec![level.to_owned()],
        dependency_levels: None,
        slsa_version: Some("1.2".to_owned()),
    }
}

/// Fractions of a second say nothing here.
fn seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// A name as it stands in a URI.
fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_are_escaped() {
        assert_eq!(escaped("llama-3.1_8B~x"), "llama-3.1_8B~x");
        assert_eq!(escaped("a b/ü"), "a%20b%2F%C3%BC");
    }
}
