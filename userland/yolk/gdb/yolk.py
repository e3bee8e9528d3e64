"""The commands that `yolk gdb` adds to gdb: `help yolk` lists them.

They read the kernel's data through its debug information (kernel.py), which a debug build has.
"""
import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import kernel  # noqa: E402  gdb reads this file by itself, so its neighbours must be named first
import view  # noqa: E402


class Yolk(gdb.Command):
    """What the kernel under the program knows: threads, wait queues, areas of memory, descriptors, locks, CPUs, trace."""

    def __init__(self):
        super().__init__("yolk", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE, True)


Yolk()


def command(name):
    """Makes a function(arguments) the command `yolk NAME`; what it says above is its help."""

    def register(function):
        class Command(gdb.Command):
            __doc__ = function.__doc__

            def __init__(self):
                super().__init__(f"yolk {name}", gdb.COMMAND_STATUS)

            def invoke(self, argument, from_tty):
                arguments = gdb.string_to_argv(argument)
                try:
                    if name == "attach":
                        function(arguments)
                        return
                    with view.as_64():
                        function(arguments)
                except gdb.MemoryError as e:
                    raise gdb.GdbError(f"{e}: the kernel has not set this up yet, or the selected CPU has no page "
                                       "tables (`thread 1` selects the first CPU)")

        Command()
        return function

    return register


def table(head, rows):
    rows = [head, *[[str(c) for c in r] for r in rows]]
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    for r in rows:
        print("  ".join(c.ljust(w) for c, w in zip(r, widths)).rstrip())


def place(pc):
    """An address with the function that it is in."""
    name = kernel.name_of(pc)
    return f"{pc:#x} {name}".rstrip()


@command("attach")
def attach(arguments):
    """Connect to a machine: yolk attach ADDRESS KERNEL [PROGRAM BASE ENTRY].
Loads the symbols of KERNEL and, moved by BASE, of PROGRAM, connects to the stub at ADDRESS (a socket's path or
HOST:PORT), and lets the machine run up to ENTRY; without a program, to where the kernel first enters ring 3."""
    if len(arguments) not in (2, 5):
        raise gdb.GdbError("yolk attach ADDRESS KERNEL [PROGRAM BASE ENTRY]")
    address, image, *program = arguments
    view.quietly(f'file "{image}"')
    if program:
        base = int(program[1], 0)
        view.quietly(f'add-symbol-file "{program[0]}"' + (f" -o {base:#x}" if base else ""))
    # Pages that no instruction has touched yet are in the files.
    view.quietly("set trust-readonly-sections on")
    view.quietly("set remoteaddresssize 64")
    # The machine is gdb's: it ends when gdb does.
    view.quietly("set remote query-attached-packet off")
    view.quietly(f"target remote {address}")
    gdb.events.stop.connect(view.follow)
    gdb.execute("define hook-continue\npython view.before_continue()\nend")
    where = int(program[2], 0) if program else int(kernel.objfile().lookup_global_symbol("arch_enter_user").value().address)
    run_to(where, is_user=bool(program))
    with view.as_64():
        load_vdso(image)
    if "YOLK_GDB" in os.environ:
        # `yolk gdb` ends the machine itself, without words between gdb and the stub that can fail.
        gdb.events.gdb_exiting.connect(lambda _: view.halfway("disconnect"))
    gdb.execute("frame")


def load_vdso(image):
    """The vDSO's symbols and unwind information, from beside the kernel: 32-bit code sleeps in it."""
    process = kernel.process()
    file = os.path.join(os.path.dirname(image), "vdso", "vdso32.so" if process["is_i386"] else "vdso64.so")
    if int(process["vdso"]) and os.path.exists(file):
        view.quietly(f'add-symbol-file "{file}" -o {int(process["vdso"]):#x}')


def run_to(where, is_user):
    """By a hardware breakpoint: nothing is mapped there yet.  Code of the firmware may lie at the same address."""
    stop = gdb.Breakpoint(f"*{where:#x}", gdb.BP_HARDWARE_BREAKPOINT, internal=True)
    stop.silent = True
    while True:
        view.quietly("continue")
        if not gdb.selected_thread():
            raise gdb.GdbError("the machine has ended before the program began")
        if not stop.hit_count or not is_user or view.code_segment() & 3 == 3:
            break
    stop.delete()


@command("threads")
def show_threads(_arguments):
    """All threads: id, name, state, CPU, where they are in the program and in the kernel, and what they wait for."""
    rows = []
    for t in kernel.threads():
        user, registers = "", t.user_registers()
        if t.cpu and t.cpu.is_user:
            user = place(t.cpu.pc)
        elif registers:
            user = place(registers["rip"])
        inner = "" if t.cpu and t.cpu.is_user else place(t.cpu.pc if t.cpu else t.kernel_registers()["rip"])
        if not t.cpu and t.state == "sleeping":
            names = [kernel.name_of(pc) for pc in t.kernel_frames()]
            inner = next((n for n in names if n and not n.startswith(("switch_", "arch_switch", "sched_"))), inner)
        rows.append([t.tid or "-", t.name, t.state, int(t.t["cpu"]), user, inner, t.waits_on()])
    table(["TID", "NAME", "STATE", "CPU", "USER PC", "KERNEL PC", "WAITS ON"], rows)


def the_thread(arguments):
    if len(arguments) < 1:
        raise gdb.GdbError("which thread?  `yolk threads` lists them")
    for t in kernel.threads():
        if arguments[0] == (str(t.tid) if t.tid else t.name):
            return t
    raise gdb.GdbError(f"no thread {arguments[0]}; `yolk threads` lists them")


@command("thread")
def show_thread(arguments):
    """Where a thread stands: yolk thread TID [COMMAND...].
Both of its stacks, in the kernel and in the program, whether a CPU runs it or not.  A kernel thread is named by its
name.  COMMAND, instead of `backtrace`, is one of gdb's that shows frames, such as `bt full 3` or `frame level 1`."""
    t = the_thread(arguments)
    what = " ".join(arguments[1:]) or "backtrace"
    waits = t.waits_on()
    print(f"thread {t.tid or t.name} ({t.name}): {t.state}" + (f": {waits}" if waits else ""))
    if t.cpu:
        previous = gdb.selected_thread()
        t.cpu.thread.switch()
        print(f"on CPU {t.cpu.index}, in {'the program' if t.cpu.is_user else 'the kernel'}:")
        if t.cpu.is_user:
            view.see(view.code_segment() == view.USER32_CS)
        print(view.quietly(what), end="")
        view.see(False)
        previous.switch()
    else:
        print("in the kernel:")
        print(up_to_entry(view.with_registers(t.kernel_registers(), False, what)), end="")
    registers = t.user_registers()
    if registers:
        print("in the program:")
        as_32 = registers["cs"] == view.USER32_CS
        print(view.with_registers(registers, as_32, what), end="")


def up_to_entry(text):
    """Where the program entered the kernel its registers lie on the stack, and no frames."""
    lines = text.splitlines(True)
    end = next((i for i, line in enumerate(lines) if " in entry_" in line or " in text_start" in line),
               len(lines))  # text_start is where the entry of system calls lies
    return "".join(lines[:end + 1])


@command("waits")
def show_waits(_arguments):
    """Wait queues and futexes on which somebody sleeps, with who does."""
    everybody = kernel.threads()
    known = {int(t.pointer): t for t in everybody}
    seen, rows = set(), []
    for waiter in kernel.futex_waiters():
        t = known.get(int(waiter["task"]["thread"].address))
        rows.append([f"futex {int(waiter['key']['offset']) & ~3:#x}", who(t), f"bitset {int(waiter['bitset']):#x}"])
    for t in everybody:
        queue = t.t["last_queue"]
        if t.state != "sleeping" or not int(queue) or int(queue) in seen:
            continue
        seen.add(int(queue))
        name = kernel.name_of(int(queue)) or f"{int(queue):#x}"
        for w in kernel.each(queue["waiters"], "struct waiter", "node"):
            if int(w["fn"]):
                rows.append([f"queue {name}", f"calls {kernel.function_of(int(w['fn']))}", ""])
            else:
                t2 = known.get(int(w["thread"]))
                rows.append([f"queue {name}", who(t2), t2.waits_on() if t2 else ""])
    for t in everybody:
        if int(t.t["waits_for"]):
            rows.append([f"mutex {int(t.t['waits_for']):#x}", who(t), t.waits_on()])
    table(["WHAT", "WHO", "HOW"], rows)


def who(t):
    return f"{t.name} ({t.tid})" if t and t.tid else t.name if t else "?"


@command("vmas")
def show_vmas(_arguments):
    """The areas of the program's address space, with the kernel's address of each."""
    vm = kernel.process()["vm"]
    rows = []
    for a in kernel.each_in_tree(vm["areas"]["root"], "struct vm_area", "node.parent"):
        prot = int(a["prot"])
        flags = "".join(c if prot & bit else "-" for c, bit in (("r", 1), ("w", 2), ("x", 4)))
        flags += "s" if int(a["flags"]) & 1 else "p"
        what = kernel.text(a["name"])
        if not what and int(a["object"]):
            ops = kernel.name_of(int(a["object"]["ops"]))
            what = f"{ops} {int(a['object']):#x} + {int(a['offset']):#x}"
        rows.append([f"{int(a['start']):#014x}", f"{int(a['end']):#014x}", flags,
                     f"{(int(a['end']) - int(a['start'])) // 1024} KiB", what or "anonymous", f"{int(a):#x}"])
    table(["START", "END", "RIGHTS", "SIZE", "WHAT", "AREA"], rows)
    print(f"{int(vm['rss_pages']) * 4} KiB in memory, the break is at {int(vm['brk']):#x}")


@command("fds")
def show_fds(_arguments):
    """The program's open descriptors."""
    array = kernel.process()["files"]["array"]
    rows = []
    for fd in range(int(array["size"])):
        file = array["slot"][fd]
        if int(file):
            ops = kernel.name_of(int(file["ops"]))
            rows.append([fd, kernel.path_of(file), ops, f"{int(file['flags']):#o}", int(file["pos"]), f"{int(file):#x}"])
    table(["FD", "PATH", "OPERATIONS", "FLAGS", "POSITION", "FILE"], rows)


def stack_of(lock):
    while int(lock):
        yield lock
        lock = lock["held_below"]


@command("locks")
def show_locks(_arguments):
    """The spinlocks that each CPU holds and the mutexes that each thread holds, the last taken first, with their ranks."""
    rows = []
    spins = kernel.variable("held_spins", "kernel/core/lock_check.c")
    for c in kernel.cpus():
        for lock in stack_of(spins[c.index]):
            name = kernel.name_of(int(lock))
            rows.append([f"CPU {c.index}", "spinlock", f"{int(lock):#x} {name}".rstrip(), kernel.rank_name(lock["held_rank"])])
    for t in kernel.threads():
        for mutex in stack_of(t.t["held_mutexes"]):
            rows.append([who(t), "mutex", f"{int(mutex):#x}", kernel.rank_name(mutex["held_rank"])])
    if rows:
        table(["HOLDER", "KIND", "LOCK", "RANK"], rows)
    else:
        print("no lock is held")


@command("cpus")
def show_cpus(_arguments):
    """What each CPU does; GDB is its number in `info threads`."""
    cores, rows = kernel.variable("core_cpus"), []
    for c in kernel.cpus():
        core = cores[c.index]
        current = next((t for t in kernel.threads() if int(t.pointer) == int(c.current)), None)
        is_idle = bool(c.current["is_idle"])
        rows.append([c.index, c.thread.num, "idle" if is_idle else who(current),
                     "program" if c.is_user else "kernel", place(c.pc),
                     int(core["rq"]["nr_waiting"]) if int(core) else 0, int(core["rq"]["nr_switches"]) if int(core) else 0])
    table(["CPU", "GDB", "THREAD", "IN", "PC", "WAITING", "SWITCHES"], rows)


def records():
    """What is left in the rings, oldest first: behind the unread ones, those that were read and not overwritten."""
    rings, found = kernel.variable("trace", "kernel/core/trace_ring.c"), []
    if not int(rings["ring"]):
        raise gdb.GdbError("the program is not traced: start it with --trace")
    kind = kernel.type_of("struct trace_record")
    for i in range(int(rings["nr"])):
        ring = rings["ring"][i]
        head, size = int(ring["head"]), 0x20000
        if not int(ring["bytes"]) or not head:
            continue
        memory = bytes(gdb.selected_inferior().read_memory(int(ring["bytes"]), size))
        start = max(0, head - size)
        data = b"".join(memory[at % size:at % size + 8] for at in range(start, head, 8))
        # A record is known by what follows it: sizes that lead exactly to the end.
        good, starts = {len(data)}, []
        for at in range(len(data) - kind.sizeof, -1, -8):
            n = int.from_bytes(data[at:at + 4], "little")
            if n >= kind.sizeof and n % 8 == 0 and at + n in good and data[at + 4] < 8 and data[at + 5] < 2:
                good.add(at)
                starts.append(at)
        sequence = None
        for at in starts:  # from the last back: numbers fall
            record = gdb.Value(data[at:at + kind.sizeof], kind)
            if sequence is not None and int(record["seq"]) >= sequence:
                break
            sequence = int(record["seq"])
            found.append(record)
    return sorted(found, key=lambda r: int(r["seq"]))


@command("trace")
def show_trace(arguments):
    """The last records of the trace, of a program that runs with --trace: yolk trace [N] (default 20)."""
    rows = []
    kinds = kernel.type_of("enum trace_type")
    for r in records()[-int(arguments[0] if arguments else 20):]:
        kind = next((f.name for f in kinds.fields() if f.enumval == int(r["type"])), "?").replace("TRACE_", "").lower()
        what = ""
        if kind in ("enter", "leave"):
            name, argc = kernel.call_name(int(r["abi"]), int(r["nr"]))
            what = name + "(" + ", ".join(f"{int(r['arg'][i]) & (1 << 64) - 1:#x}" for i in range(argc)) + ")"
            what += f" = {int(r['ret'])}" if kind == "leave" else ""
        elif kind in ("signal", "stop"):
            what = f"signal {int(r['nr'])}"
        elif kind == "exit":
            what = f"status {int(r['ret']):#x}"
        rows.append([int(r["seq"]), f"{int(r['time_ns']) / 1e9:.6f}", int(r["cpu"]), int(r["tid"]), kind, what])
    table(["SEQ", "TIME", "CPU", "TID", "KIND", "WHAT"], rows)


# gdb sends a packet again after two seconds, and takes the second answer for that of the next packet: a machine
# that got no CPU for so long would then stop with SIGINT, or be found without breakpoints.
view.quietly("set remotetimeout 120")
