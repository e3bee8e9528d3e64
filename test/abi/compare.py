#!/usr/bin/python3
"""compare.py YOLK CPUS PROGRAM: runs a program of test/abi on Linux, then in the guest; both must print the same
bytes and end with the same status.

  NAME.args beside the source: one run for each line, its words the arguments, a shell's quotes understood
  NAME.in: standard input (otherwise there is none)

On Linux the program runs in an empty directory of a tmpfs, as that is what the guest's root is.  A program that is
run without NAME.args has to end with status 0.
"""
import ctypes
import difflib
import fcntl
import os
import pathlib
import resource
import selectors
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

SOURCES = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/", "ABI_TEST": "a value"}
TIMEOUT = 60
MOST_OUTPUT = 16 << 20


LIBC = ctypes.CDLL(None)
CLONE_NEWIPC, CLONE_NEWNET = 0x08000000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def bring_up_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        name, flags = struct.unpack("16sh", fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack("16sh", b"lo", 0)))
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh", name, flags | IFF_UP))


def prepare():
    """In the child: no limit on core files, as in the guest, and System V objects and a network of its own: their keys
    and ports are the machine's, two tests at a time would see each other's, and Linux shows a row of /proc/net/tcp
    twice when sockets come and go elsewhere.  None of this can be had without being root."""
    if os.getuid() == 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.RLIM_INFINITY))
        LIBC.unshare(CLONE_NEWIPC)
        if LIBC.unshare(CLONE_NEWNET) == 0:
            bring_up_loopback()


def run(command, stdin, cwd, env):
    """(status, stdout, stderr); a run that takes too long or prints too much is killed."""
    p = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, env=env,
                         preexec_fn=prepare)
    end, output = time.monotonic() + TIMEOUT + 10, {p.stdout: b"", p.stderr: b""}
    with selectors.DefaultSelector() as selector:
        for stream in output:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            left = end - time.monotonic()
            if left <= 0 or sum(map(len, output.values())) > MOST_OUTPUT:
                p.kill()
                break
            for key, _ in selector.select(left):
                data = os.read(key.fd, 1 << 16)
                output[key.fileobj] += data
                if not data:
                    selector.unregister(key.fileobj)
    status = p.wait()
    return 128 - status if status < 0 else status, output[p.stdout], output[p.stderr]


def test_name(program):
    """What the program's source is called: it may be built for i386 (-32), with another libc (-glibc)."""
    return program.name.removesuffix("-32").removesuffix("-glibc")


def of_the_program(stderr):
    """Without the lines that come from Yolk."""
    return b"".join(line for line in stderr.splitlines(True) if not line.startswith(b"yolk: "))


def show(native, guest):
    names = ("native", "guest")
    if native[0] != guest[0]:
        print(f"status: native {native[0]}, guest {guest[0]}")
    for what, a, b in (("stdout", native[1], guest[1]), ("stderr", of_the_program(native[2]), of_the_program(guest[2]))):
        lines = [t.decode(errors="replace").splitlines() for t in (a, b)]
        for line in list(difflib.unified_diff(*lines, *(f"{what}, {n}" for n in names), lineterm="", n=2))[:80]:
            print(line)
    if guest[2]:
        print("guest's stderr:", guest[2].decode(errors="replace")[-3000:], sep="\n")


def trace_is_whole(path):
    """It begins with the program's start and ends with its end."""
    with open(path, errors="replace") as f:
        first = last = f.readline()
        for last in f:
            pass
    if "execve(" in first and "+++ " in last:
        return True
    print(f"the trace begins with {first!r} and ends with {last!r}")
    return False


def compare(yolk, cpus, program, args, must_succeed):
    name = test_name(program)
    stdin_path = SOURCES / f"{name}.in"
    tmpfs = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    directory = tempfile.mkdtemp(prefix="yolk-abi-", dir=tmpfs)
    trace = None
    os.chmod(directory, 0o777)  # programs that give root up still work in it
    results = []
    try:
        guest = [yolk, "run"]
        trace = directory + ".trace" if os.environ.get("YOLK_TRACE") else None
        if trace:
            guest = [yolk, "trace", "-f", "-q", "-o", trace]
        guest += ["--cpus", cpus, "--timeout", str(TIMEOUT), "--workdir", "/tmp"]
        for variable, value in ENVIRONMENT.items():
            guest += ["--env", f"{variable}={value}"]
        for command, env in (([program, *args], ENVIRONMENT), ([*guest, program, *args], None)):
            with open(stdin_path if stdin_path.exists() else os.devnull, "rb") as stdin:
                results.append(run(command, stdin, directory, env))
            if len(results) == 1 and must_succeed and results[0][0]:
                print(f"{name} fails on Linux itself: status {results[0][0]}")
                print(results[0][1].decode(errors="replace")[-2000:])
                return False
        if trace and not trace_is_whole(trace):
            return False
    finally:
        shutil.rmtree(directory)
        if trace and os.path.exists(trace):
            os.unlink(trace)
    native, guest = results
    if native[:2] == guest[:2] and of_the_program(native[2]) == of_the_program(guest[2]):
        return True
    print(f"{name} {shlex.join(args)}: differs with {cpus} CPUs")
    show(native, guest)
    return False


def main():
    yolk, cpus, program = os.path.abspath(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]).resolve()
    path = SOURCES / f"{test_name(program)}.args"
    runs = [shlex.split(line) for line in path.read_text().splitlines()] if path.exists() else [[]]
    results = [compare(yolk, cpus, program, args, not path.exists()) for args in runs]
    print(f"{sum(results)} of {len(results)} runs agree")
    return 0 if all(results) else 1


sys.exit(main())
