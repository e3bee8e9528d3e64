"""The network part of yolk bench: servers in the guests, their clients on this machine, through QEMU's user network.

Each boot of a server is measured by all of its clients, one after the other; guests take turns.  Besides what clients
see, QEMU's CPU time says what a request costs, and a plugin counts the guest's instructions (net/count.c).
"""
import mmap
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

import guest
import report
import targets

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SECTIONS = ("answer", "http", "redis", "bulk", "requests", "loopback")
READY = rb"Ready to accept connections"
BOOT_S = 60  # at most
HTTP = (8080, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"Hello, World!")
REDIS = {"GET": b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n", "SET": b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$3\r\nabc\r\n"}
LOADS = [(kind, connections) for kind in ("keep-alive", "close") for connections in (8, 256)]
TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A server or a client did not do its work: why."""


class Server:
    """A machine with a server in it that is ready; `port` leads to it."""

    def __init__(self, bench, g, archive, port, args=(), cpus=1, memory="256M", extra=()):
        self.output = b""
        self.port = free_port()
        self._ready = threading.Event()
        command = g.command(archive, args=args, cpus=cpus, memory=memory, forward=(self.port, port), extra=extra)
        self.start = time.perf_counter()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        start_new_session=True, env={**os.environ, "LD_PRELOAD": bench.tool("backlog")})
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._ready.wait(BOOT_S)
        if READY not in self.output:
            self.stop()
            raise Failed(f"{g.name} did not come up; its last output:\n{self.output[-300:].decode(errors='replace')}")

    def _read(self):
        while data := os.read(self.process.stdout.fileno(), 65536):
            self.output += data
            if READY in self.output:
                self._ready.set()
        self._ready.set()

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            return sum(int(n) for n in f.read().rsplit(")", 1)[1].split()[11:13]) / TICK

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), 20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask_once(self, request, end):
        """Until then a guest may not have its address yet, and QEMU repeats what asks for it after half a second."""
        with self.connect() as c:
            ask(c, request, end)

    def stop(self):
        self.process.kill()
        self._reader.join()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(connection, request, end):
    """One request and its whole answer."""
    connection.sendall(request)
    answer = b""
    while not answer.endswith(end):
        data = connection.recv(65536)
        if not data:
            raise Failed(f"the answer ends after {answer!r}")
        answer += data


def client(command, timeout):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Failed(f"no end after {timeout} s: {' '.join(command)}") from None
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stdout[-300:]}")
    return done.stdout


def wrk(server, kind, connections, seconds):
    """{figure: value} of one load."""
    before = server.cpu_seconds()
    out = client(["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "5s",
                  *(["-H", "Connection: close"] if kind == "close" else []), f"http://127.0.0.1:{server.port}/"], seconds + 30)
    cpu = server.cpu_seconds() - before
    errors = re.search(r"Socket errors:.*|Non-2xx.*", out)
    if errors:
        sys.stderr.write(f"yolk: {kind}, {connections} connections: {errors[0]}\n")
    unit = {"us": 1e-3, "ms": 1, "s": 1e3}
    answers = int(re.search(r"(\d+) requests in", out)[1])
    figures = {"requests/s": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])}
    for percent, value, of in re.findall(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)", out, re.M):
        figures[f"p{percent}, ms"] = float(value) * unit[of]
    figures["QEMU's CPU time a request, µs"] = cpu / max(answers, 1) * 1e6
    return figures


def redis_benchmark(server, depth):
    """{"SET": requests per second, "GET": ..., "cpu": QEMU's microseconds a request}"""
    before = server.cpu_seconds()
    out = client([server.benchmark, "-h", "127.0.0.1", "-p", str(server.port), "-t", "set,get", "-n", "50000", "-c", "20",
                  "-P", str(depth), "--csv"], 180)
    found = {name: float(value) for name, value in re.findall(r'^"(SET|GET)","([\d.]+)"', out, re.M)}
    if len(found) != 2:
        raise Failed(f"redis-benchmark said {out[-300:]}")
    return found | {"cpu": (server.cpu_seconds() - before) / 100000 * 1e6}


def bulk(server, to_guest, seconds):
    """{"rate": MB/s, counted at the end that receives, "cpu": QEMU's milliseconds a MB}"""
    block, moved, start, before = bytes(256 << 10), 0, time.perf_counter(), server.cpu_seconds()
    with server.connect() as c:
        c.sendall(b"t" if to_guest else b"s")
        while (took := time.perf_counter() - start) < seconds:
            if to_guest:
                c.sendall(block)
            else:
                moved += len(c.recv(len(block)))
        if to_guest:
            c.shutdown(socket.SHUT_WR)
            moved = int(c.makefile().readline())
            took = time.perf_counter() - start
    return {"rate": moved / took / 1e6, "cpu": (server.cpu_seconds() - before) / moved * 1e9}


class Network:
    def __init__(self, bench):
        self.bench = bench
        self.guests = [g for g in bench.guests if g.server]
        self.reference = bench.reference if bench.reference in [g.name for g in self.guests] else None
        self.seconds = bench.options.seconds
        bench.tool = self.tool

    # --- what is run ---

    def tool(self, name):
        """The path of a library for QEMU."""
        path = self.bench.path(name + ".so")
        if not os.path.exists(path):
            self.bench.build(["gcc", "-O2", "-shared", "-fPIC", "-o", path, os.path.join(HERE, "net", name + ".c"), "-ldl"])
        return path

    def archive(self, name, make):
        """An archive with the program that make(path) makes, and what gives its machine an address before."""
        path, first = self.bench.path(name), self.bench.path("first")
        if not os.path.exists(path):
            make(path)
        if not os.path.exists(first):
            self.bench.build(["musl-gcc", "-static", "-O2", "-o", first, os.path.join(HERE, "net", "first.c")])
        return guest.initrd(first, path + ".cpio", server=path)

    def http_archive(self):
        return self.archive("http", lambda path: self.bench.build(["go", "build", "-o", path, os.path.join(HERE, "net", "http.go")]))

    def real(self, name):
        """A program of test/suites/real."""
        return self.bench.build([os.path.join(ROOT, "test/suites/real/build.sh"), name]).splitlines()[-1]

    def redis(self, g, cpus=1, **more):
        archive = self.archive("redis", lambda path: shutil.copy(self.real("redis-server"), path))
        server = Server(self.bench, g, archive, 6379, ["--save", '""', "--protected-mode", "no"], cpus=cpus, **more)
        server.benchmark = self.real("redis-benchmark")
        return server

    def take(self, what, measure):
        """measure(guest) in turn, `runs` times: {guest: [what it answered]}."""
        done = {g.name: [] for g in self.guests}
        for i in range(self.bench.options.runs):
            for g in self.guests:
                self.bench.note(f"{what}: {g.name}, run {i + 1} of {self.bench.options.runs}")
                try:
                    done[g.name].append(measure(g))
                except (Failed, OSError) as e:
                    sys.stderr.write(f"yolk: {what}: {g.name}: {e}\n")
        self.bench.note("")
        return done

    # --- how it is shown ---

    def show(self, title, rows, unit="figure"):
        """rows: (name, {guest: [values]}, is more better, bar as a ratio to the reference or None, name in the plot or None)."""
        out, figures = [], {}
        for name, values, is_rate, bar, plotted in rows:
            spreads = figures[name] = {g: report.spread(v) for g, v in values.items() if v}
            ours, theirs = spreads.get("yolk"), spreads.get(self.reference)
            ratio = ours["median"] / theirs["median"] if ours and theirs and theirs["median"] and ours["median"] else None
            if ratio and plotted:
                self.bench.plot_rows.append((plotted, 1 / ratio if is_rate else ratio, 1 / bar if bar and is_rate else bar))
            out.append([name, *(report.number(spreads[g.name]["median"]) if g.name in spreads else "–" for g in self.guests),
                        f"{report.number(ours['min'])}–{report.number(ours['max'])}" if ours else "–",
                        f"{ratio:.2f}" if ratio else "–", f"{'≥' if is_rate else '≤'} {bar}" if bar and self.reference else "",
                        report.verdict(ratio, bar, is_rate)])
        columns = [unit, *(g.name for g in self.guests), "yolk's min–max", f"ratio to {self.reference}", "bar", ""]
        self.bench.add(report.table(title, columns, out), figures)

    @staticmethod
    def each(runs, *keys):
        """{guest: [run[key][key]...]} of {guest: [run]}."""
        out = {}
        for name, all_of in runs.items():
            out[name] = []
            for one in all_of:
                for key in keys:
                    one = one.get(key) if one else None
                if one is not None:
                    out[name].append(one)
        return out

    # --- sections ---

    def answer(self):
        archive = self.http_archive()

        def measure(g):
            with Server(self.bench, g, archive, HTTP[0]) as server, server.connect() as c:
                ask(c, *HTTP[1:])
                return time.perf_counter() - server.start

        done = self.take("first answer", measure)
        rows = []
        for g in self.guests:
            s, least, is_ours = done[g.name], self.least(g, archive), g.name == "yolk"
            median = report.spread(s)["median"] if s else None
            rows.append([g.name, f"{median:.3f}" if s else "–", f"{min(s):.3f}–{max(s):.3f}" if s else "–",
                         f"{targets.ANSWER_S} {report.verdict(median, targets.ANSWER_S)}" if is_ours else "", least,
                         f"{targets.LEAST_HTTP_MIB} {report.verdict(least, targets.LEAST_HTTP_MIB)}" if is_ours else ""])
            done[g.name] = {"seconds": s, "least_mib": least}
        self.bench.add(report.table("QEMU's start to the first HTTP answer (Go), and the least memory for it, MiB",
                                    ["kernel", "s", "min–max", "bar", "least -m", "bar"], rows), done)

    def least(self, g, archive):
        def works(mib):
            self.bench.note(f"memory for HTTP: {g.name} with {mib} MiB")
            try:
                with Server(self.bench, g, archive, HTTP[0], memory=f"{mib}M") as server, server.connect() as c:
                    for _ in range(100):
                        ask(c, *HTTP[1:])
                return True
            except (Failed, OSError):
                return False
        return self.bench.bisect(works)

    def http(self):
        archive = self.http_archive()
        for cpus in (1, 2):
            def measure(g):
                with Server(self.bench, g, archive, HTTP[0], cpus=cpus) as server:
                    server.ask_once(*HTTP[1:])
                    return {load: wrk(server, *load, self.seconds) for load in LOADS}

            done = self.take(f"HTTP, {cpus} CPUs", measure)
            rows = []
            for load in LOADS:
                what = f"{load[0]}, {load[1]} connections"
                for figure in ("requests/s", "p50, ms", "p99, ms", "QEMU's CPU time a request, µs"):
                    bar = targets.HTTP.get(figure) if load == LOADS[0] else None
                    plotted = f"HTTP {what}, {cpus} CPU{'s' * (cpus > 1)}: {figure}" if figure[:2] in ("re", "p9") else None
                    rows.append((f"{what}: {figure}", self.each(done, load, figure), figure == "requests/s", bar, plotted))
            self.show(f"HTTP (Go's net/http, 13 bytes; wrk -t2), {cpus} CPU{'s' * (cpus > 1)}", rows)

    def redis_section(self):
        for cpus in (1, 2):
            def measure(g):
                with self.redis(g, cpus) as server:
                    server.ask_once(REDIS["GET"], b"$-1\r\n")
                    return {depth: redis_benchmark(server, depth) for depth in (1, 16)}

            done = self.take(f"redis, {cpus} CPUs", measure)
            rows = []
            for depth, how in ((1, ""), (16, ", pipelined by 16")):
                for name in ("SET", "GET"):
                    rows.append((f"{name}{how}, requests/s", self.each(done, depth, name), True, targets.REDIS if depth == 1 else None,
                                 f"redis {name}{how}, {cpus} CPU{'s' * (cpus > 1)}"))
                rows.append((f"QEMU's CPU time a request{how}, µs", self.each(done, depth, "cpu"), False, None, None))
            self.show(f"Redis (redis-benchmark -n 50000 -c 20), {cpus} CPU{'s' * (cpus > 1)}", rows)

    def bulk(self):
        archive = self.archive("bulk", lambda path: self.bench.build(
            ["musl-gcc", "-static", "-O2", "-o", path, os.path.join(HERE, "net", "bulk.c")]))
        for cpus in (1, 2):
            def measure(g):
                with Server(self.bench, g, archive, 7000, ["7000"], cpus=cpus) as server:
                    return {to_guest: bulk(server, to_guest, self.seconds) for to_guest in (True, False)}

            done = self.take(f"bulk TCP, {cpus} CPUs", measure)
            rows = []
            for key, name in ((True, "from the host"), (False, "to the host")):
                rows.append((f"{name}, MB/s", self.each(done, key, "rate"), True, targets.BULK,
                             f"TCP {name}, {cpus} CPU{'s' * (cpus > 1)}"))
                rows.append((f"{name}, QEMU's CPU time a MB, ms", self.each(done, key, "cpu"), False, None, None))
            self.show(f"One TCP connection, {cpus} CPU{'s' * (cpus > 1)}", rows)

    def requests(self):
        archive = self.http_archive()

        def count(make, requests):
            path = self.bench.path("counters")
            with make(["-plugin", f"{self.tool('count')},counters={path}"]) as server, server.connect() as c:
                with open(path, "rb") as f, mmap.mmap(f.fileno(), 16, prot=mmap.PROT_READ) as counters:
                    figures = {}
                    for name, request, end in requests:
                        for _ in range(300):
                            ask(c, request, end)
                        before = struct.unpack("2Q", counters[:])
                        for _ in range(1000):
                            ask(c, request, end)
                        program, kernel = (b - a for a, b in zip(before, struct.unpack("2Q", counters[:])))
                        figures[name] = {"all": (program + kernel) / 1000, "kernel": kernel / 1000}
            return figures

        def measure(g):
            figures = count(lambda extra: Server(self.bench, g, archive, HTTP[0], extra=extra), [("HTTP", *HTTP[1:])])
            return figures | count(lambda extra: self.redis(g, extra=extra),
                                   [("SET", REDIS["SET"], b"+OK\r\n"), ("GET", REDIS["GET"], b"abc\r\n")])

        done = self.take("instructions of a request", measure)
        rows = []
        for name, what in (("HTTP", "HTTP request"), ("SET", "redis SET"), ("GET", "redis GET")):
            rows.append((what, self.each(done, name, "all"), False, targets.REQUEST_INSTRUCTIONS.get(name), f"instructions: {what}"))
            rows.append((f"of which in the kernel ({name})", self.each(done, name, "kernel"), False, None, None))
        self.show("Guest instructions a request, one connection", rows, "request")

    def loopback(self):
        bench = self.bench
        ops = bench.c_program("ops", "test/bench/ops.c")
        end = r"^tcp_connect .*\n"
        for title, cpus, icount, runs in (("Guest instructions on loopback", 1, True, 1),
                                          ("Nanoseconds on loopback, 1 CPU", 1, False, bench.options.runs),
                                          ("Nanoseconds on loopback, 2 CPUs", 2, False, bench.options.runs)):
            commands = {g.name: g.command(ops, args=["tcp_"], cpus=cpus, icount=icount) for g in self.guests}
            done = {name: [r.values() for r in v] for name, v in bench.boots(title, commands, end, runs, timeout=300).items()}
            self.show(title, [(op, self.each(done, op), False, targets.OPERATIONS[op][0] if cpus == 1 and not icount else None,
                               None if icount else f"{op}, {cpus} CPU{'s' * (cpus > 1)}") for op in ("tcp_pingpong", "tcp_connect")],
                      "operation")

    def run(self, name):
        getattr(self, "redis_section" if name == "redis" else name)()
