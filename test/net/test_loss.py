"""What our TCP sends again, and when: as little as it can know of, and before its timer."""
import struct

from node import Connection
from packets import ACK, PSH, SYN
from serving import DATA, request, served_node
from test_tcp import MSS, answers

SACK_PERMITTED = b"\4\2\1\1"


def sack(*blocks):
    return b"\1\1\5" + bytes([2 + 8 * len(blocks)]) + b"".join(struct.pack(">II", *(x & 0xffffffff for x in block)) for block in blocks)


def segments(c):
    """Those with data that come until it is quiet, by where they begin."""
    got = []
    while new := answers(c, 0.1):
        got += [(s.seq, len(s.data)) for s in new if s.data]
    return got


def begun(node):
    """A connection whose guest has many bytes to send."""
    c = Connection(node, 7)
    c.say(SYN, options=MSS + SACK_PERMITTED)
    got = answers(c, 10)
    assert len(got) == 1, got
    ask = request(DATA, 1, 0, 400_000)
    c.seq, c.ack = c.seq + 1 & 0xffffffff, got[0].seq + 1 & 0xffffffff
    c.say(PSH | ACK, ask)
    c.seq = c.seq + len(ask) & 0xffffffff
    return c


def repeats_what_was_lost(node):
    """Two segments of many are lost, and are all that is sent again."""
    c = begun(node)
    for _ in range(20):
        came = segments(c)
        if len(came) >= 8:
            break
        c.ack = c.ack + sum(n for _, n in came) & 0xffffffff
        c.say(ACK)
    (first, _), (second, _), end = came[0], came[3], sum(came[-1])
    kept = (came[1][0], second), (came[4][0], end)
    c.say(ACK, options=sack(*kept))
    again = [segments(c)]
    c.ack = second  # what was lost first has come
    c.say(ACK, options=sack(kept[1]))
    again.append(segments(c))
    c.ack = end & 0xffffffff
    c.say(ACK)
    again.append(segments(c))
    c.reset()
    return [[at for at, _ in got if (at - end) & 0x80000000] for got in again] == [[first], [second], []]


def test_what_is_repeated(short):
    with served_node(short) as node:  # more than once: who is slow here sees it sent again by the timer
        assert any(repeats_what_was_lost(node) for _ in range(5))
