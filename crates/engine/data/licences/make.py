#!/usr/bin/env python3
"""Makes fingerprints.txt: what texts of licences are recognised by.

    python3 make.py FOLDER    FOLDER: licensedcode/data/licenses of scancode-toolkit-mini 32.5.0 (PyPI), whose texts are
                              read; only hashes of four consecutive words are written, never the text

A line: expression, number of words of the text, the threshold below which hashes were kept, the hashes (32 bits each, in
hexadecimal, sorted). The normalisation has to be that of crates/engine/src/licence/fingerprint.rs.
"""
import pathlib
import re
import sys

KEPT = 400
SOURCES = """Apache-2.0 apache-2.0
MIT mit
MIT-0 mit-0
0BSD bsd-zero
ISC isc
BSD-1-Clause bsd-1-clause
BSD-2-Clause bsd-simplified
BSD-3-Clause bsd-new
BSD-3-Clause-Clear clear-bsd
PostgreSQL postgresql
NCSA uoi-ncsa
Zlib zlib
BSL-1.0 boost-1.0
AFL-3.0 afl-3.0
Artistic-2.0 artistic-2.0
ECL-2.0 ecl-2.0
WTFPL wtfpl-2.0
Unlicense unlicense
CC0-1.0 cc0-1.0
PDDL-1.0 pddl-1.0
CC-BY-2.0 cc-by-2.0
CC-BY-2.5 cc-by-2.5
CC-BY-3.0 cc-by-3.0
CC-BY-4.0 cc-by-4.0
CC-BY-SA-2.0 cc-by-sa-2.0
CC-BY-SA-3.0 cc-by-sa-3.0
CC-BY-SA-4.0 cc-by-sa-4.0
CC-BY-NC-2.0 cc-by-nc-2.0
CC-BY-NC-3.0 cc-by-nc-3.0
CC-BY-NC-4.0 cc-by-nc-4.0
CC-BY-ND-4.0 cc-by-nd-4.0
CC-BY-NC-ND-3.0 cc-by-nc-nd-3.0
CC-BY-NC-ND-4.0 cc-by-nc-nd-4.0
CC-BY-NC-SA-2.0 cc-by-nc-sa-2.0
CC-BY-NC-SA-3.0 cc-by-nc-sa-3.0
CC-BY-NC-SA-4.0 cc-by-nc-sa-4.0
C-UDA-1.0 c-uda-1.0
CDLA-Sharing-1.0 cdla-sharing-1.0
CDLA-Permissive-1.0 cdla-permissive-1.0
CDLA-Permissive-2.0 cdla-permissive-2.0
ODC-By-1.0 odc-by-1.0
ODbL-1.0 odbl-1.0
LGPLLR lgpllr
etalab-2.0 etalab-2.0
EPL-1.0 epl-1.0
EPL-2.0 epl-2.0
EUPL-1.1 eupl-1.1
EUPL-1.2 eupl-1.2
MPL-2.0 mpl-2.0
MS-PL ms-pl
OSL-3.0 osl-3.0
OFL-1.1 ofl-1.1
LPPL-1.3c lppl-1.3c
GPL-2.0-only gpl-2.0
GPL-3.0-only gpl-3.0
AGPL-3.0-only agpl-3.0
LGPL-2.1-only lgpl-2.1
LGPL-3.0-only lgpl-3.0
BUSL-1.1 bsl-1.1
PSF-2.0 psf-2.0
OpenMDW-1.0 openmdw-1.0
LicenseRef-creativeml-openrail-m stable-diffusion-2022-08-22
LicenseRef-bigscience-openrail-m bigscience-open-rail-m
LicenseRef-bigscience-bloom-rail-1.0 bigscience-rail-1.0
LicenseRef-bigcode-openrail-m bigcode-open-rail-m-v1
LicenseRef-llama llama-license-2023
LicenseRef-llama2 llama-2-license-2023
LicenseRef-llama3.1 llama-3.1-license-2024
LicenseRef-llama3.2 llama-3.2-license-2024
LicenseRef-llama3.3 llama-3.3-license-2024
LicenseRef-llama4 llama-4-cla-2025
LicenseRef-gemma gemma-tou-2025-03-24
LicenseRef-gemma gemma-tou-2024-04-01
LicenseRef-falcon-2-11b falcon-2-11b-1.0
LicenseRef-qwen qwen-2024
LicenseRef-tongyi-qianwen tongyi-qianwen-2023
LicenseRef-deepseek deepseek-la-1.0
LicenseRef-stabilityai-ai-community stability-ai-community-2024
LicenseRef-stabilityai-nc-community stability-ai-nc-2023-12-06
LicenseRef-flux-1-dev-non-commercial flux-1-nc
LicenseRef-nvidia-open-model nvidia-open-model-2025-04-28
LicenseRef-exaone exaone-ai-model-1.1-nc
LicenseRef-tencent-hunyuan-3d-2.0 tencent-hunyuan-3d-2.0-cla"""


def words(text):
    lines = []
    for line in text.splitlines():
        bare = line.strip(" \t*#/-;>|").lower()
        if not bare.startswith(("copyright (c)", "copyright ©", "(c) ", "©")) and bare.rstrip(".") != "all rights reserved":
            lines.append(line.lower())
    return re.findall(r"[a-z0-9]+", "\n".join(lines))


def hash32(shingle):
    value = 0xCBF29CE484222325
    for byte in " ".join(shingle).encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return (value >> 32) ^ (value & 0xFFFFFFFF)


def main():
    folder = pathlib.Path(sys.argv[1])
    lines = []
    for line in SOURCES.splitlines():
        expression, name = line.split()
        text = (folder / f"{name}.LICENSE").read_text(encoding="utf-8")
        if text.startswith("---\n"):
            text = text.split("\n---\n", 1)[1]
        found = words(text)
        hashes = sorted({hash32(found[at : at + 4]) for at in range(len(found) - 3)})
        kept = hashes[:KEPT]
        threshold = 0xFFFFFFFF if len(kept) == len(hashes) else kept[-1]
        lines.append(f"{expression} {len(found)} {threshold:08x} " + "".join(f"{value:08x}" for value in kept))
    (pathlib.Path(__file__).parent / "fingerprints.txt").write_text("\n".join(lines) + "\n")


main()
