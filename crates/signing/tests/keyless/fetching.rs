//! Renewing a trusted root: what a repository has is believed by its first metadata, and by nothing else.

use waag_signing::keyless::{Code, Repository, Services, TrustedRoot, fetch_material};
use waag_testkit::sigstore::Options;

use crate::instance::Local;

fn repository(local: &Local, root: Vec<u8>) -> Repository {
    Repository::Other { address: format!("{}/tuf", local.server.address()), root }
}

#[test]
fn a_root_is_fetched_and_believed() {
    let (local, memory) = (Local::good(), tempfile::tempdir().unwrap());
    let root = local.server.instance().repository_root();
    let material = fetch_material(&repository(&local, root), memory.path()).unwrap();
    let fetched = TrustedRoot::from_json(material.trusted_root.as_bytes()).unwrap();
    assert_eq!(fetched.authorities(), local.root.authorities());
    assert!(Services::from_json(material.signing_config.as_bytes()).is_ok());
    // The second time it is known already.
    let root = local.server.instance().repository_root();
    assert!(fetch_material(&repository(&local, root), memory.path()).is_ok());
}

#[test]
fn another_repository_is_not_believed() {
    let (local, memory) = (Local::good(), tempfile::tempdir().unwrap());
    let other = Local::new(Options { keys: 50, ..Options::default() });
    let root = other.server.instance().repository_root();
    let error = fetch_material(&repository(&local, root), memory.path()).unwrap_err();
    assert_eq!(error.code(), Code::FetchFailed);
}

#[test]
fn what_has_expired_is_not_believed() {
    let memory = tempfile::tempdir().unwrap();
    let old = Local::new(Options { ahead: -jiff::SignedDuration::from_hours(24 * 30), ..Options::default() });
    let root = old.server.instance().repository_root();
    let error = fetch_material(&repository(&old, root), memory.path()).unwrap_err();
    assert_eq!(error.code(), Code::FetchFailed);
    assert!(error.to_string().contains("expired"), "{error}");
}
