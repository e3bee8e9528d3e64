#!/usr/bin/env python3
"""corpus.py DIRECTORY: valid inputs for the parsers under libFuzzer, a directory for each test of test/fuzz/NAME_fuzz.c.

From random bytes alone a fuzzer would need hours to find its way past magic numbers."""
import os
import struct
import sys


def elf(bits, kind, machine):
    """A program with a segment, an interpreter, a stack, and a table of two symbols."""
    names = b"\0main\0helper\0"
    text = b"\x90" * 32
    if bits == 64:
        head, phdr, shdr, base = 64, 56, 64, 0x400000
        symbol = lambda name, value: struct.pack("<IBBHQQ", name, 0x12, 0, 1, value, 16)
        program = lambda t, flags, at, n, mem: struct.pack("<IIQQQQQQ", t, flags, at, base + at, base + at, n, mem, 4096)
        section = lambda t, at, n, link: struct.pack("<IIQQQQIIQQ", 0, t, 0, 0, at, n, link, 0, 8, 24)
    else:
        head, phdr, shdr, base = 52, 32, 40, 0x8048000
        symbol = lambda name, value: struct.pack("<IIIBBH", name, value, 16, 0x12, 0, 1)
        program = lambda t, flags, at, n, mem: struct.pack("<IIIIIIII", t, at, base + at, base + at, n, mem, flags, 4096)
        section = lambda t, at, n, link: struct.pack("<IIIIIIIIII", 0, t, 0, 0, at, n, link, 0, 4, 16)
    at = head + 3 * phdr
    body = text
    interp = at + len(body)
    body += b"/lib/ld.so\0"
    body += b"\0" * (-(at + len(body)) % 8)
    symtab = at + len(body)
    symbols = symbol(0, 0) + symbol(1, base + 0x100) + symbol(6, base + 0x200)
    body += symbols
    strtab = at + len(body)
    body += names
    body += b"\0" * (-(at + len(body)) % 8)
    sections = at + len(body)
    body += section(0, 0, 0, 0) + section(2, symtab, len(symbols), 2) + section(3, strtab, len(names), 0)
    ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1, 1, 0]) + b"\0" * 8
    word = "Q" if bits == 64 else "I"
    start = ident + struct.pack("<HHI" + 3 * word + "IHHHHHH", kind, machine, 1, base + at, head, sections, 0, head,
                                phdr, 3, shdr, 3, 0)
    segments = program(1, 5, 0, sections, sections) + program(0x6474e551, 6, 0, 0, 0)
    segments += program(3, 4, interp, 11, 11) if kind == 3 else program(1, 6, 0x2000, 0, 0x3000)
    return start + segments + body


def go_elf(version):
    """A Go program whose build information ends with the file: a length of 7 bits a byte and the version."""
    program = elf(64, 2, 62)
    return program + b"\0" * (-len(program) % 16) + b"\xff Go buildinf:\x08\x02" + b"\0" * 16 + version


def kernel_with_calls(text):
    """An image of which only the note .note.yolk.calls is there."""
    note = struct.pack("<III", 5, len(text), 1) + b"Yolk\0\0\0\0" + text
    names = b"\0.note.yolk.calls\0.shstrtab\0"
    body = note + b"\0" * (-len(note) % 8)
    names_at = 64 + len(body)
    body += names + b"\0" * (-len(names) % 8)
    section = lambda name, kind, at, n: struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, at, n, 0, 0, 4, 0)
    table = section(0, 0, 0, 0) + section(1, 7, 64, len(note)) + section(18, 3, names_at, len(names))
    head = b"\x7fELF\2\1\1" + b"\0" * 9
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, 64 + len(body), 0, 64, 0, 0, 64, 3, 2)
    return head + body + table


def newc(entries):
    out = b""
    for number, (name, mode, data) in enumerate(entries + [("TRAILER!!!", 0, b"")]):
        raw = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        out += b"070701" + b"".join(b"%08x" % f for f in fields) + raw
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return out


def table(signature, body):
    return signature + struct.pack("<I", 36 + len(body)) + b"\0" * 28 + body


def acpi():
    """The tables where machine_fuzz.c shows them: from 0xe0000 on, with the RSDP first."""
    rom = 0xe0000
    aml = b"\x10\x20\x08_S5_\x12\x06\x04\x0a\x05\x01\x00\x00\x00\x00\x00"
    madt = bytes([0, 0, 0xe0, 0xfe, 1, 0, 0, 0, 0, 8, 0, 0, 1, 0, 0, 0, 0, 8, 1, 1, 1, 0, 0, 0,
                  9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 1, 12, 7, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,
                  2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 5, 12, 0, 0, 0, 0, 0xe0, 0xfe, 0, 0, 0, 0])
    image = b"\0" * 48
    places = []
    for signature, body in ((b"DSDT", aml), (b"APIC", madt), (b"MCFG", b"\0" * 8 + struct.pack("<QHBBI", 0xb0000000, 0, 0, 255, 0)),
                            (b"HPET", b"\0" * 8 + struct.pack("<QI", 0xfed00000, 0))):
        places.append(rom + len(image))
        image += table(signature, body)
        image += b"\0" * (-len(image) % 16)
    fadt = bytearray(240)
    struct.pack_into("<I", fadt, 4, places[0])
    struct.pack_into("<I", fadt, 28, 0x604)
    struct.pack_into("<I", fadt, 40, 0x608)
    places[0] = rom + len(image)
    image += table(b"FACP", bytes(fadt))
    image += b"\0" * (-len(image) % 16)
    root = rom + len(image)
    image += table(b"XSDT", b"".join(struct.pack("<Q", p) for p in places))
    rsdp = b"RSD PTR \0YOLK  \x02" + struct.pack("<IIQ", 0, 36, root) + b"\0" * 4
    return rsdp + image[len(rsdp):]


def mptable():
    rom = 0xe0000
    entries = bytes([0, 0, 0x14, 3]) + b"\0" * 16 + bytes([0, 1, 0x14, 1]) + b"\0" * 16
    entries += bytes([1, 0]) + b"ISA   " + bytes([2, 2, 0x11, 1, 0, 0, 0xc0, 0xfe])
    entries += bytes([3, 0, 5, 0, 0, 1, 2, 1]) + bytes([4, 3, 0, 0, 0, 0, 0xff, 0])
    head = b"PCMP" + struct.pack("<HBB", 44 + len(entries), 4, 0) + b"YOLK    " + b"FUZZ        "
    head += struct.pack("<IHHIHBB", 0, 0, 6, 0xfee00000, 0, 0, 0)
    pointer = b"_MP_" + struct.pack("<IBBB", rom + 16, 1, 4, 0) + b"\0" * 5
    return pointer + head + entries


def tag(kind, body):
    whole = struct.pack("<II", kind, 8 + len(body)) + body
    return whole + b"\0" * (-len(whole) % 8)


def memory_map():
    return b"".join(struct.pack("<QQII", *e) for e in ((0, 0x9fc00, 1, 0), (0x9fc00, 0x400, 2, 0), (0x100000, 0x7ee0000, 1, 0),
                                                       (0x7fe0000, 0x20000, 3, 0), (0xfffc0000, 0x40000, 2, 0)))


def multiboot2():
    return b"\x01" + tag(1, b"init=/a -- b\0") + tag(3, struct.pack("<II", 0x400000, 0x500000) + b"initrd\0") + \
        tag(6, struct.pack("<II", 24, 0) + memory_map()) + tag(8, struct.pack("<QIIIBBH", 0xfd000000, 4096, 1024, 768, 32, 1, 0)) + \
        tag(14, b"RSD PTR " + b"\0" * 12) + tag(0, b"")


def records(flags):
    out = bytes(flags)
    for kind in (0, 5, 1, 2, 3, 6, 4, 7):
        for number in (0, 1, 9, 13, 16, 46, 59, 202):
            out += bytes([kind, 0, number, 0, 5, 24, 1, 128, 144, 4, 5, 6]) + b"/dev/null\0\x01\x02\x03\0\0\0" + bytes(8)
    return out


INPUTS = {
    "elf": [elf(64, 2, 62), elf(64, 3, 62), elf(32, 2, 3), elf(32, 3, 3)],
    "reach": [b"\0" + file for file in (elf(64, 2, 62), elf(64, 3, 62), elf(32, 2, 3), elf(64, 2, 183), b"#!/bin/sh\n",
                                      go_elf(b"\x06go1.26"), go_elf(b"\xff\xff"), go_elf(b"\x7f" + b"go"))]
             + [b"\1\xb8\x27\0\0\0\x0f\x05\xc3", b"\2\xb8\x14\0\0\0\xcd\x80\xc3"],
    "symbols": [elf(64, 2, 62), elf(32, 2, 3)],
    "cpio": [newc([("init", 0o100755, b"hello"), ("etc", 0o40755, b""), ("etc/link", 0o120777, b"../init")])],
    "machine": [acpi(), mptable()],
    "bootinfo": [b"\0" + memory_map(), multiboot2()],
    "cmdline": [b'console=ttyS0 init=/bin/a HOME=/root ip=10.0.0.2/24 yolk.encoding=percent -- a "b c" %20%zz',
                b"yolk.trace=open,%file yolk.trace.flags=fvy yolk.stdio=p,n,o loglevel=4 maxcpus=2 virtio_mmio.device=512@0x1:5"],
    "traceset": [b"open,%file,!read", b"none", b"all", b"!SIGINT,term", b"?nothing,%process"],
    "customdef": [b'/* a */ SDK(1)\nSYSCALL(0x4000, 0x4100, probe_add, INT, FULL, "", 2, INT, a, INT, b) // b\n'
                  b'ONLY64(0x4001, wide, BYTES, PART, "a \\"reason\\"", 3, IN, from, LEN, size, PATH, path)\n',
                  b'SDK(1) ONLY32(0x4fff, own, FD, FULL, "", 1, OFF, at) WRAP(getppid) WRAP(lchown_32) WRAP(write)'],
    "customrows": [kernel_with_calls(b'SDK(1)\nSYSCALL(0x4000, 0x4100, probe_add, INT, FULL, "", 2, INT, a, INT, b)\nWRAP(getppid)\n')],
    "control": [b"\x10log 6 yolk: up\nlog 3 warned\nexit 3\nfail 125 no memory\nelse\n", b"\0exit 300\nlog " + b"x" * 3000 + b"\n" * 9],
    "ldisc": [b"\x04\x0bhello\x7f\x15abc\n\x01\x20\x00\x14" + bytes(range(20)) + b"\x04\x05\x03\x16\x04a\r\x01\xff\x03\x08\t\n\r\x08abc"],
    "tracelog": [records((32, flags)) for flags in (0, 7, 16, 32 | 64, 8 | 128)],
}


def main():
    for name, inputs in INPUTS.items():
        directory = os.path.join(sys.argv[1], name)
        os.makedirs(directory, exist_ok=True)
        for number, data in enumerate(inputs):
            with open(os.path.join(directory, "valid%d" % number), "wb") as f:
                f.write(data)


if __name__ == "__main__":
    main()
