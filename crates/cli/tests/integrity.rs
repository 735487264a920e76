//! Digests and locks as a person uses them, beside the programs that other people use.

// A test may stop at what it did not expect, and reads only what it made itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;
use std::process::{Command, Output};

fn waag(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
    command.current_dir(folder).args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn write(root: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// A model whose names are awkward to list.
fn model() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        &[
            ("model/config.json", "{}"),
            ("model/a/b c.txt", "1"),
            ("model/naïve-模型.txt", "2"),
            ("model/line\nbreak\\.txt", "3"),
            ("model/empty.txt", ""),
            ("model/.gitignore", "x"),
        ],
    );
    root
}

#[test]
fn sha256sum_checks_what_hash_prints() {
    let root = model();
    let list = root.path().join("SHA256SUMS");
    let list = list.to_str().unwrap();
    let hashed = waag(root.path(), &["hash", "model", "--format", "checksums", "--output", list]);
    assert!(hashed.status.success(), "{}", said(&hashed));
    let check = |arguments: &[&str]| {
        Command::new("sha256sum").current_dir(root.path().join("model")).args(arguments).output().unwrap()
    };
    let checked = check(&["--check", "--strict", list]);
    assert!(checked.status.success(), "{}", said(&checked));
    assert_eq!(said(&checked).lines().count(), 5);
    write(root.path(), &[("model/config.json", "[]")]);
    assert!(!check(&["--check", "--status", list]).status.success());
}

#[test]
fn the_names_root_is_what_sha256sum_and_sort_make() {
    let root = model();
    let hashed = waag(root.path(), &["hash", "model", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&hashed.stdout).unwrap();
    let script =
        "find . -type f ! -name .gitignore -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum";
    let made = Command::new("sh").current_dir(root.path().join("model")).args(["-c", script]).output().unwrap();
    let expected = said(&made).split(' ').next().unwrap().to_owned();
    assert_eq!(document["names_root"], expected);
    assert_eq!(document["left_out"][0]["path"], ".gitignore");
}

#[test]
fn digests_follow_their_schema() {
    let root = model();
    let schema = include_str!("../../../docs/schema/hash.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    for arguments in [
        &["hash", "model", "--format", "json"][..],
        &["hash", "model", "--format", "json", "--algorithm", "blake3,sha256", "--shard-size", "1"],
        &["hash", "model/config.json", "--format", "json", "--algorithm", "blake2b"],
    ] {
        let hashed = waag(root.path(), arguments);
        let document = serde_json::from_slice(&hashed.stdout).unwrap();
        let errors: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{arguments:?}: {errors:?}");
    }
}

#[test]
fn what_hash_prints_is_for_people() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("model/config.json", "{}"), ("model/a.txt", "a"), ("model/.git/HEAD", "x")]);
    insta::assert_snapshot!(said(&waag(root.path(), &["hash", "model"])));
    insta::assert_snapshot!(said(&waag(root.path(), &["hash", "model/a.txt", "--format", "lfs"])));
    let several = waag(root.path(), &["hash", "model", "-a", "sha256,blake3", "--format", "checksums"]);
    assert_eq!(several.status.code(), Some(2));
    assert!(said(&several).contains("hint: "), "{}", said(&several));
}

const SETTINGS: &str = "[[model]]\npath = 'models/base'\npins = ['models/base.sha256']\n[[dataset]]\nname = 'train'\npath = 'data/train.csv'\n";

/// A project with a model, a dataset and a list of checksums.
fn project() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        &[
            ("waag.toml", SETTINGS),
            ("models/base/config.json", "{}"),
            ("models/base/vocab.txt", "a\nb\n"),
            ("data/train.csv", "a,b\n1,2\n"),
            (
                "models/base.sha256",
                "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a  base/config.json\n",
            ),
        ],
    );
    root
}

#[test]
fn a_project_is_locked_checked_broken_and_brought_back() {
    let root = project();
    let locked = waag(root.path(), &["lock"]);
    assert!(locked.status.success(), "{}", said(&locked));
    insta::assert_snapshot!(std::fs::read_to_string(root.path().join("waag.lock")).unwrap());
    let again = waag(root.path(), &["lock", "--check"]);
    assert!(again.status.success(), "{}", said(&again));
    let checked = waag(root.path(), &["check"]);
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));

    let mirror = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").args(["-r", "models", "data"]).arg(mirror.path()).current_dir(root.path()).status();
    assert!(copied.unwrap().success());
    write(root.path(), &[("models/base/vocab.txt", "x"), ("models/base/extra.bin", "y")]);
    std::fs::remove_file(root.path().join("data/train.csv")).unwrap();
    let checked = waag(root.path(), &["check"]);
    assert_eq!(checked.status.code(), Some(1), "{}", said(&checked));
    for words in ["models/base/vocab.txt", "models/base/extra.bin", "data/train.csv"] {
        assert!(said(&checked).contains(words), "{words}: {}", said(&checked));
    }
    assert_eq!(waag(root.path(), &["lock", "--check"]).status.code(), Some(2), "a dataset is gone");

    let from = mirror.path().to_str().unwrap();
    let fetched = waag(root.path(), &["fetch", "--from", from]);
    assert!(fetched.status.success(), "{}", said(&fetched));
    assert!(said(&fetched).contains("2 files fetched, 1 already there"), "{}", said(&fetched));
    assert!(said(&fetched).contains("models/base/extra.bin is there and was not locked"), "{}", said(&fetched));
    std::fs::remove_file(root.path().join("models/base/extra.bin")).unwrap();
    assert_eq!(waag(root.path(), &["check"]).status.code(), Some(0));
}

#[test]
fn nothing_else_than_what_was_locked_takes_its_place() {
    let root = project();
    assert!(waag(root.path(), &["lock"]).status.success());
    let mirror = tempfile::tempdir().unwrap();
    write(mirror.path(), &[("models/base/config.json", "[]"), ("models/base/vocab.txt", "a\nb\n")]);
    write(root.path(), &[("models/base/config.json", "mine")]);
    let fetched = waag(root.path(), &["fetch", "base", "--from", mirror.path().to_str().unwrap()]);
    assert_eq!(fetched.status.code(), Some(1), "{}", said(&fetched));
    assert!(said(&fetched).contains("different  models/base/config.json"), "{}", said(&fetched));
    assert_eq!(std::fs::read_to_string(root.path().join("models/base/config.json")).unwrap(), "mine");
    assert_eq!(std::fs::read_dir(root.path().join("models/base")).unwrap().count(), 2, "nothing half-written is left");
}

#[test]
fn what_is_denied_or_breaks_a_promise_is_not_locked() {
    let root = project();
    write(root.path(), &[("models/base/config.json", "[]")]);
    let locked = waag(root.path(), &["lock"]);
    assert_eq!(locked.status.code(), Some(1));
    assert!(said(&locked).contains("models/base/config.json has sha256"), "{}", said(&locked));
    assert!(!root.path().join("waag.lock").exists());
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 6\n", "ab".repeat(32));
    write(root.path(), &[("models/base/config.json", "{}"), ("models/base/model.safetensors", &pointer)]);
    let locked = waag(root.path(), &["lock"]);
    assert!(said(&locked).contains("pointer of Git LFS"), "{}", said(&locked));
    assert_eq!(locked.status.code(), Some(1));
}

#[test]
fn lists_of_other_tools_are_kept_or_broken() {
    let root = model();
    let sum = "cd model && sha256sum config.json empty.txt > SHA256SUMS";
    assert!(Command::new("sh").current_dir(root.path()).args(["-c", sum]).status().unwrap().success());
    let arguments = ["verify", "model", "--pins", "model/SHA256SUMS"];
    let verified = waag(root.path(), &arguments);
    assert_eq!(verified.status.code(), Some(0), "{}", said(&verified));
    assert!(said(&verified).contains("verified: 2 files, by the checksum list"), "{}", said(&verified));
    assert!(said(&verified).contains("3 files of the model are not on the list"), "{}", said(&verified));
    write(root.path(), &[("model/config.json", "[]")]);
    let verified = waag(root.path(), &[&arguments[..], &["--format", "json"]].concat());
    assert_eq!(verified.status.code(), Some(1), "{}", said(&verified));
    let schema = include_str!("../../../docs/schema/pins.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let document = serde_json::from_slice(&verified.stdout).unwrap();
    assert!(schema.is_valid(&document), "{document}");
    assert_eq!(document[0]["broken"][0]["path"], "model/config.json");
    let nothing = waag(root.path(), &["verify", "model/line\nbreak\\.txt", "--pins", "model/SHA256SUMS"]);
    assert_eq!(nothing.status.code(), Some(2), "{}", said(&nothing));
}

#[test]
fn an_ingredient_has_to_be_signed_where_that_is_said() {
    let root = project();
    let settings = "[[model]]\npath = 'models/base'\nsignature = 'models/base/model.sig'\n";
    write(root.path(), &[("waag.toml", settings)]);
    let unnamed = waag(root.path(), &["lock"]);
    assert_eq!(unnamed.status.code(), Some(2), "{}", said(&unnamed));
    let trust =
        "[[trust.signer]]\nname = 'us'\nkey = 'public.pem'\n[[trust.rule]]\nsubject = 'models/**'\nsigners = ['us']\n";
    write(root.path(), &[("waag.toml", &format!("{settings}{trust}"))]);
    let keys =
        [("private.pem", include_str!("signing/private.pem")), ("public.pem", include_str!("signing/public.pem"))];
    write(root.path(), &keys);
    let signed =
        waag(root.path(), &["sign", "models/base", "--key", "private.pem", "--signature", "models/base/model.sig"]);
    assert!(signed.status.success(), "{}", said(&signed));
    let locked = waag(root.path(), &["lock"]);
    assert!(locked.status.success(), "{}", said(&locked));
    assert!(said(&locked).contains("signed by P-256 key"), "{}", said(&locked));
    // A signature beside the files that it is over is locked as they are.
    let checked = waag(root.path(), &["check"]);
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
    still_signed(root.path(), settings, trust);
    write(root.path(), &[("models/base/vocab.txt", "other")]);
    let refused = waag(root.path(), &["lock"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("vocab.txt (changed-file)"), "{}", said(&refused));
}

/// No byte differs from the lock, and `check` verifies the signature all the same.
fn still_signed(root: &Path, settings: &str, trust: &str) {
    let fails = |toml: &str, words: &str| {
        write(root, &[("waag.toml", toml)]);
        for asked in [&["check"][..], &["check", "models"], &["check", "models/base"]] {
            let checked = waag(root, asked);
            assert_eq!(checked.status.code(), Some(1), "{}", said(&checked));
            let told = said(&checked).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(told.contains("lock-drift") && told.contains(words), "{told}");
        }
        // Of a single file, only its bytes are asked for.
        assert_eq!(waag(root, &["check", "models/base/vocab.txt"]).status.code(), Some(0));
    };
    let mut openssl = Command::new("openssl");
    let other = openssl.current_dir(root).args(["ecparam", "-name", "prime256v1", "-genkey", "-noout"]);
    assert!(other.args(["-out", "other.pem"]).status().unwrap().success());
    let mut openssl = Command::new("openssl");
    let public = openssl.current_dir(root).args(["ec", "-in", "other.pem", "-pubout"]);
    assert!(public.args(["-out", "other.pub"]).status().unwrap().success());
    fails(&format!("{settings}{}", trust.replace("public.pem", "other.pub")), "its signature does not hold");
    fails(&format!("{settings}{}", trust.replace("public.pem", "gone.pem")), "its signature cannot be verified");
    fails(settings, "does not say by whom");
    fails("[[model]]\npath = 'models/base'\n", "asks for no signature any more");
    write(root, &[("waag.toml", &format!("{settings}{trust}"))]);
    assert_eq!(waag(root, &["check"]).status.code(), Some(0));
}

#[test]
fn a_project_without_a_lock_is_inconclusive() {
    let root = project();
    let checked = waag(root.path(), &["check"]);
    assert_eq!(checked.status.code(), Some(3), "{}", said(&checked));
    assert!(said(&checked).contains("lock-drift"), "{}", said(&checked));
    let empty = tempfile::tempdir().unwrap();
    let checked = waag(empty.path(), &["check"]);
    assert_eq!(checked.status.code(), Some(2), "{}", said(&checked));
}
