"""One package of one release on so many CPUs: run on both sides, remembered, judged.

What a run saw is kept as one JSON file that appears whole or not at all, so that the suite may be killed at any
moment and goes on where it was.
"""
import functools
import json
import os
import pathlib
import shutil
import tempfile

import expect
import layout
import releases
import sides
import table

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("YOLK_BUILD") or HERE.parents[2] / "build")
STATE = BUILD / "suites" / "go"


def clear_scratch():
    """Removes what runs that were killed have left behind; a folder there is named for the process that made it."""
    for folder in (STATE / "scratch").glob("*"):
        if not pathlib.Path("/proc", folder.name.split("-")[0]).exists():
            shutil.rmtree(folder, ignore_errors=True)


class Case:
    def __init__(self, release, package, cpus, options):
        """`options`: the suite's; of them `kernel` (a digest), `yolk` (the command) and `native` are used."""
        self.release, self.package, self.cpus, self.options = release, package, cpus, options
        self.name = f"{release.label} {package}"
        self.settings = layout.settings_of(package)
        # What an earlier run saw holds for as long as the tests are run in the same way.
        self.way = releases.digest_of(releases.digest(HERE / "layout.py", HERE / "sides.py"), repr(self.settings))
        self.kept = STATE / f"{release.label}-cpus{cpus}" / (package.replace("/", ".") + ".json")
        self.native = self.guest = self.problem = None
        self.seconds = 0.0

    def load(self, older):
        """What an earlier run with this kernel saw, or with `older` one with any kernel; False when there is none."""
        kept = releases.read_json(self.kept)
        if not kept or kept.get("way") != self.way or not (older or kept["kernel"] == self.options.kernel):
            return False
        self.native, self.guest, self.seconds = kept["native"], kept["guest"], kept["seconds"]
        return True

    def run(self):
        try:
            self.run_both()
        except (RuntimeError, OSError) as error:
            self.problem = str(error)
        return self

    def run_both(self):
        binary = self.release.binary(self.package)
        (STATE / "scratch").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=STATE / "scratch") as scratch:
            tar = f"{scratch}/root.tar"
            place = layout.write_root(tar, self.release, self.package, binary, self.settings.needs)
            self.native = self.run_native(tar, place, releases.digest(tar))
            side = sides.Guest(self.release, self.cpus, self.options.yolk)
            names = sides.top_level(self.native["of"])
            done = self.run_on(side, tar, place, names)
        self.guest, self.seconds = {"of": done.of, "status": done.status}, done.seconds
        releases.write_whole(self.kept.with_suffix(".log"), "\n".join(done.log))
        saw = {"kernel": self.options.kernel, "way": self.way, "native": self.native, "guest": self.guest,
               "seconds": self.seconds}
        releases.write_whole(self.kept, json.dumps(saw))

    def run_on(self, side, tar, place, names):
        start = functools.partial(sides.run_once, side, tar, *place)
        return sides.run_package(start, names, self.settings.timeout, self.settings.memory)

    def run_native(self, tar, place, digest):
        """The oracle's answer, kept beside the binary: it depends on the root file system and on how it is run."""
        key = digest + releases.digest(HERE / "native.py", HERE / "sides.py")
        kept = self.release.cache / f"native{self.release.suffix}-cpus{1 if self.cpus == 1 else 'all'}" / self.kept.name
        native = releases.read_json(kept)
        if native and native["key"] == key and not self.options.native:
            return native
        done = self.run_on(sides.Native(self.release, self.cpus), tar, place, None)
        if not done.of and done.status not in (0, 1):
            raise RuntimeError(f"the native run failed with status {done.status}:\n{done.log[-1][-2000:]}")
        native = {"key": key, "of": done.of, "status": done.status}
        releases.write_whole(kept.with_suffix(".log"), "\n".join(done.log))
        releases.write_whole(kept, json.dumps(native))
        return native

    def judge(self, expectations):
        """Fills in the figures of the table; True when all is as it should be."""
        self.unexplained, self.idle = {}, []
        if self.problem:
            return False
        native, guest = self.native["of"], self.guest["of"]
        differing = expect.differences(native, guest)
        entries = expectations.of(self.package, self.release, self.cpus)
        self.unexplained, self.idle = expect.judge(differing, native, entries, expectations.either)
        if not differing and self.native["status"] != self.guest["status"]:
            self.unexplained["(exit status)"] = (str(self.native["status"]), str(self.guest["status"]))
        self.row = self.figures(native, guest, {n.split("/")[0] for n in differing})
        return not self.unexplained and not self.idle

    def figures(self, native, guest, differing):
        """The row of the table: every test of the package's is in one column; one with parts counts once."""
        row = dict.fromkeys(table.COLUMNS, 0)
        unexplained = {n.split("/")[0] for n in self.unexplained}
        for name in {n for n in native if "/" not in n} | unexplained:
            row["tests"] += 1
            if name in unexplained:
                row["differ"] += 1
            elif name in differing:
                row["known"] += 1
            else:
                row[{"PASS": "pass", "SKIP": "skip"}.get(guest.get(name), "fail")] += 1
        row["seconds"] = self.seconds
        return row

    def report(self):
        if self.problem:
            return f"{self.name}: {self.problem}"
        lines = [f"{self.name}, {self.cpus} CPU{'s' if self.cpus > 1 else ''}:"]
        for top in sides.top_level(self.unexplained):
            below = [n for n in self.unexplained if n.startswith(top + "/")]
            name = below[0] if below else top
            linux, yolk = self.unexplained[name]
            more = f" (and {len(below) - 1} more of this test)" if len(below) > 1 else ""
            lines.append(f"  {name}: Linux {linux}, Yolk {yolk}{more}")
        lines += [f"  agrees with Linux, but is in expect.cfg: {e.line}" for e in self.idle]
        if self.unexplained:
            lines.append(f"  output: {self.kept.with_suffix('.log')}")
        return "\n".join(lines)
