#!/usr/bin/python3
"""symbols.py FILE: what the layers' object files export and keep.

FILE has a line for each layer, NAME|PREFIXES|OBJECTS (cmake/layers.cmake writes it).  An exported symbol is named for
one of its layer's prefixes; the bodies of system calls keep no state of their own: what they know is the process's.
"""
import subprocess
import sys

STATELESS = {"syscalls"}
ALLOWED_STATE = {"tracer", "logged"}  # variables of a stateless layer: which missing calls dispatch.c has named on the log


def symbols(objects):
    """(object, kind, name) of everything defined in them."""
    r = subprocess.run(["nm", "-A", "-P", "--defined-only", *objects], capture_output=True, text=True, check=True)
    for line in r.stdout.splitlines():
        where, name, kind = line.split()[:3]
        yield where.rstrip(":"), kind, name


problems, seen = [], 0
for line in open(sys.argv[1]).read().splitlines():
    layer, prefixes, objects = line.split("|")
    prefixes = prefixes.split()
    used = set()
    for where, kind, name in symbols(objects.split()):
        seen += 1
        if kind.isupper():
            fits = [p for p in prefixes if name == p or name.startswith(p + "_")]
            used.update(fits)
            if not fits:
                problems.append(f"{where}: {layer} exports {name}, which has none of its prefixes")
        if layer in STATELESS and kind.lower() in "dbcgs" and name.split(".")[0] not in ALLOWED_STATE:
            problems.append(f"{where}: {layer} keeps state: {name}")
    problems += [f"{layer}: nothing is named {p}_… any more" for p in prefixes if p not in used]

print(*problems, sep="\n")
print(f"{seen} symbols, {len(problems)} problems")
sys.exit(1 if problems or not seen else 0)
