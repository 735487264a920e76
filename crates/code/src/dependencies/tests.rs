//! Whole projects: what is read of each kind of file, and hostile ones.

use std::path::Path;

use waag_evidence::{Dependency, DependencySource, Ecosystem, Standing};

use super::*;

/// A folder with files.
pub(super) fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

pub(super) fn read(files: &[(&str, &str)]) -> Reading {
    let root = project(files);
    let mut reading = examine(root.path()).unwrap();
    let prefix = format!("{}/", root.path().display());
    for dependency in &mut reading.dependencies {
        dependency.location.file = dependency.location.file.replace(&prefix, "");
    }
    reading
}

/// `name constraint|version standing group line`, for each.
pub(super) fn told(reading: &Reading) -> Vec<String> {
    let one = |it: &Dependency| {
        let version = match (&it.version, &it.constraint) {
            (Some(version), _) => format!("={version}"),
            (None, constraint) => constraint.clone().unwrap_or_else(|| "*".into()),
        };
        let standing = match it.standing {
            Standing::Declared => "",
            Standing::Constrained => " constrained",
            Standing::Locked => " locked",
            Standing::Installed => " installed",
        };
        let group = it.group.as_deref().map(|group| format!(" [{group}]")).unwrap_or_default();
        let source = match &it.source {
            DependencySource::Index { url: None } => String::new(),
            DependencySource::Index { url: Some(url) } => format!(" index {url}"),
            DependencySource::Archive { url } => format!(" archive {url}"),
            DependencySource::Repository { url, revision, commit } => {
                format!(" repository {url} {} {}", revision.as_deref().unwrap_or("-"), commit.is_some())
            }
            DependencySource::Path { path, editable } => format!(" path {path} {editable}"),
        };
        let conda = if it.ecosystem == Ecosystem::Conda { "conda:" } else { "" };
        let hashes = if it.digests.is_empty() { String::new() } else { format!(" #{}", it.digests.len()) };
        let marker = it.marker.as_deref().map(|marker| format!(" ; {marker}")).unwrap_or_default();
        let line = it.location.line.unwrap_or(0);
        format!("{line}: {conda}{} {version}{standing}{group}{source}{hashes}{marker}", it.name)
    };
    reading.dependencies.iter().map(one).collect()
}

pub(super) fn rules_found(reading: &Reading) -> Vec<&str> {
    reading.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn requirements_are_read_as_pip_reads_them() {
    let text = "# comment\n\
        torch==2.4.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n\
        NumPy >= 1.20 , < 2  # why\n\
        requests[socks,use_chardet]~=2.30 ; python_version < \"3.9\"\n\
        peft @ git+https://me:word@github.com/huggingface/peft.git@main#subdirectory=a\n\
        -e git+https://h.example/o/n@0123456789abcdef0123456789abcdef01234567#egg=trl\n\
        --editable ./local[extra]\n\
        ./wheels/flash_attn-2.5.0-cp310-none-any.whl\n\
        https://h.example/x-1.0.tar.gz#sha256=ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB\n\
        tool @ file:///opt/tool\n\
        --index-url https://u:p@h.example/simple --extra-index-url=https://download.pytorch.org/whl/cu121\n\
        -fhttps://h.example/links\n\
        -c bounds.txt\n\
        !!!\n\
        --no-such-option\n";
    let reading = read(&[("requirements.txt", text), ("bounds.txt", "numpy==1.26.4\n")]);
    insta::assert_snapshot!(told(&reading).join("\n"));
    let indexes: Vec<String> = reading.indexes.iter().map(|it| format!("{} {}", it.url, it.has_credentials)).collect();
    assert_eq!(
        indexes,
        [
            "https://h.example/simple true",
            "https://download.pytorch.org/whl/cu121 false",
            "https://h.example/links false"
        ]
    );
    assert_eq!(reading.findings.iter().filter(|finding| finding.rule == "incomplete-analysis").count(), 2);
    let shown = serde_json::to_string(&reading).unwrap();
    assert!(!shown.contains("word@") && !shown.contains("u:p@"), "passwords are not told");
}

#[test]
fn projects_are_read_with_the_tables_of_every_tool() {
    let text = r#"[project]
name = "mine"
requires-python = ">=3.10"
dependencies = ["torch>=2.3", "mine[extra]"]
[project.optional-dependencies]
cuda = ["flash-attn==2.5.0"]
[dependency-groups]
dev = ["pytest", {include-group = "types"}]
types = ["mypy>=1", {include-group = "dev"}]
[build-system]
requires = ["hatchling"]
[[tool.uv.index]]
name = "pytorch"
url = "https://download.pytorch.org/whl/cu121"
explicit = true
[tool.uv]
constraint-dependencies = ["numpy<2"]
[tool.uv.sources]
torch = { index = "pytorch" }
[tool.poetry.dependencies]
python = "^3.10"
accelerate = "^0.30"
datasets = [{ version = "~2.1", python = "<3.11" }, { version = "^3", markers = "python_version >= '3.11'" }]
peft = { git = "https://h.example/peft", branch = "main" }
[tool.poetry.group.docs.dependencies]
sphinx = "*"
[tool.pdm.dev-dependencies]
lint = ["ruff==0.5.0"]
[tool.hatch.envs.default]
dependencies = ["coverage"]
"#;
    let reading = read(&[("pyproject.toml", text)]);
    insta::assert_snapshot!(told(&reading).join("\n"));
    let python: Vec<&str> = reading.python.iter().map(|claim| claim.constraint.as_str()).collect();
    assert_eq!(python, [">=3.10", ">=3.10,<4"]);
    let circles = reading.findings.iter().filter(|finding| finding.message.contains("takes in itself")).count();
    assert_eq!(circles, 1);
}

#[test]
fn other_declarations_are_read() {
    let conda = "name: x\nchannels: [conda-forge, pytorch]\ndependencies:\n  - python=3.10\n  - pytorch::pytorch=2.3.1=py3.10_cuda12\n  - numpy=1.26\n  - scipy >=1.10,<2\n  - pip\n  - pip:\n    - transformers==4.44.2\n    - --extra-index-url https://h.example/simple\n";
    let pipfile = "[[source]]\nurl = 'https://pypi.org/simple'\nname = 'pypi'\nverify_ssl = false\n[packages]\ntorch = '*'\npeft = {git = 'https://h.example/peft', ref = 'v1'}\n[dev-packages]\npytest = '==8.0'\n[requires]\npython_version = '3.11'\n";
    let cfg = "[metadata]\nname = mine\n[options]\npython_requires = >=3.9\ninstall_requires =\n    torch>=2  # why\n    numpy\n[options.extras_require]\ngpu = bitsandbytes==0.43\n";
    let setup = "from setuptools import setup\nreqs = ['torch>=2', 'numpy==1.26.4']\nextra = open('x').read().split()\nsetup(name='mine', install_requires=reqs, extras_require={'a': ['peft'], 'b': extra}, python_requires='>=3.8')\n";
    let reading = read(&[
        ("a/environment.yml", conda),
        ("b/Pipfile", pipfile),
        ("c/setup.cfg", cfg),
        ("d/setup.py", setup),
        ("e/.python-version", "3.11.7\n"),
        ("f/python_env.yaml", "python: 3.10.4\nbuild_dependencies: [pip==23]\ndependencies: ['-r requirements.txt']\n"),
        ("f/requirements.txt", "mlflow==2.14\n"),
    ]);
    insta::assert_snapshot!(told(&reading).join("\n"));
    let mut python: Vec<&str> = reading.python.iter().map(|claim| claim.constraint.as_str()).collect();
    python.sort_unstable();
    assert_eq!(python, ["==3.10.*", "==3.10.4", "==3.11.*", "==3.11.7", ">=3.8", ">=3.9"]);
    let computed: Vec<_> = reading.findings.iter().filter(|finding| finding.message.contains("computed")).collect();
    assert_eq!(computed.len(), 1, "{computed:?}");
}

#[test]
fn files_that_take_in_each_other_end() {
    let reading = read(&[
        (
            "requirements.txt",
            "-r other.txt\n-r ../outside.txt\n-r https://h.example/r.txt\n-r gone.txt\n-r /etc/hostname\ntorch==2.1\n",
        ),
        ("other.txt", "-r requirements.txt\n-c bounds.txt\nnumpy==1.26\n"),
        ("bounds.txt", "torch==2.3\n"),
    ]);
    assert_eq!(reading.files.len(), 3);
    assert_eq!(reading.findings.iter().filter(|finding| finding.rule == "incomplete-analysis").count(), 4);
    assert!(rules_found(&reading).contains(&"contradicting-ranges"));
    assert!(reading.dependencies.iter().any(|it| it.standing == Standing::Constrained && it.name == "torch"));
}

#[test]
fn links_are_not_followed_out_of_the_project() {
    let outside = project(&[("secret.txt", "hidden==1\n")]);
    let root = project(&[("requirements.txt", "-r inner.txt\n")]);
    std::os::unix::fs::symlink(outside.path().join("secret.txt"), root.path().join("inner.txt")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.txt"), root.path().join("dev-requirements.txt")).unwrap();
    std::os::unix::fs::symlink(".", root.path().join("again")).unwrap();
    let reading = examine(root.path()).unwrap();
    assert!(reading.dependencies.is_empty(), "{:?}", told(&reading));
    assert_eq!(rules_found(&reading), ["incomplete-analysis", "incomplete-analysis"]);
}

#[test]
fn environments_are_told_and_not_read() {
    let reading = read(&[
        ("venv/pyvenv.cfg", ""),
        ("venv/lib/python3.11/site-packages/a/requirements.txt", "evil\n"),
        (".venv/lib/x/requirements.txt", "evil\n"),
        ("node_modules/x/requirements.txt", "evil\n"),
        ("requirements.txt", "torch==2.1\n"),
    ]);
    assert_eq!(reading.files.len(), 1);
    let names: Vec<&str> = reading.passed_over.iter().filter_map(|path| path.rsplit('/').next()).collect();
    assert_eq!(names, [".venv", "node_modules", "venv"]);
}

#[test]
fn a_lock_beside_a_declaration_pins_it() {
    let declared = "[project]\nname='m'\nversion='1'\ndependencies=['torch>=2']\n";
    let lock = "version = 1\n[[package]]\nname = 'torch'\nversion = '2.4.0'\nsource = { registry = 'https://pypi.org/simple' }\nwheels = [{ hash = 'sha256:aa' }]\n";
    assert_eq!(rules_found(&read(&[("pyproject.toml", declared), ("uv.lock", lock)])), [""; 0]);
    assert_eq!(rules_found(&read(&[("a/pyproject.toml", declared), ("uv.lock", lock)])), [""; 0], "a workspace");
    assert_eq!(rules_found(&read(&[("pyproject.toml", declared)])), ["unpinned-dependency"]);
    let compiled = "torch==2.4.0 --hash=sha256:aa\n";
    assert_eq!(rules_found(&read(&[("requirements.in", "torch\n"), ("requirements.txt", compiled)])), [""; 0]);
    let constrained = [("requirements.txt", "-c constraints.txt\ntorch\n"), ("constraints.txt", "torch==2.4.0\n")];
    assert_eq!(rules_found(&read(&constrained)), [""; 0]);
}

#[test]
fn what_is_broken_is_said_and_bounded() {
    let long = "a==1\n".repeat(100_000);
    let wide = format!("torch=={}\n", "1.".repeat(4_000_000));
    let continued = "x \\\n".repeat(200_000);
    let bomb = format!(
        "a: &a [x,x,x,x,x,x,x,x,x]\n{}",
        ('b'..='i')
            .fold(("a".to_owned(), String::new()), |(last, text), key| {
                let last_key = last.clone();
                (key.to_string(), format!("{text}{key}: &{key} [{}]\n", vec![format!("*{last_key}"); 9].join(",")))
            })
            .1
    );
    for (name, text) in [
        ("requirements.txt", long.as_str()),
        ("requirements.txt", &wide),
        ("requirements.txt", &continued),
        ("environment.yml", &bomb),
        ("environment.yml", "dependencies: {a: *b"),
        ("pyproject.toml", "[project\nname ="),
        ("pyproject.toml", "project = 3\ndependency-groups = [1]\ntool = 'x'\n"),
        ("uv.lock", "package = 'x'\n[metadata]\n"),
        ("Pipfile.lock", "{\"default\": {\"a\": {\"version\": "),
        ("Pipfile.lock", "[[[[[[[[[["),
        ("poetry.lock", "[[package]]\nname = 1\nversion = 2\n"),
        ("setup.py", &format!("x = {}1{}\nsetup(install_requires=[x])\n", "(".repeat(50_000), ")".repeat(50_000))),
        ("setup.py", &format!("x = {}1\n", "-".repeat(200_000))),
        ("setup.py", &format!("x = a{}\n", ".b".repeat(100_000))),
        ("setup.py", "setup(install_requires=[\n"),
        ("setup.cfg", "[options\ninstall_requires = \n  x y z\n"),
    ] {
        let reading = read(&[(name, text)]);
        serde_json::to_string(&reading).unwrap();
    }
    for bytes in [&b"torch\xff\xfe==1\n"[..], b"\xff\xfet\0o\0r\0c\0h\0\n\0", b"\0\0\0\0"] {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("requirements.txt"), bytes).unwrap();
        examine(root.path()).unwrap();
    }
}

#[test]
fn what_is_printed_is_safe() {
    let reading = read(&[("requirements.txt", "a\u{1b}[31m==1\n-r \u{202e}x\n")]);
    assert!(reading.findings.iter().all(|it| !it.message.contains(['\u{1b}', '\u{202e}'])), "{:?}", reading.findings);
}

#[test]
fn an_environment_is_verified() {
    // sha256 of "abc"
    let good = "sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
    let record = format!(
        "p/a.py,{good},3\np/b.py,{good},3\n../../../bin/p,{good},3\n../../../../../outside,{good},3\np-1.dist-info/RECORD,,\n"
    );
    let packages = "lib/python3.11/site-packages";
    let root = project(&[
        ("pyvenv.cfg", ""),
        (
            &format!("{packages}/p-1.dist-info/METADATA"),
            "Name: P\nVersion: 1\nRequires-Dist: numpy>1\nRequires-Dist: x; extra == 'a'\n\nText\n",
        ),
        (&format!("{packages}/p-1.dist-info/RECORD"), &record),
        (
            &format!("{packages}/p-1.dist-info/direct_url.json"),
            "{\"url\": \"https://h.example/p\", \"vcs_info\": {\"vcs\": \"git\", \"commit_id\": \"0123456789abcdef0123456789abcdef01234567\"}}",
        ),
        (&format!("{packages}/p/a.py"), "abc"),
        (&format!("{packages}/p/b.py"), "changed"),
        (&format!("{packages}/evil.pth"), "import os\n"),
        (&format!("{packages}/_virtualenv.pth"), "import _virtualenv"),
        (&format!("{packages}/paths.pth"), "/some/path\n"),
        (&format!("{packages}/old.egg-info/PKG-INFO"), "Name: old\nVersion: 2\n"),
        ("bin/p", "abc"),
    ]);
    assert!(is_environment(root.path()));
    let reading = examine(root.path()).unwrap();
    let verified = reading.verified.unwrap();
    assert_eq!((verified.matching, verified.changed, verified.missing), (2, 1, 0));
    assert_eq!((verified.unlisted, verified.unrecorded), (3, 1));
    assert_eq!(reading.dependencies.len(), 2);
    let p = &reading.dependencies[1];
    assert_eq!((p.name.as_str(), p.version.as_deref(), &p.requires[..]), ("p", Some("1"), &["numpy".to_owned()][..]));
    assert!(matches!(&p.source, DependencySource::Repository { commit: Some(_), .. }));
    let high = reading.findings.iter().filter(|it| it.severity == waag_evidence::Severity::High);
    let high: Vec<&str> = high.map(|finding| finding.message.as_str()).collect();
    assert_eq!(high.len(), 2, "{high:?}");
    assert!(read_environment(Path::new("/no/such/folder")).is_err());
}

#[test]
fn the_same_project_gives_the_same_answer() {
    let files =
        [("b/requirements.txt", "torch\nnumpy==1\n"), ("a/requirements.txt", "torch==2\n-r ../b/requirements.txt\n")];
    let root = project(&files);
    let answer = || serde_json::to_string(&examine(root.path()).unwrap()).unwrap();
    assert_eq!(answer(), answer());
}

/// `~/dev/lint/project` is no file for developers.
#[test]
fn what_the_folder_is_called_makes_no_difference() {
    let root = project(&[("dev/tests/requirements.txt", "torch\n"), ("dev/tests/dev/requirements.txt", "black\n")]);
    let reading = examine(&root.path().join("dev/tests")).unwrap();
    let said: Vec<_> = reading.findings.iter().map(|it| (it.subject.as_deref(), it.severity, it.persona)).collect();
    let (reviewer, auditor) = (waag_evidence::Persona::Reviewer, waag_evidence::Persona::Auditor);
    assert!(said.contains(&(Some("torch"), waag_evidence::Severity::Medium, reviewer)), "{said:?}");
    assert!(said.contains(&(Some("black"), waag_evidence::Severity::Low, auditor)), "{said:?}");
}

#[test]
fn a_project_that_is_installed_where_it_lies_is_a_project() {
    let own = [
        ("setup.py", "from setuptools import setup\nsetup(install_requires=['numpy'])\n"),
        ("own.egg-info/PKG-INFO", "Name: own\n"),
    ];
    let reading = read(&own);
    assert!(reading.verified.is_none() && reading.packages() == 1, "{reading:?}");
    assert!(reading.findings.iter().all(|finding| finding.rule != "tampered-installation"), "{:?}", reading.findings);
    // Where installers put things, a file that looks like a project's hides nothing.
    let root =
        project(&[("site-packages/setup.py", ""), ("site-packages/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n")]);
    assert!(is_environment(&root.path().join("site-packages")));
}
