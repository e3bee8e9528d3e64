"""`yolk pack`: the file that it makes boots by itself."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from conftest import EXAMPLES

QEMU = ["qemu-system-x86_64", "-M", "q35", "-cpu", "max", "-m", "512M", "-nodefaults", "-display", "none", "-no-reboot",
        "-serial", "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
FIRMWARE = [p for p in ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/ovmf/OVMF.fd") if os.path.exists(p)]


def boot(*args, timeout=120):
    r = subprocess.run([*QEMU, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
    return r.returncode, r.stdout


@pytest.fixture(scope="module")
def iso(tmp_path_factory):
    if not shutil.which("grub-mkrescue") or not shutil.which("xorriso"):
        pytest.skip("no grub-mkrescue and xorriso")
    path = tmp_path_factory.mktemp("iso") / "hello.iso"
    yolk = os.path.join(EXAMPLES, "../yolk/yolk")
    subprocess.run([yolk, "pack", "-o", path, "-e", "A=b c", "hello", "one", "two words", "", "é$x"], check=True)
    return path


EXPECTED = "hello, world\nargument 1: one\nargument 2: two words\nargument 3: \nargument 4: é$x\n".replace("\n", "\r\n")


def test_iso_on_bios(iso):
    status, output = boot("-cdrom", iso)
    assert EXPECTED.encode() in output and status == 1


def test_iso_as_a_disk(iso):
    status, output = boot("-drive", f"file={iso},format=raw,if=ide")
    assert EXPECTED.encode() in output and status == 1


@pytest.mark.skipif(not FIRMWARE, reason="no OVMF")
def test_iso_on_uefi(iso):
    status, output = boot("-bios", "/usr/share/ovmf/OVMF.fd" if os.path.exists("/usr/share/ovmf/OVMF.fd") else FIRMWARE[0],
                          "-cdrom", iso, timeout=300)
    assert EXPECTED.encode() in output and status == 1


def test_elf_boots_by_itself(yolk, tmp_path):
    path = tmp_path / "hello.elf"
    r = yolk("pack", "-f", "elf", "-o", path, "hello", "one", "two words")
    assert r.returncode == 0, r.stderr
    status, output = boot("-kernel", path)
    assert b"hello, world\r\nargument 1: one\r\nargument 2: two words\r\n" in output and status == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(number, tmp_path):
    """Nothing is left of an image that was not finished, and who asked for it sees that a signal ended the command."""
    tools, started, temporary = tmp_path / "bin", tmp_path / "started", tmp_path / "tmp"
    tools.mkdir()
    temporary.mkdir()
    for name in ("grub-mkrescue", "xorriso", "mformat"):
        (tools / name).write_text(f"#!/bin/sh\n: > {started}\nexec sleep 300\n")
        (tools / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "TMPDIR": str(temporary)}
    command = subprocess.Popen([os.path.join(EXAMPLES, "../yolk/yolk"), "pack", "-o", tmp_path / "x.iso", "hello"], env=environment,
                               start_new_session=True)
    while not started.exists():
        assert command.poll() is None
        time.sleep(0.01)
    assert list(temporary.iterdir())
    os.killpg(command.pid, number)
    assert command.wait(60) == -number
    assert not list(temporary.iterdir()) and not (tmp_path / "x.iso").exists()


@pytest.mark.parametrize("args", [["hello"], ["-f", "qcow2", "-o", "x", "hello"], ["-o", "/nowhere/x", "-f", "elf", "hello"]])
def test_wrong_usage(yolk, args, tmp_path):
    r = yolk("pack", *args, cwd=tmp_path)
    assert r.returncode == 125 and r.stderr and not list(tmp_path.iterdir())


def test_program_that_cannot_run(yolk, tmp_path):
    assert yolk("pack", "-o", tmp_path / "x", "/bin/true").returncode == 126
    assert yolk("pack", "-o", tmp_path / "x", "none").returncode == 127
