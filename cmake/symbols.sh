#!/bin/sh
# symbols.sh IMAGE: the text symbols of a linked kernel as assembly, for kernel/core/symbols.c; without an
# argument, an empty table for the first link.  Names are kept in address order; the boot code that runs below 4 GiB,
# before the kernel is at its place, is left out.
set -eu
if [ $# -gt 0 ]; then
    nm -n "$1" | awk '$1 ~ /^ffffffff/ && $2 ~ /^[tT]$/ { print $1, $3 }'
fi | awk '
    BEGIN { n = 0; print "    .section .rodata.symbols, \"a\"\n    .balign 4" }
    { address[n] = $1; name[n] = $2; n++ }
    END {
        print "    .globl symbol_count\nsymbol_count: .long " n + 0
        print "    .globl symbol_offsets\nsymbol_offsets:"
        for (i = 0; i < n; i++) print "    .long 0x" address[i] " - 0xffffffff80000000"
        print "    .globl symbol_names\nsymbol_names:"
        for (i = 0; i < n; i++) { print "    .long " at; at += length(name[i]) + 1 }
        print "    .globl symbol_text\nsymbol_text:"
        for (i = 0; i < n; i++) print "    .asciz \"" name[i] "\""
        print "    .byte 0\n    .section .note.GNU-stack, \"\", @progbits"
    }' at=0
