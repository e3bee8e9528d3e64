"""When a guest says again what nobody has answered."""
import time

from conftest import PEER, guest
from node import Node
from packets import SYN
from wire import Plug


def test_a_syn_is_repeated_less_and_less_often(short):
    """After one second, two and four, as Linux does."""
    plug, times = Plug(short / "wire"), []
    try:
        with guest("--net", f"stream={short}/wire", "--ip", "10.0.3.1/24,10.0.3.2", PEER, "ask", "10.0.3.2", 9, "memory"):
            plug.accept()
            node = Node(plug, "10.0.3.1", "10.0.3.2")
            inbox = node.segments[9]
            while len(times) < 4:
                assert node.wait(lambda: inbox, 60), times
                assert inbox.popleft().flags == SYN
                times.append(time.monotonic())
    finally:
        plug.close()
    first, second, third = (b - a for a, b in zip(times, times[1:]))
    assert 0.4 < first < 2 and 1.4 < second < 0.75 * third < 6, times
