"""The examples udp and fetch, with this machine at the other end."""
import contextlib
import http.server
import socket
import threading

import pytest
from conftest import BUILD, guest
from node import Node, name_answer
from wire import Plug

EXAMPLES = BUILD / "userland/examples"
pytestmark = pytest.mark.skipif(not (EXAMPLES / "fetch").exists(), reason="no go: no example")
PATTERN = bytes((i * 7 + (i >> 8)) & 255 for i in range(1 << 20))


@pytest.mark.parametrize("cpus", [1, 4])
def test_udp(cpus):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with guest("-c", cpus, "-p", f"{port}:9999/udp", "udp", check=False) as g, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        g.listening()
        s.settimeout(30)
        numbers = set()
        for n in (0, 1, 2, 100, 1472, 1473, 4000, 1, 8000, 100):
            s.sendto(PATTERN[n:2 * n], ("127.0.0.1", port))
            answer = s.recv(65536)
            number, _, data = answer.partition(b" ")
            assert data == PATTERN[n:2 * n][::-1]
            numbers.add(int(number))
        assert numbers == set(range(1, 11))


CLIENTS = 10000


def test_echo_of_ten_thousand(short):
    """All of them are connected at a time, and each gets its own words back."""
    plug = Plug(short / "wire")
    with contextlib.closing(plug), guest("--net", f"stream={short}/wire", "--ip", "10.0.3.1/24,10.0.3.2", "--timeout", 500, "echo", 7,
                                               check=False) as g:
        plug.accept()
        node = Node(plug, "10.0.3.1", "10.0.3.2")
        g.listening()
        assert node.wait(lambda: node.mac)
        clients = []
        for number in range(CLIENTS):
            c = node.connect(7)
            assert c, f"connection {number}"
            clients.append(c)
        for number, c in enumerate(clients):
            assert c.send(b"%d says" % number), f"connection {number}"
        for number, c in enumerate(clients):
            words = b"%d says" % number
            assert c.receive(len(words)) == words, f"connection {number}"
        for c in clients[::2]:
            c.reset()
        for c in clients[1::20]:
            assert c.send(b"more") and c.receive(4) == b"more"
        c = node.connect(7)
        assert c and c.send(b"one more") and c.receive(8) == b"one more" and c.close()


class Files(http.server.BaseHTTPRequestHandler):
    """/N: so many bytes; /from/N: goes on to that."""

    def do_GET(self):
        n = int(self.path.rpartition("/")[2])
        if self.path.startswith("/from"):
            self.send_response(302)
            self.send_header("Location", f"/{n}")
            self.end_headers()
            return
        self.send_response(200 if n <= len(PATTERN) else 404)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(min(n, len(PATTERN))))
        self.end_headers()
        self.wfile.write(PATTERN[:n])

    def log_message(self, *words):
        pass


def name_server(s):
    """files.test is 10.0.2.2, which is this machine."""
    while True:
        try:
            question, client = s.recvfrom(512)
        except OSError:
            return
        s.sendto(name_answer(question, {"files.test": "10.0.2.2"}), client)


@pytest.fixture(scope="module")
def ports():
    """Of the web server and the name server."""
    with contextlib.ExitStack() as stack:
        web = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files))
        threading.Thread(target=web.serve_forever, daemon=True).start()
        names = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        names.bind(("127.0.0.1", 0))
        threading.Thread(target=name_server, args=(names,), daemon=True).start()
        yield web.server_address[1], names.getsockname()[1]
        web.shutdown()


def fetched(*args):
    with guest("fetch", *args, check=False) as g:
        out = g.process.stdout.read()
        return g.process.wait(60), out, g.said()


def test_fetch(ports):
    web, names = ports
    dns = ("-dns", f"10.0.2.2:{names}")
    status, out, said = fetched(*dns, f"http://files.test:{web}/1000000", f"http://files.test:{web}/from/1461", f"http://10.0.2.2:{web}/0")
    assert (status, out) == (0, PATTERN[:1000000] + PATTERN[:1461]), said
    status, out, said = fetched(*dns, f"http://nothing.test:{web}/1")
    assert (status, out) == (1, b"") and "no such host" in said
    status, out, said = fetched(f"http://10.0.2.2:{web}/2000000")
    assert (status, out) == (1, b"") and "404" in said
