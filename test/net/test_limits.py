"""What a machine on the wire cannot make of a guest: have it keep much for little, wait for ever, or believe who it is."""
import random
import time

from conftest import PEER, guest
from node import LINK_LOCAL, MAC, Connection, Node
from packets import (ACK, FIN, ICMP6, PSH, SYN, TCP, UDP, address, echo, ethernet, ipv4, ipv6, tcp, transport, udp)
from serving import ECHO, LATE, free_kib, request, served_node, trouble
from test_tcp import MSS, answers
from wire import Plug

SILENT, SILENT_ROUTER, FAR = address("fe80::5"), address("fe80::6"), address("2001:db8::1")


def fragments(node, source, data, size, protocol=UDP, ident=1):
    """An IPv4 packet from there in pieces."""
    data = transport(source, node.guest, protocol, data)
    for at in range(0, len(data), size):
        more = 0x2000 if at + size < len(data) else 0
        node.send(ethernet(node.mac, MAC, 0x800, ipv4(source, node.guest, protocol, data[at:at + size], ident=ident, fragment=at // 8 | more)))


def fragments6(node, data, size):
    data = transport(LINK_LOCAL, node.link_local, UDP, data)
    for at in range(0, len(data), size):
        head = bytes([UDP, 0]) + (at | (at + size < len(data))).to_bytes(2, "big") + b"\0\0\0\1"
        node.send(ethernet(node.mac, MAC, 0x86dd, ipv6(LINK_LOCAL, node.link_local, 44, head + data[at:at + size])))


def test_path_mtu(short):
    """A path's MTU above that of the interface: packets as long as that would find no room, and all others would wait behind."""
    with served_node(short) as node:
        assert trouble(node, 0) == ""
        for mtu in (1501, 9000, 65535, 0xffffffff):
            sent = ipv6(node.link_local, LINK_LOCAL, UDP, udp(7, 50001, b"x" * 20))
            node.send_ip6(ICMP6, b"\2\0\0\0" + mtu.to_bytes(4, "big") + sent, hops=255)
            fragments6(node, udp(50001, 7, b"x" * 5000), 1400)
            assert trouble(node, mtu & 0xffff) == "", mtu


def test_datagram_to_a_stranger(short):
    """All pieces of the first datagram wait for its receiver's address."""
    with served_node(short) as node:
        node.ping(b"x")
        pieces, take = [], node.take

        def see(frame):
            if frame[12:14] == b"\x08\0" and frame[30:34] == stranger and frame[23] == UDP:
                pieces.append(frame)
            take(frame)

        node.take = see
        for last in range(77, 82):
            stranger = address(f"10.0.3.{last}")
            pieces.clear()
            fragments(node, stranger, udp(50001, 7, b"x" * 60000), 1480, ident=last)
            if node.wait(lambda: len(pieces) == 41, 5):  # 60008 bytes; a busy machine may drop one of those that it is sent
                return
        assert False, f"{len(pieces)} pieces"


def silence(node):
    """Nobody has certain addresses."""
    take = node.take_transport

    def some(protocol, source, to, data):
        if not (protocol == ICMP6 and data[:1] == b"\x87" and data[8:24] in (SILENT, SILENT_ROUTER)):
            take(protocol, source, to, data)

    node.take_transport = some


def advertise(node, seconds):
    """A router says that it is one for so long."""
    to, data = address("ff02::1"), bytes([134, 0, 0, 0, 64, 0]) + seconds.to_bytes(2, "big") + bytes(8)
    node.send(ethernet(node.mac, MAC, 0x86dd, ipv6(SILENT_ROUTER, to, ICMP6, transport(SILENT_ROUTER, to, ICMP6, data), 255)))


def ask6(node, source, to):
    """A long ping, to be answered to `source`."""
    data = transport(source, to, ICMP6, echo(128, 1, 1, b"x" * 1400))
    node.send(ethernet(node.mac, MAC, 0x86dd, ipv6(source, to, ICMP6, data)))


def test_unresolved(short):
    """Answers to neighbours that do not say where they are, and to somebody behind a router that does not."""
    with served_node(short, "-m", "128M") as node:
        assert trouble(node, 0) == ""
        silence(node)
        before = free_kib(node)
        advertise(node, 9000)
        for source in (SILENT, FAR):
            for _ in range(4000):
                ask6(node, source, node.link_local)
            assert free_kib(node) > before - 2048, source
        assert trouble(node, 1) == ""
        advertise(node, 0)  # so that nothing waits any more


def late(node):
    """A connection whose other side reads nothing before ours has ended."""
    c = node.connect(7)
    assert c and c.send(request(LATE))
    return c


def ends(c, data):
    """It has all of this, and sends it back."""
    c.send(b"", FIN | ACK)
    assert c.receive(len(data), 60) == data
    assert c.until(lambda c: c.has_end, 20)
    c.node.segments.pop(c.mine, None)


def test_few_bytes_in_many_segments(short):
    """Thousands of segments of a byte each, in order and not, that nobody reads; some are padded to a whole frame."""
    with served_node(short, "-m", "128M") as node:
        before, r = free_kib(node), random.Random(1)
        c = late(node)
        data, first = r.randbytes(20000), c.seq
        for at in range(len(data)):
            c.say(PSH | ACK, data[at:at + 1])
            c.seq = c.seq + 1 & 0xffffffff
            node.look(0)

        def again():
            done = c.acked - first & 0xffffffff
            c.say(PSH | ACK, data[done:done + 1400], c.acked)

        assert c.until(lambda c: c.acked == c.seq, 20, again)
        assert free_kib(node) > before - 1536
        ends(c, data)
        c, before = late(node), free_kib(node)
        for at in range(1, 40000, 2):
            segment = transport(node.ip, node.guest, TCP, tcp(c.mine, 7, c.seq + at, c.ack, PSH | ACK, b"x"))
            frame = ethernet(node.mac, MAC, 0x800, ipv4(node.ip, node.guest, TCP, segment))
            node.send(frame.ljust(1514 if at % 8 == 1 else 60, b"\0"))
            node.look(0)
        assert free_kib(node) > before - 1536
        c.reset()
        assert trouble(node, 1) == ""


def test_beyond_the_window(short):
    """Bytes that come too early and reach beyond the window are as if they had not come."""
    with served_node(short) as node:
        for early in (500, 1):
            c = late(node)
            data = random.Random(early).randbytes(65535 - early)
            node.look(0.3)  # the request has been read
            c.say(PSH | ACK, b"z" * 1000, c.seq + len(data))
            for at in range(0, len(data), 1400):
                assert c.send(data[at:at + 1400]), at
            ends(c, data)
        # The same in a segment that ends the handshake.
        c = Connection(node, 7)
        c.say(SYN, options=MSS)
        got = answers(c, 20)
        assert got
        c.seq, c.ack, c.is_open = c.seq + 1 & 0xffffffff, got[0].seq + 1 & 0xffffffff, True
        c.say(PSH | ACK, b"z" * 1400, c.seq + 65000)
        c.say(PSH | ACK, b"z" * 1400, c.seq + 4000)
        assert c.send(request(LATE))
        ends(c, b"")
        assert trouble(node, 1) == ""


def test_probe_of_the_last_byte(short):
    """The only byte under way is taken as a closed window's probe, and the window stays closed."""
    with served_node(short) as node:
        c = node.connect(7)
        ask = request(ECHO)
        assert c
        c.say(PSH | ACK, ask, window=0)
        c.seq += len(ask)
        c.say(PSH | ACK, b"x", window=0)
        c.seq += 1
        end = time.monotonic() + 30
        while not (probes := [s for s in answers(c) if s.data]):
            assert time.monotonic() < end, "no probe"
        assert probes[0].data == b"x" and probes[0].seq == c.ack & 0xffffffff
        c.ack = c.ack + 1 & 0xffffffff
        for _ in range(10):  # for longer than lwIP's timers take to look again
            c.say(ACK, window=0)
            node.look(0.2)
        c.say(ACK)
        assert c.send(b"y") and c.receive(1) == b"y"
        assert c.close()
        assert trouble(node, 1) == ""


def test_options_in_pieces(short):
    """A segment that IP has cut in the middle of TCP's options is none: its MSS would be taken."""
    with served_node(short) as node:
        c = node.connect(7)
        ask = request(ECHO)
        assert c
        c.say(PSH | ACK, ask, window=1000)
        c.seq += len(ask)
        c.say(PSH | ACK, b"x" * 1400, window=1000)  # of the echo 400 bytes have to wait
        c.seq += 1400
        node.wait(lambda: False, 1)  # until it has been written
        for ident in range(5):
            segment = tcp(c.mine, 7, c.seq, c.ack, ACK, options=b"\1\1\1\1\2\4\0\x64", window=1000)
            fragments(node, node.ip, segment, 24, TCP, ident)
            c.say(PSH | ACK, b"y" * 100, window=1000)  # and more is written behind them
            c.seq += 100
            node.wait(lambda: False, 0.5)
        c.reset()
        assert trouble(node, 1) == ""


def test_not_from_the_wire(short):
    """Nobody on the wire is this machine.  (The server ends when it hears from one who says so.)"""
    with served_node(short) as node:
        for source in (b"\x7f\0\0\1", b"\x7f\1\2\3", node.guest):
            node.send_ip(UDP, udp(7, 7, b"x"), source)
        source = address("::1")
        node.send(ethernet(node.mac, MAC, 0x86dd, ipv6(source, node.link_local, UDP, transport(source, node.link_local, UDP, udp(7, 7, b"x")))))
        assert trouble(node, 1) == ""


def test_refused_by_a_neighbour(short):
    """The error that a neighbour's link-local address reports is of the socket that is connected to that."""
    plug = Plug(short / "wire")
    try:
        with guest("--net", f"stream={short}/wire", "--ip", "10.0.3.1/24,10.0.3.2", PEER, "refused", "fe80::ff:fe00:1%eth0", 9) as g:
            plug.accept()
            node = Node(plug, "10.0.3.1", "10.0.3.2")
            take = node.take_transport

            def refuse(protocol, source, to, data):
                if protocol == UDP and to == LINK_LOCAL:
                    node.send_ip6(ICMP6, b"\1\4\0\0\0\0\0\0" + ipv6(source, to, UDP, data), source)
                take(protocol, source, to, data)

            node.take_transport = refuse
            while True:
                try:
                    node.look(0.1)
                except EOFError:
                    break
            assert g.end().strip() == "Connection refused"
    finally:
        plug.close()
