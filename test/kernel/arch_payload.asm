; The ring-3 program of arch_fake.c: each check calls the kernel with number 5 and its own number when it fails.

section .rodata.payload progbits alloc noexec nowrite align=4096
bits 64
global arch_payload, arch_payload_end
default rel
PAYLOAD_BASE    equ 0x400000

%macro FAIL_UNLESS 3                ; condition, number, register to show
        j%1     %%ok
        mov     rsi, %3
        mov     edi, %2
        mov     eax, 5
        syscall
%%ok:
%endmacro

arch_payload:
        ; arguments and results
        mov     eax, 1
        mov     edi, 1
        mov     esi, 2
        mov     edx, 3
        mov     r10d, 4
        mov     r8d, 5
        mov     r9d, 6
        mov     rbx, 0x1111222233334444
        mov     rbp, 0x5555666677778888
        mov     r12, 12
        mov     r13, 13
        mov     r14, 14
        mov     r15, 15
        syscall
        cmp     rax, 21
        FAIL_UNLESS e, 1, rax
        mov     rax, 0x1111222233334444
        cmp     rbx, rax
        FAIL_UNLESS e, 2, rbx
        mov     rax, 0x5555666677778888
        cmp     rbp, rax
        FAIL_UNLESS e, 3, rbp
        cmp     r12, 12
        FAIL_UNLESS e, 4, r12
        cmp     r15, 15
        FAIL_UNLESS e, 5, r15
        cmp     rdi, 1
        FAIL_UNLESS e, 6, rdi
        cmp     r10, 4
        FAIL_UNLESS e, 7, r10

        ; a return that SYSRET cannot make
        mov     eax, 2
        syscall
        cmp     rcx, 0x1234
        FAIL_UNLESS e, 10, rcx
        cmp     r11, 0x5678
        FAIL_UNLESS e, 11, r11

        ; the stack is demand-zero: page faults from here
        push    rbx
        pop     rcx
        cmp     rcx, rbx
        FAIL_UNLESS e, 20, rcx

        ; a bad return address: the fault is ours and up_fault sends us on
        lea     rbx, [.after_bad_iret]
        mov     r14, 0x7777
        mov     eax, 3
        syscall
        ud2
.after_bad_iret:
        cmp     r14, 0x7777
        FAIL_UNLESS e, 30, r14

        ; exceptions
        int3
        ud2

        ; int 0x80
        mov     eax, 41
        mov     r8, 8
        int     0x80
        cmp     rax, 42
        FAIL_UNLESS e, 40, rax

        ; work before return
        mov     eax, 4
        syscall
        test    rax, rax
        FAIL_UNLESS z, 50, rax

        ; FS base, FPU and callee-saved registers over a switch and over an interrupt-like return
        mov     edi, 0x10008000
        mov     eax, 7
        syscall
        mov     qword [abs 0x10008000], 0x77
        mov     rax, 0xabcdef
        movq    xmm3, rax
        fld1
        mov     eax, 6
        syscall
        movq    rax, xmm3
        cmp     rax, 0xabcdef
        FAIL_UNLESS e, 60, rax
        mov     rax, [fs:0]
        cmp     rax, 0x77
        FAIL_UNLESS e, 61, rax
        cmp     r14, 0x7777
        FAIL_UNLESS e, 62, r14

        ; a thread-local segment over a switch
        mov     edi, 0x10008000
        mov     eax, 12
        syscall
        mov     eax, 0x63
        mov     fs, eax
        mov     gs, eax
        mov     eax, 6
        syscall
        mov     rax, [fs:0]
        cmp     rax, 0x77
        FAIL_UNLESS e, 63, rax
        mov     rax, [gs:0]
        cmp     rax, 0x77
        FAIL_UNLESS e, 64, rax
        mov     eax, gs
        cmp     eax, 0x63
        FAIL_UNLESS e, 65, rax
        xor     eax, eax
        mov     fs, eax
        mov     gs, eax

        ; 32-bit code: int 0x80 and, on AMD, SYSCALL
        lea     rdi, [.compat]
        mov     eax, 14
        syscall
bits 32
.compat:
        mov     eax, 41
        int     0x80
        mov     edi, eax
        mov     eax, 10
        syscall
        mov     esi, eax
        mov     ebx, PAYLOAD_BASE + (.long - arch_payload)
        mov     eax, 99
        int     0x80
bits 64
.long:
        cmp     edi, 42
        FAIL_UNLESS e, 66, rdi
        cmp     esi, -38
        FAIL_UNLESS e, 67, rsi

        ; FPU through a frame in memory
        mov     edi, 0x10009000
        mov     eax, 8
        syscall
        movq    rcx, xmm3
        cmp     rcx, 0xabcdef
        FAIL_UNLESS e, 70, rcx
        cmp     dword [abs 0x10009000 + 464], 0x46505853
        FAIL_UNLESS e, 71, rcx

        mov     edi, 0x1000a000
        mov     eax, 13
        syscall

        ; an interrupt at any instruction keeps every register
        mov     qword [abs 0x10008008], 0
        mov     eax, 11
        syscall
        mov     rcx, 0xc1
        mov     r11, 0xb1
        mov     r8, 0x81
        movq    xmm4, r8
.spin:  cmp     dword [abs 0x10008008], 0
        je      .spin
        cmp     rcx, 0xc1
        FAIL_UNLESS e, 80, rcx
        cmp     r8, 0x81
        FAIL_UNLESS e, 82, r8
        movq    rcx, xmm4
        cmp     rcx, 0x81
        FAIL_UNLESS e, 83, rcx

        ; null calls, for counting
        mov     r12d, 1000
.null:  mov     eax, 10
        syscall
        dec     r12d
        jnz     .null

        mov     eax, 9
        syscall
        ud2
align 4096
arch_payload_end:
