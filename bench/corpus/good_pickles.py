"""Ordinary pickles: what people save, at every protocol, and what naive scanners trip over."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import fractions
import pathlib
import pickle
import uuid

from .arrays import dtype, floats, joblib_dump, ndarray
from .assembler import BUILD, NONE, Asm, Code, glob, op, proto, put
from .case import Shelf

a2, a4 = Asm(2), Asm(4)
HYPER = {"lr": 0.001, "layers": [64, 64, 10], "name": "baseline", "dropout": None, "shuffle": True, "seed": 42}
SCARY = [
    "os.system('rm -rf /')", "__import__('os')", "eval(input())", "exec", "subprocess.Popen", "builtins.eval", "cos\nsystem\n(S'true'\ntR.",
    "{{ ''.__class__ }}", "http://example.invalid/", "/etc/passwd", "pickle.loads", "<script>", "sh -c", "__reduce__", "../../..",
]


def plain() -> Shelf:
    shelf = Shelf("good-pickles")
    values: dict[str, object] = {
        "hyperparameters": HYPER,
        "scary-words": {"vocab": {w: i for i, w in enumerate(SCARY)}},
        "numbers": [0, 1, -1, 255, 256, 65535, 65536, 2**31 - 1, -(2**31), 2**63, -(2**63), 10**100, 0.5, -0.0, 1e300],
    }
    for id, value in values.items():
        for protocol in range(6):
            shelf.good(f"{id}-p{protocol}", pickle.dumps(value, protocol), f"{id} at protocol {protocol}")
    others: dict[str, tuple[object, int, str]] = {
        "ordereddict": (collections.OrderedDict(a=1, b=[2, 3]), 2, "an OrderedDict"),
        "ordereddict-p4": (collections.OrderedDict(a=1), 4, "an OrderedDict at protocol 4"),
        "defaultdict-int": (collections.defaultdict(int, a=1), 4, "a defaultdict whose factory is int"),
        "defaultdict-list": (collections.defaultdict(list, a=[1]), 2, "a defaultdict whose factory is list"),
        "counter": (collections.Counter("hello world"), 4, "a Counter"),
        "deque": (collections.deque([1, 2, 3], maxlen=5), 4, "a deque"),
        "datetime": (datetime.datetime(2024, 5, 17, 12, 30, tzinfo=datetime.UTC), 4, "a datetime with its zone"),
        "date": ([datetime.date(2024, 1, 2), datetime.timedelta(days=3)], 2, "a date and a timedelta"),
        "decimal": (decimal.Decimal("3.14159"), 4, "a Decimal"),
        "fraction": (fractions.Fraction(22, 7), 4, "a Fraction"),
        "uuid": (uuid.UUID(int=7), 4, "a UUID: the class only, not the module's helpers"),
        "path": (pathlib.PurePosixPath("data/train.csv"), 4, "a pure path"),
        "set": ({1, 2, 3}, 2, "a set at protocol 2"),
        "set-p4": ({1, 2, 3}, 4, "a set at protocol 4"),
        "frozenset": (frozenset([1, 2]), 4, "a frozenset"),
        "bytes-p2": (b"\x00\x01binary", 2, "bytes at protocol 2, which travel as a call of _codecs.encode"),
        "bytes-p4": (b"\x00\x01binary" * 100, 4, "bytes at protocol 4"),
        "bytearray-p5": (bytearray(b"abc" * 100), 5, "a bytearray at protocol 5"),
        "bytearray-p2": (bytearray(b"abc"), 2, "a bytearray at protocol 2"),
        "complex": (1 + 2j, 2, "a complex number"),
        "range": (range(10), 4, "a range"),
        "slice": (slice(1, 2), 4, "a slice"),
        "array": (array.array("d", [1.0, 2.0]), 4, "an array of the standard library"),
        "ellipsis": ([..., NotImplemented], 4, "singletons"),
        "unicode": ({"名前": "模型", "emoji": "🤖", "accent": "é"}, 0, "text that is not ASCII at protocol 0"),
        "unicode-p4": ({"名前": "模型", "emoji": "🤖"}, 4, "text that is not ASCII at protocol 4"),
        "nested": ({"a": {"b": {"c": [({"d": 1},)]}}}, 4, "nested containers"),
        "big-int": (3 ** 20_000, 4, "an integer of thirty thousand bits"),
        "big-int-p0": (3 ** 5000, 0, "an integer in text"),
        "long-string": ("os.system " * 20_000, 4, "200 KB of text"),
        "empty-dict": ({}, 2, "an empty dict"),
        "none": (None, 0, "nothing at all"),
        "many-strings": ([f"token_{i}" for i in range(20_000)], 4, "twenty thousand strings, each memoized"),
        "many-ints": (list(range(120_000)), 2, "120,000 integers"),
        "word-counts": ({f"w{i}": i % 97 for i in range(30_000)}, 4, "a vocabulary of thirty thousand words"),
        "deep-but-finite": (deep(200), 4, "lists two hundred deep"),
        "dots-in-bytes": (b"." * 5000, 4, "bytes that are all STOP"),
        "pickle-in-bytes": (pickle.dumps(HYPER, 4), 4, "bytes that are a harmless pickle, as caches keep them"),
        "recursive-list": (recursive(), 4, "a list that holds itself"),
        "shared-objects": (shared(), 2, "one list in many places"),
    }
    for id, (value, protocol, why) in others.items():
        shelf.good(id, pickle.dumps(value, protocol), why)
    ops = bytes(proto(2) + op(b"](") + b"".join(a2.lit(i % 256) for i in range(300_000)) + op(b"e."))
    shelf.good("ops-300k", ops, "three hundred thousand opcodes")
    memo = b"".join(a2.lit(i % 256) + put(i) + b"a" for i in range(100_000))
    shelf.good("memo-100k", bytes(proto(2) + op(b"]") + memo + op(b".")), "a hundred thousand memo entries")
    shelf.good("text-memo", b"(lp0\nI1\naI2\nag0\n0.", "protocol 0 with memo entries in text")
    shelf.good("two-pickles", pickle.dumps(HYPER, 2) + pickle.dumps([1, 2], 2), "two pickles in one file, as loggers append them")
    shelf.good("ten-pickles", b"".join(pickle.dumps({"step": i}, 4) for i in range(10)), "ten pickles in one file")
    shelf.good("named-bin", pickle.dumps(HYPER, 4), "a pickle called .bin", name="data.bin")
    shelf.good("named-dat", pickle.dumps(HYPER, 2), "a pickle called .dat", name="data.dat")
    shelf.good("long-frame", pickle.dumps("x" * 200_000, 4), "a string beyond the frame's size")
    shelf.good("python2-unicode", b"}q\x00U\x03keyq\x01X\x05\x00\x00\x00valueq\x02s.", "a pickle Python 2 wrote at protocol 1")
    shelf.good("python2-ordereddict", a2.stream(a2.reduce(glob("collections", "OrderedDict"), [["a", 1], ["b", 2]])), "an OrderedDict as Python 2 wrote it")
    shelf.good("python2-set", a2.stream(a2.reduce(glob("__builtin__", "set"), [1, 2, 3])), "a set under Python 2's module name")
    return shelf


def deep(levels: int) -> list:
    value: list = []
    for _ in range(levels):
        value = [value]
    return value


def recursive() -> list:
    value: list = [1]
    value.append(value)
    return value


def shared() -> list:
    one = [1, 2, 3]
    return [one, {"a": one}, (one, one)]


def estimator(module: str, name: str, state: dict[str, object], asm: Asm = a2) -> Code:
    """An estimator as its default __reduce_ex__ writes it: the class, nothing to call, a dict of attributes."""
    made = asm.call("copyreg", "_reconstructor", asm.name(module, name), asm.name("builtins" if asm.protocol >= 3 else "__builtin__", "object"), NONE)
    if asm.protocol >= 2:
        made = asm.name(module, name) + op(b")\x81")
    return made + asm.dict(*((asm.text(k), asm.lit(v)) for k, v in state.items())) + BUILD


def models() -> Shelf:
    """Estimators and arrays written opcode by opcode, so that this part needs no library."""
    shelf = Shelf("good-models")
    version = {"_sklearn_version": "1.5.2"}
    coef = ndarray((4,), floats(4))
    linear = {"fit_intercept": True, "copy_X": True, "n_jobs": None, "positive": False, "n_features_in_": 4, "coef_": coef, "rank_": 4, "intercept_": 0.5}
    rows = {
        "linear-regression": ("sklearn.linear_model._base", "LinearRegression", linear),
        "logistic-regression": ("sklearn.linear_model._logistic", "LogisticRegression", {"penalty": "l2", "C": 1.0, "solver": "lbfgs", "coef_": coef}),
        "ridge": ("sklearn.linear_model._ridge", "Ridge", {"alpha": 1.0, "coef_": coef}),
        "standard-scaler": ("sklearn.preprocessing._data", "StandardScaler", {"with_mean": True, "with_std": True, "mean_": coef, "scale_": coef}),
        "label-encoder": ("sklearn.preprocessing._label", "LabelEncoder", {"classes_": coef}),
        "pca": ("sklearn.decomposition._pca", "PCA", {"n_components": 2, "components_": coef}),
        "kmeans": ("sklearn.cluster._kmeans", "KMeans", {"n_clusters": 8, "cluster_centers_": coef}),
        "gaussian-nb": ("sklearn.naive_bayes", "GaussianNB", {"theta_": coef, "var_": coef}),
        "svc": ("sklearn.svm._classes", "SVC", {"C": 1.0, "kernel": "rbf", "dual_coef_": coef}),
        "count-vectorizer": ("sklearn.feature_extraction.text", "CountVectorizer", {"lowercase": True, "vocabulary_": {"eval": 0, "exec": 1, "os": 2}}),
    }
    for id, (module, name, state) in rows.items():
        shelf.good(f"sklearn-{id}", a2.stream(estimator(module, name, state | version)), f"scikit-learn's {name}")
    shelf.good("sklearn-linear-p4", a4.stream(estimator("sklearn.linear_model._base", "LinearRegression", {"coef_": 1.0} | version, a4)), "protocol 4")
    shelf.good("sklearn-linear-p0", Asm(0).stream(estimator("sklearn.linear_model._base", "LinearRegression", {"n_jobs": None} | version, Asm(0))), "protocol 0")
    pipeline = a2.list(a2.tuple(a2.text("scale"), estimator("sklearn.preprocessing._data", "StandardScaler", {"mean_": coef})),
                       a2.tuple(a2.text("model"), estimator("sklearn.linear_model._base", "LinearRegression", linear)))
    shelf.good("sklearn-pipeline", a2.stream(estimator("sklearn.pipeline", "Pipeline", {"steps": pipeline, "memory": None, "verbose": False})), "a pipeline")
    for id, module in (("numpy-1", "numpy.core.multiarray"), ("numpy-2", "numpy._core.multiarray")):
        shelf.good(f"array-{id}", a2.stream(ndarray((8,), floats(8), module=module)), f"an array of {module}")
        shelf.good(f"array-{id}-int", a2.stream(ndarray((8,), floats(8), "i8", module)), f"an array of integers of {module}")
        shelf.good(f"scalar-{id}", a2.stream(a2.call(module, "scalar", dtype(), floats(1))), f"a scalar of {module}")
    shelf.good("array-dict", a2.stream(a2.dict((a2.text("x"), coef), (a2.text("y"), coef))), "arrays in a dict")
    shelf.good("array-strings", a2.stream(ndarray((2,), a2.list(a2.text("cat"), a2.text("dog")), "O8")), "an object array of strings: labels")
    shelf.good("joblib-arrays", joblib_dump(op(b"]("), [((64,), floats(64))] * 3, op(b"e")), "three arrays in joblib's layout", name="data.joblib")
    shelf.good("joblib-unaligned", joblib_dump(op(b"]("), [((64,), floats(64))], op(b"e"), align=None), "an array in an old joblib's layout", name="data.joblib")
    old = glob("joblib.numpy_pickle", "NDArrayWrapper") + op(b")\x81") + a2.dict((a2.text("subclass"), glob("numpy", "ndarray")),
        (a2.text("filename"), a2.text("data.pkl_01.npy"))) + BUILD
    shelf.good("joblib-array-beside", a2.stream(old), "an array kept beside the pickle, as joblib 0.9 wrote it", name="data.pkl")
    panel = glob("pandas.core.panel", "Panel") + op(b")\x81") + a2.lit({"_typ": "panel", "_metadata": []}) + BUILD
    shelf.good("pandas-panel", a2.stream(panel), "a frame of three dimensions of an old pandas")
    shelf.good("joblib-stops", joblib_dump(op(b"]("), [((8,), b"." * 64)], op(b"e")), "an array whose bytes look like STOPs", name="data.joblib")
    head = glob("sklearn.linear_model._base", "LinearRegression") + op(b")\x81}(") + a2.text("coef_")
    shelf.good("joblib-estimator", joblib_dump(head, [((4,), floats(4))], a2.text("intercept_") + a2.lit(0.5) + op(b"ub")), "an estimator in joblib's layout",
               name="model.joblib")
    return shelf

