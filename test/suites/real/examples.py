#!/usr/bin/python3
"""examples.py YOLK: the examples redis and nginx, started as their READMEs say but on a free port, serve this machine."""
import contextlib
import http.client
import pathlib
import random
import shlex
import shutil
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
    if "--root" in words:
        words[words.index("--root") + 1] = scratch
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
        except (OSError, EOFError, http.client.HTTPException):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def redis(yolk, scratch):
    with example(yolk, "redis", scratch) as port:
        assert answer(lambda: Client(port)("ping")) == "PONG"
        client = Client(port)
        assert client("set", "key", "value") == "OK" and Client(port)("get", "key") == "value"


def nginx(yolk, scratch):
    shutil.copytree(EXAMPLES / "nginx/root", scratch)
    data = random.Random(3).randbytes(3 << 20)
    pathlib.Path(scratch, "nginx/html/data.bin").write_bytes(data)
    page = (EXAMPLES / "nginx/root/nginx/html/index.html").read_bytes()
    with example(yolk, "nginx", scratch) as port:

        def get(path, client=None, **headers):
            client = client or http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            client.request("GET", path, headers=headers)
            reply = client.getresponse()
            return reply.status, reply.read()

        assert answer(lambda: get("/")) == (200, page)
        for _ in range(20):  # a connection each
            assert get("/", Connection="close") == (200, page)
        keep = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for i in range(500):
            assert get("/index.html", keep) == (200, page), i
        assert get("/nothing", keep)[0] == 404
        assert get("/data.bin", keep) == (200, data)
        for start in (0, 1, 1 << 20, len(data) - 1):
            assert get("/data.bin", keep, Range=f"bytes={start}-{start + 70000}") == (206, data[start:start + 70001])


def main():
    with tempfile.TemporaryDirectory(prefix="yolk-examples-") as scratch:
        for name in sys.argv[2:] or ("redis", "nginx"):
            {"redis": redis, "nginx": nginx}[name](sys.argv[1], f"{scratch}/{name}")
            print(f"the example {name} serves")
    return 0


if __name__ == "__main__":
    sys.exit(main())
