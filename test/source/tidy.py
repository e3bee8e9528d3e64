#!/usr/bin/python3
"""tidy.py BUILD [FILE…]: clang-tidy with .clang-tidy finds nothing in the C files that BUILD compiles.

It takes seconds a file, so a file that passed is not looked at again until its preprocessed text, its own text (for
NOLINT), its command, the checks or clang-tidy itself have changed: BUILD/tidy holds one empty file for each that passed.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

from tree import ROOT

build = pathlib.Path(sys.argv[1]).resolve()
only = {pathlib.Path(f).resolve() for f in sys.argv[2:]}
passed = build / "tidy"
version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
config = (ROOT / ".clang-tidy").read_bytes()


def entries():
    """One entry of the compilation database a file of ours; a layer's command, where a unit test has one, too."""
    found = {}
    for e in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(e["file"])
        if path.suffix == ".c" and path.is_relative_to(ROOT) and not path.is_relative_to(build):
            if path not in found or "/unit-" in found[path]["command"]:
                found[path] = e
    return [found[p] for p in sorted(found) if not only or p in only]


def digest(entry):
    """Names everything that clang-tidy's answer depends on; None if the file does not compile."""
    words = shlex.split(entry["command"])
    at = words.index("-o")
    r = subprocess.run([*words[:at], *words[at + 2:], "-E", "-o", "-"], cwd=entry["directory"], capture_output=True,
                       check=False)
    if r.returncode:
        return None
    h = hashlib.sha256()
    for part in (version, config, entry["command"].encode(), pathlib.Path(entry["file"]).read_bytes(), r.stdout):
        h.update(len(part).to_bytes(8, "little") + part)
    return h.hexdigest()


def tidy(entry):
    """("kept" | "looked at", "" | what is wrong)"""
    name = digest(entry)
    if name and (passed / name).exists():
        return "kept", ""
    r = subprocess.run(["clang-tidy", "-p", build, "--quiet", entry["file"]], cwd=ROOT, capture_output=True, text=True,
                       check=False)
    if r.returncode:
        return "looked at", r.stdout + r.stderr
    if name:
        (passed / name).touch()
    return "looked at", ""


passed.mkdir(exist_ok=True)
count, bad = {"kept": 0, "looked at": 0}, 0
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for how, text in pool.map(tidy, entries()):
        count[how] += 1
        bad += bool(text)
        if text:
            print(text)
print(f"{count['looked at']} files looked at, {count['kept']} unchanged since they passed, {bad} with findings")
sys.exit(1 if bad or not sum(count.values()) else 0)
