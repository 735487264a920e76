//! Bundles that other programs wrote, with the models that they are over; and models that were changed.

use std::path::{Path, PathBuf};
use std::process::Command;

use waag_signing::certificate::Certificate;

use super::*;
use crate::scan::Silent;
use crate::trust_store::TrustStore;

/// The models of the vectors, unpacked.
struct Models(tempfile::TempDir);

impl Models {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = vectors().join("models.tgz");
        let unpacked = Command::new("tar").arg("xzf").arg(archive).current_dir(folder.path()).status().unwrap();
        assert!(unpacked.success());
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../signing/tests/vectors")
}

fn key(name: &str) -> Trusted {
    Trusted::Key(key_files::public_key(&vectors().join(format!("keys/{name}.pub.pem"))).unwrap())
}

fn authority(name: &str) -> Trusted {
    let roots: Vec<Certificate> = key_files::certificates(&[vectors().join("keys/ca.crt")]).unwrap();
    Trusted::Certificate { roots, name: name.to_owned() }
}

fn report(model: &Path, signature: &str, trusted: Trusted, strict: bool) -> VerifyReport {
    let signatures = [vectors().join(signature)];
    let trust = Trust::Signer(Box::new(trusted));
    let request = Request { model, signatures: &signatures, trust, ignore: &[], allow_unsigned: false, strict };
    verify(&request, "2026-11-27T12:00:00Z".parse().unwrap(), &Silent).unwrap()
}

/// Codes of what is wrong, with the names of files.
fn wrong(report: &VerifyReport) -> Vec<String> {
    let signature = &report.signatures[0];
    let problems = signature.problems.iter().map(|problem| problem.code.to_owned());
    let differences = signature.differences.iter();
    let wrong: Vec<_> = problems
        .chain(differences.map(|difference| format!("{} {}", difference.code.name(), difference.name)))
        .collect();
    assert_eq!(wrong.is_empty(), report.verified);
    wrong
}

#[test]
fn models_that_others_signed_verify() {
    let models = Models::new();
    let model = models.path("model");
    for (signature, trusted) in [
        ("key-p256", key("p256")),
        ("key-p384", key("p384")),
        ("key-p521", key("p521")),
        ("key-p256-blake2", key("p256")),
        ("key-p256-blake3", key("p256")),
        ("key-p256-shards-blake3", key("p256")),
        ("key-p256-shards100k", key("p256")),
        ("pkcs11-p256", key("p256")),
        ("pkcs11-p384", key("p384")),
        ("cert-p256", authority("signer@example.org")),
        ("cert-p384-with-root", authority("https://example.org/release")),
    ] {
        assert_eq!(wrong(&report(&model, &format!("sigs/{signature}.sig"), trusted, false)), [""; 0], "{signature}");
    }
}

#[test]
fn a_single_file_has_two_names() {
    let models = Models::new();
    let file = models.path("model/model.safetensors");
    for signature in ["sigs/key-p256-singlefile.sig", "tampered/singlefile-specname.sig"] {
        assert_eq!(wrong(&report(&file, signature, key("p256"), false)), [""; 0], "{signature}");
    }
}

#[test]
fn a_signature_inside_the_model_is_left_out() {
    let models = Models::new();
    let model = models.path("model-with-sig");
    let signatures = [model.join("model.sig")];
    let trust = Trust::Signer(Box::new(key("p256")));
    let request =
        Request { model: &model, signatures: &signatures, trust, ignore: &[], allow_unsigned: false, strict: false };
    let report = verify(&request, "2026-11-27T12:00:00Z".parse().unwrap(), &Silent).unwrap();
    assert_eq!(wrong(&report), [""; 0]);
    let uncovered: Vec<_> =
        report.signatures[0].uncovered.iter().map(|open| (open.path.as_str(), open.reason)).collect();
    assert!(uncovered.contains(&(".git", "ignored-by-default")), "{uncovered:?}");
}

#[test]
fn what_was_changed_is_named() {
    let signature = "sigs/key-p256.sig";
    let changed = |change: &dyn Fn(&Path)| {
        let models = Models::new();
        let model = models.path("model");
        change(&model);
        wrong(&report(&model, signature, key("p256"), false))
    };
    let write =
        |name: &'static str, bytes: &'static [u8]| move |model: &Path| std::fs::write(model.join(name), bytes).unwrap();
    assert_eq!(changed(&write("config.json", b"{}")), ["changed-file config.json"]);
    assert_eq!(changed(&write("more.py", b"")), ["unsigned-file more.py"]);
    assert_eq!(changed(&|model| std::fs::remove_file(model.join("a.txt")).unwrap()), ["missing-file a.txt"]);
    let renamed = changed(&|model| std::fs::rename(model.join("a.txt"), model.join("b.txt")).unwrap());
    assert_eq!(renamed, ["missing-file a.txt", "unsigned-file b.txt"]);
    let linked = changed(&|model| {
        std::fs::rename(model.join("a.txt"), model.parent().unwrap().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink("../elsewhere", model.join("a.txt")).unwrap();
    });
    assert_eq!(linked, ["link-not-covered"]);
}

#[test]
fn what_nobody_signed_fails_where_it_could_be_loaded() {
    let models = Models::new();
    let model = models.path("model");
    let signature = "sigs/key-p256.sig";
    assert_eq!(wrong(&report(&model, signature, key("p256"), true)), [""; 0]);
    std::fs::write(model.join(".git/model.pkl"), "x").unwrap();
    assert_eq!(wrong(&report(&model, signature, key("p256"), false)), [""; 0]);
    assert_eq!(wrong(&report(&model, signature, key("p256"), true)), ["uncovered-loadable"]);
}

#[test]
fn names_with_colons_are_files_and_shards() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("a:b.bin"), colon_content()).unwrap();
    for signature in ["sigs/key-p256-colon-files.sig", "sigs/key-p256-colon-shards.sig"] {
        assert_eq!(wrong(&report(root.path(), signature, key("p256"), false)), [""; 0], "{signature}");
    }
}

/// What the vectors' maker signed: ten bytes.
fn colon_content() -> &'static [u8] {
    b"xxxxxxxxxx"
}

#[test]
fn reports_follow_their_schema() {
    let schema = include_str!("../../../../docs/schema/verify.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let models = Models::new();
    let model = models.path("model");
    std::fs::write(model.join(".git/model.pkl"), "x").unwrap();
    std::fs::write(model.join("config.json"), "x").unwrap();
    for (signature, trusted) in [
        ("sigs/key-p256.sig", key("p256")),
        ("sigs/cert-p256.sig", authority("signer@example.org")),
        ("sigs/cert-expired.sig", authority("expired")),
    ] {
        let found = serde_json::to_value(report(&model, signature, trusted, true)).unwrap();
        let errors: Vec<_> = schema.iter_errors(&found).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{found}");
    }
}

/// A folder with settings, a model and keys.
fn with_policy(rule: &str) -> VerifyReport {
    let models = Models::new();
    std::fs::copy(vectors().join("keys/p256.pub.pem"), models.path("p256.pem")).unwrap();
    std::fs::copy(vectors().join("keys/p384.pub.pem"), models.path("p384.pem")).unwrap();
    let signers =
        "[[trust.signer]]\nname = 'one'\nkey = 'p256.pem'\n[[trust.signer]]\nname = 'other'\nkey = 'p384.pem'\n";
    std::fs::write(models.path("waag.toml"), format!("{signers}{rule}")).unwrap();
    let settings = crate::settings::Settings::load(&models.path("waag.toml")).unwrap();
    let signatures = ["key-p256", "key-p384"].map(|name| vectors().join(format!("sigs/{name}.sig")));
    let store = TrustStore::new(None);
    let trust = Trust::Policy { policy: &settings.trust, folder: &settings.folder, store: &store };
    let model = models.path("model");
    let request =
        Request { model: &model, signatures: &signatures, trust, ignore: &[], allow_unsigned: false, strict: false };
    verify(&request, "2026-11-27T12:00:00Z".parse().unwrap(), &Silent).unwrap()
}

#[test]
fn settings_say_whom_to_trust() {
    let rule = |text: &str| with_policy(&format!("[[trust.rule]]\nsubject = 'model'\n{text}"));
    let both = rule("signers = ['one', 'other']\nsignatures = 2");
    assert!(both.verified, "{both:?}");
    assert_eq!(both.signatures[1].signer_name.as_deref(), Some("other"));
    let one = rule("signers = ['one']");
    assert!(one.verified && !one.signatures[1].is_good());
    assert!(!rule("signers = ['one']\nmax-age-days = 1000").verified, "a key's signature has no time");
    assert!(!with_policy("[[trust.rule]]\nsubject = 'other'\nsigners = ['one']").verified);
    let denied = "43220ea96b565abee73004e20f9ac1d34eec00fe6884c57e3b29deef7754d343";
    let denied = rule(&format!("signers = ['one']\n[[trust.denied]]\ndigest = '{denied}'\nreason = 'leaked'"));
    assert!(!denied.verified && denied.policy.len() == 1, "{:?}", denied.policy);
}
