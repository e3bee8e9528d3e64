#!/usr/bin/python3
"""What real programs have beyond the part that `yolk test` runs: `yolk test suites real [compress|redis|sqlite]...`.

  compress   zstd and xz with 64 MB
  redis      Redis's own tests, all that a server which somebody else started can be asked, on 1 and 2 CPUs
  sqlite     SQLite's own tests, what `veryquick` runs and one process can
"""
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("YOLK_BUILD") or HERE.parents[2] / "build")
PARTS = {
    "compress": [["compare.py", case, "64"] for case in ("zstd", "zstd-19", "zstd-d", "xz", "xz-d")],
    "redis": [["redis_own.py", "-c", "1", "-c", "2"]],
    "sqlite": [["sqlite.py"]],
}


def main():
    parts = sys.argv[1:] or list(PARTS)
    if {"-h", "--help"} & set(parts):
        print(__doc__)
        return 0
    if not set(parts) <= set(PARTS):
        print(f"yolk: {sorted(set(parts) - set(PARTS))[0]} is not one of {', '.join(PARTS)}", file=sys.stderr)
        return 2
    failed = []
    for script, *rest in (command for part in parts for command in PARTS[part]):
        start = time.monotonic()
        done = subprocess.run(["/usr/bin/python3", "-B", HERE / script, BUILD / "userland/yolk/yolk", *rest], check=False)
        print(f"{script} {' '.join(rest)}: {'failed' if done.returncode else 'passed'} after {time.monotonic() - start:.0f} s", flush=True)
        if done.returncode:
            failed.append(" ".join([script, *rest]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
