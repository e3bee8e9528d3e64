; Where a CPU that has just been started begins: real mode, at physical SMP_TRAMPOLINE, to which smp.c copies
; the bytes between smp_trampoline and its end.  It goes to 64-bit mode in one step, on page tables that map
; this page one to one, and jumps to smp_entry in the kernel's half.

%define TRAMPOLINE 0x8000
%define AT(label)  (TRAMPOLINE + label - smp_trampoline)

global smp_trampoline, smp_trampoline_size, smp_trampoline_params, smp_entry
extern smp_slots, smp_next_slot, smp_nr_slots, smp_cpu_main

section .rodata
align 16
smp_trampoline:
bits 16
        cli
        xor     ax, ax
        mov     ds, ax
        o32 lgdt [AT(gdt_pointer)]
        mov     eax, 1 << 5                     ; CR4: physical address extension
        mov     cr4, eax
        mov     eax, [AT(params.cr3)]
        mov     cr3, eax
        mov     ecx, 0xc0000080                 ; EFER: long mode, no-execute, as the boot CPU has it
        mov     eax, [AT(params.efer)]
        xor     edx, edx
        wrmsr
        mov     eax, 0x80010001                 ; CR0: paging, write protection, protected mode
        mov     cr0, eax
        jmp     dword 8:AT(long_mode)
bits 64
long_mode:
        mov     rax, [AT(params.entry)]
        jmp     rax

align 8
gdt:    dq      0
        dq      0x00209a0000000000              ; 64-bit code
gdt_pointer:
        dw      gdt_pointer - gdt - 1
        dd      AT(gdt)
align 8
params:
.cr3:   dd      0                               ; struct smp_params
.efer:  dd      0
.entry: dq      0
trampoline_end:

align 4
smp_trampoline_size:
        dd      trampoline_end - smp_trampoline
smp_trampoline_params:
        dd      params - smp_trampoline

section .text
bits 64
smp_entry:
        xor     eax, eax
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     fs, eax
        mov     gs, eax
        mov     eax, 1
        lock xadd [smp_next_slot], eax          ; our number
        cmp     eax, [smp_nr_slots]
        jae     .too_late
        shl     eax, 4
        mov     rdi, [smp_slots + rax]          ; the CPU's block
        mov     rsp, [smp_slots + rax + 8]
        xor     ebp, ebp                        ; the end of every backtrace
        call    smp_cpu_main
.too_late:
        cli
        hlt
        jmp     .too_late
