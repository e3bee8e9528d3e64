"""yolk diff PROGRAM [ARGS...]: runs a program under strace here and traced in the guest, and compares the two.

Both runs get the same arguments, environment, files and standard input.  What must differ between two runs on any Linux
(addresses, numbers of processes, times, random bytes) is put in one form; nothing else is.  Lines are aligned thread by
thread: threads correspond in the order in which they were made.
"""
import argparse
import difflib
import html
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

FAILED, NOT_FOUND = 125, 127
STRINGS = "64"


def die(status, text):
    print(f"yolk: diff: {text}", file=sys.stderr)
    sys.exit(status)


# --- reading a trace ------------------------------------------------------------------------------------------------------------

LINE = re.compile(r"^(\d+)\s+(.*)$")
UNFINISHED = " <unfinished ...>"
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")


OPENED = re.compile(r'^(open|openat|openat2|creat|inotify_init1?|dup|dup2|dup3|fcntl)\((.*)\)\s+= (\d+)')
CLOSED = re.compile(r"^close\((\d+)\)\s+= 0")
READ = re.compile(r"^(?:read|pread64|readv|preadv2?)\((\d+), ")
# Files whose contents are the kernel's own: its numbers, its random bytes.
KERNELS_OWN = re.compile(r'"/(?:proc|sys|dev/u?random|dev/hwrng)\b')


IPC_MADE = re.compile(r"^(sem|shm|msg)get\(.*\) += (\d+)$")
IPC_USED = re.compile(r"^(sem|shm|msg)(?:op|timedop|timedop_time64|ctl|at|snd|rcv)\((\d+)")


class Line(str):
    """What a thread did; is_own: it read what the kernel makes up."""
    is_own = False


class Trace:
    """Lines of each thread, in the order in which the threads were made, the halves of interrupted lines joined."""

    def __init__(self, text):
        self.threads, begun = {}, {}
        self.own = set()  # descriptors of such files
        self.ipc = {}  # objects of System V IPC, in the order in which they were made
        for line in text.splitlines():
            m = LINE.match(line)
            if not m:
                continue
            tid, rest = int(m[1]), m[2]
            lines = self.threads.setdefault(tid, [])
            resumed = RESUMED.match(rest)
            if rest.endswith(UNFINISHED):
                begun[tid] = rest[:-len(UNFINISHED)]
                continue
            if resumed:
                rest = begun.pop(tid, resumed[1] + "(") + resumed[2]
            elif tid in begun:
                lines.append(Line(begun.pop(tid) + " ?"))
            lines.append(self.watch(Line(rest)))
        for tid, text in begun.items():
            self.threads[tid].append(Line(text + " ?"))
        self.names = {tid: f"T{n + 1}" for n, tid in enumerate(self.order())}

    def watch(self, line):
        made = IPC_MADE.match(line)
        if made:
            self.ipc.setdefault((made[1], made[2]), f"{made[1].upper()}{len(self.ipc) + 1}")
        opened, closed, read = OPENED.match(line), CLOSED.match(line), READ.match(line)
        if opened:
            source = re.match(r"\d+", opened[2])
            is_copy = opened[1].startswith("dup") or (opened[1] == "fcntl" and "F_DUPFD" in opened[2])
            is_own = source and source[0] in self.own if is_copy else (
                opened[1].startswith("inotify") or bool(KERNELS_OWN.search(opened[2])))
            if opened[1] != "fcntl" or is_copy:
                (self.own.add if is_own else self.own.discard)(opened[3])
        elif closed:
            self.own.discard(closed[1])
        elif read:
            line.is_own = read[1] in self.own
        return line

    def order(self):
        """The first thread, then others as clone answered their numbers; who made none of them comes last."""
        first = next(iter(self.threads), None)
        order = [first] if first is not None else []
        made = re.compile(r"^(?:clone|clone3|fork|vfork)\(.*\) += (\d+)")
        for tid in order:
            for line in self.threads.get(tid, []):
                m = made.match(line)
                if m and int(m[1]) in self.threads and int(m[1]) not in order:
                    order.append(int(m[1]))
        return order + [t for t in self.threads if t not in order]


# --- what must differ -------------------------------------------------------------------------------------------------------------

CALL = re.compile(r"^(\w+)\((.*)\)\s+= (.*)$", re.S)
# A number in hexadecimal that stands alone, where a pointer may stand; never one that is part of a set of flags.
ADDRESS = re.compile(r"(?<![|\w])0x[0-9a-f]{5,16}(?![|\w])")
TIME = re.compile(r"\{tv_sec=-?\d+, tv_[nu]sec=\d+\}")
TIMER = re.compile(r"it_value=\{tv_sec=-?\d+, tv_[nu]sec=\d+\}")
PID_FIELD = re.compile(r"\b(si_pid=|l_pid=|parent_tid=\[|\bpid=)(\d+)")
PID_RESULT = {"getpid", "gettid", "getppid", "getpgrp", "getpgid", "getsid", "set_tid_address", "clone", "clone3",
              "fork", "vfork", "wait4", "setsid"}
PID_FIRST = {"kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "getpgid", "setpgid", "getsid", "wait4",
             "prlimit64", "sched_setaffinity", "sched_getaffinity", "sched_getscheduler", "sched_setscheduler",
             "sched_getparam", "sched_setparam", "sched_getattr", "sched_setattr", "sched_rr_get_interval",
             "get_robust_list"}
CLOCKS = {"clock_gettime", "gettimeofday", "clock_getres", "getrusage", "times", "adjtimex", "clock_adjtime"}
TIMERS = {"getitimer", "setitimer", "timer_gettime", "timer_settime", "timerfd_gettime", "timerfd_settime"}
POINTER_RESULT = {"mmap", "brk", "mremap", "shmat"}
# i386's names of them.
SAME = {"mmap2": "mmap", "clock_gettime64": "clock_gettime", "clock_adjtime64": "clock_adjtime", "timer_gettime64": "timer_gettime",
        "timer_settime64": "timer_settime", "timerfd_gettime64": "timerfd_gettime", "timerfd_settime64": "timerfd_settime",
        "clock_getres_time64": "clock_getres", "clock_nanosleep_time64": "clock_nanosleep", "futex_time64": "futex",
        "sched_rr_get_interval_time64": "sched_rr_get_interval", "statfs64": "statfs", "fstatfs64": "fstatfs", "waitpid": "wait4"}
FUTEX_WAIT = re.compile(r"^(ADDR, FUTEX_(?:WAIT|LOCK_PI|UNLOCK_PI|TRYLOCK_PI|WAIT_BITSET)\w*(?:\|\w+)?)(.*)$")


class Normal:
    """One side's lines without what must differ."""

    def __init__(self, trace):
        self.trace = trace

    def pid(self, text):
        n = int(text)
        name = self.trace.names.get(abs(n)) if n != -1 else None  # -1 is all of them
        return ("-" if n < 0 else "") + name if name else text

    def line(self, line):
        line_is_own = line.is_own
        line = PID_FIELD.sub(lambda m: m[1] + self.pid(m[2]), line)
        line = re.sub(r"/proc/(\d+)\b", lambda m: "/proc/" + self.pid(m[1]), line)
        line = re.sub(r"/task/(\d+)\b", lambda m: "/task/" + self.pid(m[1]), line)
        line = self.ipc_line(line)
        m = CALL.match(line)
        if not m:
            line = re.sub(r"si_utime=\d+, si_stime=\d+", "si_utime=N, si_stime=N", line)
            return ADDRESS.sub("ADDR", re.sub(r"si_addr=0x[0-9a-f]+", "si_addr=ADDR", line)).replace(
                " (core dumped)", "")
        name, args, result = m.groups()
        if line_is_own and not result.startswith("-1"):
            return f"{name}({args.split(',')[0]}, DATA) = {'0' if result == '0' else 'N'}"
        if args.startswith("MEMBARRIER_CMD_QUERY") and result.startswith("0x"):
            result = "FEATURES"
        same = SAME.get(name, name)
        args = self.args(same, args, result)
        return f"{name}({args}) = {self.result(same, result, args)}"

    def ipc_line(self, line):
        """Ids by the order in which objects were made; who used one last, and when."""
        ipc = self.trace.ipc
        line = IPC_MADE.sub(lambda m: m[0][:m.start(2) - m.start()] + ipc[m[1], m[2]], line)
        if not IPC_USED.match(line):
            return line
        line = IPC_USED.sub(lambda m: m[0][:m.start(2) - m.start()] + ipc.get((m[1], m[2]), m[2]), line)
        line = re.sub(r"\b((?:shm|msg)_(?:c|l|ls|lr)pid=)([1-9]\d*)", lambda m: m[1] + self.pid(m[2]), line)
        line = re.sub(r"\b((?:sem|shm|msg)_[osrcad]time=)[1-9]\d*", r"\1TIME", line)
        return re.sub(r"(GETPID, .*= )([1-9]\d*)$", lambda m: m[1] + self.pid(m[2]), line)

    def args(self, name, args, result):
        args = ADDRESS.sub("ADDR", args)
        args = re.sub(r"/\* \d+ vars? \*/", "/* VARS */", args)
        if name in ("execve", "execveat"):
            return re.sub(r'^"[^"]*"', "PROGRAM", args)
        if name in PID_FIRST:
            args = re.sub(r"^-?\d+", lambda m: self.pid(m[0]), args)
        if name in ("tgkill", "rt_tgsigqueueinfo", "setpgid"):
            args = re.sub(r"^(\w+), (\d+)", lambda m: f"{m[1]}, {self.pid(m[2])}", args)
        if name in CLOCKS and not result.startswith("-1"):
            args = re.sub(r"\{.*\}", "TIME", args)
        if name in TIMERS:
            args = self.timer(name, args)
        if name == "futex":
            args = self.futex(args)
        if "ABSTIME" in args:
            args = TIME.sub("TIME", args)
        if name == "time":
            args = re.sub(r"^\[.*\]$", "[TIME]", args)
        if name == "getrandom":
            args = re.sub(r'^".*?"(\.\.\.)?', "RANDOM", args)
        args = re.sub(r"\b(pipe|socket):\[\d+\]", r"\1:[N]", args)
        if name.startswith("readlink") and '"/proc/' in args:
            args = re.sub(r', "(\d+)"', lambda m: f', "{self.pid(m[1])}"', args)
        if name == "uname":
            args = "UTSNAME" if not result.startswith("-1") else args
        if name in ("set_thread_area", "get_thread_area", "clone"):
            args = re.sub(r"(base_addr=)0x[0-9a-f]+", r"\1ADDR", args)
        if name == "sysinfo":
            args = re.sub(r"^\{.*\}$", "SYSINFO", args)
        if name == "sched_getaffinity":
            args = re.sub(r"\[[\d ]*\]$", "[CPUS]", args)
        if name in ("getcpu",) and not result.startswith("-1"):
            args = re.sub(r"\[\d+\]", "[N]", args)
        if name in ("nanosleep", "clock_nanosleep") and ("ERESTART" in result or "EINTR" in result):
            args = re.sub(r"(.*), \{tv_sec=\d+, tv_nsec=\d+\}$", r"\1, TIME", args)
        if name in ("statfs", "fstatfs"):
            args = re.sub(r"\{.*\}$", "STATFS", args)
        args = re.sub(r"(st_mode=S_IFDIR\|[^,]*, (?:stx_)?st_size=)\d+", r"\1N", args)
        args = re.sub(r"(stx_mode=S_IFDIR\|[^,]*, stx_size=)\d+", r"\1N", args)
        args = re.sub(r"(stx_attributes=)[^,]*", r"\1ATTRIBUTES", args)
        return re.sub(r"/\* \d{4}-\d\d-\d\dT\S+ \*/", "/* TIME */", args)

    @staticmethod
    def timer(name, args):
        """What is left of a timer that runs; what is set is the program's own number."""
        is_set = name in ("setitimer", "timer_settime", "timerfd_settime")
        head, sep, tail = args.rpartition("}}, ") if is_set else ("", "", args)
        return head + sep + TIMER.sub(lambda m: m[0] if m[0].endswith("tv_sec=0, tv_nsec=0}") or
                                      m[0].endswith("tv_sec=0, tv_usec=0}") else "it_value=TIME", tail)

    def futex(self, args):
        """A time that the program made from a clock; a lock's word that holds a thread's number."""
        args = TIME.sub("TIME", args)
        return re.sub(r"^(ADDR, FUTEX_WAIT\w*, )(\d+)", lambda m: m[1] + self.pid(m[2]), args)

    def result(self, name, result, args=""):
        if name.startswith("readlink") and ("/proc/" in args or ":[N]" in args):
            result = re.sub(r"^\d+$", "N", result)
        if name in PID_RESULT:
            result = re.sub(r"^\d+", lambda m: self.pid(m[0]), result)
        if name in ("getppid", "getpgid", "getsid", "getpgrp"):
            result = re.sub(r"^\d+$", "ID", result)
        if name in POINTER_RESULT:
            result = re.sub(r"^0x[0-9a-f]+", "ADDR", result)
        if name == "sched_getaffinity":
            result = re.sub(r"^\d+$", "SIZE", result)
        if name in ("time", "times"):
            result = re.sub(r"^\d+.*", "TIME", result)
        return re.sub(r"left (\{.*?\})", "left TIME", ADDRESS.sub("ADDR", result))


# Whether a thread had to wait depends on who was faster, in two runs on one Linux, too.
def is_same_but_for_luck(a, b):
    if a == b:
        return True
    x, y = CALL.match(a), CALL.match(b)
    if not x or not y or SAME.get(x[1], x[1]) != "futex" or x[1] != y[1] or x[2] != y[2]:
        return False
    if "FUTEX_WAKE" in x[2] or "REQUEUE" in x[2]:
        return x[3].isdigit() and y[3].isdigit()
    lucky = ("0", "-1 EAGAIN (Resource temporarily unavailable)")
    return x[3] in lucky and y[3] in lucky


LUCKY = re.compile(r"^(?:futex(?:_time64)?\(ADDR, FUTEX_(?:WAIT|WAKE)\w*[^)]*\) = (?:\d+|-1 EAGAIN .*|\?.*)|sched_yield\(\) = 0)$")


def is_luck(normal):
    """A wait that another thread was quick enough to spare, who wakes whom, and how often a thread stood back: only where
    there are other threads."""
    return bool(LUCKY.match(normal))


# --- comparing ------------------------------------------------------------------------------------------------------------------------

class Row:
    """One line of the table: kind '=', '|' (differs), '<' (here alone), '>' (guest alone), '~' (expected, or luck)."""

    def __init__(self, kind, host, guest):
        self.kind, self.host, self.guest = kind, host, guest


def common_ends(a, b):
    n = 0
    while n < len(a) and n < len(b) and is_same_but_for_luck(a[n], b[n]):
        n += 1
    m = 0
    while m < len(a) - n and m < len(b) - n and is_same_but_for_luck(a[-1 - m], b[-1 - m]):
        m += 1
    return n, m


def replaced(a, b, host, guest):
    """Two different stretches: what calls the same thing goes side by side."""
    names_a = [re.split(r"[( ]", x, 1)[0] for x in a]
    names_b = [re.split(r"[( ]", x, 1)[0] for x in b]
    for op, i1, i2, j1, j2 in difflib.SequenceMatcher(None, names_a, names_b, autojunk=False).get_opcodes():
        if op == "equal":
            for i, j in zip(range(i1, i2), range(j1, j2)):
                yield Row("=" if is_same_but_for_luck(a[i], b[j]) else "|", host[i], guest[j])
        else:
            for i in range(i1, i2):
                yield Row("<", host[i], None)
            for j in range(j1, j2):
                yield Row(">", None, guest[j])


def align(a, b, host, guest):
    n, m = common_ends(a, b)
    end_a, end_b = len(a) - m, len(b) - m
    rows = [Row("=", host[i], guest[i]) for i in range(n)]
    mid_a, mid_b = a[n:end_a], b[n:end_b]
    for op, i1, i2, j1, j2 in difflib.SequenceMatcher(None, mid_a, mid_b, autojunk=False).get_opcodes():
        if op == "equal":
            rows += [Row("=", host[n + i], guest[n + j]) for i, j in zip(range(i1, i2), range(j1, j2))]
        else:
            rows += replaced(mid_a[i1:i2], mid_b[j1:j2], host[n + i1:n + i2], guest[n + j1:n + j2])
    return rows + [Row("=", host[end_a + i], guest[end_b + i]) for i in range(m)]


class Expected:
    """Differences that are known: regular expressions, one a line, a reason behind ' # '."""

    def __init__(self, path):
        self.patterns = []
        if not path:
            return
        try:
            lines = open(path, encoding="utf-8").read().splitlines()
        except OSError as e:
            die(FAILED, f"--expect {path}: {e.strerror}")
        for number, line in enumerate(lines, 1):
            pattern = line.partition(" # ")[0].strip()
            if not pattern or pattern.startswith("#"):
                continue
            try:
                self.patterns.append(re.compile(pattern))
            except re.error as e:
                die(FAILED, f"{path}:{number}: {e}")

    def covers(self, row):
        return any(p.search(text) for p in self.patterns for text in (row.host, row.guest) if text)


def without_luck(lines, normal):
    kept = [(a, b) for a, b in zip(lines, normal) if not is_luck(b)]
    return [a for a, _ in kept], [b for _, b in kept]


def compare(host, guest, ignored, expected):
    """[(thread's name, rows)], all threads of both."""
    sides = [(Normal(t), t) for t in (host, guest)]
    orders = [t.order() for t in (host, guest)]
    result = []
    for n in range(max(map(len, orders))):
        lines, normal = [], []
        for (norm, trace), order in zip(sides, orders):
            own = trace.threads[order[n]] if n < len(order) else []
            own = [line for line in own if re.split(r"[( ]", line, 1)[0] not in ignored]
            lines.append(own)
            normal.append([norm.line(line) for line in own])
        if max(map(len, orders)) > 1:
            lines, normal = zip(*(without_luck(*pair) for pair in zip(lines, normal)))
        rows = align(*normal, *lines)
        for row in rows:
            if row.kind != "=" and expected.covers(row):
                row.kind = "~"
        result.append((f"T{n + 1}", rows))
    return result


# --- showing ----------------------------------------------------------------------------------------------------------------------------

def differs(row):
    return row.kind not in "=~"


def hunks(rows, context):
    """Stretches of rows around differences, as (start, end)."""
    wanted = set()
    for i, row in enumerate(rows):
        if differs(row):
            wanted.update(range(max(0, i - context), min(len(rows), i + context + 1)))
    start = None
    for i in range(len(rows) + 1):
        if i in wanted and start is None:
            start = i
        if i not in wanted and start is not None:
            yield start, i
            start = None


def cut(text, width):
    text = text or ""
    return text if len(text) <= width else text[:width - 1] + "…"


def around_difference(a, b, width):
    """Long lines begin where they begin to differ."""
    if not a or not b or max(len(a), len(b)) <= width:
        return a, b
    at = len(os.path.commonprefix([a, b]))
    if at < width * 2 // 3:
        return a, b
    return tuple("…" + x[at - width // 3:] for x in (a, b))


def show_text(result, context, most, out):
    colour = out.isatty() and os.environ.get("TERM") != "dumb" and "NO_COLOR" not in os.environ
    columns = shutil.get_terminal_size((200, 50)).columns
    width = max(20, (columns - 5) // 2)
    paint = {"|": "\033[33m", "<": "\033[31m", ">": "\033[32m", "=": "\033[2m", "~": "\033[2m"}
    for name, rows in result:
        shown = 0
        for start, end in hunks(rows, context):
            if shown == most:
                print(f"... and more; --html FILE shows all", file=out)
                break
            shown += 1
            print(f"--- thread {name}, line {start + 1}: {'here':<{max(4, width - 24)}}   guest", file=out)
            for row in rows[start:end]:
                a, b = around_difference(row.host, row.guest, width) if row.kind == "|" else (row.host, row.guest)
                mark = " " if row.kind == "=" else row.kind
                line = f"{cut(a, width):<{width}} {mark} {cut(b, width)}".rstrip()
                print(f"{paint[row.kind]}{line}\033[0m" if colour else line, file=out)


STYLE = """
:root { color-scheme: light dark; --line: #8884; --del: #e5484d33; --ins: #30a46c33; --chg: #f5a52433; --dim: #8888; }
body { font: 14px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1.5rem; max-width: 110rem; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
.verdict { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; font-weight: 600; }
.agree { background: var(--ins); } .differ { background: var(--del); }
table { border-collapse: collapse; width: 100%; table-layout: fixed; font: 12.5px/1.45 ui-monospace, monospace; }
th { text-align: left; position: sticky; top: 0; background: Canvas; border-bottom: 2px solid var(--line); }
th, td { padding: .15rem .5rem; vertical-align: top; overflow-wrap: anywhere; white-space: pre-wrap; }
td { border-bottom: 1px solid var(--line); } .n { width: 3.5rem; color: var(--dim); text-align: right; }
tr.d td.h { background: var(--del); } tr.i td.g { background: var(--ins); } tr.c td.h, tr.c td.g { background: var(--chg); }
tr.e td { opacity: .6; } mark { background: #f5a524aa; color: inherit; border-radius: 2px; }
tr.gap td { text-align: center; color: var(--dim); }
"""


def marked(a, b):
    """Both lines with the words that differ marked."""
    words = [re.findall(r"\w+|\W", x) for x in (a, b)]
    out = ["", ""]
    for op, i1, i2, j1, j2 in difflib.SequenceMatcher(None, *words, autojunk=False).get_opcodes():
        for side, text in ((0, "".join(words[0][i1:i2])), (1, "".join(words[1][j1:j2]))):
            text = html.escape(text)
            out[side] += text if op == "equal" or not text else f"<mark>{text}</mark>"
    return out


def html_rows(rows, context):
    shown = set(i for s, e in hunks(rows, context) for i in range(s, e))
    gap = 0
    for i, row in enumerate(rows):
        if i not in shown:
            gap += 1
            continue
        if gap:
            yield f'<tr class="gap"><td colspan="3">{gap} lines agree</td></tr>'
            gap = 0
        kind = {"=": "", "|": "c", "<": "d", ">": "i", "~": "e"}[row.kind]
        a, b = row.host or "", row.guest or ""
        a, b = marked(a, b) if row.kind == "|" else (html.escape(a), html.escape(b))
        yield f'<tr class="{kind}"><td class="n">{i + 1}</td><td class="h">{a}</td><td class="g">{b}</td></tr>'
    if gap:
        yield f'<tr class="gap"><td colspan="3">{gap} lines agree</td></tr>'


def write_html(path, title, result, notes, context):
    total = sum(differs(r) for _, rows in result for r in rows)
    lines = sum(len(rows) for _, rows in result)
    verdict = ("agree", "agree") if not total and not notes else ("differ", f"{total} of {lines} lines differ")
    body = [f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
            f"<title>yolk diff: {html.escape(title)}</title><style>{STYLE}</style>",
            f"<h1>{html.escape(title)}</h1>",
            f'<p><span class="verdict {verdict[0]}">{verdict[1]}</span> {lines} lines, {len(result)} '
            f'thread{"s" * (len(result) != 1)}</p>']
    body += [f"<p>{html.escape(n)}</p>" for n in notes]
    for name, rows in result:
        body.append(f"<h2>Thread {name}</h2><table><thead><tr><th class=n>line<th>Linux, under strace<th>the guest"
                    f"</tr></thead><tbody>{''.join(html_rows(rows, context))}</tbody></table>")
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as f:
            f.write("\n".join(body) + "</html>\n")
    except OSError as e:
        die(FAILED, f"--html {path}: {e.strerror}")


# --- running ------------------------------------------------------------------------------------------------------------------------------

def linux_limits():
    """What the first process of a Linux system, and of the guest, has."""
    for what, limits in ((resource.RLIMIT_NOFILE, (1024, 1 << 20)), (resource.RLIMIT_STACK, (8 << 20, -1)),
                         (resource.RLIMIT_CORE, (0, -1))):
        try:
            resource.setrlimit(what, limits)
        except (OSError, ValueError):
            pass  # not ours to raise


def run_host(o, cwd, stdin, env, out):
    strace = shutil.which(os.environ.get("YOLK_STRACE", "strace"))
    if not strace:
        die(FAILED, "strace is not installed (Debian: apt-get install strace)")
    command = [strace, "-f", "-q", "-s", STRINGS, "-o", out, "--", o.program, *o.args]
    with open(stdin, "rb") as f:  # a pipe, as the guest's
        p = subprocess.run(command, cwd=cwd, input=f.read(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                           timeout=o.timeout, preexec_fn=linux_limits)
    text = open(out, errors="backslashreplace").read() if os.path.exists(out) else ""
    ended = re.search(r"\+\+\+ (exited with|killed by) (\w+)", text.splitlines()[-1] if text else "")
    if not ended:
        why = p.stderr.decode(errors="replace").strip().splitlines()[-1:] or [
            f"signal {-p.returncode}" if p.returncode < 0 else f"status {p.returncode}"]
        die(FAILED, f"strace did not trace the program to its end: {why[0]}")
    return text, p.stdout, 128 - p.returncode if p.returncode < 0 else p.returncode


def run_guest(o, cwd, stdin, env, out, root):
    yolk = os.environ.get("YOLK_COMMAND", "yolk")
    command = [yolk, "trace", "-f", "-q", "-s", STRINGS, "-o", out, f"--cpus={o.cpus}", f"--memory={o.memory}",
               f"--timeout={o.timeout}", f"--workdir={cwd}"]
    command += [f"--root={root}", *(f"--env={k}={v}" for k, v in env.items())]
    with open(stdin, "rb") as f:
        p = subprocess.run([*command, o.program, *o.args], stdin=f, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    text = open(out, errors="backslashreplace").read() if os.path.exists(out) else ""
    if not text or p.returncode in (FAILED, 126, 124):
        sys.stderr.write(p.stderr.decode(errors="replace"))
        die(p.returncode if p.returncode >= 124 else FAILED, "the guest did not run the program to its end")
    return text, p.stdout, p.returncode


def run_both(o):
    """The traces' text, and notes about what else differs."""
    # A tmpfs, as the guest's; but what lies in its own /dev/shm is not to be seen there.
    tmpfs = "/dev/shm" if os.path.isdir("/dev/shm") and not o.files else None
    with tempfile.TemporaryDirectory(prefix="yolk-diff-", dir=tmpfs) as tmp:
        cwd = os.path.join(tmp, "work")
        stdin = os.path.join(tmp, "stdin")
        with open(stdin, "wb") as f:
            if not sys.stdin.isatty():
                shutil.copyfileobj(sys.stdin.buffer, f)
        root = os.path.join(tmp, "root")
        if o.files:
            shutil.copytree(o.files, cwd, symlinks=True)
            shutil.copytree(o.files, root + cwd, symlinks=True)
        else:
            os.makedirs(cwd)
            os.makedirs(root + cwd)
        os.makedirs(os.path.dirname(root + o.program), exist_ok=True)
        os.makedirs(root + "/etc", exist_ok=True)
        for name in ("/etc/passwd", "/etc/group"):
            if os.access(name, os.R_OK):
                shutil.copy(name, root + name)
        shutil.copy(o.program, root + o.program)
        os.chmod(tmp, 0o755)
        for directory in (cwd, root + cwd):
            os.chmod(directory, 0o755)
        env = {"PATH": "/usr/bin:/bin", "HOME": "/", **dict(e.split("=", 1) for e in o.env if "=" in e)}
        try:
            host = run_host(o, cwd, stdin, env, os.path.join(tmp, "host"))
        except subprocess.TimeoutExpired:
            die(124, f"the program ran for {o.timeout} seconds here")
        guest = run_guest(o, cwd, stdin, env, os.path.join(tmp, "guest"), root)
    notes = []
    if host[2] != guest[2]:
        notes.append(f"exit status: here {host[2]}, guest {guest[2]}")
    if host[1] != guest[1]:
        notes.append("standard output differs")
    return host[0], guest[0], notes


def parse_options():
    p = argparse.ArgumentParser(prog="yolk diff", description=__doc__.split("\n\n", 1)[1],
                                epilog="Exit status: 0 when the two agree, 1 when they differ, 125 when one of them "
                                "could not be traced, 127 when there is no PROGRAM.")
    p.add_argument("--ignore", action="append", default=[], metavar="CALL,...", help="leave these calls out")
    p.add_argument("--expect", metavar="FILE", help="known differences: a regular expression a line, ' # ' and why")
    p.add_argument("--html", metavar="FILE", help="write a page with all differences")
    p.add_argument("--context", type=int, default=3, metavar="N", help="lines around a difference (3)")
    p.add_argument("--most", type=int, default=5, metavar="N", help="differences shown for each thread (5)")
    p.add_argument("--files", metavar="DIR", help="copied into the working directory of both runs")
    p.add_argument("-e", "--env", action="append", default=[], metavar="NAME=VALUE", help="an environment variable")
    p.add_argument("--cpus", type=int, default=len(os.sched_getaffinity(0)),
                   help="CPUs of the guest (as many as there are here)")
    p.add_argument("--memory", default="256M", help="memory of the guest (256M)")
    p.add_argument("--timeout", type=int, default=120, metavar="SECONDS", help="for each of the runs (120)")
    p.add_argument("--traces", nargs=2, metavar=("HERE", "GUEST"), help="compare two traces (strace -f -o) instead")
    p.add_argument("program", nargs="?", metavar="PROGRAM")
    p.add_argument("args", nargs=argparse.REMAINDER, metavar="ARGS")
    p.exit_on_error = False
    try:
        o = p.parse_args()
    except SystemExit as e:
        sys.exit(FAILED if e.code else 0)
    if not o.traces and not o.program:
        p.print_usage(sys.stderr)
        die(FAILED, "which program?")
    return o


def read_trace(path):
    try:
        return open(path, errors="backslashreplace").read()
    except OSError as e:
        die(FAILED, f"{path}: {e.strerror}")


def find_program(name):
    example = os.path.join(os.path.dirname(os.environ.get("YOLK_COMMAND", "")), "..", "examples", name)
    if "/" not in name and os.path.isfile(example):
        return os.path.realpath(example)
    if not os.path.isfile(name):
        die(NOT_FOUND, f"there is no program '{name}'")
    return os.path.abspath(name)


def main():
    o = parse_options()
    expected = Expected(o.expect)
    if o.traces:
        host, guest, notes = read_trace(o.traces[0]), read_trace(o.traces[1]), []
    else:
        o.program = find_program(o.program)
        host, guest, notes = run_both(o)
    traces = Trace(host), Trace(guest)
    for trace, whose in zip(traces, ("host's", "guest's")):
        if not trace.threads:
            die(FAILED, f"the {whose} trace has no lines that begin with a thread's number")
    ignored = {name for names in o.ignore for name in names.split(",")}
    result = compare(*traces, ignored, expected)
    title = " ".join([o.program, *o.args]) if o.program else " ".join(o.traces)
    if o.html:
        write_html(o.html, title, result, notes, o.context)
    show_text(result, o.context, o.most, sys.stdout)
    for note in notes:
        print(note)
    total = sum(differs(r) for _, rows in result for r in rows)
    lines = sum(len(rows) for _, rows in result)
    known = sum(r.kind == "~" for _, rows in result for r in rows)
    print(f"{title}: {lines} lines of {len(result)} thread{'s' * (len(result) != 1)}: "
          f"{f'{total} differ' if total else 'agree'}{f', {known} as expected' if known else ''}")
    return 1 if total or notes else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        sys.exit(FAILED)
