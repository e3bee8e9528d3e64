"""The root file system that both sides see: one tar archive for each package.

It holds the package's own folder at its place under GOROOT/src, what packages.cfg adds to it, a handful of files of
/etc and the test binary as /test/NAME.  The guest boots from the archive, the native run unpacks it into a tmpfs, so
that names, modes, owners and times are the same on both sides.
"""
import io
import os
import pathlib
import tarfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": "root:x:0:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n",
}


ZONES = "lib/time/zoneinfo.zip"


class Settings:
    """What packages.cfg says of one package."""

    def __init__(self):
        self.memory = "512M"
        self.timeout = 1800
        self.needs = []

    def __repr__(self):
        return f"{self.memory} {self.needs}"  # a longer time-out does not make an old outcome wrong


def settings_of(package):
    """Reads packages.cfg: a package, or a pattern that ends in /..., and NAME=VALUE pairs; later lines add."""
    settings = Settings()
    for line in (HERE / "packages.cfg").read_text().splitlines():
        words = line.split("#")[0].split()
        if not words or not matches(words[0], package):
            continue
        for name, value in (word.split("=", 1) for word in words[1:]):
            if name == "memory":
                settings.memory = value
            elif name == "timeout":
                settings.timeout = int(value)
            elif name == "needs":
                settings.needs += value.split(",")
            else:
                raise ValueError(f"packages.cfg: {name}: not known")
    return settings


def matches(pattern, package):
    if pattern.endswith("/..."):
        return package == pattern[:-4] or package.startswith(pattern[:-3])
    return package == pattern


class Archive:
    """A tar archive being written; makes the folders above what is put into it."""

    def __init__(self, path):
        self.tar = tarfile.open(path, "w", format=tarfile.GNU_FORMAT)
        self.made = {""}

    def folder(self, path, mode=0o755):
        path = path.strip("/")
        if path in self.made:
            return
        self.folder(os.path.dirname(path))
        info = tarfile.TarInfo(path)
        info.type, info.mode, info.mtime = tarfile.DIRTYPE, mode, 1000000000
        self.tar.addfile(info)
        self.made.add(path)

    def bytes(self, path, content, mode=0o644):
        self.folder(os.path.dirname(path))
        info = tarfile.TarInfo(path.strip("/"))
        info.size, info.mode, info.mtime = len(content), mode, 1000000000
        self.tar.addfile(info, io.BytesIO(content))
        self.made.add(path.strip("/"))

    def file(self, source, path):
        """One file or symbolic link, owned by root."""
        path = path.strip("/")
        if path in self.made:
            return
        self.folder(os.path.dirname(path))
        info = self.tar.gettarinfo(source, path)
        if info.islnk():  # a second name of a file that is in already: as a file of its own
            info.type, info.size = tarfile.REGTYPE, os.stat(source).st_size
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        if info.isreg():
            with open(source, "rb") as content:
                self.tar.addfile(info, content)
        else:
            self.tar.addfile(info)
        self.made.add(path)

    def tree(self, source, path, own_only):
        """A folder with all that is below it; own_only leaves out the packages below it, but not testdata."""
        self.folder(path)
        for entry in sorted(os.scandir(source), key=lambda e: e.name):
            inner = f"{path}/{entry.name}"
            if not entry.is_dir(follow_symlinks=False):
                self.file(entry.path, inner)
            elif not own_only:
                self.tree(entry.path, inner, False)
            elif entry.name == "testdata" or not holds_go(entry.path):
                self.tree(entry.path, inner, entry.name != "testdata")

    def close(self):
        self.tar.close()


def holds_go(folder):
    return any(name.endswith(".go") for name in os.listdir(folder))


def zone_archive():
    """Debian's Go has no zoneinfo.zip: the same of the system's time zones."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for folder, _, names in sorted(os.walk("/usr/share/zoneinfo")):
            for name in sorted(names):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    archive.writestr(zipfile.ZipInfo(os.path.relpath(path, "/usr/share/zoneinfo")), file.read())
    return content.getvalue()


def write_root(path, release, package, binary, needs):
    """The archive for `package` of `release` at `path`; answers the binary's name and the folder to run it in."""
    archive = Archive(path)
    for folder, mode in (("dev", 0o755), ("proc", 0o555), ("sys", 0o555), ("root", 0o700), ("tmp", 0o1777),
                         ("bin", 0o755), ("usr/bin", 0o755)):
        archive.folder(folder, mode)
    for name, text in ETC.items():
        archive.bytes(f"etc/{name}", text.encode())
    folder = f"{release.goroot}/src/{package}"
    archive.tree(os.path.realpath(folder), folder, True)
    for need in needs:
        place = os.path.join(release.goroot, need)
        source = os.path.realpath(place)
        if os.path.isdir(source):
            archive.tree(source, place, False)
        elif os.path.exists(source):
            archive.file(source, place)
        elif need == ZONES:
            archive.bytes(place, zone_archive())
    program = "/test/" + os.path.basename(package) + ".test"
    archive.file(binary, program)
    archive.close()
    return program, folder
