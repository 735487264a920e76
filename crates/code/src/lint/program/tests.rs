use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Options, examine};

/// What rules say of files and folders in a folder, each with the file's name.
fn told(files: &[(&str, &str)], given: &[&str]) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let paths: Vec<PathBuf> = given.iter().map(|given| folder.path().join(given)).collect();
    let name = |path: &str| Path::new(path).strip_prefix(folder.path()).unwrap().display().to_string();
    let found = examine(&paths, &Options::default()).unwrap().findings.into_iter();
    found.map(|finding| (finding.rule.clone(), name(&finding.location.path()))).collect()
}

const TRAIN: &str = "import logging\nimport torch\nfrom utils import prepare\nprepare(1)\ntorch.nn.Linear(1, 1)(torch.rand(1)).backward()\n";
const SEEDS: &str = "import torch\ndef prepare(x): torch.manual_seed(x)\n";

#[test]
fn projects_that_are_given_together_keep_their_own_modules() {
    let files = [
        ("one/train.py", TRAIN),
        ("one/utils.py", SEEDS),
        ("two/train.py", TRAIN),
        ("two/utils.py", "prepare = print\n"),
    ];
    let expected = [("missing-seed".to_owned(), "two/train.py".to_owned())];
    assert_eq!(told(&files, &["one", "two"]), expected);
    assert_eq!(told(&files, &["two", "one"]), expected);
    assert_eq!(told(&files, &["."]).len(), 1);
}

#[test]
fn nothing_is_absent_of_a_program_that_was_given_in_part() {
    let files = [("train.py", TRAIN), ("utils.py", SEEDS)];
    assert_eq!(told(&files, &["train.py"]), []);
    assert_eq!(told(&files, &["train.py", "utils.py"]), []);
    let relative = TRAIN.replace("from utils", "from .utils");
    assert_eq!(told(&[("pkg/train.py", &relative), ("pkg/utils.py", SEEDS)], &["pkg/train.py"]), []);
    let above = TRAIN.replace("from utils", "from pkg.utils");
    assert_eq!(told(&[("jobs/train.py", &above), ("pkg/utils.py", SEEDS)], &["jobs"]), []);
    // A folder of results is no module.
    let library = TRAIN.replace("from utils import prepare\nprepare(1)", "import wandb");
    assert_eq!(told(&[("train.py", &library), ("wandb/run.txt", "")], &["train.py"]).len(), 1);
}

#[test]
fn modules_lie_in_the_source_folder_of_their_own_package() {
    let train = TRAIN.replace("from utils", "from own.utils");
    let files = [("packages/a/scripts/train.py", train.as_str()), ("packages/a/src/own/utils.py", SEEDS)];
    assert_eq!(told(&files, &["."]), []);
    let inside = TRAIN.replace("from utils", "from .");
    assert_eq!(told(&[("pkg/train.py", &inside), ("pkg/__init__.py", SEEDS)], &["."]), []);
}

#[test]
fn a_file_that_is_named_like_a_library_is_no_part_of_it() {
    let train = TRAIN.replace("from utils import prepare\nprepare(1)", "from own.layers import hqq");
    let layer = "from hqq.core.quantize import Linear\nfrom torchao.quantization.tensors import Int4\n";
    let files = [
        ("jobs/train.py", train.as_str()),
        ("src/own/__init__.py", ""),
        ("src/own/layers/__init__.py", ""),
        ("src/own/layers/hqq.py", layer),
        ("src/own/layers/torchao.py", ""),
    ];
    assert_eq!(told(&files, &["."]), [("missing-seed".to_owned(), "jobs/train.py".to_owned())]);
}

#[test]
fn what_a_library_beside_the_program_can_do_is_no_request_of_the_program() {
    let train = TRAIN.replace("from utils", "from own.utils");
    let asks =
        "import torch\ndef prepare(x):\n    torch.manual_seed(x)\n    torch.use_deterministic_algorithms(True)\n";
    let library = [("jobs/train.py", train.as_str()), ("own/__init__.py", ""), ("own/utils.py", asks)];
    assert_eq!(told(&library, &["."]), []);
    let own = [("train.py", TRAIN), ("utils.py", asks)];
    assert_eq!(told(&own, &["."]), [("nondeterministic-algorithm".to_owned(), "utils.py".to_owned())]);
}

#[test]
fn trainers_of_ones_own_train() {
    let trains = |text: &str| {
        let text = format!("from transformers import Trainer\nimport torch\nx = 'cuda'\n{text}");
        told(&[("a.py", &text)], &["."]).iter().any(|(rule, _)| rule == "nondeterministic-algorithm")
    };
    assert!(trains("Trainer(m).train()\n"));
    assert!(trains("class MyTrainer(Trainer): pass\nMyTrainer(m).train()\n"));
    assert!(trains("class Own(Trainer): pass\nit = Own(m)\nit.train()\n"));
    assert!(trains(
        "if x:\n    it = Trainer(m)\nelif y:\n    it = Trainer(n)\nelse:\n    it = Trainer(m, n)\nit.train()\n"
    ));
    assert!(!trains("if x:\n    it = Trainer(m)\nelse:\n    it = mine(m)\nit.train()\n"));
    assert!(!trains("class Own(torch.nn.Module): pass\nOwn().train()\n"));
}

/// Of each rule, the files that it is told of.
fn files(told: &[(String, String)], rule: &str) -> Vec<String> {
    told.iter().filter(|(told, _)| told == rule).map(|(_, file)| file.clone()).collect()
}

#[test]
fn what_is_asked_for_counts_in_the_whole_program_and_in_no_other() {
    let fit = "import logging\nimport torch\nfrom torch.utils.data import DataLoader\ndef fit(net, data):\n    net = net.to('cuda')\n    for x in DataLoader(data, shuffle=True, num_workers=2):\n        net(x).backward()\n";
    let careful = "import torch\nfrom lightning import seed_everything\nfrom train import fit\nseed_everything(1, workers=True)\ntorch.backends.cudnn.deterministic = True\nfit(net, data)\n";
    let quick = "import torch\nfrom train import fit\ntorch.backends.cudnn.benchmark = True\nfit(net, data)\n";
    let listed = [
        ("one/main.py", careful),
        ("one/train.py", fit),
        ("two/main.py", quick),
        ("two/train.py", fit),
        ("two/serve.py", "import torch\ntorch.backends.cudnn.benchmark = True\n"),
    ];
    let started = |text: &str| format!("{text}if __name__ == '__main__': pass\n");
    let (careful, quick) = (started(careful), started(quick));
    let listed = listed.map(|(name, text)| match name {
        "one/main.py" => (name, careful.as_str()),
        "two/main.py" => (name, quick.as_str()),
        _ => (name, text),
    });
    for given in [&["one", "two"][..], &["."], &["two", "one"]] {
        let told = told(&listed, given);
        assert_eq!(files(&told, "unseeded-loader"), ["two/train.py"], "{told:?}");
        assert_eq!(files(&told, "missing-seed"), ["two/train.py"], "{told:?}");
        assert_eq!(files(&told, "nondeterministic-algorithm"), ["two/main.py", "two/train.py"], "{told:?}");
    }
}

#[test]
fn a_file_that_two_programs_share_is_judged_with_each() {
    let data = "from torch.utils.data import DataLoader\ndef load(data): return DataLoader(data, shuffle=True, num_workers=2)\n";
    let main = |first: &str| {
        format!(
            "import logging\nimport torch\nfrom data import load\n{first}\nfor x in load(y):\n    net(x).backward()\n"
        )
    };
    let seeds = main("from lightning import seed_everything\nseed_everything(1, workers=True)");
    let plain = main("");
    let both = [("a.py", seeds.as_str()), ("b.py", plain.as_str()), ("data.py", data)];
    assert_eq!(files(&told(&both, &["."]), "unseeded-loader"), ["data.py"]);
    assert_eq!(files(&told(&[both[0], both[2]], &["."]), "unseeded-loader"), Vec::<String>::new());
}
