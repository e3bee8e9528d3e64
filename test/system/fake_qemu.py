#!/usr/bin/python3
"""A stand-in for QEMU: finds the ports on its command line and plays a guest, named by $FAKE_GUEST.

It lets the host command be tested without a kernel, and with guests that a kernel would never be: ones that die,
hang or write nonsense.
"""
import os
import signal
import socket
import sys
import time


def parse(argv):
    chardevs, ports, values = {}, {}, {}
    for option, value in zip(argv, argv[1:]):
        fields = dict(f.split("=", 1) for f in value.split(",") if "=" in f)
        if option == "-chardev":
            chardevs[fields["id"]] = socket.socket(fileno=int(fields["fd"]))
        elif option == "-device" and value.startswith("virtserialport"):
            ports[fields["name"]] = chardevs[fields["chardev"]]
        elif option == "-serial":
            ports["serial"] = chardevs[value.split(":")[1]]
        elif option.startswith("-"):
            values[option[1:]] = value
    return ports, values


PORTS, VALUES = parse(sys.argv[1:])
TTY, IN, OUT, ERR = (PORTS.get("yolk." + n) for n in ("tty", "stdin", "stdout", "stderr"))
CONTROL = PORTS.get("yolk.control")


def end(status):
    CONTROL.sendall(b"exit %d\n" % status)
    sys.exit(0)


def copy():
    """stdin to stdout, then its end."""
    while data := IN.recv(65536):
        OUT.sendall(data)
    end(0)


def status():
    end(int(os.environ["FAKE_STATUS"]))


def show():
    """What the kernel was told."""
    OUT.sendall("\n".join(f"{k}={VALUES.get(k, '')}" for k in ("append", "initrd", "m", "smp", "M", "cpu")).encode())
    end(0)


def keep():
    """Keeps the module that the kernel would get, and prints the command line."""
    with open(VALUES["initrd"], "rb") as module, open(os.environ["FAKE_COPY"], "wb") as to:
        to.write(module.read())
    OUT.sendall(VALUES["append"].encode())
    end(0)


def both():
    OUT.sendall(b"to stdout\n")
    ERR.sendall(b"to stderr\n")
    end(3)


def log():
    CONTROL.sendall(b"log 2 something odd\n")
    CONTROL.sendall(b"ex")
    time.sleep(0.05)
    CONTROL.sendall(b"it 5\n")


def fail():
    CONTROL.sendall(b"fail 125 the kernel panicked\n")


def silent():
    PORTS["serial"].sendall(b"early line 1\nearly line 2\n")


def broken():
    sys.stderr.write("qemu-system-x86_64: something is wrong\n")
    sys.exit(1)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def hang():
    OUT.sendall(b"before\n")
    time.sleep(1000)


def after_exit():
    """Says its status and does not power off."""
    CONTROL.sendall(b"exit 4\n")
    time.sleep(1000)


def signals():
    """Waits for a control line and prints it."""
    OUT.sendall(b"ready\n")
    OUT.sendall(CONTROL.recv(100))
    end(0)


def signals_on_terminal():
    TTY.sendall(b"ready\r\n")
    line = b""
    while b"signal" not in line:  # the window's size comes as well
        line += CONTROL.recv(100)
    TTY.sendall(line[line.index(b"signal"):].replace(b"\n", b"\r\n"))
    end(0)


def deaf():
    OUT.sendall(b"ready\n")
    time.sleep(1000)


def flood():
    """Writes until nobody reads any more."""
    try:
        while True:
            OUT.sendall(b"y\n" * 1000)
    except BrokenPipeError:
        end(141)


def terminal():
    """A line discipline of sorts: echoes, ends at Ctrl-D, dies of Ctrl-C; prints sizes it hears of."""
    TTY.sendall(b"ready\r\n")
    while data := TTY.recv(100):
        if b"\x04" in data:
            end(0)
        if b"\x03" in data:
            end(130)
        if data == b"s":
            data = CONTROL.recv(100).replace(b"\n", b"\r\n")
        TTY.sendall(b"<" + data + b">")
    end(9)


globals()[os.environ["FAKE_GUEST"]]()
