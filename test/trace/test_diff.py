"""`yolk diff` on traces that were written by hand: it finds what is wrong and nothing else.  No machine is started."""
import os
import pathlib
import subprocess
import sys

import pytest

DIFF = pathlib.Path(__file__).resolve().parents[2] / "userland/yolk/diff.py"
HERE = """\
100 execve("/bin/x", ["x"], 0x7ffd00000000 /* 3 vars */) = 0
100 brk(NULL) = 0x55d0c0000000
100 openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
100 fcntl(3, F_SETFD, FD_CLOEXEC) = 0
100 clone(child_stack=0x7f0000000000, flags=CLONE_VM|CLONE_THREAD|0x400000, parent_tid=[101], tls=0x7f00000000f8) = 101
101 read(3,  <unfinished ...>
100 getpid( <unfinished ...>
101 <... read resumed>"root", 4) = 4
100 <... getpid resumed>) = 100
100 futex(0x7f0000000100, FUTEX_WAIT_PRIVATE, 1, NULL) = 0
101 close(77) = -1 EBADF (Bad file descriptor)
101 exit(0) = ?
101 +++ exited with 0 +++
100 nanosleep({tv_sec=1, tv_nsec=0}, NULL) = 0
100 kill(100, SIGUSR1) = 0
100 --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=100, si_uid=0} ---
100 exit_group(0) = ?
100 +++ exited with 0 +++
"""
# The same program, elsewhere: other numbers and addresses, another order of threads, no wait.
GUEST = """\
1 execve("/bin/x", ["x"], 0x7fffffffe000 /* 5 vars */) = 0
1 brk(NULL) = 0x40b000
1 openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
1 fcntl(3, F_SETFD, FD_CLOEXEC) = 0
1 clone(child_stack=0x7ffff7000000, flags=CLONE_VM|CLONE_THREAD|0x400000, parent_tid=[2], tls=0x7ffff70000f8) = 2
1 getpid() = 1
2 read(3, "root", 4) = 4
2 close(77) = -1 EBADF (Bad file descriptor)
2 exit(0) = ?
2 +++ exited with 0 +++
1 nanosleep({tv_sec=1, tv_nsec=0}, NULL) = 0
1 kill(1, SIGUSR1) = 0
1 --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=1, si_uid=0} ---
1 exit_group(0) = ?
1 +++ exited with 0 +++
"""


@pytest.fixture
def diff(tmp_path):
    def run(guest, *options, here=HERE):
        (tmp_path / "here").write_text(here)
        (tmp_path / "guest").write_text(guest)
        return subprocess.run([sys.executable, "-B", DIFF, *options, "--traces", tmp_path / "here", tmp_path / "guest"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                              env={**os.environ, "COLUMNS": "240"})
    return run


def test_agree(diff):
    r = diff(GUEST)
    assert r.returncode == 0 and "agree" in r.stdout, r.stdout


@pytest.mark.parametrize("what, old, new", [
    ("a wrong errno", "EBADF (Bad file descriptor)", "EINVAL (Invalid argument)"),
    ("an error that is none", "-1 EBADF (Bad file descriptor)", "0"),
    ("a wrong result", '"root", 4) = 4', '"root", 4) = 3'),
    ("wrong data", '"root"', '"roof"'),
    ("a missing call", "1 fcntl(3, F_SETFD, FD_CLOEXEC) = 0\n", ""),
    ("a call too many", "2 exit(0) = ?\n", "2 gettid() = 2\n2 exit(0) = ?\n"),
    ("a wrong flag", "O_RDONLY|O_CLOEXEC", "O_RDONLY"),
    ("a flag without a name", "0x400000, parent", "0x800000, parent"),
    ("a wrong descriptor", "O_CLOEXEC) = 3", "O_CLOEXEC) = 4"),
    ("a wrong address", "tls=0x7ffff70000f8", "tls=NULL"),
    ("a wrong signal", "SIGUSR1 {si_signo=SIGUSR1", "SIGUSR2 {si_signo=SIGUSR2"),
    ("another sender", "si_pid=1,", "si_pid=2,"),
    ("a wrong code", "SI_USER", "SI_TKILL"),
    ("a wrong target", "kill(1, SIGUSR1)", "kill(2, SIGUSR1)"),
    ("another sleep", "tv_sec=1,", "tv_sec=2,"),
    ("a wrong end", "1 +++ exited with 0", "1 +++ exited with 1"),
    ("a thread without an end", "2 +++ exited with 0 +++\n", ""),
])
def test_finds(diff, what, old, new):
    assert old in GUEST
    r = diff(GUEST.replace(old, new, 1))
    assert r.returncode == 1, f"{what}: {r.stdout}"
    assert "1 differ" in r.stdout or "2 differ" in r.stdout, r.stdout


def test_finds_a_wrong_order_within_a_thread(diff):
    lines = GUEST.splitlines(True)
    lines[2], lines[3] = lines[3], lines[2]
    assert diff("".join(lines)).returncode == 1


def test_order_between_threads_is_free(diff):
    lines = GUEST.splitlines(True)
    assert diff("".join(x for x in lines if x[0] == "1") + "".join(x for x in lines if x[0] == "2")).returncode == 0


def test_expected_and_ignored(diff, tmp_path):
    broken = GUEST.replace("EBADF (Bad file descriptor)", "EINVAL (Invalid argument)")
    known = tmp_path / "known"
    known.write_text("# a comment\n^close\\(77\\) # known\n")
    r = diff(broken, "--expect", known)
    assert r.returncode == 0 and "1 as expected" in r.stdout, r.stdout
    assert diff(broken, "--ignore", "open,close").returncode == 0
    known.write_text("([\n")
    r = diff(broken, "--expect", known)
    assert r.returncode == 125 and "known:1" in r.stdout
    assert diff(broken, "--expect", tmp_path / "none").returncode == 125


def test_html(diff, tmp_path):
    page = tmp_path / "page.html"
    r = diff(GUEST.replace('"root"', '"<b>&"'), "--html", page)
    text = page.read_text()
    assert r.returncode == 1 and "&lt;" in text and "<b>&amp;" not in text and "1 of" in text
    assert diff(GUEST, "--html", tmp_path / "no/such/page").returncode == 125


def test_bad_input(diff, tmp_path):
    assert diff("nothing here\n").returncode == 125
    run = lambda *a, **k: subprocess.run([sys.executable, "-B", DIFF, *a], stdout=subprocess.PIPE, text=True,
                                         stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=60, **k)
    assert run().returncode == 125
    r = run(tmp_path / "no-such-program")
    assert r.returncode == 127 and "no program" in r.stdout
    r = run("/bin/true", env={**os.environ, "YOLK_STRACE": "no-strace-at-all"})
    assert r.returncode == 125 and "apt-get install strace" in r.stdout
    killed = tmp_path / "strace"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    r = run("/bin/true", env={**os.environ, "YOLK_STRACE": str(killed)})
    assert r.returncode == 125 and "signal 9" in r.stdout
