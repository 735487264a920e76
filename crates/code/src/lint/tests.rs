use waag_evidence::Severity;

use super::*;

fn found(name: &str, text: &str) -> Vec<(String, u64)> {
    let examined = examine_bytes(name, text.as_bytes().to_vec(), &Options::default());
    examined.findings.into_iter().map(|finding| (finding.rule, finding.location.line.unwrap())).collect()
}

fn rules(name: &str, text: &str) -> Vec<String> {
    found(name, text).into_iter().map(|(rule, _)| rule).collect()
}

fn fixed(name: &str, bytes: &[u8], torch: Option<&str>) -> Option<Vec<u8>> {
    let options = Options { torch: torch.map(|version| version.parse().unwrap()), ..Options::default() };
    let first = examine_bytes(name, bytes.to_vec(), &options).fixes.pop()?;
    assert_eq!(first.before, bytes);
    let second = examine_bytes(name, first.after.clone(), &options);
    assert!(second.fixes.is_empty(), "a second time changes nothing");
    Some(first.after)
}

#[test]
fn of_a_credential_no_output_has_more_than_its_first_characters() {
    let token = format!("hf_{}", "qWzRtKpLxVbNmJhGfDsAyUiOeCkTzPwQrL");
    for text in [
        format!("TOKEN = '{token}'\n"),
        format!("import pickle; pickle.load('{token}')\n"),
        format!("import os\nos.system('pip install git+https://{token}@example.org/a')\n"),
        format!("x = '{}'; y = '{token}'\n", "é".repeat(95)),
    ] {
        let examined = examine_bytes("a.py", text.clone().into_bytes(), &Options::default());
        let told = format!("{:?}", examined.findings);
        assert!(told.contains("hf_qWzR…") && !told.contains(&token[..10]), "{told}");
    }
}

#[test]
fn the_gravest_findings_are_listed_and_the_rest_is_told() {
    let many = "from transformers import AutoModel\n".to_owned() + &"AutoModel.from_pretrained('a/b')\n".repeat(1_000);
    let text = many + "AutoModel.from_pretrained('a/b', trust_remote_code=True)\nimport pickle\npickle.load(f)\n";
    let examined = examine_bytes("a.py", text.into_bytes(), &Options::default());
    assert_eq!(examined.findings.len(), MAX_FINDINGS + 1);
    let first: Vec<&str> = examined.findings.iter().take(3).map(|finding| finding.rule.as_str()).collect();
    assert_eq!(first, ["trusted-remote-code", "incomplete-analysis", "unsafe-load"]);
    assert_eq!(examined.findings[1].message, "3 more findings of this file, none of them graver, are not listed");
}

#[test]
fn the_pinned_pytorch_decides_how_bad_a_load_is() {
    let text = "import torch\ntorch.load(path)\n";
    let severity = |torch: &str| {
        let options = Options { torch: torch.parse().ok(), ..Options::default() };
        examine_bytes("a.py", text.as_bytes().to_vec(), &options).findings[0].severity
    };
    assert_eq!(severity(""), Severity::Medium);
    assert_eq!(severity("2.5.1"), Severity::Medium);
    assert_eq!(severity("2.6.0"), Severity::Info);
    assert_eq!(severity("2.6.0+cu124"), Severity::Info);
}

#[test]
fn what_is_given_in_another_way_is_no_claim() {
    assert_eq!(rules("a.py", "import torch\ntorch.load(path, **options)\n"), Vec::<String>::new());
    assert_eq!(
        rules("a.py", "import torch\noptions = {'weights_only': True}\ntorch.load(path, **options)\n"),
        Vec::<String>::new()
    );
    assert_eq!(rules("a.py", "import torch\ntorch.load(path, weights_only=safe)\n"), Vec::<String>::new());
    assert_eq!(rules("a.py", "def load(x): pass\nload(y)\n"), Vec::<String>::new());
}

#[test]
fn fixes_are_minimal_and_are_made_once() {
    let fix = |text: &str, torch| fixed("a.py", text.as_bytes(), torch).map(|bytes| String::from_utf8(bytes).unwrap());
    let torch = "import torch\r\nx = torch.load(\r\n    path,  \r\n)  # kept\r\n";
    assert_eq!(fix(torch, Some("2.5.0")).unwrap(), torch.replace("path,", "path, weights_only=True,"));
    assert_eq!(fix(torch, None), None, "not every PyTorch has the argument");
    assert_eq!(fix(torch, Some("1.12.0")), None);
    assert_eq!(fix("import torch\ntorch.load((path))\n", Some("2.5.0")), None, "left to people");
    let yaml = "\u{feff}import yaml\na = yaml.load(f)\nb = yaml.load(f, Loader=yaml.Loader)\n";
    let safe = "\u{feff}import yaml\na = yaml.safe_load(f)\nb = yaml.load(f, Loader=yaml.SafeLoader)\n";
    assert_eq!(fix(yaml, None).unwrap(), safe);
    assert_eq!(fix("from yaml import load\nload(f)\n", None), None);
    let listing = "import os, torch\nfor x in os.listdir(os.path.join('a', b)):\n    loss(x).backward()\n";
    assert!(fix(listing, None).unwrap().contains("in sorted(os.listdir(os.path.join('a', b))):"));
    assert_eq!(fix("import yaml\nyaml.load(f)\nx = = 1\n", None), None, "what is broken is not edited");
}

#[test]
fn fixes_of_notebooks_keep_the_file_as_it_is_but_for_the_line() {
    let notebook = "{\n \"cells\": [\n  {\"cell_type\": \"code\",\n   \"source\": [\n    \"import yaml\\n\",\n    \"x = yaml.load(f)  # \\u00e9\\n\",\n    \"y = 1\"\n   ]}\n ],\n \"nbformat\": 4\n}\n";
    let fixed = String::from_utf8(fixed("a.ipynb", notebook.as_bytes(), None).unwrap()).unwrap();
    assert_eq!(fixed, notebook.replace("yaml.load", "yaml.safe_load"));
}

/// A notebook of code cells, each with one string.
fn cells(cells: &[&str]) -> String {
    let cells = cells.iter().map(|text| serde_json::json!({"cell_type": "code", "source": [text]}));
    serde_json::json!({"cells": cells.collect::<Vec<_>>(), "nbformat": 4}).to_string()
}

#[test]
fn fixes_of_notebooks_leave_python_behind_up_to_the_end_of_a_cell() {
    let fix =
        |text: &[&str]| fixed("a.ipynb", cells(text).as_bytes(), None).map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(fix(&["import yaml", "yaml. load(f)"]).unwrap(), cells(&["import yaml", "yaml. safe_load(f)"]));
    let listing = ["import os, torch", "l.backward()", "for f in files:\n  pass\nfiles = os.listdir('d')"];
    assert!(fix(&listing).unwrap().contains("files = sorted(os.listdir('d'))\""));
    assert_eq!(fix(&["import yaml\nyaml.load(f)", "x = = 1"]), None);
    let magic = ["%%time\nimport yaml\nyaml.load(f)"];
    assert_eq!(fix(&magic).unwrap(), cells(&["%%time\nimport yaml\nyaml.safe_load(f)"]));
}

#[test]
fn no_edit_breaks_what_worked() {
    let fix = |text: &str| fixed("a.py", text.as_bytes(), Some("2.5.0"));
    assert_eq!(fix("import torch, dill\ntorch.load(p, pickle_module=dill)\n"), None, "PyTorch refuses both");
    assert_eq!(fix("import torch, dill\ntorch.load(p, None, dill)\n"), None);
    assert_eq!(fix("import torch\ntorch.hub.load_state_dict_from_url(u)\n"), None, "not every torch.hub has it");
    assert_eq!(fix("import yaml\nyaml.add_constructor('!env', env)\nyaml.load(f, Loader=yaml.Loader)\n"), None);
    assert_eq!(fix("import yaml\nclass A(yaml.YAMLObject):\n    yaml_tag = '!A'\nyaml.load(f)\n"), None);
}

#[test]
fn what_somebody_agreed_to_is_not_edited() {
    let text = "rule = 'unsafe-yaml'\npath = 'a.py'\nreason = 'ours'\nuntil = '2099-01-01'\n";
    let options = Options { exceptions: vec![toml::from_str(text).unwrap()], ..Options::default() };
    let examined = |name: &str| examine_bytes(name, b"import yaml\nyaml.load(f)\n".to_vec(), &options);
    assert_eq!((examined("a.py").findings.len(), examined("a.py").fixes.len()), (1, 0));
    assert_eq!(examined("b.py").fixes.len(), 1);
}

#[test]
fn a_patch_shows_what_would_change() {
    let text = "import yaml\n\n\n\n\na = yaml.load(f)\nb = 1\n";
    let examined = examine_bytes("a.py", text.as_bytes().to_vec(), &Options::default());
    insta::assert_snapshot!(fix::patch(&examined.fixes[0]), @r"
    --- a.py
    +++ a.py
    @@ -3,5 +3,5 @@
     
     
     
    -a = yaml.load(f)
    +a = yaml.safe_load(f)
     b = 1
    ");
}

#[test]
fn writing_refuses_a_file_that_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.py");
    std::fs::write(&path, "import yaml\nyaml.load(f)\n").unwrap();
    let examined = examine(std::slice::from_ref(&path), &Options::default()).unwrap();
    std::fs::write(&path, "import yaml\nyaml.load(g)\n").unwrap();
    assert!(examined.fixes[0].write().is_err());
    let examined = examine(std::slice::from_ref(&path), &Options::default()).unwrap();
    examined.fixes[0].write().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "import yaml\nyaml.safe_load(g)\n");
}

#[test]
fn notebooks_are_placed_by_cell_and_line() {
    let notebook = r#"{"cells": [{"cell_type": "markdown", "source": ["x"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import pickle\n", "f = open('a', 'rb')"]},
        {"cell_type": "code", "source": "%%time\npickle.load(f)\n!ls\nx = !pwd\n%timeit f()\nf?"}], "nbformat": 4}"#;
    let examined = examine_bytes("a.ipynb", notebook.as_bytes().to_vec(), &Options::default());
    let places: Vec<_> =
        examined.findings.iter().map(|finding| (finding.location.path(), finding.location.line)).collect();
    assert_eq!(places, [("a.ipynb » cell 3".to_owned(), Some(2))]);
    assert!(examined.looked_at[0].is_complete);
}

#[test]
fn a_broken_cell_breaks_no_other() {
    let notebook = r#"{"cells": [{"cell_type": "code", "source": "x = (1,"}, {"cell_type": "code", "source": "import pickle\npickle.load(f)"}]}"#;
    assert_eq!(rules("a.ipynb", notebook), ["incomplete-analysis", "unsafe-load"]);
}

#[test]
fn cells_are_read_as_jupyter_runs_them() {
    let twice = r##"{"cells": [{"cell_type": "code", "source": "#", "source": "import pickle; pickle.load(f)"}]}"##;
    assert_eq!(rules("a.ipynb", twice), ["malformed-notebook", "unsafe-load"]);
    let both = r##"{"cells": [{"cell_type": "code", "input": "#", "source": "import pickle; pickle.load(f)"}]}"##;
    assert_eq!(rules("a.ipynb", both), ["malformed-notebook", "unsafe-load"]);
    let kinds = r#"{"cells": [{"cell_type": "code", "cell_type": "raw", "source": "import pickle; pickle.load(f)"}]}"#;
    assert_eq!(rules("a.ipynb", kinds), ["malformed-notebook", "unsafe-load"]);
    assert_eq!(rules("a.ipynb", &cells(&["%%writefile train.py\nimport pickle\npickle.load(f)"])), ["unsafe-load"]);
    let others = cells(&["%%bigquery df\nSELECT * FROM x", "%%html\n<b>"]);
    assert_eq!(rules("a.ipynb", &others), Vec::<String>::new());
    let lines = cells(&["%%bash\npip install \\\n  torch", "import pickle\npickle.load(f)"]);
    let examined = examine_bytes("a.ipynb", lines.into_bytes(), &Options::default());
    let evidence: Vec<_> = examined.findings.iter().map(|finding| finding.evidence.as_deref().unwrap()).collect();
    assert_eq!(evidence, ["pickle.load(f)", "pip install \\"]);
    let token = cells(&[&format!("%%bash\nexport TOKEN=hf_{}", "qWzRtKpLxVbNmJhGfDsAyUiOeCkTzPwQrL")]);
    assert_eq!(rules("a.ipynb", &token), ["hard-coded-secret"]);
}

#[test]
fn notebooks_of_other_languages_are_not_read_as_python() {
    let notebook = |metadata: &str| {
        format!(r#"{{"cells": [{{"cell_type": "code", "source": "x <- pickle.load(f)"}}], "metadata": {metadata}}}"#)
    };
    let r = notebook(r#"{"kernelspec": {"language": "R", "name": "ir"}}"#);
    let examined = examine_bytes("a.ipynb", r.into_bytes(), &Options::default());
    assert_eq!(examined.findings.len(), 1);
    assert_eq!(examined.findings[0].message, "its cells are for a kernel of r");
    assert_eq!(rules("a.ipynb", &notebook(r#"{"language_info": {"name": "julia"}}"#)), ["incomplete-analysis"]);
    let python = r#"{"kernelspec": {"language": "python"}, "language_info": {"name": "sql"}}"#;
    assert_eq!(rules("a.ipynb", &notebook(python).replace("x <- ", "import pickle; ")), ["unsafe-load"]);
}

/// Each of these took time that grows with the square of its length.
#[test]
fn long_files_end_as_quickly_as_short_ones() {
    let is_read = |name: &str, text: String| {
        let examined = examine_bytes(name, text.into_bytes(), &Options::default());
        examined.looked_at.iter().all(|file| file.is_complete)
    };
    let many = |line: &dyn Fn(usize) -> String| (0..20_000).map(line).collect::<String>();
    for text in [
        format!("import os, torch\nl.backward()\n{}", many(&|index| format!("x{index} = os.listdir(d)\n"))),
        format!("import os, torch\nl.backward()\n{}", many(&|_| "for x in os.listdir(d): f(x)\n".to_owned())),
        format!("import transformers as t\n{}", many(&|_| "t.A.from_pretrained('a/b')\n".to_owned())),
        format!("import time\n{}", many(&|_| "x = time.time()\n".to_owned())),
        format!("import requests\n{}", many(&|_| "requests.get('http://a')\n".to_owned())),
        format!("import os, torch\n{}", many(&|_| "os.environ['CUBLAS_WORKSPACE_CONFIG'] = 'a'\n".to_owned())),
        format!("import pickle\nf({})\n", many(&|_| "pickle.load(x), ".to_owned())),
        format!("import pickle\n{}", many(&|_| "pickle.load(f)  # waag: allow[unsafe-load] ours\n".to_owned())),
        format!(
            "def f():\n  global x{}\n{}",
            many(&|index| format!(", a{index}")),
            many(&|index| format!("  a{index} = 1\n"))
        ),
        format!("import yaml\n{}", many(&|_| "yaml.load(f)\n".to_owned())),
        format!("{}{}", many(&|index| format!("import m{index}\n")), many(&|_| "x.backward()\n".to_owned())),
    ] {
        assert!(is_read("a.py", text));
    }
    let lines: Vec<String> = (0..20_000).map(|_| "yaml.load(f)\n".to_owned()).collect();
    let notebook = serde_json::json!({"cells": [{"cell_type": "code", "source": lines}]}).to_string();
    assert!(is_read("a.ipynb", notebook));
    let keys: String = (0..20_000).map(|index| format!("a{index}: 1\n")).collect();
    assert!(!is_read("a.yaml", format!("{keys}base_model: a\ndatasets: 1\n")), "it has more entries than are kept");
}

#[test]
fn hostile_files_end_quickly_and_say_what_was_not_read() {
    let deep = "(".repeat(100_000);
    assert_eq!(rules("a.py", &deep), ["incomplete-analysis"]);
    let line = format!("import pickle; pickle.load(f); x = \"{}\"", "a".repeat(4 << 20));
    assert_eq!(rules("a.py", &line), ["unsafe-load"]);
    assert_eq!(rules("a.py", "import pickle\npickle.load(f)\0\n")[0], "incomplete-analysis");
    assert_eq!(rules("a.ipynb", "{\"cells\": ["), ["malformed-notebook"]);
    assert_eq!(rules("a.ipynb", "[]"), ["malformed-notebook"]);
    assert_eq!(rules("a.ipynb", &"[".repeat(100_000)), ["malformed-notebook"]);
    let nested = format!("import a\n{}", "x = a(a, a)\n".repeat(50_000));
    assert_eq!(rules("a.py", &nested), Vec::<String>::new());
    let names: String = (0..2_000).map(|index| format!("a{} = [a{index}, a{index}, a{index}]\n", index + 1)).collect();
    assert_eq!(rules("a.py", &format!("{names}f(a2000)\n")), Vec::<String>::new());
    let bytes = b"import pickle\nx = '\xff'\npickle.load(f)\n".to_vec();
    let broken: Vec<_> =
        examine_bytes("a.py", bytes, &Options::default()).findings.into_iter().map(|finding| finding.rule).collect();
    assert_eq!(broken, ["incomplete-analysis", "unsafe-load"]);
    let latin = b"# coding: latin-1\nimport pickle\nx = '\xff'\npickle.load(f)\n".to_vec();
    assert_eq!(examine_bytes("a.py", latin, &Options::default()).findings[0].location.line, Some(4));
}

#[test]
fn a_long_text_of_many_names_takes_no_more_memory_than_a_bound() {
    let call = format!("f({})\n", "x, ".repeat(128));
    let text = format!("import pickle\npickle.load(f)\nx = '{}'\n{}", "a".repeat(4_000), call.repeat(200));
    assert_eq!(rules("a.py", &text), ["incomplete-analysis", "unsafe-load"]);
    let name = "a".repeat(1 << 20);
    let calls = "b.f()\n".repeat(200);
    assert_eq!(rules("a.py", &format!("import {name}\nb = {name}\n{calls}")), ["incomplete-analysis"]);
}

#[test]
fn what_any_file_of_the_project_writes_is_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let load = "from transformers import AutoModel\nAutoModel.from_pretrained('org/m', trust_remote_code=True)\n";
    std::fs::write(folder.path().join("a.py"), load).unwrap();
    let told = || examine(&[folder.path().to_owned()], &Options::default()).unwrap().findings;
    let told_rules = || told().into_iter().map(|finding| (finding.rule, finding.severity)).collect::<Vec<_>>();
    let remote = |severity| ("trusted-remote-code".to_owned(), severity);
    assert_eq!(told_rules(), [remote(Severity::High), ("unpinned-remote".to_owned(), Severity::Low)]);
    std::fs::write(folder.path().join("b.py"), "model.save_pretrained('org/m')\n").unwrap();
    assert_eq!(told_rules(), [remote(Severity::Low)]);
}

#[test]
fn findings_stand_where_people_count_lines() {
    assert_eq!(found("a.py", "\u{feff}import pickle\r\n\r\npickle.load(f)\r\n"), [("unsafe-load".to_owned(), 3)]);
}

#[test]
fn other_tools_comments_allow_nothing() {
    assert_eq!(rules("a.py", "import pickle\npickle.load(f)  # nosec # noqa: S301\n"), ["unsafe-load"]);
}

#[test]
fn programs_are_what_is_started_with_what_it_imports() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("train.py", "import torch\nfrom pkg.seeds import fix\nfix(1)\ntorch.nn.Linear(1, 1)\nloss.backward()\n");
    write("pkg/__init__.py", "");
    write("pkg/seeds.py", "from . import more\ndef fix(x):\n    more.all(x)\n");
    write("pkg/more.py", "import torch\ndef all(x):\n    torch.manual_seed(x)\n");
    // A library that is never started, and a test of it.
    write("lib.py", "import torch\ndef fit(m):\n    torch.rand(1)\n    m.backward()\n");
    write("tests/test_lib.py", "import torch\ntorch.rand(1).backward()\n");
    let examined = examine(&[folder.path().to_owned()], &Options::default()).unwrap();
    let seeds = examined.findings.iter().filter(|finding| finding.rule == "missing-seed").count();
    assert_eq!(seeds, 0);
    std::fs::remove_file(folder.path().join("pkg/more.py")).unwrap();
    let examined = examine(&[folder.path().to_owned()], &Options::default()).unwrap();
    assert_eq!(examined.findings.iter().filter(|finding| finding.rule == "missing-seed").count(), 1);
    assert_eq!(examined.looked_at.len(), 5);
}

#[test]
fn a_program_of_too_many_files_misses_no_seed() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let imports: String = (0..410).map(|index| format!("import m{index}\n")).collect();
    write("a.py", "import torch, m0\ntorch.nn.Linear(1, 1)\nloss.backward()\n");
    write("m0.py", &format!("{imports}import last\n"));
    (1..410).for_each(|index| write(&format!("m{index}.py"), "import last\n"));
    write("last.py", "import seeds\n");
    write("seeds.py", "import torch\ntorch.manual_seed(1)\n");
    let told = below(folder.path());
    assert!(told.contains(&("incomplete-analysis".to_owned(), "a.py".to_owned())), "{told:?}");
    assert!(told.iter().all(|(rule, _)| rule != "missing-seed"), "{told:?}");
}

#[test]
fn configurations_are_told_by_their_keys() {
    assert_eq!(rules("data.json", r#"{"trust_remote_code": true}"#), Vec::<String>::new());
    assert_eq!(
        rules("args.json", r#"{"per_device_train_batch_size": 8, "trust_remote_code": true}"#),
        ["trusted-remote-code"]
    );
    assert_eq!(
        rules("conf.yaml", "trainer:\n  benchmark: true\nmodel: {}\ndata: {}\nseed_everything: false\n"),
        ["nondeterministic-algorithm", "missing-seed"]
    );
    assert_eq!(rules("conf.yaml", &format!("a: &a [{}]\n", "*a, ".repeat(1000))), Vec::<String>::new());
}

#[test]
fn how_a_training_is_launched_is_read_for_what_should_not_be_there() {
    let accelerate =
        "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_GPU\nmixed_precision: bf16\nnum_processes: 8\n";
    let looked_at = |name: &str, text: &str| {
        let examined = examine_bytes(name, text.as_bytes().to_vec(), &Options::default());
        (examined.looked_at.len(), examined.findings.len())
    };
    assert_eq!(looked_at("default_config.yaml", accelerate), (1, 0));
    assert_eq!(looked_at("zero3.json", r#"{"zero_optimization": {"stage": 3}, "fp16": {"enabled": "auto"}}"#), (1, 0));
    assert_eq!(looked_at("environment.yaml", "distributed_type: MULTI_GPU\n"), (0, 0));
    let personal = format!("{accelerate}deepspeed_config:\n  deepspeed_config_file: /home/jane.doe/zero3.json\n");
    assert_eq!(rules("default_config.yaml", &personal), ["personal-path"]);
    let offload = r#"{"zero_optimization": {"offload_param": {"nvme_path": "/home/jane.doe/nvme"}}}"#;
    assert_eq!(rules("ds.json", offload), ["personal-path"]);
    let factory = "model_name_or_path: org/model\nstage: sft\nfinetuning_type: lora\nper_device_train_batch_size: 1\ntrust_remote_code: true\n";
    assert_eq!(rules("sft.yaml", factory), ["trusted-remote-code", "unpinned-remote"]);
}

/// The rules of what is found below a folder, with the file that each is about.
fn below(folder: &std::path::Path) -> Vec<(String, String)> {
    let examined = examine(&[folder.to_owned()], &Options::default()).unwrap();
    let name = |path: &str| path.strip_prefix(&format!("{}/", folder.display())).unwrap_or(path).to_owned();
    examined.findings.into_iter().map(|finding| (finding.rule, name(&finding.location.file))).collect()
}

#[cfg(unix)]
#[test]
fn what_is_not_read_is_told() {
    use std::os::unix::fs::symlink;
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(outside.path().join("a.py"), "import pickle\npickle.load(f)\n").unwrap();
    symlink(outside.path(), folder.path().join("src")).unwrap();
    symlink(outside.path().join("a.py"), folder.path().join("b.py")).unwrap();
    symlink("nowhere.md", folder.path().join("README.md")).unwrap();
    std::os::unix::net::UnixListener::bind(folder.path().join("c.py")).unwrap();
    let deep = (0..130).fold(folder.path().to_owned(), |path, _| path.join("d"));
    std::fs::create_dir_all(&deep).unwrap();
    let told = below(folder.path());
    assert!(told.iter().all(|(rule, _)| rule == "incomplete-analysis"), "{told:?}");
    let files: Vec<&str> = told.iter().map(|(_, file)| file.as_str()).collect();
    assert_eq!((files[0], files[1], files.len()), ("b.py", "c.py", 4));
    assert!(files[2].ends_with("d/d/d") && files[3] == "src", "{files:?}");
}

#[cfg(unix)]
#[test]
fn a_file_with_two_names_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("real.py"), "import yaml\nyaml.load(f)\n").unwrap();
    std::os::unix::fs::symlink("real.py", folder.path().join("link.py")).unwrap();
    assert_eq!(below(folder.path()), [("unsafe-yaml".to_owned(), "real.py".to_owned())]);
    let twice = [folder.path().to_owned(), folder.path().join("../").join(folder.path().file_name().unwrap())];
    assert_eq!(examine(&twice, &Options::default()).unwrap().looked_at.len(), 1);
}

#[test]
fn copies_that_jupyter_keeps_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".ipynb_checkpoints")).unwrap();
    std::fs::write(folder.path().join(".ipynb_checkpoints/a-checkpoint.ipynb"), "[]").unwrap();
    assert_eq!(below(folder.path()), []);
}

#[test]
fn a_file_that_is_nothing_that_is_read_is_a_mistake_of_whoever_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train");
    std::fs::write(&path, "import pickle\n").unwrap();
    assert_eq!(examine(&[path], &Options::default()).unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn configurations_that_are_not_wholly_read_are_told() {
    let axolotl =
        "base_model: a/b\nmicro_batch_size: 1\nseed: 1\nrevision_of_model: a123456789012345678901234567890123456789\n";
    let incomplete = ["incomplete-analysis"];
    assert_eq!(rules("a.yaml", &format!("{axolotl}x: [1\ntrust_remote_code: true\n")), incomplete);
    assert_eq!(rules("a.yaml", &format!("{axolotl}{}trust_remote_code: true\n", "# x\n".repeat(300_000))), incomplete);
    let many: String = (0..20_001).map(|index| format!("a{index}: 1\n")).collect();
    assert_eq!(rules("a.yaml", &format!("{axolotl}{many}trust_remote_code: true\n")), incomplete);
    let json = r#"{"per_device_train_batch_size": 8, "trust_remote_code": tru"#;
    assert_eq!(rules("a.json", json), incomplete);
    assert_eq!(
        rules("a.json", &format!("{{\"learning_rate\": 1, \"x\": \"{}\"", "a".repeat(2 << 20))),
        Vec::<String>::new()
    );
    assert_eq!(
        rules("a.json", r#"{"learning_rate": 1, "num_train_epochs": 1, "log_history": [{"loss": "#),
        Vec::<String>::new()
    );
}
