"""A make with tcc in it (builder.c) builds 10,000 files in a shared folder, an object for each source, and builds anew what this
machine changes there: each time the same as here, byte for byte."""
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from conftest import BUILD
from test_share import listing

BUILDER = BUILD / "test/builder"
LEAVES, EACH = 100, 49  # folders with sources; in each so many sources with a header, and one that calls them all
NR = LEAVES * EACH
MASK = (1 << 64) - 1

pytestmark = pytest.mark.skipif(not BUILDER.exists(), reason="libtcc-dev is not installed")


def leaf(n):
    return n % LEAVES


def folder(k):
    return f"d{k % 25}/inner/e{k // 25}"


def other(n):
    """Each source uses the header of another one, which is mostly in another folder."""
    return (n * 7 + 3) % NR


def next_header(n):
    """Some headers include the one after them."""
    return n + 1 if n % 10 == 9 and n + 1 < NR else None


def includes(header_or_source, *paths):
    here = os.path.dirname(header_or_source)
    return "".join(f'#include "{os.path.relpath(path, here)}"\n' for path in paths)


def name(n, kind):
    return f"{folder(leaf(n))}/f{n}.{kind}"


def header_text(n, value):
    more = next_header(n)
    lines = includes(name(n, "h"), *([name(more, "h")] if more else []))
    return f"#ifndef F{n}\n#define F{n}\n{lines}#define VALUE{n} {value}UL\nunsigned long f{n}(unsigned long x);\n#endif\n"


def make_sources(top, values):
    for k in range(LEAVES):
        (top / folder(k)).mkdir(parents=True)
        members = range(k, NR, LEAVES)
        calls = "".join(f"    x = f{n}(x);\n" for n in members)
        (top / folder(k) / "leaf.c").write_text(includes(f"{folder(k)}/leaf.c", f"{folder(k)}/leaf.h", *(name(n, "h") for n in members)) +
                                                f"unsigned long leaf{k}(unsigned long x)\n{{\n{calls}    return x;\n}}\n")
        (top / folder(k) / "leaf.h").write_text(f"unsigned long leaf{k}(unsigned long x);\n")
    for n in range(NR):
        (top / name(n, "h")).write_text(header_text(n, values[n]))
        (top / name(n, "c")).write_text(includes(name(n, "c"), name(n, "h"), name(other(n), "h")) +
                                        f"unsigned long f{n}(unsigned long x)\n{{\n    return (x * {2 * n + 1}UL ^ VALUE{n}) + VALUE{other(n)};\n}}\n")
    calls = "".join(f"    x = leaf{k}(x);\n" for k in range(LEAVES))
    (top / "main.c").write_text(includes("main.c", *(f"{folder(k)}/leaf.h" for k in range(LEAVES))) + MAIN.replace("CALLS", calls))


MAIN = r"""
static long call(long nr, long a, const void *b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

void _start(void)
{
    char text[17];
    unsigned long x = 1;
CALLS    for (int n = 0; n < 16; n++)
        text[n] = "0123456789abcdef"[x >> 4 * (15 - n) & 15];
    text[16] = '\n';
    call(1, 1, text, 17);
    call(60, 0, 0, 0);
}
"""


def expected_output(values):
    x = 1
    for k in range(LEAVES):
        for n in range(k, NR, LEAVES):
            x = ((x * (2 * n + 1) ^ values[n]) + values[other(n)]) & MASK
    return b"%016x\n" % x


def users_of(header):
    """The sources that the header of number `header` goes into."""
    headers = {header}
    while next_header(header - 1) == header:
        header -= 1
        headers.add(header)
    return {name(n, "c") for n in range(NR) if n in headers or other(n) in headers} | {f"{folder(leaf(n))}/leaf.c" for n in headers}


def compiled(text):
    return {path.removeprefix("out/") for path in re.findall(r"^compile (.*)\.o$", text.decode(), re.M)}


def linked(text):
    return {path.removeprefix("out/") for path in re.findall(r"^link (.*)$", text.decode(), re.M)}


class Sides:
    """The same tree twice: a guest builds in the one, this machine in the other."""

    def __init__(self, yolk, tmp_path):
        self.yolk, self.native, self.shared = yolk, tmp_path / "native", tmp_path / "shared"

    def build(self):
        here = subprocess.run([BUILDER, "src", "out"], cwd=self.native, stdout=subprocess.PIPE, check=True, timeout=300)
        there = self.yolk("run", "--timeout", "400", "--net", "none", "-v", f"{self.shared}:/b", "-w", "/b", BUILDER, "src", "out", timeout=440)
        assert (there.returncode, there.stdout) == (0, here.stdout), there.stderr
        assert listing(self.shared / "out") == listing(self.native / "out")
        return here.stdout

    def program_says(self):
        return subprocess.run([self.shared / "out/program"], stdout=subprocess.PIPE, check=True).stdout

    def change(self, what):
        for top in (self.native, self.shared):
            what(top)


def test_make(yolk, tmp_path):
    sides = Sides(yolk, tmp_path)
    values = [n * n + 12345 for n in range(NR)]
    make_sources(sides.native / "src", values)
    shutil.copytree(sides.native / "src", sides.shared / "src")
    made = sides.build()
    assert made.endswith(b"10001 files: %d compiled, %d linked\n" % (NR + LEAVES + 1, LEAVES + 2))
    assert sides.program_says() == expected_output(values)
    assert sides.build() == b"10001 files: 0 compiled, 0 linked\n"

    time.sleep(0.1)  # newer than what was built, whatever the clock of the file system
    header, touched, lost = 1000, 77, 4242
    values[header] += 1
    sides.change(lambda top: (top / "src" / name(header, "h")).write_text(header_text(header, values[header])))
    sides.change(lambda top: os.utime(top / "src" / name(touched, "c")))
    sides.change(lambda top: (top / "out" / name(lost, "o")).unlink())
    made = sides.build()
    sources = users_of(header) | {name(touched, "c"), name(lost, "c")}
    assert compiled(made) == {source.removesuffix(".c") for source in sources}
    assert linked(made) == {os.path.dirname(source) + "/all.o" for source in sources} | {"program"}
    assert sides.program_says() == expected_output(values)
