"""The source files of this tree: what git knows of, or where there is no git everything outside build/."""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def source_files(*endings):
    """Paths from ROOT, sorted."""
    r = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                       capture_output=True, check=False)
    if r.returncode == 0:
        paths = [pathlib.Path(p.decode()) for p in r.stdout.split(b"\0") if p]
    else:
        paths = [p.relative_to(ROOT) for p in ROOT.rglob("*") if p.relative_to(ROOT).parts[0] != "build"]
    return sorted(p for p in set(paths) if p.name.endswith(endings) and (ROOT / p).is_file())
