"""What belongs to one interface and not to another: sockets that are bound to a device, groups; and what TCP tells of a
connection whose peer is silent."""

import pytest
from conftest import BUILD, guest
from node import LINK_LOCAL, MAC, Connection, Node
from packets import ACK, ICMP6, IGMP, UDP, address, ethernet, ipv4, ipv6, transport, udp
from wire import Plug

GUEST = BUILD / "test/netguest"


class Recorder(Node):
    """Keeps the frames that it sees, too."""

    def __init__(self, *args):
        super().__init__(*args)
        self.frames = []

    def take(self, frame):
        self.frames.append(frame)
        super().take(frame)


class Wired:
    """A guest that runs netguest, and what is on its wire."""

    def __init__(self, folder, *args, card="virtio", options=()):
        self.folder, self.args, self.options = folder, args, ["--net", f"stream={folder}/wire,model={card}", *options]

    def __enter__(self):
        self.plug = Plug(self.folder / "wire")
        self.running = guest(*self.options, "--ip", "10.0.3.1/24,10.0.3.2", GUEST, *self.args, check=False)
        g = self.running.__enter__()
        self.plug.accept()
        return g, Recorder(self.plug, "10.0.3.1", "10.0.3.2")

    def __exit__(self, *what):
        self.running.__exit__(*what)
        self.plug.close()


@pytest.mark.parametrize("cpus", [1, 4])
def test_sockets_of_a_device(short, cpus):
    """SO_BINDTODEVICE: nothing that comes by another interface gets there, be it a datagram or a connection."""
    with Wired(short, "devices", 700, options=("-c", cpus)) as (g, node):
        assert [g.line() for _ in range(4)] == ["lo to any: taken, connected\n", "lo to eth0: Connection refused, Connection refused\n",
                                                "lo to lo: taken, connected\n", "listening\n"], g.said()
        assert node.wait(lambda: node.mac)
        asked = udp(node.new_port(), 702, b"lo's?")
        node.send_ip(UDP, asked)
        for n, port in enumerate((700, 701)):
            node.datagrams.clear()
            packet, answer = udp(node.new_port(), port, b"is it?"), b"%dis it?" % n
            assert node.repeat(lambda: node.send_ip(UDP, packet), lambda: answer in node.datagrams)
            assert not any(d.startswith(b"2") for d in node.datagrams)
        for port, opens in ((700, True), (701, True), (702, False)):
            c = Connection(node, port)
            assert (c.open(), c.was_reset) == (opens, not opens), port
        node.send_ip(UDP, udp(node.new_port(), 701, b"quit"))
        assert g.process.wait(30) == 0


def group_frame(group, data):
    to = address(group)
    packet = udp(5000, 5001, data)
    if len(to) == 4:
        mac, source = b"\1\0\x5e" + bytes([to[1] & 127]) + to[2:], address("10.0.3.2")
        return ethernet(mac, MAC, 0x800, ipv4(source, to, UDP, transport(source, to, UDP, packet)))
    return ethernet(b"\x33\x33" + to[12:], MAC, 0x86dd, ipv6(LINK_LOCAL, to, UDP, transport(LINK_LOCAL, to, UDP, packet)))


def told(node, group, kind):
    """Has the guest told the routers of the group, with an IGMP or MLD message of that kind?"""
    to = address(group)
    for f in node.frames:
        if len(to) == 4 and f[12:14] == b"\x08\0" and f[23] == IGMP:
            message = f[14 + 4 * (f[14] & 15):]
            if message[0] == kind and message[4:8] == to:
                return True
        if len(to) == 16 and f[12:14] == b"\x86\xdd" and f[20] == 0 and f[54] == ICMP6:  # behind a hop-by-hop header
            message = f[62:]
            if message[0] == kind and message[8:24] == to:
                return True
    return False


@pytest.mark.parametrize("card", ["virtio", "e1000", "e1000e"])
@pytest.mark.parametrize("family, group, other, join, leave", [("v4", "239.1.2.3", "239.1.2.4", 0x16, 0x17), ("v6", "ff05::7777", "ff05::7778", 131, 132)],
                         ids=["v4", "v6"])
def test_group_on_the_wire(short, card, family, group, other, join, leave):
    """Who joins says so, hears its group alone, and after leaving nothing more."""
    with Wired(short, "group", group, 5001, card=card) as (g, node):
        assert g.line() == "joined\n", g.said()
        assert node.wait(lambda: node.mac and told(node, group, join)), "no report"

        def say(data):
            if family == "v4":
                node.send_ip(UDP, udp(5000, 5001, data))
            else:
                node.send_ip6(UDP, udp(5000, 5001, data))

        node.send(group_frame(group, b"one"))
        node.send(group_frame(other, b"not ours"))
        node.send(group_frame(group, b"leave"))
        assert node.wait(lambda: told(node, group, leave)), "no word of leaving"
        assert [g.line() for _ in range(3)] == ["heard one\n", "heard leave\n", "left\n"]
        node.send(group_frame(group, b"too late"))
        say(b"end")
        assert g.line() == "heard end\n"
        assert g.process.wait(30) == 0


def test_what_tcp_tells_of_a_silent_peer(short):
    """TCP_INFO counts the times that the same bytes were sent again, and forgets them when they are acknowledged."""
    with Wired(short, "info", 700) as (g, node):
        g.listening()
        assert node.wait(lambda: node.mac)
        c = Connection(node, 700)
        assert c.open()
        assert g.line() == "state 1, retransmits 0, mss 1460, rto sane\n"
        for times in (1, 2):
            assert g.line() == f"state 1, retransmits {times}, mss 1460, rto sane\n"
        c.ack += 1000
        c.say(ACK)
        assert g.line() == "state 1, retransmits 0, mss 1460, rto sane\n"
        c.close()
        assert g.process.wait(30) == 0
