"""A machine made of a few lines: the only other one on a guest's wire.

It answers for every address that it is asked about, and speaks enough of ICMP, UDP and TCP to see whether the guest still
serves.  Its TCP expects a wire that loses nothing.
"""
import collections
import random
import select
import struct
import time

from packets import (ACK, FIN, ICMP, ICMP6, PSH, RST, SYN, TCP, UDP, address, arp, echo, ethernet, ipv4, ipv6, tcp, transport, udp)

MAC = bytes.fromhex("020000000001")
LINK_LOCAL = address("fe80::ff:fe00:1")
Segment = collections.namedtuple("Segment", "port seq ack flags data urgent")


def name_answer(question, names):
    """A name server's, which knows no other names, and no IPv6 addresses."""
    end = question.index(b"\0", 12) + 5
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode())
        at += 1 + question[at]
    known = names.get(".".join(labels).lower())
    answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + address(known) if known and question[end - 4:end - 2] == b"\0\1" else b""
    flags = b"\x81\x80" if known else b"\x81\x83"
    return question[:2] + flags + struct.pack(">HHHH", 1, bool(answer), 0, 0) + question[12:end] + answer


class Node:
    def __init__(self, plug, guest, ip):
        self.plug, self.guest, self.ip = plug, address(guest), address(ip)
        self.mac = None  # the guest's, from its first frame
        self.echoes, self.datagrams, self.segments = [], [], collections.defaultdict(collections.deque)
        self.others = collections.Counter()  # SYN and ACK to whom nobody here waits
        self.next_port, self.dhcp = 50000, None
        self.names = None  # a dict of names and IPv4 addresses: it is a name server
        self.meanwhile = lambda: None  # called whenever it looks

    @property
    def link_local(self):
        m = bytearray(self.mac)
        m[0] ^= 2
        return address("fe80::") [:8] + bytes(m[:3]) + b"\xff\xfe" + bytes(m[3:])

    # --- out

    def send(self, frame):
        """Waits while the guest has no room."""
        while not self.plug.send(frame):
            self.look(0.01)

    def send_ip(self, protocol, data, source=None):
        source = source or self.ip
        self.send(ethernet(self.mac, MAC, 0x800, ipv4(source, self.guest, protocol, transport(source, self.guest, protocol, data))))

    def send_ip6(self, protocol, data, to=None, hops=64):
        to = to or self.link_local
        self.send(ethernet(self.mac, MAC, 0x86dd, ipv6(LINK_LOCAL, to, protocol, transport(LINK_LOCAL, to, protocol, data), hops)))

    # --- in

    def look(self, seconds):
        """Take in what comes for so long, at least once."""
        self.meanwhile()
        self.plug.flush()
        if select.select([self.plug], [self.plug] if self.plug.is_full else [], [], seconds)[0]:
            frames = self.plug.receive()
            if frames is None:
                raise EOFError("the guest is gone")
            for frame in frames:
                self.take(frame)

    def wait(self, condition, seconds=20):
        """Until it is true; false after so many seconds."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            self.look(0.05)
        return True

    def take(self, frame):
        if len(frame) < 14:
            return
        self.mac, kind, data = frame[6:12], frame[12:14], frame[14:]
        if kind == b"\x08\x06" and data[6:8] == b"\0\1" and data[24:28] != self.guest:
            self.plug.send(ethernet(self.mac, MAC, 0x806, arp(2, MAC, data[24:28], data[8:14], data[14:18])))
        elif kind == b"\x08\x00" and len(data) >= 20:
            length, header = struct.unpack(">H", data[2:4])[0], (data[0] & 15) * 4
            self.take_transport(data[9], data[12:16], data[16:20], data[header:length])
        elif kind == b"\x86\xdd" and len(data) >= 40:
            length = struct.unpack(">H", data[4:6])[0]
            self.take_transport(data[6], data[8:24], data[24:40], data[40:40 + length])

    def take_transport(self, protocol, source, to, data):
        if protocol == ICMP6 and data[:1] == b"\x87" and len(data) >= 24 and data[8:24] != source and any(source):
            target = data[8:24]
            answer = b"\x88\0\0\0\x60\0\0\0" + target + b"\2\1" + MAC
            self.plug.send(ethernet(self.mac, MAC, 0x86dd, ipv6(target, source, ICMP6, transport(target, source, ICMP6, answer), 255)))
        elif protocol in (ICMP, ICMP6) and data[:1] in (b"\0", b"\x81"):
            self.echoes.append(data[4:])
        elif protocol == ICMP and data[:1] == b"\x08":
            self.plug.send(ethernet(self.mac, MAC, 0x800, ipv4(to, source, ICMP, transport(to, source, ICMP, b"\0" + data[1:]))))
        elif protocol == ICMP6 and data[:1] == b"\x80":
            self.plug.send(ethernet(self.mac, MAC, 0x86dd, ipv6(to, source, ICMP6, transport(to, source, ICMP6, b"\x81" + data[1:]))))
        elif protocol == UDP and data[2:4] == b"\0\x43" and self.dhcp:
            self.dhcp(data[8:])
        elif protocol == UDP and data[2:4] == b"\0\x35" and self.names is not None:
            answer = udp(53, struct.unpack(">H", data[:2])[0], name_answer(data[8:], self.names))
            self.plug.send(ethernet(self.mac, MAC, 0x800, ipv4(to, source, UDP, transport(to, source, UDP, answer))))
        elif protocol == UDP:
            self.datagrams.append(data[8:])
        elif protocol == TCP and len(data) >= 20:
            port, mine, seq, ack, offset, flags, urgent = struct.unpack(">HHIIBB4xH", data[:20])
            if to == self.ip and mine in self.segments:
                self.segments[mine].append(Segment(port, seq, ack, flags, data[(offset >> 4) * 4:], urgent))
            else:
                self.others[flags & (SYN | ACK | RST)] += 1

    # --- does it still serve?

    def ping(self, data, is_v6=False):
        ident = random.getrandbits(16)
        self.echoes.clear()

        def ask():
            if is_v6:
                self.send_ip6(ICMP6, echo(128, ident, 1, data))
            else:
                self.send_ip(ICMP, echo(8, ident, 1, data))

        return self.repeat(ask, lambda: struct.pack(">HH", ident, 1) + data in self.echoes)

    def ask_datagram(self, port, data):
        self.datagrams.clear()
        packet = udp(self.new_port(), port, data)
        return self.repeat(lambda: self.send_ip(UDP, packet), lambda: data in self.datagrams)

    def repeat(self, ask, condition):
        """Who asks without TCP asks again: a busy machine may drop a question, or its answer."""
        for _ in range(10):
            ask()
            if self.wait(condition, 2):
                return True
        return False

    def new_port(self):
        self.next_port = self.next_port + 1 if self.next_port < 65000 else 50001
        return self.next_port

    def connect(self, port, seconds=20):
        """None: nobody answers."""
        c = Connection(self, port)
        return c if c.open(seconds) else None


class Connection:
    """The client's side of one; what it sends is repeated until it is acknowledged."""

    def __init__(self, node, port):
        self.node, self.port, self.mine = node, port, node.new_port()
        self.seq, self.ack, self.data = random.getrandbits(32), 0, b""
        self.acked, self.has_end, self.was_reset, self.is_open = self.seq, False, False, False
        self.inbox = node.segments[self.mine]

    def say(self, flags, data=b"", seq=None, **more):
        self.node.send_ip(TCP, tcp(self.mine, self.port, self.seq if seq is None else seq, self.ack, flags, data, **more))

    def take(self):
        """What has come for it."""
        while self.inbox:
            s = self.inbox.popleft()
            if s.flags & RST:
                self.was_reset = True
            elif s.flags & SYN:
                self.ack, self.is_open, self.acked = (s.seq + 1) & 0xffffffff, True, s.ack
            else:
                self.acked = s.ack
                if s.seq == self.ack:
                    self.data += s.data
                    self.has_end |= bool(s.flags & FIN)
                    self.ack = (self.ack + len(s.data) + (s.flags & FIN)) & 0xffffffff
                if s.data or s.flags & FIN:
                    self.say(ACK)
        return self

    def until(self, condition, seconds, again=lambda: None):
        """`again` is called every half second until then."""
        end = time.monotonic() + seconds
        while not self.node.wait(lambda: condition(self.take()) or self.was_reset, 0.5):
            if time.monotonic() > end:
                return False
            again()
        return condition(self)

    def open(self, seconds=20):
        self.say(SYN, options=b"\2\4\5\xb4")
        opened = self.until(lambda c: c.is_open, seconds, lambda: self.say(SYN, options=b"\2\4\5\xb4"))
        self.seq = (self.seq + 1) & 0xffffffff
        if opened:
            self.say(ACK)
        return opened

    def send(self, data, flags=PSH | ACK):
        seq, self.seq = self.seq, (self.seq + len(data) + (flags & FIN)) & 0xffffffff
        self.say(flags, data, seq)
        return self.until(lambda c: c.acked == self.seq, 20, lambda: self.say(flags, data, seq))

    def receive(self, n, seconds=20):
        """So many bytes; fewer at the end, or after a while."""
        self.until(lambda c: len(c.data) >= n or c.has_end, seconds)
        data, self.data = self.data[:n], self.data[n:]
        return data

    def close(self):
        """Both ends; True when both have come."""
        self.send(b"", FIN | ACK)
        done = self.until(lambda c: c.has_end, 20)
        self.node.segments.pop(self.mine, None)
        return done

    def reset(self):
        self.say(RST | ACK)
        self.node.segments.pop(self.mine, None)
