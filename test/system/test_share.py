"""`yolk run -v`: folders of this machine in the guest."""
import errno
import hashlib
import os
import pathlib
import subprocess
import time

import pytest

from conftest import BUILD, YOLK

GUEST = str(BUILD / "test/guest")
BUSYBOX = "/bin/busybox"
ABI = BUILD / "test/abi"
# Programs of test/abi that work on a folder like on the file system that it lies on.
PROGRAMS = ["exec_busy", "file_append", "file_build_tool", "file_copy", "file_copy_range", "file_locks",
            "file_nameless", "file_read_write", "file_symlink", "file_times", "file_vectors", "file_xattr", "mmap_private_file", "mmap_shared_file"]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "a folder, with a comma"
    path.mkdir()
    return path


@pytest.fixture
def guest(yolk, folder):
    def run(*args, mode="", options=(), **kwargs):
        return yolk("run", "--timeout", "400", "--net", "none", "-v", f"{folder}:/data{mode}", *options, *args,
                    timeout=440, **kwargs)

    return run


@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize("program", PROGRAMS)
def test_as_on_linux(guest, folder, tmp_path, program, cpus):
    native = tmp_path / "native"
    native.mkdir()
    here = subprocess.run([ABI / program], cwd=native, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=200)
    there = guest(ABI / program, options=["-c", cpus, "-w", "/data"])
    assert (there.returncode, there.stdout) == (here.returncode, here.stdout)
    assert listing(folder) == listing(native)


@pytest.mark.parametrize("cpus", [1, 4])
def test_stress(guest, cpus):
    """Names replaced, moved and removed by many threads; what is left over in the end is chance."""
    r = guest(ABI / "file_stress", options=["-c", cpus, "-w", "/data"])
    assert r.returncode == 0
    assert r.stdout.split(b"\n") == [b"replace: done", b"directories: done", b"churn: done", b"sizes: done", b""]


def test_build_tool_on_i386(guest, folder, tmp_path):
    program = BUILD / "test/abi32/file_build_tool-32"
    if not program.exists():
        pytest.skip("no compiler for i386")
    here = subprocess.run([program], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=200)
    there = guest(program, options=["-w", "/data"])
    assert (there.returncode, there.stdout) == (here.returncode, here.stdout)


@pytest.mark.parametrize("stamp", [1234567890123456789, -1234567890123456789, -2])
def test_times_are_the_hosts(guest, folder, stamp):
    """What a program sets is what this machine sees, to the nanosecond, and the other way round."""
    (folder / "from").write_text("")
    os.utime(folder / "from", ns=(stamp, stamp + 1))
    assert guest(GUEST, "copy-times", "/data/from", "/data/to").stdout == b""
    st = os.stat(folder / "to")
    assert (st.st_atime_ns, st.st_mtime_ns) == (stamp, stamp + 1)


def test_what_the_protocol_lacks(guest, folder):
    """The errors by which programs know that they have to do without."""
    lines = guest(GUEST, "lacking", "/data").stdout.decode().splitlines()
    assert lines == [f"{what}: error {error}" for what, error in [("O_TMPFILE", errno.EOPNOTSUPP), ("fallocate", errno.EOPNOTSUPP),
                                                                  ("RENAME_EXCHANGE", errno.EINVAL), ("RENAME_NOREPLACE", errno.EINVAL)]]


def listing(top):
    """Names, types, sizes and contents below a folder."""
    found = {}
    for path in sorted(pathlib.Path(top).rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(top))] = os.readlink(path)
        elif path.is_file():
            found[str(path.relative_to(top))] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[str(path.relative_to(top))] = "directory"
    return found


def make_tree(top, files):
    for n in range(files):
        directory = top / f"d{n % 100}" / f"e{n % 7}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"file{n}").write_text(f"{n}\n" * (n % 50))


def test_ten_thousand_files(guest, folder):
    make_tree(folder / "tree", 10000)
    r = guest(BUSYBOX, "cp", "-r", "/data/tree", "/data/copy", options=["-c", 2])
    assert r.returncode == 0, r.stderr
    assert listing(folder / "copy") == listing(folder / "tree")
    r = guest(BUSYBOX, "find", "/data/copy", "-type", "f")
    assert len(r.stdout.splitlines()) == 10000
    assert guest(BUSYBOX, "rm", "-r", "/data/copy").returncode == 0
    assert not (folder / "copy").exists() and (folder / "tree").exists()


def test_more_than_fits_into_memory(guest, folder):
    data = os.urandom(1 << 20) * 60
    (folder / "big").write_bytes(data)
    r = guest(BUSYBOX, "sha256sum", "/data/big", options=["-m", "32M"])
    assert r.stdout.split()[0].decode() == hashlib.sha256(data).hexdigest()
    assert guest(BUSYBOX, "cp", "/data/big", "/data/copy", options=["-m", "32M"]).returncode == 0
    assert (folder / "copy").read_bytes() == data


def test_read_only(guest, folder):
    (folder / "f").write_text("old")
    for command in (["touch", "/data/new"], ["rm", "/data/f"], ["mkdir", "/data/d"], ["chmod", "600", "/data/f"],
                    ["truncate", "-s", "0", "/data/f"]):
        r = guest(BUSYBOX, *command, mode=":ro")
        assert r.returncode != 0 and b"Read-only file system" in r.stderr
    assert guest(BUSYBOX, "cat", "/data/f", mode=":ro").stdout == b"old"
    assert listing(folder) == {"f": hashlib.sha256(b"old").hexdigest()}


def takes_attributes(path):
    try:
        os.setxattr(path, "user.probe", b"x")
        os.removexattr(path, "user.probe")
        return True
    except OSError:
        return False


def test_extended_attributes(guest, folder):
    """They are the host's: each side sees what the other gives a file.  Programs have those under "user." only."""
    file = folder / "f"
    file.write_text("text")
    if not takes_attributes(file):
        pytest.skip("the file system here has none")
    os.setxattr(file, "user.host", b"of the host")
    os.setxattr(file, "user.empty", b"")
    r = guest(GUEST, "attributes", "/data/f", "user.host", "user.empty", "user.none", "user.guest=" + "long " * 400, "user.host=new",
              "user.nothing=", "trusted.x=1", "trusted.x", "security.capability", "system.posix_acl_access")
    lines = r.stdout.decode().splitlines()
    assert lines[:10] == ["user.host: of the host", "user.empty: ", f"user.none: error {errno.ENODATA}", "user.guest: set", "user.host: set",
                          *(f"{name}: error {errno.EOPNOTSUPP}" for name in ("user.nothing", "trusted.x", "trusted.x", "security.capability")),
                          f"system.posix_acl_access: error {errno.ENODATA}"]
    assert sorted(lines[10:]) == ["has user.empty", "has user.guest", "has user.host"]
    assert os.getxattr(file, "user.guest") == b"long " * 400 and os.getxattr(file, "user.host") == b"new"
    r = guest(GUEST, "attributes", "/data/f", "user.host=newer", "user.host", mode=":ro")
    assert r.stdout.splitlines()[:2] == [b"user.host: error %d" % errno.EROFS, b"user.host: new"]
    assert os.getxattr(file, "user.host") == b"new"


def test_no_way_out(guest, folder, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (folder / "up").symlink_to("../secret")
    (folder / "there").symlink_to(tmp_path / "secret")
    (folder / "above").symlink_to("..")
    for name in ("up", "there", "above/secret", "../secret"):
        r = guest(BUSYBOX, "cat", f"/data/{name}")
        assert r.returncode != 0 and r.stdout == b""


def test_what_the_host_changes(folder):
    file = folder / "f"
    file.write_text("one\n")
    p = subprocess.Popen([YOLK, "run", "--timeout", "60", "--net", "none", "-v", f"{folder}:/data", GUEST, "reread", "/data/f"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask():
        p.stdin.write(b"\n")
        p.stdin.flush()
        return p.stdout.readline()

    assert ask() == b"one\n"
    file.write_text("two\n")  # seen when the file is opened
    assert ask() == b"two\n"
    replacement = folder / "g"
    replacement.write_text("three\n")
    replacement.rename(file)  # another file by that name: seen when the name has been known for a second
    deadline = time.monotonic() + 30
    while ask() != b"three\n":
        assert time.monotonic() < deadline
    file.unlink()
    while ask() != b"(none)\n":
        assert time.monotonic() < deadline
    p.stdin.close()
    assert p.wait(60) == 0


class Opened:
    """A guest that has a file of the folder open all the time."""

    def __init__(self, folder):
        self.p = subprocess.Popen([YOLK, "run", "--timeout", "120", "--net", "none", "-v", f"{folder}:/data", GUEST, "use-open", "/data/f"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, line=b""):
        self.p.stdin.write(line + b"\n")
        self.p.stdin.flush()
        return self.p.stdout.readline().rstrip(b"\n")

    def wait_for(self, text):
        deadline = time.monotonic() + 30
        while (seen := self.ask()) != text:
            assert time.monotonic() < deadline, seen

    def end(self):
        self.p.stdin.close()
        assert self.p.wait(60) == 0


def test_what_the_host_changes_while_it_is_open(folder):
    file = folder / "f"
    file.write_text("one")
    guest = Opened(folder)
    assert guest.ask() == b"one"
    file.write_text("two")  # as long as before
    guest.wait_for(b"two")
    assert guest.ask(b"more") == b"twomore."
    time.sleep(0.3)  # for long enough that its time cannot be that of the guest's own write
    with file.open("r+") as f:
        f.write("ONE")
    guest.wait_for(b"ONEmore.")
    file.rename(folder / "old")  # as logrotate does
    file.write_text("new")
    assert guest.ask(b"end") == b"ONEmore.end."
    guest.end()
    assert (folder / "old").read_text() == "ONEmore\nend\n" and file.read_text() == "new"


def test_two_guests_append(folder):
    (folder / "f").write_text("")
    guests = [Opened(folder), Opened(folder)]
    for n in range(6):
        guests[n % 2].ask(b"%d" % n)
    for guest in guests:
        guest.wait_for(b"0.1.2.3.4.5.")
        guest.end()
    assert (folder / "f").read_text() == "0\n1\n2\n3\n4\n5\n"


def test_stores_through_a_mapping(guest, folder):
    (folder / "f").write_bytes(b"." * 10000)
    assert guest(GUEST, "store-mapped", "/data/f").returncode == 0
    expected = bytearray(b"." * 10000)
    for at in range(0, 10000, 4096):
        expected[at] = ord("M")
    assert (folder / "f").read_bytes() == expected


@pytest.mark.parametrize("cpus", [1, 2])
def test_stores_while_earlier_ones_are_written(guest, folder, cpus):
    """A mapping that ends is written back while the next one begins, and at the end of the program."""
    rounds = 6
    assert guest(GUEST, "store-growing", "/data/f", rounds, options=["-c", cpus]).returncode == 0
    expected = bytearray(rounds << 20)
    for n in range(1, rounds + 1):
        for at in range(0, n << 20, 4096):
            expected[at + n] = n
    assert (folder / "f").read_bytes() == expected


@pytest.mark.parametrize("machine", ["microvm", "q35"])
def test_several(yolk, tmp_path, machine):
    options = []
    for n in range(4):
        (tmp_path / f"{n}").mkdir()
        (tmp_path / f"{n}" / "f").write_text(f"{n}\n")
        options += ["-v", f"{tmp_path}/{n}:/made/here/{n}"]
    r = yolk("run", "--timeout", "60", "--machine", machine, *options, BUSYBOX, "cat", *[f"/made/here/{n}/f" for n in range(4)])
    assert r.stdout == b"0\n1\n2\n3\n"


@pytest.mark.parametrize("order", [1, -1])
def test_one_inside_another(yolk, tmp_path, order):
    """In whatever order they are named."""
    for name in ("a", "b", "c", "a/b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"in {name[-1]}").write_text("")
    options = [["-v", f"{tmp_path}/a:/d:ro"], ["-v", f"{tmp_path}/b:/d/b"], ["-v", f"{tmp_path}/c:/d/b/c/"]][::order]
    r = yolk("run", "--timeout", "60", "--net", "none", *sum(options, []), BUSYBOX, "find", "/d")
    assert sorted(r.stdout.decode().splitlines()) == ["/d", "/d/b", "/d/b/c", "/d/b/c/in c", "/d/b/in b", "/d/in a"]


def test_bad_options(yolk, tmp_path, hello):
    (tmp_path / "file").write_text("")
    for value, text in [(f"{tmp_path}/none:/d", b"No such file"), (f"{tmp_path}/file:/d", b"is not a directory"),
                        (f"{tmp_path}", b"HOSTDIR:GUESTDIR"), (f"{tmp_path}:d", b"absolute path in the guest"), ("", b"HOSTDIR:GUESTDIR"),
                        (":/d", b"HOSTDIR:GUESTDIR"), (f"{tmp_path}:", b"absolute path"), (f"{tmp_path}:/d:rx", b"HOSTDIR:GUESTDIR"),
                        (f"{tmp_path}:/", b"cannot be the root"), (f"{tmp_path}:/./", b"cannot be the root"), (f"{tmp_path}:/d/../e", b"no \"..\""),
                        (f"{tmp_path}:/{300 * 'd'}", b"more than 250 bytes")]:
        r = yolk("run", "-v", value, hello)
        assert r.returncode == 125 and text in r.stderr and r.stderr.count(b"\n") == 1
    for same in ("/d", "/d/", "//d", "/./d"):
        r = yolk("run", "-v", f"{tmp_path}:/d", "-v", f"{tmp_path}:{same}", hello)
        assert r.returncode == 125 and b"another folder goes to /d" in r.stderr
    (tmp_path / "none").mkdir()
    r = yolk("run", "-v", f"{tmp_path}/none:/d/inside", "-v", f"{tmp_path}:/d:ro", hello)
    assert r.returncode == 125 and b"shared read-only, and has no directory inside" in r.stderr
    r = yolk("run", "--machine", "q35", *[word for n in range(17) for word in ("-v", f"{tmp_path}:/d{n}")], hello)
    assert r.returncode == 125 and b"there can be 16 folders" in r.stderr
    many = [word for n in range(7) for word in ("-v", f"{tmp_path}:/d{n}")]
    r = yolk("run", *many, hello)
    assert r.returncode == 125 and b"--machine q35 takes more" in r.stderr
