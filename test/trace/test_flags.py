"""strace's options: `yolk trace` prints of one program what strace prints with the same options."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from conftest import BUILD, YOLK

DIFF = pathlib.Path(__file__).resolve().parents[2] / "userland/yolk/diff.py"
PROGRAMS = [str(BUILD / "test/trace" / name) for name in ("lines", "lines-32") if (BUILD / "test/trace" / name).exists()]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/"}
# What an option puts in front of a line or behind it: the times differ, their form does not.
TIMES = {
    "-r": r" +\d+\.\d{6} ", "-t": r"\d\d:\d\d:\d\d ", "-tt": r"\d\d:\d\d:\d\d\.\d{6} ", "-ttt": r"\d{10}\.\d{6} ",
    "-r -t": r"\d\d:\d\d:\d\d \(\+ +\d+\.\d{6}\) ", "-r -ttt": r"\d{10}\.\d{6} \(\+ +\d+\.\d{6}\) ",
}
LASTED = r" <\d+\.\d{6}>$"
needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="no strace")


@pytest.fixture
def both(tmp_path):
    """The lines of strace and of `yolk trace`."""
    def run(options, program, *args):
        texts = []
        cwd = tmp_path / "work"
        for name, command in (("here", ["strace"]), ("guest", [YOLK, "trace", "--timeout=60", f"--workdir={cwd}",
                                                               *(f"--env={k}={v}" for k, v in ENVIRONMENT.items())])):
            out = tmp_path / name
            cwd.mkdir(exist_ok=True)
            subprocess.run([*command, *options, "-o", out, program, *args], stdin=subprocess.DEVNULL, cwd=cwd, timeout=90,
                           env={**os.environ, **ENVIRONMENT} if name == "guest" else ENVIRONMENT,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            texts.append(out.read_text().splitlines())
        pathlib.Path("/tmp/f").unlink(missing_ok=True)
        return texts
    return run


def agree(tmp_path, here, guest):
    for name, lines in (("a", here), ("b", guest)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
    r = subprocess.run([sys.executable, "-B", DIFF, "--traces", tmp_path / "a", tmp_path / "b"], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=60)
    assert r.returncode == 0, r.stdout


def numbered(lines):
    """With the thread's number in front, as far as the lines tell it."""
    told = re.search(r"^set_tid_address\(.*= (\d+)|si_pid=(\d+)", "\n".join(lines), re.M)
    tid = (told[1] or told[2]) if told else "1"
    return [f"{tid} {line}" for line in lines]


@needs_strace
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("options, args", [
    ("-s 5", []), ("-x", []), ("-xx -s 100", []), ("-v", []), ("-y", []), ("-a 60", []), ("-z", []), ("-Z", []), ("-q", []),
    ("-qq", []), ("-e trace=open,write", []), ("-e %file", []), ("-e trace=!open,write", []), ("-e signal=none", ["signal"]),
    ("-e signal=!SIGUSR1", ["signal"]), ("-e trace=none", ["signal"]), ("", ["ignored"]), ("", ["segv"])])
def test_lines(both, tmp_path, program, options, args):
    here, guest = both(options.split(), program, *args)
    assert here
    agree(tmp_path, numbered(here), numbered(guest))
    # Without addresses and numbers of processes a line is the same in every column.
    plain = [[x for x in lines if x.startswith(("open(", "exit_group("))] for lines in (here, guest)]
    assert plain[0] == plain[1]


@needs_strace
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("options", ["-f", "-f -y -s 3", "-f -z -e trace=!futex,futex_time64"])
def test_threads(both, tmp_path, program, options):
    agree(tmp_path, *both(options.split(), program, "threads"))


@needs_strace
@pytest.mark.parametrize("options", list(TIMES) + ["-T"])
def test_times(both, tmp_path, options):
    stripped = []
    for lines in both(options.split(), PROGRAMS[0]):
        if options == "-T":
            timed = [x for x in lines if " = " in x and not x.endswith("= ?")]
            assert timed and all(re.search(LASTED, x) for x in timed), timed
            stripped.append([re.sub(LASTED, "", x) for x in lines])
        else:
            assert lines and all(re.match(TIMES[options], x) for x in lines), lines
            stripped.append([re.sub("^" + TIMES[options], "", x) for x in lines])
    agree(tmp_path, *map(numbered, stripped))


def table(lines):
    """{(ABI, call): (calls, errors)} of a summary: a 32-bit program has two tables."""
    rows, abi = {}, None
    for line in lines:
        if line.startswith(("% time", "System call usage summary")):
            abi = "32 bit" if "32 bit" in line or abi else "64 bit"
        elif abi and not line.startswith("---"):
            r = line.split()
            rows[abi, r[-1]] = (int(r[3]), int(r[4]) if len(r) == 6 else 0)
    return rows


@needs_strace
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("options, args", [("-c", []), ("-C", []), ("-f -c", ["threads"]), ("-c", ["threads"]),
                                           ("-c -e trace=open", [])])
def test_summary(both, program, options, args):
    tables = [table(lines) for lines in both(options.split(), program, *args)]
    for t in tables:  # who waits for whom is luck
        for key in [k for k in t if k[1].startswith("futex") or k[1] == "total"]:
            del t[key]
    assert tables[0] == tables[1] and tables[0]
