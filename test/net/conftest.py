"""What the tests of the network share: guests, the program `peer` in them, and here."""
import contextlib
import pathlib
import os
import signal
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("YOLK_BUILD", ROOT / "build"))
YOLK = str(BUILD / "userland/yolk/yolk")
PEER = str(BUILD / "test/net/peer")
# The same tests by hand, for longer: `yolk test suites net`.
SECONDS = int(os.environ.get("YOLK_NET_SECONDS", "0"))


class Guest:
    """`yolk run` with what it prints.  It must end with status 0, with all its memory back."""

    def __init__(self, *args, check=True, preload=None):
        options = ["--leak-check"] if check else []
        self.process = subprocess.Popen([YOLK, "run", "--timeout", str(120 + 2 * SECONDS), *options, *map(str, args)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env={**os.environ, **({"LD_PRELOAD": str(preload)} if preload else {})})
        self.errors = []
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def line(self):
        return self.process.stdout.readline().decode()

    def said(self):
        self.reader.join(1)
        return b"".join(self.errors).decode(errors="replace")

    def listening(self):
        assert "listening" in self.line(), self.said()
        return self

    def end(self, seconds=60):
        """Its output; fails unless its status is 0."""
        out = self.process.stdout.read()
        status = self.process.wait(seconds)
        assert status == 0, f"status {status}, printed {out!r}\n{self.said()}"
        return out.decode()

    def stand_still(self, seconds):
        """The machine's clock goes on, and nothing else."""
        pid = self.process.pid
        machines = [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        for machine in machines:
            os.kill(machine, signal.SIGSTOP)
        time.sleep(seconds)
        for machine in machines:
            os.kill(machine, signal.SIGCONT)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.terminate()
            self.process.wait(30)


@contextlib.contextmanager
def guest(*args, **kwargs):
    g = Guest(*args, **kwargs)
    try:
        yield g
    finally:
        g.stop()
        print(g.said()[-20000:])


def peer(*args, seconds=120):
    """`peer` here, as a client; what it prints."""
    r = subprocess.run([PEER, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds, check=False)
    assert r.returncode == 0, r.stderr.decode()
    return r.stdout.decode()


@pytest.fixture
def short(tmp_path_factory):
    """A folder whose name leaves room for that of a socket."""
    return tmp_path_factory.mktemp("net")
