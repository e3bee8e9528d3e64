"""A Redis server, native or in the guest, and a client for it that speaks the protocol."""
import contextlib
import functools
import pathlib
import socket
import subprocess
import threading

HERE = pathlib.Path(__file__).resolve().parent
OPTIONS = ["--save", "", "--protected-mode", "no", "--enable-debug-command", "yes", "--dir", "/tmp"]


@functools.cache
def program(name):
    built = subprocess.run([HERE / "build.sh", name], stdout=subprocess.PIPE, check=True)
    return pathlib.Path(built.stdout.decode().strip())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def serving(yolk, scratch, seconds, cpus=1, log=None):
    """A server's port on this machine: of one in the guest, or of a native one when there is no YOLK.

    What it logs is added to LOG, all of it by the end.
    """
    port, server = free_port(), str(program("redis-server"))
    if yolk:
        command = [yolk, "run", "-c", str(cpus), "-m", "512M", "-w", "/tmp", "--timeout", str(seconds), "-p", f"{port}:6379", server,
                   *OPTIONS]
    else:
        command = [server, "--port", str(port), *OPTIONS[:-1], scratch]
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=scratch)
    log = [] if log is None else log
    for line in p.stdout:
        log.append(line.decode(errors="replace"))
        if b"Ready to accept" in line:
            break
    else:
        raise RuntimeError("the server did not start:\n" + "".join(log))
    # Its log goes on: somebody has to read it.
    reader = threading.Thread(target=lambda: log.extend(x.decode(errors="replace") for x in p.stdout), daemon=True)
    reader.start()
    try:
        yield port
    except Exception as error:
        raise RuntimeError(f"{error}\nthe server's log ends so:\n" + "".join(log[-20:])) from error
    finally:
        p.terminate()
        p.wait(60)
        reader.join(60)


class Client:
    """Replies come as str, int, None, list, or "-ERROR"."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 120)
        self.file = self.socket.makefile("rb")

    def send(self, *words):
        parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in parts))

    def reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return "-" + rest.decode()
        if kind == b":":
            return int(rest)
        n = int(rest)
        if n < 0:
            return None
        if kind == b"*":
            return [self.reply() for _ in range(n)]
        return self.file.read(n + 2)[:-2].decode("latin-1")

    def __call__(self, *words):
        self.send(*words)
        return self.reply()
