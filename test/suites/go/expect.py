"""test/expect.cfg: the tests whose outcome in the guest is known to differ from Linux's, each with its reason."""
import pathlib
import re

FILE = pathlib.Path(__file__).resolve().parents[2] / "expect.cfg"


class Entry:
    def __init__(self, line):
        words = line.split(None, 4)
        if len(words) < 4:
            raise ValueError(f"expect.cfg: {line}: it is PACKAGE TEST WHERE REASON [TEXT]")
        self.package, self.test, where, self.reason = words[:4]
        self.text = words[4] if len(words) > 4 else ""
        self.where = [] if where == "-" else where.split(",")
        self.line = line

    def holds_for(self, release, cpus):
        """`where` names releases (1.19), GOARCH and numbers of CPUs (cpus4); a kind that is not named holds for all."""
        for pattern, value in ((r"\d+\.", release.number), (r"386|amd64", release.goarch), (r"cpus", f"cpus{cpus}")):
            named = [w for w in self.where if re.match(pattern, w)]
            if named and value not in named:
                return False
        return True

    def covers(self, name):
        """The test itself, what is below it, and the tests that it is a part of; * is all of them."""
        return (self.test in ("*", name) or name.startswith(self.test + "/") or self.test.startswith(name + "/"))

    def explains(self, name):
        return self.test in ("*", name) or name.startswith(self.test + "/")


class Expectations:
    def __init__(self, suite):
        self.entries, self.reasons, self.either = [], {}, set()
        previous = ""
        for line in FILE.read_text(encoding="utf-8").splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("reason "):
                _, name, kind, text = line.split(None, 3)
                self.reasons[name] = text
                if kind == "either":
                    self.either.add(name)
                continue
            if line < previous:
                raise ValueError(f"expect.cfg is sorted: {line}")
            previous = line
            entry = Entry(line)
            if entry.reason not in self.reasons:
                raise ValueError(f"expect.cfg: {line}: there is no reason {entry.reason}")
            if entry.package.startswith(suite + "/"):
                entry.package = entry.package[len(suite) + 1:]
                self.entries.append(entry)

    def of(self, package, release, cpus):
        return [e for e in self.entries if e.package == package and e.holds_for(release, cpus)]


def differences(native, guest):
    """{name: (native's outcome, the guest's)} where they are not the same; "-" for a test that was not run."""
    names = list(native) + [n for n in guest if n not in native]
    pairs = {n: (native.get(n, "-"), guest.get(n, "-")) for n in names}
    return {n: pair for n, pair in pairs.items() if pair[0] != pair[1]}


def judge(differing, native, entries, either):
    """(differences that no entry explains, entries that no difference bears out)."""
    unexplained = {n: pair for n, pair in differing.items() if not any(e.covers(n) for e in entries)}
    idle = [e for e in entries if e.reason not in either and (e.test in native or e.test == "*")
            and not any(e.explains(n) for n in differing)]
    return unexplained, idle
