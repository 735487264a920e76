"""Tar archives that reach out of their folder, and pickles in compressed wrappers."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zlib

from .assembler import Asm, inert_call, inert_pickle
from .case import Shelf
from .tarwriter import BLOCK, entry, header, long_name, padded, pax, tar_bytes
from .torch_format import payload_pickle, torch_zip

BAD = inert_pickle()


def gz(data: bytes, name: str = "") -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(name, "wb", 9, buffer, mtime=0) as f:
        f.write(data)
    return buffer.getvalue()


def tars() -> Shelf:
    shelf = Shelf("tar", source="construction; cve-2007-4559 class")

    def add(id: str, records: list[bytes], why: str, expect: str = "not-allow", name: str = "model.tar", end: bool = True) -> None:
        shelf.bad(id, tar_bytes(records, end), why, name=name, expect=expect)

    ok = entry("config.json", b"{}")
    add("parent", [ok, entry("../waag-inert.txt", b"x")], "a member above the folder")
    add("parents-inside", [entry("a/../../../waag-inert.txt", b"x")], "dots in the middle of the path")
    add("absolute", [entry("/nonexistent/waag-inert.txt", b"x")], "an absolute path")
    add("symlink-absolute", [entry("link", kind=b"2", link="/nonexistent/waag-inert")], "a symbolic link to an absolute path")
    add("symlink-parent", [entry("link", kind=b"2", link="../../waag-inert")], "a symbolic link out of the folder")
    add("symlink-through", [entry("d", kind=b"2", link=".."), entry("d/waag-inert.txt", b"x")], "a file written through a link")
    add("symlink-chain", [entry("a", kind=b"2", link="b"), entry("b", kind=b"2", link=".."), entry("a/x", b"x")], "a chain of links")
    add("hardlink-out", [entry("h", kind=b"1", link="/nonexistent/waag-inert")], "a hard link to an absolute path")
    add("hardlink-symlink", [entry("s", kind=b"2", link=".."), entry("h", kind=b"1", link="s/x")], "a hard link through a symbolic one")
    add("device-char", [entry("null", kind=b"3")], "a character device")
    add("device-block", [entry("disk", kind=b"4")], "a block device")
    add("fifo", [entry("pipe", kind=b"6")], "a pipe: whoever reads it waits for ever")
    add("setuid", [entry("tool", b"#!/bin/sh\ntrue\n", mode=0o4755)], "a set-uid script")
    add("pax-path", [pax({"path": "../waag-inert.txt"}), entry("ok.txt", b"x")], "the real path is in an extended header")
    add("pax-linkpath", [pax({"linkpath": "/nonexistent/waag-inert"}), entry("l", kind=b"2", link="ok")], "the real link is in an extended header")
    add("pax-size", [pax({"size": "99999999999"}), entry("big", b"x")], "the real size is in an extended header")
    add("pax-global", [pax({"path": "../x"}, b"g"), entry("ok.txt", b"x")], "a global header renames all members")
    add("gnu-long-name", [long_name("../" * 50 + "waag-inert.txt"), entry("ok.txt", b"x")], "the real path is in a long-name record")
    add("size-base256", [header(b"big", 0, size_field=b"\x80" + bytes(3) + (1 << 60).to_bytes(8, "big"))], "a size beyond any disk")
    add("size-negative", [header(b"neg", 0, size_field=b"\xff" * 12)], "a negative size")
    add("checksum-wrong", [ok, header(b"x.pkl", len(BAD), checksum=1) + padded(BAD)], "a wrong checksum hides a pickle from strict readers")
    add("after-end", [ok, bytes(2 * BLOCK), entry("x.pkl", BAD)], "a pickle behind the end marker", "deny")
    add("one-zero-block", [ok, bytes(BLOCK), entry("x.pkl", BAD)], "a pickle behind a single empty block", "deny")
    add("duplicate", [entry("model.pkl", Asm(2).stream(Asm(2).lit(1))), entry("model.pkl", BAD)], "two members of one name", "deny")
    add("pickle-inside", [ok, entry("model.pkl", BAD)], "a pickle among the members", "deny")
    add("pickle-no-suffix", [ok, entry("weights", BAD)], "a pickle without a suffix", "deny")
    add("torch-inside", [ok, entry("model.pt", torch_zip(payload_pickle(inert_call(Asm(2))), {}))], "a torch zip among the members", "deny")
    add("tar-inside", [entry("inner.tar", tar_bytes([entry("model.pkl", BAD)]))], "a tar in a tar", "deny")
    add("old-format", [entry("model.pkl", BAD, magic=bytes(8))], "a tar without ustar's magic", "deny")
    add("no-end", [entry("model.pkl", BAD)], "no end marker", "deny", end=False)
    add("nemo", [entry("./model_config.yaml", b"target: nemo.x.Model\n_target_: os.system\n"), entry("./model_weights.ckpt", BAD)],
        "a NeMo archive with a bad checkpoint", "deny", name="model.nemo")
    add("nemo-config", [entry("./model_config.yaml", b"trainer:\n  _target_: builtins.eval\n  _args_: ['None']\n")],
        "a NeMo configuration that names eval as a target", name="model.nemo")
    return shelf


def compressed() -> Shelf:
    shelf = Shelf("compressed", source="construction; joblib reads all of these by itself")
    wrappers = {
        "gzip": (gz, ".pkl.gz"),
        "zlib": (lambda d: zlib.compress(d, 9), ".pkl.z"),
        "bz2": (bz2.compress, ".pkl.bz2"),
        "xz": (lambda d: lzma.compress(d), ".pkl.xz"),
        "lzma-alone": (lambda d: lzma.compress(d, format=lzma.FORMAT_ALONE), ".pkl.lzma"),
        "lz4-stored": (lz4_stored, ".pkl.lz4"),
        "zstd-raw": (zstd_raw, ".pkl.zst"),
    }
    for id, (pack, suffix) in wrappers.items():
        shelf.bad(id, pack(BAD), f"a pickle in {id}", name=f"model{suffix}")
        shelf.bad(f"{id}-named-joblib", pack(BAD), f"a pickle in {id}, called .joblib", name="model.joblib")
    shelf.bad("gzip-named-pkl", gz(BAD), "gzip called .pkl")
    shelf.bad("gzip-named-safetensors", gz(BAD), "gzip called .safetensors", name="model.safetensors")
    shelf.bad("gzip-twice", gz(gz(BAD)), "gzip in gzip", name="model.pkl.gz")
    shelf.bad("gzip-five-times", gz(gz(gz(gz(gz(BAD))))), "gzip five deep", name="model.gz")
    shelf.bad("gzip-members", gz(Asm(2).stream(Asm(2).lit(1))) + gz(BAD), "the second gzip member", name="model.pkl.gz")
    shelf.bad("gzip-tail", gz(Asm(2).stream(Asm(2).lit(1))) + BAD, "a pickle behind the gzip", name="model.pkl.gz")
    shelf.bad("gzip-bad-crc", gz(BAD)[:-8] + bytes(8), "a wrong checksum", name="model.pkl.gz")
    shelf.bad("gzip-cut", gz(BAD)[:-10], "cut off before its checksum", name="model.pkl.gz")
    shelf.bad("gzip-name-lies", gz(BAD, "readme.txt"), "the name inside says readme.txt", name="model.pkl.gz")
    shelf.bad("bz2-streams", bz2.compress(b"N.") + bz2.compress(BAD), "the second bz2 stream", name="model.pkl.bz2")
    shelf.bad("xz-streams", lzma.compress(b"N.") + lzma.compress(BAD), "the second xz stream", name="model.pkl.xz")
    shelf.bad("tar-gz", gz(tar_bytes([entry("model.pkl", BAD)])), "a pickle in a tar in gzip", name="model.tar.gz")
    shelf.bad("tar-xz", lzma.compress(tar_bytes([entry("model.pkl", BAD)])), "a pickle in a tar in xz", name="model.tar.xz")
    shelf.bad("gzip-bomb", gz(gz(bytes(256 << 20))), "256 MB of zeros in gzip in gzip", name="model.gz", expect="not-allow")
    shelf.bad("numpy-zlib-old", b"ZF" + b"%-19s" % hex(len(BAD)).encode() + zlib.compress(BAD), "joblib's own wrapper of old",
              name="model.joblib")
    return shelf


def lz4_stored(data: bytes) -> bytes:
    """An LZ4 frame with one uncompressed block: enough for any reader of the format."""
    descriptor = b"\x60\x70"
    check = (xxh32(descriptor) >> 8) & 0xFF
    return b"\x04\x22\x4d\x18" + descriptor + bytes([check]) + struct.pack("<I", len(data) | 0x80000000) + data + bytes(4)


def xxh32(data: bytes) -> int:
    """xxHash32 of fewer than four bytes, seed 0: the LZ4 header's checksum."""
    mask, p1, p2, p3, p5 = 0xFFFFFFFF, 2654435761, 2246822519, 3266489917, 374761393
    h = (p5 + len(data)) & mask
    for byte in data:
        h = (h + byte * p5) & mask
        h = ((h << 11 | h >> 21) & mask) * p1 & mask
    h = (h ^ h >> 15) * p2 & mask
    h = (h ^ h >> 13) * p3 & mask
    return h ^ h >> 16


def zstd_raw(data: bytes) -> bytes:
    """A Zstandard frame with one raw block and a one-byte content size."""
    return b"\x28\xb5\x2f\xfd" + b"\x20" + bytes([len(data)]) + (len(data) << 3 | 1).to_bytes(3, "little") + data
