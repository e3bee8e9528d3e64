"""Hostile packets cause no panic and no leak, and the guest answers afterwards."""
import random
import time

import pytest
from conftest import PEER, SECONDS, guest
from hostile import Hostile
from node import Node
from packets import ACK, UDP, address, ethernet, ipv4, transport, udp
from serving import DATA, request, served_node, trouble
from wire import Plug

BATCH = 150


def batches(few):
    """Their numbers: so many, or for as long as is asked for by hand."""
    end, number = time.monotonic() + SECONDS, 0
    while number < few or time.monotonic() < end:
        number += 1
        yield number


@pytest.mark.parametrize("seed", range(1, 2 + SECONDS // 20))
def test_packets(short, seed):
    with served_node(short, "-c", 1 if seed % 2 else 4) as node:
        assert trouble(node, 0) == ""
        for number in batches(8):
            hostile = Hostile(random.Random(f"{seed} {number}"), node)
            for _ in range(BATCH):
                node.send(hostile.next())
            assert trouble(node, number) == "", f"after batch {number} of seed {seed}"


@pytest.mark.parametrize("seed", range(1, 2 + SECONDS // 20))
def test_connections(short, seed):
    """Wrong segments in connections that are open, both ways with bytes under way."""
    with served_node(short, "-c", 1 if seed % 2 else 4) as node:
        for number in batches(6):
            hostile = Hostile(random.Random(f"{seed} {number}"), node)
            open_ones = [node.connect(7) for _ in range(4)]
            for c in open_ones:
                assert c, f"before batch {number} of seed {seed}"
                c.send(request(DATA, number, 1 << 20, 1 << 20))
            for _ in range(BATCH):
                node.send(hostile.into(random.Random(_).choice(open_ones)))
                node.look(0)
            for c in open_ones:
                c.reset()
            assert trouble(node, number) == "", f"after batch {number} of seed {seed}"


def test_later_mss(short):
    """A size of segments that comes when longer ones wait already is not taken: it counts in a SYN only."""
    with served_node(short) as node:
        for size in (1, 100, 1000):
            c = node.connect(7)
            c.say(ACK, request(DATA, size, 0, 1 << 20), window=5000)
            c.seq += len(request(DATA))
            for _ in range(60):  # little by little, so that the program always has more to write
                node.look(0.05)
                c.take().say(ACK, window=5000, options=b"\2\4" + size.to_bytes(2, "big"))
            c.reset()
            assert trouble(node, size) == ""


def test_dhcp(short):
    """Answers of which most are wrong; then a right one, which is taken."""
    plug, rng = Plug(short / "wire"), random.Random(5)
    questions, offer = [], address("10.0.3.1")
    try:
        with guest("--net", f"stream={short}/wire", PEER, "serve", 7, check=False) as g:
            plug.accept()
            node = Node(plug, "10.0.3.1", "10.0.3.2")
            node.dhcp = questions.append
            g.listening()
            hostile = Hostile(rng, node)

            def answer(data):
                for to in (offer, b"\xff" * 4):
                    packet = transport(node.ip, to, UDP, udp(67, 68, data))
                    node.send(ethernet(node.mac, bytes.fromhex("020000000001"), 0x800, ipv4(node.ip, to, UDP, packet)))

            for _ in range(4):
                assert node.wait(lambda: questions, 60), "it does not ask"
                question = questions.pop()
                for _ in range(BATCH):
                    answer(hostile.dhcp_answer(rng.choice([2, 2, 4, 6, 8]), question, rng.randbytes(4)))
                node.look(0.1)
            end = time.monotonic() + 90
            while not node.ping(b"x"):
                assert time.monotonic() < end, "the right address is not taken"
                node.wait(lambda: questions, 5)
                for question in questions:
                    kind = 5 if b"\x35\1\3" in question else 2
                    head = b"\2\1\6\0" + question[4:8] + bytes(8) + offer + node.ip + bytes(4) + question[28:44] + bytes(192)
                    answer(head + b"\x63\x82\x53\x63" + bytes([53, 1, kind]) + b"\x36\4" + node.ip + b"\1\4\xff\xff\xff\0\x33\4\0\1\0\0\xff")
                questions.clear()
            assert trouble(node, 1) == ""
    finally:
        plug.close()
