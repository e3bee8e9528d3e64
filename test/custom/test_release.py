"""Custom calls on the release kernel."""
import re

from conftest import HERE, YOLK, run


def test_release(probe, tmp_path):
    kernel = tmp_path / "k"
    done = run(YOLK, "build", "--custom", HERE / "calls", "--release", "-o", kernel, timeout=1500)
    assert done.returncode == 0, done.stderr
    for caller in ("caller-64", "caller-32"):
        if not (probe / caller).exists():
            continue
        done = run(YOLK, "run", "-c", "4", "--timeout=100", f"--kernel={kernel}", probe / caller)
        assert (done.returncode, done.stdout) == (0, (HERE / "expected.txt").read_text())
    done = run(YOLK, "run", "--timeout=100", f"--kernel={kernel}", probe / "caller-64", "fault", "4")
    assert done.returncode == 125 and re.search(r"panic: .* sys_probe_fault\+0x", done.stderr), done.stderr
