; The least that boots: prints one line on the first serial port and powers off.  What a machine needs to reach its
; first byte with this is the floor under every kernel's boot time: starting QEMU, its firmware and loading one image.
;
;   nasm -f elf32 -o floor.o floor.asm && ld -m elf_i386 -N -Ttext=0x100000 -o floor.elf floor.o
;   qemu-system-x86_64 ... -serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel floor.elf

COM1    equ 0x3f8
EXIT    equ 0xf4

section .note.pvh note alloc align=4
        dd      4, 4, 18            ; name, value, XEN_ELFNOTE_PHYS32_ENTRY
        db      "Xen", 0
        dd      start

section .text
bits 32
global start
start:                              ; protected mode, no paging, EBX: struct hvm_start_info
        mov     esi, line
        mov     ecx, line.end - line
        mov     edx, COM1
        cld
        rep outsb
        mov     edx, EXIT
        xor     eax, eax
        out     dx, eax
.halt:
        hlt
        jmp     .halt

line:   db      "hello, world", 10
.end:
