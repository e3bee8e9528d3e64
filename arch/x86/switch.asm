; Changing kernel stacks, and a thread's first steps.

%include "offsets.inc"

extern thread_first_run

section .text
bits 64

; struct thread *switch_stacks(struct thread *prev [RDI], struct thread *next [RSI]); interrupts off.
;
;   saved stack:  r15 r14 r13 r12 rbx rbp, return address
;
; RDI lives across the switch: it answers to `next` who was left.
global switch_stacks
switch_stacks:
        push    rbp
        push    rbx
        push    r12
        push    r13
        push    r14
        push    r15
        mov     [rdi + THREAD_RSP], rsp
        mov     rsp, [rsi + THREAD_RSP]
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        mov     rax, rdi
        ret

; Where a new thread's first switch_stacks returns to: RBX is its entry function, R12 the argument.
global switch_first
switch_first:
        mov     rsi, rbx
        mov     rdx, r12
        xor     ebp, ebp            ; backtraces end here
        push    rbp                 ; no return address, and the alignment of a call
        jmp     thread_first_run    ; (prev, entry, arg)
