"""When a guest says again what nobody has answered."""
import contextlib
import time

import pytest
from conftest import PEER, SECONDS, guest
from node import Node
from packets import ACK, FIN, RST, SYN
from serving import stream
from test_last import last_words
from wire import Plug


def test_a_syn_is_repeated_less_and_less_often(short):
    """After one second, two and four, as Linux does."""
    plug, times = Plug(short / "wire"), []
    try:
        with guest("--net", f"stream={short}/wire", "--ip", "10.0.3.1/24,10.0.3.2", PEER, "ask", "10.0.3.2", 9, "memory"):
            plug.accept()
            node = Node(plug, "10.0.3.1", "10.0.3.2")
            inbox = node.segments[9]
            while len(times) < 4:
                assert node.wait(lambda: inbox, 60), times
                assert inbox.popleft().flags == SYN
                times.append(time.monotonic())
    finally:
        plug.close()
    first, second, third = (b - a for a, b in zip(times, times[1:]))
    assert 0.4 < first < 2 and 1.4 < second < 0.75 * third < 6, times


@contextlib.contextmanager
def one_client(folder, option):
    """A guest that watches its one client by `option`, the Node beside it, and the client's connection."""
    plug = Plug(folder / "wire")
    try:
        with guest("--net", f"stream={folder}/wire", "--ip", "10.0.3.1/24,10.0.3.2", PEER, "alone", 7, option) as g:
            plug.accept()
            node = Node(plug, "10.0.3.1", "10.0.3.2")
            g.listening()
            assert node.wait(lambda: node.mac)
            c = node.connect(7)
            assert c and g.line() == "connected\n"
            yield g, node, c
    finally:
        plug.close()


@pytest.mark.parametrize("option", ["keepalive", "timeout"])
def test_a_client_that_is_gone_is_noticed(short, option):
    """SO_KEEPALIVE asks three times and gives up; TCP_USER_TIMEOUT bounds how long bytes wait for their acknowledgement."""
    with one_client(short, option) as (g, node, c):
        if option == "keepalive":  # one is answered
            assert node.wait(lambda: c.inbox, 20)
            probe = c.inbox.popleft()
            assert (probe.seq, probe.flags) == (c.ack - 1, ACK)
            c.say(ACK)
        seen = []
        end = time.monotonic() + 60
        while g.process.poll() is None and time.monotonic() < end:
            try:
                node.wait(lambda: False, 0.2)
            except EOFError:
                break
            seen += c.inbox
            c.inbox.clear()
        assert g.line() == "-1: Operation timed out\n"
        if option == "keepalive":
            assert [s.seq for s in seen if not s.flags & RST] == [c.ack - 1] * 3, seen
        else:
            assert all(s.seq == c.ack for s in seen if s.data), seen
        g.end()


def test_a_machine_that_stood_still(short):
    """What passes for the clock alone is no silence of the client's: he is asked before he is given up."""
    with one_client(short, "keepalive") as (g, node, c):
        g.stand_still(15)
        asked, end = 0, time.monotonic() + 5
        while time.monotonic() < end:
            node.look(0.1)
            while c.inbox:
                s = c.inbox.popleft()
                assert s.flags == ACK, s
                asked += s.seq == c.ack - 1
                c.say(ACK)
        assert asked > 0
        c.reset()
        assert g.line() == "-1: Connection reset by peer\n"
        g.end()


@pytest.mark.skipif(not SECONDS, reason="by hand: more than a minute")
def test_a_slow_reader_that_has_closed_gets_everything(short):
    """Somebody who takes a segment every second, and has sent his own end at the beginning (LAST_ACK)."""
    n = 100 * 1460
    with last_words(short, 0, n, window=1460) as (g, node, c):
        c.say(FIN | ACK, window=1460)
        c.seq, end = c.seq + 1, time.monotonic() + 250
        while not c.has_end:
            assert time.monotonic() < end, len(c.data)
            node.wait(lambda: False, 0.7)
            for s in c.inbox:
                if s.seq == c.ack:
                    c.data, c.has_end = c.data + s.data, bool(s.flags & FIN)
                    c.ack += len(s.data) + c.has_end
            c.inbox.clear()
            c.say(ACK, window=1460)
        assert c.data == stream(n, 11)
        assert g.line() == "closed\n"
        g.end()
