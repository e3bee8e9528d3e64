#!/bin/sh
# gate_test.sh GATE CC: the gate lets a proper image pass, and stops each kind of bad one for its own reason.
set -u
gate=$1 cc=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failures=0

# image NAME SEGMENT-FLAGS ASSEMBLY: flags 5 is read and execute; NOTES notes, aligned to ALIGN.
NOTES=1 ALIGN=4
image() {
    {
        printf '.text\n.globl _start\n_start:\n%s\nret\n' "$3"
        i=0
        while [ $i -lt $NOTES ]; do
            printf '.section .note.%d, "a", @note\n.balign %d\n.long 4, 4, 18\n.asciz "Xen"\n.long 0\n' $i $ALIGN
            i=$((i + 1))
        done
    } >"$1.S"
    {
        printf 'PHDRS { text PT_LOAD FLAGS(%s);' "$2"
        i=0
        while [ $i -lt $NOTES ]; do
            printf ' n%d PT_NOTE FLAGS(4);' $i
            i=$((i + 1))
        done
        printf ' }\nSECTIONS { . = 0x100000; .text : { *(.text) } :text\n'
        i=0
        while [ $i -lt $NOTES ]; do
            printf '.note.%d : { *(.note.%d) } :text :n%d\n' $i $i $i
            i=$((i + 1))
        done
        printf '/DISCARD/ : { *(.note.gnu*) *(.comment) } }\n'
    } >"$1.ld"
    "$cc" -nostdlib -static -Wl,-T,"$1.ld" -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments \
        -o "$1" "$1.S" 2>"$1.log" || { cat "$1.log"; echo "$1: cannot be made"; failures=$((failures + 1)); }
}

# passes NAME [MAX_KIB], stops NAME WHY [MAX_KIB]
passes() {
    sh "$gate" "$@" >"$1.out" 2>&1 || { cat "$1.out"; echo "$1: stopped"; failures=$((failures + 1)); }
}

stops() {
    if sh "$gate" "$1" ${3:+"$3"} >"$1.out" 2>&1 || ! grep -q "$2" "$1.out"; then
        cat "$1.out"
        echo "$1: not stopped, or not for '$2'"
        failures=$((failures + 1))
    fi
}

image good 5 'mov %rax, -8(%rbp); mov 8(%rsp), %rax'
passes good
image fpu_switch 5 'jmp fpu_save
.globl fpu_save
fpu_save: movaps %xmm0, (%rdi)'
passes fpu_switch
for bad in 'sse:movaps %xmm0, (%rdi)' 'avx:vmovdqu %ymm1, (%rdi)' 'mmx:movq %mm0, (%rdi)' 'x87:fadd %st(1), %st' \
    'red_zone:mov %rax, -8(%rsp)' 'canary:mov %fs:0x28, %rax'; do
    image "${bad%%:*}" 5 "${bad#*:}"
    stops "${bad%%:*}" 'in ring 0'
done
image writable_code 7 nop
stops writable_code 'writable and executable'
NOTES=0
image no_note 5 nop
stops no_note 'want one PT_NOTE'
NOTES=2
image two_notes 5 nop
stops two_notes 'want one PT_NOTE'
NOTES=1 ALIGN=8
image wide_note 5 nop
stops wide_note 'want one PT_NOTE'
NOTES=1 ALIGN=4
image large 5 '.skip 5000'
passes large 12
stops large 'more than 8 KiB' 8
echo 'no image' >text
stops text 'cannot read'

echo "$failures failed"
[ $failures = 0 ]
