#!/usr/bin/python3
"""redis.py YOLK WHAT: Redis in the guest against the same Redis on this machine's Linux.

  unix       workout.redis by redis-cli over an AF_UNIX socket, both in the guest (redis_pair.c)
  host       the same commands and several clients at once from this machine, through `-p`
  benchmark  redis-benchmark: in the guest over AF_UNIX, and from this machine
"""
import difflib
import re
import shlex
import subprocess
import sys
import tempfile
import zlib

from redis_server import HERE, Client, program, serving

WORKOUT = (HERE / "workout.redis").read_text()
BENCHMARKS = "ping,set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100,mset"


def pair(yolk, client, stdin, scratch):
    """Status and output of a client that talks to a server in its own process."""
    command = [str(program("redis-pair")), "--port", "0", "--unixsocket", "redis.sock", "--save", "",
               "--enable-debug-command", "yes", "--logfile", "redis.log", "--", *client, "-s", "redis.sock"]
    if yolk:
        command = [yolk, "run", "-m", "512M", "--timeout", "300", "-w", "/tmp", *command]
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=scratch, text=True,
                          encoding="latin-1", timeout=400, check=False)
    if yolk and done.returncode:
        print(done.stderr[-2000:])
    return [f"status {done.returncode}", *done.stdout.splitlines()]


def unix(yolk, scratch):
    return pair(yolk, ["redis-cli"], WORKOUT, scratch)


def several_clients(port, say):
    """What takes more than one connection: publishing, blocking, watching; pipelines; large values; many connections."""
    a, b, c = Client(port), Client(port), Client(port)
    for client, words in ((b, ("subscribe", "news", "sport")), (c, ("psubscribe", "n*"))):
        client.send(*words)
        say([client.reply() for _ in words[1:]])
    for i in range(50):
        say(a("publish", "news", f"message {i}"), b.reply(), c.reply())
    say(a("publish", "sport", "x"), b.reply(), a("publish", "nothing", "y"), c.reply(), a("pubsub", "numsub", "news"))
    say(b("unsubscribe", "news"), b("unsubscribe", "sport"), c("punsubscribe", "n*"))

    say(a("client", "no-evict", "off"), [b("client", "id") > 0])
    b.send("blpop", "queue", "other", 0)
    while a("info", "clients").find("blocked_clients:1") < 0:  # connections of their own: only so do they wait in this order
        pass
    c.send("blpop", "queue", 0)
    while a("info", "clients").find("blocked_clients:2") < 0:
        pass
    say(a("rpush", "queue", "first", "second", "third"), b.reply(), c.reply(), a("lrange", "queue", 0, -1))
    b.send("xread", "block", 0, "streams", "events", "$")
    while a("info", "clients").find("blocked_clients:1") < 0:
        pass
    say(a("xadd", "events", "1-1", "k", "v"), b.reply(), b("blpop", "nothing", "0.05"), b("bzpopmin", "nothing", "0.05"))
    say(b("watch", "w"), a("set", "w", 1), b("multi"), b("incr", "w"), b("exec"), a("get", "w"))

    for i in range(2000):
        a.send("incrby", "pipelined", i)
    say([a.reply() for _ in range(2000)])
    for size in (0, 1, 1459, 1460, 1461, 16384, 65536, 1 << 20, 8 << 20):
        value = bytes((i * 7 + (i >> 8)) & 255 for i in range(min(size, 1 << 16))) * (size >> 16 or 1)
        say(a("set", "large", value), a("strlen", "large"), zlib.crc32(a("get", "large").encode("latin-1")))
    say(a("rpush", "biglist", *range(20000)), zlib.crc32(repr(a("lrange", "biglist", 0, -1)).encode()))
    many = [Client(port) for _ in range(100)]
    for round_ in range(3):
        for i, client in enumerate(many):
            client.send("hincrby", f"many:{i % 10}", f"{i}", round_ + i)
        say([client.reply() for client in many])
    say(a("set", "soon", 1, "px", 50))
    while a("exists", "soon"):
        pass
    say(a("get", "soon"), a("ttl", "soon"), a("client", "kill", "type", "pubsub"), a("debug", "digest"), a("dbsize"))


def host(yolk, scratch):
    said = []
    with serving(yolk, scratch, 300) as port:
        client = Client(port)
        for line in WORKOUT.splitlines():
            said.append(f"{line}: {client(*shlex.split(line))}")
        several_clients(port, lambda *replies: said.extend(map(repr, replies)))
    return said


def measured(output):
    return sorted(re.findall(r"^([^:\r\n]*): [0-9.]+ requests per second", output.replace("\r", "\n"), re.M))


def benchmark(yolk, scratch):
    """The names of what was measured: the figures are another matter.  No answer may be an error."""
    options = ["-n", "2000", "-q", "-t", BENCHMARKS]
    inside = pair(yolk, ["redis-benchmark", *options], "", scratch)
    with serving(yolk, scratch, 300) as port:
        outside = subprocess.run([program("redis-benchmark"), "-p", str(port), *options, "-P", "8"],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280, check=False)
        stats = dict(line.split(":") for line in Client(port)("info", "stats").splitlines() if ":" in line)
    assert outside.returncode == 0, outside.stdout[-2000:]
    assert stats["total_error_replies"] == "0" and int(stats["total_commands_processed"]) >= 2000 * len(measured(outside.stdout))
    return [inside[0], *measured("\n".join(inside)), *measured(outside.stdout)]


def main():
    yolk, what = sys.argv[1:]
    ask = {"unix": unix, "host": host, "benchmark": benchmark}[what]
    answers = []
    for side in (None, yolk):
        with tempfile.TemporaryDirectory(prefix="yolk-redis-") as scratch:
            answers.append(ask(side, scratch))
    native, guest = answers
    if native == guest and len(native) > 10:
        print(f"redis {what}: {len(native)} answers, equal to native's")
        return 0
    print(f"redis {what}: native gave {len(native)} answers, the guest {len(guest)}")
    print("\n".join(x[:300] for x in difflib.unified_diff(native, guest, "native", "guest", n=1, lineterm="")))
    return 1


if __name__ == "__main__":
    sys.exit(main())
