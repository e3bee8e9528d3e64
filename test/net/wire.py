"""Frames between guests and tests: the other end of `yolk run --net stream=PATH`, and a wire with faults between two.

QEMU sends each frame with its length in four bytes before it.  A Plug is one guest's end.  A Relay passes frames between
two of them and loses, repeats, delays, reorders and damages some, as its seed says.
"""
import collections
import heapq
import random
import select
import selectors
import socket
import struct
import threading
import time

QUEUE = 500  # frames that wait for a guest, as in a switch: the next ones are lost


class Plug:
    """Listens at PATH for one QEMU; after accept() frames go in and out without blocking."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.socket, self.received, self.waiting, self.sent = None, b"", collections.deque(), b""

    def accept(self, seconds=60):
        self.listener.settimeout(seconds)
        self.socket = self.listener.accept()[0]
        self.socket.setblocking(False)

    def fileno(self):
        return self.socket.fileno()

    def receive(self):
        """The frames that have come; None when QEMU is gone."""
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return []
        except ConnectionError:
            return None
        if not data:
            return None
        data, at, frames = self.received + data, 0, []
        while len(data) - at >= 4:
            n = int.from_bytes(data[at:at + 4], "big")
            if len(data) - at - 4 < n:
                break
            frames.append(data[at + 4:at + 4 + n])
            at += 4 + n
        self.received = data[at:]
        return frames

    def first_sender(self, seconds=20):
        """The MAC address of whoever is plugged in: it sends before it is spoken to.  No frame is taken out."""
        end = time.monotonic() + seconds
        while len(self.received) < 16:
            if not select.select([self.socket], [], [], max(end - time.monotonic(), 0))[0]:
                raise TimeoutError("no frame has come")
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError("the guest is gone")
            self.received += data
        return self.received[10:16]

    def send(self, frame):
        """False: it did not fit in the queue."""
        if len(self.waiting) >= QUEUE:
            return False
        self.waiting.append(struct.pack(">I", len(frame)) + frame)
        self.flush()
        return True

    def flush(self):
        try:
            while self.sent or self.waiting:
                if not self.sent:
                    self.sent = b"".join(self.waiting)
                    self.waiting.clear()
                self.sent = self.sent[self.socket.send(self.sent):]
        except BlockingIOError:
            pass
        except ConnectionError:  # receive() will tell
            self.sent = b""

    @property
    def is_full(self):
        return bool(self.sent or self.waiting)

    def close(self):
        self.listener.close()
        if self.socket:
            self.socket.close()


class Faults:
    """How likely each is for a frame; seconds for `delay`, of which each frame has its own share, and `late`."""

    def __init__(self, seed, lose=0.0, repeat=0.0, damage=0.0, reorder=0.0, delay=0.0, late=0.003):
        self.random = random.Random(seed)
        self.lose, self.repeat, self.damage, self.reorder = lose, repeat, damage, reorder
        self.delay, self.late = delay, late

    def plan(self, frame):
        """(seconds, frame, what happened) for each frame that comes of it."""
        r = self.random
        if r.random() < self.lose:
            return [(None, frame, "lost")]
        what, delay, copies = "passed", r.random() * self.delay, 1
        if r.random() < self.repeat:
            what, copies = "repeated", 2
        # An ARP packet has no checksum: whoever believes a damaged one is not wrong.
        if frame[12:14] != b"\x08\x06" and r.random() < self.damage:
            bit = r.randrange(len(frame) * 8)
            damaged = bytearray(frame)
            damaged[bit >> 3] ^= 1 << (bit & 7)
            what, frame = "damaged", bytes(damaged)
        if r.random() < self.reorder:
            what, delay = "reordered", delay + self.late * (0.2 + r.random())
        return [(delay + k * self.late * r.random(), frame, what) for k in range(copies)]


class Relay(threading.Thread):
    """Between two plugs, until one of them is gone or close().  `counts`: frames by what happened to them."""

    def __init__(self, one, other, faults):
        super().__init__(daemon=True)
        self.ends, self.faults, self.counts = {one: other, other: one}, faults, collections.Counter()
        self.held, self.order, self.macs, self.over = [], 0, {}, threading.Event()
        self.injected = collections.deque()

    def inject(self, plug, frame):
        """A frame of ours to a guest; from any thread."""
        self.injected.append((plug, frame))

    def take(self, plug, frame):
        self.macs[plug] = frame[6:12]
        for seconds, copy, what in self.faults.plan(frame):
            self.counts[what] += 1
            if seconds is None:
                continue
            if seconds == 0:
                self.pass_on(self.ends[plug], copy)
                continue
            self.order += 1
            heapq.heappush(self.held, (time.monotonic() + seconds, self.order, self.ends[plug], copy))

    def pass_on(self, plug, frame):
        if not plug.send(frame):
            self.counts["too many"] += 1

    def release(self):
        """Seconds until the next held frame is due."""
        while self.injected:
            self.pass_on(*self.injected.popleft())
        now = time.monotonic()
        while self.held and self.held[0][0] <= now:
            self.pass_on(*heapq.heappop(self.held)[2:])
        return min(self.held[0][0] - now, 0.05) if self.held else 0.05

    def run(self):
        with selectors.DefaultSelector() as selector:
            for plug in self.ends:
                selector.register(plug, selectors.EVENT_READ)
            while not self.over.is_set():
                wait = self.release()
                for plug in self.ends:
                    selector.modify(plug, selectors.EVENT_READ | (selectors.EVENT_WRITE if plug.is_full else 0))
                for key, events in selector.select(max(wait, 0)):
                    plug = key.fileobj
                    if events & selectors.EVENT_WRITE:
                        plug.flush()
                    frames = plug.receive() if events & selectors.EVENT_READ else []
                    if frames is None:
                        return
                    for frame in frames:
                        self.take(plug, frame)

    def close(self):
        self.over.set()
        self.join(10)
