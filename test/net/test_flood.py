"""Who asks for much, or answers slowly, leaves the others served."""
import random
import time

from conftest import SECONDS
from node import MAC
from packets import ACK, SYN, TCP, address, ethernet, ipv4, tcp, transport
from serving import DATA, free_kib, request, served_node, transfer

WINDOW = 50  # requests under way: more than half of the backlog is not to come between a client's SYN and its ACK


class Flood:
    """Requests for connections from addresses that never complete them, as fast as the guest answers."""

    def __init__(self, node, seed):
        self.node, self.random, self.sent, self.seen = node, random.Random(seed), 0, 0
        self.credit, self.last = WINDOW, time.monotonic()
        node.meanwhile = self.send

    def send(self):
        answers, now = self.node.others[SYN | ACK], time.monotonic()
        self.credit = min(self.credit + answers - self.seen, WINDOW)
        if answers != self.seen:
            self.seen, self.last = answers, now
        elif now - self.last > 0.5:  # some answers never come: of those that wait for an address
            self.credit, self.last = WINDOW, now
        for _ in range(self.credit):
            self.credit -= 1
            r = self.random
            source, to = address(f"10.0.3.{r.randrange(3, 254)}"), self.node.guest
            syn = tcp(r.randrange(1024, 65536), 7, r.getrandbits(32), 0, SYN, options=b"\2\4\5\xb4")
            if self.node.plug.send(ethernet(self.node.mac, MAC, 0x800, ipv4(source, to, TCP, transport(source, to, TCP, syn)))):
                self.sent += 1


def test_syn_flood(short):
    with served_node(short, "-m", "128M") as node:
        before = free_kib(node)
        flood = Flood(node, 1)
        end, number = time.monotonic() + SECONDS, 0
        while time.monotonic() < end or number < 3 or flood.sent < 2000:
            number += 1
            assert transfer(node, number, 2000, 10000, 30) == "", f"connection {number} after {flood.sent} requests"
        node.meanwhile = lambda: None
        print(f"{flood.sent} requests, {number} connections between them; {node.others}")
        assert transfer(node, 0, 100, 100) == ""
        assert free_kib(node) > before - 8192


def test_slow_clients(short):
    """Those that send a byte and no more, that never read, and that leave in the middle, hold up nobody but themselves."""
    with served_node(short, "-m", "128M") as node:
        before, slow = free_kib(node), []
        for number in range(60):
            c = node.connect(7)
            assert c
            if number % 3 == 0:
                assert c.send(request(DATA)[:1 + number % 20])
            elif number % 3 == 1:  # the guest has a megabyte to send, and no window
                c.say(ACK, request(DATA, number, 0, 1 << 20), window=0)
                c.seq += len(request(DATA))
            else:
                assert c.send(request(DATA, number, 1 << 20, 0))
            slow.append(c)
        for number in range(3 + SECONDS):
            assert transfer(node, number, 2000, 10000, 30) == ""
        for c in slow:
            c.reset()
        assert transfer(node, 1, 100, 100) == ""
        assert free_kib(node) > before - 8192
