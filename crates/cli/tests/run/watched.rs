use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use crate::project::Project;

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn what_is_read_and_written_is_seen() {
    let project = Project::new();
    project.write("data/in.csv", "abc");
    let statement = project.shell(&[], "cat data/in.csv > out.bin; cat data/in.csv >/dev/null; echo x > gone; rm gone");
    assert_eq!(statement.inputs(), [("data/in.csv", "dataset")]);
    assert_eq!(statement.dependency("data/in.csv")["digest"]["sha256"], ABC);
    assert_eq!(statement.outputs(), ["out.bin"]);
    assert_eq!(statement.0["subject"][0]["digest"]["sha256"], ABC);
    assert_eq!(statement.internal()["capture"], "observed");
    assert_eq!(statement.internal()["reproducibility"], "captured");
    assert!(statement.internal()["notSeen"].is_null(), "{}", statement.not_seen());
    let executed = statement.internal()["executed"].to_string();
    assert!(executed.contains("cat") && executed.contains("rm"), "{executed}");
    let yaml = project.text("provenance.yaml");
    assert!(yaml.contains(&format!("training_data:\n  - path: \"data/in.csv\"\n    sha256: {ABC}\n")), "{yaml}");
    assert!(yaml.contains("  gpu:") && yaml.contains("duration_hours: 0."), "{yaml}");
}

#[test]
fn outputs_have_their_last_names() {
    let project = Project::new();
    let script = "mkdir tmp; echo a > tmp/part; mv tmp/part tmp/model; mv tmp out; echo b > new; ln new second; \
                  echo c > .swap; mv .swap latest; ln -s latest link; echo d >> link";
    let statement = project.shell(&[], script);
    assert_eq!(statement.outputs(), ["latest", "new", "out/model", "second"]);
    assert_eq!(statement.inputs(), []);
}

#[test]
fn files_that_are_changed_where_they_are_are_inputs_too() {
    let project = Project::new();
    project.write("log.txt", "abc");
    project.write("old.txt", "abc");
    project.write("cut.txt", "abc");
    let statement = project.shell(&[], "echo more >> log.txt; mv old.txt new.txt; : > cut.txt; cat cut.txt");
    assert_eq!(statement.inputs(), [("log.txt", "dataset"), ("old.txt", "dataset")]);
    let old = statement.dependency("old.txt");
    assert_eq!((&old["digest"]["sha256"], &old["annotations"]["writtenByRun"]), (&ABC.into(), &true.into()));
    let log = statement.dependency("log.txt");
    assert_eq!((&log["digest"]["sha256"], &log["annotations"]["writtenByRun"]), (&ABC.into(), &true.into()));
    assert_eq!(statement.outputs(), ["cut.txt", "log.txt", "new.txt"]);
    assert_eq!(statement.0["subject"][1]["annotations"]["replaced"], true);
}

#[test]
fn a_name_that_leads_elsewhere_later_is_looked_at_again() {
    let project = Project::new();
    project.write("one.csv", "abc");
    project.write("two.csv", "two");
    project.write("three.csv", "three");
    let script = "ln -sfn one.csv now.csv; cat now.csv > out; ln -sfn two.csv now.csv; cat now.csv >> out; \
                  cat < three.csv > /dev/null; cat /proc/self/cwd/one.csv > /dev/null";
    let statement = project.shell(&[], script);
    let mut digests: Vec<_> =
        statement.dependencies().iter().filter(|one| one["annotations"]["role"] == "dataset").collect();
    digests.sort_by_key(|one| one["name"].as_str().map(str::to_owned));
    assert_eq!(digests.len(), 3, "{digests:?}");
    assert!(digests.iter().any(|one| one["digest"]["sha256"] == ABC), "{digests:?}");
}

#[test]
fn data_in_memory_is_data() {
    let project = Project::new();
    let memory = tempfile::Builder::new().suffix(".csv").tempfile_in("/dev/shm").unwrap();
    std::fs::write(memory.path(), "abc").unwrap();
    let statement = project.shell(&[], &format!("cat {} > out", memory.path().display()));
    assert_eq!(statement.dependency(memory.path().to_str().unwrap())["digest"]["sha256"], ABC);
}

#[test]
fn an_input_is_hashed_before_the_run_overwrites_it() {
    let project = Project::new();
    let long = "x".repeat(30 << 20);
    project.write("data.bin", &long);
    project.write("copy.bin", &long);
    let digest = project.shell(&[], "cat copy.bin > /dev/null; echo > out").dependency("copy.bin")["digest"].clone();
    let statement = project.shell(&[], "head -c 1 data.bin > /dev/null; echo short > data.bin");
    let data = statement.dependency("data.bin");
    assert_eq!((&data["digest"], &data["annotations"]["writtenByRun"]), (&digest, &true.into()));
    assert!(data["annotations"]["changedDuringRun"].is_null());
}

#[test]
fn a_file_that_somebody_else_changes_meanwhile_is_flagged() {
    let project = Project::new();
    let data = project.write("data.csv", "abc");
    let mut command = project.command(&["--", "sh", "-c", "cat data.csv > out.txt; echo read; read answer"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    while !line.ends_with("read\n") {
        assert!(stdout.read_line(&mut line).unwrap() > 0);
    }
    std::fs::write(data, "other bytes").unwrap();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("'data.csv' changed during the run"));
    let statement = project.statement("provenance.intoto.json");
    assert_eq!(statement.dependency("data.csv")["annotations"]["changedDuringRun"], true);
}

#[test]
fn whole_trees_of_processes_are_followed() {
    let project = Project::new();
    for name in ["a", "b", "c", "d"] {
        project.write(name, name);
    }
    let statement = project
        .shell(&[], "cat a >o1 & (sh -c 'sh -c \"cat b > o2\"') & sh -c 'exec cat c > o3'; cat d | cat > o4; wait");
    let inputs: Vec<&str> = statement.inputs().into_iter().map(|(name, _)| name).collect();
    assert_eq!(inputs, ["a", "b", "c", "d"]);
    assert_eq!(statement.outputs(), ["o1", "o2", "o3", "o4"]);
}

#[test]
fn what_is_left_running_is_waited_for() {
    let project = Project::new();
    project.write("a", "late");
    let statement = project.shell(&[], "(sleep 0.3; cat a > late) > /dev/null 2>&1 < /dev/null & echo now > first");
    assert_eq!(statement.outputs(), ["first", "late"]);
}

#[test]
fn standard_streams_are_the_programs() {
    let project = Project::new();
    project.write("in.txt", "abc");
    let input = std::fs::File::open(project.path("in.txt")).unwrap();
    let output = std::fs::File::create(project.path("out.txt")).unwrap();
    let mut command = project.command(&["--", "sh", "-c", "cat; echo talk >&2; : > made"]);
    let output = command.stdin(input).stdout(output).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("talk\n"));
    assert_eq!(project.text("out.txt"), "abc");
    let statement = project.statement("provenance.intoto.json");
    assert_eq!(statement.inputs(), [("in.txt", "dataset")]);
    assert_eq!(statement.outputs(), ["made", "out.txt"]);
}

#[test]
fn exit_codes_are_the_programs() {
    let project = Project::new();
    for (script, code) in [("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143), ("true", 0), ("exit 300", 44)] {
        assert_eq!(project.run(&["--", "sh", "-c", script]).status.code(), Some(code), "{script}");
    }
    let output = project.run(&["--", "./not-there"]);
    assert_eq!(output.status.code(), Some(2));
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(talk.starts_with("error: cannot run './not-there'") && talk.contains("hint: "), "{talk}");
}

#[test]
fn signals_reach_the_program_and_its_answer_comes_back() {
    let project = Project::new();
    let script = "trap 'echo caught > out; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = project.command(&["--", "sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let killed = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_eq!(project.statement("provenance.intoto.json").outputs(), ["out"]);
}

#[test]
fn stopped_programs_stay_stopped_until_they_may_go_on() {
    let project = Project::new();
    // The shell stops itself; a child lets it go on.
    let script = "(sleep 0.4; cat /proc/$$/stat > state; kill -CONT $$) & kill -STOP $$; wait; echo on > out";
    assert_eq!(project.shell(&[], script).outputs(), ["out", "state"]);
    assert!(
        project.text("state").contains(") T ") || project.text("state").contains(") t "),
        "{}",
        project.text("state")
    );
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let project = Project::new();
    project.write("in.txt", "abc");
    let run = || {
        let mut command =
            project.command(&["--parameter", "b=2", "--parameter", "a=1", "--", "cp", "in.txt", "out.txt"]);
        assert!(command.env("SOURCE_DATE_EPOCH", "1000000000").output().unwrap().status.success());
        (project.text("provenance.intoto.json"), project.text("provenance.yaml"))
    };
    let first = run();
    std::fs::remove_file(project.path("out.txt")).unwrap();
    assert_eq!(first, run());
    assert!(first.1.contains("duration_hours:\n"), "{}", first.1);
}

#[test]
fn commits_are_recorded_and_secrets_are_not() {
    let project = Project::new();
    project.write("train.sh", "echo model > model.bin\n");
    let git = |arguments: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(arguments).current_dir(project.path(""));
        git.output().is_ok_and(|output| output.status.success())
    };
    if !git(&["init", "-q"]) {
        return;
    }
    assert!(git(&["add", "."]) && git(&["commit", "-qm", "first"]));
    assert!(git(&["remote", "add", "origin", "https://me:word@example.org/a.git"]));
    let run = || {
        let output = project.run(&["--", "sh", "train.sh", "--api-key", "abcdef"]);
        assert!(output.status.success());
        project.statement("provenance.intoto.json")
    };
    let statement = run();
    let commit = statement.dependency("commit");
    assert!(commit["uri"].as_str().unwrap().starts_with("git+https://example.org/a.git@"));
    assert_eq!(commit["annotations"]["dirty"], false);
    assert_eq!(statement.inputs(), [("train.sh", "code")]);
    let text = statement.0.to_string();
    assert!(!text.contains("abcdef") && !text.contains("me:word") && text.contains("[secret]"), "{text}");
    project.write("train.sh", "echo other > model.bin\n");
    assert_eq!(run().dependency("commit")["annotations"]["dirty"], true);
}

#[test]
fn a_provenance_that_somebody_wrote_is_left_alone() {
    let project = Project::new();
    project.write("provenance.yaml", "model: mine\n");
    project.shell(&[], "echo a > out");
    assert_eq!(project.text("provenance.yaml"), "model: mine\n");
    project.shell(&["--yaml", "plain.yaml"], "echo a > out");
    assert!(project.text("plain.yaml").contains("name: \"out\""));
}

#[test]
fn many_files_of_one_folder_are_one_input() {
    let project = Project::new();
    for number in 0..300 {
        project.write(&format!("images/{number}.png"), "abc");
    }
    let statement = project.shell(&["--input", "dataset=images"], "cat images/* > out");
    assert_eq!(statement.inputs(), [("images/", "dataset")]);
    let images = statement.dependency("images/");
    assert_eq!((&images["annotations"]["files"], &images["annotations"]["declared"]), (&300.into(), &true.into()));
    assert!(images["digest"]["dirHash"].is_string());
}

#[test]
fn a_log_is_written_and_shown() {
    let project = Project::new();
    let output = project.run(&["--log", "run.log", "--", "sh", "-c", "echo shown; echo talk >&2; echo a > out"]);
    assert_eq!(output.stdout, b"shown\n");
    assert!(output.stderr.starts_with(b"talk\n"));
    let log = project.text("run.log");
    assert!(log.contains("shown\n") && log.contains("talk\n"));
    let statement = project.statement("provenance.intoto.json");
    let byproducts = &statement.0["predicate"]["runDetails"]["byproducts"];
    assert_eq!((&byproducts[0]["name"], &byproducts[0]["annotations"]["kind"]), (&"run.log".into(), &"log".into()));
}
