use crate::project::Project;
use crate::python::python;

/// Starts a connection to a port of this machine that is listened at.
const CONNECT: &str = r#"
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
open("out", "w").write(str(server.getsockname()[1]))
"#;

#[test]
fn addresses_are_recorded() {
    let project = Project::new();
    project.write("net.py", CONNECT);
    assert!(project.run(&["--", &python(), "net.py"]).status.success());
    let address = format!("127.0.0.1:{}", project.text("out"));
    let statement = project.statement("provenance.intoto.json");
    assert!(statement.internal()["connectedTo"].to_string().contains(&address), "{}", statement.internal());
    assert!(statement.internal()["listenedAt"].to_string().contains("127.0.0.1:0"), "{}", statement.internal());
}

#[test]
fn without_network_nothing_is_connected() {
    let project = Project::new();
    project.write("net.py", CONNECT);
    for more in [&[][..], &["--no-capture", "--output", "out"]] {
        let output = project.run(&[more, &["--no-network", "--", &python(), "net.py"]].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("PermissionError"));
    }
    // What stays within the machine goes on.
    let statement = project.shell(&["--no-network"], "echo a > out");
    assert_eq!(statement.0["predicate"]["buildDefinition"]["externalParameters"]["network"], "denied");
}

/// Temporary folders may be written to, so that the other place is in the user's own.
#[test]
fn the_sandbox_lets_write_here_and_not_elsewhere() {
    let project = Project::new();
    let elsewhere = tempfile::tempdir_in(std::env::var("HOME").unwrap()).unwrap();
    let target = elsewhere.path().join("a").display().to_string();
    let script = format!("echo a > here; echo b > '{target}'");
    let output = project.run(&["--sandbox", "--", "sh", "-c", &script]);
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    if talk.contains("has no Landlock") {
        assert_eq!(output.status.code(), Some(2));
        return;
    }
    assert!(talk.contains("Permission denied") && !elsewhere.path().join("a").exists(), "{talk}");
    let statement = project.statement("provenance.intoto.json");
    assert_eq!(statement.outputs(), ["here"]);
    assert!(statement.internal()["sandboxedBy"].as_str().unwrap().starts_with("Landlock"));
    let folder = elsewhere.path().display().to_string();
    project.shell(&["--sandbox", "--writable", &folder], &script);
    assert!(elsewhere.path().join("a").exists());
}

/// `io_uring_setup`, `open_by_handle_at`, and a debugger, by their numbers, which are the same on both processors.
const HIDE: &str = r#"
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
parameters = ctypes.create_string_buffer(120)
ring = libc.syscall(425, 8, parameters)
reason = ctypes.get_errno()
open("out", "w").write(f"{ring} {os.strerror(reason)}")
"#;

#[test]
fn what_would_hide_is_refused_and_said() {
    let project = Project::new();
    project.write("hide.py", HIDE);
    assert!(project.run(&["--", &python(), "hide.py"]).status.success());
    assert_eq!(project.text("out"), "-1 Operation not permitted");
    assert!(project.statement("provenance.intoto.json").not_seen().contains("io_uring was refused"));
}

#[test]
fn what_is_not_watched_is_declared() {
    let project = Project::new();
    project.write("in.csv", "abc");
    project.write("same.bin", "abc");
    let options = ["--no-capture", "--input", "dataset=in.csv", "--output", "out", "--output", "same.bin"];
    let statement = project.shell(&options, "cat in.csv > out; cat in.csv > beside");
    assert_eq!(statement.inputs(), [("in.csv", "dataset")]);
    assert_eq!(statement.outputs(), ["out", "same.bin"]);
    assert_eq!(statement.0["subject"][1]["annotations"]["sameAsBefore"], true);
    assert_eq!(statement.internal()["capture"], "declared, not observed");
    assert_eq!(statement.internal()["reproducibility"], "documented");
    let output = project.run(&["--no-capture", "--", "true"]);
    assert_eq!(output.status.code(), Some(2), "nothing is known");
}

/// Within a run, another one may not watch.
#[test]
fn where_watching_is_not_allowed_it_is_said() {
    let project = Project::new();
    project.write("in.csv", "abc");
    let waag = env!("CARGO_BIN_EXE_waag");
    let inner = ["--", waag, "run", "--provenance", "inner.json", "--input", "dataset=in.csv", "--output", "out", "--"];
    let output = project.run(&[&inner[..], &["cp", "in.csv", "out"]].concat());
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && talk.contains("may not be watched here"), "{talk}");
    let inner = project.statement("inner.json");
    assert_eq!(inner.internal()["capture"], "declared, not observed");
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(inner.dependency("in.csv")["digest"]["sha256"], abc);
    let outer = project.statement("provenance.intoto.json");
    assert!(outer.inputs().contains(&("in.csv", "dataset")), "{:?}", outer.inputs());
}

#[test]
fn mistakes_are_explained() {
    let project = Project::new();
    for arguments in [
        &["--input", "dataset=none", "--", "true"][..],
        &["--input", "data=none", "--", "true"],
        &["--parameter", "none", "--", "true"],
        &["--type", "cook", "--", "true"],
        &["--log", "none/log", "--", "true"],
        &["--again", "none"],
        &[],
    ] {
        let output = project.run(arguments);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && talk.starts_with("error: "), "{arguments:?}: {talk}");
    }
}

/// The folder of the workspace's crates.
fn crates(path: &str) -> String {
    format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_certificate_of_another_key_is_met_before_the_run() {
    let project = Project::new();
    let (key, other) = (crates("cli/tests/signing/private.pem"), crates("signing/tests/vectors/timestamps/other.crt"));
    let output = project.run(&["--key", &key, "--certificate", &other, "--", "touch", "ran"]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!project.path("ran").exists());
}

#[test]
fn what_was_seen_is_kept_where_nobody_signs() {
    let project = Project::new();
    let key = crates("cli/tests/signing/private.pem");
    let mut openssl = std::process::Command::new("openssl");
    openssl.args(["req", "-x509", "-subj", "/CN=a", "-days", "2", "-out", "a.crt", "-key", &key]);
    openssl.args(["-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=codeSigning"]);
    if !openssl.current_dir(project.path("")).output().is_ok_and(|output| output.status.success()) {
        return;
    }
    // The certificate is not valid yet when the run is over.
    let mut run = project.command(&["--key", &key, "--certificate", "a.crt", "--", "touch", "ran"]);
    let output = run.env("SOURCE_DATE_EPOCH", "1").output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && talk.contains("without a signature"), "{talk}");
    assert_eq!(project.statement("provenance.intoto.json").outputs(), ["ran"]);
}
