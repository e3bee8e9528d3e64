"""What our TCP says to segments that a loopback interface never sees, or not in that order: as Linux does."""
import struct
import time

import pytest
from conftest import PEER, guest
from node import Connection, Node
from packets import ACK, FIN, PSH, RST, SYN, URG
from serving import DATA, ECHO, request, served_node
from wire import Plug

MSS = b"\2\4\5\xb4"


def answers(c, seconds=1):
    """What comes for it meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not c.inbox:
        c.node.look(0.05)
    got = list(c.inbox)
    c.inbox.clear()
    return got


def in_time_wait(node):
    """A connection that the guest has ended first."""
    c = node.connect(7)
    assert c and c.send(request(DATA, 1, 0, 10)) and len(c.receive(10)) == 10
    assert c.until(lambda c: c.has_end, 20)
    c.say(FIN | ACK)
    c.seq += 1
    got = answers(c)
    assert got and got[-1].ack == c.seq & 0xffffffff and got[-1].flags == ACK
    return c


def syn(c, seq, flags=SYN):
    c.say(flags, seq=seq & 0xffffffff, options=MSS)
    return answers(c)


def test_time_wait(short):
    with served_node(short) as node:
        # A SYN that is newer than all of it: a new connection, whose bytes are beyond the old one's.
        c = in_time_wait(node)
        for newer in (1, 100, 70000, 1 << 30):
            old, seq = c.ack, c.seq + newer
            got = syn(c, seq)
            assert [(s.flags, s.ack) for s in got] == [(SYN | ACK, seq + 1 & 0xffffffff)], got
            assert got[0].seq == old + 65537 & 0xffffffff
            c.seq, c.ack, c.acked, c.data, c.has_end = seq + 1 & 0xffffffff, got[0].seq + 1 & 0xffffffff, seq + 1 & 0xffffffff, b"", False
            c.say(ACK)
            assert c.send(request(DATA, 1, 0, 10)) and len(c.receive(10)) == 10
            assert c.until(lambda c: c.has_end, 20)
            c.say(FIN | ACK)
            c.seq += 1
            assert [s.flags for s in answers(c)] == [ACK]
        # One that may be old is answered, and so is one with an acknowledgement; nothing has ended.
        for seq, flags in ((c.seq, SYN), (c.seq - 1, SYN), (c.seq - 70000, SYN), (c.seq + 100, SYN | ACK)):
            got = syn(c, seq, flags)
            assert [(s.flags, s.ack, s.seq) for s in got] == [(ACK, c.seq & 0xffffffff, c.ack)], got
        # A reset in its place ends it, another one does not.
        c.say(RST, seq=c.seq + 1)
        assert [s.flags for s in syn(c, c.seq - 5)] == [ACK]
        c.say(RST)
        assert [s.flags for s in syn(c, c.seq - 5)] == [SYN | ACK]
        c.reset()


def test_many_begin_at_once(short):
    """Nobody who has been answered is forgotten before his acknowledgement, be they more than lwIP can count."""
    with served_node(short) as node:
        begun = []
        for _ in range(400):
            c = Connection(node, 7)
            got = syn(c, c.seq)
            assert [s.flags for s in got] == [SYN | ACK], (len(begun), got)
            c.seq, c.ack = c.seq + 1 & 0xffffffff, got[0].seq + 1 & 0xffffffff
            begun.append(c)
        for number, c in enumerate(begun[:40]):  # the first, as more would wait in the listener's queue
            c.acked = c.seq
            c.say(ACK)
            assert c.send(request(DATA, number, 0, 10)) and len(c.receive(10)) == 10, number
        for c in begun:
            c.reset()


def acknowledges_alone(node):
    c = node.connect(7)
    assert c and c.send(request(ECHO))
    got = []
    for data in (b"one", b"two"):
        c.say(PSH | ACK, data)
        c.seq += len(data)
        got += answers(c, 10)
    # "two" waits; and "one" is not sent again before its time
    good = [(s.ack, s.data) for s in got] == [(c.seq - 3 & 0xffffffff, b"one"), (c.seq & 0xffffffff, b"")]
    c.ack += 3
    c.say(ACK)
    assert c.receive(3) == b"two"
    assert c.close()
    return good


def test_an_acknowledgement_does_not_wait_for_one(short):
    """The guest has a small segment that is to wait until the one before it is acknowledged, and bytes to acknowledge itself."""
    with served_node(short) as node:  # more than once: who is slow here sees "one" sent again
        assert any(acknowledges_alone(node) for _ in range(5))


def test_urgent_data(short):
    """A pointer before its byte, more than one, and those that mean nothing."""
    with served_node(short) as node:
        c = node.connect(7)
        assert c and c.send(request(ECHO))

        def send(data, urgent=None, back=b"", back_urgent=b""):
            c.say(PSH | ACK | (0 if urgent is None else URG), data, urgent=urgent or 0)
            c.seq += len(data)
            pieces, end = {}, time.monotonic() + 20  # by where they begin: one may be sent again
            while sum(len(s.data) for s in pieces.values()) < len(back + back_urgent) and time.monotonic() < end:
                node.look(0.05)
                while c.inbox:
                    s = c.inbox.popleft()
                    if s.data:
                        pieces[s.seq - c.ack & 0xffffffff] = s
            come = [pieces[at] for at in sorted(pieces)]
            marked = [s.data[s.urgent - 1:s.urgent] for s in come if s.flags & URG]
            assert b"".join(s.data for s in come) == back + back_urgent and marked == ([back_urgent] if back_urgent else []), come
            c.ack += len(back + back_urgent)
            c.say(ACK)

        send(b"abc", 3, b"ab", b"c")
        send(b"def", None, b"def")
        send(b"ab", 5, b"ab")  # not here yet
        send(b"cd", None, b"cd")
        send(b"efg", None, b"fg")
        send(b"x", 1)  # reads pass over it
        send(b"yz", 65535, b"yz")
        send(b"abcd", 2, b"abcd")  # before what is known already
        c.say(PSH | ACK | URG, b"...", seq=c.seq - 3, urgent=2)  # and before what was read
        send(b"e", None, b"e")
        assert c.close()


def meet(node, acknowledge):
    """The guest's SYN to port 9 is crossed by one to it; the connection, which `acknowledge` completes."""
    inbox = node.segments[9]
    assert node.wait(lambda: inbox, 60)
    first = inbox.popleft()
    assert first.flags == SYN
    c = Connection(node, first.port)
    c.mine, c.inbox, y = 9, inbox, c.seq
    got = syn(c, y)
    assert [(s.flags, s.seq, s.ack) for s in got] == [(SYN | ACK, first.seq, y + 1 & 0xffffffff)], got
    c.ack = first.seq + 1 & 0xffffffff
    assert [s.flags for s in syn(c, y)] == [SYN | ACK]  # the same once more
    c.seq = y + 1 & 0xffffffff
    if acknowledge == SYN | ACK:
        c.say(SYN | ACK, seq=y, options=MSS)
    else:
        c.say(ACK)
    return c


@pytest.mark.parametrize("acknowledge", [SYN | ACK, ACK], ids=["syn", "ack"])
def test_two_syns_cross(short, acknowledge):
    plug = Plug(short / "wire")
    try:
        with guest("--net", f"stream={short}/wire", "--ip", "10.0.3.1/24,10.0.3.2", PEER, "ask", "10.0.3.2", 9, "memory") as g:
            plug.accept()
            node = Node(plug, "10.0.3.1", "10.0.3.2")
            c = meet(node, acknowledge)
            assert len(c.receive(len(request(DATA)))) == len(request(DATA))
            assert c.send(struct.pack("<Q", 12345))
            assert c.close()
            assert g.end().strip() == "12345"
    finally:
        plug.close()
