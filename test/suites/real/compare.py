#!/usr/bin/python3
"""compare.py YOLK CASE: run one case natively and in the guest; standard output and exit status must agree.

A case is a program made by build.sh, arguments, files put into the root file system beside it, and standard input.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SHELL = "if  true;then\necho   $((1+2))|  cat >/dev/null;fi\nfoo( ){ bar;}\ncase $x in a)b;;esac\n"
JSON = '{"a": [' + ", ".join(str(i) for i in range(2000)) + '], "b": {"c": "\\u00e9", "d": null}}\n'
TEXT = "".join(f"{i * 7919 % 10007} line {i}\n" for i in range(20000))

# name: (program, arguments, files, standard input)
CASES = {
    "lua": ("lua", ["/workout.lua"], ["workout.lua"], ""),
    "sqlite3": ("sqlite3", ["/tmp/test.db", ".read /workout.sql"], ["workout.sql"], ""),
    "lua-32": ("lua-32", ["/workout.lua"], ["workout.lua"], ""),
    "sqlite3-32": ("sqlite3-32", ["/tmp/test.db", ".read /workout.sql"], ["workout.sql"], ""),
    "shfmt": ("shfmt", ["-i", "2", "-s"], [], SHELL),
    "gojq": ("gojq", ["-c", "[.a[] | . * 2] | add, length"], [], JSON),
    "sort": ("busybox", ["sort", "-n"], [], TEXT),
    "sha256sum": ("busybox", ["sha256sum", "-"], [], TEXT),
    "awk": ("busybox", ["awk", "{ s += $1; n[$1 % 7]++ } END { print s; for (i = 0; i < 7; i++) print i, n[i] }"], [], TEXT),
    "sed": ("busybox", ["sed", "-n", r"s/^\([0-9]*\) line \(.*5\)$/\2:\1/p"], [], TEXT),
    "gzip": ("busybox", ["gzip", "-9", "-n", "-c"], [], TEXT),
    "find": ("busybox", ["find", "/d", "-type", "f"], [], ""),
    "factor": ("busybox", ["factor", "1234567890", "9999999967", "4611686014132420609"], [], ""),
}


def run(command, stdin, cwd=None):
    done = subprocess.run(command, input=stdin.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                          timeout=900, check=False)
    return done.returncode, done.stdout, done.stderr


def main():
    yolk, case = sys.argv[1:3]
    name, args, files, stdin = CASES[case]
    built = subprocess.run([HERE / "build.sh", name], stdout=subprocess.PIPE, check=True)
    program = built.stdout.decode().strip()
    with tempfile.TemporaryDirectory(prefix="yolk-real-") as root:
        os.makedirs(f"{root}/tmp")
        os.makedirs(f"{root}/d/e")
        for n in ("d/b", "d/a", "d/e/c"):
            pathlib.Path(root, n).write_text("x")
        for f in files:
            pathlib.Path(root, f).write_bytes((HERE / f).read_bytes())
        # The native run sees the same files under the folder's own name.
        here = [root + a if a.startswith("/") else a.replace(" /", f" {root}/") if a.startswith(".read") else a
                for a in args]
        native = run([program, *here], stdin)
        for f in pathlib.Path(root, "tmp").iterdir():
            f.unlink()
        guest = run([yolk, "run", "-m", "512M", "--timeout", "600", "--root", root, program, *args], stdin)
    expected = native[1].replace(root.encode(), b"")
    if case == "find":
        expected = b"".join(sorted(expected.splitlines(True)))
        guest = (guest[0], b"".join(sorted(guest[1].splitlines(True))), guest[2])
    # os.tmpname is random: its name shows in one line.
    strip = lambda b: b"\n".join(line for line in b.split(b"\n") if not line.startswith(b"gone"))
    if (native[0], strip(expected)) == (guest[0], strip(guest[1])):
        print(f"{case}: {len(guest[1])} bytes of output and status {guest[0]} agree with native")
        return 0
    print(f"{case}: native status {native[0]}, guest {guest[0]}\n--- native\n{expected.decode(errors='replace')[:3000]}"
          f"\n--- guest\n{guest[1].decode(errors='replace')[:3000]}\n--- guest's stderr\n"
          f"{guest[2].decode(errors='replace')[:3000]}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
