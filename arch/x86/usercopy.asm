; Copies between kernel and user memory, by quadwords (a CPU's or emulator's byte-wise string instructions may be
; slow), exact to the byte when a page is missing.
;
; An instruction that may fault has an entry in the exception table; trap.c first asks up_page_fault to bring the page
; in and only if that fails continues at the entry's second address.  There the rest is tried byte by byte, so that
; everything up to the faulting byte is copied and the answer is the exact number of bytes that are not.

section .text
bits 64

%macro SMAP_SITE 1                  ; the code bytes that cpu.c writes over the no-operation
%%site: nop     dword [rax]
section .smap_sites progbits alloc noexec nowrite align=8
        dq %%site, %1
section .text
%endmacro
%define STAC SMAP_SITE 0xcb010f
%define CLAC SMAP_SITE 0xca010f

%macro MAY_FAULT 2                  ; label of the instruction, where to go on
section .exception_table progbits alloc noexec nowrite align=8
        dq %1, %2
section .text
%endmacro

SMALL_QUADS     equ 16              ; below this a loop beats the start-up of REP

; size_t copy(void *dst [RDI], const void *src [RSI], size_t n [RDX]): bytes not copied.
global arch_copy_to_user, arch_copy_from_user
align 16
arch_copy_to_user:
arch_copy_from_user:
        STAC
        mov     rcx, rdx
        and     edx, 7              ; RCX quadwords, then EDX bytes
        shr     rcx, 3
        jz      .tail
        cmp     rcx, SMALL_QUADS
        jae     .string
.load:  mov     rax, [rsi]
.store: mov     [rdi], rax
        add     rsi, 8
        add     rdi, 8
        dec     ecx
        jnz     .load
.tail:
        test    edx, edx
        jz      .done
        test    edx, 4
        jz      .tail2
.load4: mov     eax, [rsi]
.store4: mov    [rdi], eax
        add     rsi, 4
        add     rdi, 4
        sub     edx, 4
.tail2:
        test    edx, 2
        jz      .tail1
.load2: movzx   eax, word [rsi]
.store2: mov    [rdi], ax
        add     rsi, 2
        add     rdi, 2
        sub     edx, 2
.tail1:
        test    edx, edx
        jz      .done
.load1: movzx   eax, byte [rsi]
.store1: mov    [rdi], al
        xor     edx, edx
.done:
        mov     eax, edx
        CLAC
        ret

.string:
        rep movsq
        jmp     .tail

.fault:                             ; RCX quadwords and EDX bytes are left
        lea     rcx, [rdx + rcx * 8]
.bytes:
        rep movsb
.stop:
        mov     rax, rcx
        CLAC
        ret
        MAY_FAULT .load, .fault
        MAY_FAULT .store, .fault
        MAY_FAULT .string, .fault
        MAY_FAULT .load4, .fault
        MAY_FAULT .store4, .fault
        MAY_FAULT .load2, .fault
        MAY_FAULT .store2, .fault
        MAY_FAULT .load1, .fault
        MAY_FAULT .store1, .fault
        MAY_FAULT .bytes, .stop

; size_t arch_zero_user(uintptr_t dst [RDI], size_t n [RSI]): bytes not cleared.
global arch_zero_user
align 16
arch_zero_user:
        STAC
        mov     rcx, rsi
        mov     edx, esi
        shr     rcx, 3
        and     edx, 7
        xor     eax, eax
.quads: rep stosq
.rest:  lea     rcx, [rdx + rcx * 8]
.bytes: rep stosb
.stop:
        mov     rax, rcx
        CLAC
        ret
        MAY_FAULT .quads, .rest
        MAY_FAULT .bytes, .stop

; long arch_copy_string_from_user(char *dst [RDI], uintptr_t src [RSI], size_t max [RDX]): the length, or max when
; there is no NUL within, or -EFAULT.  Whole quadwords while the source is aligned, so that nothing is read from a
; page that the string does not reach.
EFAULT          equ 14
global arch_copy_string_from_user
align 16
arch_copy_string_from_user:
        STAC
        mov     r8, 0x0101010101010101
        mov     r9, 0x8080808080808080
        xor     eax, eax            ; bytes copied
.next:
        cmp     rax, rdx
        jae     .done
        lea     rcx, [rsi + rax]
        test    ecx, 7
        jnz     .byte
        lea     rcx, [rax + 8]
        cmp     rcx, rdx
        ja      .byte
.quad:  mov     rcx, [rsi + rax]
        mov     r10, rcx            ; a byte of RCX is 0: (x - 01..01) & ~x & 80..80 is not 0
        mov     r11, rcx
        sub     r10, r8
        not     r11
        and     r10, r11
        test    r10, r9
        jnz     .byte
        mov     [rdi + rax], rcx
        add     rax, 8
        jmp     .next
.byte:  movzx   ecx, byte [rsi + rax]
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
        MAY_FAULT .quad, .fault
        MAY_FAULT .byte, .fault

; void arch_zero_page(void *page [RDI]), void arch_copy_page(void *dst [RDI], const void *src [RSI])
global arch_zero_page, arch_copy_page
align 16
arch_zero_page:
        xor     eax, eax
        mov     ecx, 512
        rep stosq
        ret
align 16
arch_copy_page:
        mov     ecx, 512
        rep movsq
        ret
