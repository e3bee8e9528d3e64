"""What gdb takes the machine for: 64-bit or 32-bit code, and the registers of a thread that no CPU runs.

QEMU's stub describes one machine with 64-bit registers for the whole session, also while a CPU runs 32-bit code; gdb
then refuses `set architecture i386`, and misreads the stack of 32-bit code, whose debug information numbers other
registers.  So here is a second description with the same bytes in the same places: of each 64-bit register the lower
half under its 32-bit name, and the upper half as a register of its own.  The stub's packets for one register number
them its own way, so registers travel all at once.
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
KINDS = {"ebp": "data_ptr", "esp": "data_ptr", "eip": "code_ptr"}

description = None  # the file with the second description


def quietly(command):
    return gdb.execute(command, to_string=True)


def make_description():
    """From what the stub has said of itself."""
    global description
    original = quietly("maint print xml-tdesc")
    number = 0

    def register(match):
        nonlocal number
        line, name = match.group(0), match.group(1)
        lines = [line]
        if name in HALVES:
            half = HALVES[name]
            lines = [f'<reg name="{half}" bitsize="32" type="{KINDS.get(half, "int32")}"/>',
                     f'<reg name="{half}_upper" bitsize="32" type="int32" save-restore="no"/>']
        for i, text in enumerate(lines):
            lines[i] = re.sub(r' regnum="\d+"', "", text).replace("/>", f' regnum="{number}"/>')
            number += 1
        return "".join(lines)

    xml = re.sub(r'<reg name="([^"]*)"[^>]*/>', register, original[original.index("<?xml"):])
    xml = xml.replace("<architecture>i386:x86-64<", "<architecture>i386<")
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
    """After each stop: does this CPU run 32-bit code?"""
    try:
        see(code_segment() == USER32_CS)
    except gdb.error:
        pass  # the machine is gone


class Borrowed(gdb.unwinder.Unwinder):
    """Lets the frame above the selected CPU's own be another thread's: nothing in the machine is changed."""

    def __init__(self):
        super().__init__("yolk")
        self.registers = None
        gdb.unwinder.register_unwinder(None, self, replace=True)

    def __call__(self, pending):
        if self.registers is None or pending.level() > 0:
            return None
        here = types.SimpleNamespace(sp=gdb.Value(0), pc=pending.read_register("eip" if is_32() else "rip"))
        info = pending.create_unwind_info(here)
        for name, value in self.registers.items():
            if is_32():
                if name not in HALVES:
                    continue
                name, value = HALVES[name], value & 0xFFFFFFFF
            try:
                old = pending.read_register(name)
                info.add_saved_register(name, gdb.Value(value).cast(gdb.lookup_type("unsigned long")).cast(old.type))
            except ValueError:
                pass  # a name of struct regs that is no register (orig_rax)
        return info


borrowed = Borrowed()


def with_registers(registers, as_32, command):
    """What a command that prints frames says of a thread with these registers; its frames count from 1."""
    was_32 = is_32()
    see(as_32)
    borrowed.registers = registers
    gdb.invalidate_cached_frames()
    try:
        if gdb.newest_frame().older() is None:
            return "(no frames)\n"
        return quietly(command)
    finally:
        borrowed.registers = None
        gdb.invalidate_cached_frames()
        see(was_32)
