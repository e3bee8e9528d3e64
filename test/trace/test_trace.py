"""`yolk trace` with the real kernel."""
import json
import os
import re
import subprocess
import time

import pytest

from conftest import BUILD, YOLK

LINES = str(BUILD / "test/trace/lines")


@pytest.fixture
def trace(tmp_path):
    """(status, the trace's lines, the program's output, the rest of stderr)."""
    def run(*args, options=(), command="trace"):
        out = tmp_path / "out"
        r = subprocess.run([YOLK, command, "--timeout=60", "-o", out, *options, LINES, *args], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=90)
        return r.returncode, out.read_text().splitlines() if out.exists() else [], r.stdout, r.stderr
    return run


def test_lines(trace):
    status, lines, _, _ = trace("status", "7")
    assert status == 7
    assert re.match(r'execve\("/lines", \["\S+"(?:\.\.\.)?, "status", "7"\], 0x[0-9a-f]+ /\* 2 vars \*/\) = 0$', lines[0])
    assert 'open("/does/not/exist", O_RDONLY|O_LARGEFILE) = -1 ENOENT (No such file or directory)' in lines
    assert 'open("/tmp/f", O_RDWR|O_CREAT|O_LARGEFILE, 0640) = 3' in lines
    assert f'write(3, "{"a" * 32}"..., 5000) = 5000' in lines
    assert lines[-2:] == ["exit_group(7)                           = ?", "+++ exited with 7 +++"]


def test_selection(trace):
    _, lines, _, _ = trace(options=["-e", "trace=open,write"])
    assert [x.split("(")[0] for x in lines] == ["open", "open", "write", "+++ exited with 0 +++"]
    _, lines, _, _ = trace(options=["-e", "%file", "-Z", "-qq"])
    assert [x.split("(")[0] for x in lines] == ["open"] and "ENOENT" in lines[0]
    _, lines, _, _ = trace(options=["-e", "!%file,%memory,%desc", "-z"])
    assert not any(x.startswith(("open", "mmap", "write")) for x in lines)


def test_strings(trace):
    _, lines, _, _ = trace(options=["-e", "write", "-s", "5000"])
    assert lines[0] == f'write(3, "{"a" * 5000}", 5000) = 5000'
    _, lines, _, _ = trace(options=["-e", "write", "-s", "2", "-xx", "-y"])
    assert lines[0] == r'write(3</tmp/f>, "\x61\x61"..., 5000)   = 5000'


def test_threads(trace):
    status, lines, _, _ = trace("threads", options=["-f"])
    assert status == 0
    first, second = ([x for x in lines if x.startswith(f"{n} ")] for n in (1, 2))
    assert any(re.match(r"1 +clone\(.*\) = 2$", x) for x in first)
    assert any(re.match(r"2 +read\(3,  <unfinished \.\.\.>$", x) for x in second)
    assert any(re.match(r'2 +<\.\.\. read resumed>"x", 1\) += 1$', x) for x in second)
    assert second[-1].endswith("+++ exited with 0 +++") and first[-1].endswith("+++ exited with 0 +++")
    _, lines, _, _ = trace("threads")
    assert not any("read(3" in x for x in lines)  # without -f the first thread alone


def test_signals(trace):
    _, lines, _, _ = trace("signal")
    at = next(i for i, x in enumerate(lines) if x.startswith("--- SIGUSR1 "))
    assert re.match(r"--- SIGUSR1 \{si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=1, si_uid=0\} ---$", lines[at])
    assert any(x.startswith("rt_sigreturn({mask=") for x in lines[at:])
    status, lines, _, _ = trace("segv")
    assert status == 139
    assert lines[-2:] == ["--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8} ---",
                          "+++ killed by SIGSEGV +++"]
    _, lines, _, _ = trace("segv", options=["-e", "signal=!SIGSEGV"])
    assert not any("--- SIGSEGV" in x for x in lines)


@pytest.mark.skipif(not os.path.exists(LINES + "-32"), reason="no 32-bit programs")
def test_i386():
    """A program of the other ABI is announced, where strace does; objects are its own calls."""
    r = subprocess.run([YOLK, "trace", "--timeout=60", LINES + "-32"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=90)
    lines = r.stderr.splitlines()
    assert lines[0].startswith("execve(") and lines[1] == "[ Process PID=1 runs in 32 bit mode. ]", lines[:3]
    r = subprocess.run([YOLK, "trace", "--timeout=60", "--json", "-f", BUILD / "test/abi32/socketcall-32"], text=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=90)
    objects = [json.loads(x) for x in r.stderr.splitlines()]
    pair = next(o for o in objects if o.get("call") == "socketpair")
    assert pair["args"] == "AF_UNIX, SOCK_DGRAM, 0, [8, 9]" and pair["result"] == 0
    area = next(o for o in objects if o.get("call") == "set_thread_area")
    assert area["args"].startswith("{entry_number=-1, base_addr=0x") and area["text"].startswith("0 (entry_number=")


def test_slow_reader(tmp_path):
    """Who reads late gets every line: the traced thread waits meanwhile."""
    out = tmp_path / "fifo"
    os.mkfifo(out)
    with subprocess.Popen([YOLK, "trace", "--timeout=60", "-o", out, "-e", "getppid", "-qq", LINES, "many"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        with open(out) as f:
            first = f.readline()
            time.sleep(2)
            assert p.poll() is None  # 20,000 lines do not fit in between
            rest = f.read().splitlines(True)
        err = p.stderr.read()
        assert p.wait(60) == 0 and not err, err
    assert [first, *rest] == ["getppid()                               = 0\n"] * 20000


def test_too_large_for_a_record(trace):
    """Memory that does not fit is counted, and its address shown."""
    status, lines, _, err = trace("large", options=["-s", "30000", "-e", "writev"])
    assert status == 125 and re.search(r"the trace lacks [12] pieces of the program's memory", err), err
    assert len(lines) == 2 and re.search(r"iov_base=0x[0-9a-f]+, iov_len=30000", lines[0])


def test_no_port():
    r = subprocess.run([YOLK, "trace", "--timeout=60", LINES], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=60, env={**os.environ, "YOLK_CONSOLE": "serial"})
    assert r.returncode == 125 and "a trace needs a virtio console" in r.stdout, r.stdout


def test_nothing_is_lost(trace):
    status, lines, _, err = trace("many", options=["-e", "getppid", "-qq"])
    assert status == 0 and "trace" not in err
    assert lines == ["getppid()                               = 0"] * 20000


def test_summary(trace):
    _, lines, _, _ = trace(options=["-c"])
    assert lines[0] == "% time     seconds  usecs/call     calls    errors syscall"
    row = next(x.split() for x in lines if x.endswith(" open"))
    assert row[3:] == ["2", "1", "open"]
    assert lines[-1].split()[-1] == "total"


def test_times(trace):
    _, lines, _, _ = trace(options=["-r", "-T"])
    assert all(re.match(r" +\d+\.\d{6} ", x) for x in lines)
    assert all(re.search(r" <\d+\.\d{6}>$", x) for x in lines if " = " in x and "= ?" not in x)
    _, lines, _, _ = trace(options=["-ttt"])
    assert all(re.match(r"\d{10}\.\d{6} ", x) for x in lines)


def test_json(trace):
    _, lines, _, _ = trace(options=["--json"])
    objects = [json.loads(x) for x in lines]
    failed = next(o for o in objects if o.get("error") == "ENOENT")
    assert failed["call"] == "open" and failed["result"] == -1 and failed["args"].startswith('"/does/not/exist"')
    assert objects[-1]["exited"] == 0


def test_run_with_trace():
    r = subprocess.run([YOLK, "run", "--trace=open", "--timeout=60", LINES], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=90)
    assert r.returncode == 0 and r.stderr.startswith('open("/does/not/exist"'), r.stderr


@pytest.mark.parametrize("options, what", [
    (["-e", "trace=opne"], "no call and no class 'opne'"), (["-e", "%fiel"], "%fiel"), (["-e", "signal=SIGFOO"], "SIGFOO"),
    (["-e", "inject=open:error=EPERM"], "not supported"), (["-s", "many"], "-s"), (["-z", "-Z"], "nothing is left"),
    (["-o", "/no/such/directory/file"], "No such file"), (["-o", "/"], "Is a directory")])
def test_bad_options(options, what):
    r = subprocess.run([YOLK, "trace", *options, LINES], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=60)
    assert r.returncode == 125 and what in r.stdout, r.stdout


def test_no_program():
    r = subprocess.run([YOLK, "trace", "/no/such/program"], stderr=subprocess.PIPE, text=True, timeout=60)
    assert r.returncode == 127


def test_full_disk():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    r = subprocess.run([YOLK, "trace", "-o", "/dev/full", "--timeout=60", LINES], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=90)
    assert r.returncode == 125 and "cannot be written" in r.stderr, r.stderr
