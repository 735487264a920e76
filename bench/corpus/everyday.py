"""Files that lie in honest repositories and look like something else: each is the shape of one that was met in a published package."""

from __future__ import annotations

import struct

from .assembler import BUILD, Asm, glob, op
from .case import Shelf
from .zipwriter import DEFLATED, Member, zip_bytes

a2 = Asm(2)

TEXTS = (
    ("c-source", "main.c", b"int\nmain(void)\n{\n  return 0;\n}\n", "a program in GNU's style: `int` and `main(void)` are two lines"),
    ("python-imports", "tool.py", b"import os\nimport argparse\nimport sys\n\nprint(sys.argv, os.sep, argparse)\n", "a module that begins with imports"),
    ("python-path", "test_module.py", b"import sys\nsys.path.append(sys.argv[1])\n\nimport mod\n\nassert mod.ok()\n", "a test that finds its module"),
    ("readme-k", "README.md", b"Kitti contains a suite of vision tasks built using an autonomous driving\nplatform.\n\nThis dataset contains the object detection data.\n", "a README that begins with a K"),
    ("myst-label", "guide.md", b"(interp-transition-guide)=\n# Interpolate transition guide\n\nThis page describes the transition.\n", "a page of MyST that begins with a label"),
    ("csv-header", "rates.csv", b"const_p1,const_p2,rate_p1\n0.1,0.2,0.3\n0.4,0.5,0.6\n", "a table whose header begins with a c"),
    ("properties", "python2pmml.properties", b"builtins.getattr = org.example.GetAttr\nbuiltins.object = org.example.PythonObject\nbuiltins.print = org.example.Print\n", "a list of names of Python"),
    ("template-comment", "layout.html", b"{# The layout of pages. #}\n{%- set title = 'x' %}\n<html><head><title>{{ title }}</title></head></html>\n", "a template that begins with a comment"),
    ("template-label", "searchbox.html", b"{#-\nlicensed as the rest\n-#}\n<div id=\"searchbox\"></div>\n", "a template that begins with a comment of another kind"),
    ("gifti", "lh.surf.gii", b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE GIFTI SYSTEM "http://www.nitrc.org/frs/download.php/115/gifti.dtd">\n<GIFTI Version="1.0" NumberOfDataArrays="0"/>\n', "a definition that is named by its address"),
)


def everyday() -> Shelf:
    shelf = Shelf("good-everyday", source="construction, after files of published packages")
    for id, name, data, note in TEXTS:
        shelf.good(id, data, note, name=name)
    # What "Compress" of a Mac writes: the size stands before the data, the stored size behind them.
    text = b"defaults:\n  - db: mysql\n" * 20
    mac = Member("conf/config.yaml", text, method=DEFLATED, flags=8, torch=True, local_size=len(text), local_packed=0, local_crc=0)
    shelf.good("mac-zip", zip_bytes([mac]), "an archive of a Mac", name="conf.zip")
    header = b"SIMPLE  =                    T / conforms to FITS standard".ljust(80) + b"BITPIX  =                    8".ljust(80) + b"NAXIS   =                    0".ljust(80) + b"END".ljust(80)
    shelf.good("fits", header.ljust(11520) + bytes(2880), "an astronomer's table", name="image.fits")
    shelf.good("netcdf", b"CDF\x01" + bytes(28), "an older netCDF, which is no HDF5", name="air.nc")
    shelf.good("rtf", rb"{\rtf1\ansi\deff0 {\fonttbl {\f0 Courier;}} Some terms.}" + b"\n\0", "a document with a zero at its end", name="License.rtf")
    for id, data, name in (
        ("ico", b"\0\0\1\0\3\0" + bytes(200), "favicon.ico"),
        ("dicom", bytes(128) + b"DICM" + bytes(200), "scan.dcm"),
        ("nifti", b"\x5c\1\0\0" + bytes(340) + b"n+1\0" + bytes(64), "brain.nii"),
        ("stata", b"<stata_dta><header><release>118</release>" + bytes(64), "table.dta"),
        ("spss", b"$FL2@(#) SPSS DATA FILE".ljust(64) + bytes(200), "table.sav"),
    ):
        shelf.good(id, data, "data of another field", name=name)
    intervals = b"\x82\xcb" + struct.pack(">d", 1.5) + b"\x93\x01\x02\x03\xcb" + struct.pack(">d", 2.25) + b"\x91\x07"
    shelf.good("msgpack-numbers", intervals, "a table by fractions", name="intervals.msgpack")
    filters = glob("tables.filters", "Filters") + op(b")\x81") + a2.lit({"complevel": 5, "complib": "zlib", "shuffle": True, "fletcher32": False}) + BUILD
    shelf.good("pytables-filters", a2.stream(filters), "how a table of PyTables is compressed", name="filters.pkl")
    vectors = glob("gensim.models.keyedvectors", "KeyedVectors") + op(b")\x81") + a2.lit({"vector_size": 4, "index_to_key": ["cat", "dog"], "next_index": 0}) + BUILD
    shelf.good("gensim-vectors", a2.stream(vectors), "vectors of words", name="vectors.kv")
    scorer = glob("gensim.models.phrases", "original_scorer")
    phrases = glob("gensim.models.phrases", "FrozenPhrases") + op(b")\x81}(") + a2.text("threshold") + a2.lit(10.0) + a2.text("scoring") + scorer + op(b"ub")
    shelf.good("gensim-phrases", a2.stream(phrases), "pairs of words, with the function that scores them", name="phrases.pkl")
    return shelf
