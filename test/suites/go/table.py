"""The tables: one line for each package, and one for each release, GOARCH and number of CPUs.

`pass`, `skip`, `fail`: the same on both sides; `known`: other than on Linux, and in test/expect.cfg; `differ`: other,
and not explained.
"""

COLUMNS = ("tests", "pass", "skip", "fail", "known", "differ", "seconds")


def total_of(cases):
    return {c: sum(one.row[c] for one in cases) for c in COLUMNS}


def print_table(cases):
    print(f"\n{'package':44}" + "".join(f"{c:>8}" for c in COLUMNS))
    ran = []
    for one in cases:
        if one.problem or one.guest is None:
            print(f"{one.name:44}  {'could not be run' if one.problem else 'not run'}")
        else:
            ran.append(one)
            print(line(one.name, one.row))
    print(line(f"total: {len(ran)} of {len(cases)} packages", total_of(ran)))


def line(name, row):
    return f"{name:44}" + "".join(f"{row[c]:8}" for c in COLUMNS[:-1]) + f"{row['seconds']:8.1f}"


def print_summary(configurations):
    """In markdown; (release, CPUs, cases, those of them that do not agree or were not run) for each line."""
    print("| Go | GOARCH | CPUs | packages | run | agree | " + " | ".join(COLUMNS[:-1]) + " |")
    print("|---" * (5 + len(COLUMNS)) + "|")
    for release, cpus, cases, bad in configurations:
        ran = [c for c in cases if c.guest is not None]
        if ran:
            total = total_of(ran)
            print(f"| {release.version[2:]} | {release.goarch} | {cpus} | {len(cases)} | {len(ran)} |"
                  f" {len(cases) - len(bad)} | " + " | ".join(str(total[c]) for c in COLUMNS[:-1]) + " |")
