"""Does a guest with `peer serve 7` on a Node's wire still serve as it should?"""
import contextlib
import struct

from conftest import PEER, guest
from node import Node
from wire import Plug

MAGIC = 0x9e3779b97f4a7c15
MASK = (1 << 64) - 1
DATA, QUIT, MEMORY, LAST, ECHO, LATE = range(6)


def request(kind, seed=0, up=0, down=0):
    return struct.pack("<QIIQQ", MAGIC, kind, seed, up, down)


def stream(n, seed):
    """peer.c's bytes."""
    words = ((seed << 40) + i for i in range((n + 7) // 8))
    return b"".join(struct.pack("<Q", (x ^ x >> 29) * MAGIC & MASK) for x in words)[:n]


def transfer(node, seed, up, down, seconds=20):
    """A connection as peer's clients make them; what went wrong, or ""."""
    c = node.connect(7, seconds)
    if not c:
        return "no connection"
    if not c.send(request(DATA, seed, up, down)):
        return "the request is not acknowledged"
    data = stream(up, 2 * seed)
    for at in range(0, up, 1400):
        if not c.send(data[at:at + 1400]):
            return f"bytes from {at} on are not acknowledged"
    got, right = c.receive(down, seconds), stream(down, 2 * seed + 1)
    if got != right:
        return f"{len(got)} of {down} bytes came" if right.startswith(got) else "wrong bytes"
    return "" if c.close() else "no end"


def trouble(node, number):
    """What of a look at everything does not work, or ""."""
    data = b"%08d" % number + bytes(range(200))
    if not node.ping(data):
        return "no answer to a ping"
    if not node.ping(data, is_v6=True):
        return "no answer to a ping over IPv6"
    if not node.ask_datagram(7, data):
        return "no answer to a datagram"
    return transfer(node, number, 3000, 5000)


@contextlib.contextmanager
def served_node(folder, *options, ip="10.0.3.1/24,10.0.3.2"):
    """A guest that serves, and the Node beside it; at the end the guest is asked to stop, and must have lost no memory."""
    plug = Plug(folder / "wire")
    try:
        with guest(*options, "--net", f"stream={folder}/wire", *(["--ip", ip] if ip else []), PEER, "serve", 7) as g:
            plug.accept()
            node = Node(plug, "10.0.3.1", "10.0.3.2")
            g.listening()
            assert node.wait(lambda: node.mac)
            yield node
            c = node.connect(7)
            assert c and c.send(request(QUIT)) and len(c.receive(8)) == 8
            with contextlib.suppress(EOFError):  # the machine ends once its own end is acknowledged, and may not answer ours
                assert c.close()
            g.end()
    finally:
        plug.close()


def free_kib(node):
    c = node.connect(7)
    assert c and c.send(request(MEMORY))
    answer = struct.unpack("<Q", c.receive(8))[0]
    assert c.close()
    return answer
