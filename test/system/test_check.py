"""`yolk check`: which system calls a program contains, against what strace sees of it."""
import json
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import EXAMPLES

STATIC = {"musl": ["musl-gcc"], "glibc": ["gcc"], "glibc-pie": ["gcc", "-static-pie", "-fPIE"], "i386": ["gcc", "-m32"],
          "i386-pie": ["gcc", "-m32", "-static-pie", "-fPIE"]}

HELLO = """
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
static void *thread(void *arg) { puts(arg); return NULL; }
int main(void)
{
    pthread_t t;
    struct stat st;
    struct timespec pause = {0, 1000};
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR1);
    pthread_create(&t, NULL, thread, "thread");
    pthread_join(t, NULL);
    nanosleep(&pause, NULL);
    free(malloc(1 << 20));
    return stat("/", &st) || access("/nowhere", 0) == 0 || isatty(0) > 1;
}
"""

BY_NAME = """
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        ptrace(PTRACE_TRACEME, 0, 0, 0);
    return argc == 3 ? syscall(SYS_fork) : argc == 4 ? syscall(500) : 0;
}
"""


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """build(kind, source) -> path of a static program; the test is skipped where the compiler is missing."""
    directory = tmp_path_factory.mktemp("programs")

    def make(kind, source, name="program"):
        path, c = directory / f"{name}-{kind}", directory / f"{name}.c"
        c.write_text(source)
        command = [*STATIC[kind], "-O2", "-pthread", "-o", path, c]
        if "-static-pie" not in command:
            command.insert(1, "-static")
        if shutil.which(command[0]) is None or subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode:
            pytest.skip(f"no {' '.join(STATIC[kind])}")
        return str(path)

    return make


def check(yolk, program, status=0):
    r = yolk("check", "--json", program)
    assert r.returncode == status
    return json.loads(r.stdout)


def names(report):
    return {c.get("name", c["number"]) for c in report["calls"]}


def traced(program, *args):
    """What strace sees the program call."""
    if shutil.which("strace") is None:
        pytest.skip("no strace")
    r = subprocess.run(["strace", "-f", "-qq", "-o", "|cat", "-e", "signal=none", program, *args],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=False)
    found = set(re.findall(r"^\s*(?:\d+ +)?(?:<\.\.\. )?(\w+)[( ]", r.stdout.decode(errors="replace"), re.MULTILINE))
    return found & all_names()


def all_names():
    table = (pathlib.Path(__file__).resolve().parents[2] / "docs/SYSCALLS.md").read_text()
    return set(re.findall(r"`(\w+)\(", table))


# i386's socketcall(2) and its like are shown by strace under the names of what they do.
ALIASES = {"restart_syscall", "execve"}


def assert_contains(report, seen):
    assert len(seen) > 5, seen
    assert report["complete"] and seen - ALIASES <= names(report), seen - names(report)


@pytest.mark.parametrize("kind", STATIC)
def test_c_programs(yolk, build, kind):
    program = build(kind, HELLO)
    report = check(yolk, program)
    assert report["libc"].startswith("musl" if kind == "musl" else "glibc")
    assert report["machine"] == ("i386" if "i386" in kind else "x86-64")
    assert {c["abi"] for c in report["calls"]} == {report["machine"]}
    assert_contains(report, traced(program))
    # Not everything: what C needs, and no more than a tenth of the table that nobody can name.
    assert len(names(report)) < 120 and report["unknown_sites"] <= report["sites"] // 10


def test_go(yolk):
    if not (EXAMPLES / "hello-go").exists():
        pytest.skip("no Go")
    report = check(yolk, "hello-go")
    version = subprocess.run(["go", "version", EXAMPLES / "hello-go"], capture_output=True, text=True, check=False).stdout
    assert report["go"].startswith("go1.") and (not version or report["go"] in version)
    assert_contains(report, traced(EXAMPLES / "hello-go"))
    assert report["unknown_sites"] <= 2


@pytest.mark.parametrize("args", [["ls", "-l", "/"], ["sh", "-c", "cd /; echo $(( 1 + 2 )); read x"], ["awk", "BEGIN{print 1}"]])
def test_busybox(yolk, args):
    """Stripped, and large."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("no busybox")
    report = check(yolk, busybox, 1)
    assert {"vfork", "pivot_root"} <= {c["name"] for c in report["calls"] if c["support"] == "missing"}
    assert_contains(report, traced(busybox, *args))


@pytest.mark.parametrize("kind", ["musl", "glibc", "i386"])
def test_what_is_missing_is_named(yolk, build, kind):
    program = build(kind, BY_NAME, "by_name")
    report = check(yolk, program, 1)
    calls = {c.get("name", c["number"]): c for c in report["calls"]}
    assert report["runs"] and calls["ptrace"]["support"] == "missing" and calls["ptrace"]["missed"]
    # syscall(2) is told its number: that is followed through the C library's function.
    assert calls["fork"]["support"] == "missing" and calls["fork"]["missed"]
    assert calls[500]["support"] == "unknown"
    text = yolk("check", program).stdout.decode()
    assert re.search(r"missing +ptrace, in \w*ptrace", text) and re.search(r"missing +fork", text)
    assert "number 500" in text and "ENOSYS" in text


def test_partial_support_is_said(yolk, build):
    text = yolk("check", build("musl", HELLO)).stdout.decode()
    assert re.search(r"part +clone.*without a second process", text) and "verdict      will run" in text
    assert "full" not in text.split("calls", 1)[1].split("\n", 1)[1].split("verdict")[0]
    assert re.search(r"full +write", yolk("check", "--all", build("musl", HELLO)).stdout.decode())


def test_int80_in_a_64_bit_program(yolk, build):
    source = 'int main(void) { long r; __asm__ volatile("mov $20, %%eax; int $0x80" : "=a"(r)); return r < 0; }'
    report = check(yolk, build("musl", source, "int80"))
    assert ("i386", "getpid") in {(c["abi"], c["name"]) for c in report["calls"]}


def test_dynamic_is_told_what_to_do(yolk):
    r = yolk("check", "/bin/ls")
    assert r.returncode == 126 and "-static" in r.stdout.decode() and "ld-linux" in r.stdout.decode()


def test_several_programs(yolk, build):
    program = build("musl", BY_NAME, "by_name")
    r = yolk("check", "--json", "hello", program, "/bin/ls")
    reports = json.loads(r.stdout)
    assert r.returncode == 126 and [x["status"] for x in reports] == [0, 1, 126]


def test_rust(yolk):
    program = EXAMPLES.parent.parent / "test/payload/rust"
    if not program.exists():
        pytest.skip("no Rust program")
    assert check(yolk, program)["rust"].startswith("rustc version")


def test_damage_does_not_stop_it(yolk, tmp_path):
    """Sections, names and code that are not what the headers say: the program still runs, and is still read."""
    original = (EXAMPLES / "hello").read_bytes()
    for seed in range(40):
        data = bytearray(original)
        for i in range(64):
            at = (seed * 7919 + i * 104729) % (len(data) - 4096) + 4096
            data[at] = (at * 31 + seed) & 0xFF
        (tmp_path / "bad").write_bytes(data)
        r = yolk("check", "--json", tmp_path / "bad")
        assert r.returncode in (0, 1) and json.loads(r.stdout)["runs"]
