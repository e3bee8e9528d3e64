"""Custom calls on a kernel that has them: calls/probe.def, called by caller.c in both ABIs."""
import json
import os
import re
import shutil
import subprocess

import pytest

from conftest import HERE, YOLK, run


@pytest.mark.parametrize("cpus", [1, 4])
def test_all(on_probe, caller, cpus):
    done = on_probe(caller, options=[f"--cpus={cpus}"])
    assert done.stdout == (HERE / "expected.txt").read_text()
    assert done.returncode == 0
    reports = [x for x in done.stderr.splitlines() if "the handler of system call" in x]
    assert len(reports) == 5
    assert all("system call probe_fault used the user address 0x" in x for x in reports)
    assert "in sys_probe_fault+0x" in reports[0] and "in memset+0x" in reports[3] and "in yolk_read_user+0x" in reports[4]
    assert "probe_fault: thread 1 of 1 said so" in done.stderr


def test_all_while_traced(on_probe, caller):
    done = on_probe(caller, options=["--trace"])
    assert done.stdout == (HERE / "expected.txt").read_text()
    assert done.returncode == 0


@pytest.mark.parametrize("how, line", [("3", "used the user address"), ("5", "ends with 1 locks held")])
def test_a_lock_that_stays_kills_the_program(on_probe, caller, how, line):
    done = on_probe(caller, "fault", how)
    assert done.returncode == 139
    assert "probe_fault" in done.stderr and line in done.stderr
    assert "killed by SIGSEGV" in done.stderr and "panic" not in done.stderr


def test_a_fault_in_kernel_memory_is_a_panic_that_names_the_handler(on_probe, caller):
    done = on_probe(caller, "fault", "4")
    assert done.returncode == 125
    assert re.search(r"panic: .*page fault in the kernel", done.stderr)
    assert re.search(r"panic: .* sys_probe_fault\+0x", done.stderr)


@pytest.mark.parametrize("cpus", [1, 4])
def test_a_program_ends_while_a_thread_sleeps_in_a_call(on_probe, caller, cpus):
    assert on_probe(caller, "leave", options=[f"--cpus={cpus}"]).returncode == 3


LINES = r"""probe_add\(-5, 8\) += 3
probe_wide\(1311768467463790320, -2, 4294967294\) = 1
probe_copy\("seven\.\.\\0", 8, "seven\.\.\\0", 8\) = 8
probe_copy\("seven\.\.\\0", 8, 0x[0-9a-f]+, 4\) += -1 ERANGE \(Numerical result out of range\)
probe_copy\(0x10, 8, 0x[0-9a-f]+, 8\) += -1 EFAULT \(Bad address\)
probe_copy\("seven\.\.\\0", 8, 0x10, 8\) += -1 EFAULT \(Bad address\)
probe_word\(\[0x4[02]8\]\) += 0
probe_own\(0xffffffff\) += (63|31)
probe_file\("/f", "bc", 16\) += 2
probe_file\("/none", 0x[0-9a-f]+, 16\) += -1 ENOENT \(No such file or directory\)
probe_fd\(99, "x"\) += -1 EBADF \(Bad file descriptor\)
probe_fd\(3, "defgh"\) += 4
\+\+\+ exited with 0 \+\+\+""".splitlines()
CALLS = "probe_add,probe_wide,probe_copy,probe_word,probe_own,probe_file,probe_fd"


@pytest.fixture
def traced(on_probe, caller, tmp_path):
    def go(*options):
        done = on_probe(caller, "arguments", command="trace", options=["-o", tmp_path / "trace", *options])
        assert done.returncode == 0, done.stderr
        return (tmp_path / "trace").read_text().splitlines()
    return go


def test_trace(traced):
    lines = traced("-e", f"trace={CALLS}")
    assert len(lines) == len(LINES)
    for line, pattern in zip(lines, LINES):
        assert re.fullmatch(pattern, line), line


def test_trace_by_class_and_without(traced):
    lines = traced("-e", "%file", "-z")
    assert any(x.startswith("probe_file(") for x in lines) and not any(x.startswith("probe_add(") for x in lines)
    assert any(x.startswith("probe_fd(") for x in traced("-e", "%desc"))
    lines = traced("-e", f"!{CALLS}")
    assert lines and not any(x.startswith("probe_") for x in lines)


def test_trace_summary_and_objects(traced):
    table = traced("-c")
    assert any(re.search(r" 4 +3 probe_copy$", x) for x in table)
    objects = [json.loads(x) for x in traced("--json", "-e", "trace=probe_add")]
    assert objects[0]["call"] == "probe_add" and objects[0]["args"] == "-5, 8" and objects[0]["result"] == 3


def test_trace_of_a_wrapped_call_shows_what_the_program_gets(on_probe, caller, tmp_path):
    on_probe(caller, command="trace", options=["-o", tmp_path / "trace", "-e", "trace=getppid,umask,ptrace"])
    lines = [re.sub(" += ", " = ", x) for x in (tmp_path / "trace").read_text().splitlines()]
    assert lines[:3] == ["getppid() = 1000", "umask(000) = 022", "umask(000) = 0700"]


def test_trace_refuses_what_this_kernel_has_not(on_probe, caller):
    done = on_probe(caller, command="trace", options=["-e", "trace=probe_none"])
    assert done.returncode == 125 and "there is no call and no class 'probe_none'" in done.stderr
    done = run(YOLK, "trace", "-e", "trace=probe_add", caller)
    assert done.returncode == 125 and "'probe_add'" in done.stderr


# --- yolk syscalls --kernel ---

def test_list(probe):
    done = run(YOLK, "syscalls", f"--kernel={probe}/probe.elf", "probe_")
    assert "0x4000 0x4100  full  probe_add(a, b)  [custom]\n" in done.stdout
    assert "0x4001 0x4001  part  probe_wide(a, b, c)  missing: a reason to be there  [custom]\n" in done.stdout
    assert "0x400a    -  full  probe_own(value)  [custom]\n" in done.stdout
    assert "   - 0x4fff  full  probe_own(value)  [custom]\n" in done.stdout
    done = run(YOLK, "syscalls", f"--kernel={probe}/probe.elf", "getppid")
    assert " 110   64  full  getppid()  [wrapped]\n" in done.stdout
    done = run(YOLK, "syscalls", "probe_")
    assert done.returncode == 1 and "probe" not in done.stdout


def test_list_as_json_and_markdown(probe):
    rows = json.loads(run(YOLK, "syscalls", f"--kernel={probe}/probe.elf", "--json").stdout)
    by_name = {r["name"]: r for r in rows}
    assert by_name["probe_copy"] == {"name": "probe_copy", "x86_64": 0x4002, "i386": 0x4002, "support": "full", "custom": True,
                                     "arguments": ["from", "size", "to", "room"]}
    assert by_name["umask"]["wrapped"] is True and "wrapped" not in by_name["read"]
    assert len(rows) == len(json.loads(run(YOLK, "syscalls", "--json").stdout)) + 12
    page = run(YOLK, "syscalls", f"--kernel={probe}/probe.elf", "--markdown").stdout
    assert "| 0x4000 | 0x4100 | `probe_add(a, b)` | full | custom |\n" in page
    assert "| 0x4001 | 0x4001 | `probe_wide(a, b, c)` | part | a reason to be there; custom |\n" in page


@pytest.mark.parametrize("content", [b"", b"no kernel", b"\x7fELF" + b"\xff" * 200])
def test_list_of_what_is_no_kernel(tmp_path, content):
    (tmp_path / "k").write_bytes(content)
    done = run(YOLK, "syscalls", f"--kernel={tmp_path}/k", "read")
    assert done.returncode in (0, 125) and "probe" not in done.stdout
    assert run(YOLK, "syscalls", f"--kernel={tmp_path}/none", "read").returncode == 125


def test_a_note_of_another_version_is_refused(probe, tmp_path):
    image = (probe / "probe.elf").read_bytes()
    assert image.count(b"SDK(1)\nSYSCALL(0x4000, 0x4100, probe_add") == 1
    (tmp_path / "k").write_bytes(image.replace(b"SDK(1)\nSYSCALL(0x4000", b"SDK(9)\nSYSCALL(0x4000"))
    done = run(YOLK, "syscalls", f"--kernel={tmp_path}/k")
    assert done.returncode == 125 and "needs version 9 of the SDK" in done.stderr


def test_a_kernel_without_debugging_is_still_known(probe, caller, tmp_path):
    assert run("strip", "-o", tmp_path / "k", probe / "probe.elf").returncode == 0
    assert "probe_add" in run(YOLK, "syscalls", f"--kernel={tmp_path}/k").stdout


def test_pack(probe, caller, tmp_path):
    done = run(YOLK, "pack", "-f", "elf", f"--kernel={probe}/probe.elf", "-o", tmp_path / "packed", caller, "arguments")
    assert done.returncode == 0, done.stderr
    qemu = run("timeout", "60", "qemu-system-x86_64", "-M", "q35", "-cpu", "max", "-m", "256M", "-nodefaults", "-display", "none",
               "-no-reboot", "-serial", "stdio", "-kernel", tmp_path / "packed")
    assert "probe_add(-5, 8) = 3" in qemu.stdout.replace("\r", "")


# --- Go ---

GO = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go-1.19/bin")
PROGRAM = """package main

import (
	"fmt"

	"t/probe"
)

func main() {
	sum, err := probe.ProbeAdd(-5, 8)
	fmt.Println(sum, err)
	wide, err := probe.ProbeWide(0x123456789abcdef0, -2, 0xfffffffe)
	fmt.Println(wide, err)
	to := make([]byte, 8)
	n, err := probe.ProbeCopy([]byte("seven.."), to)
	fmt.Println(n, err, string(to[:n]))
	_, err = probe.ProbeCopy(make([]byte, 9), to)
	fmt.Println(err)
	_, err = probe.ProbeFile("/none", nil)
	fmt.Println(err)
	_, err = probe.ProbeFile("a\\x00b", nil)
	fmt.Println(err)
	var word uintptr = 1000
	_, err = probe.ProbeWord(&word)
	own, _ := probe.ProbeOwn(0)
	fmt.Println(word, err, own)
}
"""


@pytest.mark.skipif(not GO, reason="no Go")
@pytest.mark.parametrize("arch, bits", [("amd64", 64), ("386", 32)])
def test_go(probe, on_probe, tmp_path, arch, bits):
    (tmp_path / "go.mod").write_text("module t\n\ngo 1.19\n")
    (tmp_path / "main.go").write_text(PROGRAM)
    shutil.copytree(probe / "probe", tmp_path / "probe")
    env = {**os.environ, "CGO_ENABLED": "0", "GOARCH": arch, "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    for words in (["vet", "./..."], ["build", "-o", "program", "."]):
        done = subprocess.run([GO, *words], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=400, check=False)
        assert done.returncode == 0, done.stderr
    done = on_probe(tmp_path / "program")
    assert done.stdout.splitlines() == ["3 <nil>", "1 <nil>", "7 <nil> seven..", "numerical result out of range",
                                        "no such file or directory", "invalid argument", f"{1000 + bits} <nil> {bits}"]
