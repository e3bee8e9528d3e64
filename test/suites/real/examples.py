#!/usr/bin/python3
"""examples.py YOLK NAME[=REQUESTS]...: examples that are built from what others wrote, started as their READMEs say but on
a free port, serve this machine."""
import contextlib
import http.client
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile
import threading
import time

from redis_server import Client, free_port

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "userland/examples"


@contextlib.contextmanager
def example(yolk, name, scratch, *options):
    """Its command line is the second line of README, and more options."""
    words = shlex.split((EXAMPLES / name / "README").read_text().splitlines()[1])
    port = free_port()
    words[0], words[words.index("-p") + 1] = yolk, f"{port}:{words[words.index('-p') + 1].partition(':')[2]}"
    words[2:2] = options
    log = open(f"{scratch}.log", "w+b")
    p = subprocess.Popen(words, cwd=EXAMPLES.parents[1], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
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


def redis(yolk, scratch, _):
    with example(yolk, "redis", scratch) as port:
        assert answer(lambda: Client(port)("ping")) == "PONG"
        client = Client(port)
        assert client("set", "key", "value") == "OK" and Client(port)("get", "key") == "value"


def ask(port, path, method="GET", body=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        c.request(method, path, body)
        r = c.getresponse()
        return r.status, r.read()
    finally:
        c.close()


def webapp(yolk, scratch, _):
    with example(yolk, "webapp", scratch) as port:
        assert answer(lambda: ask(port, "/")) == (200, b"notes are at /notes\n")
        texts = ["one", "", "zwei \u00fc", "x" * 100000]
        for k, text in enumerate(texts):
            status, body = ask(port, "/notes", "POST", text.encode())
            assert (status, json.loads(body)) == (201, {"id": k + 1, "text": text})
        assert ask(port, "/notes/3", "DELETE")[0] == 200 and ask(port, "/notes/3")[0] == 404
        assert ask(port, "/notes/x")[0] == 404 and ask(port, "/notes", "PUT")[0] == 405
        assert [n["text"] for n in json.loads(ask(port, "/notes")[1])] == texts[:2] + texts[3:]


def pages():
    """Files of many sizes, around those at which something changes."""
    sizes = [0, 1, 100, 1459, 1460, 1461, 4095, 4096, 4097, 32768, 65535, 65536, 200000]
    return {f"/{n}.txt": bytes((i * 7 + (i >> 8) + n) & 255 for i in range(n)) for n in sizes}


def client(port, files, requests, number, wrong):
    """Every other one keeps its connection; the others make one for every 10 requests."""
    names, c = sorted(files), http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for k in range(requests):
        name = names[(k * 5 + number) % len(names)]
        try:
            c.request("GET", name, headers={} if k % 3 or not files[name] else {"Range": f"bytes={k % len(files[name])}-"})
            r = c.getresponse()
            start = k % len(files[name]) if r.status == 206 else 0
            if r.status not in (200, 206) or r.read() != files[name][start:]:
                wrong.append(f"client {number}: request {k}: {name}: status {r.status}, or wrong bytes")
        except OSError as error:
            wrong.append(f"client {number}: request {k}: {name}: {error!r}")
        if wrong:
            return
        if number % 2 and k % 10 == 9:
            c.close()


def nginx(yolk, scratch, requests):
    files, share = pages(), pathlib.Path(scratch)
    share.mkdir()
    for name, data in files.items():
        (share / name[1:]).write_bytes(data)
    with example(yolk, "nginx", scratch, "-v", f"{share}:/www/files:ro") as port:
        index = (EXAMPLES / "nginx/root/www/index.html").read_bytes()
        assert answer(lambda: ask(port, "/")) == (200, index) and ask(port, "/nothing")[0] == 404
        files = {f"/files{name}": data for name, data in files.items()}
        files["/"] = index
        wrong, begin = [], time.monotonic()
        clients = [threading.Thread(target=client, args=(port, files, requests // 8, n, wrong)) for n in range(8)]
        for c in clients:
            c.start()
        for c in clients:
            c.join()
        assert not wrong, wrong[0]
        print(f"nginx: {requests // 8 * 8} requests, every byte right, in {time.monotonic() - begin:.0f} s")


def main():
    with tempfile.TemporaryDirectory(prefix="yolk-examples-") as scratch:
        for word in sys.argv[2:]:
            name, _, requests = word.partition("=")
            {"redis": redis, "webapp": webapp, "nginx": nginx}[name](sys.argv[1], f"{scratch}/{name}", int(requests or 2000))
            print(f"the example {name} serves")
    return 0


if __name__ == "__main__":
    sys.exit(main())
