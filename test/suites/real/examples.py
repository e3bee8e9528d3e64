#!/usr/bin/python3
"""examples.py YOLK: the example redis, started as its README says but on a free port, serves this machine."""
import contextlib
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

from redis_server import Client, free_port

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "userland/examples"


@contextlib.contextmanager
def example(yolk, name, scratch):
    """Its command line is the second line of README."""
    words = shlex.split((EXAMPLES / name / "README").read_text().splitlines()[1])
    port = free_port()
    words[0], words[words.index("-p") + 1] = yolk, f"{port}:{words[words.index('-p') + 1].partition(':')[2]}"
    log = open(f"{scratch}.log", "w+b")
    p = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield port
    finally:
        p.terminate()
        p.wait(60)
        log.seek(0)
        print(log.read().decode(errors="replace")[-800:])
        log.close()


def answer(ask):
    """The first answer: QEMU accepts connections long before the guest listens, and drops them."""
    end = time.monotonic() + 600
    while True:
        try:
            return ask()
        except (OSError, EOFError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def redis(yolk, scratch):
    with example(yolk, "redis", scratch) as port:
        assert answer(lambda: Client(port)("ping")) == "PONG"
        client = Client(port)
        assert client("set", "key", "value") == "OK" and Client(port)("get", "key") == "value"


def main():
    with tempfile.TemporaryDirectory(prefix="yolk-examples-") as scratch:
        for name in sys.argv[2:] or ("redis",):
            {"redis": redis}[name](sys.argv[1], f"{scratch}/{name}")
            print(f"the example {name} serves")
    return 0


if __name__ == "__main__":
    sys.exit(main())
