#!/usr/bin/python3
"""The Go standard library's own tests in the guest, against the same tests on this machine's Linux.

Every package's test binary runs on both sides in the same small root file system; each test must have the same
outcome, but for those in test/expect.cfg.  What agreed is remembered for as long as the kernel stays the same.
"""
import argparse
import concurrent.futures
import functools
import json
import os
import pathlib
import sys
import tempfile
import time

import expect
import layout
import releases
import sides

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("YOLK_BUILD") or HERE.parents[2] / "build")


class Case:
    """One package of one release on so many CPUs."""

    def __init__(self, release, package, options):
        self.release, self.package, self.options, self.cpus = release, package, options, options.cpus
        self.name = f"go{release.number} {package}"
        self.kept = options.state / f"go{release.number}-cpus{self.cpus}" / (package.replace("/", ".") + ".json")
        self.native = self.guest = self.problem = None
        self.seconds = 0.0

    def load(self):
        """What an earlier run with this kernel saw; False when there is none."""
        try:
            kept = json.loads(self.kept.read_text())
        except (OSError, ValueError):
            return False
        if kept["kernel"] != self.options.kernel:
            return False
        self.native, self.guest, self.seconds = kept["native"], kept["guest"], kept["seconds"]
        return True

    def run(self):
        try:
            self.run_both()
        except (RuntimeError, OSError) as error:
            self.problem = str(error)
        return self

    def run_both(self):
        settings = layout.settings_of(self.package)
        binary = self.release.binary(self.package)
        with tempfile.TemporaryDirectory(prefix="yolk-go-") as scratch:
            tar = f"{scratch}/root.tar"
            place = layout.write_root(tar, self.release, self.package, binary, settings.needs)
            self.native = self.run_native(tar, place, settings, releases.digest(tar))
            side = sides.Guest(self.release, self.cpus, self.options.yolk)
            names = sides.top_level(self.native["of"])
            done = sides.run_package(functools.partial(sides.run_once, side, tar, *place), names, settings.timeout,
                                     settings.memory)
        self.guest, self.seconds = {"of": done.of, "status": done.status}, done.seconds
        self.kept.parent.mkdir(parents=True, exist_ok=True)
        self.kept.with_suffix(".log").write_text("\n".join(done.log))
        self.kept.write_text(json.dumps({"kernel": self.options.kernel, "native": self.native, "guest": self.guest,
                                         "seconds": self.seconds}))

    def run_native(self, tar, place, settings, digest):
        """The oracle's answer, kept beside the binary: it depends on the root file system and on how it is run."""
        key = digest + releases.digest(HERE / "native.py", HERE / "sides.py")
        kept = self.release.cache / f"native-cpus{1 if self.cpus == 1 else 'all'}" / (
            self.package.replace("/", ".") + ".json")
        if kept.exists():
            native = json.loads(kept.read_text())
            if native["key"] == key:
                return native
        side = sides.Native(self.release, self.cpus)
        done = sides.run_package(functools.partial(sides.run_once, side, tar, *place), None, settings.timeout,
                                 settings.memory)
        if not done.of and done.status not in (0, 1):
            raise RuntimeError(f"the native run failed with status {done.status}:\n{done.log[-1][-2000:]}")
        native = {"key": key, "of": done.of, "status": done.status}
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.with_suffix(".log").write_text("\n".join(done.log))
        kept.write_text(json.dumps(native))
        return native

    def judge(self, expectations):
        """Fills in the figures of the table; True when all is as it should be."""
        self.unexplained, self.idle, self.expected = {}, [], 0
        if self.problem:
            return False
        native, guest = self.native["of"], self.guest["of"]
        differing = expect.differences(native, guest)
        entries = expectations.of(self.package, self.release.number, self.cpus)
        self.unexplained, self.idle = expect.judge(differing, native, entries, expectations.either)
        if not differing and self.native["status"] != self.guest["status"]:
            self.unexplained["(exit status)"] = (str(self.native["status"]), str(self.guest["status"]))
        top = [n for n in native if "/" not in n]
        self.tests, self.passed = len(top), sum(guest.get(n) == "PASS" for n in top)
        self.failed = len({n.split("/")[0] for n in self.unexplained})
        self.expected = len({n.split("/")[0] for n in differing} - {n.split("/")[0] for n in self.unexplained})
        return not self.unexplained and not self.idle

    def report(self):
        if self.problem:
            return f"{self.name}: {self.problem}"
        lines = [f"{self.name}, {self.cpus} CPUs:"]
        for top in sides.top_level(self.unexplained):
            below = [n for n in self.unexplained if n.startswith(top + "/")]
            name = below[0] if below else top
            linux, yolk = self.unexplained[name]
            more = f" (and {len(below) - 1} more of this test)" if len(below) > 1 else ""
            lines.append(f"  {name}: Linux {linux}, Yolk {yolk}{more}")
        lines += [f"  agrees with Linux, but is in expect.cfg: {e.line}" for e in self.idle]
        if self.unexplained:
            lines.append(f"  output: {self.kept.with_suffix('.log')}")
        return "\n".join(lines)


def print_table(cases):
    print(f"\n{'package':40}{'tests':>7}{'pass':>7}{'fail':>7}{'known':>7}{'seconds':>9}")
    total = [0, 0, 0, 0, 0.0]
    for case in cases:
        if case.problem or case.guest is None:
            print(f"{case.name:40}  {'could not be run' if case.problem else 'not run'}")
            continue
        row = [case.tests, case.passed, case.failed, case.expected, case.seconds]
        total = [a + b for a, b in zip(total, row)]
        print(f"{case.name:40}{row[0]:7}{row[1]:7}{row[2]:7}{row[3]:7}{row[4]:9.1f}")
    print(f"{'total: ' + str(len(cases)) + ' packages':40}" + "{:7}{:7}{:7}{:7}{:9.1f}".format(*total))


def run_cases(cases, options, expectations):
    """Runs what is not remembered as agreeing; a line for each package, or one that changes on a terminal."""
    todo = []
    for case in cases:
        remembered = not options.fresh and case.load()
        if not (remembered and case.judge(expectations)):
            todo.append(case)
    if len(todo) < len(cases):
        print(f"{len(cases) - len(todo)} of {len(cases)} packages agreed with this kernel before (--fresh runs them "
              "again)", flush=True)
    if options.table:
        return
    terminal, begun = sys.stdout.isatty(), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for number, done in enumerate(concurrent.futures.as_completed([pool.submit(c.run) for c in todo]), 1):
            case = done.result()
            good = case.judge(expectations)
            if terminal:
                print("\r\033[K", end="")
            if not good:
                print(case.report(), flush=True)
            if terminal:
                print(f"[{number}/{len(todo)}, {time.monotonic() - begun:.0f} s] {case.name}", end="", flush=True)
            elif good and len(cases) > 1:
                print(f"[{number}/{len(todo)}] {case.name}: {case.tests} tests, {case.seconds:.1f} s", flush=True)
    if terminal:
        print("\r\033[K", end="")


def parse_options():
    parser = argparse.ArgumentParser(prog="yolk test suites", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", metavar="PACKAGE", nargs="*", help="a package, or a pattern like crypto/...")
    parser.add_argument("-c", "--cpus", type=int, default=1, help="CPUs of the guest (default 1)")
    parser.add_argument("-j", "--jobs", type=int, help="packages at a time (default: one for each CPU the guests use)")
    parser.add_argument("--release", help="one Go release, like 1.19 (default: all that the machine has)")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs with this kernel saw")
    parser.add_argument("--table", action="store_true", help="run nothing: judge and print what earlier runs saw")
    parser.add_argument("--yolk", default=str(BUILD / "userland/yolk/yolk"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.jobs = options.jobs or max(1, len(os.sched_getaffinity(0)) // options.cpus)
    # What earlier runs saw holds for this kernel, and for this way of running.
    options.kernel = releases.digest(BUILD / "yolk.elf", *(HERE / n for n in ("layout.py", "sides.py", "packages.cfg")))
    options.state = BUILD / "suites" / "go"
    return options


def main():
    options = parse_options()
    expectations = expect.Expectations("go")
    found = [r for r in releases.find_releases() if options.release in (None, r.number)]
    if not found:
        sys.exit(f"no Go {options.release or ''} on this machine: apt-get install golang-1.19-go golang-1.19-src")
    cases = [Case(release, package, options) for release in found for package in release.packages()
             if not options.packages or any(layout.matches(p, package) for p in options.packages)]
    if not cases:
        sys.exit("no package of that name has tests")
    run_cases(cases, options, expectations)
    ran = [c for c in cases if c.problem or c.guest is not None]
    bad = [c for c in ran if not c.judge(expectations)]
    print_table(cases)
    if options.table:
        print("\n".join(case.report() for case in bad))
    print(f"{len(ran) - len(bad)} of {len(cases)} packages agree with Linux"
          f" ({options.cpus} CPU{'s' if options.cpus > 1 else ''})")
    return 1 if bad or len(ran) < len(cases) else 0


if __name__ == "__main__":
    sys.exit(main())
