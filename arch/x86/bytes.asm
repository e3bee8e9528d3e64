; Bytes by the many, of the kernel's own memory: copies that are too long for memcpy's string instruction where those are
; slow (cpu_slow_strings), and the Internet's sum.

%include "copy_block.inc"

extern cpu_slow_strings

section .text
bits 64

; void arch_copy(void *dst [RDI], const void *src [RSI], size_t n [RDX])
global arch_copy
align 16
arch_copy:
        mov     ecx, edx
        shr     ecx, 3
        cmp     byte [rel cpu_slow_strings], 0
        je      .string
        mov     ecx, edx
        shr     ecx, 6
        jz      .short
.block:
        COPY_BLOCK
        dec     ecx
        jnz     .block
.short:
        mov     ecx, edx
        and     ecx, 63
        shr     ecx, 3
        jz      .tail
.quad:
        mov     rax, [rsi]
        mov     [rdi], rax
        add     rsi, 8
        add     rdi, 8
        dec     ecx
        jnz     .quad
.tail:
        test    edx, 4
        jz      .half
        mov     eax, [rsi]
        mov     [rdi], eax
        add     rsi, 4
        add     rdi, 4
.half:
        test    edx, 2
        jz      .odd
        mov     ax, [rsi]
        mov     [rdi], ax
        add     rsi, 2
        add     rdi, 2
.odd:
        test    edx, 1
        jz      .done
        mov     al, [rsi]
        mov     [rdi], al
.done:
        ret
.string:
        rep movsq
        jmp     .tail

; uint64_t arch_sum(const void *bytes [RDI], size_t n [RSI]): quadwords, each carry going round; the last one's missing
; bytes are 0.
global arch_sum
align 16
arch_sum:
        xor     eax, eax
        mov     ecx, esi
        shr     ecx, 6
        jz      .words
.block:
        add     rax, [rdi]
%assign at 8
%rep 7
        adc     rax, [rdi + at]
%assign at at + 8
%endrep
        adc     rax, 0
        add     rdi, 64
        dec     ecx
        jnz     .block
.words:
        mov     ecx, esi
        and     ecx, 63
        shr     ecx, 3
        jz      .half
.word:
        add     rax, [rdi]
        adc     rax, 0
        add     rdi, 8
        dec     ecx
        jnz     .word
.half:                              ; where in a quadword two bytes are added does not matter to the sum
        test    esi, 4
        jz      .quarter
        mov     ecx, [rdi]
        add     rdi, 4
        add     rax, rcx
        adc     rax, 0
.quarter:
        test    esi, 2
        jz      .odd
        movzx   ecx, word [rdi]
        add     rdi, 2
        add     rax, rcx
        adc     rax, 0
.odd:
        test    esi, 1
        jz      .done
        movzx   ecx, byte [rdi]
        add     rax, rcx
        adc     rax, 0
.done:
        ret
