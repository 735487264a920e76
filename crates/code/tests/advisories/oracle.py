"""Which advisories affect which version, by `packaging` and a reading of the files of its own: an oracle for tests.

    oracle.py FOLDER    prints `package==version<TAB>ids`, for every fifth listed version and every version named in a range
"""
import pathlib
import sys

import yaml
from packaging.version import InvalidVersion, Version


def version(text):
    try:
        return Version(text)
    except InvalidVersion:
        return None


def in_range(events, at):
    ordered = sorted(((Version("0.dev0") if value == "0" else Version(value), kind) for event in events for kind, value in event.items()), key=lambda one: one[0])
    inside = False
    for where, kind in ordered:
        if kind == "introduced" and at >= where:
            inside = True
        elif kind == "fixed" and at >= where:
            inside = False
        elif kind == "last_affected" and at > where:
            inside = False
    return inside


def main():
    about = {}
    for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.yaml")):
        advisory = yaml.load(path.read_text(), Loader=yaml.BaseLoader)
        for affected in advisory["affected"]:
            about.setdefault(affected["package"]["name"].lower(), []).append((advisory["id"], affected))
    for name, advisories in sorted(about.items()):
        wanted = set()
        for _, affected in advisories:
            wanted.update(sorted(affected.get("versions", []))[::5])
            for span in affected.get("ranges", []):
                if span["type"] == "ECOSYSTEM":
                    wanted.update(value for event in span["events"] for value in event.values())
        for text in sorted(wanted):
            at = version(text)
            if at is None:
                continue
            ids = set()
            for identifier, affected in advisories:
                listed = any(version(one) == at for one in affected.get("versions", []))
                spans = [span["events"] for span in affected.get("ranges", []) if span["type"] == "ECOSYSTEM"]
                if listed or any(in_range(events, at) for events in spans):
                    ids.add(identifier)
            print(f"{name}=={text}\t{' '.join(sorted(ids))}")


main()
