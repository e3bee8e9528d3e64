#!/usr/bin/python3
"""page.py ROOT PAGE: does what a page says, in a folder of its own that looks like the repository's root.

A block ```sh is run; the block ```text behind it is what it prints (… is any text of one line).  A block ```c FILE is what FILE has."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

root, page = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()


def blocks(text):
    """(info, content) of each fenced block."""
    for match in re.finditer(r"^```([^\n]*)\n(.*?)^```$", text, re.M | re.S):
        yield match.group(1).strip(), match.group(2)


def fail(what, *texts):
    print(what, *texts, sep="\n")
    sys.exit(1)


def is_as_said(printed, said):
    """Lines in any order: stdout and stderr are two channels."""
    patterns = sorted(re.escape(line).replace("…", ".*") for line in said.splitlines())
    lines = sorted(printed.splitlines())
    return len(lines) == len(patterns) and all(any(re.fullmatch(p, line) for p in patterns) for line in lines) and all(
        any(re.fullmatch(p, line) for line in lines) for p in patterns)


def run(script):
    done = subprocess.run(["sh", "-eu", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=500)
    if done.returncode:
        fail(f"status {done.returncode} of", script, done.stdout, done.stderr)
    return done.stdout + done.stderr


with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    for name in os.listdir(root):
        if name not in ("build", ".git"):
            os.symlink(root / name, name)
    nr, printed, script = 0, "", ""
    for info, content in blocks(page.read_text()):
        if info == "sh":
            nr, script = nr + 1, content
            printed = run(script)
        elif info == "text":
            if not is_as_said(printed, content):
                fail("$ " + script, "prints", printed, "and the page says", content)
        elif " " in info:
            if pathlib.Path(info.split()[1]).read_text() != content:
                fail(f"the page shows another {info.split()[1]} than there is")
    if nr < 5:
        fail("the page has hardly any commands")
    print(f"{nr} commands")
