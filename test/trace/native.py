#!/usr/bin/python3
"""native.py DECODE_NATIVE DIFF.PY PROGRAM...: the decoder of the kernel's traces, reading a program on the host through ptrace,
prints of each PROGRAM what strace prints: every line, character for character but for what differs between two runs."""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile


def load(path):
    spec = importlib.util.spec_from_file_location("diff", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(command, cwd, out):
    p = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         env={"PATH": "/usr/bin:/bin", "HOME": "/"})
    p.wait(timeout=100)
    return open(out, errors="backslashreplace").read()


def with_number(text, tid):
    return "".join(f"{tid} {line}\n" for line in text.splitlines() if not line.startswith("execve("))


def main():
    decode, diff, programs = os.path.abspath(sys.argv[1]), load(sys.argv[2]), sys.argv[3:]
    bad = 0
    for program in map(os.path.abspath, programs):
        texts = []
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as tmp:
            cwd = pathlib.Path(tmp, "work")
            for command in (["strace", "-o", f"{tmp}/out", program], [decode, f"{tmp}/out", program]):
                cwd.mkdir()
                text = run(command, cwd, f"{tmp}/out")
                subprocess.run(["rm", "-rf", cwd], check=True)
                tid = next((line.rpartition("= ")[2] for line in text.splitlines()
                            if line.startswith(("set_tid_address(", "gettid("))), "1")
                texts.append(with_number(text, tid))
        result = diff.compare(*map(diff.Trace, texts), set(), diff.Expected(None))
        lines = sum(len(rows) for _, rows in result)
        if lines < 5:
            print(f"{program}: only {lines} lines")
            bad += 1
        if any(diff.differs(row) for _, rows in result for row in rows):
            print(f"{program}: {lines} lines")
            diff.show_text(result, 0, 10, sys.stdout)
            bad += 1
        # The columns of results, which the comparison does not look at.
        columns = [{line.split("(")[0]: line.index(" = ") for line in t.splitlines() if " = " in line and len(line) < 60 and
                    "0x" not in line and ", " not in line} for t in texts]
        for call in columns[0].keys() & columns[1].keys():
            if columns[0][call] != columns[1][call]:
                print(f"{program}: {call}: the result is in column {columns[1][call]}, strace's in {columns[0][call]}")
                bad += 1
    print(f"{len(programs)} programs, {bad} complaints")
    return 1 if bad else 0


sys.exit(main())
