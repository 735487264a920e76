//! The ledger and lineage as a person uses them, and as processes that are killed or run beside each other leave them.

// A test may stop at what it did not expect, and reads only what it made itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A project with a cache of its own.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, cache: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("XDG_CACHE_HOME", self.path(cache)).env("NO_COLOR", "1").env("SOURCE_DATE_EPOCH", "1772600000");
        command
    }

    fn waag(&self, arguments: &[&str]) -> Output {
        self.command("cache", arguments).output().unwrap()
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command("cache", arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Exit code, stdout and stderr on one page.
    fn page(&self, arguments: &[&str]) -> String {
        let output = self.waag(arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(env!("CARGO_PKG_VERSION"), "[version]");
        let code = output.status.code().unwrap();
        format!("exit: {code}\n--- stdout\n{}--- stderr\n{}", text(&output.stdout), text(&output.stderr))
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    /// What the ledger lists, by an index that is made anew.
    fn listed_anew(&self) -> String {
        let cache = tempfile::tempdir_in(self.folder.path()).unwrap();
        let cache = cache.path().file_name().unwrap().to_str().unwrap().to_owned();
        let output = self.command(&cache, &["ledger", "list", "--format", "json"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn statement(subject: &str, parents: &[(&str, &str)]) -> String {
    let parents = parents
        .iter()
        .map(|(role, digest)| format!(r#"{{"digest":{{"sha256":"{digest}"}},"annotations":{{"role":"{role}"}}}}"#));
    let parents = parents.collect::<Vec<_>>().join(",");
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{subject}","digest":{{"sha256":"{subject}"}}}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{{"buildDefinition":{{"buildType":"https://waag.dev/build-types/fine-tune/v1","externalParameters":{{}},"resolvedDependencies":[{parents}]}},"runDetails":{{"builder":{{"id":"https://example.org/b"}}}}}}}}"#
    )
}

fn digest(number: u32) -> String {
    format!("{number:064x}")
}

/// A chain of models, each made from the one before.
fn chain(numbers: std::ops::Range<u32>) -> String {
    let lines = numbers.map(|number| statement(&digest(number + 1), &[("base-model", &digest(number))]));
    lines.collect::<Vec<_>>().join("\n")
}

fn entries(ledger: &Path) -> usize {
    let Ok(shards) = std::fs::read_dir(ledger.join("statements")) else { return 0 };
    shards.map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap().count()).sum()
}

#[test]
fn writers_that_are_killed_leave_a_whole_ledger() {
    let project = Project::new();
    project.write("all.jsonl", &chain(0..4_000));
    for kills in 1..5 {
        let before = entries(&project.path(".waag"));
        let mut writer = project.start(&["ledger", "import", "all.jsonl"]);
        // It is in the midst of writing files, or of the index, once there are more than there were.
        while entries(&project.path(".waag")) < before + 150 * kills && writer.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        let checked = project.waag(&["ledger", "check"]);
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    }
    assert!(project.waag(&["ledger", "import", "all.jsonl"]).status.success());
    assert_eq!(entries(&project.path(".waag")), 4_000);
    let listed = project.waag(&["ledger", "list", "--format", "json"]);
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), project.listed_anew());
    let affected = project.waag(&["lineage", "--affected-by", &digest(0), "--depth", "1000000", "--limit", "3"]);
    assert!(String::from_utf8_lossy(&affected.stdout).starts_with("4000 artifacts affected"), "{affected:?}");
}

#[test]
fn writers_beside_each_other_lose_nothing() {
    let project = Project::new();
    for writer in 0..6 {
        // Each shares half with the next.
        project.write(&format!("{writer}.jsonl"), &chain(writer * 100..writer * 100 + 200));
    }
    let names: Vec<String> = (0..6).map(|writer| format!("{writer}.jsonl")).collect();
    let mut writers: Vec<Child> = names.iter().map(|name| project.start(&["ledger", "add", name])).collect();
    // One of them is killed, and then runs again.
    writers[5].kill().unwrap();
    for writer in &mut writers[..5] {
        assert!(writer.wait().unwrap().success());
    }
    writers[5].wait().unwrap();
    assert!(project.waag(&["ledger", "add", "5.jsonl"]).status.success());
    assert_eq!(entries(&project.path(".waag")), 700);
    assert!(project.waag(&["ledger", "check"]).status.success());
    let listed = project.waag(&["ledger", "list", "--format", "json"]);
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), project.listed_anew());
}

/// A base model that is signed, a tuned one that is made from it, and an index of a stranger's.
fn example() -> Project {
    let project = Project::new();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signing");
    for key in ["private.pem", "public.pem"] {
        std::fs::copy(keys.join(key), project.path(key)).unwrap();
    }
    project.write("models/base/weights.txt", "base");
    project.write("models/base/config.json", "{}");
    project.write(
        "waag.toml",
        "[[trust.signer]]\nname = \"release\"\nkey = \"public.pem\"\n[[trust.rule]]\nsubject = \"**\"\nsigners = [\"release\"]\n",
    );
    let signed = project.waag(&["sign", "models/base", "--key", "private.pem", "--signature", "base.sig"]);
    assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    project
}

#[test]
fn a_signed_model_is_an_ancestor_whose_signer_is_named() {
    let project = example();
    let weights = "6fb5d3fc6bf4bc2a6c4d8c3f1a1e0b54b46d7fdbf8fdd9ac8d4d16c5b6ba9b5d";
    let hashed = project.waag(&["hash", "models/base/weights.txt", "--format", "checksums"]);
    let weights = String::from_utf8(hashed.stdout).unwrap().split(' ').next().unwrap_or(weights).to_owned();
    project.write("tuned.json", &statement(&digest(7), &[("base-model", &weights), ("dataset", &digest(8))]));
    let added = project.waag(&["ledger", "add", "base.sig", "tuned.json"]);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    insta::assert_snapshot!("lineage", project.page(&["lineage", &digest(7)]));
    insta::assert_snapshot!("lineage-path", project.page(&["lineage", "models/base", "--descendants"]));
    insta::assert_snapshot!("lineage-affected", project.page(&["lineage", "--affected-by", "models/base/weights.txt"]));
    insta::assert_snapshot!("lineage-unsigned", project.page(&["lineage", &digest(7), "--unsigned-path"]));
    insta::assert_snapshot!("lineage-unknown", project.page(&["lineage", "pkg:pypi/nothing@1"]));
    insta::assert_snapshot!("ledger-list", scrubbed(&project.page(&["ledger", "list"])));
    // Another key than the policy's proves nothing.
    project.write("waag.toml", "");
    let page = project.page(&["lineage", "models/base/weights.txt"]);
    assert!(page.contains("unverified signature of key"), "{page}");
}

/// Digests of signatures with a random part are others each time.
fn scrubbed(page: &str) -> String {
    page.lines().map(|line| if line.contains("  [") { &line[12..] } else { line }).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_was_changed_is_named_and_makes_the_answer_inconclusive() {
    let project = Project::new();
    project.write("chain.jsonl", &chain(0..3));
    assert!(project.waag(&["ledger", "add", "chain.jsonl"]).status.success());
    let listed = project.waag(&["ledger", "list", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let name = listed["statements"][0]["digest"].as_str().unwrap();
    let path = project.path(&format!(".waag/statements/{}/{name}.json", &name[..2]));
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole[..whole.len() - 1], b" }"].concat()).unwrap();
    let checked = project.waag(&["ledger", "check"]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&checked.stdout)
            .contains(&format!("statements/{}/{name}.json has other bytes", &name[..2]))
    );
    let answer = project.waag(&["lineage", &digest(3)]);
    assert_eq!(answer.status.code(), Some(3));
    assert!(
        String::from_utf8_lossy(&answer.stdout).contains(&format!("left out: the statement {name} has other bytes"))
    );
    let added = project.waag(&["ledger", "add", "chain.jsonl"]);
    assert!(String::from_utf8_lossy(&added.stdout).contains("1 repaired"));
    assert_eq!(project.waag(&["lineage", &digest(3)]).status.code(), Some(0));
}

#[test]
fn documents_for_programs_are_as_their_schemas_say() {
    let project = Project::new();
    project.write("chain.jsonl", &format!("{}\n{{\"no\":1}}", chain(0..3)));
    assert_eq!(project.waag(&["ledger", "add", "chain.jsonl"]).status.code(), Some(1), "one line is no statement");
    for (schema, arguments) in [
        ("ledger-list", &["ledger", "list", "--format", "json"][..]),
        ("ledger-check", &["ledger", "check", "--format", "json"]),
        ("lineage", &["lineage", &digest(3), "--format", "json"]),
        ("lineage", &["lineage", "nothing", "--format", "json"]),
    ] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/schema/{schema}.schema.json"));
        let schema: serde_json::Value = serde_json::from_slice(&std::fs::read(root).unwrap()).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&project.waag(arguments).stdout).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{arguments:?}: {errors:?}");
    }
}

#[test]
fn a_ledger_is_exchanged_as_the_same_bytes() {
    let project = Project::new();
    project.write("chain.jsonl", &chain(0..20));
    assert!(project.waag(&["ledger", "add", "chain.jsonl"]).status.success());
    assert!(project.waag(&["ledger", "export", "all.jsonl"]).status.success());
    assert!(project.waag(&["ledger", "export", "all/"]).status.success());
    let lines = std::fs::read(project.path("all.jsonl")).unwrap();
    for given in ["all.jsonl", "all"] {
        let other = format!("other-{given}");
        assert!(project.waag(&["ledger", "--ledger", &other, "import", given]).status.success());
        let exported = project.waag(&["ledger", "export", "-", "--ledger", &other]);
        assert_eq!(exported.stdout, lines);
    }
}
