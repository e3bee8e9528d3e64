#!/usr/bin/python3
"""The Go standard library's own tests in the guest, against the same tests on this machine's Linux.

Every package's test binary runs on both sides in the same small root file system; each test must have the same
outcome, but for those in test/expect.cfg.  What agreed is remembered for as long as the kernel stays the same, so the
suite may be stopped at any moment: the same command goes on.

Exit status: 0 when all of the packages agree; 1 when one differs or was not run; 130 when stopped.
"""
import argparse
import concurrent.futures
import os
import signal
import sys
import time

import case
import expect
import layout
import releases
import sides
import table


def to_do(cases, options, expectations):
    """The cases that are not remembered as agreeing; loads those that are remembered."""
    todo = []
    for one in cases:
        remembered = not options.fresh and one.load(options.older)
        if not (remembered and one.judge(expectations)):
            todo.append(one)
    return todo


class Progress:
    """A line for each package; on a terminal one that changes for those that agree."""

    def __init__(self, total):
        self.total, self.number, self.begun = total, 0, time.monotonic()
        self.terminal = sys.stdout.isatty()

    def show(self, one, good):
        self.number += 1
        if self.terminal:
            print("\r\033[K", end="")
        if not good:
            print(one.report(), flush=True)
        spent = time.monotonic() - self.begun
        line = f"[{self.number}/{self.total}, {spent:.0f} s] {one.name}"
        if self.terminal:
            print(line, end="", flush=True)
        elif good and self.total > 1:
            print(f"{line}: {one.row['tests']} tests, {one.seconds:.1f} s", flush=True)

    def close(self):
        if self.terminal:
            print("\r\033[K", end="", flush=True)


def run_cases(todo, jobs, expectations):
    progress = Progress(len(todo))
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    try:
        for done in concurrent.futures.as_completed([pool.submit(one.run) for one in todo]):
            one = done.result()
            progress.show(one, one.judge(expectations))
    finally:
        # Stopped by a signal: the programs that run are killed, and nothing of them is kept.
        sides.stop()
        pool.shutdown(cancel_futures=True)
        progress.close()


def stop_on_signals():
    def interrupt(number, _frame):
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def parse_options():
    parser = argparse.ArgumentParser(prog="yolk test suites", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", metavar="PACKAGE", nargs="*", help="a package, or a pattern like crypto/...")
    parser.add_argument("-c", "--cpus", type=int, default=1, help="CPUs of the guest (default 1)")
    parser.add_argument("-j", "--jobs", type=int, help="packages at a time (default: one for each CPU the guests use)")
    parser.add_argument("--release", help="one Go release, like 1.19 (default: all that the machine has)")
    parser.add_argument("--goarch", choices=["amd64", "386"], default="amd64", help="what the tests are built for")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs with this kernel saw")
    parser.add_argument("--native", action="store_true", help="ask Linux again, too, for the packages that are run")
    parser.add_argument("--older", action="store_true", help="count what earlier runs with other kernels saw, too")
    parser.add_argument("--table", action="store_true", help="run nothing: judge and print what earlier runs saw")
    parser.add_argument("--summary", action="store_true",
                        help="run nothing: a line for each release, GOARCH and number of CPUs, for docs/TESTING.md")
    parser.add_argument("--yolk", default=str(case.BUILD / "userland/yolk/yolk"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.jobs = options.jobs or max(1, len(os.sched_getaffinity(0)) // options.cpus)
    options.kernel = releases.digest(os.environ.get("YOLK_KERNEL") or case.BUILD / "yolk.elf")
    return options


def cases_of(release, cpus, options):
    chosen = [package for package in release.packages()
              if not options.packages or any(layout.matches(p, package) for p in options.packages)]
    return [case.Case(release, package, cpus, options) for package in chosen]


def summary(found, options, expectations):
    configurations = []
    for goarch in ("amd64", "386"):
        for release in (r.for_arch(goarch) for r in found):
            for cpus in (1, 4):
                cases = cases_of(release, cpus, options)
                todo = to_do(cases, options, expectations)
                configurations.append((release, cpus, cases, todo))
    table.print_summary(configurations)


def main():
    options = parse_options()
    expectations = expect.Expectations("go")
    found = [r for r in releases.find_releases() if options.release in (None, r.number)]
    if not found:
        sys.exit(f"no Go {options.release or ''} on this machine: apt-get install golang-1.19-go golang-1.19-src")
    if options.summary:
        return summary(found, options, expectations)
    cases = [one for r in found for one in cases_of(r.for_arch(options.goarch), options.cpus, options)]
    if not cases:
        sys.exit("no package of that name has tests")
    todo = to_do(cases, options, expectations)
    if len(todo) < len(cases):
        print(f"{len(cases) - len(todo)} of {len(cases)} packages agreed before (--fresh runs them again)", flush=True)
    if not options.table:
        stop_on_signals()
        case.clear_scratch()
        try:
            run_cases(todo, options.jobs, expectations)
        except KeyboardInterrupt:
            print("stopped; the same command goes on", file=sys.stderr)
            return 130
    ran = [c for c in cases if c.problem or c.guest is not None]
    bad = [c for c in ran if not c.judge(expectations)]
    table.print_table(cases)
    if options.table:
        print("\n".join(c.report() for c in bad))
    print(f"{len(ran) - len(bad)} of {len(cases)} packages agree with Linux"
          f" ({options.cpus} CPU{'s' if options.cpus > 1 else ''})")
    return 1 if bad or len(ran) < len(cases) else 0


if __name__ == "__main__":
    sys.exit(main())
