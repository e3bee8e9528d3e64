"""What may be run: kinds of executables, and root file systems as the kernel gets them."""
import json
import os
import pathlib
import shutil
import struct
import subprocess

import pytest

from conftest import EXAMPLES


def elf(machine=62, elf_class=2, kind=2, phnum=1, data=1):
    ident = bytes([0x7F, 0x45, 0x4C, 0x46, elf_class, data, 1]) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, 0x401000, 64, 0, 0, 64, 56, phnum, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 120, 120, 4096)
    return ident + header + segment


@pytest.fixture(scope="session")
def kinds(tmp_path_factory):
    """Files that cannot be run, each with a word that the reason must have."""
    d = tmp_path_factory.mktemp("kinds")
    hello = (EXAMPLES / "hello").read_bytes()
    source = d / "main.c"
    source.write_text("int main(void) { return 0; }\n")
    subprocess.run(["gcc", "-o", d / "dynamic", source], check=True)
    subprocess.run(["gcc", "-c", "-o", d / "object", source], check=True)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", d / "library", source], check=True)
    files = {
        "empty": (b"", "empty"), "text": (b"some text\n", "not an ELF"), "script": (b"#!/bin/sh\necho x\n", "/bin/sh"),
        "arm": (elf(machine=183), "AArch64"), "i386": (elf(machine=3), "do not fit together"),
        "big-endian": (elf(data=2), "big-endian"), "x32": (elf(elf_class=1), "x32"),
        "header-only": (hello[:40], "cut short"), "truncated": (hello[:5000], "outside the file"),
        "no-segments": (elf(phnum=0), "loaded"), "magic": (b"\x7fELF", "cut short"),
        "core": (elf(kind=4), "core"), "phnum": (elf(phnum=9999), "outside the file"),
    }
    reasons = {"dynamic": "ld-linux", "object": "object file", "library": "library"}
    for name, (data, reason) in files.items():
        (d / name).write_bytes(data)
        reasons[name] = reason
    (d / "directory").mkdir()
    reasons["directory"] = "directory"
    os.mkfifo(d / "fifo")
    reasons["fifo"] = "regular file"
    return d, reasons


KINDS = ["empty", "text", "script", "arm", "i386", "big-endian", "x32", "header-only", "truncated", "no-segments",
         "magic", "core", "phnum", "dynamic", "object", "library", "directory", "fifo"]


@pytest.mark.parametrize("kind", KINDS)
def test_not_runnable(yolk, kinds, kind):
    directory, reasons = kinds
    r = yolk("run", directory / kind)
    assert r.returncode == 126 and r.stdout == b"" and reasons[kind] in r.stderr.decode()
    r = yolk("check", directory / kind)
    assert r.returncode == 126 and reasons[kind] in r.stdout.decode()
    r = yolk("check", "--json", directory / kind)
    report = json.loads(r.stdout)
    assert not report["runs"] and report["status"] == 126 and reasons[kind] in report["reason"]


def test_every_prefix_of_a_program_is_refused_cleanly(yolk, tmp_path):
    hello = (EXAMPLES / "hello").read_bytes()
    path = tmp_path / "cut"
    for size in [*range(1, 130, 7), 400, 1000, 4096, 9000]:
        path.write_bytes(hello[:size])
        assert yolk("check", path).returncode == 126


@pytest.mark.parametrize("program", ["./nowhere", "/nowhere/x", "nowhere", ""])
def test_not_found(yolk, program):
    r = yolk("run", program)
    assert r.returncode == 127 and r.stderr and not r.stdout
    assert yolk("check", program).returncode == 127


def test_check_of_what_runs(yolk):
    report = json.loads(yolk("check", "--json", "hello").stdout)
    assert report["runs"] and report["libc"] == "musl" and report["static"] and report["class"] == "64-bit"


def test_check_of_i386(yolk, tmp_path):
    ident = bytes([0x7F, 0x45, 0x4C, 0x46, 1, 1, 1]) + bytes(9)
    header = struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0x8048054, 52, 0, 0, 52, 32, 1, 40, 0, 0)
    segment = struct.pack("<IIIIIIII", 1, 0, 0x8048000, 0x8048000, 84, 84, 5, 4096)
    path = tmp_path / "small"
    path.write_bytes(ident + header + segment)
    report = json.loads(yolk("check", "--json", path).stdout)
    assert report["runs"] and report["class"] == "32-bit" and report["machine"] == "i386"
    path.write_bytes((ident + header + segment)[:80])
    assert yolk("check", path).returncode == 126


def test_check_of_go(yolk):
    if not (EXAMPLES / "hello-go").exists():
        pytest.skip("no Go")
    report = json.loads(yolk("check", "--json", "hello-go").stdout)
    assert report["runs"] and report["go"].startswith("go1.")


def test_check_of_glibc(yolk):
    if not shutil.which("busybox"):
        pytest.skip("no busybox")
    report = json.loads(yolk("check", "--json", shutil.which("busybox")).stdout)
    assert report["runs"] and report["libc"] == "glibc"


def test_path_before_example(yolk, tmp_path):
    (tmp_path / "hello").write_text("text")
    assert yolk("run", "hello", cwd=tmp_path).returncode == 126


# --- Root file systems ---

def read_newc(data):
    """{name: (mode, nlink, ino, offset, bytes)} of an archive."""
    files, at = {}, 0
    while True:
        assert data[at:at + 6] == b"070701" and at % 4 == 0
        f = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        assert f[11] <= 4096
        name = data[at + 110:at + 110 + f[11]].split(b"\0")[0].decode().rstrip("/")
        start = at + 110 + f[11] + 3 & ~3
        if name == "TRAILER!!!":
            return files
        if f[6] and f[1] & 0o170000 == 0o100000:
            assert start % 4096 == 0
        if name not in files or f[6]:
            files[name] = (f[1], f[4], f[0], start, data[start:start + f[6]])
        at = start + f[6] + 3 & ~3


@pytest.fixture
def tree(tmp_path):
    """A small root with every kind of thing in it."""
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "etc/deep").mkdir(parents=True)
    shutil.copy(EXAMPLES / "hello", root / "bin/real")
    os.link(root / "bin/real", root / "bin/link")
    (root / "bin/sym").symlink_to("../bin/real")
    (root / "bin/abs").symlink_to("/bin/sym")
    (root / "loop").symlink_to("loop")
    (root / "etc/empty").write_bytes(b"")
    (root / "etc/deep/data").write_bytes(b"x" * 5000)
    (root / "etc/script").write_text("#!/bin/sh\n")
    (root / ("etc/" + "n" * 200)).write_bytes(b"long name")
    return root


@pytest.fixture
def archive(yolk, fake, tmp_path, monkeypatch):
    """Runs with --root and returns the archive that QEMU got, and the boot line."""
    def make(root, program, status=0):
        fake("keep", FAKE_COPY=tmp_path / "kept")
        r = yolk("run", "--root", root, program)
        assert r.returncode == status, r.stderr
        return read_newc((tmp_path / "kept").read_bytes()) if not status else None, r.stdout.decode()
    return make


def check_tree(files, line):
    hello = (EXAMPLES / "hello").read_bytes()
    contents = [files[n][4] for n in ("bin/real", "bin/link")]
    assert sorted(contents)[-1] == hello
    assert files["bin/real"][1:3] == files["bin/link"][1:3] and files["bin/real"][1] == 2
    assert files["bin/sym"][4] == b"../bin/real" and files["etc/deep/data"][4] == b"x" * 5000
    assert files["etc/empty"][4] == b"" and files["etc/" + "n" * 200][4] == b"long name"
    assert files["etc"][0] & 0o170000 == 0o040000
    assert "init=/bin/real" in line


@pytest.mark.parametrize("program", ["/bin/real", "bin/real", "real", "/bin/sym", "/bin/abs", "abs", "/etc/../bin/./abs"])
def test_root_directory(archive, tree, program):
    check_tree(*archive(tree, program))


@pytest.mark.parametrize("suffix", ["/", "/."])
def test_root_directory_spelled_otherwise(archive, tree, suffix):
    check_tree(*archive(str(tree) + suffix, "/bin/real"))


@pytest.mark.parametrize("prefix", ["", "./"])
@pytest.mark.parametrize("compression", ["", "z", "J"])
def test_root_tar(archive, tree, tmp_path, compression, prefix):
    path = tmp_path / "root.tar"
    names = [prefix + n for n in sorted(os.listdir(tree))] if not prefix else ["."]
    subprocess.run(["tar", f"-c{compression}f", path, "-C", tree, *names], check=True)
    check_tree(*archive(path, "/bin/abs"))


def test_root_cpio(archive, tree, tmp_path):
    if not shutil.which("cpio") and not shutil.which("bsdtar"):
        pytest.skip("neither cpio nor bsdtar")
    path = tmp_path / "root.cpio"
    if shutil.which("cpio"):
        subprocess.run(f"cd {tree} && find . | cpio -o -H newc --quiet > {path}", shell=True, check=True)
    else:
        subprocess.run(["bsdtar", "--format=newc", "-cf", path, "-C", tree, "."], check=True)
    check_tree(*archive(path, "/bin/real"))


def test_host_program_goes_into_the_root(archive, tree):
    files, line = archive(tree, "threads")
    assert files["threads"][4] == (EXAMPLES / "threads").read_bytes() and "init=/threads" in line


def test_script_in_the_root(yolk, fake, tree):
    fake("keep", FAKE_COPY="/dev/null")
    r = yolk("run", "--root", tree, "/etc/script")
    assert r.returncode == 126 and b"script" in r.stderr


@pytest.mark.parametrize("program", ["/loop", "/bin/none", "/bin"])
def test_absent_in_the_root(yolk, fake, tree, program):
    fake("keep", FAKE_COPY="/dev/null")
    assert yolk("run", "--root", tree, program).returncode in (126, 127)


def test_names_of_every_length(archive, tmp_path):
    root = tmp_path / "names"
    root.mkdir()
    deep = root
    for _ in range(8):
        deep = deep / ("d" * 200)
        deep.mkdir()
    for length in range(1, 250, 3):
        (deep / ("f" * length)).write_bytes(b"a" * length)
    shutil.copy(EXAMPLES / "hello", root / "hello")
    files, _ = archive(root, "/hello")
    base = "/".join(["d" * 200] * 8)
    for length in range(1, 250, 3):
        assert files[base + "/" + "f" * length][4] == b"a" * length


def test_archive_that_is_none(yolk, fake, tmp_path):
    fake("keep", FAKE_COPY="/dev/null")
    path = tmp_path / "junk"
    path.write_bytes(b"junk" * 1000)
    r = yolk("run", "--root", path, "/bin/x")
    assert r.returncode == 125 and str(path).encode() in r.stderr


def test_no_place_for_temporary_files(yolk, fake, tree, monkeypatch):
    fake("keep", FAKE_COPY="/dev/null")
    monkeypatch.setenv("TMPDIR", "/nowhere/at/all")
    r = yolk("run", "--root", tree, "/bin/real")
    assert r.returncode == 125 and b"TMPDIR" in r.stderr


def test_full_temporary_file_system(yolk, fake, tree, monkeypatch, tmp_path):
    fake("keep", FAKE_COPY="/dev/null")
    mount = tmp_path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", mount], capture_output=True).returncode:
        pytest.skip("cannot mount")
    try:
        monkeypatch.setenv("TMPDIR", str(mount))
        r = yolk("run", "--root", tree, "/bin/real")
        assert r.returncode == 125 and b"No space left" in r.stderr and b"TMPDIR" in r.stderr
        assert not list(mount.iterdir())
    finally:
        subprocess.run(["umount", mount], check=True)


def test_nothing_is_left_behind(yolk, fake, tree, monkeypatch, tmp_path):
    fake("keep", FAKE_COPY="/dev/null")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("TMPDIR", str(work))
    assert yolk("run", "--root", tree, "/bin/real").returncode == 0
    assert not list(work.iterdir())
