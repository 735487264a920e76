//! What is named otherwise, bound elsewhere or put together is followed to what it is.

use super::*;
use crate::testing::inspect;

fn told(source: &str) -> Vec<String> {
    let facts = inspect(&PythonSource, "extra.py", source.as_bytes());
    let reach = |fact: &crate::fact::Fact| match &fact.kind {
        FactKind::SourceReach { reach, runs, .. } => Some(format!("{reach:?} {runs:?}")),
        FactKind::Incomplete { detail, .. } => Some(format!("Incomplete {detail}")),
        _ => None,
    };
    facts.list().iter().filter_map(reach).collect()
}

fn all_tell(sources: &[&str], expected: &[&str]) {
    for source in sources {
        let found = told(source);
        let is_told = found.iter().any(|found| expected.iter().any(|expected| found.starts_with(expected)));
        assert!(is_told, "{source}\n gives {found:?}");
    }
}

#[test]
fn a_binding_that_does_not_happen_hides_nothing() {
    all_tell(
        &[
            "import os\ndef f():\n    os='x'\nos.system('id')",
            "import os\nclass K:\n    os=1\nos.system('id')",
            "import os\nclass K:\n    os=1\n    def m(self): os.system('id')\nK().m()",
            "from os import system\nclass K:\n    def m(self):\n        system=[1]\nsystem('id')",
            "import os\nif 0: import json as os\nos.system('id')",
            "import os\nif 0:\n    import subprocess as os\nos.system('id')",
            "from os import system\nif 0:\n    from pickle import loads as system\nsystem('id')",
            "from os import system\n[system:=1 for _ in ()]\nsystem('id')",
            "import os\n(lambda os: 0)(1)\nos.system('id')",
            "import os\ntry: pass\nexcept ValueError as os: pass\nos.system('id')",
            "def f():\n    global os\n    os=1\nimport os\nos.system('id')",
            "def f():\n    global s\n    from os import system as s\nf()\ns('id')",
            "import os\ndef f():\n    os.system = print\nos.system('id')",
            "def f():\n    exec = print\nexec('import os; os.system(1)')",
            "code = 'import os; os.system(1)'\nif 0: code = 'print(1)'\nexec(code)",
            "code = 'import os; os.system(1)'\ndef f():\n    code = 'print(1)'\nexec(code)",
            "import os\nexec('os=1', {})\nos.system('id')",
        ],
        &["Program Loaded", "HiddenCode Loaded", "Evaluation Loaded"],
    );
}

#[test]
fn what_a_function_binds_is_its_own() {
    let other = "def a():\n    from subprocess import run\ndef b():\n    from tracking import run\n    run('x')\n";
    assert_eq!(told(other), Vec::<String>::new());
    let replaced = "from subprocess import run\ndef b(x):\n    run = x.start()\n    run('x')\n";
    assert_eq!(told(replaced), Vec::<String>::new());
}

#[test]
fn what_is_dropped_is_told_and_what_matters_is_kept() {
    let deep = (0..5).fold("import os; os.system('id')".to_owned(), |code, _| format!("exec({code:?})"));
    let names: String = (0..20_100).map(|at| format!("a{at}=1\n")).collect();
    let calls = "    requests.get('http://example.org')\n".repeat(2_100);
    let flood = format!("import requests\ndef f():\n{calls}import os\nos.system('id')\n");
    let path = format!("import os\nos.path{}.os.system('id')", ".os.path".repeat(30));
    for source in [
        deep,
        format!("{names}from os import system as s\ns('id')"),
        flood.clone(),
        format!("import os\n(lambda o: [{}o.system('id')])(os)", "0,".repeat(2_100)),
        format!("import os\nl=[{}os.getpid, os.system]\nl[-1]('id')", "0,".repeat(4_100)),
        format!("exec(''.join([{}'import os']))", "' ',".repeat(4_200)),
        format!(
            "a='{}'\n[a,a,a,a,a,a,a,exec('x',a)]\nimport os as q\n[a,a,a,a,a,a,a,q.system('id')]",
            "x".repeat(900_000)
        ),
        format!("exec('{}\\nimport os; os.system(1)')", "#".repeat(1 << 20)),
    ] {
        all_tell(&[&source], &["Program Loaded", "HiddenCode Loaded", "Evaluation Loaded"]);
    }
    assert!(told(&flood).iter().any(|found| found.starts_with("Incomplete")));
    // Where a path is long, its end is what counts.
    assert!(!told(&path).iter().any(|found| found.starts_with("Network")));
}

#[test]
fn modules_of_names_that_are_put_together_are_followed() {
    all_tell(
        &[
            "m=__import__('%s%s'%('o','s'))\nm.system('id')",
            "m=__import__('{}s'.format('o'))\nm.system('id')",
            "m=__import__('{a}{0}'.format('s', a='o'))\nm.system('id')",
            "s='xosx'[1:3]\n__import__(s).system('id')",
            "a,b='os system'.split()\ngetattr(__import__(a),b)('id')",
            "m=__import__('pt'.translate({112:111,116:115}))\nm.system('id')",
            "k=bytes(b^1 for b in b'nr').decode()\nm=__import__(k)\nm.system('id')",
            "n=['so'[::-1]]\nm=__import__(n.pop())\nm.system('id')",
            "for m in ['os']:\n    mod=__import__(m)\n    mod.system('id')",
            "[m]=map(__import__,['os'])\nm.system('id')",
            "def r():\n    import os\n    return os\nr().system('id')",
            "(lambda: __import__('os'))().system('id')",
            "import sys\nfor k,v in sys.modules.items():\n    if k=='o'+'s': v.system('id')",
            "import sys\n[v for v in sys.modules.values()][3].system('id')",
            "import sys\nsys._getframe(0).f_builtins['exec']('import os')",
            "[c for c in object.__subclasses__() if c.__name__=='x'][0].__init__.__globals__['system']('id')",
            "import os, typing\ntyping.cast(object, os).system('id')",
        ],
        &["Program Loaded", "HiddenCode Loaded", "Evaluation Loaded"],
    );
    let plugins = "import importlib\ndef load(name):\n    module = importlib.import_module(name)\n    module.run()\n    \
                   return getattr(module, name)(1)\nfor n in names:\n    importlib.import_module(n)\n";
    assert_eq!(told(plugins), Vec::<String>::new());
    all_tell(&["__import__(x.y).run(['sh'])", "getattr(__import__(x.y), x.z)('id')"], &["UnsafeLoad Loaded"]);
}

#[test]
fn attributes_and_names_that_are_asked_for_otherwise_are_followed() {
    all_tell(
        &[
            "import os\nos.__getattribute__('system')('id')",
            "import os\ntype(os).__getattribute__(os,'system')('id')",
            "import os\nobject.__getattribute__(os,'system')('id')",
            "import os,inspect\ninspect.getattr_static(os,'system')('id')",
            "import os,inspect\ndict(inspect.getmembers(os))['system']('id')",
            "import os\n[f for n,f in vars(os).items() if n=='system'][0]('id')",
            "import os\nfor f in (os.system,):\n    f('id')",
            "import os\nfor n, f in [('a', os.system), ('b', os.getcwd)]:\n    f('id')",
            "import os\n[f('id') for f in (os.system,)]",
            "import os\na, b = os.system, 1\na('id')",
            "import os\n(a,) = (os.system,)\na('id')",
            "import os\n(a, *b), c = (os.system, 1, 2), 1\na('id')",
            "import os\nf = os.system, 1\nf[0]('id')",
            "import os\nglobals()['f']=os.system\nf('id')",
            "import os\nd = {}\nd['a']=os.system\nd['a']('id')",
            "import os\ndef f(s=os.system):\n    s('id')\nf()",
            "import os\ndef f(a: int, s: object = os.system) -> int:\n    s('id')\nf(1)",
            "from functools import reduce\nimport os\nreduce(lambda a,b: getattr(a,b), ['system'], os)('id')",
            "import os\n(lambda: os.system)()('id')",
            "import os\nmatch = os.system\nmatch('id')",
        ],
        &["Program Loaded", "HiddenCode Loaded", "Evaluation Loaded"],
    );
}

#[test]
fn methods_that_python_calls_by_itself_run() {
    all_tell(
        &[
            "import os\nclass A:\n    def __enter__(self): os.system('id')\n    def __exit__(self,*a): pass\nwith A():\n    pass",
            "import os\nclass A:\n    def __init_subclass__(cls): os.system('id')\nclass B(A): pass",
            "import os\nclass A:\n    def __set_name__(self,o,n): os.system('id')\nclass B:\n    x = A()",
            "import os\nclass M(type):\n    def __new__(m,*a): os.system('id')\nclass B(metaclass=M): pass",
            "import os\nclass M(type):\n    @classmethod\n    def __prepare__(m,*a): os.system('id')\nclass B(metaclass=M): pass",
            "import os\ndef m(*a):\n    os.system('id')\nclass B(metaclass=m): pass",
            "import os\nclass A:\n    def __iter__(self): os.system('id')\nfor x in A(): pass",
            "import os\nf = lambda: os.system('id')\nf()",
            "import os\nsorted([1,2], key=lambda _: os.system('id'))",
            "import atexit,os\natexit.register(lambda: os.system('id'))",
            "import atexit,os\n@atexit.register\ndef bye():\n    os.system('id')",
            "import os\n@lambda f: os.system('id')\nclass A: pass",
        ],
        &["Program Loaded"],
    );
    let unused =
        "import os\nclass A:\n    def __enter__(self): os.system('id')\nf = lambda: os.system('id')\na = A()\n";
    assert_eq!(told(unused), ["Program Used", "Program Used"]);
}
