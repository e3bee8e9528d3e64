"""The network, from a client on this machine to a server in the guest."""
import contextlib
import http.client
import os
import socket
import struct
import subprocess
import threading

import pytest
from conftest import BUILD, EXAMPLES, YOLK

PATTERN = bytes((i * 7 + (i >> 8)) & 255 for i in range(1 << 20))


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def serving(*args):
    """A guest that prints one line once it listens."""
    p = subprocess.Popen([YOLK, "run", "--timeout", "120", *map(str, args)], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert b"listening" in p.stdout.readline(), p.stderr.read()
        yield p
    finally:
        p.terminate()
        p.terminate()
        p.communicate(timeout=30)


def connect(port, tries=100):
    return socket.create_connection(("127.0.0.1", port), 30)


needs_go = pytest.mark.skipif(not (EXAMPLES / "httpd").exists(), reason="no go: no httpd")


@needs_go
@pytest.mark.parametrize("machine", ["microvm", "q35"])
@pytest.mark.parametrize("cpus", [1, 4])
def test_http(machine, cpus):
    port = free_port()
    with serving("--machine", machine, "-c", cpus, "-p", f"{port}:8080", "httpd"):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(50):  # one connection
            c.request("GET", "/")
            assert c.getresponse().read() == b"Hello, World!\n"
        for n in (0, 1, 1459, 1460, 1461, 65535, 65536, 300000):
            c.request("GET", f"/bytes?n={n}")
            assert c.getresponse().read() == PATTERN[:n]
            c.request("POST", "/echo", body=PATTERN[:n])
            assert c.getresponse().read() == PATTERN[:n]
        for _ in range(10):  # a connection each
            d = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            d.request("GET", "/", headers={"Connection": "close"})
            assert d.getresponse().read() == b"Hello, World!\n"
            d.close()


@pytest.mark.parametrize("cpus", [1, 4])
def test_echo_of_many_at_once(cpus):
    port, bad = free_port(), []

    def client(number):
        with connect(port) as s:
            data = PATTERN[number * 1000:number * 1000 + 50000]
            threading.Thread(target=s.sendall, args=(data,)).start()
            got = b""
            while len(got) < len(data):
                part = s.recv(65536)
                if not part:
                    break
                got += part
            if got != data:
                bad.append(number)

    with serving("-c", cpus, "-p", f"{port}:7", "echo"):
        threads = [threading.Thread(target=client, args=(n,)) for n in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(90)
        assert not bad


@pytest.mark.parametrize("address", ["10.0.2.15/24,10.0.2.2", "10.0.2.77/24", "10.0.2.78/32,10.0.2.2"])
def test_fixed_address(address):
    port = free_port()
    with serving("--ip", address, "-p", f"{port}:7", "echo"):
        with connect(port) as s:
            s.sendall(b"fixed")
            assert s.recv(100) == b"fixed"


@pytest.mark.parametrize("options, own", [(("--ip", "10.0.2.77/24"), b"10.0.2.77"), ((), b"127.0.1.1"),
                                          (("--net", "none"), b"127.0.1.1")])
def test_own_name_has_an_address(yolk, options, own):
    done = yolk("run", *options, str(BUILD / "test/guest"), "cat", "/etc/hosts")
    assert done.returncode == 0
    assert done.stdout == b"127.0.0.1\tlocalhost\n::1\tlocalhost\n" + own + b"\tyolk\n"


@pytest.mark.parametrize("cpus", [1, 4])
def test_own_address_is_reached(yolk, cpus):
    """A datagram, one to a group, and a connection: although nobody on the wire may say to be this machine."""
    done = yolk("run", "-c", str(cpus), "--timeout", "50", "--ip", "10.0.2.77/24", str(BUILD / "test/netguest"), "own", "10.0.2.77")
    assert (done.returncode, done.stdout) == (0, b"ugt\n"), done.stderr


def test_no_network_at_all(yolk):
    done = yolk("run", "--net", "none", "hello")
    assert done.returncode == 0 and done.stdout == b"hello, world\n"


def refused(yolk, *options):
    """What the command says; it is one line, and nothing was run."""
    done = yolk("run", *options, "hello")
    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr.startswith(b"yolk: --") and done.stderr.count(b"\n") == 1
    return done.stderr


@pytest.mark.parametrize("wrong", ["8080", "x:80", "80:x", "80:80/sctp", "0:80", "80:0", "70000:80", "80:70000", "-1:80", "80:80/",
                                   "localhost:8080:80", "[::1]:8080:80", ":8080:80", "127.0.0.1,x=1:8080:80"])
def test_publish_is_checked(yolk, wrong):
    assert b"--publish " + wrong.encode() + b": " in refused(yolk, "-p", wrong)


def test_published_ports_are_free(yolk):
    for kind, suffix in ((socket.SOCK_STREAM, ""), (socket.SOCK_DGRAM, "/udp")):
        with socket.socket(socket.AF_INET, kind) as s:
            s.bind(("127.0.0.1", 0))
            if not suffix:
                s.listen()
            port = s.getsockname()[1]
            assert b"port %d of 127.0.0.1" % port in (said := refused(yolk, "-p", f"{port}:80{suffix}")) and b"already in use" in said
    port = free_port()
    assert b"passed on already" in refused(yolk, "-p", f"{port}:80", "-p", f"{port}:81")
    assert b"Cannot assign" in refused(yolk, "-p", f"192.0.2.7:{port}:80")
    assert yolk("run", "-p", f"{port}:80", "-p", f"{port}:80/udp", "hello").returncode == 0
    assert b"--net user" in refused(yolk, "-p", f"{port}:80", "--net", "none")
    assert b"--ip off" in refused(yolk, "-p", f"{port}:80", "--ip", "off")


@pytest.mark.parametrize("wrong", ["", "x", "10.0.2.15", "10.0.2.15,10.0.2.2", "10.0.2.15/0", "10.0.2.15/33", "10.0.2.15/24,", "10.0.2/24", "fd00::5/64,fd00::1",
                                   "10.0.2.300/24", "10.0.2.15/24,10.0.3.2", "10.0.2.2/24,10.0.2.2", "10.0.2.15/24,x", "127.0.0.1/8", "10.0.2.255/24", "10.0.2.0/24", "224.0.0.1/4"])
def test_address_is_checked(yolk, wrong):
    assert b"--ip " + wrong.encode() + b": " in refused(yolk, "--ip", wrong)


def test_address_needs_a_network(yolk):
    assert b"--net none" in refused(yolk, "--net", "none", "--ip", "10.0.2.15/24")


@pytest.mark.parametrize("wrong,why", [("tap=nosuch", b"no such interface"), ("tap=lo", b"no tap interface"), ("tap=" + 20 * "x", b"no such interface"),
                                       ("tap=x,script=/bin/true", b"no such interface"), ("stream=/no/such", b"No such file"),
                                       ("stream=/dev/null", b"no socket"), ("bridge", b"one of user")])
def test_other_ends_are_checked(yolk, wrong, why):
    assert why in refused(yolk, "--net", wrong)


def recorded(data, port):
    """What a recording has of TCP from that port and to it, once each byte."""
    pieces, at = ({}, {}), 24
    while at < len(data):
        kept, long = struct.unpack_from("<II", data, at + 8)
        frame, at = data[at + 16:at + 16 + kept], at + 16 + kept
        assert kept == long == len(frame)
        if frame[12:14] == b"\x08\0" and frame[23] == 6:
            length, (source, seq) = struct.unpack_from(">H", frame, 16)[0], struct.unpack_from(">H2xI", frame, 34)
            if payload := frame[34 + (frame[46] >> 4) * 4:14 + length]:
                pieces[source != port].setdefault(seq, payload)
    return [b"".join(way.values()) for way in pieces]


def test_pcap(yolk, tmp_path):
    """The wire as a file: magic number, Ethernet, and at least the guest's question for an address."""
    file = tmp_path / "the wire, recorded.pcap"
    r = yolk("run", "--timeout", "60", "--pcap", file, "hello")
    assert (r.returncode, r.stdout) == (0, b"hello, world\n")
    data = file.read_bytes()
    assert data[:4] == b"\xd4\xc3\xb2\xa1" and data[20:24] == b"\x01\0\0\0" and b"\x63\x82\x53\x63" in data  # DHCP's cookie
    data, port = data[:24], free_port()
    with serving("--pcap", file, "-p", f"{port}:7", "echo"), connect(port) as s:
        s.sendall(PATTERN[:5000])
        assert s.makefile("rb").read(5000) == PATTERN[:5000]
    said, come = recorded(file.read_bytes(), 7)
    assert said == come == PATTERN[:5000]
    r = yolk("run", "--pcap", "/no/such/directory/file", "hello")
    assert r.returncode == 125 and b"--pcap" in r.stderr and b"No such file" in r.stderr
    os.mkfifo(tmp_path / "fifo")
    assert b"nobody reads" in refused(yolk, "--pcap", tmp_path / "fifo")
    r = yolk("run", "--pcap", "/dev/full", "hello")  # no room comes to light on the way
    assert (r.returncode, r.stdout) == (0, b"hello, world\n") and b"--pcap /dev/full: there is no room" in r.stderr
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)  # a FIFO shows the wire at once
    assert yolk("run", "--pcap", tmp_path / "fifo", "hello").returncode == 0
    assert os.read(reader, 1 << 16)[:24] == data[:24]
    os.close(reader)
    r = yolk("run", "--net", "none", "--pcap", file, "hello")
    assert r.returncode == 125 and b"--net none" in r.stderr


# Datagrams in pieces: of how many bytes, and of how many a piece.  Those above 1,472 leave as several packets.
PIECES = [(1, 1), (2, 1), (1451, 1), (1452, 5)]
LARGE_PIECES = [(1453, 3), (1472, 7), (1473, 9), (2953, 1), (9001, 13), (65487, 4097), (65486, 777)]


def hear_pieces(s, expected, say):
    """Takes each datagram, with the bytes that `netguest pieces` sends, and answers it."""
    s.settimeout(60)
    for total, step in expected:
        data, where = s.recvfrom(70000)
        assert data == bytes((k * 7 + (k >> 8) + total) & 255 for k in range(total)), (say, total, step, len(data))
        s.sendto(b"k", where)


def pieces_arrive(s, sizes, there, *options):
    """A guest that is run with these options sends them to `s`, which is `there` to it."""
    p = subprocess.Popen([YOLK, "run", *options, BUILD / "test/netguest", "pieces", there, str(s.getsockname()[1]),
                          *(str(n) for pair in sizes for n in pair)], stdin=subprocess.DEVNULL)
    try:
        hear_pieces(s, sizes, there)
        assert p.wait(60) == 0
    finally:
        p.terminate()
        p.wait(30)


@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize("here,there,sizes", [("127.0.0.1", "10.0.2.2", PIECES + LARGE_PIECES + [(65507, 4097)]), ("::1", "fec0::2", PIECES)])
def test_datagrams_in_pieces(here, there, sizes, cpus):
    with socket.socket(socket.AF_INET6 if ":" in here else socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((here, 0))
        pieces_arrive(s, sizes, there, "--timeout", "120", "-c", str(cpus))


ROUTES = b"""\
10.0.2.2: type 1 flags 200 dev eth0 src 10.0.2.15
10.0.2.0: type 1 flags 200 dev eth0 src 10.0.2.15
192.0.2.1: type 1 flags 200 dev eth0 src 10.0.2.15 via 10.0.2.2
10.0.2.15: type 2 flags 80000200 dev lo src 10.0.2.15
127.0.0.1: type 2 flags 80000200 dev lo src 127.0.0.1
0.0.0.0: type 2 flags 80000200 dev lo src 127.0.0.1
10.0.2.255: type 3 flags 90000200 dev eth0 src 10.0.2.15
127.255.255.255: type 3 flags 90000200 dev lo src 127.0.0.1
255.255.255.255: type 3 flags 90000200 dev eth0 src 10.0.2.15
224.0.0.1: type 5 flags a0000200 dev eth0 src 10.0.2.15
239.1.2.3: type 5 flags 20000200 dev eth0 src 10.0.2.15
0.1.2.3: type 1 flags 200 dev eth0 src 10.0.2.15 via 10.0.2.2
"""


def test_routes(yolk):
    """As Linux tells them with this address and this gateway."""
    done = yolk("run", "--ip", "10.0.2.15/24,10.0.2.2", BUILD / "test/netguest", "route",
                *(line.split(":")[0] for line in ROUTES.decode().splitlines()))
    assert (done.returncode, done.stdout) == (0, ROUTES)


@pytest.mark.parametrize("name, text", [("address", b"52:54:00:12:34:56"), ("carrier", b"1"), ("flags", b"0x1003"), ("mtu", b"1500"),
                                        ("operstate", b"up"), ("type", b"1")])
def test_interface_in_sys(yolk, name, text):
    done = yolk("run", BUILD / "test/guest", "cat", f"/sys/class/net/eth0/{name}")
    assert (done.returncode, done.stdout) == (0, text + b"\n")
