#!/usr/bin/python3
"""redis_own.py YOLK [-c CPUS]... [UNIT...]: Redis's own tests, unit by unit (all without any), natively and in the guest.

Redis's runner (Tcl) drives them from this machine, as it does with a server that somebody else started, and each unit has a
new server on either side.  Test by test the answers must be equal.  A test needs fork when the guest's server said in its
log, while that test ran, that fork was refused; or when it stands in a block whose settings were refused for that reason.
A unit that ends the guest's server runs again without the test that did so; that test needs fork, too, if it ends a native
server to which fork is refused.
"""
import argparse
import collections
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from agreed import Agreed
from redis_server import ENDED, HERE, Client, program, refuse_fork, serving

# Without progress for so long Redis's runner gives up; it names the test.
SILENT_SECONDS, UNIT_SECONDS = 900, 7200
REFUSED = re.compile(r"fork(?: for module)?: Function not implemented")
CLOCK = "the test compares its own clock with the server's, to a tenth of a second"
# Known to differ, as the server is not where they suppose it.
EXPLAINED = {
    "RESTORE can set an absolute expire": CLOCK,
    "GETEX PXAT option": CLOCK,
    "Extended SET PXAT option": CLOCK,
    "CONFIG SET rollback on apply error": "the port that the test takes on its own machine is free on the server's",
    "BRPOPLPUSH with multiple blocked clients": "QEMU's user network passes on the newest connection's bytes first",
}

# What is changed in Redis's runner.  Where a unit asks for a server with other settings, the runner sets them on the one
# that is there: if that is refused the tests in such a block are left out, by the runner's own means, a tag that it does not
# run.  And what fails in a block that is part of a test fails that test, as it does with servers of the runner's own.
CHANGES = [("        r config set $param $val\n", """        catch {r debug log "### Setting $param"}
        if {[catch {r config set $param $val}]} {
            lappend ::tags refused:$param
            lappend ::denytags refused:$param
            continue
        }
"""), ("    if {[catch {set retval [uplevel 2 $code]} error]} {\n        if", """    if {[catch {set retval [uplevel 2 $code]} error]} {
        if {$::cur_test ne {}} {
            set failed [list $error $::errorInfo]
        } elseif"""), ("    # restore overrides\n", """    set ::tags [lsearch -all -inline -not -glob $::tags refused:*]
    # restore overrides
"""), ("""        [dict get $srv "client"] close
    }
}

proc start_server""", """        [dict get $srv "client"] close
    }
    if {[info exists failed]} {
        error {*}$failed
    }
}

proc start_server""")]

Answer = collections.namedtuple("Answer", "said detail")
Run = collections.namedtuple("Run", "answers refused ended log seconds behind")


def make_tests(home, folder):
    """A copy of the tests, as they write beside themselves."""
    shutil.copytree(home / "tests", folder / "tests")
    shutil.copy(home / "redis.conf", folder)
    os.symlink(home / "src", folder / "src")
    server = folder / "tests/support/server.tcl"
    text = server.read_text()
    for old, new in CHANGES:
        assert old in text, f"Redis's runner is not the one that this knows: {old}"
        text = text.replace(old, new, 1)
    server.write_text(text)


def parse(output):
    """What the runner says of each test, in its order.  Tests of one name are counted."""
    answers, seen = {}, collections.Counter()
    output, ended, _ = re.sub(r"\x1b\[[0-9;]*m", "", output).partition("\n                   The End\n")
    for said, text in re.findall(r"^\[(ok|err|ignore|exception|TIMEOUT)\]: (.*(?:\n(?!\[).*)*)", output, re.M):
        name, _, detail = text.partition("\n")
        if said == "ok":
            name, detail = re.sub(r" \(\d+ ms\)$", "", name), ""
        elif said == "err":
            name = re.sub(r" in tests/\S+\.tcl$", "", name)
            detail = " ".join(detail.partition("\n    while executing\n")[0].split())
        elif said == "ignore":
            name, detail = re.fullmatch(r"(?:(.*): )?(Tag: .*|Not supported .*|large memory .*)", name).groups()
            name = name or "a block of tests"
        else:
            name, detail = "the unit's end", text
        seen[name] += 1
        answers[f"{name} (again: {seen[name]})" if seen[name] > 1 else name] = Answer(said, detail.strip())
    if not ended and "the unit's end" not in answers:
        answers["the unit's end"] = Answer("exception", output[-1000:])
    return answers


def refused_in(log):
    """The tests while which fork was refused, and the settings; and the test that ended the server."""
    now, refused = "", set()
    for line in log:
        if start := re.search(r"### (?:Starting test (.*) in tests/\S+\.tcl|(Setting .*))", line):
            now = start[1] or start[2].strip()
        elif REFUSED.search(line):
            refused.add(now)
    return refused, now if log[-1].startswith(ENDED) else None


def run(yolk, cpus, tests, unit, without=(), prepare=None):
    log, start = [], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="yolk-redis-") as scratch, serving(yolk, scratch, UNIT_SECONDS, cpus, log, prepare) as port:
        seconds, microseconds = map(int, Client(port)("time"))
        behind = time.time() - seconds - microseconds / 1e6
        command = ["tclsh", "tests/test_helper.tcl", "--host", "127.0.0.1", "--port", str(port), "--clients", "1", "--durable",
                   "--baseport", str(20000 + os.getpid() % 10000), "--timeout", str(SILENT_SECONDS), "--tags", "-slow", "--single", unit]
        for test in without:
            command += ["--skiptest", test]
        done = subprocess.run(command, cwd=tests, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=UNIT_SECONDS, errors="replace", check=False)
    return Run(parse(done.stdout), *refused_in(log), log, time.monotonic() - start, behind)


def needs_fork(name, answer, refused):
    if answer and (setting := re.match(r"Tag: refused:(\S+)", answer.detail)):
        return f"Setting {setting[1]}" in refused
    return re.sub(r" \(again: \d+\)$", "", name) in refused


def explained(name, native, guest):
    """The reason why a test may differ, or None."""
    reason, apart = EXPLAINED.get(name), guest.behind - native.behind
    if reason is not CLOCK:
        return reason
    return f"{CLOCK}: the guest's is {apart * 1000:.0f} ms behind" if abs(apart) > 0.05 else None


def compare(native, guest):
    """What became of the tests: for each kind a list of names, with both answers where they are not ok."""
    kinds = {kind: [] for kind in ("equal", "failing", "fork", "explained", "differing", "left out")}
    for name in {**native.answers, **guest.answers}:
        n, g = native.answers.get(name), guest.answers.get(name)
        both = f"{name}\n    natively: {' '.join(n or ['nothing'])}\n    in the guest: {' '.join(g or ['nothing'])}"
        if n == g:
            kind, both = {"ok": ("equal", name), "ignore": ("left out", name)}.get(n.said, ("failing", both))
        elif needs_fork(name, g, guest.refused):
            kind = "fork"
        elif reason := explained(name, native, guest):
            kind, both = "explained", f"{both}\n    {reason}"
        else:
            kind = "differing"
        kinds[kind].append(both)
    return kinds


def number_of(cpus):
    return f"{cpus} CPU{'s' * (cpus > 1)}"


def run_guest(yolk, cpus, tests, unit, native):
    """A run of the guest's that no test ended, and the tests left out for that: what they are a case of by their names."""
    without = {}
    while True:
        skipped = tuple(without)
        guest = run(yolk, cpus, tests, unit, skipped)
        if not guest.ended or guest.ended in (*skipped, native(skipped).ended):
            return guest, without
        refused = native(skipped, refuse_fork)
        without[guest.ended] = "fork" if guest.refused and refused.ended == guest.ended else "differing"


def compare_unit(yolk, tests, unit, counts):
    """Pairs of a number of CPUs and what compare() says."""
    native = functools.cache(lambda without=(), prepare=None: run(None, 1, tests, unit, without, prepare))
    only_left_out = all(x.said == "ignore" for x in native(()).answers.values())
    for cpus in counts:
        # Nothing of it is for a server that somebody else started: what would the guest be asked?
        guest, without = (native(()), {}) if only_left_out else run_guest(yolk, cpus, tests, unit, native)
        kinds = compare(native(tuple(without)), guest)
        for test, kind in without.items():
            kinds[kind].append(f"{test}\n    natively: {' '.join(native(()).answers[test])}\n    in the guest: the server ended itself")
        figures = ", ".join(f"{len(names)} {kind}" for kind, names in kinds.items() if names) or "no tests"
        seconds = f" ({native(()).seconds:.0f} s natively, {guest.seconds:.0f} s in the guest with {number_of(cpus)})"
        print(f"{unit}: {figures}{seconds * (not only_left_out)}", flush=True)
        if kinds["differing"]:
            print("\n".join(["", *kinds["differing"], "the guest's log ends so:", "".join(guest.log[-10:])]), flush=True)
        yield cpus, kinds


def summary(cpus, units):
    """Prints it; whether all is well."""
    total = {kind: [x for unit in units.values() for x in unit[kind]] for kind in ("fork", "explained", "failing", "differing", "equal")}
    for kind in ("fork", "explained", "failing", "differing"):
        if total[kind]:
            print("\n  ".join([f"{kind}:", *total[kind]]))
    ran = sum(any(names for kind, names in unit.items() if kind != "left out") for unit in units.values())
    print(f"redis's own tests, {number_of(cpus)}: {ran} units ran of {len(units)}; {len(total['equal'])} tests ok on both sides, "
          f"{len(total['failing'])} failing on both, {len(total['fork'])} need fork, {len(total['explained'])} differ for a known reason, "
          f"{len(total['differing'])} differ", flush=True)
    return total["equal"] and not total["differing"]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("yolk")
    options.add_argument("-c", "--cpus", type=int, action="append")
    options.add_argument("units", nargs="*")
    options = options.parse_intermixed_args()
    counts = options.cpus or [1]
    sources = [HERE / x for x in ("redis_own.py", "redis_server.py")]
    agreed = {} if options.units else Agreed(options.yolk, "redis", *sources)
    found = {cpus: {} for cpus in counts}
    with tempfile.TemporaryDirectory(prefix="yolk-redis-") as scratch:
        tests = pathlib.Path(scratch)
        make_tests(program("redis-server").parent, tests)
        named = subprocess.run(["tclsh", "tests/test_helper.tcl", "--list-tests"], cwd=tests, stdout=subprocess.PIPE, text=True, check=True)
        units = options.units or named.stdout.split()
        for number, unit in enumerate(units, 1):
            todo = [cpus for cpus in counts if f"{unit} {cpus}" not in agreed]
            for cpus in set(counts) - set(todo):
                found[cpus][unit] = agreed[f"{unit} {cpus}"]
            if not todo:
                print(f"[{number}/{len(units)}] {unit}: agreed before", flush=True)
                continue
            print(f"[{number}/{len(units)}] ", end="")
            for cpus, kinds in compare_unit(options.yolk, tests, unit, todo):
                found[cpus][unit] = kinds
                if not kinds["differing"]:
                    agreed[f"{unit} {cpus}"] = kinds
    return 0 if all([summary(cpus, found[cpus]) for cpus in counts]) else 1


if __name__ == "__main__":
    sys.exit(main())
