#!/usr/bin/python3
"""yolk bench: Yolk and Linux guests side by side, in one run.

Every figure is taken in turn (Yolk, Linux, Yolk, Linux, ...) under the same QEMU flags with the same static program as
the first program of each kernel, so that whatever else the machine does hits all of them alike: trust the ratios.
Instruction counts come from QEMU's -icount and no neighbour can disturb them.
"""
import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile

import guest
import network
import report
import targets

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SECTIONS = ("size", "boot", "growth", "memory", "instructions", "operations", "go", *network.SECTIONS)
OPS_END = r"^create_unlink .*\n"  # the last of ops all, to its end
GO_BENCHMARKS = {
    "runtime": "ChanNonblocking|ChanUncontended|ChanContended|ChanSync|ChanProdCons0|SelectUncontended|"
               "CreateGoroutines|PingPongHog|MallocLarge|GoroutineProfile",
    "sync": "MutexUncontended|Mutex|MutexSlack|RWMutexUncontended|CondVar",
    "time": "AfterFunc|After|Stop|SimultaneousAfterFunc|Ticker",
}


def note(text):
    """Progress, for a person who waits."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def fail(text):
    note("")
    sys.stderr.write(f"yolk: {text}\n")
    sys.exit(125)


def run(command, **kwargs):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)
    if done.returncode:
        fail(f"failed: {' '.join(command)}\n{done.stdout[-2000:]}")
    return done.stdout


class Bench:
    def __init__(self, options, work):
        self.options = options
        self.work = work
        self.results = {}
        self.sections = []
        self.plot_rows = []
        self.overview = []
        self.guests = self._guests()
        names = [g.name for g in self.guests]
        self.reference = "micro" if "micro" in names else "deb" if "deb" in names else None

    # --- what is compared ---

    def _guests(self):
        note("building the release kernel")
        kernel = self.options.kernel
        if not kernel:
            release = os.path.join(ROOT, "build", "release")
            run(["cmake", "--preset", "release"], cwd=ROOT)
            run(["ninja", "-C", release, "yolk.elf"])
            kernel = os.path.join(release, "yolk.elf")
        self.kernel = self.path("yolk.elf")
        run(["strip", "-o", self.kernel, kernel])
        guests = [guest.yolk(self.kernel)]
        for name in ("deb", "micro"):
            if getattr(self.options, name):
                note(f"Linux guest {name}: fetching or building it, if that was never done")
                done = subprocess.run([os.path.join(HERE, "linux_guest.sh"), name], stdout=subprocess.PIPE, text=True)
                if done.returncode:
                    fail(f"no Linux guest {name}")
                guests.append(guest.linux(name, done.stdout.strip()))
        return guests

    def path(self, name):
        return os.path.join(self.work, name)

    @staticmethod
    def note(text):
        note(text)

    @staticmethod
    def build(command):
        """What `command` has to say, which makes a static program or a tool."""
        return run(command, cwd=HERE, env={**os.environ, "CGO_ENABLED": "0"})

    def program(self, name, command):
        """Builds a program with `command` + [output, source] and packs it: (path, archive)."""
        path = self.path(name)
        if not os.path.exists(path):
            self.build(command)
        return guest.initrd(path, path + ".cpio")

    def c_program(self, name, source):
        return self.program(name, ["musl-gcc", "-static", "-O2", "-o", self.path(name), os.path.join(ROOT, source),
                                   "-lpthread"])

    def boots(self, what, commands, until, runs, timeout=120):
        """Boots each of {name: command} `runs` times in turn: {name: [Run]}."""
        done = {name: [] for name in commands}
        for i in range(runs):
            for name, command in commands.items():
                note(f"{what}: {name}, run {i + 1} of {runs}")
                one = guest.Run(command, until, timeout)
                if one.ok:
                    done[name].append(one)
                else:
                    sys.stderr.write(f"yolk: {what}: {name} did not finish; its last output:\n{one.tail()}\n")
        note("")
        return done

    def add(self, section, figures):
        self.sections.append(section)
        self.results[section["title"]] = figures
        print(report.as_text(section), flush=True)

    # --- sections ---

    def size(self):
        kib = os.path.getsize(self.kernel) / 1024
        self.overview.append(("Kernel image, KiB", {g.name: os.path.getsize(g.kernel) / 1024 for g in self.guests}))
        self.add(report.table("Kernel image, stripped", ["kernel", "KiB", "bar", ""],
                              [[g.name, report.number(os.path.getsize(g.kernel) / 1024),
                                targets.IMAGE_KIB if g.name == "yolk" else "",
                                report.verdict(kib, targets.IMAGE_KIB) if g.name == "yolk" else ""]
                               for g in self.guests]), {"yolk_kib": kib})

    def _floor(self):
        path = self.path("floor")
        run(["nasm", "-f", "elf32", "-o", path + ".o", os.path.join(HERE, "floor.asm")])
        run(["ld", "-m", "elf_i386", "-Ttext=0x100000", "-N", "-o", path, path + ".o"])
        return guest.floor(path)

    def boot(self):
        hello = self.c_program("hello", "userland/examples/hello/hello.c")
        go_hello = self.program("go-hello", ["go", "build", "-o", self.path("go-hello"),
                                             os.path.join(ROOT, "userland/examples/hello-go/main.go")])
        floor = self._floor()
        figures = {}
        for machine, (floor_bar, linux_bar) in targets.BOOT.items():
            commands = {"floor": floor.command(None, machine=machine)}
            for g in self.guests:
                commands[g.name] = g.command(hello, machine=machine)
                commands[g.name + " (Go)"] = g.command(go_hello, machine=machine)
            done = self.boots(f"boot on {machine}", commands, "hello", self.options.runs)
            rows, seconds = [], {n: report.spread([r.seconds for r in v]) for n, v in done.items() if v}
            for name, s in seconds.items():
                ratio = s["median"] / seconds["floor"]["median"]
                rows.append([name, f"{s['median']:.3f}", f"{s['min']:.3f}–{s['max']:.3f}", f"{ratio:.2f}",
                             f"{floor_bar} {report.verdict(ratio, floor_bar)}" if name == "yolk" else ""])
            figures[machine] = seconds
            if machine == "microvm":
                self.overview.append(("From QEMU's start to a C program's first byte, s",
                                      {g.name: seconds[g.name]["median"] for g in self.guests if g.name in seconds}))
            if self.reference in seconds:
                ratio = seconds["yolk"]["median"] / seconds[self.reference]["median"]
                self.plot_rows.append((f"boot, {machine}", ratio, linux_bar))
            self.add(report.table(f"QEMU's start to the program's first byte, {machine}",
                                  ["kernel", "s", "min–max", "x floor", "bar"], rows), seconds)
        return figures

    def growth(self):
        """Does a larger machine take longer to boot, by more than QEMU itself takes for it?"""
        hello = self.c_program("hello", "userland/examples/hello/hello.c")
        floor, ours = self._floor(), self.guests[0]
        commands = {}
        for memory, cpus in [(m, 1) for m in ("64M", "256M", "1G", "8G")] + [("256M", c) for c in (2, 4, 8)]:
            commands[memory, cpus, "floor"] = floor.command(None, memory=memory, cpus=cpus)
            commands[memory, cpus, "yolk"] = ours.command(hello, memory=memory, cpus=cpus)
        done = self.boots("growth", commands, "hello", self.options.runs)
        seconds = {what: report.spread([r.seconds for r in v]) for what, v in done.items() if v}
        work = {what: min(r.cpu_seconds for r in v) for what, v in done.items() if v}
        rows = []
        for (memory, cpus, name), yolk in seconds.items():
            least = seconds.get((memory, cpus, "floor"))
            if name == "yolk" and least:
                more = work[memory, cpus, "yolk"] - work[memory, cpus, "floor"]
                rows.append([memory, cpus, f"{least['median']:.3f}", f"{yolk['median']:.3f}", f"{more * 1000:.0f}"])
        self.add(report.table("The same on larger and smaller machines, microvm",
                              ["memory", "CPUs", "floor, s", "yolk, s", "CPU time above the floor's, fastest runs, ms"],
                              rows), {f"{memory} {cpus} {name}": s for (memory, cpus, name), s in seconds.items()})

    def memory(self):
        hello = self.c_program("hello", "userland/examples/hello/hello.c")
        rows, figures = [], {}
        empty = guest.Run(self._floor().command(None), "hello", 30).peak_kib
        for g in self.guests:
            peak = guest.Run(g.command(hello), "hello", 60).peak_kib
            figures[g.name] = {"least_mib": self._least(g, hello), "rss_mib": (peak - empty) / 1024}
            is_ours = g.name == "yolk"
            rows.append([g.name, figures[g.name]["least_mib"], targets.LEAST_MIB if is_ours else "",
                         f"{figures[g.name]['rss_mib']:.1f}", targets.RSS_MIB if is_ours else ""])
        self.overview.append(("Least memory for it, MiB", {n: f["least_mib"] for n, f in figures.items()}))
        self.add(report.table("Memory for a C hello, MiB", ["kernel", "least -m", "bar", "QEMU above empty", "bar"],
                              rows), figures)

    def _least(self, g, archive):
        def works(mib):
            note(f"memory: {g.name} with {mib} MiB")
            return guest.Run(g.command(archive, memory=f"{mib}M"), "hello", 10).ok
        return self.bisect(works)

    @staticmethod
    def bisect(works):
        """The least number of MiB that works(MiB) is true of."""
        low, high = 1, 256
        while high - low > 1:
            middle = (low + high) // 2
            if works(middle):
                high = middle
            else:
                low = middle
        note("")
        return high

    def instructions(self):
        ops = self.c_program("ops", "test/bench/ops.c")
        commands = {g.name: g.command(ops, args=["all"], icount=True) for g in self.guests}
        done = self.boots("instructions", commands, OPS_END, 1, timeout=600)
        counts = {n: v[0].values() for n, v in done.items() if v}
        rows = []
        for name, count in counts.get("yolk", {}).items():
            bar = targets.OPERATIONS.get(name, (None, None))[1]
            rows.append([name, *(report.number(counts.get(g.name, {}).get(name)) for g in self.guests),
                         bar or "", report.verdict(count, bar)])
        self.add(report.table("Guest instructions per operation", ["operation", *(g.name for g in self.guests), "bar", ""],
                              rows), counts)

    def operations(self):
        ops = self.c_program("ops", "test/bench/ops.c")
        for cpus in (1, 4):
            commands = {g.name: g.command(ops, args=["all"], cpus=cpus) for g in self.guests}
            done = self.boots(f"operations, {cpus} CPUs", commands, OPS_END, self.options.runs, timeout=600)
            figures = {n: {} for n in commands}
            for name, runs in done.items():
                for op in runs[0].values() if runs else ():
                    figures[name][op] = report.spread([r.values()[op] for r in runs if op in r.values()])
            rows = []
            for op, ours in figures["yolk"].items():
                theirs = figures.get(self.reference, {}).get(op)
                ratio = ours["median"] / theirs["median"] if theirs else None
                bar = targets.OPERATIONS.get(op, (None, None))[0] if cpus == 1 and self.reference == "micro" else None
                if ratio:
                    self.plot_rows.append((op if cpus == 1 else f"{op}, {cpus} CPUs", ratio, bar))
                rows.append([op, *(report.number(figures[g.name][op]["median"]) if op in figures[g.name] else "–"
                                   for g in self.guests), f"{report.number(ours['min'])}–{report.number(ours['max'])}",
                             f"{ratio:.2f}" if ratio else "–", bar or "", report.verdict(ratio, bar)])
            self.add(report.table(f"Nanoseconds per operation, {cpus} CPU{'s' * (cpus > 1)}",
                                  ["operation", *(g.name for g in self.guests), "yolk's min–max",
                                   f"ratio to {self.reference}", "bar", ""], rows), figures)

    def go(self):
        for package, pattern in GO_BENCHMARKS.items():
            # The tests of time look for a zone before anything else.
            archive = self.program(f"go-{package}", ["go", "test", "-c", "-tags=timetzdata", "-o", self.path(f"go-{package}"),
                                                     package])
            args = ["-test.run=^$", f"-test.bench=^Benchmark({pattern})$", "-test.benchtime=200ms"]
            for cpus in (1, 4):
                commands = {g.name: g.command(archive, args=args, cpus=cpus, memory="1G") for g in self.guests}
                done = self.boots(f"Go's {package}, {cpus} CPUs", commands, r"^PASS\r?$", min(self.options.runs, 3),
                                  timeout=600)
                figures = {name: self._go_figures(runs) for name, runs in done.items()}
                rows = []
                for name, ours in figures["yolk"].items():
                    theirs = figures.get(self.reference, {}).get(name)
                    ratio = ours["median"] / theirs["median"] if theirs else None
                    if ratio:
                        self.plot_rows.append((f"Go {name}, {cpus}", ratio, None))
                    rows.append([name, *(report.number(figures[g.name][name]["median"]) if name in figures[g.name] else "–"
                                         for g in self.guests),
                                 f"{report.number(ours['min'])}–{report.number(ours['max'])}",
                                 f"{ratio:.2f}" if ratio else "–"])
                self.add(report.table(f"Go's own benchmarks of {package}, ns, {cpus} CPU{'s' * (cpus > 1)}",
                                      ["benchmark", *(g.name for g in self.guests), "yolk's min–max",
                                       f"ratio to {self.reference}"], rows), figures)

    @staticmethod
    def _go_figures(runs):
        values = {}
        for one in runs:
            text = one.output.decode(errors="replace")
            for name, ns in re.findall(r"^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op", text, re.M):
                values.setdefault(name, []).append(float(ns))
        return {name: report.spread(v) for name, v in values.items()}


def machine_line():
    model = "unknown CPU"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    qemu = run([guest.QEMU, "--version"]).splitlines()[0]
    return f"{os.cpu_count()} CPUs ({model}), {qemu}, host Linux {platform.release()}"


def write_results(bench, options):
    when = datetime.date.today().isoformat()
    if options.json:
        with open(options.json, "w") as f:
            json.dump({"date": when, "machine": machine_line(), "results": bench.results}, f, indent=1)
    plot = report.as_plot(f"Yolk's time as a ratio to Linux's ({bench.reference})", bench.plot_rows)
    if options.svg:
        with open(options.svg, "w") as f:
            f.write(plot)
    if options.save:
        docs = os.path.join(ROOT, "docs")
        with open(os.path.join(docs, "benchmarks.svg"), "w") as f:
            f.write(plot)
        with open(os.path.join(docs, "overview.svg"), "w") as f:
            f.write(report.as_overview(bench.overview))
        path = os.path.join(docs, "BENCHMARKS.md")
        with open(path) as f:
            head = f.read().split("## The last run", 1)[0]
        with open(path, "w") as f:
            f.write(head + f"## The last run\n\n{when}; {machine_line()}; load average "
                    f"{os.getloadavg()[1]:.1f}.\n\n![ratios to Linux](benchmarks.svg)\n\n"
                    + "\n".join(report.as_markdown(s) for s in bench.sections))


def main():
    parser = argparse.ArgumentParser(prog="yolk bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"only these: {', '.join(SECTIONS)}; or net: {', '.join(network.SECTIONS)}")
    parser.add_argument("--micro", action="store_true",
                        help="also the smallest Linux, built once from Debian's linux-source (some minutes)")
    parser.add_argument("--no-deb", dest="deb", action="store_false", help="without Debian's cloud kernel")
    parser.add_argument("--runs", type=int, default=5, help="boots of each (default %(default)s)")
    parser.add_argument("--seconds", type=int, default=5, help="of each load on the network (default %(default)s)")
    parser.add_argument("--kernel", metavar="FILE", help="this Yolk kernel instead of the release build")
    parser.add_argument("--json", metavar="FILE", help="all figures, for programs")
    parser.add_argument("--svg", metavar="FILE", help="a plot of the ratios")
    parser.add_argument("--save", action="store_true", help="put the run into docs/BENCHMARKS.md")
    options = parser.parse_args()
    names = [n for name in options.names or SECTIONS for n in (network.SECTIONS if name == "net" else [name])]
    for name in names:
        if name not in SECTIONS:
            parser.error(f"there is no benchmark '{name}'; there are net, {', '.join(SECTIONS)}")
    if options.save and (options.names or not options.micro):
        parser.error("--save writes the whole page: it goes with --micro, and without a NAME")
    with tempfile.TemporaryDirectory(prefix="yolk-bench-") as work:
        bench = Bench(options, work)
        print(machine_line() + "\n")
        net = network.Network(bench)
        for name in names:
            if name in network.SECTIONS:
                net.run(name)
            else:
                getattr(bench, name)()
        write_results(bench, options)


if __name__ == "__main__":
    main()
