"""What gdb takes the machine for: 64-bit or 32-bit code, and the registers of a thread that no CPU runs.

QEMU's stub describes one machine with 64-bit registers for the whole session, also while a CPU runs 32-bit code; gdb
then refuses `set architecture i386`, and misreads the stack of 32-bit code, whose debug information numbers other
registers.  So here is a second description, with the stub's numbers of registers and i386's names and sizes.  The
stub's answer to "all registers" does not fit it, and what it makes of "set all registers" while a CPU runs 32-bit code
breaks the machine (it then takes 4 bytes for the bases and control registers, and 8 for the others): so that answer
as a whole is one register, before all others, and gdb asks for and sets the others one by one.
"""
import atexit
import os
import re
import tempfile
import types

import gdb
import gdb.unwinder

USER32_CS = 0x23
HALVES = {"rax": "eax", "rbx": "ebx", "rcx": "ecx", "rdx": "edx", "rsi": "esi", "rdi": "edi", "rbp": "ebp",
          "rsp": "esp", "rip": "eip"}
# In front of all numbers: -2.
FIRST = (1 << 64) - 2
KINDS = {"ebp": "data_ptr", "esp": "data_ptr", "eip": "code_ptr"}

description = None  # the file with the second description


def quietly(command):
    return gdb.execute(command, to_string=True)


def make_description():
    """From what the stub has said of itself: the same numbers, but 32-bit names and sizes where i386 has them."""
    global description
    original = quietly("maint print xml-tdesc")

    def register(match):
        line, name = match.group(0), match.group(1)
        if name not in HALVES:
            return line
        half, number = HALVES[name], re.search(r'regnum="(\d+)"', line).group(1)
        return f'<reg name="{half}" bitsize="32" type="{KINDS.get(half, "int32")}" regnum="{number}"/>'

    xml = re.sub(r'<reg name="([^"]*)"[^>]*/>', register, original[original.index("<?xml"):])
    xml = xml.replace("<architecture>i386:x86-64<", "<architecture>i386<")
    size = sum(int(bits) for bits in re.findall(r'bitsize="(\d+)"', original)) // 8
    whole = f"""<feature name="org.yolk.packet"><vector id="packet" type="uint8" count="{size}"/>
        <reg name="packet" bitsize="{8 * size}" type="packet" regnum="{FIRST}" save-restore="no" group="none"/></feature>"""
    xml = xml.replace("</target>", whole + "</target>")
    fd, description = tempfile.mkstemp(prefix="yolk-gdb-", suffix=".xml")
    os.write(fd, xml.encode())
    os.close(fd)
    atexit.register(os.unlink, description)


def halfway(command):
    """Architecture and description fit together again only after the next command: gdb reads registers at once."""
    try:
        quietly(command)
    except gdb.error:
        pass


def is_32():
    return gdb.selected_inferior().architecture().name() == "i386"


def code_segment():
    return int(gdb.newest_frame().read_register("cs"))


def see(as_32):
    """Take the machine for a 32-bit one, or for what it is."""
    if as_32 == is_32():
        return
    if as_32:
        if description is None:
            make_description()
        halfway(f"set tdesc filename {description}")
        quietly("set architecture i386")
    else:
        halfway("unset tdesc filename")
        quietly("set architecture auto")
    gdb.invalidate_cached_frames()


class as_64:
    """with as_64(): the kernel's data and frames are read."""

    def __enter__(self):
        self.was_32 = is_32()
        see(False)

    def __exit__(self, *_):
        see(self.was_32)


def follow(_event=None):
    """After each stop: does this CPU run 32-bit code?  gdb has shown the place by then, perhaps wrongly."""
    try:
        was_32 = is_32()
        see(code_segment() == USER32_CS)
        if was_32 != is_32():
            gdb.execute("frame")
    except gdb.error:
        pass  # the machine is gone


def before_continue():
    """A stop in the kernel is known by an address of 64 bits, arguments of 32-bit functions by 32-bit code."""
    if is_32() and any(int(l.address or 0) >= 1 << 47 for b in gdb.breakpoints() if b.enabled for l in b.locations):
        see(False)


class Borrowed(gdb.unwinder.Unwinder):
    """Lets the frame above the selected CPU's own be another thread's: nothing in the machine is changed."""

    def __init__(self):
        super().__init__("yolk")
        self.registers = self.own_sp = None
        gdb.unwinder.register_unwinder(None, self, replace=True)

    def __call__(self, pending):
        if self.registers is None or pending.read_register("esp" if is_32() else "rsp") != self.own_sp:
            return None
        here = types.SimpleNamespace(sp=gdb.Value(0), pc=pending.read_register("eip" if is_32() else "rip"))
        info = pending.create_unwind_info(here)
        word = pending.architecture().integer_type(64, False)  # the names of types depend on the language
        for name, value in self.registers.items():
            if is_32():
                if name not in HALVES:
                    continue
                name, value = HALVES[name], value & 0xFFFFFFFF
            try:
                old = pending.read_register(name)
                info.add_saved_register(name, gdb.Value(value).cast(word).cast(old.type))
            except ValueError:
                pass  # a name of struct regs that is no register (orig_rax)
        return info


borrowed = Borrowed()


def with_registers(registers, as_32, command):
    """What a command that prints frames says of a thread with these registers.  Its frames are numbered behind the
    selected CPU's own one (and what is inlined there), which is left out."""
    was_32 = is_32()
    see(as_32)
    borrowed.own_sp = gdb.newest_frame().read_register("sp")
    borrowed.registers = registers
    gdb.invalidate_cached_frames()
    try:
        own, frame = ["#0 "], gdb.newest_frame()
        while frame.type() == gdb.INLINE_FRAME:
            own.append(f"#{len(own)} ")
            frame = frame.older()
        return "".join(l for l in quietly(command).splitlines(True) if not l.startswith(tuple(own)))
    finally:
        borrowed.registers = None
        gdb.invalidate_cached_frames()
        see(was_32)
