"""`yolk run` with the real kernel: a program in the guest behaves as if it had been run here."""
import hashlib
import os
import pathlib
import random
import signal
import subprocess
import threading
import time

import pexpect
import pytest

from conftest import BUILD, YOLK

GUEST = str(BUILD / "test/guest")


@pytest.fixture
def guest(yolk):
    def run(*args, options=(), **kwargs):
        return yolk("run", "--timeout", "60", *options, GUEST, *args, timeout=90, **kwargs)

    return run


@pytest.mark.parametrize("status", [0, 1, 42, 124, 126, 255])
def test_exit_status(guest, status):
    assert guest("exit", status).returncode == status


@pytest.mark.parametrize("number", [2, 9, 11, 15])
def test_death_by_signal(guest, number):
    assert guest("raise", number).returncode == 128 + number


def test_arguments(guest):
    args = ["a", "", "two words", "é\n\t\"'$%20", "--", "-x", "init=z", "*" * 1000]
    r = guest(*args)
    assert r.returncode == 0 and r.stdout.decode() == "".join(f"[{a}]" for a in [GUEST, *args]) + "\n"


def test_environment_and_directory(guest):
    assert guest("env", "A", options=["-e", "A=some value = 1"]).stdout == b"some value = 1\n"
    assert guest("env", "init", options=["-e", "init=x"]).stdout == b"x\n"
    assert guest("env", "B").stdout == b"(unset)\n"
    assert guest("cwd", options=["-w", "/made/on the way"]).stdout == b"/made/on the way\n"
    assert guest("cwd").stdout == b"/\n"


@pytest.mark.parametrize("cpus", [1, 2, 4, 8])
def test_cpus(guest, cpus):
    assert guest("cpus", options=["-c", cpus]).stdout == b"%d\n" % cpus


@pytest.mark.parametrize("memory", ["4M", "16M", "256M", "1G", "16G"])
def test_memory(guest, memory):
    assert guest("exit", 3, options=["-m", memory]).returncode == 3


def test_memory_too_small_for_the_program(guest):
    r = guest("exit", 3, options=["-m", "1M"])
    assert r.returncode == 125 and b"1.0 MiB of memory are not enough" in r.stderr


@pytest.mark.parametrize("restart", [[], ["again"]])
def test_switching_the_machine_off(guest, restart):
    r = guest("reboot", *restart)
    assert r.returncode == 0 and r.stdout.count(b"\n") == 1000


@pytest.mark.parametrize("machine", ["microvm", "q35", "pc"])
def test_machines(guest, machine):
    r = guest("copy", options=["--machine", machine], input=b"over " + machine.encode())
    assert (r.returncode, r.stdout) == (0, b"over " + machine.encode())


def test_all_bytes_pass_both_ways(guest):
    data = bytes(range(256)) * 16
    r = guest("copy", input=data)
    assert r.stdout == data and r.returncode == 0


def test_ten_megabytes_pass(guest):
    data = random.Random(2).randbytes(10 << 20)
    out = guest("copy", input=data).stdout
    assert len(out) == len(data) and hashlib.sha1(out).digest() == hashlib.sha1(data).digest()


def test_stdin_from_file_null_and_nothing(guest, tmp_path):
    path = tmp_path / "in"
    path.write_bytes(b"from a file\n" * 1000)
    with path.open() as stdin:
        assert guest("copy", stdin=stdin).stdout == b"from a file\n" * 1000
    assert guest("copy", stdin=subprocess.DEVNULL).stdout == b""
    assert guest("copy", input=b"").stdout == b""


def test_closed_descriptors(guest):
    assert guest("exit", 5, stdin=None, stdout=None, stderr=None,
                 preexec_fn=lambda: [os.close(fd) for fd in range(3)]).returncode == 5


def test_nothing_is_a_terminal(guest):
    assert guest("tty", input=b"").stdout == b"0 0 0\n"


def test_stderr_stays_apart_and_joins_in_order(guest):
    r = guest("both")
    assert r.stdout == b"".join(b"out %d\n" % i for i in range(50))
    assert r.stderr == b"".join(b"err %d\n" % i for i in range(50))
    r = guest("both", stderr=subprocess.STDOUT)
    assert r.stdout == b"".join(b"out %d\nerr %d\n" % (i, i) for i in range(50))


def test_reader_of_stdout_that_leaves():
    p = subprocess.Popen([YOLK, "run", "--timeout", "60", GUEST, "flood"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE)
    assert p.stdout.read(10) == b"y" * 10
    p.stdout.close()
    assert p.wait(70) == 141


def test_timeout_of_a_spinning_program(yolk):
    began = time.monotonic()
    assert yolk("run", "--timeout", "2", GUEST, "spin").returncode == 124
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT"])
def test_signal_is_passed_on(name):
    number = getattr(signal, "SIG" + name)
    p = subprocess.Popen([YOLK, "run", "--timeout", "60", GUEST, "wait", str(int(number))], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"ready\n"
    p.send_signal(number)
    assert p.stdout.read() == b"caught %d\n" % number
    assert p.wait(70) == 0


@pytest.mark.parametrize("seconds", [0, 0.02, 0.05, 0.1])
def test_signal_before_the_program_is_there(seconds):
    """Whatever the machine does by then: the program gets it as it begins.  (At the very start the command itself dies of it.)"""
    p = subprocess.Popen([YOLK, "run", "--timeout", "60", GUEST, "spin"], stdin=subprocess.DEVNULL)
    while not pathlib.Path(f"/proc/{p.pid}/task/{p.pid}/children").read_text():
        assert p.poll() is None
    time.sleep(seconds)
    p.send_signal(signal.SIGTERM)
    assert p.wait(70) in (143, -signal.SIGTERM)


def test_interrupt_kills_a_program_without_handler():
    p = subprocess.Popen([YOLK, "run", "--timeout", "60", GUEST, "copy"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(b"x")
    p.stdin.flush()
    assert p.stdout.read(1) == b"x"
    p.send_signal(signal.SIGINT)
    assert p.wait(70) == 130


# --- On a terminal ---

def terminal(*args):
    return pexpect.spawn(YOLK, ["run", "--timeout", "60", GUEST, *args], timeout=30, dimensions=(33, 77))


def ended(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def test_everything_is_a_terminal():
    child = terminal("tty")
    child.expect_exact("1 1 1\r\n")
    assert ended(child) == 0


def test_lines_are_edited_and_echoed():
    child = terminal("copy")
    child.send("wrong\x15ab\x7fc\r")
    child.expect_exact("c\r\n")
    child.expect_exact("ac\r\n")
    child.send("\x04")
    assert ended(child) == 0


@pytest.mark.parametrize("key, status", [("\x03", 130), ("\x1c", 131)])
def test_keys_that_kill(key, status):
    child = terminal("copy")
    child.send("x\r")
    child.expect_exact("x\r\nx\r\n")
    child.send(key)
    assert ended(child) == status


def test_control_c_is_caught():
    child = terminal("wait", "2")
    child.expect_exact("ready")
    child.send("\x03")
    child.expect_exact("caught 2")
    assert ended(child) == 0


def test_control_a_x_leaves():
    child = terminal("spin")
    time.sleep(1)
    child.send("\x01x")
    assert ended(child) == 130


def test_window_size_is_the_terminals():
    child = terminal("window")
    child.expect_exact("size 33 77")
    child.setwinsize(10, 20)
    child.expect_exact("size 10 20")
    assert ended(child) == 0


def test_stdin_terminal_stdout_pipe():
    child = pexpect.spawn("/bin/sh", ["-c", f"{YOLK} run --timeout 60 {GUEST} tty | cat"], timeout=30)
    child.expect_exact("1 0 1")
    assert ended(child) == 0


# --- Root file systems ---

@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "etc").mkdir()
    subprocess.run(["cp", GUEST, root / "bin/guest"], check=True)
    (root / "bin/link").symlink_to("guest")
    (root / "etc/data").write_bytes(b"0123456789" * 1000)
    return root


def test_root_directory(yolk, tree):
    assert yolk("run", "--timeout", "60", "--root", tree, "guest", "cat", "/etc/data").stdout == b"0123456789" * 1000
    assert yolk("run", "--timeout", "60", "--root", tree, "/bin/link", "exit", "9").returncode == 9


def test_root_tar(yolk, tree, tmp_path):
    subprocess.run(["tar", "-czf", tmp_path / "root.tgz", "-C", tree, "."], check=True)
    r = yolk("run", "--timeout", "60", "--root", tmp_path / "root.tgz", "/bin/guest", "cat", "/etc/data")
    assert r.stdout == b"0123456789" * 1000


def test_empty_root(yolk, tmp_path):
    """What a failed `docker export` leaves is no root without files."""
    (tmp_path / "root.tar").touch()
    r = yolk("run", "--root", tmp_path / "root.tar", "hello")
    assert r.returncode == 125 and b"empty" in r.stderr


def test_host_program_in_a_root(yolk, tree):
    r = yolk("run", "--timeout", "60", "--root", tree, GUEST, "cat", "/etc/data")
    assert r.stdout == b"0123456789" * 1000


# --- The kernel without the command ---

@pytest.mark.parametrize("machine", ["q35", "pc", "microvm"])
def test_plain_qemu(machine):
    """As for a Linux kernel: -kernel, -initrd, -append; bytes and log on the serial port."""
    r = subprocess.run(["qemu-system-x86_64", "-M", machine, "-cpu", "max", "-m", "256M", "-nodefaults", "-display", "none",
                        "-no-reboot", "-serial", "stdio", "-kernel", BUILD / "yolk.elf", "-initrd", GUEST, "-device",
                        "isa-debug-exit,iobase=0xf4,iosize=4", "-append", "init=/guest A=1 -- some \"two words\""],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert b"[/guest][some][two words" in r.stdout and r.returncode == 1


def test_dumps_starve_no_cpu():
    """Dumps that are asked for faster than they can be said: every CPU has its say in each, none waits in the NMI for
    its turn and lets those wait that flush translations, and the program goes on."""
    cpus, dumps = 4, 5
    places, ends, said = [0] * cpus, 0, []
    run = subprocess.Popen([YOLK, "run", "-c", str(cpus), "--timeout", "90", GUEST, "churn"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdin.write(b"ready\n")
    run.stdin.flush()
    assert run.stdout.readline() == b"ready\n"
    enough = threading.Event()

    def ask():
        while not enough.wait(0.02) and run.poll() is None:
            run.send_signal(signal.SIGUSR1)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        while ends < dumps and (line := run.stderr.readline()):
            said.append(line)
            for i in range(cpus):
                places[i] += b"dump: cpu %d is at" % i in line or b"dump: cpu %d does not answer" % i in line
            ends += line.endswith(b": end\n")
    finally:
        enough.set()
        asker.join()
    _, rest = run.communicate(timeout=100)
    print(b"".join(said).decode(errors="replace"), rest.decode(errors="replace"))
    assert run.returncode == 0
    assert places == [dumps] * cpus
