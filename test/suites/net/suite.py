#!/usr/bin/python3
"""The tests of the network for longer than `yolk test` runs them: `yolk test suites net [SECONDS] [relay|hostile|flood|ports|nginx]...`.

SECONDS (60 without) is about how long each floods, churns or throws packets, and makes as much larger what is transferred.

  relay      two guests on wires with faults, 1 and 4 CPUs
  hostile    packets that nobody ought to send: more seeds, each for longer
  flood      connection requests that nobody completes, and slow clients
  ports      many bytes and many connections through `-p`
  nginx      100,000 requests, every byte of every answer checked
"""
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
BUILD = pathlib.Path(os.environ.get("YOLK_BUILD") or ROOT / "build")
PYTEST = ["/usr/bin/python3", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
PARTS = {name: [*PYTEST, ROOT / f"test/net/test_{name}.py"] for name in ("relay", "hostile", "flood", "ports")}
PARTS["nginx"] = ["/usr/bin/python3", "-B", ROOT / "test/suites/real/examples.py", BUILD / "userland/yolk/yolk", "nginx=100000"]


def main():
    words = sys.argv[1:]
    if {"-h", "--help"} & set(words):
        print(__doc__)
        return 0
    seconds = words.pop(0) if words and words[0].isdigit() else "60"
    if not set(words) <= set(PARTS):
        print(f"yolk: {sorted(set(words) - set(PARTS))[0]} is neither a number of seconds that comes first nor one of {', '.join(PARTS)}",
              file=sys.stderr)
        return 2
    subprocess.run(["cmake", "--build", BUILD, "--target", "net-peer", "examples"], stdout=subprocess.DEVNULL, check=True)
    failed = 0
    for name in words or PARTS:
        start = time.monotonic()
        done = subprocess.run(PARTS[name], env={**os.environ, "YOLK_NET_SECONDS": seconds, "YOLK_BUILD": str(BUILD)}, check=False)
        print(f"{name}: {'failed' if done.returncode else 'passed'} after {time.monotonic() - start:.0f} s", flush=True)
        failed += bool(done.returncode)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
