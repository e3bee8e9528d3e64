"""The tests of one package on one side, natively or in the guest: names and outcomes, whatever happens on the way.

A test that ends the process (a panic, a signal, no answer in time) takes with it those that were to come; they are run
again without it, so that every test has an outcome of its own: PASS, FAIL, SKIP or DIED.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
STARTED = re.compile(r"=== RUN +(\S+)")
ENDED = re.compile(r"--- (PASS|FAIL|SKIP): (\S+) \(\d+\.\d+s\)")
VERDICT = re.compile(r"^(PASS|FAIL)$", re.MULTILINE)
POINTER = re.compile(r"0x[0-9a-f]{6,}")  # in a subtest's name: another in every run
ARGUMENTS_MAX = 2400  # bytes of names in one -test.run: a machine's boot line holds 4 KiB
FLAGS = ["-test.short", "-test.v"]
# The program dies with this one, however that ends: `unshare` and `yolk run` kill theirs in turn.
LEASH = ["setpriv", "--pdeathsig", "KILL", "--"]


class Run:
    """What one process printed, and how it ended."""

    def __init__(self, status, text, error, seconds):
        self.status, self.text, self.error, self.seconds = status, text, error, seconds
        text = POINTER.sub("0x...", text)
        self.started = list(dict.fromkeys(STARTED.findall(text)))
        self.outcomes = {}
        for outcome, name in ENDED.findall(text):
            if name in self.started:  # else it is what a test printed
                self.outcomes[name] = outcome
        self.unfinished = [n for n in self.started if n not in self.outcomes]
        self.complete = not self.unfinished and bool(VERDICT.search(text))  # it lived to the end


def environment(release):
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
            "GOROOT": release.goroot}


class Native:
    """This machine's Linux, in namespaces of its own with a loopback for network (see native.py)."""

    def __init__(self, release, cpus):
        self.release, self.cpus = release, cpus

    def start(self, tar, program, folder, timeout, memory, arguments):
        command = ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
        if os.geteuid() != 0:
            command.append("--map-root-user")
        if self.cpus == 1:
            command = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] + command
        command += [sys.executable, "-B", str(HERE / "native.py"), tar, folder, program, *FLAGS]
        return command + [f"-test.timeout={timeout}s", *arguments], timeout + 30


class Guest:
    def __init__(self, release, cpus, yolk):
        self.release, self.cpus, self.yolk = release, cpus, yolk

    def start(self, tar, program, folder, timeout, memory, arguments):
        command = [self.yolk, "run", "-c", str(self.cpus), "-m", memory, "--root", tar, "-w", folder,
                   "--net", "none", "--timeout", str(timeout + 60)]
        for name, value in environment(self.release).items():
            command += ["-e", f"{name}={value}"]
        return command + [program, *FLAGS, f"-test.timeout={timeout}s", *arguments], timeout + 30


class Stopped(RuntimeError):
    """The suite ends: what this run saw means nothing."""


class Programs:
    """Those that run now; from stop() on there are none, and none is started."""

    def __init__(self):
        self.lock, self.running, self.stopped = threading.Lock(), set(), False

    def start(self, command, env, out, err):
        with self.lock:
            if self.stopped:
                raise Stopped()
            # A session of its own: Ctrl-C is for the suite, which then kills it.
            program = subprocess.Popen(LEASH + command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env,
                                       start_new_session=True)
            self.running.add(program)
            return program

    def ended(self, program):
        with self.lock:
            self.running.discard(program)
            if self.stopped:
                raise Stopped()

    def stop(self):
        with self.lock:
            self.stopped = True
            for program in self.running:
                program.kill()


PROGRAMS = Programs()
stop = PROGRAMS.stop


def finish(program, limit, guest):
    """Waits for it to end; a guest that does not is asked for a dump of its threads before it is killed."""
    for seconds in (limit, 60):
        try:
            return program.wait(seconds)
        except subprocess.TimeoutExpired:
            if not guest:
                break
            program.send_signal(signal.SIGUSR1)
    program.kill()
    program.wait()
    return 124


def run_once(side, tar, program, folder, timeout, memory, arguments):
    """Runs it with its output in files beside the archive, where one may look while it runs."""
    command, limit = side.start(tar, program, folder, timeout, memory, arguments)
    guest = isinstance(side, Guest)
    begun = time.monotonic()
    paths = [pathlib.Path(tar).with_name(f"{'guest' if guest else 'native'}.{n}") for n in ("out", "err")]
    with open(paths[0], "wb") as out, open(paths[1], "wb") as err:
        running = PROGRAMS.start(command, dict(os.environ) if guest else environment(side.release), out, err)
        try:
            status = finish(running, limit, guest)
        finally:
            PROGRAMS.ended(running)
    out, err = (path.read_text(encoding="utf-8", errors="replace") for path in paths)
    return Run(status if status >= 0 else 124, out, err, time.monotonic() - begun)


def chunks(names):
    """Patterns for -test.run that name all of them, each short enough for a boot line (a bar counts three)."""
    part, size = [], 0
    for name in names:
        if part and size + len(name) + 3 > ARGUMENTS_MAX:
            yield part
            part, size = [], 0
        part.append(name)
        size += len(name) + 3
    if part:
        yield part


class Outcomes:
    """All tests of one package on one side."""

    def __init__(self):
        self.of = {}
        self.status = 0
        self.seconds = 0.0
        self.log = []

    def add(self, run):
        self.of.update(run.outcomes)
        self.status = max(self.status, run.status)
        self.seconds += run.seconds
        self.log.append(f"{run.text}\n[status {run.status}, {run.seconds:.1f} s] standard error:\n{run.error}\n")

    def lacks(self, names):
        return [n for n in names if n not in self.of]


def top_level(names):
    return list(dict.fromkeys(n.split("/")[0] for n in names))


def run_package(start, names, timeout, memory):
    """Runs all of them, and on until each of `names` (top-level tests; None: whatever is there) has an outcome.

    `start(timeout, memory, arguments)` runs the test binary once.
    """
    outcomes = Outcomes()
    run = start(timeout, memory, [])
    outcomes.add(run)
    if not run.started:  # it ended before the first test: so it would for each of them
        return outcomes
    if names is None and not run.complete:
        listed = start(timeout, memory, ["-test.list=^(Test|Example|Fuzz)"])
        names = [n for n in listed.text.split() if re.match(r"(Test|Example|Fuzz)", n)]
    while True:
        run_suspects(start, outcomes, top_level(run.unfinished), timeout, memory)
        part = next(chunks(outcomes.lacks(names or [])), None)
        if not part:
            return outcomes
        run = start(timeout, memory, [f"-test.run=^({'|'.join(part)})$"])
        outcomes.add(run)
        if run.complete or not run.started:  # those that it did not run are not run by any such command
            names = [n for n in names if n not in part or n in outcomes.of or n in run.started]


def run_suspects(start, outcomes, suspects, timeout, memory):
    """One of `suspects` ended the process: alone, each of them ends as it would without its neighbours."""
    for name in suspects:
        if len(suspects) > 1:
            run = start(timeout, memory, [f"-test.run=^{name}$"])
            outcomes.add(run)
            outcomes.of.update({n: "DIED" for n in run.unfinished})
        else:
            outcomes.of[name] = "DIED"
