"""Files that are not what their name says, or are two things at once."""

from __future__ import annotations

import json
import struct

from .archives_bad import gz
from .arrays import floats, npy
from .assembler import POP, Asm, inert_call, inert_pickle, op
from .case import Shelf
from .tensors import model_gguf, plain_safetensors
from .torch_format import payload_pickle, state_pickle, torch_zip
from .zipwriter import Member, zip_bytes

a2 = Asm(2)
BAD = inert_pickle()
SCRIPT = b"#!/bin/sh\necho waag-inert\n"


def elf() -> bytes:
    """An ELF header and one program header; the entry point is a loop-free exit, and nothing marks it executable."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 0x84, 0x84, 0x1000)
    return head + segment + b"\xb8\x3c\0\0\0\x31\xff\x0f\x05".ljust(64, b"\x90")


def pe() -> bytes:
    dos = b"MZ" + bytes(58) + struct.pack("<I", 64)
    return dos + b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x22) + b"\x0b\x02" + bytes(300)


def safetensors_and_pickle() -> bytes:
    """Valid safetensors, and a pickle as well.

    The length's first byte is X (BINUNICODE), so a pickle reader takes the start for a string that ends inside the
    metadata; there, strings of 126 bytes (`U~`) hop over the rest of the header into the tensor, which holds opcodes.
    """
    opcodes = bytes(inert_call(a2)) + b"."
    for skip in range(32, 160):
        length = ord("X") + (skip << 8)
        body = bytearray(b'{"__metadata__":{"p":"'.ljust(5 + skip - 8, b"x") + b"U~")
        while 8 + len(body) + 126 < 8 + length:
            body += b"x" * 126 + b"U~"
        filler = len(body) + 126 - length  # how far the last hop reaches into the tensor
        size = filler + len(opcodes)
        tail = b'"},"t":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (size, size)
        if len(body) + len(tail) <= length:
            body += b"x" * (length - len(body) - len(tail)) + tail
            return struct.pack("<Q", length) + bytes(body) + bytes(filler) + opcodes
    raise AssertionError("no length fits")


def files() -> Shelf:
    shelf = Shelf("confusion")

    def add(id: str, name: str, data: bytes, why: str, expect: str = "deny", source: str | None = None) -> None:
        shelf.bad(id, data, why, name=name, expect=expect, source=source)

    for suffix in ("safetensors", "json", "txt", "md", "gguf", "onnx", "h5", "npy", "npz", "csv", "yaml", "py", "jpg", "log", "parquet", "ckpt.index"):
        add(f"pickle-named-{suffix.replace('.', '-')}", f"model.{suffix}", BAD, f"a pickle called .{suffix}")
    add("pickle-no-suffix", "model", BAD, "a pickle without a suffix")
    add("pickle-dot-file", ".model", BAD, "a pickle as a hidden file")
    add("pickle-upper", "MODEL.PKL", BAD, "a suffix in capitals")
    add("pickle-two-suffixes", "model.safetensors.pkl", BAD, "two suffixes")
    add("pickle-trailing-dot", "model.pkl.", BAD, "a suffix with a dot behind it")
    add("pickle-trailing-space", "model.pkl ", BAD, "a suffix with a space behind it")
    add("pickle-rtl", "model_\u202elkp.txt", BAD, "a right-to-left override makes .txt look like .pkl, or the reverse")
    add("pickle-newline", "model\n.pkl", BAD, "a line end in the name")
    add("pickle-terminal-escape", "model\x1b[2K\x1b[1Gclean.pkl", BAD, "a terminal escape in the name")
    add("pickle-zero-width", "model\u200b.safetensors", BAD, "a zero-width space in the name")
    add("pickle-proto0-named-txt", "notes.txt", Asm(0).stream(inert_call(Asm(0))), "a pickle of protocol 0 is text")
    add("torch-zip-named-safetensors", "model.safetensors", torch_zip(payload_pickle(inert_call(a2)), {}), "a torch file called .safetensors")
    add("torch-zip-named-txt", "model.txt", torch_zip(payload_pickle(inert_call(a2)), {}), "a torch file called .txt",
        source="ghsa-769v-p64c-89pr, cve-2025-1889")
    add("torch-zip-named-config-p", "config.p", BAD, "a pickle under a suffix scanners skip", source="ghsa-769v-p64c-89pr, cve-2025-1889")
    add("gguf-named-safetensors", "model.safetensors", model_gguf("{{ ''.__class__.__base__.__subclasses__() }}"), "a bad GGUF called .safetensors")
    add("gzip-named-bin", "pytorch_model.bin", gz(BAD), "a pickle in gzip called .bin")
    for suffix in ("bin", "pkl", "safetensors", "gguf"):
        add(f"elf-named-{suffix}", f"model.{suffix}", elf(), f"a program called .{suffix}")
    add("pe-named-bin", "model.bin", pe(), "a Windows program called .bin")
    add("macho-named-bin", "model.bin", b"\xcf\xfa\xed\xfe" + struct.pack("<IIIIIII", 0x01000007, 3, 2, 0, 0, 0, 0) + bytes(64), "a macOS program called .bin")
    add("macho-fat-named-pt", "model.pt", b"\xca\xfe\xba\xbe" + struct.pack(">I", 1) + bytes(60), "a universal macOS program called .pt")
    add("script-named-bin", "model.bin", SCRIPT, "a shell script called .bin")
    add("script-named-safetensors", "model.safetensors", SCRIPT, "a shell script called .safetensors")
    add("python-named-bin", "model.bin", b"import os\nos.system('echo waag-inert')\n", "Python called .bin", "not-allow")
    add("pyc-named-bin", "model.bin", b"\xa7\x0d\x0d\x0a" + bytes(12) + b"\xe3" + bytes(40), "compiled Python called .bin")
    add("batch-named-pkl", "model.pkl", b"@echo off\r\necho waag-inert\r\n", "a batch file called .pkl", "not-allow")
    add("html-named-safetensors", "model.safetensors", b"<html><script>/* inert */</script></html>", "a web page called .safetensors", "not-allow")
    add("json-named-safetensors", "model.safetensors", b'{"a": 1}', "JSON called .safetensors", "not-allow")
    add("lfs-pointer", "model.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n",
        "a pointer where the weights should be", "not-allow")
    add("error-page", "pytorch_model.bin", b"Access to this resource is restricted.\n", "an error message where the weights should be", "not-allow")
    add("empty-bin", "pytorch_model.bin", b"", "no bytes at all", "not-allow")
    add("random-bin", "pytorch_model.bin", bytes((i * i * 31 + i * 7 + 201) & 0xFF for i in range(5000)), "noise", "not-allow")
    # Two things at once.
    good_zip = torch_zip()
    add("pickle-then-zip", "model.pkl", BAD + good_zip, "a pickle, then a zip: pickle readers and zip readers see different files")
    add("pickle-then-bad-zip", "model.pt", a2.stream(a2.lit({"epoch": 1})) + torch_zip(payload_pickle(inert_call(a2)), {}), "a good pickle, then a bad zip")
    add("zip-then-pickle", "model.pt", good_zip + BAD, "a zip, then a pickle")
    # Not a zip in a pickle's bytes: protocol 2 spells bytes as text, which breaks the zip for every reader.
    add("pickle-in-safetensors-tail", "model.safetensors", plain_safetensors() + BAD, "safetensors, then a pickle")
    add("safetensors-and-pickle", "model.bin", safetensors_and_pickle(), "valid safetensors, and a pickle for whoever unpickles it")
    add("safetensors-and-zip", "model.safetensors", plain_safetensors() + torch_zip(payload_pickle(inert_call(a2)), {}),
        "safetensors from the front, a torch file from the back")
    add("gguf-and-zip", "model.gguf", model_gguf() + torch_zip(payload_pickle(inert_call(a2)), {}), "GGUF from the front, a torch file from the back")
    add("npy-and-zip", "a.npy", npy("'<f8'", "(4,)", floats(4)) + zip_bytes([Member("archive/data.pkl", BAD)]), "an array from the front, a zip from the back")
    add("elf-and-zip", "model.pt", elf() + good_zip, "a program from the front, a torch file from the back")
    add("shell-and-zip", "model.pt", SCRIPT + b"exit 0\n" + good_zip, "a script from the front, a torch file from the back")
    add("json-and-pickle", "config.json", json.dumps({"a": 1}).encode() + b"\n" + BAD, "JSON, then a pickle", "not-allow")
    add("tar-and-pickle", "model.tar", Asm(0).stream(inert_call(Asm(0))).ljust(1024, b"\0"), "a pickle padded to tar's blocks")
    add("png-and-pickle", "logo.png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + bytes(17) + BAD, "a picture, then a pickle", "not-allow")
    for prefix, why in ((b"\0" * 8, "zeros"), (b"\xef\xbb\xbf", "a byte-order mark"), (b"\n" * 8, "line ends"), (b"GIF89a", "a picture's magic"),
                        (b"{}\n", "JSON"), (b"\x1f\x8b", "gzip's magic"), (b"PK\x03\x04", "zip's magic"), (b"x" * 2048, "two kilobytes of text")):
        add(f"prefixed-{why.replace(' ', '-').replace(chr(39), '')}", "model.pkl", prefix + BAD, f"a pickle behind {why}", "not-allow")
    add("scrambled-suffix", "pytorch_model.bin.index.json", BAD, "a pickle in the place of an index")
    add("state-dict-named-exe", "setup.exe", torch_zip(state_pickle()[0] + BAD, state_pickle()[1]), "a second pickle in a file called .exe")
    add("opcode-prefix", "model.pkl", bytes(op(b"N0")) + BAD, "harmless opcodes before PROTO")
    return shelf
