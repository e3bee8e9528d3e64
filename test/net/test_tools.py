"""Programs for networks that nobody here wrote, Debian's static busybox: ping, arping, nslookup, wget, ifconfig, route, netstat; and
names that are looked up as /etc/resolv.conf says, by three libraries."""
import contextlib
import http.server
import os
import re
import shutil
import socket
import subprocess
import sys
import threading

import pytest
from conftest import BUILD, YOLK, guest
from node import MAC, Node, name_answer
from packets import UDP, address, ethernet, ipv4, transport, udp
from test_examples import PATTERN, Files
from wire import Plug

BUSYBOX, FETCH = "/bin/busybox", BUILD / "userland/examples/fetch"
needs_busybox = pytest.mark.skipif(not os.access(BUSYBOX, os.X_OK), reason="no busybox-static")
NAMES = {"files.test": "10.0.2.2", "node.test": "10.0.3.2"}


def on_a_wire(folder, *words, ip="10.0.3.1/24,10.0.3.2", names=None, dhcp=None):
    """Status and output of a program whose only neighbour is a Node."""
    path = folder / f"wire{len(list(folder.iterdir()))}"
    plug = Plug(path)
    with contextlib.closing(plug), guest("--net", f"stream={path}", *(["--ip", ip] if ip else []), *words, check=False) as g:
        plug.accept()
        node = Node(plug, "10.0.3.1", "10.0.3.2")
        node.names = names
        node.dhcp = dhcp and (lambda question: dhcp(node, question))
        with contextlib.suppress(EOFError):
            assert not node.wait(lambda: False, 60), "it does not end"
        return g.process.wait(30), g.process.stdout.read().decode(), g.said()


@needs_busybox
def test_ping(short):
    status, out, said = on_a_wire(short, BUSYBOX, "ping", "-c", "3", "-s", "1000", "10.0.3.2")
    assert status == 0 and out.count("1008 bytes from 10.0.3.2: seq=") == 3, out + said
    assert "3 packets transmitted, 3 packets received, 0% packet loss" in out


@needs_busybox
def test_ping_over_ipv6(short):
    status, out, said = on_a_wire(short, BUSYBOX, "ping", "-6", "-c", "2", "fe80::ff:fe00:1%eth0")
    assert status == 0 and "2 packets transmitted, 2 packets received, 0% packet loss" in out, out + said


@needs_busybox
def test_arping(short):
    """AF_PACKET: it makes ARP's frames itself, by broadcast and to whom has answered, and reads the answers."""
    status, out, said = on_a_wire(short, BUSYBOX, "arping", "-c", "3", "-I", "eth0", "10.0.3.2")
    assert status == 0 and out.count(f"eply from 10.0.3.2 [{MAC.hex(':')}]") == 3, out + said
    assert "Sent 3 probe(s)" in out and "Received 3 response(s) (0 request(s), 0 broadcast(s))" in out
    status, out, said = on_a_wire(short, BUSYBOX, "arping", "-D", "-c", "1", "-w", "2", "-I", "eth0", "10.0.3.9")
    assert status == 1, out + said  # somebody has that address


# --- names ---


def once_there_is_a_server(*words):
    """A command of a guest's that knows whom to ask: the program starts while DHCP is still under way."""
    return [BUSYBOX, "sh", "-c", 'until read line </etc/resolv.conf; do :; done; exec "$@"', "sh", *words]


def lease(node, question):
    """10.0.3.1 from a DHCP server that knows of a name server at 10.0.3.2."""
    kind = 5 if b"\x35\1\3" in question else 2
    head = b"\2\1\6\0" + question[4:8] + bytes(8) + address("10.0.3.1") + node.ip + bytes(4) + question[28:44] + bytes(192)
    options = bytes([53, 1, kind]) + b"\x36\4" + node.ip + b"\1\4\xff\xff\xff\0\x33\4\0\1\0\0\3\4" + node.ip + b"\6\4" + node.ip + b"\xff"
    packet = transport(node.ip, b"\xff" * 4, UDP, udp(67, 68, head + b"\x63\x82\x53\x63" + options))
    node.send(ethernet(node.mac, MAC, 0x800, ipv4(node.ip, b"\xff" * 4, UDP, packet)))


@needs_busybox
@pytest.mark.parametrize("name, says", [("node.test", "Address: 10.0.3.2"), ("nobody.test", "NXDOMAIN")])
def test_nslookup_asks_whom_dhcp_told_of(short, name, says):
    status, out, said = on_a_wire(short, *once_there_is_a_server("/busybox", "nslookup", name), ip=None, names=NAMES, dhcp=lease)
    assert says in out and "10.0.3.2" in out, out + said
    assert (status == 0) == (name == "node.test")


# --- this machine's name server, by QEMU's ---


def has_namespaces():
    return shutil.which("unshare") and subprocess.run(["unshare", "-nm", "true"], capture_output=True).returncode == 0


def in_a_world_of_names(*words):
    """Runs a command of ours where the name server is that of `world` below: QEMU passes questions on to this machine's."""
    done = subprocess.run(["unshare", "-nm", sys.executable, "-B", __file__, *map(str, words)], capture_output=True, timeout=200)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def world(words):
    """In namespaces of its own: a name server, a web server at port 8000, and the command."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open("/run/yolk-resolv.conf" if os.access("/run", os.W_OK) else "/tmp/yolk-resolv.conf", "w") as f:
        f.write("nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", f.name, "/etc/resolv.conf"], check=True)
    os.unlink(f.name)
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 53))

    def answer():
        while True:
            question, client = names.recvfrom(512)
            names.sendto(name_answer(question, NAMES), client)

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Files)
    for target in (answer, web.serve_forever):
        threading.Thread(target=target, daemon=True).start()
    return subprocess.run([YOLK, "run", "--timeout", "60", *words], stdin=subprocess.DEVNULL).returncode


needs_world = pytest.mark.skipif(not has_namespaces() or not shutil.which("ip"), reason="no namespaces here: not root, or no iproute2")


@needs_world
def test_musl_resolves():
    assert in_a_world_of_names(BUILD / "test/netguest", "resolve", "files.test")[:2] == (0, b"files.test: 10.0.2.2\n")


@needs_world
@needs_busybox
@pytest.mark.skipif(not FETCH.exists(), reason="no go: no example")
def test_go_resolves_and_fetches(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(FETCH, root / "fetch")
    status, out, said = in_a_world_of_names("--root", root, *once_there_is_a_server("/fetch", "http://files.test:8000/1000000"))
    assert (status, out) == (0, PATTERN[:1000000]), said
    status, out, said = in_a_world_of_names("--root", root, *once_there_is_a_server("/fetch", "http://nobody.test:8000/1"))
    assert (status, out) == (1, b"") and "no such host" in said


@needs_world
@needs_busybox
def test_glibc_resolves_and_fetches():
    status, out, said = in_a_world_of_names(*once_there_is_a_server("/busybox", "wget", "-q", "-O", "-", "http://files.test:8000/300000"))
    assert (status, out) == (0, PATTERN[:300000]), said


# --- what is there ---


@needs_busybox
def test_what_is_there(yolk_lines):
    assert re.search(r"eth0 .*HWaddr 52:54:00:12:34:56 *\n.*inet addr:10\.0\.2\.77 .*Mask:255\.255\.255\.0\n", yolk_lines("ifconfig"))
    assert re.search(r"^0\.0\.0\.0 +10\.0\.2\.2 +0\.0\.0\.0 +UG .* eth0$", yolk_lines("route", "-n"), re.M)
    assert re.search(r"^10\.0\.2\.0 +0\.0\.0\.0 +255\.255\.255\.0 +U .* eth0$", yolk_lines("route", "-n"), re.M)
    assert "inet 10.0.2.77/24" in yolk_lines("ip", "addr") and "eth0: <BROADCAST,MULTICAST,UP,LOWER_UP>" in yolk_lines("ip", "link")
    assert "default via 10.0.2.2 dev eth0" in yolk_lines("ip", "route")
    assert yolk_lines("netstat", "-tuln").startswith("Active Internet connections (only servers)\n")


@pytest.fixture
def yolk_lines():
    def lines(*words):
        done = subprocess.run([YOLK, "run", "--timeout", "60", "--ip", "10.0.2.77/24,10.0.2.2", BUSYBOX, *words], stdin=subprocess.DEVNULL,
                              capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    return lines


if __name__ == "__main__":
    sys.exit(world(sys.argv[1:]))
