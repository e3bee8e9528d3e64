#!/usr/bin/python3
"""diff_one.py PROGRAM: `yolk diff` agrees on a program of test/abi, or on lua, sqlite3 or Go's hello as the suites build them."""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("YOLK_BUILD", ROOT / "build"))
LUA = """\
local t = {}
for i = 1, 1000 do t[i] = i * i % 97 end
table.sort(t)
print(t[1], t[1000], string.format("%5.2f", math.pi))
local f = assert(io.open("out.txt", "w"))
f:write("hello\\n")
f:close()
for line in io.lines("out.txt") do print(line) end
"""
SQL = b"create table t(a, b); insert into t values (1, 2), (3, 4); select sum(a * b) from t; select * from t order by a;\n"


def built(name):
    """The suites' own build of it."""
    p = subprocess.run([ROOT / "test/suites/real/build.sh", name], stdout=subprocess.PIPE, text=True, check=True)
    return p.stdout.strip()


def main():
    name = sys.argv[1]
    command = [BUILD / "userland/yolk/yolk", "diff"]
    with tempfile.TemporaryDirectory() as files:
        stdin = b""
        if name == "lua":
            pathlib.Path(files, "t.lua").write_text(LUA)
            command += ["--files", files, built("lua"), "t.lua"]
        elif name == "sqlite3":
            command += [built("sqlite3"), "-batch", ":memory:"]
            stdin = SQL
        elif name == "hello-go":
            if not (BUILD / "userland/examples/hello-go").exists():
                print("Go's hello was not built: left out")
                return 0
            command += ["--expect", HERE / "go.expect", name]
        else:
            command += ["--expect", HERE / "known.expect", name]
        return subprocess.run(command, input=stdin).returncode


sys.exit(main())
