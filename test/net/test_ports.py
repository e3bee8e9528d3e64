"""Through `-p`, from clients on this machine: many bytes both ways at once, and many connections."""
import contextlib
import socket
import subprocess

import pytest
from conftest import PEER, ROOT, SECONDS, guest, peer
from serving import DATA, request, stream


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def backlog(tmp_path_factory):
    """For QEMU: it listens with a backlog of one, and of many clients at once the host itself resets some (SYN cookies)."""
    out = tmp_path_factory.mktemp("backlog") / "backlog.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", out, ROOT / "test/bench/net/backlog.c"], check=True)
    return out


@contextlib.contextmanager
def published(*options, preload=None):
    """A guest that serves at a port of this machine; it must end with all its memory back."""
    port = free_port()
    with guest(*options, "-p", f"{port}:7", PEER, "serve", 7, preload=preload) as g:
        g.listening()
        yield port
        peer("ask", "127.0.0.1", port, "quit")
        g.end()


@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize("up, down", [(1, 1), (1, 0), (0, 1)])
def test_bulk(cpus, up, down):
    if not SECONDS and (cpus, up + down) not in ((4, 2), (1, 2)):
        pytest.skip("by hand")
    size = (1 + SECONDS) << 20
    with published("-c", cpus) as port:
        assert peer("bulk", "127.0.0.1", port, 4, 2, size * up, size * down, seconds=100 + 10 * SECONDS) == "done\n"


@pytest.mark.parametrize("cpus", [1, 4])
def test_churn(cpus, backlog):
    """Connections that begin and end in every way; the free memory ends where it was after the first of them."""
    if not SECONDS and cpus == 1:
        pytest.skip("by hand")
    with published("-c", cpus, preload=backlog) as port:
        peer("churn", "127.0.0.1", port, 4, 2)
        before = int(peer("ask", "127.0.0.1", port, "memory"))
        assert peer("churn", "127.0.0.1", port, 4, 8 + SECONDS, seconds=100 + 2 * SECONDS) == "done\n"
        after = int(peer("ask", "127.0.0.1", port, "memory"))
        print(f"free: {before} KiB, then {after} KiB")
        assert after > before - 8192


def test_a_port_used_again():
    """QEMU's user network passes a client's port on, which may be the same again while the guest is in TIME_WAIT."""
    with published() as port:
        mine = free_port()
        for _ in range(20):
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", mine))
                s.settimeout(20)
                s.connect(("127.0.0.1", port))
                s.sendall(request(DATA, 1, 0, 10))
                data = b""
                while piece := s.recv(100):  # the guest ends first
                    data += piece
                assert data == stream(10, 3)
