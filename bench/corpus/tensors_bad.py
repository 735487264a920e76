"""Safetensors and GGUF files that break their own format."""

from __future__ import annotations

import struct

from .assembler import inert_pickle
from .case import Shelf
from .tensors import ARRAY, BOOL, F32, I32, STRING, U8, U32, U64, architecture, gguf, info, model_gguf, pair, plain_safetensors, safetensors, string, tensor
from .torch_format import weights


def safetensors_files() -> Shelf:
    shelf = Shelf("safetensors", source="construction, after the format's own validation rules")

    def add(id: str, data: bytes, why: str, expect: str = "not-allow") -> None:
        shelf.bad(id, data, why, name="model.safetensors", expect=expect)

    def header(id: str, text: str | dict, why: str, size: int = 64, expect: str = "not-allow") -> None:
        add(id, safetensors(text, weights(size)), why, expect)

    header("overlap", {"a": tensor([8], 0, 32), "b": tensor([8], 16, 48)}, "two tensors share bytes", 48)
    header("alias", {"a": tensor([8], 0, 32), "b": tensor([8], 0, 32)}, "two tensors are the same bytes", 32)
    header("hole", {"a": tensor([8], 0, 32), "b": tensor([4], 48, 64)}, "bytes that no tensor claims")
    header("hole-at-start", {"a": tensor([8], 32, 64)}, "bytes before the first tensor")
    header("out-of-range", {"a": tensor([8], 0, 32), "b": tensor([8], 64, 96)}, "a tensor behind the file's end")
    header("reversed", {"a": tensor([8], 32, 0)}, "an end before its begin", 32)
    header("negative", {"a": tensor([8], -32, 0)}, "a negative offset", 32)
    header("fraction", '{"a":{"dtype":"F32","shape":[8],"data_offsets":[0.5,32]}}', "a fractional offset", 32)
    header("exponent", '{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,3.2e1]}}', "an offset with an exponent", 32)
    header("offset-overflow", '{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,18446744073709551648]}}', "an offset beyond 64 bits", 32)
    header("offset-three", '{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32,64]}}', "three offsets", 32)
    header("shape-mismatch", {"a": tensor([9], 0, 32)}, "the shape asks for more bytes", 32)
    header("shape-overflow", {"a": tensor([1 << 32, 1 << 32], 0, 0)}, "a shape whose product is 0 modulo 2^64", 0)
    header("shape-overflow-match", {"a": tensor([1 << 62, 4, 2], 0, 32)}, "a shape whose product overflows", 32)
    header("shape-negative", '{"a":{"dtype":"F32","shape":[-8],"data_offsets":[0,32]}}', "a negative side", 32)
    header("shape-string", '{"a":{"dtype":"F32","shape":["8"],"data_offsets":[0,32]}}', "a side that is text", 32)
    header("dtype-unknown", {"a": tensor([8], 0, 32, "Q99")}, "a type nobody knows", 32)
    header("dtype-missing", '{"a":{"shape":[8],"data_offsets":[0,32]}}', "no type", 32)
    one = '{"dtype":"F32","shape":[8],"data_offsets":[0,32]}'
    two = '{"dtype":"F32","shape":[8],"data_offsets":[32,64]}'
    header("duplicate-key", f'{{"a":{one},"a":{two}}}', "one name twice")
    header("duplicate-escaped", f'{{"a":{one},"\\u0061":{two}}}', "one name twice, once escaped")
    header("duplicate-field", '{"a":{"dtype":"F32","shape":[8],"shape":[4,2],"data_offsets":[0,32]}}', "two shapes", 32)
    header("duplicate-metadata", f'{{"__metadata__":{{"a":"1"}},"__metadata__":{{"a":"2"}},"a":{one}}}', "two metadata", 32)
    header("duplicate-metadata-key", f'{{"__metadata__":{{"a":"1","a":"2"}},"a":{one}}}', "one metadata key twice", 32)
    header("metadata-number", f'{{"__metadata__":{{"a":1}},"a":{one}}}', "a metadata value that is a number", 32)
    header("metadata-nested", f'{{"__metadata__":{{"a":{{"b":"c"}}}},"a":{one}}}', "a metadata value that is an object", 32)
    header("metadata-list", f'{{"__metadata__":["x"],"a":{one}}}', "metadata that is a list", 32)
    header("array-top", "[]", "a header that is a list", 0)
    header("not-json", "{'a': 1}", "a header that is Python, not JSON", 0)
    header("nan", '{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,0]}}', "NaN is not JSON", 0)
    header("comment", "{/* x */}", "a comment is not JSON", 0)
    header("trailing-comma", f'{{"a":{one},}}', "a comma too many", 32)
    header("deep", '{"a":' + "[" * 50_000 + "]" * 50_000 + "}", "fifty thousand brackets", 0)
    header("surrogate", f'{{"\ud800":{one}}}', "a name that is not UTF-8", 32)
    header("control-in-name", f'{{"a\\u001b[2K":{one}}}', "a terminal escape in a name", 32)
    header("leading-space", "    " + f'{{"a":{one}}}', "white space before the header: the format wants a brace", 32)
    header("leading-bom", "\ufeff" + f'{{"a":{one}}}', "a byte-order mark before the header", 32)
    add("tail", plain_safetensors() + b"tail", "bytes behind the last tensor")
    add("tail-pickle", plain_safetensors() + inert_pickle(), "a pickle behind the last tensor")
    add("tail-zip", plain_safetensors() + b"PK\x05\x06" + bytes(18), "a zip behind the last tensor: zip readers read from the end")
    add("header-padding-pickle", safetensors(f'{{"a":{one}}}' + "\n" * 8 + "x", weights(32)), "text behind the header's brace")
    add("header-padding-nul", struct.pack("<Q", 80) + f'{{"a":{one}}}'.encode().ljust(80, b"\0") + weights(32), "NULs pad the header")
    add("length-zero", struct.pack("<Q", 0), "a header of no bytes")
    add("length-huge", struct.pack("<Q", 1 << 40) + b"{}", "a header of a terabyte")
    add("length-max", struct.pack("<Q", (1 << 64) - 1) + b"{}", "a header's length that overflows")
    add("length-long", safetensors({}, length=100), "the header is said to be longer than the file")
    add("length-short", safetensors({"a": tensor([8], 0, 32)}, weights(32), length=5), "the header is cut")
    add("truncated", plain_safetensors()[:-5], "the data is cut")
    add("empty", b"", "no bytes at all")
    add("seven-bytes", b"\x10\0\0\0\0\0\0", "less than a length")
    add("is-pickle", inert_pickle(), "a pickle", "deny")
    add("is-pickle-4", inert_pickle(4), "a pickle of protocol 4", "deny")
    return shelf


def gguf_files() -> Shelf:
    shelf = Shelf("gguf", source="construction; llama.cpp advisories of 2024 to 2026")

    def add(id: str, data: bytes, why: str, expect: str = "not-allow", source: str | None = None) -> None:
        shelf.bad(id, data, why, name="model.gguf", expect=expect, source=source)

    arch = architecture()
    add("tensors-huge", gguf(arch, tensors=1 << 60), "a tensor count beyond memory", source="cve-2024-21836 class")
    add("tensors-one-more", gguf(arch, [info("a", [32], 0)], weights(128), tensors=2), "one tensor more than there is")
    add("pairs-huge", gguf(arch, count=1 << 60), "a count of pairs beyond memory", source="cve-2024-21825 class")
    add("pairs-max", gguf(arch, count=(1 << 64) - 1), "a count of pairs that overflows", source="cve-2024-23496 class")
    add("string-huge", gguf([string("general.name") + struct.pack("<I", STRING) + struct.pack("<Q", 1 << 60)]), "a string of an exabyte",
        source="cve-2024-23496 class")
    add("string-max", gguf([string("general.name") + struct.pack("<I", STRING) + struct.pack("<Q", (1 << 64) - 1) + b"x"]),
        "a string whose length plus one is zero", source="cve-2024-21802 class")
    add("key-huge", gguf([struct.pack("<Q", 1 << 50) + b"abc"]), "a key of a petabyte")
    add("key-too-long", gguf([pair("k" * 70_000, U32, 1), *arch]), "a key beyond 65,535 bytes")
    add("key-not-utf8", gguf([pair(b"\xff\xfe", U32, 1), *arch]), "a key that is not UTF-8")
    add("array-huge", gguf([string("a") + struct.pack("<IIQ", ARRAY, U32, 1 << 60)]), "an array of an exabyte", source="cve-2025-53630 class")
    add("array-overflow", gguf([string("a") + struct.pack("<IIQ", ARRAY, U64, (1 << 61) + 1) + bytes(8)]), "an array whose bytes overflow",
        source="cve-2025-53630 class")
    nested = struct.pack("<IQ", ARRAY, 1) * 5000 + struct.pack("<IQ", U8, 0)
    add("array-deep", gguf([string("a") + struct.pack("<I", ARRAY) + nested]), "arrays five thousand deep")
    add("type-unknown", gguf([string("a") + struct.pack("<I", 99) + bytes(8)]), "a type nobody knows")
    add("array-type-unknown", gguf([string("a") + struct.pack("<IIQ", ARRAY, 99, 4) + bytes(32)]), "an array of a type nobody knows")
    add("bool-two", gguf([*arch, pair("a", BOOL, 2)]), "a truth value of 2")
    add("duplicate-key", gguf([*arch, pair("general.architecture", STRING, "evil")]), "one key twice")
    add("duplicate-tensor", gguf(arch, [info("a", [32], 0), info("a", [32], 128)], weights(256)), "one tensor name twice")
    add("dims-overflow", gguf(arch, [info("a", [1 << 32, 1 << 32, 1, 1], 0)], weights(128)), "dimensions that overflow", source="cve-2026-33298 class")
    add("dims-negative", gguf(arch, [info("a", [(1 << 64) - 32], 0)], weights(128)), "a negative dimension", source="cve-2026-27940 class")
    add("dims-count-huge", gguf(arch, [info("a", [32], 0, count=1 << 30)], weights(128)), "a thousand million dimensions")
    add("dims-five", gguf(arch, [info("a", [2, 2, 2, 2, 2], 0)], weights(128)), "five dimensions")
    add("tensor-out-of-range", gguf(arch, [info("a", [32], 4096)], weights(128)), "a tensor behind the file's end")
    add("tensor-offset-overflow", gguf(arch, [info("a", [32], (1 << 64) - 32)], weights(128)), "an offset that overflows")
    add("tensor-overlap", gguf(arch, [info("a", [64], 0), info("b", [64], 128)], weights(384)), "two tensors share bytes")
    add("tensor-misaligned", gguf(arch, [info("a", [32], 7)], weights(160)), "an offset off its alignment")
    add("tensor-type-unknown", gguf(arch, [info("a", [32], 0, kind=200)], weights(128)), "a tensor type nobody knows")
    add("tensor-block-mismatch", gguf(arch, [info("a", [33], 0, kind=2)], weights(128)), "a row that is no whole number of blocks")
    add("tensor-name-long", gguf(arch, [info("n" * 5000, [32], 0)], weights(128)), "a tensor name beyond 64 bytes", source="cve-2025-49847 class")
    add("tensor-name-escape", gguf(arch, [info("a\x1b[2K", [32], 0)], weights(128)), "a terminal escape in a tensor's name")
    for bad in (0, 7, 1 << 31):
        add(f"alignment-{bad}", gguf([*arch, pair("general.alignment", U32, bad)], [info("a", [32], 0)], weights(128)), f"an alignment of {bad}")
    add("alignment-string", gguf([*arch, pair("general.alignment", STRING, "32")], [info("a", [32], 0)], weights(128)), "an alignment that is text")
    add("version-0", gguf(arch, version=0), "version 0")
    add("version-99", gguf(arch, version=99), "a version nobody knows")
    add("version-swapped", b"GGUF" + struct.pack(">I", 3) + bytes(64), "the other byte order without saying so")
    add("magic-wrong", gguf(arch, magic=b"GGUG"), "a wrong magic")
    add("magic-lower", gguf(arch, magic=b"gguf"), "the magic in small letters")
    add("truncated-header", b"GGUF\x03\0\0\0\x01", "cut off in the header")
    add("truncated-pairs", model_gguf()[:200], "cut off among the pairs")
    add("truncated-data", model_gguf()[:-64], "cut off in the data")
    add("tail", model_gguf() + b"\x7fELF" + bytes(60), "a program behind the last tensor")
    add("tail-pickle", model_gguf() + inert_pickle(), "a pickle behind the last tensor")
    add("tokens-scores-differ", gguf([*arch, pair("tokenizer.ggml.tokens", ARRAY, (STRING, ["a", "b"])),
        pair("tokenizer.ggml.scores", ARRAY, (F32, [0.0]))]), "fewer scores than tokens: an index past the end")
    add("token-id-out", gguf([*arch, pair("tokenizer.ggml.tokens", ARRAY, (STRING, ["a", "b"])), pair("tokenizer.ggml.bos_token_id", U32, 4_000_000)]),
        "a token id past the vocabulary")
    add("token-type-string", gguf([*arch, pair("tokenizer.ggml.token_type", ARRAY, (STRING, ["x"]))]), "token types that are text")
    add("template-not-string", gguf([*arch, pair("tokenizer.chat_template", ARRAY, (I32, [1, 2]))]), "a chat template that is a list")
    return shelf
