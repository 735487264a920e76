//! Files that are made to take long, and pins and digests that are none. What is counted here was quadratic once: a project
//! of these sizes ends at once or not at all.

use super::tests::{read, rules_found, told};
use super::*;

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// Reads one file beside others, and gives the number of packages and of findings.
fn sizes(files: &[(&str, &str)]) -> (usize, usize) {
    let reading = read(files);
    (reading.dependencies.len(), reading.findings.len())
}

#[test]
fn long_files_end() {
    let (indexes, extra) =
        (lines(4_000, |_| "-i x\n".into()), lines(4_000, |_| "--extra-index-url https://h/\n".into()));
    let packages = lines(4_000, |number| format!("a{number}==1\n"));
    assert_eq!(sizes(&[("requirements.txt", &indexes)]).0, 0);
    assert_eq!(sizes(&[("requirements.txt", &(extra + &packages))]).0, 4_000);
    let (extra, many) =
        (lines(50_000, |_| "--extra-index-url https://h/\n".into()), lines(50_000, |number| format!("a{number}\n")));
    let reading = read(&[("requirements.txt", &(extra + &many))]);
    let told = |rule: &str| reading.findings.iter().filter(|it| it.rule == rule).map(|it| it.count).sum::<u64>();
    // What of it was read is told, and that more was not.
    assert_eq!((reading.indexes.len(), told("index-confusion"), told("incomplete-analysis")), (5_000, 5_000, 45_000));
    let lock = lines(4_000, |number| format!("[[package]]\nname='a{number}'\nversion='1'\n"));
    assert_eq!(sizes(&[("requirements.txt", &packages), ("poetry.lock", &lock)]).0, 8_000);
    let files = lines(4_000, |number| format!("b{number}=[]\n"));
    assert_eq!(sizes(&[("poetry.lock", &format!("{lock}[metadata.files]\n{files}"))]).0, 4_000);
    let sources = lines(4_000, |number| format!("b{number}={{path='.'}}\n"));
    let list = lines(4_000, |number| format!("'a{number}',"));
    let text = format!("[project]\nname='x'\ndependencies=[{list}]\n[tool.uv.sources]\n{sources}");
    assert_eq!(sizes(&[("pyproject.toml", &text)]).0, 4_000);
}

#[test]
fn groups_that_take_in_each_other_end() {
    let all = lines(60, |number| format!("{{include-group='g{number}'}},"));
    let groups = lines(60, |number| format!("g{number}=[{all}]\n"));
    let reading = read(&[("pyproject.toml", &format!("[dependency-groups]\n{groups}"))]);
    let told: u64 = reading.findings.iter().map(|finding| finding.count).sum();
    assert_eq!((reading.findings.len(), told), (101, 60 * 61 / 2));
}

#[test]
fn what_is_not_understood_is_counted_and_not_kept() {
    let reading = read(&[("requirements.txt", &"!\n".repeat(20_000))]);
    let told: u64 = reading.findings.iter().map(|finding| finding.count).sum();
    assert_eq!((reading.findings.len(), told), (101, 20_000));
    let reading = read(&[("requirements.txt", &lines(20_000, |number| format!("-r {number}\n")))]);
    assert!(reading.findings.len() <= 102 && !reading.files[0].complete);
    assert!(
        !rules_found(&read(&[("requirements.txt", "-r a.txt\n"), ("a.txt", "a==1\n")]))
            .contains(&"incomplete-analysis")
    );
}

#[test]
fn many_files_end() {
    let names: Vec<String> = (0..200).map(|number| format!("d{number}/requirements.txt")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "a\nb\n")).collect();
    assert_eq!(sizes(&files).0, 400);
    let ranges = lines(300, |number| format!("a>={number}\n"));
    assert!(rules_found(&read(&[("requirements.txt", &ranges)])).contains(&"incomplete-analysis"));
    // In a folder each, they are compared with nothing, and nothing is left out.
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "a>=1\n")).collect();
    assert!(!rules_found(&read(&files)).contains(&"incomplete-analysis"));
}

/// Rules that speak of a file.
fn said_of<'r>(reading: &'r Reading, file: &str) -> Vec<&'r str> {
    let of_file = reading.findings.iter().filter(|finding| finding.location.file.ends_with(file));
    of_file.map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn a_list_is_pinned_by_what_it_takes_in() {
    let open = ("requirements.txt", "numpy\n");
    for (other, text) in
        [("requirements-test.txt", "numpy==1.26.4\n"), ("requirements-test.txt", "-r requirements.txt\nnumpy==1\n")]
    {
        let reading = read(&[open, (other, text)]);
        assert!(said_of(&reading, "/requirements.txt").contains(&"unpinned-dependency"), "{text}");
    }
    let reading = read(&[
        ("requirements.txt", "-c requirements-test.txt\nnumpy\n"),
        ("requirements-test.txt", "numpy==1.26.4\n"),
    ]);
    assert!(!rules_found(&reading).contains(&"unpinned-dependency"));
}

#[test]
fn a_lock_speaks_for_a_list_where_it_has_the_digests() {
    let list = ("app/requirements.txt", "numpy==1.26.4\n");
    let of = |name: &str| {
        format!("version = 1\n[[package]]\nname='{name}'\nversion='1.26.4'\nwheels=[{{hash='sha256:aa'}}]\n")
    };
    for (path, lock, is_said) in [
        ("uv.lock", of("numpy"), true),
        ("app/uv.lock", of("scipy"), true),
        ("app/uv.lock", "version = = 1".to_owned(), true),
        ("app/uv.lock", of("numpy"), false),
    ] {
        let reading = read(&[list, (path, &lock)]);
        assert_eq!(said_of(&reading, "requirements.txt").contains(&"unhashed-dependency"), is_said, "{path} {lock}");
    }
}

#[test]
fn a_digest_is_none_where_it_is_empty_or_can_be_forged() {
    let archive = |fragment: &str| format!("x @ https://h.example/x-1.0.tar.gz#{fragment}\n");
    for (fragment, is_said) in [
        ("sha256=".to_owned(), true),
        (format!("md5={}", "0".repeat(32)), true),
        (format!("md5={}&sha256={}", "0".repeat(32), "0".repeat(64)), false),
    ] {
        let reading = read(&[("requirements.txt", &archive(&fragment))]);
        assert_eq!(rules_found(&reading).contains(&"mutable-source"), is_said, "{fragment}");
    }
}

#[test]
fn a_lock_need_not_have_what_it_was_not_made_for() {
    let project = "[project]\nname='x'\ndependencies=['numpy==1.26.0']\n[dependency-groups]\ndocs=['sphinx==7.0']\n";
    let lock = |head: &str| format!("lock-version='1.0'\n{head}\n[[packages]]\nname='sphinx'\nversion='7.0'\n");
    let docs = "dependency-groups=['docs']\ndefault-groups=['docs']";
    for (name, head, is_said) in
        [("pylock.docs.toml", docs, false), ("pylock.toml", docs, false), ("pylock.toml", "", true)]
    {
        let reading = read(&[("pyproject.toml", project), (name, &lock(head))]);
        assert_eq!(rules_found(&reading).contains(&"lock-disagreement"), is_said, "{name} {head}");
    }
    let list = ("requirements.txt", "numpy==1.26.4 --hash=sha256:00\n");
    let said = |input: &str| rules_found(&read(&[("requirements.in", input), list])).contains(&"lock-disagreement");
    assert!(!said("numpy\nsetuptools\n") && said("numpy\nscipy\n"));
}

#[test]
fn what_is_named_is_read_as_it_is_written() {
    let conda = "dependencies:\n - _libgcc_mutex=0.1=main\n - openssl=1.1.1w=h7f8727e_0\n - tzdata=2024a=h04d1e81_0\n - numpy=1.26\n";
    let wheel = "vllm[audio] @ https://h.example/vllm-0.6.0-cp38-abi3-manylinux1_x86_64.whl\n-e \"peft[a] @ git+https://h.example/peft@v1\"\n";
    let reading = read(&[("environment.yml", conda), ("requirements.txt", wheel)]);
    assert_eq!(
        told(&reading),
        [
            "2: conda:-libgcc-mutex =0.1",
            "3: conda:openssl =1.1.1w",
            "4: conda:tzdata =2024a",
            "5: conda:numpy ==1.26.*",
            "1: vllm =0.6.0 archive https://h.example/vllm-0.6.0-cp38-abi3-manylinux1_x86_64.whl",
            "2: peft * repository https://h.example/peft v1 false",
        ]
    );
    assert_eq!(reading.dependencies[4].extras, ["audio"]);
    assert_eq!(reading.dependencies[5].extras, ["a"]);
}

#[test]
fn what_runs_at_every_start_is_grave() {
    let metadata = ("a-1.dist-info/METADATA", "Name: a\nVersion: 1\n");
    for file in [("sitecustomize.py", "pass\n"), ("usercustomize/__init__.py", ""), ("x.pth", "\u{feff}import os\n")] {
        let reading = read(&[metadata, file]);
        let high = reading.findings.iter().filter(|finding| finding.severity == waag_evidence::Severity::High);
        assert_eq!(high.count(), 1, "{file:?}: {:?}", reading.findings);
    }
}
