//! A verdict as SLSA's verification summary.

use jiff::Timestamp;
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::verdict::{Circumstances, VerificationSummary, Verifier};

use super::TOOL;
use super::scan::Scanned;

/// The verdict on a scan, with the attestations that it rests on.
pub(super) fn summary(
    scanned: &Scanned,
    policy: ResourceDescriptor,
    resource: Option<&str>,
    now: Timestamp,
) -> VerificationSummary {
    let version = [("waag".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    let circumstances = Circumstances {
        verifier: Verifier { id: TOOL.to_owned(), version: version.into_iter().collect() },
        at: now,
        resource_uri: resource.map_or_else(|| format!("file:{}", escaped(&scanned.name())), str::to_owned),
        policy,
        inputs: scanned.inputs(),
    };
    VerificationSummary::from((scanned.verdict(), circumstances))
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
