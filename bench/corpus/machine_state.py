"""Programs that change what they did not make: BUILD, SETITEM, APPEND on classes, modules, functions, tables."""

from __future__ import annotations

import zlib

from .assembler import BUILD, NONE, POP, STACK_GLOBAL, Asm, Code, get, glob, inert_call, inert_pickle, op, put
from .case import Shelf

a2, a4 = Asm(2), Asm(4)
SYSTEM = glob("os", "system")


def item(key: object, value: object, asm: Asm = a2) -> Code:
    return asm.lit(key) + asm.lit(value) + op(b"s")


def build() -> Shelf:
    shelf = Shelf("machine-build", source="scanner trackers and construction")
    on = {
        "class": ("collections", "OrderedDict", "a class"),
        "numpy-class": ("numpy", "ndarray", "an allowed class"),
        "function": ("copyreg", "_reconstructor", "a function"),
        "numpy-function": ("numpy", "size", "a function, as in the numpy.size trick"),
        "torch-function": ("torch._utils", "_rebuild_tensor_v2", "an allowed function"),
        "module-attribute": ("copyreg", "dispatch_table", "a table of the running process"),
        "sklearn-class": ("sklearn.linear_model._base", "LinearRegression", "an allowed class"),
        "datetime-class": ("datetime", "datetime", "an allowed class"),
    }
    for id, (module, name, why) in on.items():
        state = a2.dict((a2.text("__waag_inert__"), SYSTEM))
        shelf.bad(f"on-{id}", a2.stream(glob(module, name) + state + BUILD), f"BUILD sets attributes of {why}",
                  runs=f"{module}.{name}")
    made = a2.call("collections", "OrderedDict")
    planted = {
        "setstate": "__setstate__",
        "append": "append",
        "extend": "extend",
        "add": "add",
        "setitem": "__setitem__",
        "getattr": "__getattr__",
        "call": "__call__",
        "class": "__class__",
        "reduce": "__reduce__",
        "del": "__del__",
        "hash": "__hash__",
        "dict": "__dict__",
    }
    for id, attribute in planted.items():
        shelf.bad(f"plants-{id}", a2.stream(made + a2.dict((a2.text(attribute), SYSTEM)) + BUILD),
                  f"BUILD plants os.system as {attribute} of an ordinary object")
    second = made + a2.dict((a2.text("__setstate__"), SYSTEM)) + BUILD + a2.text("true") + BUILD
    shelf.bad("setstate-then-build", a2.stream(second), "the second BUILD calls the planted __setstate__")
    shelf.bad("setstate-eval-then-build",
              a2.stream(made + a2.dict((a2.text("__setstate__"), glob("builtins", "eval"))) + BUILD + a2.text("None") + BUILD),
              "the second BUILD evaluates its state")
    shelf.bad("setstate-slot-form",
              a2.stream(made + a2.tuple(NONE, a2.dict((a2.text("__setstate__"), SYSTEM))) + BUILD + a2.text("true") + BUILD),
              "the same through the slots half of a state tuple")
    shelf.bad("setstate-newobj",
              a2.stream(a2.newobj(glob("argparse", "Namespace")) + a2.dict((a2.text("__setstate__"), SYSTEM)) + BUILD
                        + a2.text("true") + BUILD),
              "the same on an object made by NEWOBJ")
    shelf.bad("append-then-append",
              a2.stream(made + a2.dict((a2.text("append"), SYSTEM)) + BUILD + a2.text("true") + op(b"a")),
              "APPEND calls the planted append")
    shelf.bad("extend-then-appends",
              a2.stream(made + a2.dict((a2.text("extend"), SYSTEM)) + BUILD + op(b"(") + a2.text("true") + op(b"e")),
              "APPENDS calls the planted extend")
    shelf.bad("add-then-additems",
              a4.stream(a4.call("collections", "OrderedDict") + a4.dict((a4.text("add"), a4.name("os", "system"))) + BUILD
                        + op(b"(") + a4.text("true") + op(b"\x90")),
              "ADDITEMS calls the planted add")
    shelf.bad("setitem-class-then-setitem",
              a2.stream(glob("collections", "UserDict") + a2.dict((a2.text("__setitem__"), SYSTEM)) + BUILD + POP
                        + a2.call("collections", "UserDict") + item("true", 1)),
              "a class's __setitem__ is replaced, then used")
    shelf.bad("numpy-size-shape",
              a4.stream(a4.name("numpy", "size") + a4.dict((a4.text("shape"), a4.name("builtins", "__dict__"))) + BUILD
                        + POP + a4.call("numpy", "size.shape.get", "eval")),
              "builtins is stored on a function and read back by a dotted name", source="modelscan tracker")
    shelf.bad("find-class-replaced",
              a2.stream(glob("pickle", "_Unpickler") + a2.dict((a2.text("find_class"), SYSTEM)) + BUILD),
              "the loader's own class is changed")
    shelf.bad("restricted-loader-replaced",
              a2.stream(glob("torch._weights_only_unpickler", "Unpickler") + a2.dict((a2.text("load"), SYSTEM)) + BUILD),
              "torch's restricted loader is changed")
    shelf.bad("estimator-method-planted",
              a2.stream(a2.newobj(glob("sklearn.linear_model._base", "LinearRegression"))
                        + a2.dict((a2.text("predict"), SYSTEM)) + BUILD),
              "os.system hides as predict of an estimator")
    shelf.bad("estimator-class-replaced",
              a2.stream(a2.newobj(glob("sklearn.linear_model._base", "LinearRegression"))
                        + a2.dict((a2.text("__class__"), glob("subprocess", "Popen"))) + BUILD),
              "an estimator becomes a process")
    shelf.bad("module-as-object", a4.stream(a4.call("importlib", "import_module", "os") + a4.dict((a4.text("x"), a4.lit(1))) + BUILD),
              "a module is given attributes", runs="importlib.import_module")
    shelf.bad("state-calls", a2.stream(made + a2.dict((a2.text("x"), inert_call(a2))) + BUILD),
              "the state is made by a call", runs="os.system")
    shelf.bad("build-on-text", a2.stream(a2.text("abc") + a2.lit({"x": 1}) + BUILD), "a string has no state", expect="not-allow")
    return shelf


def tables() -> Shelf:
    shelf = Shelf("machine-tables", source="construction")
    tables_ = {
        "sys-modules": ("sys", "modules", "os", "imports are answered with another module"),
        "dispatch-table": ("copyreg", "dispatch_table", "x", "how a class is pickled"),
        "extension-registry": ("copyreg", "_extension_registry", "x", "extension codes"),
        "inverted-registry": ("copyreg", "_inverted_registry", 9, "extension codes"),
        "extension-cache": ("copyreg", "_extension_cache", 9, "extension codes already resolved"),
        "name-mapping": ("_compat_pickle", "NAME_MAPPING", "x", "how the loader renames globals"),
        "import-mapping": ("_compat_pickle", "IMPORT_MAPPING", "collections", "how the loader renames modules"),
        "os-environ": ("os", "environ", "PYTHONPATH", "the environment"),
        "sys-path": ("sys", "path_importer_cache", "x", "where imports are looked for"),
        "codecs-cache": ("encodings", "_cache", "utf-8", "a codec that is an attacker's"),
        "encodings-aliases": ("encodings.aliases", "aliases", "x", "a codec that is an attacker's"),
        "linecache": ("linecache", "cache", "x", "what tracebacks show"),
        "json-decoder": ("json.decoder", "BACKSLASH", "x", "a table of the JSON reader"),
        "logging-handlers": ("logging", "_handlers", "x", "handlers that will be called"),
        "sklearn-registry": ("sklearn.utils", "parallel_helper", "x", "a table of an allowed package"),
        "torch-safe-globals": ("torch._weights_only_unpickler", "_user_safe_globals", "x", "the restricted loader's list"),
        "torch-storage-types": ("torch.serialization", "_package_registry", "x", "where tensors are loaded by"),
    }
    for id, (module, name, key, why) in tables_.items():
        shelf.bad(f"setitem-{id}", a2.stream(glob(module, name) + item(key, SYSTEM)), f"SETITEM on {module}.{name}: {why}",
                  runs=f"{module}.{name}")
    shelf.bad("setitems-sys-modules", a2.stream(glob("sys", "modules") + op(b"(") + a2.text("x") + SYSTEM + op(b"u")),
              "SETITEMS on sys.modules")
    for module, name, why in (
        ("sys", "path", "imports come from elsewhere"),
        ("sys", "meta_path", "imports are answered by an attacker"),
        ("sys", "path_hooks", "imports are answered by an attacker"),
        ("site", "ENABLE_USER_SITE", "a switch"),
        ("gc", "callbacks", "called at every collection"),
        ("atexit", "_ncallbacks", "called at exit"),
        ("warnings", "filters", "warnings disappear"),
        ("torch.serialization", "_package_registry", "how tensors are restored"),
    ):
        shelf.bad(f"append-{module}-{name}".replace(".", "-").replace("_", "-").lower(),
                  a2.stream(glob(module, name) + a2.text("/nonexistent/waag-inert") + op(b"a")), f"APPEND to {module}.{name}: {why}")
    shelf.bad("appends-sys-path", a2.stream(glob("sys", "path") + op(b"(") + a2.text("/nonexistent/waag-inert") + op(b"e")),
              "APPENDS to sys.path")
    shelf.bad("module-swap",
              a2.stream(glob("sys", "modules") + put(0) + item("waag_inert", get(0)) + POP + a2.call("waag_inert", "get", "os")),
              "sys.modules itself is registered as a module, so its methods are globals")
    shelf.bad("module-swap-twice",
              a2.stream(glob("sys", "modules") + put(0) + item("waag_inert", get(0)) + POP + a2.call("waag_inert", "get", "os")
                        + put(1) + POP + get(0) + item("waag_inert", get(1)) + POP + a2.call("waag_inert", "system", "true")),
              "two swaps reach os.system without ever naming os.system", source="pickle jail write-ups")
    shelf.bad("additems-global", a4.stream(a4.name("keyword", "kwlist") + op(b"(") + a4.text("x") + op(b"\x90")), "ADDITEMS to a global")
    shelf.bad("storage-setitem",
              a2.stream(a2.call("collections", "OrderedDict") + op(b"0") + glob("torch", "FloatStorage") + item(0, 1)),
              "SETITEM on a torch class in the place of a dict", source="cve-2026-24747 class")
    shelf.bad("global-dict-of-function",
              a4.stream(a4.name("torch", "load.__globals__") + item("pickle_module", a4.name("os", "system"), a4)),
              "a function's globals are written")
    return shelf


def chains() -> Shelf:
    """Harmless-looking callables put together so that one calls what another found."""
    shelf = Shelf("machine-chains", source="modelaudit tracker and pickle jail write-ups")
    system4 = a4.name("os", "system")
    mod_os = a4.call("importlib", "import_module", "os")

    def add(id: str, code: Code, why: str, runs: str | tuple = (), expect: str = "deny") -> None:
        shelf.bad(id, a4.stream(code), why, runs=runs, expect=expect)

    add("getattr-system", a4.reduce(a4.call("builtins", "getattr", mod_os, "system"), "true"), "getattr on an imported module", "builtins.getattr")
    add("getattr-split-name", a4.reduce(a4.call("builtins", "getattr", mod_os, "sys" + "tem"), "true"), "getattr with a name")
    add("getattr-eval", a4.reduce(a4.call("builtins", "getattr", a4.name("builtins", "__dict__"), "get"), "eval"),
        "getattr on builtins", "builtins.getattr")
    add("getattr-of-allowed", a4.reduce(a4.call("builtins", "getattr", a4.name("collections", "OrderedDict"), "__subclasses__")),
        "getattr on an allowed class", "builtins.getattr")
    add("methodcaller-on-module", a4.reduce(a4.call("operator", "methodcaller", "system", "true"), mod_os), "methodcaller on a module")
    add("methodcaller-locate", a4.reduce(a4.call("operator", "methodcaller", "system", "true"), a4.call("pydoc", "locate", "os")),
        "methodcaller on what pydoc.locate found")
    add("attrgetter-on-module", a4.reduce(a4.reduce(a4.call("operator", "attrgetter", "system"), mod_os), "true"), "attrgetter on a module")
    add("itemgetter-on-globals", a4.reduce(a4.call("operator", "itemgetter", "eval"), a4.name("builtins", "__dict__")), "itemgetter on builtins")
    add("partial-called", a4.reduce(a4.call("functools", "partial", system4, "true")), "a partial of os.system is called", "functools.partial")
    add("partial-state", a4.reduce(a4.name("functools", "partial"), a4.name("builtins", "print"))
        + a4.tuple(system4, a4.lit(("true",)), a4.lit({}), NONE) + BUILD, "partial's state replaces its function")
    add("partial-in-default-dict", a4.call("collections", "defaultdict", a4.call("functools", "partial", system4, "true")),
        "a default factory that is a partial of os.system")
    add("defaultdict-system", a4.call("collections", "defaultdict", system4), "a default factory that is os.system", "collections.defaultdict")
    add("defaultdict-missing", a4.reduce(a4.name("collections", "defaultdict.__getitem__"), a4.call("collections", "defaultdict", system4), "x"),
        "the missing key is asked for")
    add("defaultdict-format-map", a4.call("builtins", "str.format_map", "{true}", a4.call("collections", "defaultdict", system4)),
        "format_map asks for the missing key")
    add("chainmap-defaultdict", a4.call("collections", "ChainMap", a4.call("collections", "defaultdict", system4)),
        "a ChainMap around the default dict")
    add("template-substitute", a4.call("string", "Template.substitute", a4.call("string", "Template", "$x"),
        a4.call("collections", "defaultdict", system4)), "Template asks for the missing key")
    add("map-list", a4.call("builtins", "list", a4.call("builtins", "map", system4, ["true"])), "list of a map", "builtins.map")
    add("map-tuple", a4.call("builtins", "tuple", a4.call("builtins", "map", system4, ["true"])), "tuple of a map", "builtins.map")
    add("map-deque", a4.call("collections", "deque", a4.call("builtins", "map", system4, ["true"])), "deque of a map", "builtins.map")
    add("map-ordereddict", a4.call("collections", "OrderedDict", a4.call("builtins", "map", system4, ["true"])),
        "an allowed constructor consumes a map", "builtins.map")
    add("map-bytes", a4.call("builtins", "bytes", a4.call("builtins", "map", system4, ["true"])), "bytes of a map", "builtins.map")
    add("map-appends", a4.list() + a4.call("builtins", "filter", system4, ["true"]) + op(b"a"), "a filter is kept", "builtins.filter")
    add("map-build", a4.call("collections", "deque") + a4.call("builtins", "map", system4, ["true"]) + BUILD, "BUILD consumes a map")
    add("map-newobj-frozenset", a4.newobj(a4.name("builtins", "frozenset"), a4.call("builtins", "map", system4, ["true"])), "frozenset by NEWOBJ")
    add("starmap-list", a4.call("builtins", "list", a4.call("itertools", "starmap", system4, [("true",)])), "list of a starmap")
    add("filter-any", a4.call("builtins", "any", a4.call("builtins", "filter", system4, ["true"])), "any of a filter")
    add("sorted-key", a4.call("functools", "cmp_to_key", system4), "a comparison that is os.system")
    add("max-key", a4.newobj_ex(a4.name("builtins", "max"), (["true"],), {}), "a function where a class belongs", expect="not-allow")
    add("iter-sentinel", a4.call("builtins", "list", a4.call("builtins", "iter", a4.call("functools", "partial", system4, "true"), 0)),
        "iter with a sentinel calls until the result is 0")
    add("re-sub", a4.call("re", "sub", "x", a4.name("builtins", "eval"), "x"), "re.sub calls its replacement", "re.sub")
    add("re-scanner", a4.call("re", "Scanner", a4.list(a4.tuple(a4.text("x"), system4))), "a scanner calls per token")
    add("weakref-finalize", a4.call("weakref", "finalize", a4.name("collections", "OrderedDict"), system4, "true"), "called at exit", "weakref.finalize")
    add("weakref-ref-callback", a4.call("weakref", "ref", a4.call("collections", "OrderedDict"), system4), "called when the object goes")
    add("future-callback", a4.call("concurrent.futures", "Future.add_done_callback", a4.call("concurrent.futures", "Future"), system4), "called when done")
    add("property-get", a4.reduce(a4.name("builtins", "property.__get__"), a4.call("builtins", "property", system4), "true"), "property's getter is os.system")
    add("type-with-methods", a4.call("builtins", "type", "X", (), a4.dict((a4.text("__getitem__"), system4))), "a class is made with os.system as method")
    add("abc-subclasshook", a4.call("abc", "ABCMeta", "X", (), a4.dict((a4.text("__subclasshook__"), system4))), "a class is made by a metaclass")
    add("namespace-call", a4.call("types", "SimpleNamespace") + a4.dict((a4.text("__call__"), system4)) + BUILD, "a namespace holds os.system")
    add("exec-of-bytes", a4.call("builtins", "exec", a4.call("zlib", "decompress", zlib.compress(b"pass"))), "code is compressed")
    add("exec-of-compile", a4.call("builtins", "exec", a4.call("builtins", "compile", "pass", "x", "exec")), "code is compiled first", "builtins.exec")
    add("function-from-marshal", a4.reduce(a4.call("types", "FunctionType", a4.call("marshal", "loads", b"N"), {})), "marshalled code becomes a function")
    add("pickle-in-pickle", a4.call("pickle", "loads", inert_pickle()), "a pickle in a pickle", "pickle.loads")
    add("pickle-in-pickle-twice", a4.call("pickle", "loads", a4.stream(a4.call("pickle", "loads", inert_pickle()))), "two levels down")
    add("torch-load-from-bytes", a4.call("torch.storage", "_load_from_bytes", inert_pickle()), "a pickle in a tensor", "torch.storage._load_from_bytes")
    add("rebuild-from-type", a4.call("torch._tensor", "_rebuild_from_type_v2", system4, a4.name("builtins", "str"), ("true",), {}),
        "an allowed helper calls its first argument", "torch._tensor._rebuild_from_type_v2")
    add("rebuild-parameter-hooks", a4.call("torch._utils", "_rebuild_parameter", inert_call(a4), True, a4.call("collections", "OrderedDict")),
        "an allowed helper around a call", "os.system")
    add("function-transformer", a4.newobj(a4.name("sklearn.preprocessing._function_transformer", "FunctionTransformer"))
        + a4.dict((a4.text("func"), system4), (a4.text("inverse_func"), NONE)) + BUILD, "an estimator that calls os.system on transform")
    add("pipeline-function", a4.newobj(a4.name("sklearn.pipeline", "Pipeline"))
        + a4.dict((a4.text("steps"), a4.list(a4.tuple(a4.text("f"), a4.name("builtins", "eval"))))) + BUILD, "a pipeline whose step is eval")
    add("vectorizer-tokenizer", a4.newobj(a4.name("sklearn.feature_extraction.text", "TfidfVectorizer"))
        + a4.dict((a4.text("tokenizer"), a4.name("builtins", "eval"))) + BUILD, "a vectorizer whose tokenizer is eval")
    add("reconstructor-base", a4.call("copyreg", "_reconstructor", a4.name("subprocess", "Popen"), a4.name("builtins", "object"), NONE),
        "an allowed helper makes a class that is not", "copyreg._reconstructor")
    add("reconstructor-init", a4.call("copyreg", "_reconstructor", a4.name("collections", "OrderedDict"), a4.name("os", "system"), "true"),
        "the helper's base is os.system", "copyreg._reconstructor")
    add("newobj-helper", a4.call("copyreg", "__newobj__", a4.name("subprocess", "Popen"), ["true"]), "NEWOBJ as a function", "copyreg.__newobj__")
    add("numpy-reconstruct-type", a4.call("numpy.core.multiarray", "_reconstruct", a4.name("subprocess", "Popen"), (0,), b"b"),
        "an allowed helper is given a class that is not an array")
    add("numpy-scalar-object", a4.call("numpy.core.multiarray", "scalar", a4.call("numpy", "dtype", "O8", False, True), inert_pickle()),
        "an object scalar is unpickled from bytes")
    add("numpy-object-array", a4.call("numpy.core.multiarray", "_reconstruct", a4.name("numpy", "ndarray"), (0,), b"b")
        + a4.tuple(a4.lit(1), a4.lit((1,)), a4.call("numpy", "dtype", "O8", False, True), a4.lit(False), a4.list(inert_call(a4))) + BUILD,
        "a call among an object array's items", "os.system")
    add("pandas-unpickle-block", a4.call("pandas._libs.internals", "_unpickle_block", inert_call(a4), a4.lit(0), 2), "a call inside a block", "os.system")
    add("lambda-by-code", a4.call("types", "LambdaType", a4.call("marshal", "loads", b"N"), {}), "a lambda from bytes")
    add("enum-functional", a4.call("enum", "Enum", "X", {"a": 1}), "a class is made by call", expect="not-allow")
    add("random-choice-call", a4.reduce(a4.call("random", "choice", a4.list(system4)), "true"), "the callable is drawn from a list")
    add("dict-get-call", a4.reduce(a4.reduce(a4.call("builtins", "getattr", a4.dict((a4.text("f"), system4)), "get"), "f"), "true"),
        "the callable is looked up in a dict", "builtins.getattr")
    add("list-pop-call", a4.reduce(a4.call("builtins", "list.pop", a4.list(system4)), "true"), "the callable is popped from a list")
    add("type-of-object", a4.call("builtins", "type", a4.call("subprocess", "Popen", ["true"])), "the class of a call's result")
    add("stack-global-on-sys", a4.text("sys") + a4.text("modules") + STACK_GLOBAL + POP + NONE, "sys.modules is read", expect="not-allow")
    add("reduce-on-memo-class", a4.name("subprocess", "Popen") + put(0) + POP + a4.newobj(get(0), ["true"]), "a class from the memo")
    add("state-with-callable", a4.newobj(a4.name("sklearn.linear_model._base", "LinearRegression"))
        + a4.dict((a4.text("callback"), system4)) + BUILD, "an attribute is os.system itself")
    return shelf
