"""Packets as bytes, built from their fields; every length and checksum may be given wrong."""
import ipaddress
import struct

BROADCAST = b"\xff" * 6
ICMP, IGMP, TCP, UDP, ICMP6 = 1, 2, 6, 17, 58
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32


def address(text):
    return ipaddress.ip_address(text).packed


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def put_checksum(data, at, pseudo=b""):
    """With the checksum of data behind a pseudo header put in at its place."""
    if len(data) < at + 2:
        return data
    data = data[:at] + b"\0\0" + data[at + 2:]
    return data[:at] + struct.pack(">H", checksum(pseudo + data) or 0xffff) + data[at + 2:]


CHECKSUM_AT = {ICMP: 2, IGMP: 2, TCP: 16, UDP: 6, ICMP6: 2}


def ethernet(to, sender, kind, data):
    return to + sender + struct.pack(">H", kind) + data


def arp(op, sender_mac, sender, target_mac, target):
    return struct.pack(">HHBBH", 1, 0x800, 6, 4, op) + sender_mac + sender + target_mac + target


def pseudo_header(source, to, protocol, length):
    if len(source) == 4:
        return source + to + struct.pack(">BBH", 0, protocol, length)
    return source + to + struct.pack(">II", length, protocol)


def transport(source, to, protocol, data):
    """With its checksum right."""
    if protocol not in CHECKSUM_AT:
        return data
    pseudo = b"" if protocol in (ICMP, IGMP) else pseudo_header(source, to, protocol, len(data))
    return put_checksum(data, CHECKSUM_AT[protocol], pseudo)


def ipv4(source, to, protocol, data, options=b"", ident=0, fragment=0, ttl=64, length=None, header_length=None, tos=0):
    options += b"\0" * (-len(options) % 4)
    words = (5 + len(options) // 4) if header_length is None else header_length
    head = struct.pack(">BBHHHBBH", 0x40 | words & 15, tos, (20 + len(options) + len(data) if length is None else length) & 0xffff,
                       ident, fragment, ttl, protocol, 0) + source + to + options
    return put_checksum(head, 10) + data


def ipv6(source, to, protocol, data, hops=64, length=None, flow=0):
    return struct.pack(">IHBB", 0x60000000 | flow, (len(data) if length is None else length) & 0xffff, protocol, hops) + source + to + data


def udp(source_port, port, data, length=None):
    return struct.pack(">HHHH", source_port, port, 8 + len(data) if length is None else length, 0) + data


def tcp(source_port, port, seq, ack, flags, data=b"", options=b"", window=65535, offset=None, urgent=0):
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4 if offset is None else offset
    return struct.pack(">HHIIBBHHH", source_port, port, seq & 0xffffffff, ack & 0xffffffff, (words & 15) << 4, flags, window, 0,
                       urgent) + options + data


def echo(kind, ident, number, data=b""):
    return struct.pack(">BBHHH", kind, 0, 0, ident, number) + data
