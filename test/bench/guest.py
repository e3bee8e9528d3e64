"""Guests to compare: the same static program, as the first program of each kernel, under the same QEMU flags.

A guest is a name, a kernel image and what its command line needs; `command` makes the QEMU command that boots a
cpio archive on it.  Everything is printed on the serial port, which every kernel here has a driver for.
"""
import os
import re
import select
import signal
import stat
import subprocess
import time

QEMU = "qemu-system-x86_64"
# Under TCG `rep movsb` runs byte by byte, and an enabled PKU makes every signal frame larger: what is best for Linux.
CPU = "max,-erms,-fsrm,-pku"
MACHINES = {
    "microvm": "microvm,acpi=off,pit=off,pic=off,rtc=on",
    "q35": "q35",
    "pc": "pc",
}


class Guest:
    def __init__(self, name, kernel, append, server=None, server_args=()):
        self.name = name
        self.kernel = kernel
        self.append = append
        self.server = server  # the command line for an archive with a server; None: the kernel has no network
        self.server_args = server_args

    def command(self, initrd, args=(), machine="microvm", cpus=1, memory="256M", icount=False, extra=(), forward=None):
        """The QEMU command that boots `initrd`, whose /init gets `args`; or, with forward=(PORT, GUEST'S PORT), its
        /server, to which PORT of this machine leads."""
        model = MACHINES[machine]
        if machine == "microvm" and self.name != "yolk":
            model = "microvm,acpi=off,rtc=on"  # without a PIT and a PIC, Linux has no clock to calibrate by
        accel = ["-accel", "tcg,thread=multi"]
        if icount:
            accel = ["-accel", "tcg", "-icount", "shift=0,sleep=off"]
        append = self.append
        nic = ["-nic", "none"]
        if forward:
            args = [*self.server_args, *args]
            append = self.server
            nic = ["-netdev", "user,id=net,hostfwd=tcp:127.0.0.1:%d-:%d" % forward, "-device",
                   "virtio-net-pci,netdev=net,romfile="]
            if machine == "microvm":
                # What QEMU puts behind the command line by itself would be the server's arguments.
                model += ",auto-kernel-cmdline=off"
                append += " virtio_mmio.device=512@0xfeb00000:5"
                nic[-1] = "virtio-net-device,netdev=net,bus=virtio-mmio-bus.0"
        if args:
            append += " -- " + " ".join(args)
        return [QEMU, "-M", model, *accel, "-cpu", CPU, "-smp", str(cpus), "-m", memory, "-nodefaults",
                "-no-user-config", "-display", "none", "-serial", "stdio", "-monitor", "none", *nic,
                "-no-reboot", "-kernel", self.kernel, *(["-initrd", initrd] if initrd else []),
                "-append", append, *extra]


def yolk(kernel):
    return Guest("yolk", kernel, "console=ttyS0 init=/init", "console=ttyS0 ip=10.0.2.15/24,10.0.2.2 init=/server")


def tsc_khz():
    """The host's TSC frequency, which is the guest's under TCG."""
    with open("/proc/cpuinfo") as f:
        return int(next(float(line.split(":")[1]) for line in f if line.startswith("cpu MHz")) * 1000)


def linux(name, kernel):
    # tsc_early_khz: Linux hangs now and then on microvm when it has to calibrate by the PIT; a wrong value would make
    # its nanoseconds wrong.  tsc=reliable: with several CPUs it would give up the TSC and with it the vDSO's clock.
    append = (f"console=ttyS0 quiet panic=-1 reboot=t tsc=reliable tsc_early_khz={tsc_khz()} mitigations=off rdinit=/init")
    # Debian's kernel has its network drivers in modules.
    return Guest(name, kernel, append, append if name != "deb" else None, ["/server"])


def floor(kernel):
    return Guest("floor", kernel, "")


def newc(entries):
    """A cpio archive of (name, mode, device or None, bytes)."""
    out = bytearray()
    for number, (name, mode, device, data) in enumerate([*entries, ("TRAILER!!!", 0, None, b"")], 1):
        major, minor = device or (0, 0)
        encoded = name.encode() + b"\0"
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(encoded), 0]
        out += b"070701" + "".join("%08x" % f for f in fields).encode() + encoded
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def initrd(program, path, server=None):
    """Writes to `path` an archive whose /init is `program`, with what a program expects to find; and perhaps a /server."""
    def directory(name, mode=0o755):
        return (name, stat.S_IFDIR | mode, None, b"")

    def device(name, major, minor):
        return (name, stat.S_IFCHR | 0o666, (major, minor), b"")

    def file(name, source):
        with open(source, "rb") as f:
            return (name, stat.S_IFREG | 0o755, None, f.read())

    files = [file("init", program), *([file("server", server)] if server else [])]
    with open(path, "wb") as f:
        f.write(newc([directory("dev"), directory("tmp", 0o1777), directory("proc"), directory("sys"),
                      device("dev/console", 5, 1), device("dev/null", 1, 3), device("dev/zero", 1, 5),
                      *files]))
    return path


class Run:
    """One boot, ended as soon as `until` (a regular expression) was seen: its output, wall seconds up to then, and what
    QEMU used in all."""

    def __init__(self, command, until, timeout):
        self.output = b""
        self.seconds = None
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            self._read(process, re.compile(until.encode(), re.M), start, timeout)
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
            process.stdout.close()
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self.peak_kib = usage.ru_maxrss

    def _read(self, process, until, start, timeout):
        fd = process.stdout.fileno()
        while (left := start + timeout - time.perf_counter()) > 0:
            if not select.select([fd], [], [], left)[0]:
                return
            data = os.read(fd, 65536)
            if not data:
                return
            self.output += data
            if until.search(self.output):
                self.seconds = time.perf_counter() - start
                return

    @property
    def ok(self):
        return self.seconds is not None

    def tail(self):
        return self.output[-300:].decode(errors="replace")

    def values(self):
        """What test/bench/ops.c printed: {operation: nanoseconds}, or instructions where the machine counts them."""
        lines = re.findall(rb"^(\w+) ([0-9.]+)(?: ([0-9.]+))?\s*$", self.output, re.M)
        return {name.decode(): float(counted or ns) for name, ns, counted in lines}
