//! Trusted roots and Sigstore's client protocol, as a shell sees them: what is shown, what is kept, what is refused.

// A test may stop at what it did not expect, and reads only what it made itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use waag_testkit::sigstore::{Instance, Options, Server};

const IDENTITY: &str = "signer@waag.test";
const ISSUER: &str = "https://issuer.waag.test";
const NAMED: [&str; 4] = ["--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER];

/// A user's folders, and a Sigstore instance with its files.
struct User {
    folder: tempfile::TempDir,
    server: Server,
}

impl User {
    fn new() -> Self {
        let user =
            Self { folder: tempfile::tempdir().unwrap(), server: Instance::new(Options::default()).serve(0).unwrap() };
        let instance = user.server.instance();
        user.write("root.json", instance.trusted_root().to_string());
        user.write("services.json", instance.signing_config(user.server.address(), 2).to_string());
        user.write("client.json", instance.trust_config(user.server.address(), 2).to_string());
        user.write("repository.json", String::from_utf8(instance.repository_root()).unwrap());
        user
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn waag(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("XDG_DATA_HOME", self.path("data"));
        command.output().unwrap()
    }

    fn good(&self, arguments: &[&str]) -> String {
        let output = self.waag(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn bad(&self, arguments: &[&str], code: i32) -> String {
        let output = self.waag(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    /// Where the root comes from, and the names of the transparency logs.
    fn shown(&self) -> (String, Vec<String>) {
        let shown: Value = serde_json::from_str(&self.good(&["trust", "show", "--format", "json"])).unwrap();
        let authorities = shown["authorities"].as_array().unwrap().iter();
        let logs = authorities.filter(|one| one["role"] == "transparency log");
        let logs = logs.map(|log| log["name"].as_str().unwrap().to_owned()).collect();
        (shown["origin"].as_str().unwrap().to_owned(), logs)
    }
}

#[test]
fn a_root_is_within_until_one_is_imported() {
    let user = User::new();
    let (origin, logs) = user.shown();
    assert_eq!(origin, "within");
    assert!(logs.contains(&"https://rekor.sigstore.dev".to_owned()));
    let kept = user.good(&["trust", "import", "client.json"]);
    assert!(kept.starts_with("trusted root kept in ") && kept.contains("trusted_root.json"), "{kept}");
    assert_eq!(
        user.shown(),
        ("stored".to_owned(), vec!["http://rekor.waag.test".into(), "http://log.rekor.waag.test".into()])
    );
    assert!(user.path("data/waag/signing_config.json").exists());
    // The instance is believed from ten days ago.
    let plain = user.good(&["trust", "show", "root.json"]).replace(|letter: char| letter.is_ascii_digit(), "9");
    insta::assert_snapshot!(plain);
}

#[test]
fn what_is_no_root_is_not_kept() {
    let user = User::new();
    for name in ["services.json", "repository.json", "missing.json"] {
        let said = user.bad(&["trust", "import", name], 2);
        assert!(said.contains("error: ") && said.contains("hint: "), "{said}");
    }
    assert_eq!(user.shown().0, "within");
}

#[test]
fn a_root_is_fetched_from_a_repository() {
    let user = User::new();
    let address = format!("{}/tuf", user.server.address());
    user.good(&["trust", "update", "--repository", &address, "--repository-root", "repository.json"]);
    assert_eq!(user.shown().0, "stored");
    let other = User::new();
    let nobody = ["trust", "update", "--repository", "http://127.0.0.1:1", "--repository-root", "repository.json"];
    assert!(other.bad(&nobody, 2).contains("waag trust import"));
    assert_eq!(other.shown().0, "within");
}

impl User {
    /// A model, and what it takes to sign it.
    fn with_model() -> Self {
        let user = Self::new();
        std::fs::create_dir(user.path("model")).unwrap();
        user.write("model/config.json", "{}");
        user.write("token", user.server.instance().token(IDENTITY, ISSUER));
        user
    }

    fn sign(&self) -> String {
        // One file has both: where the services are, and the keys to believe them by.
        let services = ["--trust_config", "client.json"];
        let sign = ["sign", "model", "--signature", "model.sig", "--keyless", "--identity-token", "token"];
        self.good(&[&sign[..], &services].concat())
    }
}

const VERIFY: [&str; 4] = ["verify", "model", "--signature", "model.sig"];

#[test]
fn a_model_is_signed_without_a_key_and_verified() {
    let user = User::with_model();
    assert!(user.sign().contains("signer@waag.test, confirmed by https://issuer.waag.test"));
    let root = ["--trusted-root", "root.json"];
    let by = |identity, issuer| [&VERIFY[..], &root, &["--identity", identity, "--issuer", issuer]].concat();
    let said = user.good(&by(IDENTITY, ISSUER));
    assert!(said.contains("signer@waag.test") && said.contains("by a timestamp authority"), "{said}");
    for (identity, issuer, code) in [
        ("other@waag.test", ISSUER, "bad[identity-mismatch]"),
        (IDENTITY, "https://other.waag.test", "bad[issuer-mismatch]"),
    ] {
        let said = user.bad(&by(identity, issuer), 1);
        assert!(said.contains(code), "{said}");
    }
    // The public instance does not vouch for it.
    let public = [&VERIFY[..], &["--identity", IDENTITY, "--issuer", ISSUER]].concat();
    assert!(user.bad(&public, 1).contains("bad[untrusted-root]"));
    user.write("model/config.json", "{ }");
    assert!(user.bad(&by(IDENTITY, ISSUER), 1).contains("config.json"));
}

#[test]
fn an_imported_root_counts_for_settings_too() {
    let user = User::with_model();
    user.sign();
    user.write(
        "waag.toml",
        format!("[[trust.signer]]\nname = \"release\"\nidentity = \"{IDENTITY}\"\nissuer = \"{ISSUER}\"\n\n[[trust.rule]]\nsubject = \"model\"\nsigners = [\"release\"]\n"),
    );
    assert!(user.bad(&VERIFY, 1).contains("bad[untrusted-root]"));
    user.good(&["trust", "import", "root.json"]);
    assert!(user.good(&VERIFY).contains("'release' in the settings"));
}

#[test]
fn nobody_signs_without_a_token() {
    let user = User::with_model();
    let sign = ["sign", "model", "--signature", "model.sig", "--keyless", "--signing-config", "services.json"];
    let said = user.bad(&sign, 2);
    assert!(said.contains("nobody to ask") && said.contains("SIGSTORE_ID_TOKEN"), "{said}");
    assert!(!user.path("model.sig").exists());
}

#[test]
fn the_client_protocol_signs_and_verifies() {
    let user = User::new();
    user.write("artifact", "weights");
    let token = user.server.instance().token(IDENTITY, ISSUER);
    let services = ["--trusted-root", "root.json", "--signing-config", "services.json"];
    let sign = ["conformance", "sign-bundle", "--identity-token", &token, "--bundle", "bundle.json"];
    user.good(&[&sign[..], &services, &["artifact"]].concat());
    let verify = ["conformance", "verify-bundle", "--trusted-root", "root.json", "--bundle", "bundle.json"];
    let said = user.good(&[&verify[..], &NAMED, &["artifact"]].concat());
    assert!(said.starts_with("verified: signer@waag.test, confirmed by https://issuer.waag.test, at "), "{said}");
    let other = ["--certificate-identity", "other@waag.test", "--certificate-oidc-issuer", ISSUER];
    let said = user.bad(&[&verify[..], &other, &["artifact"]].concat(), 1);
    assert!(said.starts_with("refused: identity-mismatch"), "{said}");
    // The root of the public instance is the one that counts where none is named.
    let verify = ["conformance", "verify-bundle", "--bundle", "bundle.json"];
    assert!(user.bad(&[&verify[..], &NAMED, &["artifact"]].concat(), 1).starts_with("refused: untrusted-root"));
    user.bad(&[&verify[..], &["artifact"]].concat(), 2);
}
