"""What a program sent before it closed, or ended, arrives: the machine goes on sending as long as the peer listens."""
import contextlib
import select
import time

import pytest
from conftest import PEER, guest
from node import Node
from packets import ACK, FIN
from serving import LAST, request, stream
from wire import Plug


@contextlib.contextmanager
def last_words(folder, linger, n, **more):
    """A guest that was asked for n bytes as its last, a connection to it that has taken none, and its Node."""
    plug = Plug(folder / "wire")
    try:
        with guest("--net", f"stream={folder}/wire", "--ip", "10.0.3.1/24,10.0.3.2", PEER, "serve", 7, check=False) as g:
            plug.accept()
            node = Node(plug, "10.0.3.1", "10.0.3.2")
            g.listening()
            assert node.wait(lambda: node.mac)
            c = node.connect(7)
            assert c
            ask = request(LAST, 5, linger, n)
            c.say(ACK, ask, **more)
            c.seq += len(ask)
            yield g, node, c
    finally:
        plug.close()


def has_spoken(g):
    return bool(select.select([g.process.stdout], [], [], 0)[0])


def test_linger_sees_its_end_acknowledged(short):
    """Both ends cross, and ours is lost: close(2) returns when it has arrived after all, not when the other's has."""
    with last_words(short, 60, 100) as (g, node, c):
        assert node.wait(lambda: any(s.flags & FIN for s in c.inbox)), "no end"
        c.say(FIN | ACK)
        c.inbox.clear()
        for _ in range(2):
            assert node.wait(lambda: any(s.data or s.flags & FIN for s in c.inbox)), "nothing is repeated"
            c.inbox.clear()
        assert not has_spoken(g), "close(2) did not wait"
        c.seq += 1
        c.say(ACK, seq=c.seq)
        c.ack = (c.ack + 101) & 0xffffffff
        c.say(ACK)
        assert g.line() == "closed\n"
        g.end()


@pytest.mark.parametrize("window", [65535, 3000])
def test_the_end_waits_for_the_peer(short, window):
    """More than the peer takes in at once, of a program that is gone."""
    n = 100_000
    with last_words(short, 0, n, window=window) as (g, node, c):
        c.until(lambda c: c.say(ACK, window=window) or len(c.data) >= n and c.has_end, 60)
        assert c.data == stream(n, 11) and c.has_end
        assert g.line() == "closed\n"
        g.end()


def test_the_end_waits_not_for_ever(short):
    """Nobody listens."""
    with last_words(short, 0, 100) as (g, node, _):
        assert g.line() == "closed\n"
        begin = time.monotonic()
        with pytest.raises(EOFError):
            node.wait(lambda: False, 60)
        assert time.monotonic() - begin > 4.9
        g.end()
