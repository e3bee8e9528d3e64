"""What a long suite found equal on both sides is remembered for as long as the kernel and the suite stay the same: a run that
was stopped goes on."""
import hashlib
import json
import os
import pathlib


class Agreed(dict):
    """Name of a part of the suite NAME to what is to be known of it (of JSON's types); kept as soon as it is set."""

    def __init__(self, yolk, name, *sources):
        super().__init__()
        build = pathlib.Path(yolk).parents[2]
        kernel = pathlib.Path(os.environ.get("YOLK_KERNEL") or build / "yolk.elf")
        self.key = hashlib.sha256(b"".join(pathlib.Path(x).read_bytes() for x in (kernel, *sources))).hexdigest()
        self.path = build / f"suites/{name}.json"
        try:
            kept = json.loads(self.path.read_text())
        except (OSError, ValueError):
            kept = {}
        if kept.get("key") == self.key:
            self.update(kept["agreed"])

    def __setitem__(self, part, known):
        super().__setitem__(part, known)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps({"key": self.key, "agreed": self}))
        os.replace(new, self.path)
