"""Two guests and a wire with faults between them: every byte arrives, once and in its place."""
import pytest
from conftest import PEER, SECONDS, guest
from wire import Faults, Plug, Relay

WIRES = {
    "clean": {},
    "loss": {"lose": 0.02},
    "order": {"reorder": 0.1, "delay": 0.002},
    "repeat": {"repeat": 0.1},
    "damage": {"damage": 0.02},
    "all": {"lose": 0.01, "reorder": 0.05, "repeat": 0.02, "damage": 0.01, "delay": 0.001},
}


def transfer(folder, faults, cpus, *bulk):
    one, other = Plug(folder / "server"), Plug(folder / "client")
    try:
        with guest("-c", cpus, "--net", f"stream={folder}/server", "--ip", "10.0.3.1/24,10.0.3.254", PEER, "serve", 7) as server:
            one.accept()
            server.listening()
            with guest("-c", cpus, "--net", f"stream={folder}/client", "--ip", "10.0.3.2/24,10.0.3.254", PEER, *bulk) as client:
                other.accept()
                relay = Relay(one, other, faults)
                relay.start()
                out = client.end(100 + SECONDS)
                server.end()
                print(dict(relay.counts))
            relay.close()
            return out, relay.counts
    finally:
        one.close()
        other.close()


@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize("wire", WIRES)
def test_bytes_arrive(short, wire, cpus):
    if not SECONDS and (wire, cpus) not in (("loss", 1), ("all", 4)):
        pytest.skip("by hand")
    size = 200_000 * (1 + SECONDS)
    out, counts = transfer(short, Faults(wire, **WIRES[wire]), cpus, "bulk", "10.0.3.1", 7, 2, 2, size, size, "quit")
    assert out == "done\n"
    wanted = {"loss": ["lost"], "order": ["reordered"], "repeat": ["repeated"], "damage": ["damaged"],
              "all": ["lost", "reordered", "repeated", "damaged"]}
    for what in wanted.get(wire, ["passed"]):
        assert counts[what] > 0
