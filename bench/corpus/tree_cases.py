"""Boosted trees: XGBoost's JSON and UBJSON, LightGBM's text and CatBoost's binary; skops beside them."""

from __future__ import annotations

import json
import struct

from .arrays import floats, npy
from .assembler import inert_pickle
from .case import Shelf
from .confusion import elf
from .flatbuffers import Numbers, Scalar, Table, Tables, Text, flatbuffer
from .zipwriter import Member, zip_bytes


def tree(**changes: object) -> dict:
    base = {"base_weights": [0.1, -0.2, 0.3], "categories": [], "categories_nodes": [], "categories_segments": [], "categories_sizes": [], "default_left": [1, 0, 0], "id": 0, "left_children": [1, -1, -1],
            "loss_changes": [1.5, 0.0, 0.0], "parents": [2147483647, 0, 0], "right_children": [2, -1, -1], "split_conditions": [0.5, -0.2, 0.3], "split_indices": [1, 0, 0], "split_type": [0, 0, 0],
            "sum_hessian": [4.0, 2.0, 2.0], "tree_param": {"num_deleted": "0", "num_feature": "3", "num_nodes": "3", "size_leaf_vector": "1"}}
    return base | changes


def xgboost(trees: list[dict] | None = None, objective: str = "reg:squarederror", attributes: dict | None = None, features: list[str] | None = None, booster: str = "gbtree", model: dict | None = None,
            learner: dict | None = None, version: object = (2, 1, 0)) -> dict:
    trees = [tree()] if trees is None else trees
    inner = {"gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(len(trees))}, "iteration_indptr": list(range(len(trees) + 1)), "tree_info": [0] * len(trees), "trees": trees, **(model or {})}
    return {"learner": {"attributes": attributes or {}, "feature_names": features or [], "feature_types": [], "gradient_booster": {"model": inner, "name": booster},
            "learner_model_param": {"base_score": "5E-1", "boost_from_average": "1", "num_class": "0", "num_feature": "3", "num_target": "1"},
            "objective": {"name": objective, "reg_loss_param": {"scale_pos_weight": "1"}}, **(learner or {})}, "version": list(version) if isinstance(version, tuple) else version}


TYPED = {"categories_segments": "Lq", "categories_sizes": "Lq", "categories": "li", "categories_nodes": "li", "default_left": "UB", "split_type": "UB", "left_children": "li", "right_children": "li", "parents": "li",
         "split_indices": "li"}


def ubj(value: object) -> bytes:
    """UBJSON the way XGBoost writes it: lengths as 64-bit numbers, arrays of one type where it can."""
    def size(n: int) -> bytes:
        return b"L" + struct.pack(">q", n)

    def untyped(items: list) -> bytes:
        return b"[#" + size(len(items)) + b"".join(ubj(v) for v in items)

    def typed(items: list[int], mark: str, code: str) -> bytes:
        return b"[$" + mark.encode() + b"#" + size(len(items)) + struct.pack(f">{len(items)}{code}", *items)

    if isinstance(value, bytes):  # written as it is
        return value
    if value is None:
        return b"Z"
    if isinstance(value, bool):
        return b"T" if value else b"F"
    if isinstance(value, int):
        return b"l" + struct.pack(">i", value) if -(1 << 31) <= value < 1 << 31 else b"L" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"d" + struct.pack(">f", value)
    if isinstance(value, str):
        return b"S" + size(len(value.encode())) + value.encode()
    if isinstance(value, dict):
        return b"{" + b"".join(size(len(k.encode())) + k.encode() + (typed(v, *TYPED[k]) if k in TYPED and all(isinstance(i, int) for i in v) else ubj(v)) for k, v in value.items()) + b"}"
    assert isinstance(value, list)
    if value and all(isinstance(v, float) for v in value):
        return b"[$d#" + size(len(value)) + b"".join(struct.pack(">f", v) for v in value)
    return untyped(value)


LIGHTGBM = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=2
objective=regression
feature_names=Column_0 Column_1 Column_2
feature_infos=[0:1] [0:1] [0:1]
tree_sizes={size}

{tree}

end of trees

feature_importances:
Column_1=1

parameters:
[boosting: gbdt]
[objective: regression]
[num_leaves: 31]
end of parameters

pandas_categorical:{pandas}
"""
LIGHTGBM_TREE = """Tree=0
num_leaves=2
num_cat=0
split_feature=1
split_gain=1.5
threshold=0.5
decision_type=2
left_child=-1
right_child=-2
leaf_value=0.1 -0.2
leaf_weight=2 2
leaf_count=2 2
internal_value=0
internal_weight=0
internal_count=4
is_linear=0
shrinkage=1

"""


def lightgbm(change: tuple[str, str] = ("", ""), pandas: str = "null", size: str | None = None) -> bytes:
    inner = LIGHTGBM_TREE.replace(*change) if change[0] in LIGHTGBM_TREE and change[0] else LIGHTGBM_TREE
    text = LIGHTGBM.format(size=size or len(inner) + 1, tree=inner, pandas=pandas)
    return (text if change[0] in LIGHTGBM_TREE else text.replace(*change)).encode()


def catboost(info: dict[str, str] | None = None, parts: list[str] | None = None, tail: bytes = b"", size: int | None = None, version: str = "FlabuffersModel_v1", trees: Table | None = None) -> bytes:
    depth = trees or Table({0: Scalar("i", 1), 1: Numbers("i", [0]), 2: Numbers("i", [1]), 3: Numbers("i", [0]), 6: Tables([]), 7: Numbers("d", [0.1, -0.2], align=8)})
    core = flatbuffer(Table({0: Text(version), 1: depth, 2: Tables([Table({0: Text(k), 1: Text(v)}) for k, v in (info or {"model_guid": "0-0-0-0", "params": "{}"}).items()]),
                             **({3: Tables([Text(p) for p in parts])} if parts else {})}))
    return b"CBM1" + struct.pack("<I", len(core) if size is None else size) + core + tail


def bad() -> Shelf:
    shelf = Shelf("trees", source="construction, after the libraries' file formats")

    def add(id: str, data: bytes, why: str, name: str, expect: str = "not-allow") -> None:
        shelf.bad(id, data, why, name=name, expect=expect)

    lies = {
        "child-beyond": xgboost([tree(left_children=[99, -1, -1])]), "child-negative": xgboost([tree(right_children=[-77, -1, -1])]), "cycle": xgboost([tree(left_children=[0, -1, -1])]),
        "feature-beyond": xgboost([tree(split_indices=[4_000_000, 0, 0])]), "nodes-lie": xgboost([tree(tree_param={"num_deleted": "0", "num_feature": "3", "num_nodes": "4000000000", "size_leaf_vector": "1"})]),
        "arrays-differ": xgboost([tree(split_conditions=[0.5])]), "trees-lie": xgboost(model={"gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "1000000000"}}), "tree-info-short": xgboost([tree(), tree(id=1)], model={"tree_info": [0]}),
        "tree-info-group": xgboost(model={"tree_info": [-9]}), "leaf-vector": xgboost([tree(tree_param={"num_deleted": "0", "num_feature": "3", "num_nodes": "3", "size_leaf_vector": "99999999"})]),
        "class-name": xgboost(learner={"py/reduce": [{"py/function": "os.system"}, ["true"]]}),
    }
    for id, value in lies.items():
        deny = "deny" if id == "class-name" else "not-allow"
        add(f"xgboost-json-{id}", json.dumps(value).encode(), f"XGBoost in JSON: {id.replace('-', ' ')}", "model.json", deny)
        add(f"xgboost-ubj-{id}", ubj(value), f"XGBoost in UBJSON: {id.replace('-', ' ')}", "model.ubj", deny)
    good = ubj(xgboost())
    add("xgboost-ubj-length", good.replace(b"[$d#L" + struct.pack(">q", 3), b"[$d#L" + struct.pack(">q", 1 << 60), 1), "an array of a quintillion numbers", "model.ubj")
    add("xgboost-ubj-negative", good.replace(b"[$d#L" + struct.pack(">q", 3), b"[$d#L" + struct.pack(">q", -3), 1), "an array of minus three numbers", "model.ubj")
    add("xgboost-ubj-no-data", b"{L" + struct.pack(">q", 7) + b"learner[$Z#L" + struct.pack(">q", 1 << 60) + b"}", "a quintillion nulls in no bytes", "model.ubj")
    add("xgboost-ubj-truncated", good[:-40], "the end is missing", "model.ubj")
    add("xgboost-ubj-tail", good + inert_pickle(), "a pickle behind the model", "model.ubj", "deny")
    add("xgboost-json-tail", json.dumps(xgboost()).encode() + inert_pickle(), "a pickle behind the model", "model.json")
    add("xgboost-json-duplicate", b'{"version":[2,1,0],"learner":' + json.dumps(xgboost()["learner"]).encode() + b',"learner":' + json.dumps(lies["cycle"]["learner"]).encode() + b"}", "two learners", "model.json")
    add("xgboost-ubj-deep", b"[" * 100_000, "arrays a hundred thousand deep", "model.ubj")
    add("xgboost-binary-lies", b"binf" + struct.pack("<fIiiiII", 0.5, 3, 0, 0, 0, 1, 7) + bytes(108) + struct.pack("<Q", 1 << 50) + b"reg:squarederror", "a name of a petabyte", "model.bin")
    add("xgboost-binary-pickle", b"binf" + inert_pickle(), "a pickle behind XGBoost's old mark", "model.bin")
    add("xgboost-pickled", inert_pickle(), "a pickle called .bst", "model.bst", "deny")

    for id, change, why in (
        ("leaves-lie", ("num_leaves=2", "num_leaves=2000000000"), "a tree of two billion leaves"), ("child-beyond", ("left_child=-1", "left_child=999999"), "a child out of range"),
        ("child-self", ("left_child=-1", "left_child=0"), "a node that is its own child"), ("feature-beyond", ("split_feature=1", "split_feature=9999999"), "a feature out of range"),
        ("feature-negative", ("split_feature=1", "split_feature=-5"), "a negative feature"), ("leaves-negative", ("num_leaves=2", "num_leaves=-2"), "minus two leaves"),
        ("cat-lie", ("num_cat=0", "num_cat=1000000000"), "a billion categories"), ("counts-differ", ("leaf_value=0.1 -0.2", "leaf_value=0.1"), "fewer values than leaves"),
        ("max-feature", ("max_feature_idx=2", "max_feature_idx=2147483647"), "two billion features"), ("classes", ("num_class=1", "num_class=99999999"), "a hundred million classes"),
    ):
        add(f"lightgbm-{id}", lightgbm(change), f"LightGBM: {why}", "model.txt")
    add("lightgbm-tree-sizes", lightgbm(size="99999999999"), "LightGBM: a tree of a hundred gigabytes", "model.txt")
    add("lightgbm-no-end", lightgbm()[:200], "LightGBM: the end is missing", "model.lgb")
    add("lightgbm-tail", lightgbm() + inert_pickle(), "a pickle behind the model", "model.txt", "not-allow")

    add("catboost-size", catboost(size=1 << 31), "CatBoost: a core larger than the file", "model.cbm")
    add("catboost-short", catboost()[:40], "CatBoost: the end is missing", "model.cbm")
    add("catboost-tail", catboost(tail=inert_pickle()), "CatBoost: a pickle behind the model", "model.cbm", "deny")
    add("catboost-tail-elf", catboost(tail=elf()), "CatBoost: a program behind the model", "model.cbm")
    add("catboost-part", catboost(parts=["EvilPart"], tail=b"x" * 64), "CatBoost: a part nobody knows", "model.cbm")
    add("catboost-version", catboost(version="evil"), "CatBoost: a version that does not exist", "model.cbm")
    add("catboost-depth", catboost(trees=Table({0: Scalar("i", 1), 1: Numbers("i", [0]), 2: Numbers("i", [1 << 30]), 3: Numbers("i", [0])})), "CatBoost: a tree a billion deep", "model.cbm")
    return shelf


def good() -> Shelf:
    shelf = Shelf("good-trees", source="construction, after the libraries' file formats")

    def add(id: str, data: bytes, why: str, name: str) -> None:
        shelf.good(id, data, why, name=name)

    values = {"plain": xgboost(), "two-trees": xgboost([tree(), tree(id=1)]), "names": xgboost(features=["eval", "exec", "os.system"], attributes={"best_iteration": "1", "note": "never eval() this"}),
              "classes": xgboost(objective="binary:logistic"), "stump": xgboost([tree(base_weights=[0.1], default_left=[0], left_children=[-1], right_children=[-1], loss_changes=[0.0], parents=[2147483647], split_conditions=[0.1],
              split_indices=[0], split_type=[0], sum_hessian=[4.0], tree_param={"num_deleted": "0", "num_feature": "3", "num_nodes": "1", "size_leaf_vector": "1"})]), "old-version": xgboost(version=(1, 7, 6))}
    for id, value in values.items():
        add(f"xgboost-json-{id}", json.dumps(value).encode(), f"XGBoost in JSON: {id}", "model.json")
        add(f"xgboost-ubj-{id}", ubj(value), f"XGBoost in UBJSON: {id}", "model.ubj")
    add("lightgbm", lightgbm(), "LightGBM", "model.txt")
    add("lightgbm-categories", lightgbm(pandas='[["a", "eval", "exec"]]'), "LightGBM: categories", "model.lgb")
    add("lightgbm-names", lightgbm(("Column_0 Column_1 Column_2", "eval exec os.system")), "LightGBM: names that frighten scanners", "lightgbm.txt")
    libraries(shelf)
    return shelf


def libraries(shelf: Shelf) -> None:
    try:
        import numpy as np
    except ImportError:
        shelf.skip("NumPy is missing: the libraries' own trees were left out")
        return
    x, y = np.arange(120, dtype="f4").reshape(40, 3) % 11, np.arange(40) % 2
    try:
        import xgboost as xgb

        for objective in ("reg:squarederror", "binary:logistic"):
            booster = xgb.train({"objective": objective, "max_depth": 3, "seed": 0}, xgb.DMatrix(x, label=y, feature_names=["eval", "b", "c"]), 3)
            for kind in ("json", "ubj"):
                shelf.good(f"library-xgboost-{kind}-{objective.replace(':', '-')}", bytes(booster.save_raw(kind)), "written by xgboost", name=f"model.{kind}", source="the installed library")
    except Exception as error:  # noqa: BLE001 (a missing system library ends in several kinds)
        shelf.skip(f"xgboost is missing: its own models were left out ({type(error).__name__})")
    try:
        import lightgbm as lgb

        model = lgb.train({"objective": "binary", "verbose": -1, "min_data_in_leaf": 2, "seed": 0, "deterministic": True, "num_threads": 1}, lgb.Dataset(x, y), 3)
        shelf.good("library-lightgbm", model.model_to_string().encode(), "written by lightgbm", name="model.txt", source="the installed library")
    except Exception as error:  # noqa: BLE001
        shelf.skip(f"lightgbm is missing: its own models were left out ({type(error).__name__})")
    try:
        import tempfile
        from pathlib import Path

        import catboost as cat

        with tempfile.TemporaryDirectory() as home:
            model = cat.CatBoostClassifier(iterations=3, depth=2, verbose=False, random_seed=0, train_dir=home, allow_writing_files=False).fit(x, y)
            model.save_model(str(Path(home) / "m.cbm"))
            shelf.good("library-catboost", (Path(home) / "m.cbm").read_bytes(), "written by catboost", name="model.cbm", source="the installed library")
            model.save_model(str(Path(home) / "m.json"), format="json")
            shelf.good("library-catboost-json", (Path(home) / "m.json").read_bytes(), "written by catboost as JSON", name="model.json", source="the installed library")
    except Exception as error:  # noqa: BLE001
        shelf.skip(f"catboost is missing: its own models were left out ({type(error).__name__})")


ARRAY = npy("'<f8'", "(4,)", floats(4))


def skops(schema: dict | str, members: list[Member] | None = None, array: bytes | None = None) -> bytes:
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return zip_bytes([Member("140001.npy", ARRAY if array is None else array), *(members or []), Member("schema.json", text.encode())])


def object_node(cls: str, module: str, content: object = None, loader: str = "ObjectNode", **more: object) -> dict:
    return {"__class__": cls, "__module__": module, "__loader__": loader, "__id__": 1, "content": content, **more}


def root(node: dict) -> dict:
    return {**node, "protocol": 2, "_skops_version": "0.13.0"}


def json_node(value: object) -> dict:
    return {"__class__": type(value).__name__, "__module__": "builtins", "__loader__": "JsonNode", "__id__": 5, "content": json.dumps(value), "is_json": True}


def dict_node(items: dict[str, dict]) -> dict:
    keys = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [{"__class__": "type", "__module__": "builtins", "__loader__": "TypeNode", "content": "str"}] * len(items)}
    return {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "__id__": 2, "content": items, "key_types": keys}


def skops_bad() -> Shelf:
    shelf = Shelf("skops", source="construction, after skops.io")

    def add(id: str, data: bytes, why: str, expect: str = "deny", source: str | None = None, name: str = "model.skops") -> None:
        shelf.bad(id, data, why, name=name, expect=expect, source=source)

    for module, cls in (("os", "system"), ("builtins", "eval"), ("builtins", "exec"), ("subprocess", "Popen"), ("posix", "system"), ("importlib", "import_module"), ("pickle", "loads"), ("shutil", "rmtree"), ("ctypes", "CDLL"), ("runpy", "run_path")):
        add(f"function-{module}-{cls}".lower(), skops(root({"__class__": cls, "__module__": module, "__loader__": "FunctionNode", "__id__": 1, "content": {"module_path": module, "function": cls}})), f"a function of {module}")
        add(f"object-{module}-{cls}".lower(), skops(root(object_node(cls, module, dict_node({})))), f"an object of {module}.{cls}")
    method = {"__class__": "method", "__module__": "builtins", "__loader__": "MethodNode", "__id__": 1, "content": {"func": "system", "obj": object_node("LogisticRegression", "sklearn.linear_model._logistic", dict_node({}))}}
    add("method-lies", skops(root(method)), "a method whose object says another class than it is", "not-allow", source="cve-2025-54413")
    add("method-module", skops(root({**method, "content": {"func": "system", "obj": {"__class__": "module", "__module__": "os", "__loader__": "TypeNode", "__id__": 3}}})), "a method of module os", source="cve-2025-54413")
    operator = {"__class__": "attrgetter", "__module__": "operator", "__loader__": "OperatorFuncNode", "__id__": 1, "attrs": {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": [json_node("__globals__")]}}
    add("operator-attrgetter", skops(root(operator)), "operator.attrgetter reaches any attribute", source="cve-2025-54412")
    add("operator-lies", skops(root({**operator, "__class__": "call", "__module__": "builtins"})), "an operator whose class lies: the loader takes operator.call", source="cve-2025-54412")
    add("operator-methodcaller", skops(root({**operator, "__class__": "methodcaller"})), "operator.methodcaller calls any method", source="cve-2025-54412")
    add("loader-lies", skops(root({"__class__": "int", "__module__": "builtins", "__loader__": "FunctionNode", "__id__": 1, "content": {"module_path": "os", "function": "system"}})), "a number whose loader takes a function", source="cve-2025-54413")
    add("partial", skops(root({"__class__": "partial", "__module__": "functools", "__loader__": "PartialNode", "__id__": 1, "content": {"func": {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": {"module_path": "os",
        "function": "system"}}, "args": json_node([]), "kwds": dict_node({}), "namespace": dict_node({})}})), "a partial of os.system")
    add("nested", skops(root(object_node("Pipeline", "sklearn.pipeline", dict_node({"steps": object_node("FunctionTransformer", "sklearn.preprocessing._function_transformer", dict_node({"func": {"__class__": "system", "__module__": "os",
        "__loader__": "FunctionNode", "content": {"module_path": "os", "function": "system"}}}))})))), "os.system inside a pipeline")
    add("reduce", skops(root({"__class__": "Tree", "__module__": "sklearn.tree._tree", "__loader__": "ReduceNode", "__id__": 1, "content": {"reduce": json_node([]), "constructor": {"__class__": "system", "__module__": "os", "__loader__": "TypeNode"}}})), "a constructor that is os.system")
    nodes = {"__class__": "Tree", "__module__": "sklearn.tree._tree", "__loader__": "TreeNode", "__id__": 1, "content": dict_node({"nodes": {"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode", "type": "numpy", "file": "140001.npy"}})}
    row = struct.Struct("<qqqddqdB7x")
    descr = "[('left_child', '<i8'), ('right_child', '<i8'), ('feature', '<i8'), ('threshold', '<f8'), ('impurity', '<f8'), ('n_node_samples', '<i8'), ('weighted_n_node_samples', '<f8'), ('missing_go_to_left', 'u1'), ('', '|V7')]"
    for id, child in (("beyond", 1 << 40), ("negative", -999)):
        add(f"tree-node-{id}", skops(root(nodes), array=npy(descr, "(1,)", row.pack(child, child, 0, 0.5, 0.5, 4, 4.0, 0))), f"a tree whose child lies {id}: native code reads there", "not-allow")
    add("array-object", skops(root({"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode", "type": "numpy", "file": "140001.npy"}), array=npy("'|O'", "(1,)", inert_pickle())), "an array of objects: a pickle")
    add("array-path", skops(root({"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode", "type": "numpy", "file": "../../../etc/passwd"})), "an array at a path above", "not-allow")
    add("card-joblib", skops(root(object_node("LogisticRegression", "sklearn.linear_model._logistic", dict_node({}))), [Member("model.pkl", inert_pickle())]), "a pickle in the archive: Card.get_model falls back to joblib", source="cve-2025-54886")
    add("named-not-zip", inert_pickle(), "a pickle called .skops: Card.get_model loads it with joblib", source="cve-2025-54886")
    add("custom-class", skops(root(object_node("MyModel", "evil_package.models", dict_node({})))), "a class of an unknown package", "not-allow")
    add("main-class", skops(root(object_node("MyModel", "__main__", dict_node({})))), "a class of the saving script", "not-allow")
    add("second-schema", skops(root(json_node(1)), [Member("schema.json", json.dumps(root(method)).encode())]), "two schemas", "not-allow")
    add("duplicate-key", skops('{"__class__":"int","__module__":"builtins","__loader__":"JsonNode","content":"1","__loader__":"FunctionNode","content":{"module_path":"os","function":"system"},"protocol":2}'), "keys said twice")
    add("escaped", skops(json.dumps(root(object_node("system", "os", dict_node({})))).replace('"os"', '"\\u006fs"')), "a module spelled with an escape")
    add("named-zip", skops(root(object_node("system", "os", dict_node({})))), "a skops file called .zip", name="model.zip")
    add("unknown-loader", skops(root({"__class__": "int", "__module__": "builtins", "__loader__": "EvilNode", "__id__": 1})), "a loader that does not exist", "not-allow")
    return shelf


def skops_good() -> Shelf:
    shelf = Shelf("good-skops", source="construction, after skops.io")

    def add(id: str, data: bytes, why: str, source: str | None = None) -> None:
        shelf.good(id, data, why, name="model.skops", source=source)

    add("number", skops(root(json_node(3))), "a number")
    add("words", skops(root(dict_node({"eval": json_node("os.system"), "exec": json_node("never eval() this")}))), "words that frighten scanners")
    add("array", skops(root({"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode", "__id__": 1, "type": "numpy", "file": "140001.npy"})), "an array")
    try:
        import warnings

        import skops.io as sio

        warnings.simplefilter("ignore")
        from .good_libraries import fitted
    except ImportError:
        shelf.skip("skops is missing: its own models were left out")
        return shelf
    models = fitted()
    for id in ("linear-regression", "logistic-regression", "tree", "forest", "svc", "mlp", "kmeans", "pca", "scaler", "pipeline", "naive-bayes"):
        add(f"library-{id}", sio.dumps(models[id]), "written by skops", source="the installed library")
    return shelf
