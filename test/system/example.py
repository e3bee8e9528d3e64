#!/usr/bin/python3
"""example.py YOLK CPUS DIRECTORY: an example of userland/examples prints what its expected.txt says, and ends with 0."""
import difflib
import pathlib
import subprocess
import sys

yolk, cpus, directory = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
stdin = directory / "stdin.txt"
r = subprocess.run([yolk, "run", "-c", cpus, "--timeout", "90", directory.name],
                   input=stdin.read_bytes() if stdin.exists() else b"", capture_output=True, check=False)
expected = (directory / "expected.txt").read_bytes()
if (r.returncode, r.stdout) == (0, expected):
    sys.exit(0)
print(f"status {r.returncode}")
for line in difflib.unified_diff(expected.decode().splitlines(), r.stdout.decode(errors="replace").splitlines(),
                                 "expected", "printed", lineterm=""):
    print(line)
print(r.stderr.decode(errors="replace")[-3000:])
sys.exit(1)
