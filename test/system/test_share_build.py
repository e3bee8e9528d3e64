"""Go's own compiler and linker, unmodified, build a tree of 10,000 files in shared folders: what they write in the guest
is byte for byte what they write here."""
import filecmp
import os
import pathlib
import re
import shutil
import subprocess

import pytest

BUSYBOX = "/bin/busybox"
PACKAGES, FILES = 5, 2000  # of each package
MASK = (1 << 64) - 1


def find_releases():
    """{go1.N: its command}: the machine's own, and Debian's old one."""
    found = {}
    for go in [shutil.which("go"), "/usr/lib/go-1.19/bin/go"]:
        if go and os.path.exists(go):
            version = subprocess.run([go, "env", "GOVERSION"], env=go_env(), stdout=subprocess.PIPE, check=True).stdout.decode().strip()
            found.setdefault(re.match(r"go1\.\d+", version)[0], go)
    return found


def go_env():
    env = dict(os.environ, CGO_ENABLED="0", GOTOOLCHAIN="local", GOWORK="off", GOFLAGS="-p=2", GO111MODULE="off")
    env.pop("GOROOT", None)
    return env


def constant(p, f):
    return p * FILES + f * f + 1


def source(p, f):
    """Every file has a constant; the odd ones add theirs and that of the file before."""
    text = f"package p{p}\n\n"
    if f == 0:
        text += f'import "tree/p{p - 1}"\n\n' if p else ""
        text += f"var Sum uint64 = {f'p{p - 1}.Sum' if p else 1}\n\n"
    text += f"// C{f} is this file's part.\nconst C{f} = {constant(p, f)}\n"
    if f % 2:
        text += f"\nfunc init() {{\n\tSum = Sum*{2 * f + 1} + C{f} ^ C{f - 1}<<20\n}}\n"
    return text


def expected_sum():
    total = 1
    for p in range(PACKAGES):
        for f in range(1, FILES, 2):
            total = (total * (2 * f + 1) + constant(p, f) ^ constant(p, f - 1) << 20) & MASK
    return total


def make_tree(top):
    for p in range(PACKAGES):
        names = []
        for f in range(FILES):
            directory = pathlib.Path(f"p{p}", f"d{f % 97}", f"e{f % 3}", "deeper")
            (top / directory).mkdir(parents=True, exist_ok=True)
            (top / directory / f"file{f}.go").write_text(source(p, f))
            names.append(f"src/{directory}/file{f}.go\n")
        (top / f"p{p}.files").write_text("".join(names))  # the compiler's @FILE
    (top / "main.go").write_text(f"""package main

import (
	"fmt"
	"tree/p{PACKAGES - 1}"
)

func main() {{
	fmt.Println("the sum of {PACKAGES * FILES} files is", p{PACKAGES - 1}.Sum)
}}
""")


def copy_library(go, top):
    """The compiled packages that fmt needs, and where they are in importcfg's words."""
    (top / "std").mkdir()
    listed = subprocess.run([go, "list", "-export", "-deps", "-f", "{{if .Export}}{{.ImportPath}} {{.Export}}{{end}}", "fmt"],
                            env=go_env(), stdout=subprocess.PIPE, check=True).stdout.decode()
    lines = []
    for name, path in map(str.split, listed.splitlines()):
        to = f"std/{name.replace('/', '.')}.a"
        shutil.copyfile(path, top / to)
        lines.append(f"packagefile {name}=src/{to}\n")
    ours = [f"packagefile tree/p{p}=out/p{p}.a\n" for p in range(PACKAGES)]
    for p in range(PACKAGES):
        (top / f"p{p}.cfg").write_text("".join(ours[:p]))
    (top / "main.cfg").write_text("".join(lines + ours))


def commands(tools, here):
    """As `go build -trimpath -n` shows them; the tree is in src, what they make goes to out, of the folder `here`."""
    common = [tools / "compile", "-trimpath", f"{here}=>tree", "-complete", "-pack", "-buildid", "x"]
    for p in range(PACKAGES):
        yield [*common, "-p", f"tree/p{p}", "-importcfg", f"src/p{p}.cfg", "-o", f"out/p{p}.a", f"@src/p{p}.files"]
    yield [*common, "-p", "main", "-importcfg", "src/main.cfg", "-o", "out/main.a", "src/main.go"]
    yield [tools / "link", "-importcfg", "src/main.cfg", "-buildmode=exe", "-buildid=x", "-o", "out/app", "out/main.a"]


@pytest.mark.parametrize("release", find_releases())
def test_build(yolk, tmp_path, release):
    go = find_releases()[release]
    tools = pathlib.Path(subprocess.run([go, "env", "GOTOOLDIR"], env=go_env(), stdout=subprocess.PIPE, check=True).stdout.decode().strip())
    make_tree(tmp_path / "src")
    copy_library(go, tmp_path / "src")
    (tmp_path / "out").mkdir()
    for command in commands(tools, tmp_path):
        subprocess.run(command, cwd=tmp_path, check=True, timeout=300)
    guest = tmp_path / "guest"
    guest.mkdir()
    here = ["--timeout", "400", "--net", "none", "-c", "2", "-m", "768M", "-w", "/b", "-v", f"{tmp_path}/src:/b/src:ro", "-v", f"{guest}:/b/out"]
    for command in commands(tools, "/b"):
        r = yolk("run", *here, *command, timeout=440)
        assert (r.returncode, r.stdout) == (0, b""), r.stderr
    made = sorted(os.listdir(tmp_path / "out"))
    assert sorted(os.listdir(guest)) == made and len(made) == PACKAGES + 2
    assert filecmp.cmpfiles(tmp_path / "out", guest, made, shallow=False) == (made, [], [])
    assert os.access(guest / "app", os.X_OK)
    # What was built runs here, as a guest, and in a guest from the folder where it was built.
    text = f"the sum of {PACKAGES * FILES} files is {expected_sum()}\n".encode()
    assert subprocess.run([guest / "app"], stdout=subprocess.PIPE, check=True).stdout == text
    assert yolk("run", guest / "app").stdout == text
    assert yolk("run", *here, BUSYBOX, "env", "/b/out/app").stdout == text


def test_build_cache(yolk, tmp_path):
    """The tests of the Go command's own build cache and of its locks, with their files in a shared folder."""
    go = shutil.which("go")
    source = pathlib.Path(subprocess.run([go, "env", "GOROOT"], env=go_env(), stdout=subprocess.PIPE, check=True).stdout.decode().strip(), "src/cmd/go/internal/cache")
    env = {key: value for key, value in go_env().items() if key not in ("GOFLAGS", "GO111MODULE")}
    folder = tmp_path / "folder"
    folder.mkdir()
    subprocess.run([go, "test", "-c", "-o", tmp_path / "cache.test", "."], cwd=source, env=env, check=True, timeout=300)
    r = yolk("run", "--timeout", "400", "--net", "none", "-c", "2", "-m", "512M", "-v", f"{folder}:/data", "-e", "TMPDIR=/data",
             tmp_path / "cache.test", "-test.short", "-test.v", timeout=440)
    passed = {line.split()[2] for line in r.stdout.decode().splitlines() if line.startswith("--- PASS")}
    assert r.returncode == 0 and passed >= {"TestBasic", "TestGrowth", "TestVerifyPanic", "TestCacheTrim", "TestHashFile"}, r.stdout
