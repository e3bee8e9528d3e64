"""`yolk gdb`: scripted sessions, at 1 and 4 CPUs, of C programs of both ABIs and of Go's."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from conftest import BUILD, EXAMPLES, HERE, ROOT, YOLK

pytestmark = pytest.mark.skipif(shutil.which("gdb") is None, reason="no gdb")

BUILDS = {"musl": ["musl-gcc", "-static"], "pie": ["gcc", "-static-pie", "-fPIE"], "i386": ["gcc", "-m32", "-static"]}


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    directory = tmp_path_factory.mktemp("gdb")

    def make(kind):
        path = directory / kind
        command = [*BUILDS[kind], "-g", "-O0", "-pthread", "-o", path, HERE / "gdb_program.c"]
        if not path.exists() and subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode:
            pytest.skip(f"cannot build {kind}")
        return str(path)

    return make


def session(yolk, program, commands, *args, options=()):
    """gdb's output for the commands, each behind a line that names it."""
    script = [x for c in commands for x in ("-ex", f"echo \\n=== {c}\\n", "-ex", c)]
    r = yolk("gdb", "--batch", "-ex", "set width 0", *script, *options, program, *args, timeout=240)
    out = r.stdout.decode(errors="replace")
    print(out)
    parts = re.split(r"^=== (.*)\n", out, flags=re.MULTILINE)
    return r, parts[0], dict(zip(parts[1::2], parts[2::2]))


TOUR = ["hbreak all_asleep", "continue", "backtrace", "print number", "yolk threads", "yolk waits", "yolk vmas", "yolk fds",
        "yolk cpus", "yolk thread 2", "yolk thread 3", "yolk thread worker", "up", "print argc",
        "help yolk", "help yolk thread"]


@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize("kind", BUILDS)
def test_a_session(yolk, program, kind, cpus):
    path = program(kind)
    r, start, out = session(yolk, path, TOUR, "word", options=["-c", cpus])
    assert "_start" in start and "2 word\n" in start + "".join(out.values())
    assert re.search(r"Breakpoint \d, all_asleep \(number=41\)", out["continue"])
    assert re.search(r"#1 .* in main \(argc=", out["backtrace"])
    assert "$1 = 41" in out["print number"]

    rows = {line.split()[0]: line for line in out["yolk threads"].splitlines()[1:] if line.strip()}
    assert {"1", "2", "3", "-"} <= set(rows)
    assert "running" in rows["1"] and "all_asleep" in rows["1"]
    assert "sleeping" in rows["2"] and "futex" in rows["2"] and "futex word 0x" in rows["2"]
    assert "sleeping" in rows["3"] and "read(" in rows["3"] and "futex" not in rows["3"]
    assert "idle/0" in out["yolk threads"] and "worker" in out["yolk threads"]

    word = re.search(r"futex word (0x\w+)", rows["2"]).group(1)
    assert re.search(rf"futex {word} +\w+ \(2\)", out["yolk waits"])
    assert re.search(r"queue .* \(3\) +read\(", out["yolk waits"])

    assert re.search(r"r-xp .*tmpfs_object_ops", out["yolk vmas"]) and "[stack]" in out["yolk vmas"]
    assert re.search(r"0x\w+ +0x\w+ +rw-p +\d+ KiB", out["yolk vmas"]) and "KiB in memory" in out["yolk vmas"]

    fds = {line.split()[0]: line for line in out["yolk fds"].splitlines()[1:] if line.strip()}
    assert {"0", "1", "2", "3", "4", "5"} == set(fds)
    assert "/dev/null" in fds["0"] and "/dev/zero" in fds["3"] and "pipe" in fds["4"] and "pipe" in fds["5"]

    lines = [line for line in out["yolk cpus"].splitlines()[1:] if line.strip()]
    assert len(lines) == cpus and sum("all_asleep" in line for line in lines) == 1
    assert [line.split()[0] for line in lines] == [str(n) for n in range(cpus)]

    kernel, user = out["yolk thread 2"].split("in the program:")
    assert "futex_wait" in kernel and "sched_" in kernel and "in the kernel:" in kernel and "#0" not in kernel
    assert ("timedwait" if kind == "musl" else "waits_for_lock") in user  # musl has no unwind information
    kernel, user = out["yolk thread 3"].split("in the program:")
    assert "pipe_read" in kernel and "#1" in user
    if kind != "musl":
        assert "waits_for_pipe" in user
    assert "in the kernel:" in out["yolk thread worker"] and "in the program:" not in out["yolk thread worker"]

    assert " main (" in out["up"] and "$2 = 2" in out["print argc"]
    for name in ("threads", "thread", "waits", "vmas", "fds", "locks", "cpus", "trace", "attach"):
        assert f"yolk {name} --" in out["help yolk"]
    assert "TID" in out["help yolk thread"]
    assert "error" not in (r.stderr or b"").decode().lower()


def test_i386_is_seen_as_i386(yolk, program):
    """32-bit names while the CPU runs 32-bit code; 64-bit ones in the kernel, and back; registers can be written."""
    commands = ["show architecture", "hbreak all_asleep", "continue", "print $esp", "set $ecx = 0x12345678", "stepi",
                "print/x $ecx", "yolk cpus", "print $eip", "hbreak sys_exit_group", "continue", "print $rip", "backtrace"]
    _, start, out = session(yolk, program("i386"), commands)
    assert '"i386"' in out["show architecture"]
    assert re.search(r"= .*0xff[0-9a-f]{6}", out["print $esp"])
    assert "= 0x12345678" in out["print/x $ecx"]
    assert "all_asleep" in out["yolk cpus"] and "all_asleep" in out["print $eip"]
    assert "number 42" in out["continue"]  # of the second one: the machine was well
    assert "sys_exit_group" in out["print $rip"] and "up_syscall_32" in out["backtrace"]


@pytest.mark.parametrize("cpus", [1, 4])
def test_go(yolk, cpus):
    program = EXAMPLES / "prime-sieve"
    if not program.exists():
        pytest.skip("no Go")
    commands = ["hbreak main.filter", "continue", "info goroutines", "backtrace 2", "yolk threads", "print prime", "yolk thread 2"]
    _, start, out = session(yolk, program, commands, options=["-c", cpus])
    assert "_rt0_amd64_linux" in start
    assert re.search(r"Breakpoint [\d.]+, main\.filter", out["continue"])
    states = re.findall(r"^\*? *(\d+) +(\w+) +(\S+)", out["info goroutines"], re.MULTILINE)
    assert "1" in {n for n, _, _ in states} and len(states) > 4
    assert any(s == "running" for _, s, _ in states) and any("gopark" in f for _, _, f in states)
    assert "main.filter" in out["backtrace 2"] and "= 2" in out["print prime"]
    assert "runtime.sysmon" in out["yolk thread 2"]
    rows = [line for line in out["yolk threads"].splitlines() if re.match(r"\d+ +prime-sieve ", line)]
    assert len(rows) >= 2 and all(re.search(r" (running|ready|sleeping +\d .*\w\(.*\)) ?", row) for row in rows), rows


def test_trace(yolk, program):
    commands = ["yolk trace", "hbreak all_asleep", "continue", "yolk trace 400", "kill"]
    r, _, out = session(yolk, program("musl"), commands, options=["--trace"])
    lines = out["yolk trace 400"].splitlines()
    assert any(re.search(r"enter +pipe2?\(", line) for line in lines)
    assert any(re.search(r"leave +open\(.*\) = 3$", line) for line in lines)
    numbers = [int(line.split()[0]) for line in lines if line[:1].isdigit()]
    assert len(numbers) > 50 and numbers == sorted(numbers) and numbers[-1] - numbers[0] == len(numbers) - 1
    assert b"open(\"/dev/zero\"" in r.stderr


def test_without_a_trace_and_wrong_words(yolk, program):
    """A command that cannot answer says why, and gdb goes on."""
    commands = ["yolk trace", "yolk thread", "yolk thread 99", "yolk attach", "print 1+1"]
    r, _, out = session(yolk, program("musl"), commands)
    text = r.stderr.decode()
    for reason in ("is not traced", "which thread", "no thread 99", "yolk attach ADDRESS KERNEL"):
        assert reason in text
    assert "= 2" in out["print 1+1"] and "Traceback" not in text


def test_after_the_end(yolk):
    r = yolk("gdb", "--batch", "-ex", "continue", "-ex", "yolk threads", "hello")
    assert b"hello, world" in r.stdout and b"it has ended" in r.stderr and b"Traceback" not in r.stderr


def test_locks_with_ranks(yolk, program):
    """Where a lock is about to be let go it is held."""
    commands = ["hbreak spin_unlock", "continue", "yolk locks", "delete", "hbreak mutex_unlock", "continue", "yolk locks ",
                "print m"]
    _, _, out = session(yolk, program("musl"), commands)
    assert re.search(r"^CPU 0 +spinlock +0x\w+.* RANK_\w+$", out["yolk locks"], re.MULTILINE)
    mutex = re.search(r"0xf\w+", out["print m"]).group(0)
    assert re.search(rf"^\S+.* mutex +{mutex} +RANK_\w+$", out["yolk locks "], re.MULTILINE)


def test_the_program_has_files_of_its_own(yolk, program, tmp_path):
    (tmp_path / "in").write_bytes(b"some\n")
    r = yolk("gdb", "--batch", "--output", tmp_path / "out", "-ex", "continue", program("musl"), "a", "b")
    assert (tmp_path / "out").read_bytes() == b"3 b\nnumber 42\n" and b"number" not in r.stdout
    r = yolk("gdb", "--batch", "--input", tmp_path / "in", "-ex", "continue", shutil.which("busybox") or "hello", "cat")
    assert b"some\n" in r.stdout or shutil.which("busybox") is None


def test_options_and_status(yolk, program, tmp_path):
    script = tmp_path / "script"
    script.write_text("hbreak main\ncontinue\nprint argc\n")
    r = yolk("gdb", "--batch", "-x", script, "-m", "64M", "-e", "A=b", "--net", "none", "--verbose", "-ex", "quit 7", program("musl"), "x")
    assert r.returncode == 7 and b"$1 = 2" in r.stdout and b"size=65536k" in r.stderr and b"netdev" not in r.stderr
    assert yolk("gdb", "--batch", "/nowhere/x").returncode == 127
    assert yolk("gdb", "--batch", "/bin/ls").returncode == 126
    assert yolk("gdb", "--batch", "--listen", "/nowhere/socket", "hello").returncode == 125


def test_gdb_is_missing(yolk, tmp_path, monkeypatch):
    (tmp_path / "qemu-system-x86_64").symlink_to(shutil.which("qemu-system-x86_64"))
    monkeypatch.setenv("PATH", str(tmp_path))
    r = yolk("gdb", "hello")
    assert r.returncode == 125 and b"apt-get install gdb" in r.stderr


def machines_of(pid):
    """The processes that a process has started."""
    return subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()


@pytest.mark.parametrize("how", ["quit", "gdb is killed", "yolk is told to end"])
def test_the_end_of_gdb_is_the_end(program, tmp_path, monkeypatch, how):
    """Nothing stays, neither a process nor a socket."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with subprocess.Popen([YOLK, "gdb", "-ex", "set confirm off", "-ex", "echo here\n", program("musl")], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as p:
        while b"here" not in p.stdout.readline():
            pass
        children = machines_of(p.pid)
        assert len(children) == 2 and len(list(tmp_path.glob("yolk-gdb.*/socket"))) == 1
        gdb = next(c for c in children if "gdb" in open(f"/proc/{c}/comm").read())
        if how == "quit":
            p.stdin.write(b"quit 3\n")
            p.stdin.flush()
        else:
            os.kill(int(gdb) if "killed" in how else p.pid, signal.SIGKILL if "killed" in how else signal.SIGTERM)
        status = p.wait(timeout=30)
        assert status == {"quit": 3, "gdb is killed": 128 + signal.SIGKILL}.get(how, status)
    assert not any(os.path.exists(f"/proc/{c}") for c in children)
    assert not list(tmp_path.glob("yolk-gdb*/*"))


def test_a_program_in_a_root(yolk, program, tmp_path):
    """Its symbols are on nobody's disk; the kernel's are there, and it stops on the way to the program."""
    (tmp_path / "root").mkdir()
    shutil.copy(program("musl"), tmp_path / "root/app")
    r = yolk("gdb", "--batch", "--root", tmp_path / "root", "-ex", "yolk fds", "-ex", "continue", "/app")
    assert b"arch_enter_user" in r.stdout and b"/dev/null" in r.stdout and b"number 42" in r.stdout


@pytest.mark.parametrize("where", ["socket", "port", "run"])
def test_waiting_for_an_ide(program, tmp_path, where):
    """The line that is printed attaches; the program then runs as in `yolk run`."""
    options = {"socket": ["gdb", "--wait", "--listen", str(tmp_path / "s")], "port": ["gdb", "--no-gdb", "--listen", "0"],
               "run": ["run", "--gdb"]}[where]
    with subprocess.Popen([YOLK, *options, "--timeout", "100", program("musl"), "z"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        line = p.stderr.readline().decode()
        assert "waits for a debugger: gdb " in line
        command = line.split("debugger: ", 1)[1].strip()
        assert {"socket": str(tmp_path / "s"), "port": "localhost:", "run": "socket"}[where] in command
        r = subprocess.run(f"{command} --batch -ex 'hbreak all_asleep' -ex c -ex bt -ex c", shell=True, capture_output=True,
                           timeout=100, check=False)
        assert b"all_asleep" in r.stdout, r.stderr
        out, err = p.communicate(timeout=60)
        print("gdb:", r.stdout.decode(), r.stderr.decode(), "yolk:", err.decode(), sep="\n")
        assert out == b"2 z\nnumber 42\n" and p.returncode == 0
    assert not (tmp_path / "s").exists()


def test_a_machine_that_gets_no_cpu(program, tmp_path):
    """gdb waits for QEMU longer than the two seconds after which it would send its packet again."""
    mark = tmp_path / "mark"
    with subprocess.Popen([YOLK, "gdb", "--wait", "--listen", "0", "--timeout", "100", program("musl"), "z"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        command = p.stderr.readline().decode().split("debugger: ", 1)[1].strip()
        (qemu,) = pathlib.Path(f"/proc/{p.pid}/task/{p.pid}/children").read_text(encoding="ascii").split()
        # gdb itself stops QEMU, so that its next words to it find nobody.
        stop = f"shell kill -STOP {qemu}; (sleep 2.5; kill -CONT {qemu}) >{mark} 2>&1 &"
        r = subprocess.run(f"{command} --batch -ex 'hbreak all_asleep' -ex c -ex '{stop}' -ex c", shell=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100, check=False)
        out, _ = p.communicate(timeout=60)
        print(r.stdout.decode())
        assert mark.read_bytes() == b"" and b"SIGINT" not in r.stdout
        assert out == b"2 z\nnumber 42\n" and p.returncode == 0


def test_the_page_for_an_ide(program):
    """docs/DEBUGGING.md's launch.json, as the IDE would do it."""
    page = (ROOT / "docs/DEBUGGING.md").read_text(encoding="utf-8")
    config = json.loads(re.search(r"```json\n(.*?)```", page, re.DOTALL).group(1))["configurations"][0]
    setup = [c["text"].replace("/path/to/yolk/build", str(BUILD)).replace("/path/to/yolk", str(ROOT))
             for c in config["setupCommands"]]
    with subprocess.Popen([YOLK, "gdb", "--wait", "--listen", "0", "--timeout", "100", program("musl")],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        port = re.search(r"localhost:\d+", p.stderr.readline().decode()).group(0)
        commands = [*setup, f"target remote {port}", "break all_asleep", "continue", "yolk threads", "delete", "continue"]
        r = subprocess.run(["gdb", "-q", "--batch", *[x for c in commands for x in ("-ex", c)], program("musl")],
                           capture_output=True, timeout=100, check=False)
        assert b"all_asleep (number=41)" in r.stdout and b"futex word" in r.stdout, r.stderr
        assert p.communicate(timeout=60)[0].endswith(b"number 42\n") and p.returncode == 0


def test_at_a_terminal(program):
    """gdb has the keys: Ctrl-C stops the machine wherever it is, and the program goes on afterwards."""
    pexpect = pytest.importorskip("pexpect")
    sieve = EXAMPLES / "prime-sieve"
    if not sieve.exists():
        pytest.skip("no Go")
    gdb = pexpect.spawn(YOLK, ["gdb", "-c", "2", "-ex", "set pagination off", str(sieve), "100000"], timeout=60, encoding="utf-8")
    gdb.expect_exact("(gdb) ")
    gdb.sendline("continue")
    gdb.expect_exact("\r\n31\r\n")
    gdb.sendintr()
    gdb.expect("signal SIGINT")
    gdb.expect_exact("(gdb) ")
    gdb.sendline("yolk cpus")
    gdb.expect(r"\r\n1 +2 +\S+")
    gdb.sendline("continue")
    gdb.expect_exact("Continuing.")
    gdb.expect(r"\r\n\d+\r\n\d+\r\n")
    gdb.sendintr()
    gdb.expect("signal SIGINT")
    gdb.expect_exact("(gdb) ")
    gdb.sendline("quit")
    gdb.expect_exact("(y or n)")
    gdb.sendline("y")
    gdb.expect(pexpect.EOF)
    gdb.close()
    assert gdb.exitstatus == 0
