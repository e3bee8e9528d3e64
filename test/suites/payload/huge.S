/* A program of 120 MB, most of it data that is looked at in a few places: it must not be there twice. */
        .globl _start
        .text
_start: lea     marks(%rip), %rbx
        xor     %eax, %eax
        mov     $119, %ecx
1:      add     (%rbx), %eax
        add     $(1 << 20), %rbx
        loop    1b
        cmp     $(119 * 3), %eax
        setne   %dil
        movzbl  %dil, %edi
        mov     $231, %eax
        syscall
        .section .rodata
marks:  .rept 120
        .long   3
        .fill   (1 << 20) - 4, 1, 0xa5
        .endr
