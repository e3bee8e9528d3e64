"""A Redis server, native or in the guest, and a client for it that speaks the protocol."""
import contextlib
import ctypes
import errno
import functools
import pathlib
import socket
import struct
import subprocess
import threading

HERE = pathlib.Path(__file__).resolve().parent
ENDED = "the server ended itself"
OPTIONS = ["--save", "", "--protected-mode", "no", "--enable-debug-command", "yes", "--dir", "/tmp"]


@functools.cache
def program(name):
    built = subprocess.run([HERE / "build.sh", name], stdout=subprocess.PIPE, check=True)
    return pathlib.Path(built.stdout.decode().strip())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def refuse_fork():
    """For this process and what it executes every fork, but no new thread, answers ENOSYS."""
    load, equal, bits, answer = 0x20, 0x15, 0x45, 0x06  # of classic BPF: a word, jump if equal, jump if bits are set, return
    number, flags, clone, fork, vfork, clone_thread = 0, 16, 56, 57, 58, 0x10000
    refuse, allow = 0x50000 | errno.ENOSYS, 0x7FFF0000
    program_ = [(load, 0, 0, number), (equal, 4, 0, fork), (equal, 3, 0, vfork), (equal, 0, 3, clone),
                (load, 0, 0, flags), (bits, 1, 0, clone_thread), (answer, 0, 0, refuse), (answer, 0, 0, allow)]
    filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *x) for x in program_))
    header = ctypes.create_string_buffer(struct.pack("HP", len(program_), ctypes.addressof(filters)))
    libc = ctypes.CDLL(None, use_errno=True)
    set_no_new_privs, set_seccomp, mode_filter = 38, 22, 2
    if libc.prctl(set_no_new_privs, 1, 0, 0, 0) or libc.prctl(set_seccomp, mode_filter, header, 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


@contextlib.contextmanager
def serving(yolk, scratch, seconds, cpus=1, log=None, prepare=None):
    """A server's port on this machine: of one in the guest, or of a native one when there is no YOLK.

    What it logs is added to LOG, all of it by the end, and ENDED if the server ended itself.  PREPARE is called in its process.
    """
    port, server = free_port(), str(program("redis-server"))
    if yolk:
        command = [yolk, "run", "-c", str(cpus), "-m", "512M", "-w", "/tmp", "--timeout", str(seconds), "-p", f"{port}:6379", server,
                   *OPTIONS]
    else:
        command = [server, "--port", str(port), *OPTIONS[:-1], scratch]
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=scratch,
                         preexec_fn=prepare)
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
        ended = p.poll() is not None
        p.terminate()
        p.wait(60)
        reader.join(60)
        if ended:
            log.append(f"{ENDED} with status {p.returncode}\n")


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
