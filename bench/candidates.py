#!/usr/bin/env python3
"""Draw candidates for waag's lists of inert callables, and check the lists.

waag's pickle interpreter reports every callable that no list in
``crates/formats/src/callable/lists`` names. This script is how names get
proposed for those lists. It proposes; a person judges: a name belongs on a
list only when calling it, or setting its state, can do nothing but build data.

    candidates.py make --out DIR            make real pickles with the libraries installed here
    candidates.py trace PATH...             which globals do these pickles use, and how?
    candidates.py classes PACKAGE...        which classes could a pickle name, and which hooks would run?
    candidates.py check --lists DIR PATH... what in these pickles do the lists not cover?
    candidates.py validate --lists DIR      are the lists well formed and free of contradictions?

``trace`` and ``check`` interpret a pickle abstractly: they import nothing that
it names and call nothing. ``make``, ``trace`` and ``classes`` run on Python 3.6
and later, so that old releases of a library can be asked too; ``check`` and
``validate`` need 3.11 (tomllib).
"""

import argparse
import bz2
import codecs
import collections
import gzip
import importlib
import io
import json
import lzma
import os
import pickle
import pickletools
import pkgutil
import sys
import warnings
import zlib

import _compat_pickle

USES = ("reference", "reduce", "new", "build", "append", "setitem", "additem")

# ---------------------------------------------------------------------------
# Abstract interpretation: what does this pickle name, and how is it used?
# ---------------------------------------------------------------------------


class Const(object):
    """None, a bool, a number, text or bytes."""

    def __init__(self, value):
        self.value = value
        self.plain = True


class Group(object):
    """A tuple, list, dict or set made by opcodes."""

    def __init__(self, items):
        self.items = list(items)
        self.plain = all(item.plain for item in self.items)

    def add(self, items):
        self.items.extend(items)
        self.plain = self.plain and all(item.plain for item in items)


class Global(object):
    """A name the pickle looks up."""

    plain = False

    def __init__(self, module, name):
        self.module = module
        self.name = name

    def __str__(self):
        return "%s:%s" % (self.module, self.name)


COMPUTED = Global("", "computed")


class Instance(object):
    """What came of calling a name."""

    plain = True

    def __init__(self, cls, args):
        self.cls = cls
        self.args = args
        self.state = None


class Unknown(object):
    plain = False


class Mark(object):
    plain = False


def read_string(stream):
    """A Python 2 text argument may hold any byte; pickletools insists on ASCII."""
    line = stream.readline()
    return codecs.escape_decode(line.rstrip(b"\n")[1:-1])[0].decode("latin-1")


pickletools.stringnl.reader = read_string


def describe(value):
    """The argument word for one value, as the lists spell it."""
    if isinstance(value, Global):
        return "class"
    if isinstance(value, Const) and isinstance(value.value, str) and len(value.value) < 40:
        return "text=" + value.value
    return "plain" if value.plain else "any"


class Tracer(object):
    """Walks one stream of pickles; calls ``record(global, use, args)``."""

    def __init__(self, stream, record):
        self.stream = stream
        self.record = record

    def run(self):
        count = 0
        while True:
            position = self.stream.tell()
            head = self.stream.read(1)
            if not head:
                return count
            self.stream.seek(position)
            self.one()
            count += 1

    def one(self):
        stack, memo, protocol = [], {}, 0

        def pop_mark():
            items = []
            while True:
                top = stack.pop()
                if isinstance(top, Mark):
                    items.reverse()
                    return items
                items.append(top)

        def look_up(module, name):
            if protocol < 3:
                if (module, name) in _compat_pickle.NAME_MAPPING:
                    module, name = _compat_pickle.NAME_MAPPING[(module, name)]
                elif module in _compat_pickle.IMPORT_MAPPING:
                    module = _compat_pickle.IMPORT_MAPPING[module]
            found = Global(module, name)
            self.record(found, "reference", None)
            return found

        def call(target, args, use):
            if isinstance(target, Global):
                key = str(target)
                if key in ("copyreg:_reconstructor", "copyreg:__newobj__", "copyreg:__newobj_ex__") and args:
                    self.record(target, "reduce", args)
                    target, use = args[0], "new"
                    args = args if key == "copyreg:_reconstructor" else args[1:]
                if key == "builtins:getattr" and len(args) == 2 and isinstance(args[0], Global):
                    self.record(target, "reduce", args)
                    found = Global(args[0].module, "%s.%s" % (args[0].name, getattr(args[1], "value", "?")))
                    self.record(found, "reference", None)
                    return found
                if isinstance(target, Global):
                    self.record(target, use, args)
                    return Instance(target, args)
            self.record(COMPUTED, use, args)
            return Unknown()

        def touch(target, use):
            if isinstance(target, Instance):
                self.record(target.cls, use, None)
            elif not isinstance(target, Group):
                self.record(COMPUTED, use, None)

        for op, arg, _ in pickletools.genops(self.stream):
            name = op.name
            if name == "PROTO":
                protocol = arg
            elif name in ("FRAME",):
                pass
            elif name == "MARK":
                stack.append(Mark())
            elif name == "STOP":
                return
            elif name == "POP":
                stack.pop()
            elif name == "POP_MARK":
                pop_mark()
            elif name == "DUP":
                stack.append(stack[-1])
            elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
                memo[int(arg)] = stack[-1]
            elif name == "MEMOIZE":
                memo[len(memo)] = stack[-1]
            elif name in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(memo[int(arg)])
            elif name in ("EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET", "EMPTY_TUPLE"):
                stack.append(Group([]))
            elif name in ("LIST", "DICT", "TUPLE", "FROZENSET"):
                stack.append(Group(pop_mark()))
            elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
                size = int(name[-1])
                items = stack[-size:]
                del stack[-size:]
                stack.append(Group(items))
            elif name in ("APPEND", "APPENDS"):
                items = [stack.pop()] if name == "APPEND" else pop_mark()
                self.extend(stack[-1], items, touch, "append")
            elif name in ("SETITEM", "SETITEMS"):
                items = [stack.pop(), stack.pop()] if name == "SETITEM" else pop_mark()
                self.extend(stack[-1], items, touch, "setitem")
            elif name == "ADDITEMS":
                items = pop_mark()
                self.extend(stack[-1], items, touch, "additem")
            elif name == "GLOBAL":
                module, qualname = arg.split(" ", 1)
                stack.append(look_up(module, qualname))
            elif name == "STACK_GLOBAL":
                qualname, module = stack.pop(), stack.pop()
                stack.append(look_up(module.value, qualname.value))
            elif name == "INST":
                module, qualname = arg.split(" ", 1)
                stack.append(call(look_up(module, qualname), pop_mark(), "reduce"))
            elif name == "OBJ":
                items = pop_mark()
                stack.append(call(items[0], items[1:], "reduce"))
            elif name == "REDUCE":
                args, target = stack.pop(), stack.pop()
                stack.append(call(target, getattr(args, "items", [Unknown()]), "reduce"))
            elif name == "NEWOBJ":
                args, target = stack.pop(), stack.pop()
                stack.append(call(target, getattr(args, "items", [Unknown()]), "new"))
            elif name == "NEWOBJ_EX":
                keywords, args, target = stack.pop(), stack.pop(), stack.pop()
                stack.append(call(target, args.items + ([keywords] if keywords.items else []), "new"))
            elif name == "BUILD":
                state = stack.pop()
                target = stack[-1]
                touch(target, "build")
                if isinstance(target, Instance):
                    target.state = state
                    if target.cls.name == "NumpyArrayWrapper" and "numpy_pickle" in target.cls.module:
                        self.skip_array(state)
            elif name in ("PERSID", "BINPERSID"):
                if name == "BINPERSID":
                    stack.pop()
                stack.append(Instance(Global("pickle", "persistent id"), []))
            elif name in ("EXT1", "EXT2", "EXT4"):
                stack.append(Unknown())
            elif name == "READONLY_BUFFER":
                pass
            elif name == "NONE":
                stack.append(Const(None))
            elif name in ("NEWTRUE", "NEWFALSE"):
                stack.append(Const(name == "NEWTRUE"))
            else:
                stack.append(Const(arg))

    @staticmethod
    def extend(target, items, touch, use):
        if isinstance(target, Group):
            target.add(items)
        else:
            touch(target, use)

    def skip_array(self, state):
        """joblib writes an array's raw bytes straight after its wrapper's state."""
        import numpy

        fields = {}
        flat = state.items
        for key, value in zip(flat[::2], flat[1::2]):
            fields[key.value] = value
        dtype, has_object = self.dtype(numpy, fields["dtype"])
        if has_object:
            self.one()
            return
        count = 1
        for length in fields["shape"].items:
            count *= length.value
        alignment = fields.get("numpy_array_alignment_bytes")
        if alignment is not None and alignment.value is not None:
            padding = self.stream.read(1)[0]
            self.stream.read(padding)
        self.stream.read(count * dtype.itemsize)

    def dtype(self, numpy, value):
        if isinstance(value, Global):
            made = numpy.dtype(getattr(numpy, value.name))
            return made, made.hasobject
        if value.cls.name == "_convert_to_stringdtype_kwargs":
            return None, True
        code = value.args[0]
        if isinstance(code, Global):
            code = Const(code.name)
        made = numpy.dtype(code.value)
        state = value.state.items if value.state is not None else []
        if len(state) > 4 and isinstance(state[4], Group):
            fields = state[4].items
            nested = [self.dtype(numpy, field.items[0]) for field in fields[1::2]]
            return made, any(has_object for _, has_object in nested)
        return made, made.hasobject


def open_pickle(path):
    """The pickle stream in a file, whatever joblib compressed it with."""
    with open(path, "rb") as stream:
        data = stream.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    elif data[:2] in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        data = zlib.decompress(data)
    elif data[:3] == b"BZh":
        data = bz2.decompress(data)
    elif data[:6] == b"\xfd7zXZ\x00" or data[:3] == b"\x5d\x00\x00":
        data = lzma.decompress(data)
    elif data[:4] == b"\x04\x22\x4d\x18":
        import lz4.frame

        data = lz4.frame.decompress(data)
    return io.BytesIO(data)


def walk(paths):
    for path in paths:
        if os.path.isdir(path):
            for folder, folders, files in os.walk(path):
                folders.sort()
                for name in sorted(files):
                    yield os.path.join(folder, name)
        else:
            yield path


def trace(path, record):
    Tracer(open_pickle(path), record).run()


def command_trace(options):
    seen = collections.OrderedDict()
    failed = 0
    for path in walk(options.paths):

        def record(target, use, args, path=path):
            shape = None if args is None else tuple(describe(value) for value in args)
            if shape is not None and not options.arguments:
                shape = tuple("text" if word.startswith("text=") else word for word in shape)
                shape = shape if len(shape) <= 8 else ("%d arguments" % len(shape),)
            entry = seen.setdefault(str(target), {"uses": set(), "arguments": set(), "files": set()})
            entry["uses"].add(use)
            if shape is not None:
                entry["arguments"].add(shape)
            if len(entry["files"]) < 3:
                entry["files"].add(os.path.basename(path))

        try:
            trace(path, record)
        except Exception as error:
            failed += 1
            print("%s: %s: %s" % (path, type(error).__name__, error), file=sys.stderr)
    rows = []
    for name in sorted(seen):
        entry = seen[name]
        rows.append(
            {
                "name": name,
                "uses": [use for use in USES if use in entry["uses"]],
                "arguments": sorted(list(shape) for shape in entry["arguments"]),
                "files": sorted(entry["files"]),
            }
        )
    if options.json:
        json.dump(rows, sys.stdout, indent=1)
        print()
    else:
        for row in rows:
            shapes = "  ".join("(%s)" % ", ".join(shape) for shape in row["arguments"][:6])
            print("%-70s %-28s %s" % (row["name"], ",".join(row["uses"]), shapes))
    return 1 if failed else 0


# ---------------------------------------------------------------------------
# Introspection: which classes could a pickle name, and what runs when it does?
# ---------------------------------------------------------------------------

HOOKS = (
    "__new__",
    "__setstate__",
    "__reduce__",
    "__reduce_ex__",
    "__getnewargs__",
    "__getnewargs_ex__",
    "__setattr__",
    "__getattr__",
    "__getattribute__",
    "__del__",
    "__hash__",
    "__eq__",
    "append",
    "extend",
    "__setitem__",
    "add",
)
SKIPPED = ("tests", "test", "testing", "conftest", "setup", "_build_utils", "__main__", "_testing")


def modules_of(package):
    yield importlib.import_module(package)
    pending = [sys.modules[package]]
    while pending:
        parent = pending.pop()
        for found in pkgutil.iter_modules(getattr(parent, "__path__", [])):
            if found.name in SKIPPED or found.name.startswith("test_"):
                continue
            try:
                module = importlib.import_module(parent.__name__ + "." + found.name)
            except BaseException as error:
                print("%s.%s: %s" % (parent.__name__, found.name, error), file=sys.stderr)
                continue
            yield module
            if found.ispkg:
                pending.append(module)


def classes_of(package):
    """Every class of a package: its name, its bases, and who defines each hook that loading could run."""
    seen = set()
    for module in modules_of(package):
        for value in list(vars(module).values()):
            if not isinstance(value, type) or value in seen:
                continue
            seen.add(value)
            home = str(getattr(value, "__module__", ""))
            if home.partition(".")[0] not in (package, "_loss"):
                continue
            hooks = {}
            for hook in HOOKS:
                for owner in value.__mro__:
                    if hook in vars(owner):
                        if owner is not object:
                            hooks[hook] = "%s:%s" % (owner.__module__, owner.__qualname__)
                        break
            bases = ["%s:%s" % (base.__module__, base.__qualname__) for base in value.__mro__[1:-1]]
            yield {"name": "%s:%s" % (home, value.__qualname__), "bases": bases, "hooks": hooks}


def command_classes(options):
    warnings.simplefilter("ignore")
    rows = [row for package in options.packages for row in classes_of(package)]
    rows.sort(key=lambda row: row["name"])
    if options.json:
        json.dump(rows, sys.stdout, indent=1)
        print()
        return 0
    for row in rows:
        hooks = " ".join("%s=%s" % pair for pair in sorted(row["hooks"].items()))
        print("%-60s (%s) %s" % (row["name"], ", ".join(row["bases"]), hooks))
    return 0


# ---------------------------------------------------------------------------
# The lists
# ---------------------------------------------------------------------------


class Lists(object):
    def __init__(self, folder):
        import tomllib

        self.files = {}
        self.inert = collections.defaultdict(list)
        self.dangerous = []
        for name in sorted(os.listdir(folder)):
            if not name.endswith(".toml"):
                continue
            with open(os.path.join(folder, name), "rb") as stream:
                content = tomllib.load(stream)
            self.files[name] = content
            for group in content.get("inert", []):
                for callable_ in group["names"]:
                    self.inert[callable_].append((name, group))
            for group in content.get("dangerous", []):
                self.dangerous.extend((pattern, group) for pattern in group["names"])

    def danger(self, callable_):
        module, _, name = callable_.partition(":")
        for pattern, group in self.dangerous:
            pattern_module, _, pattern_name = pattern.partition(":")
            if pattern_name != "*" and pattern_name != name:
                continue
            if pattern_module == module:
                return pattern, group
            if pattern_module.endswith(".*"):
                top = pattern_module[:-2]
                if module == top or module.startswith(top + "."):
                    return pattern, group
        return None

    def allows(self, callable_, use, args):
        """None when allowed, otherwise why not."""
        entries = self.inert.get(callable_)
        if not entries:
            return "not listed"
        reasons = []
        for _, group in entries:
            if use != "reference" and use not in group["use"]:
                reasons.append("listed, but not for " + use)
                continue
            if use in ("reduce", "new") and group.get("arguments") and not self.fits(group["arguments"], args):
                reasons.append("arguments (%s)" % ", ".join(describe(value) for value in args))
                continue
            return None
        return reasons[0]

    def fits(self, words, args):
        words = list(words)
        rest = None
        if words and words[-1].endswith("*"):
            rest = words.pop()[:-1]
        for position, value in enumerate(args):
            word = words[position] if position < len(words) else rest
            if word is None or not self.word(word, value):
                return False
        return True

    def word(self, word, value):
        if word.startswith("text="):
            return isinstance(value, Const) and value.value in word[5:].split("|")
        if word == "plain":
            return value.plain
        if word == "class":
            return isinstance(value, Global)
        return True


# Handled by the interpreter itself, so in no list.
BY_INTERPRETER = {
    "builtins:getattr",
    "copyreg:_reconstructor",
    "copyreg:__newobj__",
    "copyreg:__newobj_ex__",
    "pickle:persistent id",
}


def command_check(options):
    lists = Lists(options.lists)
    uncovered = collections.OrderedDict()
    files = failed = dirty = 0
    for path in walk(options.paths):
        files += 1
        found = []

        def record(target, use, args):
            name = str(target)
            if name in BY_INTERPRETER:
                return
            reason = lists.allows(name, use, args)
            if reason is not None:
                found.append((name, use, reason))

        try:
            trace(path, record)
        except Exception as error:
            failed += 1
            print("%s: %s: %s" % (path, type(error).__name__, error), file=sys.stderr)
        dirty += bool(found)
        for key in found:
            uncovered.setdefault(key, set()).add(os.path.relpath(path, options.paths[0]))
    for (name, use, reason), where in sorted(uncovered.items()):
        print("%-64s %-10s %-40s %s" % (name, use, reason, ", ".join(sorted(where)[:2])))
    print("%d files, %d with something uncovered, %d unreadable" % (files, dirty, failed), file=sys.stderr)
    return 1 if uncovered or failed else 0


def command_validate(options):
    lists = Lists(options.lists)
    problems = []
    for name, content in sorted(lists.files.items()):
        total, seen = 0, set()
        if name not in ("danger.toml",):
            for field in ("library", "modules"):
                if not content.get(field):
                    problems.append("%s: no %s" % (name, field))
            modules = content.get("modules", [])
            for module in {module for module in modules if modules.count(module) > 1}:
                problems.append("%s: module %s twice" % (name, module))
        for number, group in enumerate(content.get("inert", []), 1):
            place = "%s, inert group %d" % (name, number)
            if not group.get("reason", "").rstrip(")").endswith("."):
                problems.append(place + ": the reason is not a sentence")
            if set(group) - {"reason", "use", "arguments", "names"}:
                problems.append(place + ": unknown field")
            uses = group.get("use", [])
            if not uses or set(uses) - set(USES) or len(set(uses)) != len(uses):
                problems.append("%s: use %r" % (place, uses))
            words = group.get("arguments", [])
            for position, word in enumerate(words):
                last = position == len(words) - 1
                if (
                    word not in ("plain", "class", "any")
                    and not word.startswith("text=")
                    and not (last and word in ("any*", "plain*"))
                ):
                    problems.append("%s: argument word %r" % (place, word))
            if words and not {"reduce", "new"} & set(uses):
                problems.append(place + ": arguments without a call")
            for callable_ in group["names"]:
                total += 1
                if callable_.count(":") != 1 or "*" in callable_ or " " in callable_:
                    problems.append("%s: name %r" % (place, callable_))
                if callable_ in seen:
                    problems.append("%s: %s twice" % (place, callable_))
                seen.add(callable_)
                if callable_.partition(":")[0].partition(".")[0] not in content["modules"]:
                    problems.append("%s: %s is outside the file's modules" % (place, callable_))
                hit = lists.danger(callable_)
                if hit:
                    problems.append("%s: %s is dangerous by %s" % (place, callable_, hit[0]))
        patterns = set()
        for number, group in enumerate(content.get("dangerous", []), 1):
            place = "%s, dangerous group %d" % (name, number)
            if group.get("severity") not in ("critical", "high") or not group.get("effect"):
                problems.append(place + ": severity or effect")
            for pattern in group["names"]:
                total += 1
                module, _, qualname = pattern.partition(":")
                bare = module[:-2] if module.endswith(".*") else module
                if pattern.count(":") != 1 or "*" in bare or ("*" in qualname and qualname != "*") or not qualname:
                    problems.append("%s: pattern %r" % (place, pattern))
                if pattern in patterns:
                    problems.append("%s: %s twice" % (place, pattern))
                patterns.add(pattern)
        print(
            "%-20s %5d names %4d groups %4d modules"
            % (name, total, len(content.get("inert", content.get("dangerous", []))), len(content.get("modules", [])))
        )
    owners = collections.defaultdict(list)
    for name, content in lists.files.items():
        for module in content.get("modules", []):
            owners[module].append(name)
    for module, names in sorted(owners.items()):
        if len(names) > 1:
            problems.append("module %s is claimed by %s" % (module, ", ".join(names)))
    for problem in problems:
        print("problem: " + problem)
    return 1 if problems else 0


# ---------------------------------------------------------------------------
# Real objects
# ---------------------------------------------------------------------------


def attempts(*pairs):
    """Yield what can be made with the release installed here; say what cannot."""
    for name, make in pairs:
        try:
            yield name, make()
        except Exception as error:
            print("%s: cannot be made here: %s: %s" % (name, type(error).__name__, error), file=sys.stderr)


def optional(module):
    """The module, or None where this release does not have it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def make_python():
    import argparse as a
    import array
    import datetime
    import decimal
    import fractions
    import functools
    import ipaddress
    import itertools
    import operator
    import pathlib
    import random
    import re
    import string
    import time
    import types
    import uuid
    from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, UserString, defaultdict, deque

    utc = datetime.timezone.utc
    pairs = [
        (
            "plain",
            lambda: [
                None,
                True,
                1,
                2**80,
                1.5,
                1j,
                "text",
                b"bytes",
                bytearray(b"x"),
                (1,),
                {1},
                frozenset([2]),
                {"a": []},
            ],
        ),
        (
            "builtins",
            lambda: [
                slice(1, 2),
                range(4),
                complex(1, 2),
                Ellipsis,
                NotImplemented,
                bytearray(b"abc"),
                set("a"),
                frozenset("b"),
            ],
        ),
        (
            "types_as_values",
            lambda: [
                int,
                float,
                str,
                bytes,
                bool,
                list,
                dict,
                tuple,
                set,
                frozenset,
                object,
                type,
                complex,
                bytearray,
                type(None),
            ],
        ),
        (
            "functions_as_values",
            lambda: [
                len,
                max,
                min,
                sum,
                abs,
                sorted,
                round,
                str.lower,
                str.strip,
                str.split,
                operator.add,
                operator.neg,
            ],
        ),
        ("ordered_dict", lambda: OrderedDict(a=1, b=[2])),
        (
            "defaultdicts",
            lambda: [
                defaultdict(list, a=[1]),
                defaultdict(int),
                defaultdict(dict),
                defaultdict(None),
                defaultdict(set),
                defaultdict(float),
            ],
        ),
        ("defaultdict_partial", lambda: defaultdict(functools.partial(defaultdict, int))),
        ("counter", lambda: Counter("hello")),
        ("deque", lambda: [deque([1, 2]), deque([1], 3)]),
        ("chain_map", lambda: ChainMap({"a": 1}, {"b": 2})),
        ("user_containers", lambda: [UserDict(a=1), UserList([1]), UserString("x")]),
        (
            "datetime",
            lambda: [
                datetime.date(2020, 1, 1),
                datetime.time(1, 2),
                datetime.datetime(2020, 1, 1),
                datetime.timedelta(1),
                utc,
            ],
        ),
        (
            "datetime_zone",
            lambda: [datetime.datetime(2020, 1, 1, tzinfo=utc), datetime.timezone(datetime.timedelta(hours=1), "x")],
        ),
        ("decimal", lambda: [decimal.Decimal("1.5"), decimal.Decimal("NaN")]),
        ("decimal_context", lambda: decimal.getcontext().copy()),
        ("fraction", lambda: fractions.Fraction(1, 3)),
        ("uuid", lambda: uuid.uuid4()),
        ("paths", lambda: [pathlib.PurePosixPath("/a/b"), pathlib.PureWindowsPath("c:/x"), pathlib.Path("a")]),
        (
            "ip",
            lambda: [
                ipaddress.ip_address("1.2.3.4"),
                ipaddress.ip_network("10.0.0.0/8"),
                ipaddress.ip_interface("1.2.3.4/8"),
                ipaddress.ip_address("::1"),
                ipaddress.ip_network("::/8"),
                ipaddress.ip_interface("::1/8"),
            ],
        ),
        ("array", lambda: [array.array("d", [1.0]), array.array("i", [1]), array.array("u", "a")]),
        ("random", lambda: random.Random(1)),
        ("regex", lambda: [re.compile("a+"), re.compile(b"b", re.I)]),
        ("regex_flag", lambda: re.IGNORECASE),
        ("namespaces", lambda: [types.SimpleNamespace(a=1), a.Namespace(b=2)]),
        ("enum", lambda: uuid.SafeUUID.safe),
        ("partial", lambda: [functools.partial(int, base=2), functools.partial(sorted, reverse=True)]),
        (
            "getters",
            lambda: [
                operator.itemgetter(1),
                operator.itemgetter(1, 2),
                operator.attrgetter("a"),
                operator.methodcaller("lower"),
            ],
        ),
        (
            "itertools",
            lambda: [itertools.count(1), itertools.cycle([1]), itertools.repeat(1, 2), itertools.chain([1], [2])],
        ),
        (
            "iterators",
            lambda: [
                iter([1, 2]),
                iter((1,)),
                iter("ab"),
                iter(range(3)),
                reversed([1]),
                enumerate([1]),
                zip([1], [2]),
            ],
        ),
        ("dict_views", lambda: [iter({"a": 1}), iter({1})]),
        ("exceptions", lambda: [ValueError("x"), KeyError("k"), OSError(2, "no"), StopIteration(), RuntimeError()]),
        ("struct_time", lambda: time.gmtime(0)),
        ("string_template", lambda: string.Template("$x")),
        ("mapping_like", lambda: [types.MappingProxyType]),
        ("bytes_io", lambda: [io.BytesIO(b"x"), io.StringIO("x")]),
        ("deep", lambda: functools.reduce(lambda x, _: [x], range(50), [])),
        ("recursive", make_recursive),
        ("shared", lambda: (lambda x: [x, x, {"x": x}])(["same"])),
        ("big_numbers", lambda: [2**31, -(2**31), 2**63, 10**100, -1, 255, 256, 65536]),
        ("texts", lambda: ["", "a" * 300, "é", "日本", "\n", "\\", "\x1a", "os.system", "eval", "__import__('os')"]),
        ("bytes", lambda: [b"", b"x" * 300, bytes(range(256))]),
        ("floats", lambda: [0.0, -0.0, float("inf"), float("nan"), 1e-300]),
    ]
    return attempts(*pairs)


def make_recursive():
    loop = []
    loop.append({"self": loop})
    return loop


def make_numpy():
    import numpy as np

    pairs = []
    for code in ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16", ">f4", ">i8", "g"):
        pairs.append(
            (
                "array_" + code.replace(">", "big_").replace("?", "bool"),
                lambda code=code: np.arange(6).reshape(2, 3).astype(code),
            )
        )
    pairs += [
        ("array_text", lambda: np.array(["a", "bcd"])),
        ("array_bytes", lambda: np.array([b"a", b"bcd"])),
        ("array_object", lambda: np.array([1, "a", None, [2]], dtype=object)),
        ("array_datetime", lambda: np.array(["2020-01-01"], dtype="datetime64[ns]")),
        ("array_timedelta", lambda: np.array([1, 2], dtype="timedelta64[s]")),
        ("array_void", lambda: np.zeros(2, dtype="V5")),
        ("array_structured", lambda: np.zeros(2, dtype=[("a", "i4"), ("b", "f8", (2,)), ("c", "U3")])),
        ("array_aligned", lambda: np.zeros(2, dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True))),
        ("array_titled", lambda: np.zeros(2, dtype=[(("title", "a"), "i4")])),
        ("array_fortran", lambda: np.asfortranarray(np.ones((3, 4)))),
        ("array_sliced", lambda: np.arange(20).reshape(4, 5)[::2, 1:3]),
        ("array_empty", lambda: np.zeros((0, 3))),
        ("array_scalar", lambda: np.array(3.0)),
        ("array_large", lambda: np.arange(20000.0)),
        ("array_string_dtype", lambda: np.array(["a", "b"], dtype=np.dtypes.StringDType())),
        (
            "scalars",
            lambda: [
                np.float32(1),
                np.float64(1),
                np.int64(2),
                np.bool_(True),
                np.str_("x"),
                np.bytes_(b"y"),
                np.complex128(1),
                np.uint8(3),
                np.float16(1),
            ],
        ),
        ("scalar_datetime", lambda: [np.datetime64("2020-01-01"), np.timedelta64(1, "D"), np.datetime64("NaT")]),
        ("scalar_void", lambda: np.zeros(1, dtype=[("a", "i4")])[0]),
        (
            "dtypes",
            lambda: [np.dtype(c) for c in ("f8", "i4", "U5", "O", "M8[ns]", "V4", ">f4")] + [np.dtype([("a", "i4")])],
        ),
        ("dtype_metadata", lambda: np.dtype("f8", metadata={"a": 1})),
        (
            "scalar_types",
            lambda: [
                np.float16,
                np.float32,
                np.float64,
                np.int8,
                np.int16,
                np.int32,
                np.int64,
                np.uint8,
                np.uint16,
                np.uint32,
                np.uint64,
                np.bool_,
                np.complex64,
                np.complex128,
                np.str_,
                np.bytes_,
                np.object_,
                np.void,
                np.datetime64,
                np.timedelta64,
                np.longdouble,
                np.intc,
                np.longlong,
                np.ulonglong,
                np.number,
                np.integer,
                np.floating,
                np.generic,
            ],
        ),
        ("dtype_classes", lambda: [type(np.dtype(c)) for c in ("f4", "f8", "i8", "O", "U1", "M8")]),
        (
            "ufuncs",
            lambda: [np.log, np.log1p, np.exp, np.expm1, np.sqrt, np.add, np.maximum, np.sin, np.square, np.abs],
        ),
        (
            "functions",
            lambda: [
                np.mean,
                np.sum,
                np.median,
                np.std,
                np.max,
                np.nanmean,
                np.zeros,
                np.ones,
                np.array,
                np.argmax,
                np.concatenate,
                np.clip,
                np.round,
            ],
        ),
        ("masked", lambda: np.ma.array([1, 2, 3], mask=[0, 1, 0])),
        ("masked_structured", lambda: np.ma.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")], mask=[(0, 1)])),
        ("masked_constant", lambda: np.ma.masked),
        ("masked_records", lambda: np.ma.mrecords.fromarrays([[1, 2], [3.0, 4.0]], names="a,b")),
        ("matrix", lambda: np.matrix([[1, 2], [3, 4]])),
        ("recarray", lambda: np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])),
        ("record", lambda: np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])[0]),
        ("chararray", lambda: np.char.array(["a", "b"])),
        ("memmap_like", lambda: np.asarray(np.arange(3))),
        ("random_state", lambda: np.random.RandomState(0)),
        (
            "polynomials",
            lambda: [
                getattr(np.polynomial, k)([1, 2, 3])
                for k in ("Polynomial", "Chebyshev", "Legendre", "Hermite", "HermiteE", "Laguerre")
            ],
        ),
        ("poly1d", lambda: np.poly1d([1, 2, 3])),
        ("vectorize", lambda: np.vectorize(len)),
        ("finfo_args", lambda: {"eps": np.finfo(float).eps, "max": np.iinfo(int).max}),
        ("nditer_args", lambda: [np.s_[1:2, ...], np.newaxis]),
        ("index_exp", lambda: np.index_exp[0:1]),
        ("broadcast_dict", lambda: {"w": np.ones(3), "b": np.zeros(1), "n": 3}),
        ("errors", lambda: [np.linalg.LinAlgError("x")]),
    ]
    for kind in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"):
        pairs.append(("bit_generator_" + kind, lambda kind=kind: getattr(np.random, kind)(1)))
        pairs.append(("generator_" + kind, lambda kind=kind: np.random.Generator(getattr(np.random, kind)(1))))
        pairs.append(("random_state_" + kind, lambda kind=kind: np.random.RandomState(getattr(np.random, kind)(1))))
    pairs.append(("seed_sequence", lambda: np.random.SeedSequence(5)))
    return attempts(*pairs)


def make_pandas():
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2, 3], "b": [1.0, np.nan, 3.0], "c": list("xyz"), "d": [True, False, True]})
    stamps = pd.date_range("2020-01-01", periods=3, freq="D")
    pairs = [
        ("frame", lambda: frame),
        ("frame_empty", lambda: pd.DataFrame()),
        ("frame_mixed_blocks", lambda: frame.assign(e=stamps, f=pd.Categorical(list("aab")))),
        ("frame_zone", lambda: pd.DataFrame({"t": stamps.tz_localize("UTC")})),
        ("frame_multi_index", lambda: frame.set_index(["a", "c"])),
        ("frame_object_column", lambda: pd.DataFrame({"o": [[1], {"a": 2}, None]})),
        ("frame_text_columns", lambda: pd.DataFrame(np.ones((2, 2)), columns=["p", "q"])),
        ("frame_attrs", lambda: frame.copy()),
        ("frame_nullable", lambda: frame.convert_dtypes()),
        ("series", lambda: pd.Series([1, 2, 3], name="s")),
        ("series_text", lambda: pd.Series(["a", "b"])),
        ("series_string_dtype", lambda: pd.Series(["a", None], dtype="string")),
        ("series_datetime", lambda: pd.Series(stamps)),
        ("series_timedelta", lambda: pd.Series(pd.to_timedelta([1, 2], unit="s"))),
        ("series_bool", lambda: pd.Series([True, False])),
        ("series_int_nullable", lambda: pd.Series([1, None], dtype="Int64")),
        ("series_uint_nullable", lambda: pd.Series([1, None], dtype="UInt8")),
        ("series_float_nullable", lambda: pd.Series([1, None], dtype="Float64")),
        ("series_bool_nullable", lambda: pd.Series([True, None], dtype="boolean")),
        ("series_category", lambda: pd.Series(list("aba"), dtype="category")),
        ("series_sparse", lambda: pd.Series(pd.arrays.SparseArray([0, 0, 1]))),
        ("series_interval", lambda: pd.Series(pd.interval_range(0, 3))),
        ("series_period", lambda: pd.Series(pd.period_range("2020-01", periods=2, freq="M"))),
        ("series_object", lambda: pd.Series([1, "a", None])),
        ("index", lambda: pd.Index([1, 2, 3], name="i")),
        ("index_text", lambda: pd.Index(["a", "b"])),
        ("index_float", lambda: pd.Index([1.0, 2.0])),
        ("index_range", lambda: pd.RangeIndex(5)),
        ("index_datetime", lambda: stamps),
        ("index_datetime_zone", lambda: stamps.tz_localize("Europe/Berlin")),
        ("index_timedelta", lambda: pd.timedelta_range("1s", periods=2)),
        ("index_period", lambda: pd.period_range("2020-01", periods=2, freq="M")),
        ("index_interval", lambda: pd.interval_range(0, 3)),
        ("index_category", lambda: pd.CategoricalIndex(list("aba"))),
        ("index_multi", lambda: pd.MultiIndex.from_product([[1, 2], list("ab")], names=["x", "y"])),
        ("categorical", lambda: pd.Categorical(list("aba"), ordered=True)),
        ("timestamp", lambda: [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01", tz="UTC"), pd.NaT]),
        ("timedelta", lambda: pd.Timedelta("1 days")),
        ("period", lambda: pd.Period("2020-01", freq="M")),
        ("interval", lambda: pd.Interval(0, 1)),
        ("missing", lambda: [pd.NA]),
        (
            "dtypes",
            lambda: [
                pd.CategoricalDtype(["a"], True),
                pd.DatetimeTZDtype("ns", "UTC"),
                pd.IntervalDtype("int64"),
                pd.PeriodDtype("M"),
            ],
        ),
        (
            "dtypes_nullable",
            lambda: [
                pd.Int64Dtype(),
                pd.StringDtype(),
                pd.BooleanDtype(),
                pd.SparseDtype("f8"),
                pd.Int8Dtype(),
                pd.UInt16Dtype(),
            ],
        ),
        ("array_datetime", lambda: pd.array(stamps)),
        ("array_numpy", lambda: pd.array(np.array([1, 2]), dtype="int64")),
        ("grouper", lambda: pd.Grouper(key="a")),
        ("flags", lambda: frame.set_flags(allows_duplicate_labels=False)),
        ("named_agg", lambda: pd.NamedAgg("a", "sum")),
        ("dict_of_frames", lambda: {"x": frame, "y": frame["a"]}),
        ("transposed", lambda: frame[["a", "b"]].T),
        ("functions", lambda: [pd.isna, pd.to_numeric, pd.get_dummies, pd.concat]),
        ("classes", lambda: [pd.DataFrame, pd.Series, pd.Index, pd.Timestamp, pd.Timedelta]),
    ]
    for name in (
        "Day",
        "Hour",
        "Minute",
        "Second",
        "Milli",
        "Micro",
        "Nano",
        "BusinessDay",
        "MonthEnd",
        "MonthBegin",
        "BMonthEnd",
        "BMonthBegin",
        "QuarterEnd",
        "QuarterBegin",
        "YearEnd",
        "YearBegin",
        "BYearEnd",
        "BYearBegin",
        "BQuarterEnd",
        "BQuarterBegin",
        "Week",
        "WeekOfMonth",
        "LastWeekOfMonth",
        "SemiMonthEnd",
        "SemiMonthBegin",
        "Easter",
        "FY5253",
        "FY5253Quarter",
        "BusinessHour",
        "CustomBusinessDay",
        "CustomBusinessHour",
        "CustomBusinessMonthEnd",
        "CustomBusinessMonthBegin",
        "DateOffset",
        "Tick",
    ):
        pairs.append(
            (
                "offset_" + name,
                lambda name=name: (
                    getattr(pd.offsets, name)(2)
                    if "FY" not in name and name != "Tick"
                    else getattr(pd.offsets, name)(
                        startingMonth=1, weekday=1, **({"qtr_with_extra_week": 1} if "Quarter" in name else {})
                    )
                ),
            )
        )
    pairs.append(("offset_relative", lambda: pd.DateOffset(months=2, days=1)))
    return attempts(*pairs)


def make_scipy():
    import numpy as np
    import scipy
    from scipy import interpolate, optimize, signal, sparse, spatial, stats

    rng = np.random.RandomState(0)
    dense = rng.rand(5, 4) * (rng.rand(5, 4) > 0.5)
    points = rng.rand(30, 2)
    x = np.linspace(0, 1, 12)
    pairs = []
    for kind in ("csr", "csc", "coo", "lil", "dok", "dia", "bsr"):
        pairs.append((kind + "_matrix", lambda kind=kind: getattr(sparse, kind + "_matrix")(dense)))
        pairs.append((kind + "_array", lambda kind=kind: getattr(sparse, kind + "_array")(dense)))
    pairs += [
        ("kd_tree", lambda: spatial.KDTree(points)),
        ("ckd_tree", lambda: spatial.cKDTree(points)),
        ("convex_hull", lambda: spatial.ConvexHull(points)),
        ("delaunay", lambda: spatial.Delaunay(points)),
        ("rotation", lambda: spatial.transform.Rotation.from_euler("z", 0.5)),
        ("slerp", lambda: spatial.transform.Slerp([0, 1], spatial.transform.Rotation.random(2, random_state=0))),
        ("rigid", lambda: spatial.transform.RigidTransform.identity()),
        ("interp1d", lambda: interpolate.interp1d(x, x**2)),
        ("interp1d_cubic", lambda: interpolate.interp1d(x, x**2, kind="cubic")),
        ("univariate_spline", lambda: interpolate.UnivariateSpline(x, x**2)),
        ("interpolated_spline", lambda: interpolate.InterpolatedUnivariateSpline(x, x**2)),
        ("lsq_spline", lambda: interpolate.LSQUnivariateSpline(x, x**2, [0.5])),
        ("cubic_spline", lambda: interpolate.CubicSpline(x, x**2)),
        ("pchip", lambda: interpolate.PchipInterpolator(x, x**2)),
        ("akima", lambda: interpolate.Akima1DInterpolator(x, x**2)),
        ("b_spline", lambda: interpolate.make_interp_spline(x, x**2)),
        ("ppoly", lambda: interpolate.PPoly(np.ones((2, 1)), [0, 1])),
        ("bpoly", lambda: interpolate.BPoly(np.ones((2, 1)), [0, 1])),
        ("barycentric", lambda: interpolate.BarycentricInterpolator(x, x**2)),
        ("krogh", lambda: interpolate.KroghInterpolator(x, x**2)),
        ("rbf", lambda: interpolate.Rbf(x, x**2)),
        ("rbf_interpolator", lambda: interpolate.RBFInterpolator(points, points[:, 0])),
        ("regular_grid", lambda: interpolate.RegularGridInterpolator((x, x), np.ones((12, 12)))),
        ("nd_linear", lambda: interpolate.LinearNDInterpolator(points, points[:, 0])),
        ("nd_nearest", lambda: interpolate.NearestNDInterpolator(points, points[:, 0])),
        ("clough_tocher", lambda: interpolate.CloughTocher2DInterpolator(points, points[:, 0])),
        ("rect_spline", lambda: interpolate.RectBivariateSpline(x, x, np.ones((12, 12)))),
        ("smooth_spline", lambda: interpolate.SmoothBivariateSpline(points[:, 0], points[:, 1], points[:, 0])),
        ("nd_ppoly", lambda: interpolate.NdPPoly(np.ones((2, 2, 1, 1)), ([0, 1], [0, 1]))),
        ("optimize_result", lambda: optimize.minimize(np.sum, [1.0], method="Nelder-Mead", options={"maxiter": 2})),
        ("linprog_result", lambda: optimize.linprog([1], bounds=[(0, 1)])),
        ("bounds", lambda: optimize.Bounds([0], [1])),
        ("linear_constraint", lambda: optimize.LinearConstraint([[1]], 0, 1)),
        ("root_result", lambda: optimize.root(np.sin, [1.0])),
        ("kde", lambda: stats.gaussian_kde(rng.rand(20))),
        ("ttest_result", lambda: stats.ttest_ind(rng.rand(5), rng.rand(5))),
        ("linregress_result", lambda: stats.linregress(x, x**2)),
        ("describe_result", lambda: stats.describe(x)),
        ("mode_result", lambda: stats.mode([1, 1, 2])),
        ("pearson_result", lambda: stats.pearsonr(x, x**2)),
        ("shapiro_result", lambda: stats.shapiro(x)),
        ("ks_result", lambda: stats.kstest(x, "norm")),
        ("binned", lambda: stats.binned_statistic(x, x)),
        ("ecdf", lambda: stats.ecdf(x)),
        ("multivariate_normal", lambda: stats.multivariate_normal([0, 0])),
        ("rv_discrete_values", lambda: stats.rv_discrete(values=([1, 2], [0.5, 0.5]))),
        ("rv_histogram", lambda: stats.rv_histogram(np.histogram(x, 3))),
        ("distribution_itself", lambda: stats.norm),
        ("sobol", lambda: stats.qmc.Sobol(2, seed=0)),
        ("halton", lambda: stats.qmc.Halton(2, seed=0)),
        ("latin", lambda: stats.qmc.LatinHypercube(2, seed=0)),
        ("lti", lambda: signal.lti([1], [1, 2])),
        ("dlti", lambda: signal.dlti([1], [1, 2])),
        ("state_space", lambda: signal.StateSpace([[1.0]], [[1.0]], [[1.0]], [[0.0]])),
        ("zpk", lambda: signal.ZerosPolesGain([1], [2], 1)),
        ("linear_operator", lambda: sparse.linalg.aslinearoperator(dense)),
        (
            "functions",
            lambda: [
                spatial.distance.euclidean,
                spatial.distance.cosine,
                scipy.special.expit,
                scipy.special.logit,
                stats.pearsonr,
            ],
        ),
        ("sparse_in_dict", lambda: {"m": sparse.eye(3).tocsr(), "v": sparse.identity(2)}),
    ]
    for name in (
        "norm",
        "uniform",
        "expon",
        "gamma",
        "beta",
        "lognorm",
        "t",
        "chi2",
        "randint",
        "poisson",
        "binom",
        "geom",
        "loguniform",
        "reciprocal",
        "truncnorm",
        "weibull_min",
        "bernoulli",
        "f",
        "cauchy",
        "laplace",
        "logistic",
        "nbinom",
        "pareto",
    ):
        shapes = {
            "gamma": (1,),
            "beta": (1, 2),
            "lognorm": (1,),
            "t": (3,),
            "chi2": (3,),
            "randint": (1, 5),
            "poisson": (2,),
            "binom": (5, 0.5),
            "geom": (0.5,),
            "loguniform": (0.1, 1),
            "reciprocal": (0.1, 1),
            "truncnorm": (-1, 1),
            "weibull_min": (1,),
            "bernoulli": (0.5,),
            "f": (2, 3),
            "nbinom": (2, 0.5),
            "pareto": (2,),
        }
        pairs.append(("frozen_" + name, lambda name=name: getattr(stats, name)(*shapes.get(name, ()))))
    return attempts(*pairs)


def sklearn_estimators():
    try:
        from sklearn.utils import all_estimators
    except ImportError:
        from sklearn.utils.testing import all_estimators
    return all_estimators()


def make_sklearn():
    import numpy as np
    import sklearn
    import sklearn.utils

    rng = np.random.RandomState(0)
    features = np.abs(rng.rand(40, 4)) + 0.1
    labels = np.arange(40) % 2
    target = features[:, 0] * 2 + 0.5
    texts = ["some words here", "other words there", "more text again", "last words"] * 10

    def build(cls):
        names = {
            "n_estimators": 3,
            "max_iter": 5,
            "n_components": 2,
            "n_clusters": 2,
            "cv": 2,
            "n_iter": 2,
            "n_splits": 2,
            "random_state": 0,
            "n_init": 1,
        }
        try:
            model = cls()
        except TypeError:
            model = wrap(cls)
        accepted = model.get_params(deep=False)
        chosen = {key: value for key, value in names.items() if key in accepted and accepted[key] is not Ellipsis}
        if cls.__name__ in ("SparseCoder", "SpectralBiclustering"):
            chosen.pop("n_components", None)
        return model.set_params(**chosen)

    def wrap(cls):
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
        from sklearn.preprocessing import StandardScaler

        name = cls.__name__
        if name in ("ColumnTransformer",):
            return cls([("s", StandardScaler(), [0, 1]), ("d", "drop", [2])])
        if name in ("FeatureUnion", "Pipeline"):
            return cls([("s", StandardScaler())] + ([("m", LogisticRegression())] if name == "Pipeline" else []))
        if name in ("VotingClassifier", "StackingClassifier"):
            return cls([("a", LogisticRegression()), ("b", RandomForestClassifier(n_estimators=2))])
        if name in ("VotingRegressor", "StackingRegressor"):
            return cls([("a", LinearRegression()), ("b", Ridge())])
        if "Grid" in name or "Search" in name or "Halving" in name:
            space = {"C": [0.1, 1.0]}
            return cls(LogisticRegression(), space)
        if name == "SparseCoder":
            return cls(np.eye(4))
        if name in ("RegressorChain", "MultiOutputRegressor", "RANSACRegressor", "TransformedTargetRegressor"):
            return cls(Ridge())
        return cls(LogisticRegression())

    def fit(model):
        multi = np.column_stack([target, target * 2])
        for arguments in (
            (features, labels),
            (features, target),
            (features,),
            (texts,),
            (labels,),
            (features, np.column_stack([labels, 1 - labels])),
            (features, multi),
            (features[:, 0], target),
            (np.dot(features, features.T),),
            ([{"a": 1, "b": "x"}, {"a": 2}],),
            ([["a"], ["b", "c"]],),
        ):
            try:
                return model.fit(*arguments)
            except Exception:
                continue
        print("%s: kept unfitted" % type(model).__name__, file=sys.stderr)
        return model

    pairs = []
    for name, cls in sklearn_estimators():
        pairs.append((name, lambda cls=cls: fit(build(cls))))
        if name.endswith(("Regressor", "Regression", "SVR", "CV")):
            pairs.append((name + "_regression", lambda cls=cls: build(cls).fit(features, target)))

    def more():
        from sklearn import datasets, metrics, model_selection
        from sklearn.cluster import KMeans

        ColumnTransformer = getattr(optional("sklearn.compose"), "ColumnTransformer", None)
        from sklearn.decomposition import PCA
        from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier
        from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
        from sklearn.feature_selection import SelectKBest, chi2, f_classif, f_regression, mutual_info_classif
        from sklearn.linear_model import LogisticRegression, SGDClassifier, SGDRegressor
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.naive_bayes import MultinomialNB
        from sklearn.neighbors import BallTree, KDTree, KNeighborsClassifier
        from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
        from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler
        from sklearn.svm import SVC
        from sklearn.tree import DecisionTreeClassifier
        import scipy.stats

        yield "text_pipeline", lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, labels)
        yield "text_counts", lambda: Pipeline(
            [("v", CountVectorizer(ngram_range=(1, 2), stop_words="english")), ("m", MultinomialNB())]
        ).fit(texts, labels)
        yield "text_union", lambda: FeatureUnion(
            [("w", TfidfVectorizer()), ("c", TfidfVectorizer(analyzer="char"))]
        ).fit(texts)
        yield "hashing", lambda: HashingVectorizer(n_features=16)
        yield "grid_search", lambda: model_selection.GridSearchCV(
            make_pipeline(StandardScaler(), SVC()), {"svc__C": [1, 2]}, cv=2
        ).fit(features, labels)
        yield "random_search", lambda: model_selection.RandomizedSearchCV(
            SVC(), {"C": scipy.stats.uniform(0.1, 1)}, n_iter=2, cv=2
        ).fit(features, labels)
        yield "grid_scorer", lambda: model_selection.GridSearchCV(
            SVC(), {"C": [1]}, cv=2, scoring=metrics.make_scorer(metrics.f1_score)
        ).fit(features, labels)
        yield "column_transformer", lambda: make_pipeline(
            ColumnTransformer(
                [("a", StandardScaler(), [0, 1]), ("b", OneHotEncoder(handle_unknown="ignore"), [2])],
                remainder="passthrough",
            ),
            LogisticRegression(),
        ).fit(features.round(), labels)
        for function in (np.log1p, np.exp, np.sqrt, None):
            yield "function_transformer_%s" % getattr(
                function, "__name__", "none"
            ), lambda function=function: FunctionTransformer(function).fit(features)
        for scorer in (
            "accuracy",
            "roc_auc",
            "neg_log_loss",
            "r2",
            "f1_macro",
            "neg_mean_squared_error",
            "precision",
            "recall",
            "average_precision",
        ):
            yield "scorer_" + scorer, lambda scorer=scorer: metrics.get_scorer(scorer)
        yield "metric_functions", lambda: [
            v
            for k, v in sorted(vars(metrics).items())
            if k.endswith(("_score", "_loss", "_error", "_deviance", "_samples", "_curve", "auc"))
            and not k.startswith("plot_")
        ]
        for function in (chi2, f_classif, f_regression, mutual_info_classif):
            yield "select_" + function.__name__, lambda function=function: SelectKBest(function, k=2).fit(
                features, labels
            )
        for loss in (
            "hinge",
            "log",
            "log_loss",
            "modified_huber",
            "squared_hinge",
            "perceptron",
            "squared_loss",
            "squared_error",
            "huber",
            "epsilon_insensitive",
            "squared_epsilon_insensitive",
        ):
            yield "sgd_classifier_" + loss, lambda loss=loss: SGDClassifier(loss=loss, max_iter=5).fit(features, labels)
            yield "sgd_regressor_" + loss, lambda loss=loss: SGDRegressor(loss=loss, max_iter=5).fit(features, target)
        for loss in ("deviance", "log_loss", "exponential"):
            yield "boosting_" + loss, lambda loss=loss: GradientBoostingClassifier(loss=loss, n_estimators=2).fit(
                features, labels
            )
            yield "boosting_multi_" + loss, lambda loss=loss: GradientBoostingClassifier(loss=loss, n_estimators=2).fit(
                features, np.arange(40) % 3
            )
        for loss in ("ls", "lad", "squared_error", "absolute_error", "huber", "quantile"):
            yield "boosting_regressor_" + loss, lambda loss=loss: GradientBoostingRegressor(
                loss=loss, n_estimators=2
            ).fit(features, target)

        def hist(kind, **options):
            if sklearn.__version__ < "1.0":
                importlib.import_module("sklearn.experimental.enable_hist_gradient_boosting")
            from sklearn import ensemble

            y = {"C": labels, "M": np.arange(40) % 3, "R": target}[kind]
            cls = ensemble.HistGradientBoostingRegressor if kind == "R" else ensemble.HistGradientBoostingClassifier
            return cls(max_iter=2, **options).fit(features, y)

        yield "hist_binary", lambda: hist("C")
        yield "hist_multi", lambda: hist("M")
        for loss in (
            "squared_error",
            "least_squares",
            "absolute_error",
            "least_absolute_deviation",
            "poisson",
            "gamma",
            "quantile",
        ):
            yield "hist_" + loss, lambda loss=loss: hist(
                "R", loss=loss, **({"quantile": 0.5} if loss == "quantile" else {})
            )
        for algorithm in ("ball_tree", "kd_tree", "brute"):
            yield "neighbors_" + algorithm, lambda algorithm=algorithm: KNeighborsClassifier(algorithm=algorithm).fit(
                features, labels
            )
        for metric in (
            "euclidean",
            "manhattan",
            "chebyshev",
            "minkowski",
            "hamming",
            "canberra",
            "braycurtis",
            "jaccard",
            "dice",
            "haversine",
            "seuclidean",
            "mahalanobis",
        ):
            extra = {"seuclidean": {"V": np.ones(2)}, "mahalanobis": {"V": np.eye(2)}, "minkowski": {"p": 3}}
            yield "ball_tree_" + metric, lambda metric=metric: BallTree(
                features[:, :2], metric=metric, **extra.get(metric, {})
            )
        yield "kd_tree_manhattan", lambda: KDTree(features, metric="manhattan")
        yield "ball_tree_32", lambda: importlib.import_module("sklearn.neighbors._ball_tree").BallTree32(
            features.astype("f4")
        )
        for name in ("load_iris", "load_wine", "load_digits"):
            yield "bunch_" + name, lambda name=name: getattr(datasets, name)()
        for splitter in (
            "KFold",
            "StratifiedKFold",
            "GroupKFold",
            "ShuffleSplit",
            "StratifiedShuffleSplit",
            "TimeSeriesSplit",
            "LeaveOneOut",
            "RepeatedKFold",
            "RepeatedStratifiedKFold",
            "GroupShuffleSplit",
            "StratifiedGroupKFold",
        ):
            yield "splitter_" + splitter, lambda splitter=splitter: getattr(model_selection, splitter)()
        yield "predefined_split", lambda: model_selection.PredefinedSplit([0, 1])
        yield "leave_p_out", lambda: model_selection.LeavePOut(2)
        yield "parameter_grid", lambda: [
            model_selection.ParameterGrid({"a": [1]}),
            model_selection.ParameterSampler({"a": [1]}, 1),
        ]
        yield "tree", lambda: DecisionTreeClassifier().fit(features, labels).tree_
        yield "tree_regression_list", lambda: [
            DecisionTreeClassifier(max_depth=d).fit(features, labels) for d in (1, 2)
        ]
        yield "one_vs_rest", lambda: OneVsRestClassifier(SVC()).fit(features, np.arange(40) % 3)
        yield "dict_of_models", lambda: {
            "pca": PCA(2).fit(features),
            "km": KMeans(2, n_init=1).fit(features),
            "scaler": MinMaxScaler().fit(features),
            "columns": ["a", "b"],
        }
        yield "forest_multi", lambda: RandomForestClassifier(n_estimators=2).fit(
            features, np.column_stack([labels, np.arange(40) % 3])
        )

        def kernels():
            from sklearn.gaussian_process import kernels as k

            return [
                k.RBF(),
                k.Matern(),
                k.RationalQuadratic(),
                k.ExpSineSquared(),
                k.DotProduct(),
                k.WhiteKernel(),
                k.ConstantKernel(),
                k.RBF() + k.WhiteKernel(),
                k.RBF() * k.ConstantKernel(),
                k.RBF() ** 2,
                k.CompoundKernel([k.RBF()]),
                k.PairwiseKernel(),
            ]

        yield "kernels", kernels

        def framed():
            import pandas as pd

            data = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "k": list("abab")})
            both = ColumnTransformer([("n", StandardScaler(), ["x"]), ("c", OneHotEncoder(), ["k"])])
            return make_pipeline(both, LogisticRegression()).fit(data, [0, 1, 0, 1])

        yield "framed", framed

        def calibrated():
            from sklearn.calibration import CalibratedClassifierCV

            return [
                CalibratedClassifierCV(SVC(), method=m, cv=2).fit(features, labels) for m in ("sigmoid", "isotonic")
            ]

        yield "calibrated", calibrated

        def displays():
            return metrics.ConfusionMatrixDisplay(np.eye(2))

        yield "confusion_display", displays

        def output_set():
            return StandardScaler().set_output(transform="pandas").fit(features)

        yield "output_pandas", output_set

    return attempts(*(pairs + list(more())))


def make_xgboost():
    import numpy as np
    import xgboost as xgb

    rng = np.random.RandomState(0)
    x, y = rng.rand(40, 3), np.arange(40) % 2
    data = lambda: xgb.DMatrix(x, y)
    pairs = [
        ("booster_" + b, lambda b=b: xgb.train({"booster": b, "max_depth": 2}, data(), 2))
        for b in ("gbtree", "dart", "gblinear")
    ]
    pairs += [
        ("classifier", lambda: xgb.XGBClassifier(n_estimators=2).fit(x, y)),
        ("classifier_multi", lambda: xgb.XGBClassifier(n_estimators=2).fit(x, np.arange(40) % 3)),
        ("regressor", lambda: xgb.XGBRegressor(n_estimators=2).fit(x, x[:, 0])),
        ("ranker", lambda: xgb.XGBRanker(n_estimators=2).fit(x, y, group=[20, 20])),
        ("rf_classifier", lambda: xgb.XGBRFClassifier(n_estimators=2).fit(x, y)),
        ("rf_regressor", lambda: xgb.XGBRFRegressor(n_estimators=2).fit(x, x[:, 0])),
        ("unfitted", lambda: xgb.XGBClassifier(max_depth=3)),
        (
            "early_stopping",
            lambda: xgb.XGBClassifier(n_estimators=3, callbacks=[xgb.callback.EarlyStopping(1)]).fit(
                x, y, eval_set=[(x, y)], verbose=False
            ),
        ),
        ("scheduler", lambda: xgb.callback.EvaluationMonitor()),
        ("in_dict", lambda: {"model": xgb.XGBRegressor(n_estimators=1).fit(x, y), "features": ["a", "b", "c"]}),
        (
            "pipeline",
            lambda: importlib.import_module("sklearn.pipeline")
            .make_pipeline(xgb.XGBClassifier(n_estimators=1))
            .fit(x, y),
        ),
    ]
    return attempts(*pairs)


def make_lightgbm():
    import lightgbm as lgb
    import numpy as np

    rng = np.random.RandomState(0)
    x, y = rng.rand(60, 3), np.arange(60) % 2
    quiet = {"verbose": -1, "min_data_in_leaf": 2, "num_leaves": 3}
    pairs = [
        ("booster", lambda: lgb.train(dict(quiet, objective="binary"), lgb.Dataset(x, y), 2)),
        (
            "booster_early",
            lambda: lgb.train(dict(quiet, objective="binary"), lgb.Dataset(x, y), 2, valid_sets=[lgb.Dataset(x, y)]),
        ),
        ("classifier", lambda: lgb.LGBMClassifier(n_estimators=2, **quiet).fit(x, y)),
        ("classifier_multi", lambda: lgb.LGBMClassifier(n_estimators=2, **quiet).fit(x, np.arange(60) % 3)),
        ("regressor", lambda: lgb.LGBMRegressor(n_estimators=2, **quiet).fit(x, x[:, 0])),
        ("ranker", lambda: lgb.LGBMRanker(n_estimators=2, **quiet).fit(x, y, group=[30, 30])),
        ("unfitted", lambda: lgb.LGBMClassifier()),
        ("eval_set", lambda: lgb.LGBMClassifier(n_estimators=2, **quiet).fit(x, y, eval_set=[(x, y)])),
        (
            "cv_booster",
            lambda: lgb.cv(dict(quiet, objective="binary"), lgb.Dataset(x, y), 2, nfold=2, return_cvbooster=True)[
                "cvbooster"
            ],
        ),
        ("callbacks", lambda: [lgb.early_stopping(2), lgb.log_evaluation(2), lgb.record_evaluation({})]),
    ]
    return attempts(*pairs)


def make_catboost():
    import catboost as cb
    import numpy as np

    rng = np.random.RandomState(0)
    x, y = rng.rand(40, 3), np.arange(40) % 2
    quiet = {"iterations": 2, "verbose": False, "allow_writing_files": False, "depth": 2, "thread_count": 1}
    pairs = [
        ("classifier", lambda: cb.CatBoostClassifier(**quiet).fit(x, y)),
        ("classifier_multi", lambda: cb.CatBoostClassifier(**quiet).fit(x, np.arange(40) % 3)),
        ("regressor", lambda: cb.CatBoostRegressor(**quiet).fit(x, x[:, 0])),
        ("ranker", lambda: cb.CatBoostRanker(**quiet).fit(x, y, group_id=np.arange(40) // 10)),
        ("plain_model", lambda: cb.CatBoost(quiet).fit(x, y)),
        ("unfitted", lambda: cb.CatBoostClassifier(**quiet)),
        ("categorical", lambda: cb.CatBoostClassifier(**quiet).fit([["a", 1], ["b", 2]] * 20, y, cat_features=[0])),
        ("in_dict", lambda: {"model": cb.CatBoostRegressor(**quiet).fit(x, y)}),
    ]
    return attempts(*pairs)


def make_statsmodels():
    import numpy as np
    import pandas as pd
    import statsmodels.api as sm
    import statsmodels.formula.api as smf
    import statsmodels.tsa.api as tsa
    from statsmodels.tsa.api import VAR, ExponentialSmoothing, Holt, SimpleExpSmoothing

    try:
        from statsmodels.tsa.arima.model import ARIMA
    except ImportError:
        from statsmodels.tsa.arima_model import ARIMA

    rng = np.random.RandomState(0)
    x = sm.add_constant(rng.rand(60, 2))
    y = x[:, 1] * 2 + rng.rand(60)
    c = (y > y.mean()).astype(float)
    frame = pd.DataFrame({"y": y, "a": x[:, 1], "b": x[:, 2], "g": np.arange(60) % 5, "c": c})
    series = pd.Series(np.cumsum(rng.rand(60)) + 5, index=pd.date_range("2020-01-01", periods=60, freq="D"))
    quiet = {"disp": 0, "maxiter": 5}

    def results(model, **options):
        return model.fit(**options)

    def bare(model, **options):
        fitted = model.fit(**options)
        fitted.remove_data()
        return fitted

    pairs = [
        ("ols", lambda: results(sm.OLS(y, x))),
        ("ols_bare", lambda: bare(sm.OLS(y, x))),
        ("ols_frame", lambda: results(sm.OLS(frame.y, frame[["a", "b"]]))),
        ("ols_formula", lambda: results(smf.ols("y ~ a + b", frame))),
        ("ols_formula_category", lambda: np and results(smf.ols("y ~ C(g) + np.log(a + 1)", frame))),
        ("wls", lambda: results(sm.WLS(y, x))),
        ("gls", lambda: results(sm.GLS(y, x))),
        ("glsar", lambda: results(sm.GLSAR(y, x))),
        ("ols_regularized", lambda: sm.OLS(y, x).fit_regularized()),
        ("rlm", lambda: results(sm.RLM(y, x))),
        ("quantreg", lambda: results(sm.QuantReg(y, x))),
        ("logit", lambda: results(sm.Logit(c, x), **quiet)),
        ("logit_formula", lambda: results(smf.logit("c ~ a", frame), **quiet)),
        ("probit", lambda: results(sm.Probit(c, x), **quiet)),
        ("mnlogit", lambda: results(sm.MNLogit(np.arange(60) % 3, x), **quiet)),
        ("poisson", lambda: results(sm.Poisson(np.arange(60) % 3, x), **quiet)),
        ("negative_binomial", lambda: results(sm.NegativeBinomial(np.arange(60) % 3, x), **quiet)),
        ("mixed", lambda: results(sm.MixedLM(y, x, np.arange(60) % 5))),
        ("gee", lambda: results(sm.GEE(y, x, np.arange(60) % 5))),
        ("phreg", lambda: results(sm.PHReg(y, x[:, 1:]))),
        ("arima", lambda: results(ARIMA(series, order=(1, 0, 0)))),
        ("arima_diff", lambda: results(ARIMA(series, order=(1, 1, 1)))),
        ("sarimax", lambda: results(sm.tsa.SARIMAX(series, order=(1, 0, 0)), **quiet)),
        (
            "sarimax_seasonal",
            lambda: results(sm.tsa.SARIMAX(series, order=(1, 0, 0), seasonal_order=(1, 0, 0, 4)), **quiet),
        ),
        ("unobserved", lambda: results(sm.tsa.UnobservedComponents(series, "local level"), **quiet)),
        ("dynamic_factor", lambda: results(sm.tsa.DynamicFactor(frame[["a", "b"]], 1, 1), **quiet)),
        ("varmax", lambda: results(sm.tsa.VARMAX(frame[["a", "b"]], order=(1, 0)), **quiet)),
        ("autoreg", lambda: results(tsa.AutoReg(series, 1))),
        ("var", lambda: results(VAR(frame[["a", "b"]]))),
        ("vecm", lambda: results(sm.tsa.VECM(frame[["a", "b"]]))),
        ("holt_winters", lambda: results(ExponentialSmoothing(series, trend="add"))),
        (
            "holt_winters_seasonal",
            lambda: results(ExponentialSmoothing(series, trend="add", seasonal="add", seasonal_periods=5)),
        ),
        ("holt", lambda: results(Holt(series, initialization_method="estimated"))),
        ("ses", lambda: results(SimpleExpSmoothing(series, initialization_method="estimated"))),
        (
            "ets",
            lambda: results(
                importlib.import_module("statsmodels.tsa.exponential_smoothing.ets").ETSModel(series), disp=0
            ),
        ),
        ("stl", lambda: sm.tsa.STL(series, period=5).fit()),
        ("decompose", lambda: sm.tsa.seasonal_decompose(series, period=5)),
        ("kde", lambda: (lambda k: (k.fit(), k)[1])(sm.nonparametric.KDEUnivariate(y))),
        ("factor", lambda: sm.Factor(rng.rand(50, 4), 1).fit()),
        ("pca", lambda: importlib.import_module("statsmodels.multivariate.pca").PCA(rng.rand(50, 4), 2)),
        (
            "theta",
            lambda: results(importlib.import_module("statsmodels.tsa.forecasting.theta").ThetaModel(series, period=5)),
        ),
        ("markov", lambda: results(sm.tsa.MarkovRegression(series.values, 2), maxiter=3)),
        ("recursive_ls", lambda: results(sm.RecursiveLS(y, x))),
        (
            "ordered",
            lambda: results(
                importlib.import_module("statsmodels.miscmodels.ordinal_model").OrderedModel(
                    np.arange(60) % 3, x[:, 1:]
                ),
                disp=0,
                maxiter=5,
            ),
        ),
        ("survfunc", lambda: sm.SurvfuncRight(y, c)),
        ("ecdf", lambda: sm.distributions.ECDF(y)),
        ("gam", lambda: results(sm.GLMGam(y, x, smoother=sm.gam.BSplines(x[:, 1:2], df=[5], degree=[3])), maxiter=3)),
    ]
    for family in ("Gaussian", "Binomial", "Poisson", "Gamma", "InverseGaussian", "NegativeBinomial", "Tweedie"):
        pairs.append(
            (
                "glm_" + family,
                lambda family=family: results(
                    sm.GLM(c if family == "Binomial" else np.abs(y) + 1, x, family=getattr(sm.families, family)()),
                    maxiter=3,
                ),
            )
        )
    return attempts(*pairs)


def make_joblib():
    import collections as c

    import numpy as np

    made = [
        ("arrays", {"w": np.arange(12.0).reshape(3, 4), "b": np.zeros(4, "f4"), "o": np.array([1, "a"], dtype=object)}),
        ("fortran", np.asfortranarray(np.ones((3, 4)))),
        ("structured", np.zeros(2, dtype=[("a", "i4"), ("b", "f8")])),
        ("nested", [c.OrderedDict(x=np.ones(2)), (np.zeros(3), {"y": np.arange(3)})]),
        ("matrix", np.matrix([[1, 2], [3, 4]])),
        ("datetime", np.array(["2020-01-01"], dtype="M8[D]")),
        ("masked", np.ma.array([1, 2], mask=[0, 1])),
        ("object_of_arrays", np.array([np.ones(2), None], dtype=object)),
        ("text", np.array(["a", "b"])),
    ]
    return [(name, value) for name, value in made]


def make_dill():
    import dill  # noqa: F401 (its presence is the point: plain data stays plain)
    import numpy as np

    return [("data", {"a": [1, 2], "w": np.ones(3)})]


MAKERS = {
    "python": make_python,
    "numpy": make_numpy,
    "pandas": make_pandas,
    "scipy": make_scipy,
    "sklearn": make_sklearn,
    "xgboost": make_xgboost,
    "lightgbm": make_lightgbm,
    "catboost": make_catboost,
    "statsmodels": make_statsmodels,
    "joblib": make_joblib,
    "dill": make_dill,
}


def save(folder, prefix, name, value, protocol, dump):
    path = os.path.join(folder, "%s%s" % (prefix, name))
    try:
        dump(value, path, protocol)
    except Exception as error:
        if os.path.exists(path):
            os.remove(path)
        print("%s: not picklable here: %s" % (name, error), file=sys.stderr)
        return 0
    return 1


def dump_pickle(value, path, protocol):
    with open(path, "wb") as stream:
        pickle.dump(value, stream, protocol)


def dump_joblib(suffix):
    def dump(value, path, protocol):
        import joblib

        compress = {
            "": 0,
            ".z": ("zlib", 3),
            ".gz": ("gzip", 3),
            ".bz2": ("bz2", 3),
            ".xz": ("xz", 3),
            ".lzma": ("lzma", 3),
        }
        joblib.dump(value, path, compress=compress[suffix], protocol=protocol)

    return dump


def command_make(options):
    warnings.simplefilter("ignore")
    wanted = options.library or sorted(MAKERS)
    top = pickle.HIGHEST_PROTOCOL
    written = 0
    for library in wanted:
        folder = os.path.join(options.out, library)
        os.makedirs(folder, exist_ok=True)
        try:
            made = list(MAKERS[library]())
        except ImportError as error:
            print("%s: %s" % (library, error), file=sys.stderr)
            continue
        suffixes = ["", ".z", ".gz", ".bz2", ".xz", ".lzma"]
        for number, (name, value) in enumerate(made):
            name = name.replace("/", "_").replace(" ", "_")
            for protocol in sorted({number % (top + 1), options.protocol if options.protocol is not None else top}):
                written += save(folder, options.prefix, "%s.p%d.pkl" % (name, protocol), value, protocol, dump_pickle)
            if options.joblib and library != "python":
                suffix = suffixes[number % len(suffixes)]
                written += save(folder, options.prefix, "%s.joblib%s" % (name, suffix), value, top, dump_joblib(suffix))
    print("%d files" % written, file=sys.stderr)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    make = commands.add_parser("make", help="make real pickles with the libraries installed here")
    make.add_argument("--out", required=True, help="folder to write to, one sub-folder per library")
    make.add_argument("--prefix", default="", help="put this before every file name (say which release made it)")
    make.add_argument("--library", action="append", choices=sorted(MAKERS), help="only this one (repeatable)")
    make.add_argument("--protocol", type=int, help="protocol beside the rotating one (default: the highest)")
    make.add_argument("--joblib", action="store_true", help="write joblib dumps as well, raw and compressed")
    make.set_defaults(run=command_make)
    tracing = commands.add_parser("trace", help="list the globals that pickles use, and how")
    tracing.add_argument("paths", nargs="+")
    tracing.add_argument("--json", action="store_true")
    tracing.add_argument("--arguments", action="store_true", help="show constant texts among the arguments")
    tracing.set_defaults(run=command_trace)
    classes = commands.add_parser("classes", help="list an installed package's classes and the hooks that loading runs")
    classes.add_argument("packages", nargs="+")
    classes.add_argument("--json", action="store_true")
    classes.set_defaults(run=command_classes)
    check = commands.add_parser("check", help="what do the lists not cover in these pickles?")
    check.add_argument("--lists", required=True)
    check.add_argument("paths", nargs="+")
    check.set_defaults(run=command_check)
    validate = commands.add_parser("validate", help="are the lists well formed?")
    validate.add_argument("--lists", required=True)
    validate.set_defaults(run=command_validate)
    options = parser.parse_args()
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
