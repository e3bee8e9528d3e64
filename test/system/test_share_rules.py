"""`yolk run -v`: what a program may do in a folder, and what it is told when it may not; folder.c is the program."""
import os
import pathlib
import resource
import subprocess
import tempfile
import threading

import pytest

from conftest import BUILD, YOLK
from test_share import BUSYBOX, folder, guest  # noqa: F401 (fixtures)

FOLDER = str(BUILD / "test/folder")


def native(directory, *args, before=""):
    """The same here, in a namespace where mounts are our own."""
    done = subprocess.run(["unshare", "-m", "sh", "-euc", f'{before}\ncd "$1"; shift; exec "$@"', "sh", directory, FOLDER, *args],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if done.returncode and b"unshare" in done.stderr:
        pytest.skip("no right to mount")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def small(tmp_path):
    """A folder with room for a megabyte."""
    path = tmp_path / "small"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", path], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no right to mount")
    yield path
    subprocess.run(["umount", path], check=True)


def start(folder, *args, options=(), **kwargs):
    return subprocess.Popen([YOLK, "run", "--timeout", "120", "--net", "none", *options, "-v", f"{folder}:/data", "-w", "/data", FOLDER, *args],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, **kwargs)


@pytest.mark.parametrize("what", ["names", "large"])
def test_as_here(guest, folder, tmp_path, what):
    there = guest(FOLDER, what, options=["-w", "/data"])
    (tmp_path / "here").mkdir()
    assert there.stdout == native(tmp_path / "here", what)
    assert there.returncode == 0 and there.stdout
    for path in folder.iterdir():
        here = tmp_path / "here" / path.name
        assert path.lstat().st_size == here.lstat().st_size or path.is_dir()


def test_nothing_may_be_changed(guest, folder):
    (folder / "f").write_text("text")
    (folder / "d/d").mkdir(parents=True)
    (folder / "d/f").write_text("")
    (folder / "link").symlink_to("f")
    here = native(folder, "read-only", before='mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"')
    there = guest(FOLDER, "read-only", mode=":ro", options=["-w", "/data"])
    assert there.stdout == here and there.returncode == 0
    assert (folder / "f").read_text() == "text" and sorted(os.listdir(folder)) == ["d", "f", "link"]


def test_not_as_root():
    """To whom this machine refuses to open again what they have made."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as top:  # where everybody may look for it
        os.chmod(top, 0o755)
        for name in ("here", "there"):
            os.mkdir(f"{top}/{name}")
            os.chmod(f"{top}/{name}", 0o777)
        try:
            here = subprocess.run([*nobody, FOLDER, "made-read-only"], cwd=f"{top}/here", stdout=subprocess.PIPE, timeout=60)
        except OSError:
            pytest.skip("no setpriv")
        if here.returncode:
            pytest.skip("the build directory is not for everybody")
        there = subprocess.run([*nobody, YOLK, "run", "--net", "none", "-v", f"{top}/there:/data", "-w", "/data", FOLDER, "made-read-only"],
                               env=dict(os.environ, HOME=top), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60)
        assert (there.returncode, there.stdout) == (0, here.stdout)
        with open(f"{top}/there/appended") as f:
            assert f.read() == "onetwo"


def test_no_space(yolk, small):
    with (small / "sparse").open("w") as f:
        f.truncate(8192)
    r = yolk("run", "--net", "none", "-v", f"{small}:/data", "-w", "/data", FOLDER, "no-space")
    full = "No space left on device"
    assert r.stdout.decode().splitlines() == [
        f"write(fd, block, sizeof block): {full}", f"pwrite(sparse, block, 1, 0): {full}",
        f"msync(shared, PAGE, MS_SYNC): {full}", "munmap(shared, PAGE): 0", "munmap(shared, PAGE): 0",
        f"fsync(sparse): {full}", "fsync(sparse): 0", "ftruncate(fd, 0): 0", "write(fd, block, sizeof block): 60000"]


def test_space_is_the_hosts(guest, folder):
    """What is kept for root counts as free, and not as available."""
    there = guest(BUSYBOX, "stat", "-f", "-c", "%S %b %f %a %c %l", "/data").stdout.split()
    size, blocks, free, available, files, longest = map(int, there)
    here = os.statvfs(folder)
    slack = 64 << 20  # others use it, too
    for number, expected in ((blocks, here.f_blocks), (free, here.f_bfree), (available, here.f_bavail)):
        assert abs(number * size - expected * here.f_frsize) < slack
    assert (files, longest) == (here.f_files, here.f_namemax)


def test_buffers_are_as_long_as_messages(guest, folder):
    (folder / "f").write_text("")
    assert guest(BUSYBOX, "stat", "-c", "%o", "/data/f").stdout == b"65536\n"


def test_somebody_else_makes_the_same_file(folder):
    p = start(folder, "create-again", "3000")
    assert p.stdout.readline() == b"begin\n"
    ends = threading.Event()

    def churn():
        while not ends.wait(0.02):
            os.close(os.open(folder / "f", os.O_RDWR | os.O_CREAT, 0o600))
            ends.wait(0.02)
            (folder / "f").unlink(missing_ok=True)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        out, _ = p.communicate(timeout=120)
    finally:
        ends.set()
        thread.join()
    assert (p.returncode, out) == (0, b"")


def test_many_open_files(folder):
    """More than QEMU may have open at first, while their names change: it must not look for them by name."""
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    p = start(folder, "open-many", "600", preexec_fn=few)
    assert p.stdout.readline() == b"open\n"
    for n in range(600):
        if n % 2:
            (folder / f"f{n}").unlink()
        else:
            (folder / f"f{n}").rename(folder / f"g{n}")
    out, _ = p.communicate(b"\n", timeout=120)
    assert (p.returncode, out) == (0, b"")
    assert all((folder / f"g{n}").read_text() == f"f{n}+" for n in range(0, 600, 2))


def test_a_link_that_grows(folder):
    """The host replaces a link by one with a longer target; what is known of the old one may be believed for a second."""
    p = start(folder, "links")

    def ask():
        p.stdin.write(b"\n")
        p.stdin.flush()
        return p.stdout.readline()

    for n in range(1, 40):
        target = "v" * n
        (folder / target).write_text(f"{n}")
        (folder / "fresh").symlink_to(target)
        (folder / "fresh").rename(folder / "link")
        assert ask().decode() == f"{target}: {n}\n"
    p.stdin.close()
    assert p.wait(60) == 0


def test_more_files_than_fit_into_memory(guest, folder):
    for n in range(1500):
        (folder / f"f{n}").write_bytes(bytes([n % 256]) * 65536)
    r = guest(FOLDER, "read-all", options=["-m", "64M", "-w", "/data"])
    assert (r.returncode, r.stdout) == (0, b"%d files, %d bytes, their sum is %d\n" % (1500, 1500 * 65536, sum(n % 256 for n in range(1500)) * 65536)), r.stderr


def test_a_mapping_that_fills_the_cache(guest, folder):
    (folder / "mapped").write_bytes(b"\1" * (24 << 20))
    (folder / "other").write_bytes(bytes(8 << 20))
    r = guest(FOLDER, "mapped-and-read", options=["-m", "64M", "-w", "/data", "--timeout", "50"])
    assert (r.returncode, r.stdout) == (0, b"%d, %d bytes\n" % (24 << 8, 8 << 20)), r.stderr


def test_a_relative_folder(yolk, tmp_path, monkeypatch):
    (tmp_path / "a" / "b:c").mkdir(parents=True)
    (tmp_path / "a" / "b:c" / "f").write_text("text")
    (tmp_path / "link").symlink_to("a/b:c")
    monkeypatch.chdir(tmp_path / "a")
    for name in ("b:c", "./b:c/", "../link", "../link/."):
        assert yolk("run", "--net", "none", "-v", f"{name}:/data:rw", BUSYBOX, "cat", "/data/f").stdout == b"text"
