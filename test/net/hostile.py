"""Packets that nobody ought to send: valid ones with fields, lengths and ends changed at random.

Every choice follows from the seed.  Most checksums are right, so that what is wrong gets as far as it can.
"""
import struct

from node import LINK_LOCAL, MAC
from packets import (ACK, BROADCAST, CHECKSUM_AT, FIN, ICMP, ICMP6, IGMP, PSH, RST, SYN, TCP, UDP, URG, address, arp, echo, ethernet, ipv4,
                     ipv6, put_checksum, pseudo_header, tcp, transport, udp)

MULTICAST = bytes.fromhex("333300000001")


class Hostile:
    def __init__(self, rng, node):
        self.r, self.node = rng, node
        self.makers = [self.any_frame, self.an_arp, self.a_fragment, self.an_icmp, self.an_igmp, self.a_tcp, self.a_udp, self.options4,
                       self.an_icmp6, self.a_neighbour, self.an_advertisement, self.headers6, self.a_dhcp, self.a_tcp6]

    # --- what all are made of

    def junk(self, most):
        return self.r.randbytes(self.r.randrange(most + 1))

    def word(self, bits):
        """At the edges more often than not."""
        top = (1 << bits) - 1
        return self.r.choice([0, 1, 2, 3, top, top - 1, top >> 1, (top >> 1) + 1, self.r.getrandbits(bits), self.r.randrange(64)]) & top

    def source(self):
        """The other machine, or somebody who cannot be one: the guest itself, everybody, a group, loopback, nobody."""
        return self.r.choice([self.node.ip] * 6 + [self.node.guest, b"\xff" * 4, b"\xe0\0\0\1", b"\x7f\0\0\1", b"\0" * 4,
                                                   self.node.guest[:3] + b"\xff", self.r.randbytes(4)])

    def source6(self):
        return self.r.choice([LINK_LOCAL] * 6 + [self.node.link_local, b"\0" * 16, b"\0" * 15 + b"\1", address("ff02::1"),
                                                 address("::ffff:10.0.3.1"), self.r.randbytes(16)])

    def port(self):
        return self.r.choice([7, 7, 7, 68, 0, 1, 53, 65535, self.r.getrandbits(16)])

    def spoil(self, data):
        """Some bytes of it changed, some cut off, some added; often none."""
        r, data = self.r, bytearray(data)
        for _ in range(r.choice([0, 0, 1, 1, 2, 5])):
            if data:
                data[r.randrange(len(data))] = self.word(8)
        how = r.random()
        if how < 0.1:
            del data[r.randrange(len(data) + 1):]
        elif how < 0.2:
            data += self.junk(300)
        return bytes(data)

    def over4(self, protocol, data, **more):
        """As an IPv4 packet, most often with its checksum right, some with their own header spoilt."""
        r, source = self.r, self.source()
        to = r.choice([self.node.guest] * 8 + [b"\xff" * 4, b"\xe0\0\0\1", self.node.guest[:3] + b"\xff", r.randbytes(4)])
        if r.random() < 0.85:
            data = transport(source, to, protocol, data)
        if r.random() < 0.1:
            more["length"] = self.word(16)
        if r.random() < 0.1:
            more["header_length"] = self.word(4)
        packet = ipv4(source, to, protocol, data, **more)
        if r.random() < 0.1:
            packet = put_checksum(self.spoil(packet[:20]), 10) + packet[20:]
        return self.frame(0x800, packet)

    def over6(self, protocol, data, hops=255):
        r, source = self.r, self.source6()
        to = r.choice([self.node.link_local] * 6 + [address("ff02::1"), address("ff02::1:ff00:0")[:13] + self.node.link_local[13:],
                                                    r.randbytes(16)])
        if r.random() < 0.85:
            data = transport(source, to, protocol, data)
        packet = ipv6(source, to, protocol, data, r.choice([hops, hops, hops, 0, 1]), self.word(16) if r.random() < 0.1 else None,
                      self.word(20))
        return self.frame(0x86dd, packet)

    def frame(self, kind, data):
        to = self.r.choice([self.node.mac] * 6 + [BROADCAST, MULTICAST, self.r.randbytes(6)])
        return ethernet(to, self.r.choice([MAC] * 6 + [self.node.mac, BROADCAST]), kind, data)[:1514]

    # --- kinds

    def any_frame(self):
        kind = self.r.choice([0x800, 0x806, 0x86dd, 0x8100, 0x8864, 0, 46, 1500, self.word(16)])
        frame = self.frame(kind, self.junk(self.r.choice([0, 4, 20, 60, 1500])))
        return frame[:self.r.randrange(1, 60)] if self.r.random() < 0.3 else frame

    def an_arp(self):
        r = self.r
        addresses = [self.source(), self.node.guest, self.node.ip]
        packet = arp(self.word(16) if r.random() < 0.3 else r.choice([1, 2]), r.choice([MAC, MAC, BROADCAST, self.node.mac, r.randbytes(6)]),
                     r.choice(addresses), r.choice([self.node.mac, MAC, b"\0" * 6]), r.choice(addresses))
        return self.frame(0x806, self.spoil(packet))

    def a_fragment(self):
        """Pieces that overlap, lack others, or reach beyond the end of any packet; few identities, so that they meet."""
        r = self.r
        offset = r.choice([0, 0, 1, 2, 3, 185, 8191, r.randrange(8192), r.randrange(40)])
        data = r.randbytes(r.choice([0, 1, 8, 16, 24, 1480, r.randrange(200)]))
        return self.over4(r.choice([UDP, TCP, ICMP]), data, ident=r.randrange(6), fragment=offset | r.choice([0, 0x2000, 0x2000, 0x6000]))

    def options4(self):
        r = self.r
        options = b"".join(r.choice([b"\1", b"\0", bytes([7, self.word(8), self.word(8)]) + self.junk(12), bytes([68, self.word(8)]) + self.junk(10),
                                     bytes([131, 7, 4]) + r.randbytes(4), self.junk(8), bytes([148, 4, 0, 0])]) for _ in range(r.randrange(5)))
        return self.over4(r.choice([ICMP, UDP, TCP]), r.choice([echo(8, 1, 1, b"x" * 20), udp(1, 7, b"x"), tcp(1, 7, 1, 1, SYN)]),
                          options=options[:40])

    def quoted(self, inner):
        """An ICMP error's quotation of something that the guest may have sent."""
        return self.spoil(inner)[:self.r.choice([0, 8, 20, 28, 40, 48, 576])]

    def an_icmp(self):
        r = self.r
        sent = ipv4(self.node.guest, self.node.ip, r.choice([TCP, UDP]), r.choice([udp(7, 50001, b"x" * 20), tcp(7, 50001, 5, 5, ACK)]))
        if r.random() < 0.6:
            data = struct.pack(">BBHHH", r.choice([3, 3, 3, 4, 5, 11, 12]), r.choice([0, 1, 2, 3, 4, 13, self.word(8)]), 0, 0,
                               self.word(16)) + self.quoted(sent)
        else:
            data = echo(r.choice([8, 0, 13, 15, 17, 10, self.word(8)]), self.word(16), self.word(16), self.junk(1400))
        return self.over4(ICMP, self.spoil(data))

    def an_igmp(self):
        return self.over4(IGMP, self.spoil(struct.pack(">BBH", self.r.choice([0x11, 0x16, 0x17, 0x12, 0x22]), self.word(8), 0) +
                                           self.r.choice([b"\0" * 4, b"\xe0\0\0\1", self.r.randbytes(4)])), ttl=1)

    def tcp_options(self):
        r = self.r
        options = b"".join(r.choice([b"\1", b"\0", bytes([2, 4]) + r.randbytes(2), bytes([3, 3, self.word(8)]), bytes([4, 2]),
                                     bytes([5, 10]) + r.randbytes(8), bytes([8, 10]) + r.randbytes(8), bytes([self.word(8), self.word(8)]),
                                     b"\2\4\0\0", b"\2"]) for _ in range(r.randrange(6)))
        return options[:40]

    def a_segment(self):
        r = self.r
        flags = r.choice([SYN, SYN | ACK, ACK, RST, RST | ACK, FIN, FIN | ACK, SYN | FIN, 0, 255, PSH | ACK | URG, r.getrandbits(8)])
        return tcp(r.randrange(1024, 1100), self.port(), self.word(32), self.word(32), flags, self.junk(r.choice([0, 0, 100, 1400])),
                   self.tcp_options(), self.word(16), self.word(4) if r.random() < 0.1 else None, self.word(16))

    def a_tcp(self):
        return self.over4(TCP, self.spoil(self.a_segment()) if self.r.random() < 0.3 else self.a_segment())

    def a_tcp6(self):
        return self.over6(TCP, self.a_segment(), 64)

    def a_udp(self):
        length = self.word(16) if self.r.random() < 0.3 else None
        return self.over4(UDP, udp(self.word(16), self.port(), self.junk(1400), length))

    def option6(self):
        """A neighbour's option, whose length in units of eight bytes is not always true."""
        r = self.r
        kind = r.choice([1, 2, 3, 3, 3, 4, 5, 24, 25, 31, self.word(8)])
        body = {1: MAC, 2: MAC, 5: struct.pack(">HI", 0, self.word(32)),
                3: struct.pack(">BBIII", r.choice([64, 0, 128, 129, self.word(8)]), self.word(8), self.word(32), self.word(32), 0) +
                r.choice([address("fd00::"), address("fe80::"), address("ff02::"), r.randbytes(16)])}.get(kind, self.junk(40))
        body += b"\0" * (-(len(body) + 2) % 8)
        return bytes([kind, (len(body) + 2) // 8 if r.random() < 0.8 else self.word(8)]) + body

    def options6(self):
        return b"".join(self.option6() for _ in range(self.r.randrange(4)))

    def a_neighbour(self):
        target = self.r.choice([self.node.link_local, LINK_LOCAL, self.r.randbytes(16), address("ff02::1")])
        data = bytes([self.r.choice([135, 136, 137]), self.word(8) if self.r.random() < 0.1 else 0, 0, 0]) + struct.pack(
            ">I", self.word(32)) + target
        if data[0] == 137:
            data += self.r.choice([target, LINK_LOCAL, self.r.randbytes(16)])
        return self.over6(ICMP6, self.spoil(data + self.options6()) if self.r.random() < 0.3 else data + self.options6())

    def an_advertisement(self):
        head = bytes([134, 0, 0, 0, self.word(8), self.word(8)]) + struct.pack(">HII", self.word(16), self.word(32), self.word(32))
        return self.over6(ICMP6, head + self.options6())

    def an_icmp6(self):
        r = self.r
        sent = ipv6(self.node.link_local, LINK_LOCAL, r.choice([TCP, UDP]), r.choice([udp(7, 50001, b"x" * 20), tcp(7, 50001, 5, 5, ACK)]))
        if r.random() < 0.6:
            data = bytes([r.choice([1, 2, 3, 4]), r.choice([0, 1, 4, self.word(8)]), 0, 0]) + struct.pack(">I", self.word(32)) + self.quoted(sent)
        else:
            data = bytes([r.choice([128, 130, 131, 132, 133, self.word(8)]), self.word(8), 0, 0]) + self.junk(300)
        return self.over6(ICMP6, self.spoil(data))

    def headers6(self):
        """A chain of extension headers, some longer than the packet."""
        r = self.r
        chain, data = [r.choice([0, 43, 44, 60, 60, 59, 50, self.word(8)]) for _ in range(r.randrange(1, 7))], b""
        last = r.choice([UDP, TCP, ICMP6, 59])
        for k, kind in enumerate(chain):
            follows = chain[k + 1] if k + 1 < len(chain) else last
            if kind == 44:
                data += struct.pack(">BBHI", follows, 0, r.choice([0, 1, 8, 9, 0xfff8, self.word(16)]), r.randrange(6))
            else:
                size = r.choice([0, 0, 1, 2])
                data += bytes([follows, size if r.random() < 0.8 else self.word(8)]) + (
                    r.choice([b"\1\4\0\0\0\0", b"\5\2\0\0\1\0", bytes([self.word(8), self.word(8)]) + r.randbytes(4), r.randbytes(6)]) + r.randbytes(8 * size))
        data += r.choice([udp(1, 7, b"x" * 30), self.a_segment(), bytes([128, 0, 0, 0]) + self.junk(1000)])
        source, to = self.source6(), self.node.link_local
        return self.frame(0x86dd, ipv6(source, to, chain[0], self.spoil(data) if r.random() < 0.2 else data))

    def dhcp_options(self):
        r, options = self.r, b""
        for _ in range(r.randrange(10)):
            kind = r.choice([1, 3, 6, 12, 15, 42, 51, 52, 53, 54, 58, 59, 0, self.word(8)])
            body = r.choice([r.randbytes(4), r.randbytes(4), bytes([self.word(8)]), self.junk(20), r.randbytes(16)])
            options += bytes([kind, len(body) if r.random() < 0.85 else self.word(8)]) + body
        return options + r.choice([b"\xff", b"\xff", b""])

    def dhcp_answer(self, kind, question, offer):
        """An OFFER, ACK or NAK to `question`, the options spoilt; `offer` is the address."""
        r = self.r
        head = struct.pack(">BBBB", 2, 1, r.choice([6, 6, self.word(8)]), 0) + question[4:8] + struct.pack(">HH", 0, self.word(16)) + b"\0" * 4 + \
            offer + self.node.ip + b"\0" * 4 + question[28:44] + self.r.randbytes(64) + self.dhcp_options()[:128].ljust(128, b"\0")
        options = bytes([53, 1, kind]) + (b"\x36\4" + self.node.ip if r.random() < 0.9 else b"") + self.dhcp_options()
        return head + b"\x63\x82\x53\x63" + options

    def a_dhcp(self):
        question = bytes(4) + self.r.randbytes(4) + bytes(20) + self.node.mac + bytes(10)
        return self.over4(UDP, udp(67, 68, self.dhcp_answer(self.r.choice([2, 5, 6, self.word(8)]), question, self.r.randbytes(4))))

    def next(self):
        return self.r.choice(self.makers)()

    def into(self, connection):
        """A segment for a connection that is open: where its sequence stands, or near it."""
        r, c = self.r, connection
        near = r.choice([0, 0, 0, 1, -1, 100, 1460, 3000, 60000, 262143, 262144, -70000, r.randrange(-5000, 5000)])
        acked = r.choice([0, 0, 0, 1, -1, 1000, r.getrandbits(31)])
        flags = r.choice([ACK] * 8 + [PSH | ACK, FIN | ACK, SYN | ACK, SYN, URG | ACK, 0])
        data = tcp(c.mine, c.port, c.seq + near, c.ack + acked, flags, self.junk(r.choice([0, 10, 536, 1400])),
                   self.tcp_options() if r.random() < 0.5 else b"", self.word(16), None, self.word(16))
        return self.over_exact(TCP, data)

    def over_exact(self, protocol, data):
        node = self.node
        return ethernet(node.mac, MAC, 0x800, ipv4(node.ip, node.guest, protocol,
                                                   put_checksum(data, CHECKSUM_AT[protocol], pseudo_header(node.ip, node.guest, protocol, len(data)))))
