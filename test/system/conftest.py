"""What the tests of the command line share: the command, run for real or with a stand-in for QEMU."""
import os
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("YOLK_BUILD", ROOT / "build"))
YOLK = str(BUILD / "userland/yolk/yolk")
EXAMPLES = BUILD / "userland/examples"


@pytest.fixture
def yolk():
    """yolk("run", "hello", input=b"…") -> CompletedProcess with bytes."""

    def run(*args, timeout=60, **kwargs):
        kwargs.setdefault("stdin", None if "input" in kwargs else subprocess.DEVNULL)
        kwargs.setdefault("stdout", subprocess.PIPE)
        kwargs.setdefault("stderr", subprocess.PIPE)
        done = subprocess.run([YOLK, *map(str, args)], timeout=timeout, **kwargs)
        print(args, done.returncode, (done.stderr or b"").decode(errors="replace"))  # pytest shows it on failure
        return done

    return run


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Makes the given guest be what QEMU runs."""
    directory = tmp_path / "bin"
    directory.mkdir()
    target = directory / "qemu-system-x86_64"
    shutil.copy(HERE / "fake_qemu.py", target)
    target.chmod(0o755)
    kernel = tmp_path / "kernel"
    kernel.write_bytes(b"kernel")
    monkeypatch.setenv("YOLK_KERNEL", str(kernel))
    monkeypatch.setenv("PATH", str(directory), prepend=os.pathsep)

    def choose(guest, **env):
        monkeypatch.setenv("FAKE_GUEST", guest)
        for name, value in env.items():
            monkeypatch.setenv(name, str(value))

    return choose


@pytest.fixture
def hello():
    return str(EXAMPLES / "hello")
