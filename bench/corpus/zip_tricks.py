"""Zip archives whose three accounts (local headers, central directory, end record) disagree, or that hide members."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

from .assembler import Asm, inert_call, inert_pickle, u16, u32, u64
from .case import Shelf
from .sevenzip import seven_zip
from .torch_format import payload_pickle, state_pickle, torch_members, torch_zip
from .zipwriter import DEFLATED, Member, deflate, zip_bytes

PICKLE, STORAGES = state_pickle()
BAD = payload_pickle(inert_call(Asm(2)))
SYMLINK = 0o120777 << 16


def changed(**options: object) -> bytes:
    """A torch archive with the call in data.pkl, whose first member's headers lie as `options` say."""
    members = torch_members(BAD, STORAGES)
    members[0] = replace(members[0], **options)
    return zip_bytes(members)


def lies() -> Shelf:
    shelf = Shelf("zip-lies", source="construction")

    def add(id: str, data: bytes, why: str, name: str = "model.pt", expect: str = "deny", source: str | None = None) -> None:
        shelf.bad(id, data, why, name=name, expect=expect, source=source)

    size = len(BAD)
    # Each single bit of the flags: Python's zipfile refuses some, torch's reader looks at none.
    for bit in (0, 1, 2, 4, 5, 6, 7, 9, 10, 12, 13, 14, 15):
        flag = 1 << bit
        add(f"flag-bit-{bit}", changed(local_flags=0x0808 | flag, central_flags=0x0808 | flag), f"flag bit {bit} is set in both headers",
            source="ghsa-w8jq-xcqf-f792, cve-2025-1945")
    add("flag-encrypted-central", changed(central_flags=0x0809), "marked encrypted in the central directory only", source="cve-2025-1945")
    add("flag-encrypted-local", changed(local_flags=0x0809), "marked encrypted in the local header only", source="cve-2025-1945")
    add("name-central-differs", changed(local_name="archive/config.json"), "data.pkl in the central directory, config.json locally",
        source="ghsa-7q5r-7gvp-wc82, cve-2025-1944")
    members = torch_members(BAD, STORAGES)
    members[0] = replace(members[0], name="archive/config.json", local_name="archive/data.pkl")
    add("name-local-differs", zip_bytes(members), "config.json in the central directory, data.pkl locally",
        source="ghsa-7q5r-7gvp-wc82, cve-2025-1944")
    add("name-case-differs", changed(local_name="archive/DATA.pkl"), "the names differ in case", source="cve-2025-1944")
    add("name-nul", changed(name="archive/data.pkl\0.txt"), "a NUL cuts the name for C readers", source="cve-2025-1944")
    add("name-backslash", changed(name="archive\\data.pkl"), "a backslash as separator")
    add("crc-zero", changed(local_crc=0, central_crc=0), "the checksum is zero", source="ghsa-mjqp-26hc-grxg, cve-2025-10156")
    add("crc-wrong", changed(local_crc=0xDEADBEEF, central_crc=0xDEADBEEF), "the checksum is wrong: torch does not look",
        source="ghsa-mjqp-26hc-grxg, cve-2025-10156")
    add("crc-central-wrong", changed(central_crc=1), "the checksum is wrong in the central directory", source="cve-2025-10156")
    add("size-central-small", changed(central_size=4, central_packed=4), "the central directory says four bytes")
    add("size-central-zero", changed(central_size=0, central_packed=0), "the central directory says no bytes")
    add("size-central-huge", changed(central_size=0x7FFFFFFF, central_packed=0x7FFFFFFF), "the central directory says two gigabytes")
    add("size-local-small", changed(local_size=4, local_packed=4), "the local header says four bytes")
    add("size-local-huge", changed(local_size=0x7FFFFFFF, local_packed=0x7FFFFFFF), "the local header says two gigabytes")
    add("size-unpacked-differs", changed(central_size=size + 100), "stored, yet packed and unpacked sizes differ")
    add("method-central-wrong", changed(central_method=DEFLATED), "said to be deflated, yet stored")
    add("method-local-wrong", changed(local_method=DEFLATED), "the local header says deflated")
    add("method-unknown", changed(central_method=97, local_method=97), "a method nobody knows over stored data")
    add("method-lzma", changed(central_method=14, local_method=14), "said to be LZMA over stored data")
    add("method-stored-is-deflated", changed(raw=deflate(BAD), local_packed=len(deflate(BAD)), central_packed=len(deflate(BAD))),
        "said to be stored, yet deflated", expect="not-allow")
    add("offset-wrong", changed(central_offset=1), "the offset points into the local header", expect="not-allow")
    add("offset-of-other", zip_bytes([Member("archive/data.pkl", PICKLE, in_central=False), Member("archive/x", BAD),
        Member("archive/version", b"3\n")][:3]), "data.pkl is hidden and another member holds the call")
    good, evil = Member("archive/data.pkl", PICKLE), Member("archive/data.pkl", BAD)
    version = Member("archive/version", b"3\n")
    add("duplicate-second", zip_bytes([good, evil, version]), "two data.pkl: some readers take the last")
    add("duplicate-first", zip_bytes([evil, good, version]), "two data.pkl: some readers take the first")
    add("duplicate-case", zip_bytes([good, replace(evil, name="ARCHIVE/data.pkl"), version]), "two data.pkl that differ in case")
    add("duplicate-dot-segment", zip_bytes([good, replace(evil, name="archive/./data.pkl"), version]), "two spellings of one path")
    add("duplicate-slash", zip_bytes([good, replace(evil, name="archive//data.pkl"), version]), "two spellings of one path")
    add("central-twice", zip_bytes([replace(evil, copies=2), version]), "two central entries for one record")
    add("hidden-local", zip_bytes([good, replace(evil, in_central=False), version]), "a local record the central directory leaves out")
    add("hidden-local-first", zip_bytes([replace(evil, in_central=False), good, version]), "a local record before the first listed one")
    add("hidden-local-same-name", zip_bytes([replace(evil, in_central=False), good, version]), "a hidden record of the same name")
    add("hidden-other-name", zip_bytes([good, Member("archive/x.pkl", BAD, in_central=False), version]), "a hidden record of another name")
    add("central-only", zip_bytes([good, Member("archive/ghost.pkl", BAD, in_local=False), version]), "a listed member without a local header",
        expect="not-allow")
    add("prefix-pickle", zip_bytes([good, version], prefix=inert_pickle()), "a pickle before the first record", name="model.pkl")
    add("prefix-pickle-offsets", zip_bytes([good, version], prefix=inert_pickle(), offsets_include_prefix=False),
        "a pickle before the archive, and offsets that do not count it")
    add("prefix-shell", zip_bytes([good, version], prefix=b"#!/bin/sh\necho waag-inert\nexit 0\n"), "a shell script before the archive")
    add("between-members", zip_bytes([good, replace(version, gap_before=inert_pickle())]), "a pickle between two members", expect="not-allow")
    add("before-central", zip_bytes([good, version], before_central=inert_pickle()), "a pickle between the members and the directory", expect="not-allow")
    add("tail-pickle", zip_bytes([good, version], tail=inert_pickle()), "a pickle behind the archive", expect="not-allow")
    add("comment-pickle", zip_bytes([good, version], comment=inert_pickle()), "the comment is a pickle", expect="not-allow")
    add("comment-zip", zip_bytes([good, version], comment=zip_bytes([evil, version])), "the comment is another archive")
    add("appended-zip", zip_bytes([good, version]) + zip_bytes([evil, version]), "two archives, one behind the other")
    add("two-ends", zip_bytes([evil, version]) + zip_bytes([good, version], tail=b""), "the first of two archives holds the call")
    add("end-in-comment", zip_bytes([good, version], comment=b"PK\x05\x06" + bytes(18)), "an end record inside the comment", expect="not-allow")
    add("count-small", zip_bytes([good, evil, version], count=1), "the end record counts fewer members than there are")
    add("count-large", zip_bytes([good, evil, version], count=900), "the end record counts more members than there are")
    add("central-size-wrong", zip_bytes([good, evil, version], end_size=10), "the end record's directory size is wrong")
    add("overlap", overlapping(), "two members share bytes", expect="not-allow")
    add("zip64-end", zip_bytes([evil, version], zip64_end=True), "a zip64 end record where none is needed")
    add("zip64-two-truths", zip64_two_truths(), "the zip64 end record points to another directory than the plain one")
    add("zip64-extra-size", changed(central_size=0xFFFFFFFF, central_packed=0xFFFFFFFF,
        central_extra=u16(1) + u16(16) + u64(size) + u64(size)), "sizes only in the zip64 field")
    add("zip64-extra-lies", changed(central_extra=u16(1) + u16(16) + u64(4) + u64(4)), "a zip64 field that is not asked for")
    add("unicode-path-extra", changed(central_extra=unicode_path("archive/config.json")), "a Unicode path field with another name")
    add("central-in-prefix", zip_bytes([good, version], central_offset_shift=-4), "the directory's offset is four short", expect="not-allow")
    add("no-central", zip_bytes([evil, version])[: -22 - 2 * 46 - len("archive/data.pkl") - len("archive/version")],
        "only local records: stream readers still find the call")
    add("truncated-data", zip_bytes([evil, version])[:60], "cut off inside the first member", expect="not-allow")
    add("descriptor-lies", zip_bytes([Member("archive/data.pkl", BAD, flags=8, local_crc=0, local_size=0, local_packed=0), version]),
        "sizes are said to follow the data, and do not")
    add("stored-record-in-data", zip_bytes([Member("archive/notes.txt", zip_bytes([evil, version])), version]), "a text member is an archive")
    return shelf


def overlapping() -> bytes:
    inner = Member("archive/b", b"x" * 50)
    outer = zip_bytes([inner])[:-22 - 46 - len("archive/b")]
    first = Member("archive/a", outer + b"tail")
    second = Member("archive/b", b"x" * 50, in_local=False, central_offset=30 + len("archive/a"))
    return zip_bytes([first, second])


def zip64_two_truths() -> bytes:
    """The plain end record lists a good directory; a zip64 record before it lists one with the call."""
    good, evil = Member("archive/data.pkl", PICKLE), Member("archive/data.pkl", BAD)
    head = zip_bytes([evil])
    # Keep the bad archive's records and directory, then the zip64 end that points at them, then the plain archive's own end.
    start = head.rindex(b"PK\x01\x02")
    size = len(head) - 22 - start
    z64 = b"PK\x06\x06" + u64(44) + struct.pack("<HHIIQQQQ", 45, 45, 0, 0, 1, 1, size, start)
    tail = zip_bytes([good], prefix=head[:-22])
    where = len(tail) - 22
    return tail[:-22] + z64 + b"PK\x06\x07" + u32(0) + u64(where) + u32(1) + tail[-22:]


def unicode_path(name: str) -> bytes:
    body = b"\x01" + u32(zlib.crc32(b"archive/data.pkl")) + name.encode()
    return b"up" + u16(len(body)) + body


def paths() -> Shelf:
    """Members that leave the folder they are extracted to, and archives that unpack to far more than they are."""
    shelf = Shelf("zip-paths", source="construction")
    names = {
        "parent": "../waag-inert.txt",
        "parents": "a/../../../waag-inert.txt",
        "absolute": "/nonexistent/waag-inert.txt",
        "drive": "C:\\nonexistent\\waag-inert.txt",
        "backslashes": "..\\..\\waag-inert.txt",
        "unc": "\\\\example.invalid\\share\\x.txt",
        "startup": "../../.config/autostart/waag-inert.desktop",
        "terminal-escape": "archive/\x1b[2Kok.txt",
        "bidi": "archive/\u202etxt.py",
        "newline": "archive/ok\nnot-ok.txt",
        "device": "archive/CON",
        "dot-dot-only": "..",
    }
    for id, name in names.items():
        shelf.bad(f"name-{id}", zip_bytes([*torch_members(PICKLE, STORAGES), Member(name, b"x")]), f"a member called {name!r}",
                  name="model.zip", expect="deny" if id == "device" else "not-allow")
    shelf.bad("symlink-out", zip_bytes([Member("archive/link", b"/nonexistent/waag-inert", external=SYMLINK), Member("archive/version", b"3\n")]),
              "a symbolic link to an absolute path", name="model.zip", expect="not-allow")
    shelf.bad("symlink-then-write", zip_bytes([Member("archive/link", b"../..", external=SYMLINK), Member("archive/link/x", b"x")]),
              "a link, then a member written through it", name="model.zip", expect="not-allow")
    big = bytes(64 << 20)
    shelf.bad("bomb-ratio", zip_bytes([Member("archive/data/0", big, method=DEFLATED)]), "64 MB of zeros in 64 KB", name="model.zip",
              expect="not-allow")
    layer = zip_bytes([Member(f"{i}.bin", bytes(1 << 20), method=DEFLATED) for i in range(16)])
    for _ in range(3):
        layer = zip_bytes([Member(f"{i}.zip", layer, method=DEFLATED) for i in range(16)])
    shelf.bad("bomb-nested", layer, "zips in zips that unpack to 64 GB", name="model.zip", expect="not-allow")
    block = deflate(bytes(4 << 20))
    first = Member("0", bytes(4 << 20), method=DEFLATED, raw=block)
    repeats = [Member(str(i), bytes(4 << 20), method=DEFLATED, raw=block, in_local=False, central_offset=0) for i in range(1, 400)]
    shelf.bad("bomb-overlap", zip_bytes([first, *repeats]), "four hundred entries share one record: 1.6 GB in 40 KB", name="model.zip",
              expect="not-allow")
    shelf.bad("many-members", zip_bytes([Member(f"archive/data/{i}", b"") for i in range(70_000)], count=70_000 & 0xFFFF),
              "seventy thousand members, counted modulo 65536", name="model.zip", expect="not-allow")
    shelf.bad("encrypted", zip_bytes([Member("archive/data.pkl", BAD, flags=1, raw=bytes(12) + bytes(b ^ 0x5A for b in BAD),
              local_packed=len(BAD) + 12, central_packed=len(BAD) + 12)]), "a member nobody can look into", name="model.zip", expect="not-allow")
    shelf.bad("seven-zip-named-zip", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(24), "a 7z header called .zip, with nothing in it",
              name="model.zip", source="nullifAI", expect="not-allow")
    shelf.bad("seven-zip-pickle", seven_zip("data.pkl", inert_pickle()), "a pickle in a 7z", name="pytorch_model.bin", source="nullifAI")
    shelf.bad("seven-zip-torch", seven_zip("model.pt", torch_zip(BAD, STORAGES)), "a torch file in a 7z", name="model.7z", source="nullifAI")
    shelf.bad("plain-torch-bad", torch_zip(BAD, STORAGES), "the control: nothing but the call", name="model.pt")
    return shelf
