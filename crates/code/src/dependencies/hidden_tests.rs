//! Packages that an installer takes, in places where they are easily missed: each is read, or it is said that it was not.

use super::tests::{project, read, rules_found, told};
use super::*;

/// The names that were read, and whether everything was understood.
fn names(files: &[(&str, &str)]) -> (Vec<String>, bool) {
    let reading = read(files);
    let names = reading.dependencies.iter().map(|it| it.name.clone()).collect();
    (names, !rules_found(&reading).contains(&"incomplete-analysis"))
}

fn of(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn lines_of_a_list_end_where_pip_ends_them() {
    let text = "numpy==1 # pinned\u{c}evil\n#x\u{2028}evil2\n# y\revil3\r\n# z\u{85}-r more.txt\n";
    let (found, complete) = names(&[("requirements.txt", text), ("more.txt", "evil4\n")]);
    assert_eq!((found, complete), (of(&["evil4", "numpy", "evil", "evil2", "evil3"]), true));
    let (_, complete) = names(&[("requirements.txt", "# -*- coding: utf-7 -*-\n# note +AAo-evil\n")]);
    assert!(!complete);
    let (found, _) = names(&[("setup.py", "import setuptools\nsetuptools.setup(install_requires='a\\x0cevil')\n")]);
    assert_eq!(found, of(&["a", "evil"]));
}

#[test]
fn an_environment_in_the_projects_own_folder_hides_nothing() {
    let packages = "lib/python3.11/site-packages";
    let list = ("requirements.txt", "evil\n");
    let (metadata, inner) =
        (format!("{packages}/a-1.dist-info/METADATA"), format!("{packages}/a/requirements-test.txt"));
    let installed = (metadata.as_str(), "Name: a\nVersion: 1\n");
    let reading = read(&[("pyvenv.cfg", ""), installed, (&inner, "other\n"), list, ("sub/requirements.txt", "more\n")]);
    assert!(reading.verified.is_some());
    let found: Vec<&str> = reading.dependencies.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(found, ["evil", "more", "a"]);
    assert_eq!(reading.passed_over, [""; 0]);
    for marks in [vec![("pyvenv.cfg", "")], vec![("x.dist-info/METADATA", "Name: x\n")]] {
        let (found, _) = names(&[marks, vec![list]].concat());
        assert_eq!(found.first().map(String::as_str), Some("evil"));
    }
    assert_eq!(names(&[("app/pyvenv.cfg", ""), ("app/requirements.txt", "evil\n")]).0, of(&["evil"]));
}

#[test]
fn a_module_that_is_called_setup_packs_nothing() {
    assert!(
        names(&[("trainer/setup.py", "from .data import Loader\n\ndef setup(trainer):\n    return Loader(trainer)\n")])
            .1
    );
    assert!(!names(&[("setup.py", "from distutils.core import run\nrun('x')\n")]).1);
}

#[test]
fn what_setup_py_computes_is_not_known() {
    let setup = |body: &str| names(&[("setup.py", &format!("from setuptools import setup\n{body}\n"))]);
    for body in [
        "extras = {}\nextras['a'] = ['evil']\nsetup(extras_require=extras)",
        "reqs = ['numpy']\ntry:\n    import x\nexcept ImportError:\n    reqs += ['evil']\nsetup(install_requires=reqs)",
        "reqs = ['numpy']\nfor _ in ():\n    pass\nelse:\n    reqs.append('evil')\nsetup(install_requires=reqs)",
        "reqs = ['numpy']\nadd(reqs)\nsetup(install_requires=reqs)",
        "reqs = ['numpy']\nother = reqs\nother.append('evil')\nsetup(install_requires=reqs)",
        "reqs = ['numpy']\nall = {'a': reqs}\nall['a'].append('evil')\nsetup(install_requires=reqs)",
        "reqs = other = ['numpy']\nother.append('evil')\nsetup(install_requires=reqs)",
        "reqs = ['numpy']\nreqs: list = ['evil']\nsetup(install_requires=reqs)",
        "reqs, x = ['numpy'], 1\nsetup(install_requires=reqs)",
        "reqs = ['numpy']\ndef f(reqs):\n    setup(install_requires=reqs)",
        "from x import *\nreqs = ['numpy']\nsetup(install_requires=reqs)",
        "f = setup\nf(install_requires=['evil'])",
        "getattr(x, 'set' + 'up')(install_requires=['evil'])",
    ] {
        assert!(!setup(body).1, "{body}");
    }
    for body in [
        "x = setup(install_requires=['seen'])",
        "from setuptools import setup as s\ns(install_requires=['seen'])",
        "import setuptools as t\nif True:\n    t.setup(install_requires=['seen'])",
        "reqs: list[str] = ['seen']\nextras = {'a': []}\nsetup(install_requires=reqs, extras_require=extras)",
        "reqs = ['seen']\nall = reqs + ['x']\nif 'y' in reqs:\n    pass\nsetup(install_requires=reqs)",
        "version = '1'\nprint(version)\nsetup(version=version, tests_require=['seen'])",
        "try:\n    from x import setup\nexcept ImportError:\n    pass\nfinally:\n    setup(install_requires=['seen'])",
    ] {
        assert_eq!(setup(body), (of(&["seen"]), true), "{body}");
    }
}

#[test]
fn what_fills_in_dependencies_has_to_have_some() {
    let dynamic = |key: &str, builder: &str, rest: &str| {
        format!(
            "[project]\nname='x'\ndynamic=['{key}']\n[build-system]\nrequires=[]\nbuild-backend='{builder}'\n{rest}"
        )
    };
    let poetry = "[tool.poetry.dependencies]\nnumpy = '1'\n";
    let (style, needs) = (("setup.cfg", "[flake8]\nx = 1\n"), ("setup.cfg", "[options]\ninstall_requires = numpy\n"));
    let complete =
        |text: String, more: &[(&str, &str)]| names(&[&[("pyproject.toml", text.as_str())], more].concat()).1;
    assert!(!complete(dynamic("dependencies", "hatchling.build", ""), &[style]));
    assert!(!complete(dynamic("dependencies", "hatchling.build", ""), &[needs]));
    assert!(!complete(dynamic("dependencies", "setuptools.build_meta", ""), &[style]));
    assert!(complete(dynamic("dependencies", "setuptools.build_meta", ""), &[needs]));
    assert!(complete(dynamic("dependencies", "poetry.core.masonry.api", poetry), &[]));
    assert!(!complete(dynamic("dependencies", "hatchling.build", poetry), &[]));
    assert!(!complete(dynamic("optional-dependencies", "hatchling.build", ""), &[]));
}

#[test]
fn nothing_is_cut_without_a_word() {
    let groups: String = (0..1500).map(|number| format!("g{number} = []\n")).collect();
    let (found, complete) = names(&[("pyproject.toml", &format!("[dependency-groups]\n{groups}last = ['evil']\n"))]);
    assert_eq!((found, complete), (of(&["evil"]), true));
    let pdm = "[tool.pdm.dev-dependencies]\nd = ['-e git+https://h.example/x@main#egg=evil', '-e file:///${PROJECT_ROOT}/sub#egg=sub']\n";
    let reading = read(&[("pyproject.toml", pdm)]);
    assert_eq!(told(&reading), ["2: evil * [d] repository https://h.example/x main false"]);
    let extras: Vec<String> = (0..300).map(|number| format!("e{number}")).collect();
    let reading = read(&[("requirements.txt", &format!("a[{}]\n", extras.join(",")))]);
    assert_eq!(reading.dependencies[0].extras.len(), 300);
}

#[test]
fn pipes_are_not_waited_for() {
    let pipe = |path: &Path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    let root = project(&[("requirements.txt", "-r pipe\n")]);
    pipe(&root.path().join("pipe"));
    pipe(&root.path().join("requirements-dev.txt"));
    let found = examine(root.path()).unwrap();
    assert_eq!(rules_found(&found), ["incomplete-analysis", "incomplete-analysis"]);
    let root = project(&[("a-1.dist-info/METADATA", "Name: a\n"), ("a-1.dist-info/RECORD", "p,sha256=YWJj,3\n")]);
    pipe(&root.path().join("p"));
    pipe(&root.path().join("x.pth"));
    let found = examine(root.path()).unwrap();
    assert_eq!(found.verified.unwrap().unchecked, 1);
}

#[test]
fn passwords_are_told_nowhere() {
    let conda = "channels: [https://u:SECRET1@h.example/c]\ndependencies:\n - https://u:SECRET2@h.example/p-1.tar.bz2\n - https://u:SECRET3@h.example/c::numpy=1.2.3\n";
    let python = "[project]\nname='x'\ndependencies=['git+https://SECRET4@h.example/x', 'a @ git+ssh://u:SECRET5@h.example/a']\n";
    let reading = read(&[("environment.yml", conda), ("pyproject.toml", python)]);
    let shown = serde_json::to_string(&reading).unwrap();
    assert!(!shown.contains("SECRET"), "{shown}");
    assert_eq!(rules_found(&reading).iter().filter(|rule| **rule == "index-credentials").count(), 2);
}
