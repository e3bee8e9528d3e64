#!/usr/bin/python3
"""tidy.py BUILD [FILE…]: clang-tidy with .clang-tidy finds nothing in the C files that BUILD compiles.

Those are the kernel, the host command, and the tests in test/unit and test/kernel; programs for the guest (test/abi and
the examples) are compiled by commands of their own and are not looked at.  In the kernel and the host command it also holds
functions to 60 lines; test/.clang-tidy says what the tests need not keep to.

A file that passed is not looked at again until its preprocessed text, its own text (for NOLINT), its command, the checks or
clang-tidy itself have changed: BUILD/tidy/passed holds one empty file for each that passed.
"""
import concurrent.futures
import hashlib
import json
import pathlib
import resource
import shlex
import subprocess
import sys

from tree import ROOT

AT_ONCE = 2
GCC_ONLY = ("-mpreferred-stack-boundary=",)
build = pathlib.Path(sys.argv[1]).resolve()
only = {pathlib.Path(f).resolve() for f in sys.argv[2:]}
passed = build / "tidy" / "passed"
version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout


def choose():
    """One entry of the compilation database a file of ours; a layer's command, where a unit test has one, too."""
    found = {}
    for e in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(e["file"])
        if path.suffix == ".c" and path.is_relative_to(ROOT) and not path.is_relative_to(build):
            if path not in found or "/unit-" in found[path]["command"]:
                found[path] = e
    return [found[p] for p in sorted(found)]


def for_clang(entry):
    words = [w for w in shlex.split(entry["command"]) if not w.startswith(GCC_ONLY)]
    return {**entry, "command": shlex.join(words)}


def config(path):
    """What .clang-tidy says for a file: a folder's own adds to that of the folder above."""
    above = [d for d in path.parents if d.is_relative_to(ROOT)]
    return b"".join((d / ".clang-tidy").read_bytes() for d in above if (d / ".clang-tidy").exists())


def digest(entry):
    """Names everything that clang-tidy's answer depends on; None if the file does not compile."""
    words = shlex.split(entry["command"])
    at = words.index("-o")
    r = subprocess.run([*words[:at], *words[at + 2:], "-E", "-o", "-"], cwd=entry["directory"], capture_output=True,
                       check=False)
    if r.returncode:
        return None
    h = hashlib.sha256()
    path = pathlib.Path(entry["file"])
    for part in (version, config(path), entry["command"].encode(), path.read_bytes(), r.stdout):
        h.update(len(part).to_bytes(8, "little") + part)
    return h.hexdigest()


def tidy(entry):
    """(what the file is called among those that passed, whether it was looked at now, what is wrong with it)"""
    name = digest(entry)
    if name and (passed / name).exists():
        return name, False, ""
    r = subprocess.run(["clang-tidy", "-p", passed.parent, "--quiet", entry["file"]], cwd=ROOT, capture_output=True,
                       text=True, check=False)
    if r.returncode:
        return name, True, r.stdout + r.stderr
    if name:
        (passed / name).touch()
    return name, True, ""


passed.mkdir(parents=True, exist_ok=True)
entries = choose()
# A database of its own: with the whole one, clang-tidy would look at a file once for each unit test that compiles it.
# It is without the options that clang refuses; none of them changes what a file means.
(passed.parent / "compile_commands.json").write_text(json.dumps([for_clang(e) for e in entries]))
if only:
    entries = [e for e in entries if pathlib.Path(e["file"]) in only]
results = []
with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
    for result in pool.map(tidy, entries):
        results.append(result)
        if result[2]:
            print(result[2], flush=True)
wrong = sum(bool(text) for _, _, text in results)
looked_at = sum(looked for _, looked, _ in results)
if not only:
    current = {name for name, _, _ in results}
    for old in passed.iterdir():
        if old.name not in current:
            old.unlink()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{looked_at} files looked at, {len(results) - looked_at} unchanged since they passed, {wrong} with findings; "
      f"{used.ru_utime + used.ru_stime:.0f} s of CPU time")
sys.exit(1 if wrong or not results else 0)
