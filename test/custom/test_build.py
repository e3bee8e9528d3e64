"""`yolk build`: what is wrong with a folder is said with its file and line, and nothing is made."""
import os
import re

import pytest

from conftest import HERE, ROOT, YOLK, run

GOOD = 'SYSCALL(0x4000, 0x4000, twice, INT, FULL, "", 1, INT, n)'
BODY = "#include <yolk/sdk.h>\nlong sys_twice(int n) { return 2 * n; }\n"


@pytest.fixture
def build(tmp_path):
    """build(rows, body) -> the command's result; the .def is SDK(1) in line 1 and `rows` from line 2 on."""
    def go(rows=GOOD, body=BODY, sdk="SDK(1)"):
        folder = tmp_path / "calls"
        folder.mkdir()
        (folder / "my.def").write_text(f"{sdk}\n{rows}\n")
        if body is not None:
            (folder / "my.c").write_text(body)
        done = run(YOLK, "build", "--custom", folder, "-o", tmp_path / "my.elf")
        assert (done.returncode == 0) == (tmp_path / "my.elf").exists()
        assert not list(tmp_path.glob("*.new"))
        return done
    return go


ROWS = {
    "below": (GOOD.replace("0x4000, 0x4000", "0x3fff, 0x4000"), "number 0x3fff is below 0x4000"),
    "below-32": (GOOD.replace("0x4000, 0x4000", "0x4000, 12"), "number 12 is below 0x4000"),
    "above": (GOOD.replace("0x4000, 0x4000", "0x5000, 0x4000"), "number 0x5000 is above 0x4fff"),
    "no-number": (GOOD.replace("0x4000, 0x4000", "many, 0x4000"), "many is no number"),
    "kind": (GOOD.replace("1, INT, n", "1, INTEGER, n"), "there is no kind of argument INTEGER"),
    "kind-of-linux": (GOOD.replace("1, INT, n", "1, FCNTLARG, n"), "the kind FCNTLARG is for single calls of Linux's"),
    "count": (GOOD.replace("1, INT, n", "2, INT, n"), "twice is said to have 2 arguments, and 2 words follow"),
    "count-many": (GOOD.replace("1, INT, n", "7, INT, n"), "7: a call has 0 to 6 arguments"),
    "length": (GOOD.replace("1, INT, n", "1, IN, n"), "behind IN n there must be its length"),
    "pairs": (GOOD.replace("1, INT, n", "4, OFF, a, OFF, b, OFF, c, INT, d"), "takes 7 registers on i386"),
    "result": (GOOD.replace("INT, FULL", "LONG, FULL"), "there is no kind of result LONG"),
    "support": (GOOD.replace("FULL", "NONE"), "NONE: a call of your own is FULL or PART"),
    "missing": (GOOD.replace('""', "nothing"), "is a string in quotes"),
    "name": (GOOD.replace("twice", "2ce"), "2ce is no name of a call"),
    "name-of-linux": (GOOD.replace("twice", "read"), r"Linux has a call read: WRAP\(read\) wraps it"),
    "argument": (GOOD.replace("INT, n)", "INT, 5)"), "5 is no name of an argument"),
    "short": ("SYSCALL(0x4000, 0x4000, twice)", "a row is: numbers, name"),
    "macro": (GOOD.replace("SYSCALL", "SYSCAL"), "there is no row SYSCAL"),
    "no-row": ("twice", "this is no row"),
    "open": (GOOD[:-1], "this is no row"),
    "directive": ("#define X 1", "no lines for the preprocessor"),
    "comment": ("/* without end", "this comment has no end"),
    "wrap-none": ("WRAP(nothing)", "Linux has no call nothing"),
    "wrap-two": ("WRAP(read, write)", r"it is WRAP\(name\)"),
    **{f"wrap-{name}": (f"WRAP({name})", f"{name} cannot be wrapped: it ") for name in (
        "exit", "exit_group", "execve", "execveat", "clone", "clone3", "clone_32", "fork", "vfork", "rt_sigreturn",
        "sigreturn_32", "restart_syscall")},
}


@pytest.mark.parametrize("name", ROWS)
def test_wrong_row(build, name):
    rows, message = ROWS[name]
    done = build(rows)
    assert done.returncode == 125
    assert re.search(rf"calls/my\.def:[23]: error: .*{message}", done.stderr), done.stderr


def test_every_wrong_row_is_told(build):
    done = build(GOOD.replace("INT, n", "INTEGER, n") + "\n" + "WRAP(exit)")
    assert "my.def:2: error" in done.stderr and "my.def:3: error" in done.stderr


@pytest.mark.parametrize("second, message", [
    (GOOD.replace("0x4000, 0x4000", "0x4001, 0x4001"), "there is a call twice already, in line 2"),
    (GOOD.replace("twice", "thrice").replace("0x4000, 0x4000", "0x4000, 0x4001"), "number 0x4000 is twice's already, in line 2"),
    (GOOD.replace("twice", "thrice").replace("0x4000, 0x4000", "0x4001, 0x4000"), "number 0x4000 is twice's already, in line 2"),
])
def test_duplicates(build, second, message):
    done = build(GOOD + "\n\n" + second)
    assert done.returncode == 125
    assert re.search(rf"calls/my\.def:4: error: {message}", done.stderr), done.stderr


def test_wrapped_twice(build):
    assert "my.def:3: error: uname is wrapped already, in line 2" in build("WRAP(uname)\nWRAP(uname)").stderr


@pytest.mark.parametrize("sdk, message", [
    ("SDK(2)", "my.def:1: error: this needs version 2 of the SDK, and here is version 1"),
    ("SDK(0)", "my.def:1: error: it is SDK(version)"),
    ("", "my.def:1: error: which version of the SDK"),
])
def test_version(build, sdk, message):
    done = build(sdk=sdk)
    assert done.returncode == 125 and message in done.stderr


BODIES = {
    "type": ("long sys_twice(long n) { return n; }", r"my\.c:2:\d+: error: conflicting types for .sys_twice."),
    "result": ("int sys_twice(int n) { return n; }", r"my\.c:2:\d+: error: conflicting types for .sys_twice."),
    "count": ("long sys_twice(int n, int m) { return n + m; }", r"my\.c:2:\d+: error: conflicting types for .sys_twice."),
    "none": ("long sys_thrice(int n) { return 3 * n; }", r"my\.def:2: error: twice has no body: no file of .*calls defines sys_twice"),
    "static": ("static long sys_twice(int n) { return n; }", r"my\.c:2:\d+: error: static declaration of .sys_twice."),
    "syntax": ("long sys_twice(int n) { return n }", r"my\.c:2:\d+: error: expected"),
    "unknown": ("long sys_twice(int n) { return page_alloc(n); }", r"my\.c:2:\d+: error: implicit declaration of function .page_alloc."),
    "kernel": ("void *heap_alloc(size_t); long sys_twice(int n) { return heap_alloc(8) ? n : 0; }",
               r"my\.c:1: error: it uses heap_alloc, which the SDK does not have"),
    "header": ("#include <core/heap.h>", r"my\.c:2:\d+: fatal error: core/heap\.h: No such file"),
    "pointer": ("long sys_twice(int n) { struct uptr p = {0}; return yolk_write_user(&p, \"\", 1); }",
                r"my\.c:2:\d+: error: incompatible type for argument 1 of .yolk_write_user."),
    "float": ("long sys_twice(int n) { volatile double d = n; return (long)(d * 2); }", r"my\.c:2:\d+: error: SSE register"),
}


@pytest.mark.parametrize("name", BODIES)
def test_wrong_body(build, name):
    body, message = BODIES[name]
    done = build(body=f"#include <yolk/sdk.h>\n{body}\n")
    assert done.returncode == 125
    assert re.search(message, done.stderr), done.stderr
    if "conflicting" in message:
        assert re.search(r"my\.def:2:\d+: note: previous declaration", done.stderr), done.stderr


def test_wrap_without_a_body(build):
    assert re.search(r"my\.def:2: error: uname has no body: no file of .* defines wrap_uname", build("WRAP(uname)").stderr)


def test_wrong_wrap(build):
    done = build("WRAP(uname)", "#include <yolk/sdk.h>\nlong wrap_uname(int n) { return n; }\n")
    assert re.search(r"my\.c:2:\d+: error: conflicting types for .wrap_uname.", done.stderr)


def test_two_bodies(build, tmp_path):
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls/other.c").write_text(BODY)
    (tmp_path / "calls/my.c").write_text(BODY)
    (tmp_path / "calls/my.def").write_text(f"SDK(1)\n{GOOD}\n")
    done = run(YOLK, "build", "--custom", tmp_path / "calls", "-o", tmp_path / "my.elf")
    assert done.returncode == 125
    assert re.search(r"other\.c:2: multiple definition of .sys_twice.", done.stderr), done.stderr


def test_names_of_the_kernels_own_do_not_clash(build):
    assert build(body=BODY + "int panic; void heap_alloc(void) {} long file_read(void); long file_read(void) { return panic; }\n").returncode == 0


def test_warnings_are_shown_and_stop_nothing(build):
    done = build(body=BODY.replace("{ ", "{ int unused; "))
    assert done.returncode == 0 and re.search(r"my\.c:2:\d+: warning: unused variable", done.stderr)


def test_folders(tmp_path):
    out = tmp_path / "k"
    assert "No such file" in run(YOLK, "build", "--custom", tmp_path / "none", "-o", out).stderr
    assert "it has no .def file" in run(YOLK, "build", "--custom", tmp_path, "-o", out).stderr
    (tmp_path / "a.def").write_text("SDK(1)\n")
    (tmp_path / "b.def").write_text("SDK(1)\n")
    assert "it has two .def files" in run(YOLK, "build", "--custom", tmp_path, "-o", out).stderr
    (tmp_path / "a.def").unlink()
    (tmp_path / "b.def").rename(tmp_path / "My-calls.def")
    assert "its name is to be that of a Go package" in run(YOLK, "build", "--custom", tmp_path, "-o", out).stderr
    done = run(YOLK, "build", "--custom", HERE / "calls")
    assert done.returncode == 125 and "where to?" in done.stderr
    assert run(YOLK, "build", "-o", out).returncode == 125
    done = run(YOLK, "build", "--custom", HERE / "calls", "-o", tmp_path / "no/such/k")
    assert done.returncode == 125 and "cannot be written" in done.stderr


def test_an_empty_folder_of_calls(build):
    assert build(rows="", body=None).returncode == 0


def test_no_leftovers(build, tmp_path, monkeypatch):
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("TMPDIR", str(work))
    build(GOOD, "broken")
    assert not os.listdir(work)


def test_the_sdk_stands_alone(tmp_path):
    (tmp_path / "t.c").write_text("#include <yolk/sdk.h>\n#include <yolk/sdk.h>\n")
    done = run("gcc", f"@{os.environ.get('YOLK_BUILD', ROOT / 'build')}/kit/sdk.C.rsp", "-Werror", "-c", tmp_path / "t.c", "-o", tmp_path / "t.o")
    assert done.returncode == 0, done.stderr
