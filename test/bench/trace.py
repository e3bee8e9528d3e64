#!/usr/bin/python3
"""yolk bench --trace: what tracing costs, beside strace on this machine.

One program (20,000 getppid, then 2,000 times open, write, pread, fstat, close, unlink) runs in the guest and on this
machine, untraced and traced to a file, in turn, so that whatever else the machine does hits all of them alike: trust the
ratios.  It times itself; the figures are the best of all runs.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WAYS = ("guest", "guest, traced to a file", "guest, -e trace=none", "here", "here, strace -f -o")


def fail(text):
    sys.stderr.write(f"yolk: bench: {text}\n")
    sys.exit(125)


def parse():
    p = argparse.ArgumentParser(prog="yolk bench --trace", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--runs", type=int, default=5, help="of each (default %(default)s)")
    p.add_argument("--kernel", metavar="FILE", help="this kernel instead of the one that was built last")
    p.add_argument("--json", metavar="FILE", help="all figures, for programs")
    return p.parse_args()


def measure(command, cwd):
    """{loop: nanoseconds of one call}"""
    p = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, timeout=300)
    if p.returncode:
        fail(f"{' '.join(command)} ended with status {p.returncode}: {p.stderr[-500:]}")
    return {name: float(ns) for name, ns in map(str.split, p.stdout.splitlines())}


def main():
    o = parse()
    yolk = os.path.join(os.environ.get("YOLK_BUILD", os.path.join(ROOT, "build")), "userland/yolk/yolk")
    best = {}
    tmpfs = "/dev/shm" if os.path.isdir("/dev/shm") else None  # the guest's root is one, too
    with tempfile.TemporaryDirectory(prefix="yolk-bench-", dir=tmpfs) as tmp:
        program = os.path.join(tmp, "trace_ops")
        built = subprocess.run(["musl-gcc", "-O2", "-static", "-o", program, os.path.join(HERE, "trace_ops.c")])
        if built.returncode:
            fail("trace_ops cannot be built")
        machine = ["--net=none", *([f"--kernel={o.kernel}"] if o.kernel else [])]
        out = os.path.join(tmp, "out")
        commands = ([yolk, "run", *machine, program], [yolk, "trace", "-f", "-o", out, *machine, program],
                    [yolk, "trace", "-f", "-e", "trace=none", "-o", out, *machine, program], [program],
                    ["strace", "-f", "-o", out, program])
        for _ in range(o.runs):
            for way, command in zip(WAYS, commands):
                for loop, ns in measure(command, tmp).items():
                    best[way, loop] = min(ns, best.get((way, loop), ns))
    loops = list(dict.fromkeys(loop for _, loop in best))
    print("| nanoseconds a call | " + " | ".join(f"{loop} | ratio" for loop in loops) + " |")
    print("|---|" + "---:|" * 2 * len(loops))
    for way in WAYS:
        untraced = "guest" if way.startswith("guest") else "here"
        cells = [f"{best[way, loop]:,.0f} | {best[way, loop] / best[untraced, loop]:.2f}" for loop in loops]
        print(f"| {way} | {' | '.join(cells)} |")
    if o.json:
        with open(o.json, "w", encoding="utf-8") as f:
            json.dump([{"way": way, "loop": loop, "ns": ns} for (way, loop), ns in best.items()], f, indent=1)


main()
