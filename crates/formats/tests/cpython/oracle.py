"""Tells what Python's own readers do with pickles, for the tests beside it.

One request per line on stdin, one answer per line on stdout:

    run HEX          -> READING|READING|READING|READING: the C unpickler reading byte by byte from a file without
                        peek, the C unpickler reading ahead from a file with peek, the pure-Python unpickler, and
                        pickletools.genops. A reading is OUTCOME;EVENT;EVENT;...
    corpus           -> HEX,HEX,...: what Python's picklers write for ordinary nested data, at every protocol

Nothing that a program names is imported or called: every look-up gives a stub that notes what is done to it.
Events are `L:module:name` (looked up), `C:module:name:depth:kind:arguments` (called) and
`M:module:name:depth:method` (changed), with module and name in hexadecimal. The depth is how many calls lie
between the look-up and the object.
"""

import collections
import copyreg
import datetime
import decimal
import fractions
import io
import pickle
import pickletools
import random
import resource
import sys
import uuid

EXTENSIONS = {1: ("waag_oracle_ext", "one"), 300: ("waag_oracle_ext", "two"), 70000: ("waag_oracle_ext", "three")}
MOST_MEMORY = 2 << 30
MOST_EVENTS = 2_000

events = []


class TooMuch(Exception):
    """A program that does more than is worth comparing."""


def note(*parts):
    if len(events) > MOST_EVENTS:
        raise TooMuch
    events.append(":".join(str(part) for part in parts))


def hexadecimal(text):
    return text.encode("utf-8", "surrogatepass").hex()


def noted(kind):
    """A data descriptor, so that a stub's own attributes never come first."""

    def get(stub):
        def method(*arguments):
            note("M", stub.origin, stub.depth, kind)

        return method

    return property(get)


class Stub(type):
    """The type of stubs: each is a class that can be called, made, built, appended to and assigned to."""

    def __call__(cls, *arguments, **keywords):
        note("C", cls.origin, cls.depth, "call", len(arguments))
        return stub(cls.origin, cls.depth + 1)

    def __setitem__(cls, key, value):
        note("M", cls.origin, cls.depth, "setitem")

    __setstate__ = noted("setstate")
    # The C unpickler extends by one where the pure-Python one appends: the same to whoever is changed.
    append = noted("append")
    extend = noted("append")
    add = noted("add")


def make(cls, *arguments, **keywords):
    note("C", cls.origin, cls.depth, "new", len(arguments))
    return stub(cls.origin, cls.depth + 1)


def stub(origin, depth):
    return type.__new__(Stub, "stub", (), {"origin": origin, "depth": depth, "__new__": make})


def find_class(_, module, name):
    origin = f"{hexadecimal(module)}:{hexadecimal(name)}"
    note("L", origin)
    return stub(origin, 0)


def persistent_load(_, pid):
    note("P")
    return stub(f"{hexadecimal('persistent')}:{hexadecimal('id')}", 0)


class Fast(pickle._pickle.Unpickler if hasattr(pickle, "_pickle") else pickle.Unpickler):
    find_class = find_class
    persistent_load = persistent_load


class Slow(pickle._Unpickler):
    find_class = find_class
    persistent_load = persistent_load


def reading(run):
    events.clear()
    copyreg._extension_cache.clear()
    try:
        run()
        outcome = "stop"
    except TooMuch:
        outcome = "limit"
    except RecursionError:
        outcome = "limit"
    except Exception as error:
        outcome = "error " + "".join(c if c.isalnum() else " " for c in f"{type(error).__name__} {error}")[:80]
    return ";".join([outcome, *events])


def run(data):
    readers = [
        lambda: Fast(io.BytesIO(data)).load(),
        lambda: Fast(io.BufferedReader(io.BytesIO(data))).load(),
        lambda: Slow(io.BytesIO(data)).load(),
        lambda: collections.deque(pickletools.genops(data), maxlen=0),
    ]
    return "|".join(reading(reader) for reader in readers)


def leaf(chance):
    return chance.choice(
        [
            None,
            True,
            chance.getrandbits(chance.choice([3, 8, 16, 32, 70, 2100])),
            -chance.getrandbits(40),
            chance.random(),
            float("inf"),
            "text",
            "näïve \u20ac \U0001f600 \\ \n" * chance.randrange(3),
            "x" * chance.choice([0, 255, 256, 70000]),
            b"bytes" * chance.randrange(60),
            bytearray(b"more"),
            1 + 2j,
            decimal.Decimal("1.5"),
            fractions.Fraction(1, 3),
            datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
            datetime.date(2026, 1, 2),
            datetime.timedelta(3),
            uuid.UUID(int=7),
            range(3),
            slice(1, 2),
        ]
    )


def nested(chance, depth):
    if depth == 0 or chance.random() < 0.2:
        return leaf(chance)
    items = [nested(chance, depth - 1) for _ in range(chance.randrange(5))]
    names = [f"key {number}" for number in range(len(items))]
    shape = chance.randrange(9)
    if shape == 0:
        return tuple(items)
    if shape == 1:
        return dict(zip(names, items))
    if shape == 2:
        return collections.OrderedDict(zip(names, items))
    if shape == 3:
        return collections.defaultdict(list, zip(names, items))
    if shape == 4:
        return collections.deque(items)
    if shape == 5:
        return set(names)
    if shape == 6:
        return frozenset(names)
    if shape == 7:
        return collections.Counter(names)
    if shape == 8 and items:
        items.append(items)
    return items


def arrays():
    try:
        import numpy
    except ImportError:
        return []
    return [
        numpy.arange(12.0).reshape(3, 4),
        numpy.float32(1.5),
        numpy.array(["a", "bc"]),
        numpy.zeros(3, dtype=[("a", "<i4"), ("b", "<f8")]),
        numpy.random.default_rng(1).integers(0, 9, 5),
        numpy.asfortranarray(numpy.ones((2, 3), dtype="float16")),
    ]


def corpus():
    chance = random.Random(20260101)
    values = [nested(chance, 4) for _ in range(150)] + [list(range(3000)), {n: str(n) for n in range(3000)}]
    values += arrays()
    found = []
    for value in values:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            found.append(pickle.dumps(value, protocol))
            if len(found[-1]) < 10_000:
                # The pure-Python pickler writes recursive tuples and frames in its own way.
                file = io.BytesIO()
                pickle._Pickler(file, protocol).dump(value)
                found.append(file.getvalue())
    return ",".join(data.hex() for data in found)


def main():
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    for code, (module, name) in EXTENSIONS.items():
        copyreg.add_extension(module, name, code)
    for line in sys.stdin:
        verb, _, argument = line.strip().partition(" ")
        print(corpus() if verb == "corpus" else run(bytes.fromhex(argument)), flush=True)


main()
