#!/usr/bin/python3
"""compare.py YOLK CASE [MEGABYTES]: run one case natively and in the guest; standard output and exit status must agree.

A case is a program made by build.sh, arguments, files put into the root file system beside it, and standard input.  MEGABYTES is
how much is compressed (8).
"""
import functools
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SHELL = "if  true;then\necho   $((1+2))|  cat >/dev/null;fi\nfoo( ){ bar;}\ncase $x in a)b;;esac\n"
JSON = '{"a": [' + ", ".join(str(i) for i in range(2000)) + '], "b": {"c": "\\u00e9", "d": null}}\n'
TEXT = "".join(f"{i * 7919 % 10007} line {i}\n" for i in range(20000))

MAWK = """
{ n[$1 % 7]++; s += $1; t = $3; gsub(/[0-9]/, "<&>", t); if (length(t) > 13) longest[length(t)] = t }
/9 line .*[05]$/ { split($0, part, " "); hits = hits substr(part[1], 1, 2) }
function fact(k) { return k < 2 ? 1 : k * fact(k - 1) }
END { print NR, s, hits; for (i = 0; i < 7; i++) print i, n[i]; for (i = 14; i < 17; i++) print longest[i]
      printf "%.6f %s %d %5.2e|%-6s|\\n", sin(1) + exp(2), toupper("abc"), index("kernel", "n"), fact(15), "x"
      while ((getline line < "/workout.lua") > 0) bytes += length(line); print bytes; srand(7); print rand() == rand() }
"""


@functools.cache
def mixed(megabytes):
    """Text, noise and runs, the same every time: what compressors find easy, hard and repeated."""
    noise = random.Random(20)
    parts = []
    for i in range(megabytes * 4):
        parts.append([TEXT.encode()[i * 997 % 9999:][:200000], noise.randbytes(100000), bytes([i & 255]) * 50000][i % 3])
    data = b"".join(parts)
    return (data * (megabytes * (1 << 20) // len(data) + 1))[:megabytes << 20]


# name: (program, arguments, files, standard input)
CASES = {
    "lua": ("lua", ["/workout.lua"], ["workout.lua"], ""),
    "sqlite3": ("sqlite3", ["/tmp/test.db", ".read /workout.sql"], ["workout.sql"], ""),
    "lua-32": ("lua-32", ["/workout.lua"], ["workout.lua"], ""),
    "sqlite3-32": ("sqlite3-32", ["/tmp/test.db", ".read /workout.sql"], ["workout.sql"], ""),
    "shfmt": ("shfmt", ["-i", "2", "-s"], [], SHELL),
    "gojq": ("gojq", ["-c", "[.a[] | . * 2] | add, length"], [], JSON),
    "sort": ("busybox", ["sort", "-n"], [], TEXT),
    "sha256sum": ("busybox", ["sha256sum", "-"], [], TEXT),
    "awk": ("busybox", ["awk", "{ s += $1; n[$1 % 7]++ } END { print s; for (i = 0; i < 7; i++) print i, n[i] }"], [], TEXT),
    "sed": ("busybox", ["sed", "-n", r"s/^\([0-9]*\) line \(.*5\)$/\2:\1/p"], [], TEXT),
    "gzip": ("busybox", ["gzip", "-9", "-n", "-c"], [], TEXT),
    "find": ("busybox", ["find", "/d", "-type", "f"], [], ""),
    "zstd": ("zstd", ["-T4", "-3", "-c"], [], mixed),
    "zstd-19": ("zstd", ["-T2", "-19", "--long=22", "-c"], [], lambda megabytes: mixed(megabytes // 8 or 1)),
    "zstd-d": ("zstd", ["-d", "-c"], [], ["-5", "-c"]),
    "xz": ("xz", ["-T4", "-1", "--block-size=1MiB", "-c"], [], lambda megabytes: mixed(megabytes // 2 or 1)),
    "xz-d": ("xz", ["-T4", "-d", "-c"], [], ["-T4", "-1", "--block-size=1MiB", "-c"]),
    "mawk": ("mawk", [MAWK], ["workout.lua"], TEXT),
    # Its own source, in one unit.  The object file comes out of standard output, which no one can unlink here.
    "tcc": ("tcc", ["-c", "-nostdinc", "-Isource", "-Isource/include", "-Iinclude", "-DONE_SOURCE=1", "-o", "/proc/self/fd/1",
                    "source/tcc.c"], ["source", "include"], ""),
    "factor": ("busybox", ["factor", "1234567890", "9999999967", "4611686014132420609"], [], ""),
}


CPUS = {"zstd": 4, "zstd-19": 4, "xz": 4, "xz-d": 4}


def input_of(program, stdin, megabytes):
    """Bytes: of a text, of so many megabytes, or what the program itself makes of them natively with other arguments."""
    if isinstance(stdin, str):
        return stdin.encode()
    if callable(stdin):
        return stdin(megabytes)
    return subprocess.run([program, *stdin], input=mixed(megabytes), stdout=subprocess.PIPE, check=True).stdout


def put(name, root, program):
    """A file of this folder, or a folder that was left beside the program (musl's headers are `include`)."""
    if (HERE / name).is_file():
        shutil.copy(HERE / name, root)
    elif name == "include":
        shutil.copytree("/usr/include/x86_64-linux-musl", f"{root}/include")
    else:
        shutil.copytree(pathlib.Path(program).parent / name, f"{root}/{name}")


def run(command, stdin, cwd=None):
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                          timeout=900, check=False)
    return done.returncode, done.stdout, done.stderr


def without_line(start, output):
    return b"".join(line for line in output.splitlines(True) if not line.startswith(start))


def main():
    yolk, case = sys.argv[1:3]
    megabytes = int(sys.argv[3]) if len(sys.argv) > 3 else 8
    name, args, files, stdin = CASES[case]
    built = subprocess.run([HERE / "build.sh", name], stdout=subprocess.PIPE, check=True)
    program = built.stdout.decode().strip()
    with tempfile.TemporaryDirectory(prefix="yolk-real-") as root:
        os.makedirs(f"{root}/tmp")
        os.makedirs(f"{root}/d/e")
        for n in ("d/b", "d/a", "d/e/c"):
            pathlib.Path(root, n).write_text("x")
        for f in files:
            put(f, root, program)
        # The native run sees the same files under the folder's own name.
        here = [root + a if a.startswith("/") and not a.startswith("/proc/") else a.replace(" /", f" {root}/").replace('"/', f'"{root}/')
                if a.startswith((".read", "\n")) else a for a in args]
        stdin = input_of(program, stdin, megabytes)
        native = run([program, *here], stdin, root)
        for f in pathlib.Path(root, "tmp").iterdir():
            f.unlink()
        guest = run([yolk, "run", "-c", str(CPUS.get(case, 1)), "-m", "768M", "--timeout", "600", "--root", root, program,
                     *args], stdin)
    expected = native[1].replace(root.encode(), b"")
    if case == "find":
        expected = b"".join(sorted(expected.splitlines(True)))
        guest = (guest[0], b"".join(sorted(guest[1].splitlines(True))), guest[2])
    if name.startswith("lua"):  # os.tmpname is random: its name shows in one line
        expected, guest = without_line(b"gone", expected), (guest[0], without_line(b"gone", guest[1]), guest[2])
    if (native[0], expected) == (guest[0], guest[1]) and (guest[1] or stdin):
        print(f"{case}: {len(guest[1])} bytes of output and status {guest[0]} agree with native")
        return 0
    same = len(os.path.commonprefix([expected, guest[1]]))
    print(f"{case}: native status {native[0]}, guest {guest[0]}; {len(expected)} and {len(guest[1])} bytes, equal up to {same}\n--- native\n{expected.decode(errors='replace')[:3000]}"
          f"\n--- guest\n{guest[1].decode(errors='replace')[:3000]}\n--- guest's stderr\n"
          f"{guest[2].decode(errors='replace')[:3000]}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
