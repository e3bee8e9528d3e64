"""The host command by itself, with a stand-in for QEMU: statuses, bytes, signals, the terminal."""
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

import pexpect
import pytest

from conftest import ROOT, YOLK


@pytest.mark.parametrize("status", [0, 1, 42, 124, 125, 126, 127, 128, 139, 255])
def test_status_is_the_programs(yolk, fake, status):
    fake("status", FAKE_STATUS=status)
    assert yolk("run", "hello").returncode == status


def test_stdout_and_stderr_stay_apart(yolk, fake):
    fake("both")
    r = yolk("run", "hello")
    assert (r.returncode, r.stdout, r.stderr) == (3, b"to stdout\n", b"to stderr\n")


def test_all_bytes_pass_both_ways(yolk, fake):
    fake("copy")
    data = bytes(range(256)) * 16
    assert yolk("run", "hello", input=data).stdout == data


def test_ten_megabytes_pass(yolk, fake):
    fake("copy")
    data = random.Random(1).randbytes(10 << 20)
    assert hashlib.sha1(yolk("run", "hello", input=data).stdout).digest() == hashlib.sha1(data).digest()


def test_slow_reader_of_stdout_loses_nothing(fake):
    fake("copy")
    data = os.urandom(1 << 20)
    p = subprocess.Popen([YOLK, "run", "hello"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if os.fork() == 0:
        p.stdout.close()
        p.stdin.write(data)
        p.stdin.close()
        os._exit(0)
    p.stdin.close()
    time.sleep(0.3)
    out = b""
    while piece := os.read(p.stdout.fileno(), 5000):
        out += piece
    assert out == data and p.wait() == 0


def test_stdin_from_a_file(yolk, fake, tmp_path):
    fake("copy")
    path = tmp_path / "in"
    path.write_bytes(b"from a file\n")
    with path.open() as stdin:
        assert yolk("run", "hello", stdin=stdin).stdout == b"from a file\n"


def test_reader_of_stdout_that_leaves(fake):
    fake("flood")
    p = subprocess.Popen([YOLK, "run", "hello"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert p.stdout.read(10) == b"y\n" * 5
    p.stdout.close()
    assert p.wait(20) == 141


def boot_line(yolk, *args, **kwargs):
    r = yolk("run", *args, **kwargs)
    values = dict(line.split("=", 1) for line in r.stdout.decode().split("\n"))
    return values["append"], values


def test_arguments_and_environment(yolk, fake, monkeypatch):
    fake("show")
    monkeypatch.setenv("FROM_HOST", "host value")
    monkeypatch.delenv("ABSENT", raising=False)
    line, values = boot_line(yolk, "-m", "64M", "-c", "3", "-w", "/work dir", "-e", "A=b c", "-e", "FROM_HOST", "-e",
                             "ABSENT", "-e", "init=x", "-e", "a.b=%", "hello", "", "-x", "--", "é\t\"'", "a=b")
    before, args = line.split(" -- ", 1)
    tokens = before.split(" ")
    assert args == "%00 -x -- %C3%A9%09%22%27 a=b"
    assert "yolk.encoding=percent" in tokens and "yolk.stdio=null,pipe,pipe" in tokens
    assert "init=/hello" in tokens and "yolk.argv0=hello" in tokens and "yolk.cwd=/work%20dir" in tokens
    assert "A=b%20c" in tokens and "FROM_HOST=host%20value" in tokens
    assert "%69nit=x" in tokens and "%61.b=%25" in tokens
    assert not any(t.startswith("ABSENT") for t in tokens)
    assert values["m"] == "size=65536k" and values["smp"] == "3"


def test_kinds_of_stdio(yolk, fake, tmp_path):
    fake("show")
    line, _ = boot_line(yolk, "hello", stderr=subprocess.STDOUT)
    assert "yolk.stdio=null,pipe,out" in line
    line, _ = boot_line(yolk, "hello", stderr=subprocess.DEVNULL, input=b"")
    assert "yolk.stdio=pipe,pipe,null" in line


def test_program_is_the_module_without_a_copy(yolk, fake, hello):
    fake("show")
    _, values = boot_line(yolk, hello)
    assert values["initrd"] == hello


def test_too_long_a_command_line(yolk, fake):
    fake("show")
    r = yolk("run", "hello", "x" * 5000)
    assert r.returncode == 125 and b"too long" in r.stderr


@pytest.mark.parametrize("machine", ["microvm", "q35", "pc"])
def test_machines(yolk, fake, machine):
    fake("show")
    line, values = boot_line(yolk, "--machine", machine, "hello")
    assert values["M"].startswith(machine)
    assert ("virtio_mmio.device=" in line) == (machine == "microvm")


def test_log_lines_and_split_control_lines(yolk, fake):
    fake("log")
    r = yolk("run", "hello")
    assert (r.returncode, r.stdout, r.stderr) == (5, b"", b"yolk: kernel: something odd\n")


def test_failure_in_the_guest(yolk, fake):
    fake("fail")
    r = yolk("run", "hello")
    assert r.returncode == 125 and b"the kernel panicked" in r.stderr and r.stdout == b""


def test_guest_that_says_nothing(yolk, fake):
    fake("silent")
    r = yolk("run", "hello")
    assert r.returncode == 125 and b"without an exit status" in r.stderr and b"early line 2" in r.stderr


def test_qemu_that_fails(yolk, fake):
    fake("broken")
    r = yolk("run", "hello")
    assert r.returncode == 125 and b"something is wrong" in r.stderr


def test_qemu_that_is_killed(yolk, fake):
    fake("killed")
    r = yolk("run", "hello")
    assert r.returncode == 125 and b"signal 9" in r.stderr


def test_missing_qemu(yolk, fake, monkeypatch, tmp_path):
    fake("status", FAKE_STATUS=0)
    monkeypatch.setenv("PATH", str(tmp_path))
    r = yolk("run", "hello")
    assert r.returncode == 125 and b"qemu-system-x86" in r.stderr and b"apt-get install" in r.stderr


def test_missing_kernel(yolk, fake, monkeypatch):
    fake("status", FAKE_STATUS=0)
    r = yolk("run", "--kernel", "/nowhere/kernel", "hello")
    assert r.returncode == 125 and b"/nowhere/kernel" in r.stderr


def test_timeout(yolk, fake):
    fake("hang")
    began = time.monotonic()
    r = yolk("run", "--timeout", "4.5", "hello")  # a busy machine starts the stand-in slowly
    assert r.returncode == 124 and r.stdout == b"before\n" and b"4.5 seconds" in r.stderr
    assert 4.5 <= time.monotonic() - began < 30


def test_machine_that_does_not_power_off(yolk, fake):
    fake("after_exit")
    assert yolk("run", "hello").returncode == 4


def test_json(yolk, fake):
    fake("status", FAKE_STATUS=7)
    r = yolk("run", "--json", "-m", "32M", "hello")
    report = json.loads(r.stderr)
    assert r.returncode == 7 and report["status"] == 7 and report["reason"] == "exit"
    assert report["memory"] == 32 << 20 and report["machine"] == "microvm" and report["seconds"] > 0


@pytest.mark.parametrize("name", ["INT", "TERM", "QUIT", "HUP"])
def test_signal_reaches_the_guest(fake, name):
    fake("signals")
    p = subprocess.Popen([YOLK, "run", "hello"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"ready\n"
    p.send_signal(getattr(signal, "SIG" + name))
    assert p.stdout.read() == b"signal " + name.encode() + b"\n"
    assert p.wait(20) == 0


def test_second_interrupt_stops_a_deaf_guest(fake):
    fake("deaf")
    p = subprocess.Popen([YOLK, "run", "hello"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"ready\n"
    p.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert p.poll() is None
    p.send_signal(signal.SIGINT)
    assert p.wait(20) == 130


def test_qemu_dies_with_the_command(fake):
    fake("deaf")
    p = subprocess.Popen([YOLK, "run", "hello"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"ready\n"
    children = pathlib.Path(f"/proc/{p.pid}/task/{p.pid}/children").read_text().split()
    p.kill()
    p.wait()
    for _ in range(100):
        if not any(os.path.exists(f"/proc/{c}") for c in children):
            break
        time.sleep(0.05)
    assert children and not any(os.path.exists(f"/proc/{c}") for c in children)


def terminal(*args, **kwargs):
    child = pexpect.spawn(YOLK, ["run", *args, "hello"], timeout=20, dimensions=(33, 77), **kwargs)
    child.expect_exact("ready\r\n")
    return child


def test_terminal_passes_keys(fake):
    fake("terminal")
    child = terminal()
    child.send("abc")
    child.expect_exact("<abc>")
    child.send("\x04")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_control_c_is_the_guests(fake):
    fake("terminal")
    child = terminal()
    child.send("\x03")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130


def test_control_a_x_leaves(fake):
    fake("terminal")
    child = terminal()
    child.send("\x01?")
    child.expect_exact("Ctrl-A X")
    child.send("\x01\x01")
    child.expect_exact("<\x01>")
    child.send("\x01x")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130


def test_in_the_background_of_a_shell(fake):
    """What is typed there is the shell's, and stops nobody; brought to the front, the guest gets it."""
    fake("terminal")
    shell = pexpect.spawn("/bin/bash", ["--norc", "-i"], timeout=20, dimensions=(24, 80), env={**os.environ, "PS1": "$ "})
    shell.sendline(f"{YOLK} run hello &")
    shell.expect_exact("ready")
    for _ in range(3):
        shell.sendline("echo is $((20 + 3))")
        shell.expect_exact("is 23\r\n")
    shell.sendline("jobs; echo lis''ted")
    shell.expect_exact("listed\r\n")
    assert b"Running" in shell.before and b"Stopped" not in shell.before
    shell.sendline("fg")
    shell.expect_exact("run hello\r\n")
    shell.send("k")
    shell.expect_exact("<k>")
    shell.send("\x04")
    shell.expect_exact("$ ")
    shell.sendline("echo status $?")
    shell.expect_exact("status 0")
    shell.close(force=True)


def test_ended_in_the_background_of_a_shell(fake):
    fake("signals_on_terminal")
    shell = pexpect.spawn("/bin/bash", ["--norc", "-i"], timeout=20, dimensions=(24, 80), env={**os.environ, "PS1": "$ "})
    shell.sendline(f"{YOLK} run hello &")
    shell.expect_exact("ready")
    shell.sendline("kill %1; wait %1; echo ended with $?")
    shell.expect_exact("signal TERM")
    shell.expect_exact("ended with 0")
    shell.close(force=True)


def test_window_size(fake):
    fake("terminal")
    child = terminal()
    child.send("s")
    child.expect_exact("<winsize 33 77\r\n>")
    child.setwinsize(10, 20)
    time.sleep(0.3)
    child.send("s")
    child.expect_exact("<winsize 10 20\r\n>")


def test_terminal_is_put_back(fake):
    fake("terminal")
    shell = pexpect.spawn("/bin/sh", ["-c", f"stty -a >&2; {YOLK} run hello; echo status $?; stty -a >&2"], timeout=20,
                          dimensions=(24, 80))
    shell.expect_exact("ready")
    before = shell.before
    shell.send("\x01x")
    shell.expect_exact("status 130")
    shell.expect(pexpect.EOF)
    assert shell.before.strip() == before.strip()


def test_help_and_version(yolk):
    for args in (["--help"], ["run", "--help"], ["check", "--help"], ["gdb", "--help"], ["pack", "--help"], ["build", "--help"], ["examples", "--help"],
                 ["test", "--help"], ["test", "suites", "--help"], ["test", "suites", "net", "--help"], ["test", "suites", "real", "-h"], ["bench", "--help"],
                 ["trace", "--help"], ["diff", "--help"], ["syscalls", "--help"], ["doctor", "--help"], ["help", "run"], ["--version"], ["run", "--version"]):
        r = yolk(*args)
        assert r.returncode == 0 and r.stdout and not r.stderr, args


@pytest.fixture
def launcher(tmp_path):
    """./yolk with its command built, and a machine that has none of the packages: launcher(…) -> what it did."""
    tree, bin_ = tmp_path / "tree", tmp_path / "tools"
    command = tree / "build/userland/yolk/yolk"
    command.parent.mkdir(parents=True)
    bin_.mkdir()
    for path, text in ((command, 'echo "ran $*"'), (bin_ / "dpkg-query", "exit 1"), (bin_ / "apt-get", "echo asked >>asked; exit 100"),
                       (bin_ / "sudo", "exit 1")):
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    shutil.copy(ROOT / "yolk", tree / "yolk")
    shutil.copy(ROOT / "yolk", tree / "build/.build-packages")
    (tree / "build/.built").touch()

    def run(*args):
        r = subprocess.run([tree / "yolk", *args], cwd=tree, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                           env={**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"})
        return r.returncode, r.stdout.decode(), r.stderr.decode()

    return run


@pytest.mark.parametrize("words", ["test --help", "test suites --help", "test -j 2 --usage", "bench --help", "bench http -h", "gdb --help", "pack --help",
                                   "help test", "gdb -?", "run hello --help", "--help", "doctor"])
def test_no_package_is_needed_for_help(launcher, words):
    assert launcher(*words.split()) == (0, f"ran {words}\n", "")


@pytest.mark.parametrize("words", ["test", "test help", "bench", "gdb hello --help", "pack -o x hello", "pack hello -?", "--yes test"])
def test_packages_are_needed_otherwise(launcher, words):
    status, out, said = launcher(*words.split())
    assert (status, out) == (125, "") and said.startswith("yolk: missing packages: ")


@pytest.mark.parametrize("args", [[], ["nonsense"], ["run"], ["run", "--nonsense", "hello"], ["run", "-m", "x", "hello"],
                                  ["run", "-c", "0", "hello"], ["run", "-c", "1x", "hello"],
                                  ["run", "--timeout", "-1", "hello"], ["run", "--machine", "vax", "hello"],
                                  ["run", "--accel", "warp", "hello"], ["run", "-e", "=x", "hello"],
                                   ["run", "--root", "/nowhere", "hello"], ["run", "--root", "/dev/null", "hello"], ["run", "-p", "80", "hello"],
                                   ["run", "--trace=nosuchcall", "hello"], ["trace"], ["gdb"], ["gdb", "--nonsense", "hello"], ["check"], ["build", "x"]])
def test_wrong_usage(yolk, args):
    r = yolk(*args)
    assert r.returncode == 125 and r.stderr and not r.stdout
