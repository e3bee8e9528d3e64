#!/usr/bin/python3
"""sqlite.py YOLK [NAME...]: SQLite's own tests (test/NAME.test, `veryquick` without any), natively and in the guest.

Each file is a run of testfixture, in an empty folder of a tmpfs.  Test by test the outcomes must be equal; a test that
wants a second process fails in the guest, so files that start one are left out (NEEDS_FORK).
"""
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from agreed import Agreed
from redis_server import HERE, program

# They run a second testfixture, the sqlite3 shell or a program of the system.
NEEDS_FORK = re.compile(r"\bexec\b|crashsql|crash_on_write|testfixture_nb|launch_testfixture|do_multiclient_test|forced_proxy|\bopen \"?\|")
SECONDS = 1800
MEMORY = {"sort3": "6G"}  # it sorts 2 GB in a temporary file, and here files are memory


def candidates(root):
    """What `veryquick` runs, as far as it needs one process: not the slow ones, no fault injection (how many allocations
    can fail depends on the lengths of paths)."""
    files = sorted(p for p in (root / "sqlite/test").glob("*.test"))
    veryquick = re.compile(r"fault|malloc|ioerr|corrupt|^async|^all$|^crash|^(full|quick|veryquick|permutations|soak|extraquick|"
                           r"mallocall|memsubsys\d|onefile|fts3_rnd|savepoint4|speed.*|thread00\d|rtree|vtab_err|session|valgrind|tester|"
                           r"threadtest\d|wal(slow|thread)|backup_ioerr|fuzz.*|sidedelete|inmemory)$|bigfile|bigrow|bigsort|mmapbig")
    return [p.stem for p in files if not veryquick.search(p.stem) and not NEEDS_FORK.search(p.read_text(errors="replace"))]


def make_root(home, name, root):
    """The guest's root: what tests share, this one, and the tests that it names: a boot unpacks what it is given."""
    text = (home / f"sqlite/test/{name}.test").read_text(errors="replace")
    unwanted = lambda folder, files: [f for f in files if f.endswith(".test") and f != f"{name}.test" and f not in text]
    shutil.copytree(home / "sqlite/test", root / "sqlite/test", ignore=unwanted)
    shutil.copytree(home / "tcl", root / "tcl")
    if "/ext/" in text:
        shutil.copytree(home / "sqlite/ext", root / "sqlite/ext")
    (root / "tmp").mkdir()


def outcomes(output):
    """The lines that name a test or count errors; without figures of time and memory."""
    keep = []
    for line in output.splitlines():
        if re.search(r"^\S+\.\.\.|^! |errors out of", line) and "Elapsed" not in line:
            line = re.sub(r" \([\d.]+ ?ms\b[^)]*\)", "", line)
            keep.append(re.sub(r"errors out of (\d+) tests.*", r"errors out of \1 tests", line))
    return keep


def run(yolk, binary, root, name):
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/", "TCL_LIBRARY": "/tcl"}
    with tempfile.TemporaryDirectory(prefix="yolk-sqlite-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as scratch:
        if yolk:
            command = [yolk, "run", "-m", MEMORY.get(name, "1G"), "-w", "/tmp", "--timeout", str(SECONDS), "--root", str(root)]
            for key, value in environment.items():
                command += ["-e", f"{key}={value}"]
            command += [str(binary), f"/sqlite/test/{name}.test"]
        else:
            command = [str(binary), f"{root}/sqlite/test/{name}.test"]
            environment["TCL_LIBRARY"] = f"{root}/tcl"
        done = subprocess.run(command, cwd=scratch, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS + 60, check=False)
    text = done.stdout.decode(errors="replace").replace(str(root), "")
    return [f"status {done.returncode}", *outcomes(text)], text + done.stderr.decode(errors="replace")


def compare(yolk, binary, name, asked_for):
    """(whether both sides agree, how many tests are Ok in the guest, what to print).

    Some files end themselves on either side, with a status and before any test (without a feature, or as root): that
    is an answer like any other, but none to who asks for that file by its name.
    """
    home = binary.parent / "root"
    with tempfile.TemporaryDirectory(prefix="yolk-sqlite-") as scratch:
        root = pathlib.Path(scratch, "root")
        make_root(home, name, root)
        native, _ = run(None, binary, root, name)
        guest, text = run(yolk, binary, root, name)
    ran = [x for x in native if "errors out of" in x]
    good = sum(x.endswith("Ok") for x in guest)
    if native == guest and (ran or not asked_for):
        return True, good, ran[0] if ran else "ends itself before any test"
    diff = list(difflib.unified_diff(native, guest, "native", "guest", n=0, lineterm=""))[:20]
    return False, good, "\n".join(["", *diff, *(text.splitlines()[-5:] if not diff or len(guest) < 3 else [])])


def main():
    yolk, names = sys.argv[1], sys.argv[2:]
    binary = program("testfixture")
    agreed = {} if names else Agreed(yolk, "sqlite", __file__)
    todo = names or [x for x in candidates(binary.parent / "root") if x not in agreed]
    if agreed:
        print(f"{len(agreed)} files agreed before, {len(todo)} are left", flush=True)
    tests, failed = sum(agreed.values()), []
    for number, name in enumerate(todo, 1):
        try:
            agree, good, text = compare(yolk, binary, name, bool(names))
        except subprocess.TimeoutExpired as error:
            agree, good, text = False, 0, str(error)
        tests += good
        if not agree:
            failed.append(name)
        else:
            agreed[name] = good
        if not names or not agree:
            print(f"[{number}/{len(todo)}] {name}: {text}", flush=True)
    print(f"sqlite: {tests} tests are Ok in the guest as natively" + (f"; differing: {' '.join(failed)}" if failed else ""))
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
