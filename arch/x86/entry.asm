; Every way from ring 3 into the kernel and back, and interrupts of the kernel itself.
;
; The stack after an entry is struct regs (arch/regs.h); the user's lies at the very top of the thread's stack:
;
;   kernel_rsp ->  (top)
;                  ss rsp rflags cs rip          by the CPU, or by entry_syscall
;                  orig_rax                      call number; -1 for the rest
;                  rdi rsi rdx rcx rax r8..r11
;                  rbx rbp r12..r15              <- struct regs *
;                  (8 bytes, so that C finds its stack aligned)
;
; GS is the user's in ring 3 and this CPU's in ring 0.  The only instructions of ring 0 that run with the user's are
; between SWAPGS and IRET or SYSRET here.  Of those only IRET can fault (the user's frame is bad): the common entry
; knows its address.  NMI, double fault and machine check can hit anywhere, so they do not look at where they came
; from: their own stacks hold the address of the CPU's block at the top.

%include "offsets.inc"

MSR_GS_BASE     equ 0xc0000101
ENOSYS          equ 38
RFLAGS_TF_RF    equ 0x10100

extern up_syscall, up_syscall_traced, up_syscall_32, up_return_to_user
extern trap_user, trap_kernel, trap_bad_iret, trap_nmi, trap_fatal

; CLAC where the CPU has SMAP: cpu.c writes it over the no-operation at boot.
%macro SMAP_CLAC 0
%%site: nop     dword [rax]
section .smap_sites progbits alloc noexec nowrite align=4
        dd %%site - $, 0xca010f
section .text.entry
%endmacro

%macro PUSH_REGS 0-1 rax            ; all that follow orig_rax, except RDI; what goes into RAX's place
        push    rsi
        push    rdx
        push    rcx
        push    %1
        push    r8
        push    r9
        push    r10
        push    r11
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
%endmacro

; An interrupt from ring 3 leaves SS null: AMD's SYSRET, after a switch to another thread, would hand a null segment's
; attributes to 32-bit code, and an emulator would translate what runs now apart from what runs in system calls.
%macro LOAD_SS 0                    ; destroys RAX
        mov     eax, SEL_KERNEL_DS
        mov     ss, eax
%endmacro

%macro POP_REGS 0                   ; everything up to orig_rax
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rax
        pop     rcx
        pop     rdx
        pop     rsi
        pop     rdi
%endmacro

section .text.entry progbits alloc exec nowrite align=16
bits 64

; ------------------------------------------------------------------------------------ SYSCALL
global entry_syscall, entry_syscall_traced, entry_syscall_compat, entry_int80, entry_return
; Twice: with tracing on, the CPU enters the copy that asks up_syscall_traced, and the other knows nothing of it.
%macro ENTRY_SYSCALL 2              ; its name, what it calls
align 16
%1:                                 ; RCX: return address, R11: flags; interrupts off by SFMASK
        swapgs
        mov     [gs:CPU_USER_RSP], rsp
        mov     rsp, [gs:CPU_KERNEL_RSP]
        push    SEL_USER_DS
        push    qword [gs:CPU_USER_RSP]
        push    r11
        push    SEL_USER_CS
        push    rcx
        push    rax                 ; orig_rax
        push    rdi
        PUSH_REGS -ENOSYS
        push    rax                 ; the seventh argument
        mov     rcx, r10            ; the others are where C wants them, but for the fourth
        xor     ebp, ebp            ; backtraces end here
        sti
        call    %2
        cli
        cmp     qword [gs:CPU_WORK], 0
        jne     syscall_work

        ; SYSRET takes RIP from RCX and RFLAGS from R11, CS and SS from nowhere: that is right while this is the frame
        ; that SYSCALL made.  Who changes more of it than rax makes orig_rax -1.  C has kept RBX and R12 to R15.
        cmp     qword [rsp + 8 + REGS_ORIG_RAX], 0
        jl      syscall_iret
        mov     rcx, [rsp + 8 + REGS_RIP]
        mov     r11, [rsp + 8 + REGS_RFLAGS]
        test    r11d, RFLAGS_TF_RF
        jnz     syscall_iret
        mov     rbp, [rsp + 8 + REGS_RBP]
        mov     r10, [rsp + 8 + REGS_R10]
        mov     r9, [rsp + 8 + REGS_R9]
        mov     r8, [rsp + 8 + REGS_R8]
        mov     rdx, [rsp + 8 + REGS_RDX]
        mov     rsi, [rsp + 8 + REGS_RSI]
        mov     rdi, [rsp + 8 + REGS_RDI]
        mov     rsp, [rsp + 8 + REGS_RSP]
        swapgs
        o64 sysret
%endmacro
        ENTRY_SYSCALL entry_syscall, up_syscall
        ENTRY_SYSCALL entry_syscall_traced, up_syscall_traced

syscall_work:                       ; the long way back needs the whole frame
        mov     [rsp + 8 + REGS_RAX], rax
        jmp     return_work
syscall_iret:
        mov     [rsp + 8 + REGS_RAX], rax
        jmp     return_iret

; SYSCALL from 32-bit code, which only AMD's CPUs know.  No stack is touched: straight back with -ENOSYS.
align 16
entry_syscall_compat:
        mov     eax, -ENOSYS
        sysret

; ------------------------------------------------------------------------------------ int 0x80
align 16
entry_int80:
        SMAP_CLAC
        cld
        swapgs
        mov     eax, eax            ; a number of 32 bits, whoever calls
        push    rax                 ; orig_rax
        push    rdi
        PUSH_REGS -ENOSYS
        LOAD_SS
        mov     rdi, rsp
        push    rax
        xor     ebp, ebp
        sti
        call    up_syscall_32
        cli
        cmp     qword [gs:CPU_WORK], 0
        je      return_iret

; ------------------------------------------------------------------------------------ back to ring 3
; Interrupts off, the user's struct regs above 8 bytes of alignment, ->work is not 0.
return_work:
        sti
        lea     rdi, [rsp + 8]
        call    up_return_to_user
        cli
        cmp     qword [gs:CPU_WORK], 0
        jne     return_work

; The same, with nothing left to do.
return_iret:
        add     rsp, 8
        POP_REGS
        add     rsp, 8
        swapgs
iret_to_user:
        iretq

; arch_enter_user: RDI is the user's struct regs, at the top of this thread's stack.
entry_return:
        lea     rsp, [rdi - 8]
        cli
return_check:
        cmp     qword [gs:CPU_WORK], 0
        jne     return_work
        jmp     return_iret

; ------------------------------------------------------------------------------------ exceptions and interrupts
; A stub for each vector: of 16 bytes for exceptions, of 8 for interrupts.  Where the CPU pushes no error code, 0 stands
; for it; behind an interrupt stands the vector itself, which nobody reads.
%macro STUB 1
align 16
        %if %1 != 8 && (%1 < 10 || %1 > 14) && %1 != 17 && %1 != 21 && %1 != 29 && %1 != 30
        push    0
        %endif
        push    %1                  ; in RDI's place, until the common part
        jmp     near entry_common
%endmacro

global entry_stubs
align 16
entry_stubs:
%assign vector 0
%rep NUM_EXCEPTIONS
        STUB vector
%assign vector vector + 1
%endrep
align 16
%rep NUM_VECTORS - NUM_EXCEPTIONS
        push    byte vector - (vector & 128) * 2 ; sign-extended
        jmp     near entry_interrupt
align 8
%assign vector vector + 1
%endrep

entry_interrupt:
        push    qword [rsp]
entry_common:
        SMAP_CLAC
        cld
        xchg    rdi, [rsp]          ; the vector
        PUSH_REGS
        movzx   edi, dil
        mov     rdx, rsp
        mov     rsi, [rdx + REGS_ORIG_RAX]
        mov     qword [rdx + REGS_ORIG_RAX], -1
        test    byte [rdx + REGS_CS], 3
        jz      .from_kernel
        swapgs
        LOAD_SS
.user:
        push    rax                 ; alignment
        xor     ebp, ebp
        call    trap_user           ; (vector, error, regs)
        cli
        jmp     return_check

.from_kernel:
        lea     rcx, [rel iret_to_user]
        cmp     rcx, [rdx + REGS_RIP]
        je      .bad_iret
        push    rax                 ; alignment
        push    qword [rdx + REGS_RIP]
        push    rbp                 ; as if the interrupted function had called, for backtraces
        mov     rbp, rsp
        call    trap_kernel
        add     rsp, 24
        POP_REGS
        add     rsp, 8
        iretq

; The user's own frame made IRET fault.  GS and all registers are already the user's: put the registers back above
; his frame, which still lies at the top of the stack, and report the fault as his.
.bad_iret:
        swapgs
        mov     r12, rdi
        mov     r13, rsi
        mov     rdi, rdx
        push    rax
        call    trap_bad_iret       ; answers the user's struct regs
        mov     rdx, rax
        mov     rdi, r12
        mov     rsi, r13
        mov     rsp, rdx
        jmp     .user

; ------------------------------------------------------------------------------------ on stacks of their own
;   top of the stack: struct cpu *; below it what the CPU pushes
%macro PARANOID 3                   ; function, vector, 1: the CPU pushes an error code
        %if %3 == 0
        push    0
        %endif
        push    rdi
        PUSH_REGS
        SMAP_CLAC
        cld
        mov     ecx, MSR_GS_BASE
        rdmsr
        shl     rdx, 32
        or      rax, rdx
        mov     rbx, rax            ; whatever GS was
        mov     rax, [rsp + REGS_SIZE]
        mov     rdx, rax
        shr     rdx, 32
        wrmsr
        mov     rsi, [rsp + REGS_ORIG_RAX]
        mov     qword [rsp + REGS_ORIG_RAX], -1
        mov     rdx, rsp
        mov     edi, %2
        push    rax                 ; alignment
        push    qword [rdx + REGS_RIP]
        push    rbp
        mov     rbp, rsp
        call    %1                  ; (vector, error, regs)
        mov     ecx, MSR_GS_BASE
        mov     rax, rbx
        mov     rdx, rax
        shr     rdx, 32
        wrmsr
        add     rsp, 24
        POP_REGS
        add     rsp, 8
        iretq
%endmacro

global entry_nmi, entry_double_fault, entry_machine_check
align 16
entry_nmi:
        PARANOID trap_nmi, VEC_NMI, 0
align 16
entry_double_fault:
        PARANOID trap_fatal, VEC_DOUBLE, 1
align 16
entry_machine_check:
        PARANOID trap_fatal, VEC_MACHINE, 0
