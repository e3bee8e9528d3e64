#!/usr/bin/python3
"""format.py: every C file is as clang-format leaves it, and no file is longer than a reader's patience."""
import subprocess
import sys

from tree import ROOT, source_files

MOST_LINES = 700
STILL_LONGER = {}  # path: lines at the most, while the file waits to be split; remove it then

problems = []
files = source_files(".c", ".h")
r = subprocess.run(["clang-format", "--dry-run", "--Werror", *files], cwd=ROOT, capture_output=True, text=True,
                   check=False)
problems += [line for line in r.stderr.splitlines() if "error:" in line]
if r.returncode and not problems:
    problems.append(r.stderr)

for path in source_files(".c", ".h", ".asm", ".py", ".sh", ".cmake", ".go"):
    lines = (ROOT / path).read_text().count("\n")
    most = STILL_LONGER.get(str(path), MOST_LINES)
    if lines > most:
        problems.append(f"{path}: {lines} lines, at most {most}")
    elif str(path) in STILL_LONGER and lines <= MOST_LINES:
        problems.append(f"{path}: no longer too long; take it off the list in test/source/format.py")

print(*problems, sep="\n")
print(f"{len(files)} files of C, {len(problems)} problems")
sys.exit(1 if problems or not files else 0)
