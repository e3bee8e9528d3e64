"""The kernel's data, as its debug information describes them, from inside gdb.

Everything is looked up in the kernel's own symbol file: the program may well have a `struct thread` and a `threads`,
too.  The machine stands still while this reads, so no lock is taken.
"""
import gdb

IMAGE_BASE = 0xFFFFFFFF80000000
USER_HALF = 1 << 47
ABI_NAMES = ("x86-64", "i386")
ARGUMENTS = (("rdi", "rsi", "rdx", "r10", "r8", "r9"), ("rbx", "rcx", "rdx", "rsi", "rdi", "rbp"))


def objfile():
    for o in gdb.objfiles():
        if o.is_valid() and o.lookup_global_symbol("core_cpus"):
            return o
    raise gdb.GdbError("there are no symbols of a kernel: `yolk attach` loads them")


def variable(name, file=None):
    """A variable of the kernel; `file` is the end of its source's name when others have one of this name."""
    kernel = objfile()
    symbol = kernel.lookup_global_symbol(name)
    if symbol is None or file:
        symbol = next((s for s in gdb.lookup_static_symbols(name) if s.symtab.objfile == kernel
                       and s.symtab.filename.endswith(file or "")), None)
    if symbol is None:
        raise gdb.GdbError(f"this kernel has no variable {name}: it is not a debug build of this source")
    return symbol.value()


def type_of(name):
    """`struct NAME` or an enum as the kernel knows it."""
    block = objfile().lookup_global_symbol("core_cpus").symtab.static_block()
    return gdb.lookup_type(name, block)


def container(pointer, type_name, member):
    """The object whose `member` (a path with dots) is at `pointer`."""
    kind = type_of(type_name)
    offset, inner = 0, kind
    for part in member.split("."):
        field = next(f for f in inner.fields() if f.name == part)
        offset += field.bitpos // 8
        inner = field.type.strip_typedefs()
    return gdb.Value(int(pointer) - offset).cast(kind.pointer())


def each(head, type_name, member):
    """The objects on a list, front to back."""
    end, node = int(head.address), head["next"]
    for _ in range(100000):
        if int(node) == end or not int(node):
            return
        yield container(node, type_name, member)
        node = node["next"]


def each_in_tree(node, type_name, member):
    """The objects in a tree, in order."""
    stack = []
    while int(node) or stack:
        while int(node):
            stack.append(node)
            node = node["child"][0]
        node = stack.pop()
        yield container(node, type_name, member)
        node = node["child"][1]


def name_of(address):
    """FUNCTION+OFFSET of an address in any symbol file; '' when there is none."""
    address = int(address)
    text = gdb.execute(f"info symbol {address:#x}", to_string=True)
    if text.startswith("No symbol"):
        return ""
    words = text.split(" in section ")[0].split(" + ")
    return words[0] if len(words) == 1 else f"{words[0]}+{words[1]}"


def function_of(address):
    return name_of(address).split("+")[0]


def text(value):
    """The kernel's string; '' for NULL."""
    return value.string(errors="replace") if int(value.address if value.type.code == gdb.TYPE_CODE_ARRAY
                                                 else value) else ""


def enum_name(value, prefix):
    """THREAD_SLEEPING as sleeping."""
    return str(value).replace(prefix, "", 1).lower()


def read_words(address, n):
    memory = gdb.selected_inferior().read_memory(address, 8 * n)
    return [int.from_bytes(memory[8 * i:8 * i + 8], "little") for i in range(n)]


def call_name(abi, number):
    if 0 <= number < 512:
        row = int(variable("syscall_row_of_number")[abi][number])
        if row:
            call = variable("syscalls")[row]
            name = int(variable("syscall_names").address) + int(call["name_at"])
            return text(gdb.Value(name).cast(gdb.lookup_type("char").pointer())), int(call["argc"])
    return f"syscall_{number:#x}", 6


class Cpu:
    """A CPU: gdb's thread, and the kernel's struct cpu behind its GS base."""

    def __init__(self, thread):
        self.thread = thread
        registers = gdb.newest_frame()
        read = registers.read_register
        self.pc = registers.pc()
        self.is_user = int(read("cs")) & 3 == 3
        bases = [int(read(r)) & (1 << 64) - 1 for r in ("gs_base", "k_gs_base")]
        self.cpu = next((gdb.Value(b).cast(type_of("struct cpu").pointer()) for b in bases if b >= USER_HALF), None)
        self.index = self.current = None
        if self.cpu is not None:
            self.index = int(self.cpu["index"])
            self.current = self.cpu["current"]


def cpus():
    """All CPUs that have started, in the kernel's order.  The selected thread stays selected."""
    selected, found = gdb.selected_thread(), []
    if selected is None:
        raise gdb.GdbError("there is no machine, or it has ended")
    frame = gdb.selected_frame()
    for thread in sorted(gdb.selected_inferior().threads(), key=lambda t: t.num):
        thread.switch()
        found.append(Cpu(thread))
    selected.switch()
    if frame.is_valid():
        frame.select()
    found = [c for c in found if c.cpu is not None]
    if not found:
        raise gdb.GdbError("the kernel has not started yet: let it `continue` to a breakpoint first")
    return sorted(found, key=lambda c: c.index)


class Thread:
    """A thread of the kernel, or one of the program's."""

    def __init__(self, pointer, running):
        self.pointer = pointer
        self.t = pointer.dereference()
        self.cpu = running.get(int(pointer))  # it runs there now
        self.is_user = bool(self.t["is_user"])
        self.task = container(pointer, "struct task", "thread") if self.is_user else None
        self.tid = int(self.task["tid"]) if self.is_user else 0
        self.name = text(self.t["name"])
        self.state = "running" if self.cpu else "idle" if self.t["is_idle"] else enum_name(self.t["state"], "THREAD_")

    def user_registers(self):
        """On its kernel stack, true while it is in the kernel; None when it runs in ring 3 or has no ring 3."""
        if not self.is_user or (self.cpu and self.cpu.is_user):
            return None
        kind = type_of("struct regs")
        at = int(self.t["arch"]["stack_top"]) - kind.sizeof
        regs = gdb.Value(at).cast(kind.pointer()).dereference()
        return {f.name: int(regs[f.name]) for f in kind.fields()}

    def kernel_registers(self):
        """Where it goes on in the kernel; None while it runs."""
        if self.cpu:
            return None
        rsp = int(self.t["arch"]["rsp"])
        names = [f.name for f in type_of("struct switch_frame").fields()]
        registers = dict(zip(names, read_words(rsp, len(names))))
        registers["rsp"] = rsp + 8 * len(names)
        return registers

    def kernel_frames(self):
        """Return addresses on its kernel stack, innermost first, by its frame pointers."""
        registers = self.kernel_registers()
        if registers is None:
            return []
        frames, rbp, top = [registers["rip"]], registers["rbp"], int(self.t["arch"]["stack_top"])
        while top - 16384 <= rbp < top - 16 and len(frames) < 64:
            rbp, pc = read_words(rbp, 2)
            if pc < IMAGE_BASE:
                break
            frames.append(pc)
        return frames

    def call(self):
        """The system call that it is in: 'futex(0x7f..., ...)'; None: none."""
        registers = self.user_registers()
        if registers is None or self.cpu or registers["orig_rax"] >= 1 << 63:
            return None
        abi = int(bool(self.task["is_i386"]))
        name, argc = call_name(abi, registers["orig_rax"])
        values = [registers[r] & (0xFFFFFFFF if abi else (1 << 64) - 1) for r in ARGUMENTS[abi][:argc]]
        return f"{name}({', '.join(f'{v:#x}' if v > 9 else str(v) for v in values)})"

    def waits_on(self):
        """In words; '' when it does not sleep."""
        if self.state != "sleeping":
            return ""
        parts = [self.call() or "in " + next((f for f in map(function_of, self.kernel_frames())
                                              if f and not f.startswith(("switch_", "arch_switch", "sched_", "wait_"))),
                                             "the kernel")]
        for waiter in futex_waiters():
            if self.is_user and int(waiter["task"]) == int(self.task):
                parts.append(f"futex word {int(waiter['key']['offset']) & ~3:#x}")
        mutex = self.t["waits_for"]
        if int(mutex):
            owner = int(mutex["owner"]) & ~1
            parts.append(f"mutex {int(mutex):#x} ({rank_name(mutex['rank'])}), which "
                         f"{text(gdb.Value(owner).cast(self.pointer.type)['name']) if owner else 'nobody'} holds")
        return ", ".join(parts)


def threads():
    running = {int(c.current): c for c in cpus()}
    found = [Thread(p, running) for p in each(variable("threads", "kernel/core/thread.c")["all"], "struct thread",
                                               "all_node")]
    return sorted(found, key=lambda t: (not t.is_user, t.tid, t.name))


def process():
    """The program's."""
    for t in threads():
        if t.is_user and int(t.task["process"]):
            return t.task["process"]
    raise gdb.GdbError("there is no process yet, or none any more")


def futex_waiters():
    buckets = variable("futex_buckets")
    kind = buckets.type.target()
    at = next(f for f in kind.fields() if f.name == "nr").bitpos // 8
    # All at once: a word by word takes a packet each.
    memory = bytes(gdb.selected_inferior().read_memory(int(buckets.address), buckets.type.sizeof))
    for i in range(buckets.type.sizeof // kind.sizeof):
        if any(memory[i * kind.sizeof + at:i * kind.sizeof + at + 4]):
            yield from each(buckets[i]["waiters"], "struct futex_waiter", "node")


def rank_name(rank):
    """RANK_PIPE; a few ranks have no name of their own (RANK_WAITQ_2 + 3)."""
    rank, best = int(rank), ("rank", 0)
    for field in type_of("enum lock_rank").fields():
        if field.enumval == rank:
            return field.name
        if best[1] < field.enumval < rank:
            best = (field.name, field.enumval)
    return f"{best[0]}+{rank - best[1]}"


def path_of(file):
    """What a file was opened by."""
    if not int(file["dentry"]):
        return text(file["anon_name"])
    parts, dentry, mount = [], file["dentry"], file["mount"]
    while len(parts) < 64:
        if int(mount) and int(dentry) == int(mount["root"]) and int(mount["parent"]):
            dentry, mount = mount["point"], mount["parent"]
        elif int(dentry["parent"]) == int(dentry):
            break
        else:
            parts.append(text(dentry["name"]))
            dentry = dentry["parent"]
    return "/" + "/".join(reversed(parts))
