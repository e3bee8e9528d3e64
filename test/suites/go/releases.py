"""The Go releases that this machine has, and their test binaries, built once and kept outside the tree."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess

CACHE = pathlib.Path(os.environ.get("YOLK_DEPS_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "yolk")
# -w: no DWARF, which no test of the standard library reads of its own binary.
BUILD_FLAGS = ["-c", "-ldflags=-w"]


class Release:
    """One Go installation and what it builds for: `number` is like 1.26, `version` like go1.26.8."""

    def __init__(self, go, goarch="amd64"):
        self.go, self.goarch = go, goarch
        self.suffix = "" if goarch == "amd64" else f"-{goarch}"  # of names of files and folders
        self.env = dict(os.environ, CGO_ENABLED="0", GOFLAGS="-p=2 -buildvcs=false", GOTOOLCHAIN="local",
                        GOWORK="off", GOARCH=goarch)
        self.env.pop("GOROOT", None)
        self.version, self.goroot = self.run("env", "GOVERSION", "GOROOT").split()[-2:]
        self.number = ".".join(self.version[2:].split(".")[:2])
        self.label = f"go{self.number}{self.suffix}"
        self.cache = CACHE / "go-suite" / self.version

    def for_arch(self, goarch):
        return self if goarch == self.goarch else Release(self.go, goarch)

    def run(self, *arguments):
        done = subprocess.run([self.go, *arguments], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        if done.returncode:
            raise RuntimeError(f"{self.go} {' '.join(arguments)}:\n{done.stderr.decode(errors='replace')}")
        return done.stdout.decode()

    def packages(self):
        """Every package of the standard library that has tests."""
        kept = self.cache / f"packages{self.suffix}"
        if not kept.exists():
            listed = self.run("list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "std")
            write_whole(kept, listed)
        return kept.read_text().split()

    def binary(self, package):
        """The path of the package's test binary."""
        path = self.cache / f"bin{self.suffix}" / (package.replace("/", ".") + ".test")
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            new = f"{path}.{os.getpid()}"
            self.run("test", *BUILD_FLAGS, "-o", new, package)
            os.replace(new, path)
        return path


def find_releases():
    """The machine's own go and every golang-1.N-go of Debian's, oldest last."""
    found = {}
    candidates = [shutil.which("go")] + sorted(map(str, pathlib.Path("/usr/lib").glob("go-1.*/bin/go")), reverse=True)
    for go in candidates:
        if go and os.path.exists(go):
            release = Release(go)
            found.setdefault(release.number, release)
    return list(found.values())


def digest(*paths):
    total = hashlib.sha256()
    for path in paths:
        total.update(pathlib.Path(path).read_bytes())
    return total.hexdigest()[:16]


def digest_of(*texts):
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def write_whole(path, text):
    """The file is there with all of `text`, or not at all, whenever the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)


def read_json(path):
    """None when there is no such file, or not one that an earlier run wrote to its end."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
