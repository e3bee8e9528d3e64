"""Two guests and a wire with faults between them: every byte arrives, once and in its place."""
import struct

import pytest
from conftest import PEER, SECONDS, guest
from packets import ICMP6, address, ethernet, ipv6, transport
from wire import Faults, Plug, Relay

WIRES = {
    "clean": {},
    "loss": {"lose": 0.02},
    "order": {"reorder": 0.1, "delay": 0.002},
    "repeat": {"repeat": 0.1},
    "damage": {"damage": 0.02},
    "all": {"lose": 0.01, "reorder": 0.05, "repeat": 0.02, "damage": 0.01, "delay": 0.001},
}
ROUTER, ROUTER_MAC, ALL_NODES = address("fe80::ff:fe00:99"), b"\2\0\0\0\0\x99", address("ff02::1")
PREFIX = address("2001:db8:7::")


def interface_id(mac):
    return bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]


def text_of(prefix, mac):
    return ":".join(f"{word:x}" for word in struct.unpack(">8H", prefix[:8] + interface_id(mac)))


def advertisement():
    """There is a router, and addresses are made of PREFIX."""
    data = bytes([134, 0, 0, 0, 64, 0]) + struct.pack(">HII", 1800, 0, 0) + b"\1\1" + ROUTER_MAC
    data += bytes([3, 4, 64, 0xc0]) + struct.pack(">III", 3600, 3600, 0) + PREFIX
    packet = ipv6(ROUTER, ALL_NODES, ICMP6, transport(ROUTER, ALL_NODES, ICMP6, data), 255)
    return ethernet(b"\x33\x33\0\0\0\1", ROUTER_MAC, 0x86dd, packet)


class RoutedRelay(Relay):
    """With a router that whoever solicits one hears of, whatever the wire does to the rest."""

    def take(self, plug, frame):
        if frame[12:14] == b"\x86\xdd" and frame[20:21] == b"\x3a" and frame[54:55] == b"\x85":
            self.counts["solicited"] += 1
            self.pass_on(plug, advertisement())
        super().take(plug, frame)


def server_address(kind, plug):
    if kind == "v4":
        return "10.0.3.1"
    mac = plug.first_sender()
    return text_of(PREFIX, mac) if kind == "slaac" else text_of(address("fe80::"), mac) + "%eth0"


def transfer(folder, faults, kind, cpus, *bulk):
    """`kind`: v4, v6 with addresses of the link alone, slaac."""
    one, other = Plug(folder / "server"), Plug(folder / "client")
    ips = ("10.0.3.1/24,10.0.3.254", "10.0.3.2/24,10.0.3.254") if kind == "v4" else ("off", "off")
    try:
        with guest("-c", cpus, "--net", f"stream={folder}/server", "--ip", ips[0], PEER, "serve", 7) as server:
            one.accept()
            server.listening()
            words = ["bulk", server_address(kind, one), *bulk]
            with guest("-c", cpus, "--net", f"stream={folder}/client", "--ip", ips[1], PEER, *words) as client:
                other.accept()
                relay = (RoutedRelay if kind == "slaac" else Relay)(one, other, faults)
                relay.start()
                out = client.end(100 + SECONDS)
                server.end()
                print(dict(relay.counts))
            relay.close()
            return out, relay.counts
    finally:
        one.close()
        other.close()


QUICK = [("loss", "v4", 1), ("all", "v4", 4), ("loss", "v6", 4), ("all", "slaac", 1)]


@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize("kind", ["v4", "v6", "slaac"])
@pytest.mark.parametrize("wire", WIRES)
def test_bytes_arrive(short, wire, kind, cpus):
    if not SECONDS and (wire, kind, cpus) not in QUICK:
        pytest.skip("by hand")
    size = 200_000 * (1 + SECONDS)
    out, counts = transfer(short, Faults(wire, **WIRES[wire]), kind, cpus, 7, 2, 2, size, size, "quit")
    assert out == "done\n"
    wanted = {"loss": ["lost"], "order": ["reordered"], "repeat": ["repeated"], "damage": ["damaged"],
              "all": ["lost", "reordered", "repeated", "damaged"]}
    for what in wanted.get(wire, ["passed"]) + ["solicited"] * (kind == "slaac"):
        assert counts[what] > 0
