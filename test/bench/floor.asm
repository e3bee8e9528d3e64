; The floor of boot time: the least that a PVH kernel can do and still be seen.  It prints one line on the serial port
; from 32-bit code, as QEMU enters it, and halts; what it takes from QEMU's start to that line is QEMU's own time.
bits 32

section .note.pvh note alloc align=4
        dd      4, 4, 18            ; name and descriptor sizes; XEN_ELFNOTE_PHYS32_ENTRY
        db      "Xen", 0
        dd      start

section .text
global start
start:
        mov     esi, text
        mov     dx, 0x3f8
.next:  lodsb
        test    al, al
        jz      .end
        out     dx, al
        jmp     .next
.end:   cli
        hlt
        jmp     .end

text:   db      "hello, world", 10, 0
