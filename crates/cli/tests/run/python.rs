use crate::project::Project;

/// Whether there is a Python with these modules. Where it has to be there, its absence is a failure.
pub(crate) fn has(modules: &str) -> bool {
    let import = std::process::Command::new(python()).args(["-c", &format!("import {modules}")]).output();
    let there = import.is_ok_and(|output| output.status.success());
    assert!(there || std::env::var_os("WAAG_REQUIRE_PYTHON").is_none(), "Python with {modules} is required");
    there
}

/// The one of the tests, or that of the system.
pub(crate) fn python() -> String {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.venv/bin/python3");
    if std::path::Path::new(own).exists() { own.to_owned() } else { "python3".to_owned() }
}

const TRAIN: &str = r#"
import json, os, sys
import numpy, joblib
from sklearn.ensemble import RandomForestClassifier
table = numpy.loadtxt("data/iris.csv", delimiter=",")
model = RandomForestClassifier(n_estimators=5, random_state=7).fit(table[:, :-1], table[:, -1].astype(int))
os.makedirs("out", exist_ok=True)
joblib.dump(model, "out/model.tmp")
os.rename("out/model.tmp", "out/model.joblib")
json.dump({"score": model.score(table[:, :-1], table[:, -1])}, open("out/metrics.json", "w"))
"#;

#[test]
fn a_training_is_captured() {
    if !has("sklearn, joblib") {
        return;
    }
    let project = Project::new();
    project.write("train.py", TRAIN);
    let rows: String = (0..60).map(|row| format!("{row},{},{}\n", row * row % 7, row % 2)).collect();
    project.write("data/iris.csv", &rows);
    let mut command = project.command(&["--", &python(), "train.py"]);
    let output = command.env("PYTHONHASHSEED", "0").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let statement = project.statement("provenance.intoto.json");
    assert_eq!(statement.outputs(), ["out/metrics.json", "out/model.joblib"]);
    let inputs = statement.inputs();
    assert!(inputs.contains(&("data/iris.csv", "dataset")) && inputs.contains(&("train.py", "code")), "{inputs:?}");
    let strange = inputs
        .iter()
        .filter(|(name, _)| !["data/iris.csv", "train.py"].contains(name) && !name.ends_with("pyvenv.cfg"));
    assert_eq!(strange.count(), 0, "{inputs:?}");
    let package = statement.dependency("numpy");
    assert!(package["uri"].as_str().unwrap().starts_with("pkg:pypi/numpy@"));
    assert!(package["digest"]["sha256"].is_string() && package["annotations"]["filesAsRecorded"].as_u64() > Some(5));
    assert!(package["annotations"]["filesThatDiffer"].is_null(), "{package}");
    assert!(statement.dependency("scikit-learn")["annotations"]["filesRead"].as_u64() > Some(50));
    assert_eq!(statement.internal()["environment"]["PYTHONHASHSEED"], "0");
    assert_eq!(statement.internal()["seed"], "7");
    let python = &statement.internal()["python"][0];
    assert!(python["libraries"]["sklearn"].is_string() && python["numpy"]["stateAtExit"].is_string(), "{python}");
    let yaml = project.text("provenance.yaml");
    assert!(yaml.contains("script: \"train.py\"") && yaml.contains("random_seed: 7"), "{yaml}");
    assert!(yaml.contains("  - name: \"scikit-learn\""), "{yaml}");
}

/// Python's own hooks do not see a file that Rust or C++ opens.
#[test]
fn native_loaders_are_seen() {
    if !has("safetensors.numpy, numpy") {
        return;
    }
    let project = Project::new();
    let make = "import numpy, safetensors.numpy as s; s.save_file({'w': numpy.ones(3, 'float32')}, 'base.safetensors')";
    let made = std::process::Command::new(python()).args(["-c", make]).current_dir(project.path("")).status().unwrap();
    assert!(made.success());
    project.write(
        "tune.py",
        "import safetensors\nwith safetensors.safe_open('base.safetensors', 'numpy') as f:\n    f.get_tensor('w').tofile('out.bin')\n",
    );
    assert!(project.run(&["--type", "fine-tune", "--", &python(), "tune.py"]).status.success());
    let statement = project.statement("provenance.intoto.json");
    assert!(statement.inputs().contains(&("base.safetensors", "base-model")), "{:?}", statement.inputs());
    assert!(statement.0["predicate"]["buildDefinition"]["buildType"].as_str().unwrap().ends_with("/fine-tune/v1"));
}

/// Threads, fork, vfork and exec; a pool of processes; memory that files are mapped to.
const TREE: &str = r#"
import concurrent.futures, mmap, os, subprocess, threading
def copy(name):
    open(name + ".out", "w").write(open(name).read())
    return os.getpid()
if __name__ == "__main__":
    thread = threading.Thread(target=copy, args=("a",)); thread.start(); thread.join()
    if (child := os.fork()) == 0:
        copy("b"); os._exit(0)
    os.waitpid(child, 0)
    subprocess.run(["cp", "c", "c.out"], check=True)
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        list(pool.map(copy, ["d", "e"]))
    with open("f", "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[0:1] = b"F"
    os.chdir("sub")
    copy("g")
    folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    os.close(os.open("h", os.O_RDONLY, dir_fd=folder))
"#;

#[test]
fn threads_and_children_are_seen() {
    let project = Project::new();
    project.write("tree.py", TREE);
    for name in ["a", "b", "c", "d", "e", "f", "sub/g", "sub/h"] {
        project.write(name, name);
    }
    let output = project.run(&["--", &python(), "tree.py"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let statement = project.statement("provenance.intoto.json");
    let inputs: Vec<&str> = statement.inputs().into_iter().map(|(name, _)| name).collect();
    for name in ["a", "b", "c", "d", "e", "f", "sub/g", "sub/h", "tree.py"] {
        assert!(inputs.contains(&name), "{name}: {inputs:?}");
    }
    assert_eq!(statement.outputs(), ["a.out", "b.out", "c.out", "d.out", "e.out", "f", "sub/g.out"]);
}

#[test]
fn another_sitecustomize_and_the_path_are_what_they_were() {
    let project = Project::new();
    project.write("site/sitecustomize.py", "import builtins; builtins.was_here = True\n");
    let script = "import sys; print(was_here, [p for p in sys.path if 'waag-run' in p], sys.modules['sitecustomize'].__file__)\nopen('out', 'w')";
    project.write("look.py", script);
    let mut command = project.command(&["--", &python(), "look.py"]);
    let output = command.env("PYTHONPATH", project.path("site")).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.starts_with("True [] ") && shown.ends_with("site/sitecustomize.py\n"), "{shown}");
}
