"""The Go releases that this machine has, and their test binaries, built once and kept outside the tree."""
import hashlib
import os
import pathlib
import shutil
import subprocess

CACHE = pathlib.Path(os.environ.get("YOLK_DEPS_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "yolk")
# -w: no DWARF, which no test of the standard library reads of its own binary.
BUILD_FLAGS = ["-c", "-ldflags=-w"]


class Release:
    """One Go installation: `number` is like 1.26, `version` like go1.26.8."""

    def __init__(self, go):
        self.go = go
        self.env = dict(os.environ, CGO_ENABLED="0", GOFLAGS="-p=2 -buildvcs=false", GOTOOLCHAIN="local",
                        GOWORK="off")
        self.env.pop("GOROOT", None)
        self.version, self.goroot = self.run("env", "GOVERSION", "GOROOT").split()[-2:]
        self.number = ".".join(self.version[2:].split(".")[:2])
        self.cache = CACHE / "go-suite" / self.version

    def run(self, *arguments):
        done = subprocess.run([self.go, *arguments], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        if done.returncode:
            raise RuntimeError(f"{self.go} {' '.join(arguments)}:\n{done.stderr.decode(errors='replace')}")
        return done.stdout.decode()

    def packages(self):
        """Every package of the standard library that has tests."""
        kept = self.cache / "packages"
        if not kept.exists():
            listed = self.run("list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "std")
            self.cache.mkdir(parents=True, exist_ok=True)
            kept.write_text(listed)
        return kept.read_text().split()

    def binary(self, package):
        """The path of the package's test binary."""
        path = self.cache / "bin" / (package.replace("/", ".") + ".test")
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
