; Copies between kernel and user memory, exact to the byte when a page is missing; clearing and copying pages.
;
; Short ones take a loop of quadwords.  Long ones take a string instruction, or blocks of plain moves on a CPU where
; those are faster (cpu_slow_strings: QEMU's emulator, where quadwords are also far better than bytes).
;
; Instructions that may fault have an entry in the exception table; trap.c first asks up_page_fault to bring the page
; in and only if that fails continues at the entry's target.  There the rest is tried byte by byte, so that
; everything up to the faulting byte is copied and the answer is the exact number of bytes that are not.

%include "copy_block.inc"

extern cpu_slow_strings

section .text
bits 64

%macro SMAP_SITE 1                  ; the code bytes that cpu.c writes over the no-operation
%%site: nop     dword [rax]
section .smap_sites progbits alloc noexec nowrite align=4
        dd %%site - $, %1
section .text
%endmacro
%define STAC SMAP_SITE 0xcb010f
%define CLAC SMAP_SITE 0xca010f

%macro MAY_FAULT 3                  ; first instruction, behind the last, where to go on
section .exception_table progbits alloc noexec nowrite align=4
        dd %1 - $
        dd %2 - $
        dd %3 - $
section .text
%endmacro

LONG_COPY       equ 128             ; from here on a loop of quadwords loses

%macro CLEAR_BLOCK 0                ; 64 bytes at RDI, RAX being 0
%assign at 0
%rep 8
        mov     [rdi + at], rax
%assign at at + 8
%endrep
        add     rdi, 64
%endmacro

; size_t copy(void *dst [RDI], const void *src [RSI], size_t n [RDX]): bytes not copied.
global arch_copy_to_user, arch_copy_from_user
align 16
arch_copy_to_user:
arch_copy_from_user:
        STAC
        mov     rcx, rdx
        cmp     rdx, LONG_COPY
        jae     .long
.short:                             ; RDX bytes, fewer than LONG_COPY
        xor     ecx, ecx
        cmp     edx, 1
        je      .tail1
        mov     ecx, edx
        and     edx, 7
        shr     ecx, 3              ; RCX quadwords, then EDX bytes
        jz      .tail
        lea     rsi, [rsi + rcx * 8]
        lea     rdi, [rdi + rcx * 8]
        neg     rcx                 ; up to 0 from here on: one register to count and to point with
.quad:
        mov     rax, [rsi + rcx * 8]
        mov     [rdi + rcx * 8], rax
        inc     rcx
        jnz     .quad
.tail:
        test    edx, edx
        jz      .done
        test    edx, 4
        jz      .tail2
        mov     eax, [rsi]
        mov     [rdi], eax
        add     rsi, 4
        add     rdi, 4
        sub     edx, 4
.tail2:
        test    edx, 2
        jz      .odd
        movzx   eax, word [rsi]
        mov     [rdi], ax
        add     rsi, 2
        add     rdi, 2
        sub     edx, 2
.odd:
        test    edx, edx
        jz      .done
.tail1:                             ; RCX and EDX say what is left, should this fault
        mov     al, [rsi]
        mov     [rdi], al
        xor     edx, edx
.done:
        mov     eax, edx
        CLAC
        ret

.long:
        cmp     byte [rel cpu_slow_strings], 0
        jne     .blocks
        and     edx, 7
        shr     rcx, 3
.string:
        rep movsq
        jmp     .tail
.blocks:
        and     edx, 63
        shr     rcx, 6              ; RCX blocks, then EDX bytes
.block:
        COPY_BLOCK
        dec     rcx
        jnz     .block
        jmp     .short

.block_fault:                       ; the block's start is where RSI and RDI are: some of it is copied once more
        shl     rcx, 6
        add     rcx, rdx
        jmp     .bytes
.quad_fault:                        ; back to where it stopped
        lea     rsi, [rsi + rcx * 8]
        lea     rdi, [rdi + rcx * 8]
        neg     rcx
.tail_fault:
        lea     rcx, [rdx + rcx * 8]
.bytes:
        rep movsb
.stop:
        mov     rax, rcx
        CLAC
        ret
        MAY_FAULT .quad, .tail, .quad_fault
        MAY_FAULT .tail, .done, .tail_fault
        MAY_FAULT .string, .blocks, .tail_fault
        MAY_FAULT .block, .block_fault, .block_fault
        MAY_FAULT .bytes, .stop, .stop

; size_t arch_zero_user(uintptr_t dst [RDI], size_t n [RSI]): bytes not cleared.
global arch_zero_user
align 16
arch_zero_user:
        STAC
        mov     rcx, rsi
        mov     edx, esi
        xor     eax, eax
        cmp     byte [rel cpu_slow_strings], 0
        je      .strings
        shr     rcx, 6
        jz      .strings_rest
        and     edx, 63
.block:
        CLEAR_BLOCK
        dec     rcx
        jnz     .block
.strings_rest:
        mov     ecx, edx            ; fewer than 64
.strings:
        shr     rcx, 3
        and     edx, 7
.quads:
        rep stosq
.rest:
        lea     rcx, [rdx + rcx * 8]
.bytes:
        rep stosb
.stop:
        mov     rax, rcx
        CLAC
        ret
.block_fault:
        shl     rcx, 6
        add     rcx, rdx
        jmp     .bytes
        MAY_FAULT .block, .strings_rest, .block_fault
        MAY_FAULT .quads, .rest, .rest
        MAY_FAULT .bytes, .stop, .stop

; long arch_copy_string_from_user(char *dst [RDI], uintptr_t src [RSI], size_t max [RDX]): the length, or max when
; there is no NUL within, or -EFAULT.  Quadwords, except where one would reach into the next page, which the string may
; not reach; what follows the NUL in the last one is stored, too.
EFAULT          equ 14
PAGE_MASK       equ 4095
global arch_copy_string_from_user
align 16
arch_copy_string_from_user:
        STAC
        mov     r8, 0x0101010101010101
        mov     r9, 0x8080808080808080
        xor     eax, eax            ; bytes copied
.next:
        lea     rcx, [rax + 8]
        cmp     rcx, rdx
        ja      .byte
        lea     ecx, [rsi + rax]
        and     ecx, PAGE_MASK
        cmp     ecx, PAGE_MASK + 1 - 8
        ja      .byte
.quad:
        mov     rcx, [rsi + rax]
        mov     r10, rcx            ; a byte of RCX is 0: (x - 01..01) & ~x & 80..80 is not 0
        mov     r11, rcx
        sub     r10, r8
        not     r11
        mov     [rdi + rax], rcx
        and     r10, r11
        and     r10, r9
        jnz     .last
        add     rax, 8
        jmp     .next
.last:                              ; the lowest bit that is set belongs to the first such byte
        bsf     r10, r10
        shr     r10d, 3
        add     rax, r10
        CLAC
        ret
.byte:
        cmp     rax, rdx
        jae     .done
        movzx   ecx, byte [rsi + rax]
        mov     [rdi + rax], cl
        test    ecx, ecx
        jz      .done
        inc     rax
        jmp     .next
.fault:
        mov     rax, -EFAULT
.done:
        CLAC
        ret
        MAY_FAULT .quad, .fault, .fault

; void arch_zero_page(void *page [RDI]), void arch_copy_page(void *dst [RDI], const void *src [RSI])
global arch_zero_page, arch_copy_page
align 16
arch_zero_page:
        xor     eax, eax
        cmp     byte [rel cpu_slow_strings], 0
        jne     .blocks
        mov     ecx, 512
        rep stosq
        ret
.blocks:                            ; 256 bytes at RDI + 128, where most offsets take one byte
        sub     rdi, -128
        lea     rcx, [rdi + 4096]
.block:
%assign at -128
%rep 32
        mov     [rdi + at], rax
%assign at at + 8
%endrep
        add     rdi, 256
        cmp     rdi, rcx
        jne     .block
        ret
align 16
arch_copy_page:
        mov     ecx, 512
        cmp     byte [rel cpu_slow_strings], 0
        jne     .blocks
        rep movsq
        ret
.blocks:
        mov     ecx, 32
.block:
        COPY_BLOCK
        COPY_BLOCK
        dec     ecx
        jnz     .block
        ret
