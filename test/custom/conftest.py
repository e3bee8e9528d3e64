"""What the tests of custom calls share: kernels, each built once, and their callers."""
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("YOLK_BUILD", ROOT / "build"))
YOLK = str(BUILD / "userland/yolk/yolk")
I386_GCC = BUILD / "test/i386-gcc"


def run(*args, timeout=240):
    return subprocess.run([str(a) for a in args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    """A folder with probe.elf, the stubs, and `caller-64` and `caller-32` (where it can be built)."""
    there = tmp_path_factory.mktemp("probe")
    done = run(YOLK, "build", "--custom", HERE / "calls", "-o", there / "probe.elf", "--stubs", there)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    flags = ["-static", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{there}", HERE / "caller.c", "-o"]
    done = run("musl-gcc", *flags, there / "caller-64")
    assert done.returncode == 0, done.stderr
    if I386_GCC.exists():
        done = run(I386_GCC, "-msse2", *flags, there / "caller-32")
        assert done.returncode == 0, done.stderr
    return there


@pytest.fixture(params=["64", "32"])
def caller(probe, request):
    program = probe / f"caller-{request.param}"
    if not program.exists():
        pytest.skip("no compiler for i386")
    return program


@pytest.fixture
def on_probe(probe):
    """on_probe(program, args..., command="run", options=[...])"""
    def go(program, *args, command="run", options=()):
        return run(YOLK, command, "--timeout=100", "--net=none", f"--kernel={probe}/probe.elf", *options, program, *args)
    return go
