"""Addresses by DHCP and router advertisement over their whole life, and AF_PACKET, with this test as the other end of the
wire: each frame is a UDP datagram between QEMU and here."""
import contextlib
import ipaddress
import queue
import socket
import struct
import subprocess
import threading
import time

import pytest

from conftest import BUILD

GUEST = BUILD / "test/netguest"
OUR_MAC, MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
SERVER = ipaddress.ip_address("10.9.0.1")
ROUTER = ipaddress.ip_address("fe80::1")
DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6


def checksum(data):
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Wire(threading.Thread):
    """A guest on a wire.  `handle(frame)` is called for each of its frames; `lines` are what it prints."""

    def __init__(self, *args):
        super().__init__(daemon=True)
        self.ours, self.lines, self.over = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), queue.Queue(), False
        self.ours.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            self.qemu_address = s.getsockname()
        port, remote = self.qemu_address[1], self.ours.getsockname()[1]
        netdev = (f"dgram,id=n,local.type=inet,local.host=127.0.0.1,local.port={port},"
                  f"remote.type=inet,remote.host=127.0.0.1,remote.port={remote}")
        self.qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-M", "q35", "-cpu", "max", "-m", "128M", "-nodefaults", "-display", "none", "-no-reboot",
             "-serial", "stdio", "-kernel", BUILD / "yolk.elf", "-initrd", GUEST, "-device",
             "isa-debug-exit,iobase=0xf4,iosize=4", "-netdev", netdev, "-device", f"virtio-net-pci,netdev=n,mac={MAC.hex(':')}",
             "-append", "init=/netguest loglevel=3 -- " + " ".join(args)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.start()
        threading.Thread(target=self.read_lines, daemon=True).start()

    def read_lines(self):
        for line in self.qemu.stdout:
            self.lines.put(line.decode(errors="replace").strip())

    def run(self):
        while not self.over:
            frame = self.ours.recv(65536)
            if frame and not self.over:
                self.handle(frame)

    def handle(self, frame):
        pass

    def send(self, kind, data, to=MAC, sender=OUR_MAC):
        self.ours.sendto(to + sender + struct.pack(">H", kind) + data, self.qemu_address)

    def expect(self, *words, seconds=60):
        """The next line with all the words in it."""
        end, seen = time.monotonic() + seconds, []
        while (left := end - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                seen.append(self.lines.get(timeout=left))
                if all(word in seen[-1] for word in words):
                    return seen[-1]
        raise AssertionError(f"no {words} in {seen}")

    def close(self):
        self.over = True
        self.ours.sendto(b"", self.ours.getsockname())
        self.qemu.kill()
        self.qemu.wait()


class Network(Wire):
    """With a DHCP server, whose answers are what `answers` says for each request, and a router."""

    def __init__(self, *args, answers):
        self.answers, self.requests, self.prefix_seconds = list(answers), queue.Queue(), 0
        super().__init__(*args)

    def handle(self, frame):
        kind = struct.unpack(">H", frame[12:14])[0]
        if kind == 0x806 and frame[20:22] == b"\0\1" and frame[38:42] == SERVER.packed:
            self.send(0x806, frame[14:20] + b"\0\2" + OUR_MAC + SERVER.packed + frame[22:32])
        elif kind == 0x800 and frame[23] == 17 and frame[36:38] == b"\0\x43":
            self.dhcp(frame[42:], frame[26:34])
        elif kind == 0x86dd and frame[20] == 58 and frame[54] == 133 and self.prefix_seconds:
            self.advertise()

    def advertise(self):
        prefix = struct.pack(">BBBBIII", 3, 4, 64, 0xc0, self.prefix_seconds, self.prefix_seconds, 0) + \
            ipaddress.ip_address("2001:db8:9::").packed
        ra = struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix
        to = ipaddress.ip_address("ff02::1").packed
        sum_ = checksum(ROUTER.packed + to + struct.pack(">II", len(ra), 58) + ra)
        ra = ra[:2] + struct.pack(">H", sum_) + ra[4:]
        self.send(0x86dd, struct.pack(">IHBB", 0x60000000, len(ra), 58, 255) + ROUTER.packed + to + ra,
                  to=b"\x33\x33\0\0\0\1")

    def dhcp(self, packet, addresses):
        options, at = {}, 240
        while at < len(packet) and packet[at] != 255:
            if packet[at]:
                options[packet[at]] = packet[at + 2:at + 2 + packet[at + 1]]
            at += 2 + packet[at + 1] if packet[at] else 1
        kind, old = options[53][0], ipaddress.ip_address(packet[12:16])
        # The way of it: by broadcast from nowhere, or by unicast from its address.
        self.requests.put((kind, str(old), str(ipaddress.ip_address(addresses[4:]))))
        if kind == DISCOVER:
            self.reply(packet, OFFER, *self.answers[0][1:])
        elif kind == REQUEST:
            self.reply(packet, *self.answers.pop(0))

    def reply(self, packet, kind, ip, name_server, lease):
        ip = ipaddress.ip_address(ip).packed
        options = bytes([53, 1, kind, 54, 4]) + SERVER.packed
        if kind != NAK:
            options += b"\x33\4" + struct.pack(">I", lease) + b"\1\4\xff\xff\xff\0\3\4" + SERVER.packed + b"\6\4" + \
                ipaddress.ip_address(name_server).packed
        bootp = b"\2\1\6\0" + packet[4:8] + b"\0" * 4 + packet[12:16] + (b"\0" * 4 if kind == NAK else ip) + \
            SERVER.packed + b"\0" * 4 + packet[28:236] + bytes.fromhex("63825363") + options + b"\xff"
        to = b"\xff" * 4 if kind == NAK else ip
        udp = struct.pack(">HHHH", 67, 68, 8 + len(bootp), 0) + bootp
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + SERVER.packed + to
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        self.send(0x800, head + udp, to=b"\xff" * 6 if kind == NAK else MAC)


@contextlib.contextmanager
def closing(wire):
    try:
        yield wire
    finally:
        wire.close()


@pytest.fixture(scope="module")
def lives():
    """Two leases of two minutes, which lwIP renews after one; both at once, to save a minute."""
    good = Network("watch", answers=[(ACK, "10.9.0.50", "10.9.0.53", 120), (ACK, "10.9.0.50", "10.9.0.54", 120)])
    refused = Network("watch", answers=[(ACK, "10.9.0.50", "10.9.0.53", 120), (NAK, "10.9.0.50", "10.9.0.53", 0),
                                        (ACK, "10.9.0.60", "10.9.0.55", 120)])
    yield good, refused
    good.close()
    refused.close()


def test_lease(lives):
    for network in lives:
        network.expect("10.9.0.50", "[nameserver 10.9.0.53]")
        assert network.requests.get(timeout=1)[:2] == (DISCOVER, "0.0.0.0")
        while (request := network.requests.get(timeout=1))[0] != REQUEST:
            pass
        assert request == (REQUEST, "0.0.0.0", "255.255.255.255")


def test_renewal_keeps_the_address_and_tells_of_new_servers(lives):
    network = lives[0]
    assert network.requests.get(timeout=90) == (REQUEST, "10.9.0.50", str(SERVER))
    line = network.expect("[nameserver 10.9.0.54]", seconds=10)
    assert "10.9.0.50" in line and "10.9.0.53" not in line


def test_renewal_that_is_refused(lives):
    network = lives[1]
    network.expect("10.9.0.60", "[nameserver 10.9.0.55]", seconds=120)
    assert not network.answers
    assert network.requests.get(timeout=1) == (REQUEST, "10.9.0.50", str(SERVER))
    assert network.requests.get(timeout=1)[:2] == (DISCOVER, "0.0.0.0")


def test_prefix_of_a_router_comes_and_goes():
    with closing(Network("watch", answers=[(ACK, "10.9.0.50", "10.9.0.53", 120)])) as network:
        network.expect("10.9.0.50")
        network.prefix_seconds = 6
        network.advertise()
        network.expect("2001:db8:9::ff:fe00:2", "10.9.0.50", "fe80::ff:fe00:2")
        line = network.expect("10.9.0.50", seconds=30)  # the next change: it is over
        assert "2001:db8:9:" not in line and "fe80::ff:fe00:2" in line


def test_frames():
    experiment, other = 0x88b5, bytes.fromhex("020000000077")
    got = queue.Queue()

    class Peer(Wire):
        def handle(self, frame):
            if frame[12:14] == struct.pack(">H", experiment):
                got.put(frame)

    with closing(Peer("sniff")) as wire:
        frame = got.get(timeout=60)
        assert frame[:12] == b"\xff" * 6 + MAC and frame[14:19] == b"ready"
        wire.send(experiment, b"unseen", to=other)
        wire.send(experiment, b"mine")
        wire.expect("frame: host mine from 01")
        wire.send(experiment, b"all", to=b"\xff" * 6)
        wire.send(experiment, b"some", to=b"\x01\0\x5e\0\0\1", sender=other)
        wire.expect("frame: broadcast all from 01")
        wire.expect("frame: multicast some from 77")
        wire.send(experiment, b"promiscuous")
        assert got.get(timeout=10)[14:22] == b"so be it"
        wire.send(experiment, b"seen", to=other)
        wire.expect("frame: other seen from 01")
        wire.send(experiment, b"end")
        wire.expect("frame: host end from 01")
        assert "unseen" not in "".join(wire.lines.queue)
        wire.qemu.wait(20)
