use super::*;

fn paths(text: &str) -> Vec<String> {
    read(text).calls.into_iter().map(|call| call.callee.path).collect()
}

fn first(text: &str) -> Value {
    read(text).calls[0].positional[0].value.clone()
}

#[test]
fn names_are_followed_to_what_they_were_imported_as() {
    assert_eq!(paths("import torch as t\nt.load(x)"), ["torch.load"]);
    assert_eq!(paths("from torch import load as l\nl(x)"), ["torch.load"]);
    assert_eq!(paths("import torch\nloader = torch.load\nloader(x)"), ["torch.load"]);
    assert_eq!(paths("import torch.nn.functional as F\nF.relu(x)"), ["torch.nn.functional.relu"]);
    assert_eq!(
        paths("try:\n import cPickle as p\nexcept ImportError:\n import pickle as p\np.load(f)"),
        ["pickle.load"]
    );
    assert_eq!(paths("__import__('pickle').loads(x)")[0], "pickle.loads");
    assert_eq!(paths("import os\ngetattr(os, 'system')('id')")[0], "os.system");
    assert_eq!(paths("import tarfile\nwith tarfile.open(p) as t:\n t.extractall()")[1], "tarfile.open().extractall");
    assert_eq!(
        paths(
            "from transformers import Trainer\nclass A:\n def __init__(self):\n  self.t = Trainer()\n def go(self):\n  self.t.train()"
        )[1],
        "transformers.Trainer().train"
    );
    assert_eq!(paths("from tensorflow import keras\nkeras.utils.set_random_seed(1)"), ["keras.utils.set_random_seed"]);
}

#[test]
fn what_has_two_answers_has_none() {
    assert_eq!(paths("import torch\nif x:\n load = torch.load\nelse:\n load = mine\nload(x)"), [""]);
    assert_eq!(paths("import torch\ndef f(torch):\n torch.load(x)"), [""]);
    assert_eq!(paths("def load(x): pass\nload(x)"), [""]);
    assert_eq!(paths("from x import *\nload(x)"), [""]);
}

#[test]
fn constants_are_put_together() {
    let text = |source: &str| first(source).text().map(str::to_owned);
    assert_eq!(text("a = 'x'\nf(a + 'y')").as_deref(), Some("xy"));
    assert_eq!(text("n = 3\nf(f'a/{n}')").as_deref(), Some("a/3"));
    assert_eq!(text("import os\nf(os.path.join('a', 'b'))").as_deref(), Some("a/b"));
    assert_eq!(text("f(f'a/{n}')"), None);
    assert_eq!(text("a = 'x'\na = 'y'\nf(a)"), None);
    assert!(matches!(first("from pathlib import Path\nf(Path(x) / 'y')"), Value::Text(text) if text.is_file));
}

#[test]
fn what_lies_too_deep_is_refused_and_ends_quickly() {
    let deep = 100_000_usize;
    for text in [
        "(".repeat(deep),
        "[".repeat(deep) + &"]".repeat(deep),
        "x = ".to_owned() + &"1+".repeat(deep) + "1",
        "not ".repeat(deep) + "x",
        "a".to_owned() + &".b()".repeat(deep),
        "lambda:".repeat(deep) + "0",
        "1 if a else ".repeat(deep) + "0",
        "f'{".repeat(200) + &"(".repeat(deep),
    ] {
        let script = read(&text);
        assert!(script.refused.is_some() || !script.breaks.is_empty(), "{}", &text[..20]);
    }
    let wide = format!("x = [{}]", "(1, -2), ".repeat(50_000));
    assert!(read(&wide).refused.is_none());
}

#[test]
fn what_is_broken_is_told_and_the_rest_is_read() {
    let script = read("import torch\nx = = 1\ntorch.load(p)\n");
    assert!(!script.breaks.is_empty());
    assert_eq!(script.calls[0].callee.path, "torch.load");
}

#[test]
fn cells_are_read_with_their_magics() {
    let text = "!pip install torch\n%pip install numpy\nimport torch\ntorch.load(x)";
    let cells = [Span { start: 0, end: 37 }, Span { start: 38, end: u32::try_from(text.len()).unwrap() }];
    let script = read_cells(text, &cells);
    assert!(script.breaks.is_empty());
    assert_eq!(script.commands.len(), 2);
    assert_eq!(script.calls[0].callee.path, "torch.load");
}
