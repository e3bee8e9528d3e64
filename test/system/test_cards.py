"""Network cards, what they do for the kernel, and networks that are not there."""
import contextlib
import http.client
import json
import os
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest
from conftest import BUILD, YOLK
from test_net import LARGE_PIECES, PATTERN, PIECES, connect, free_port, needs_go, pieces_arrive, serving

GUEST = BUILD / "test/guest"
QEMU = shutil.which("qemu-system-x86_64") or "qemu-system-x86_64"


def echo_back(s, data):
    """What comes back for data, sent and received at the same time."""
    sender = threading.Thread(target=s.sendall, args=(data,))
    sender.start()
    got = bytearray()
    while len(got) < len(data):
        part = s.recv(1 << 20)
        if not part:
            break
        got += part
    sender.join(30)
    return bytes(got)


# --- Intel's cards ---


@needs_go
@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize("machine", ["pc", "q35"])
@pytest.mark.parametrize("card", ["e1000", "e1000e"])
def test_http(card, machine, cpus):
    port = free_port()
    with serving("--net", f"user,model={card}", "--machine", machine, "-c", cpus, "-p", f"{port}:8080", "httpd"):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for n in (0, 1, 1459, 1460, 1461, 300000):
            c.request("POST", "/echo", body=PATTERN[:n])
            assert c.getresponse().read() == PATTERN[:n]
        for _ in range(20):
            c.request("GET", "/")
            assert c.getresponse().read() == b"Hello, World!\n"


def test_a_card_chooses_its_machine(yolk):
    done = yolk("run", "--net", "user,model=e1000", "--verbose", "hello")
    assert done.stdout == b"hello, world\n" and b"-M q35" in done.stderr and b"-device e1000," in done.stderr


@pytest.mark.parametrize("wrong,why", [(["user,model=ne2000"], b"e1000e"), (["none,model=e1000"], b"--net"),
                                       (["tap="], b"--net"), (["user,card=e1000"], b"--net"),
                                       (["user,model=e1000", "--machine", "microvm"], b"PCI")])
def test_net_is_checked(yolk, wrong, why):
    done = yolk("run", "--net", *wrong, "hello")
    assert done.returncode == 125 and why in done.stderr


# --- networks that are not there ---


@pytest.fixture
def qemu(tmp_path, monkeypatch):
    """QEMU with its network made silent, or with a clock that counts instructions and leaps over every wait, or with more
    arguments: qemu(silent=True, more="...")."""

    def choose(silent=False, counted=False, more=""):
        script = tmp_path / "qemu-system-x86_64"
        replace = 'case $a in user,id=net0*) a=hubport,id=net0,hubid=0;; esac' if silent else ":"
        if counted:
            replace += '; [ "$a" != tcg,thread=multi ] || a=tcg'
            more += " -icount shift=0,sleep=off"
        script.write_text(f"""#!/bin/bash
args=()
for a in "$@"; do {replace}; args+=("$a"); done
exec {shlex.quote(QEMU)} "${{args[@]}}" {more}
""")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return choose


class Monitor:
    """QEMU's machine protocol on a socket that QEMU has made, or will have."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(600):
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                time.sleep(0.05)
        self.lines = self.socket.makefile("r")
        self.lines.readline()
        self.do("qmp_capabilities")

    def do(self, command, **arguments):
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = json.loads(self.lines.readline())
            if "event" not in answer:
                assert "return" in answer, answer
                return

    def set_link(self, up):
        self.do("set_link", name="net0", up=up)


def guest_connects(*args):
    """Milliseconds until a program has begun which wants to connect to somebody, and what it says."""
    done = subprocess.run([YOLK, "run", "--timeout", "60", *args, GUEST, "connect", "10.0.2.2", "9"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=90)
    time_, _, said = done.stdout.partition(b" ms: ")
    return int(time_), said


def unplugged(path, *args):
    """The same with the cable out from the start."""

    def pull():
        m = Monitor(path)
        m.set_link(False)
        m.do("cont")

    helper = threading.Thread(target=pull)
    helper.start()
    result = guest_connects(*args)
    helper.join(30)
    path.unlink(missing_ok=True)
    return result


@pytest.mark.parametrize("card", ["virtio", "e1000", "e1000e"])
def test_no_network_delays_nothing(qemu, tmp_path, card):
    """Neither no card, nor no cable, nor nobody who answers DHCP: nobody waits for an address.  By the machine's own clock,
    for which a wait is as long as it is and this machine's load is nothing."""
    machine = ["--machine", "q35", "--net", f"user,model={card}"]
    qemu(counted=True)
    none = guest_connects("--machine", "q35", "--net", "none")
    qemu(counted=True, silent=True)
    silent = guest_connects(*machine)
    qemu(counted=True, more=f"-S -qmp unix:{tmp_path}/qmp,server=on,wait=off")
    pulled = unplugged(tmp_path / "qmp", *machine)
    assert {said for _, said in (none, silent, pulled)} == {b"ENETUNREACH\n"}
    assert max(silent[0], pulled[0]) <= none[0] + 20, (none, silent, pulled)


@pytest.mark.parametrize("card", ["virtio", "e1000", "e1000e"])
def test_cable_is_plugged_in_later_and_pulled(qemu, tmp_path, card):
    qemu(more=f"-S -qmp unix:{tmp_path}/qmp,server=on,wait=off")
    port, monitors = free_port(), []

    def pull():
        monitors.append(Monitor(tmp_path / "qmp"))
        monitors[0].set_link(False)
        monitors[0].do("cont")

    helper = threading.Thread(target=pull)
    helper.start()
    machine = "microvm" if card == "virtio" else "q35"
    with serving("--machine", machine, "--net", f"user,model={card}", "-p", f"{port}:7", "echo"):
        helper.join(30)
        monitors[0].set_link(True)
        with connect(port) as s:
            assert echo_back(s, PATTERN[:100000]) == PATTERN[:100000]
            monitors[0].set_link(False)
            s.sendall(b"held back")
            s.settimeout(0.5)
            with pytest.raises(TimeoutError):
                s.recv(100)
            monitors[0].set_link(True)
            s.settimeout(60)
            assert s.recv(100, socket.MSG_WAITALL)[:9] == b"held back"[:9]


def interrupts(log):
    """Hardware interrupts that the guest has taken so far."""
    return sum(1 for line in log.read_text().splitlines() if ": v=" in line and line.split("v=")[1][:1] not in "01")


def test_idle_guest_sleeps(qemu, tmp_path):
    """A server that nobody asks anything is not woken by its network.  The debug kernel's watchdog looks once a second."""
    log = tmp_path / "interrupts"
    qemu(more=f"-d int -D {log}")
    port = free_port()
    with serving("-p", f"{port}:7", "echo"):
        with connect(port) as s:
            assert echo_back(s, PATTERN) == PATTERN
        # ended by us, so that the guest has no connection in TIME_WAIT
        time.sleep(16)
        before = interrupts(log)
        time.sleep(8)
        assert interrupts(log) - before <= 2 * 8
        with connect(port) as s:
            assert echo_back(s, PATTERN[:1000]) == PATTERN[:1000]


# --- a tap interface, which checks and cuts packets for the guest ---


def can_tap():
    return shutil.which("ip") and shutil.which("unshare") and subprocess.run(
        ["unshare", "-n", "ip", "tuntap", "add", "ytap0", "mode", "tap"], capture_output=True).returncode == 0


needs_tap = pytest.mark.skipif(not can_tap(), reason="no tap interfaces here: not root, or no iproute2")


def in_namespace(function, *args):
    """Runs a function of this file in a network namespace of its own, where it can make interfaces."""
    script = 'mount -t sysfs sysfs /sys; exec "$@"'  # what it can be, with the namespace's interfaces
    done = subprocess.run(["unshare", "-nm", "sh", "-c", script, "sh", sys.executable, "-B", __file__, function,
                           *map(str, args)], capture_output=True, timeout=280)
    print(done.stderr.decode(errors="replace"))
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def ip(*args):
    subprocess.run(["ip", *args], check=True)


def tc(*args):
    return subprocess.run(["tc", *args], check=True, capture_output=True, text=True).stdout


@contextlib.contextmanager
def tap(*args, program=("echo",), flags=()):
    ip("tuntap", "add", "ytap0", "mode", "tap", "vnet_hdr", *flags)
    ip("addr", "add", "10.9.0.1/24", "dev", "ytap0")
    ip("link", "set", "ytap0", "up")
    ip("addr", "add", "fe80::1/64", "dev", "ytap0", "nodad")
    with serving("--net", "tap=ytap0", "--ip", "10.9.0.2/24,10.9.0.1", *args, *program) as p:
        yield p


def tap_counts():
    """Packets and bytes from the guest, and to it."""
    with open("/proc/self/net/dev") as f:
        fields = next(line for line in f if "ytap0" in line).split(":")[1].split()
    return [int(fields[i]) for i in (1, 0, 9, 8)]


def link_local_of(address):
    """The guest's: made from its MAC address, which the neighbour table has."""
    out = subprocess.run(["ip", "neigh", "show", address], capture_output=True, text=True, check=True).stdout
    mac = bytes.fromhex(out.split("lladdr ")[1].split()[0].replace(":", ""))
    host = bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
    return "fe80::" + ":".join(host[i:i + 2].hex() for i in (0, 2, 4, 6)) + "%ytap0"


def tap_bulk(machine, cpus):
    with tap("--machine", machine, "-c", cpus):
        with socket.create_connection(("10.9.0.2", 7), 60) as s:
            before = tap_counts()
            data = PATTERN * 16
            assert echo_back(s, data) == data
            packets_out, bytes_out, packets_in, bytes_in = (b - a for a, b in zip(before, tap_counts()))
            assert min(bytes_out, bytes_in) >= len(data)
            # Frames of several packets both ways: each packet alone would make 1,500.
            assert bytes_in / packets_in > 4000, (bytes_in, packets_in)
            assert bytes_out / packets_out > 1700, (bytes_out, packets_out)
            for n in (1, 2, 1459, 1460, 1461, 2920, 2921, 65535):
                assert echo_back(s, PATTERN[n:2 * n]) == PATTERN[n:2 * n]
        with socket.create_connection((link_local_of("10.9.0.2"), 7), 60) as s:
            before = tap_counts()
            assert echo_back(s, data[:len(data) // 2]) == data[:len(data) // 2]
            packets_out, bytes_out, packets_in, bytes_in = (b - a for a, b in zip(before, tap_counts()))
            assert bytes_in / packets_in > 4000 and bytes_out / packets_out > 1700


@needs_tap
@pytest.mark.parametrize("machine", ["microvm", "q35"])
@pytest.mark.parametrize("cpus", [1, 4])
def test_tap_offloads(machine, cpus):
    in_namespace("tap_bulk", machine, cpus)


def tap_pieces(cpus):
    """Datagrams in pieces, with checksums by the device and, where they leave as several packets, by the kernel."""
    sizes = PIECES + LARGE_PIECES
    ip("tuntap", "add", "ytap0", "mode", "tap", "vnet_hdr")
    ip("addr", "add", "10.9.0.1/24", "dev", "ytap0")
    ip("link", "set", "ytap0", "up")
    ip("addr", "add", "fe80::1/64", "dev", "ytap0", "nodad")
    for family, where in ((socket.AF_INET, "10.9.0.1"), (socket.AF_INET6, "fe80::1%ytap0")):
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.bind(socket.getaddrinfo(where, 0, family, socket.SOCK_DGRAM)[0][4])
            pieces_arrive(s, sizes, where.replace("ytap0", "eth0"), "--timeout", "100", "-c", cpus, "--net", "tap=ytap0", "--ip", "10.9.0.2/24,10.9.0.1")


@needs_tap
@pytest.mark.parametrize("cpus", [1, 4])
def test_tap_datagrams_in_pieces(cpus):
    in_namespace("tap_pieces", cpus)


def tap_many(nothing):
    """Connections that share the few large buffers, and one that is not read for a while."""
    bad = []

    def client(number):
        data = PATTERN[number * 999:] + PATTERN
        with socket.create_connection(("10.9.0.2", 7), 60) as s:
            if number == 0:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                time.sleep(0.5)
            if echo_back(s, data) != data:
                bad.append(number)

    with tap("-c", "2"):
        threads = [threading.Thread(target=client, args=(n,)) for n in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(120)
        assert not bad and not any(t.is_alive() for t in threads)


@needs_tap
def test_tap_many_connections():
    in_namespace("tap_many", "")


def dropped(device):
    return int(tc("-s", "qdisc", "show", "dev", device).split("dropped ")[1].split(",")[0])


def tap_loss(nothing):
    """Long frames of the guest's are lost as a whole, and come again."""
    with tap():
        ip("link", "add", "yifb0", "type", "ifb")
        ip("link", "set", "yifb0", "up")
        tc("qdisc", "add", "dev", "ytap0", "ingress")
        tc("filter", "add", "dev", "ytap0", "parent", "ffff:", "protocol", "all", "u32", "match", "u32", "0", "0",
           "action", "mirred", "egress", "redirect", "dev", "yifb0")
        # What has to pass 5 MB a second and does not fit in a short queue is lost.
        tc("qdisc", "add", "dev", "yifb0", "root", "tbf", "rate", "40mbit", "burst", "70k", "limit", "20k")
        for address in ("10.9.0.2", None):
            with socket.create_connection((address or link_local_of("10.9.0.2"), 7), 60) as s:
                before = dropped("yifb0"), tap_counts()
                assert echo_back(s, PATTERN) == PATTERN
                packets, size = (b - a for a, b in zip(before[1], tap_counts()[:2]))
                assert size / packets > 1700  # of the guest's, before they are lost
                assert dropped("yifb0") > before[0]


def can_lose():
    """A queue that drops what the guest sends: an ifb device, and two modules of the kernel's traffic control."""
    script = """ip link add yifb0 type ifb && tc qdisc add dev yifb0 root tbf rate 40mbit burst 70k limit 20k &&
        tc qdisc add dev lo ingress && tc filter add dev lo parent ffff: protocol all u32 match u32 0 0 \
            action mirred egress redirect dev yifb0"""
    return can_tap() and shutil.which("tc") and subprocess.run(["unshare", "-n", "sh", "-c", script],
                                                               capture_output=True).returncode == 0


@pytest.mark.skipif(not can_lose(), reason="no tap interfaces, or no traffic control here")
def test_tap_loses_long_frames():
    in_namespace("tap_loss", "")


def tap_datagrams(nothing):
    """Those of one frame come without a checksum, which the device fills in; those of several with one."""
    seen = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    seen.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA
    with tap(program=(BUILD / "test/net/peer", "serve", "7")):
        for family, host, head in ((socket.AF_INET, "10.9.0.2", 28), (socket.AF_INET6, None, 48)):
            with socket.socket(family, socket.SOCK_DGRAM) as s:
                s.settimeout(10)
                if host:
                    s.sendto(b"first", (host, 7))
                    assert s.recv(100) == b"first"
                to = socket.getaddrinfo(host or link_local_of("10.9.0.2"), 7, family, socket.SOCK_DGRAM)[0][4]
                for n in (0, 1, 2, 1500 - head, 1501 - head, 4000, 60000):
                    s.sendto(PATTERN[n:2 * n], to)
                    assert s.recv(65536) == PATTERN[n:2 * n]
                    assert unsummed(seen, family, n) == (n + head <= 1500)


def unsummed(seen, family, length):
    """Was the next datagram from the guest, or its first part, handed over without its checksum?"""
    while True:
        frame, items, _, _ = seen.recvmsg(65536, 256)
        is_v6 = frame[12:14] == b"\x86\xdd"
        first = 54 + 8 * (frame[20:21] == b"\x2c") if is_v6 else 34
        is_udp = (frame[20] == 17 or frame[20] == 44 and frame[54] == 17) if is_v6 else frame[23] == 17
        if is_udp and frame[first:first + 2] == b"\0\x07" and \
                frame[first + 4:first + 6] == struct.pack(">H", length + 8):
            return bool(struct.unpack_from("I", items[0][2])[0] & 8)  # TP_STATUS_CSUMNOTREADY


@needs_tap
def test_tap_datagrams():
    in_namespace("tap_datagrams", "")


def tap_without(nothing):
    """A device that lacks some of it, in either layout of its registers."""
    with tap():
        with socket.create_connection(("10.9.0.2", 7), 60) as s:
            assert echo_back(s, PATTERN * 4) == PATTERN * 4


@needs_tap
@pytest.mark.parametrize("lacks", ["mrg_rxbuf", "csum", "gso", "guest_csum", "host_tso4", "guest_tso4", "event_idx"])
@pytest.mark.parametrize("legacy", ["on", "off"])
def test_tap_without(qemu, lacks, legacy):
    qemu(more=f"-global virtio-net-device.{lacks}=off -global virtio-mmio.force-legacy={legacy}")
    in_namespace("tap_without", lacks)


def tap_pcap(file):
    with tap("--pcap", file):
        with socket.create_connection(("10.9.0.2", 7), 60) as s:
            assert echo_back(s, PATTERN) == PATTERN
    with open(file, "rb") as f:
        data = f.read()
    at, longest = 24, 0
    while at + 16 <= len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        assert data[at + 28:at + 30] in (b"\x08\0", b"\x08\x06", b"\x86\xdd")
        longest = max(longest, n)
        at += 16 + n
    assert longest == 1514


@needs_tap
def test_tap_is_recorded_in_packets(tmp_path):
    in_namespace("tap_pcap", tmp_path / "wire.pcap")


# --- and several queues of it ---


def can_queue():
    """Interfaces with several queues, in a namespace whose /sys shows them."""
    script = "mount -t sysfs sysfs /sys && ip tuntap add ytap0 mode tap vnet_hdr multi_queue && " \
             "grep -q . /sys/class/net/ytap0/tun_flags"
    return can_tap() and subprocess.run(["unshare", "-nm", "sh", "-c", script], capture_output=True).returncode == 0


needs_queues = pytest.mark.skipif(not can_queue(), reason="no tap interfaces of several queues here: not root, no "
                                                          "iproute2, or /sys cannot be mounted")


class Queues:
    """How many frames each queue of the interface carried, from the guest (rx) and to it, as the host's kernel says: a
    group of packet sockets of which each gets those of one queue."""

    def __init__(self):
        self.counts = {"rx": {}, "tx": {}}
        self.stop = False
        self.sockets = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) for _ in range(16)]
        for s in self.sockets:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            s.settimeout(0.2)
            s.bind(("ytap0", 3))
            s.setsockopt(263, 18, 77 | 5 << 16)  # SOL_PACKET, PACKET_FANOUT: PACKET_FANOUT_QM
        self.threads = [threading.Thread(target=self.count, args=(n,)) for n in range(16)]
        for t in self.threads:
            t.start()

    def count(self, queue):
        while not self.stop:
            with contextlib.suppress(TimeoutError):
                frame, where = self.sockets[queue].recvfrom(64)
                if frame[12:14] == b"\x08\0" and frame[23] == 6:
                    way = self.counts["tx" if where[2] == socket.PACKET_OUTGOING else "rx"]
                    way[queue] = way.get(queue, 0) + 1

    def end(self):
        self.stop = True
        for t in self.threads:
            t.join()
        return self.counts


def tap_queues(machine, cpus, used, *args):
    """Every connection's bytes come back whole; `used` queues carry them, both ways.

    A connection's ports choose its queue: of 64 connections one of four queues gets none once in 25 million times."""
    bad = []

    def client(number):
        data = PATTERN[number * 999:][:1 << 18]
        with socket.create_connection(("10.9.0.2", 7), 60) as s:
            if echo_back(s, data) != data:
                bad.append(number)

    with tap("--machine", machine, "-c", cpus, *args, flags=("multi_queue",)):
        queues = Queues()
        threads = [threading.Thread(target=client, args=(n,)) for n in range(64)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(120)
        counts = queues.end()
        print(counts, file=sys.stderr)
        assert not bad and not any(t.is_alive() for t in threads)
        for way in counts.values():
            assert len(way) == int(used) and all(n > 20 for n in way.values()), counts


@needs_queues
@pytest.mark.parametrize("machine", ["microvm", "q35"])
@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_tap_queues(machine, cpus):
    in_namespace("tap_queues", machine, cpus, cpus)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
