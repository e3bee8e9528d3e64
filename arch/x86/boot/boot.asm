; Entry from the loader: 32-bit protected mode without paging, by PVH or by multiboot2 (never multiboot1, which
; makes QEMU refuse an ELF64).  Builds the page tables that the kernel keeps, enters long mode, calls boot_main.
;
;   root[0]    ---> direct PDPT     first 4 GiB one to one, executable: for this file and for starting CPUs
;   root[273]  ---> direct PDPT     the direct map of the first 4 GiB, not executable
;   root[511]  ---> image PDPT      the image in 4 KiB pages with the rights of its segments
;
; The direct map uses 2 MiB pages here, so that a CPU without 1 GiB pages needs no other code.

%include "offsets.inc"

IMAGE_BASE      equ 0xffffffff80000000
PVH_MAGIC       equ 0x336ec578
MB2_HEADER      equ 0xe85250d6

PTE_P           equ 0x001
PTE_W           equ 0x002
PTE_BIG         equ 0x080
PTE_G           equ 0x100
PTE_AD          equ 0x060           ; accessed and dirty, so that the CPU need not write them
PTE_NX_HIGH     equ 0x80000000      ; bit 63, in the high half

DIRECT_SLOT     equ 273             ; of DIRECT_BASE in the root
IMAGE_SLOT      equ 511
IMAGE_PDPT_SLOT equ 510
DIRECT_GIB      equ 4

MSR_EFER        equ 0xc0000080
MSR_GS_BASE     equ 0xc0000101
EFER_SCE        equ 1
EFER_LME        equ 0x100
EFER_NXE        equ 0x800
CR0_PE          equ 0x00000001
CR0_MP          equ 0x00000002
CR0_NE          equ 0x00000020
CR0_WP          equ 0x00010000
CR0_AM          equ 0x00040000
CR0_PG          equ 0x80000000
CR4_PAE         equ 0x20

BOOT_STACK_SIZE equ 16384

extern boot_tables_pa, boot_tables_size, boot_tables_end
extern text_start_pa, rodata_start_pa, data_start_pa, image_end_pa
extern image_end, boot_stack_top_pa
extern boot_main, cpu_boot

; ------------------------------------------------------------------------------------ what loaders look for
section .boot.header progbits alloc noexec nowrite align=8
mb2_header:
        dd MB2_HEADER, 0, mb2_header_end - mb2_header
        dd -(MB2_HEADER + 0 + (mb2_header_end - mb2_header))
        align 8
        dw 5, 1                     ; framebuffer, optional: any size the loader likes
        dd 20, 0, 0, 32
        align 8
        dw 0, 0                     ; end
        dd 8
mb2_header_end:

section .note.Xen note alloc noexec nowrite align=4
        dd 4, 4, 18                 ; XEN_ELFNOTE_PHYS32_ENTRY
        db "Xen", 0
        dd boot_pvh

; ------------------------------------------------------------------------------------ 32-bit, paging off
section .boot.text progbits alloc exec nowrite align=16
bits 32

global boot_pvh, boot_multiboot2

; EBX: the start_info.  Its own magic number tells boot_main that this was PVH.
boot_pvh:
        mov     eax, PVH_MAGIC
; EAX: the loader's magic number, EBX: its information structure.
boot_multiboot2:
        cli
        cld
        mov     ebp, eax
        mov     esp, boot_stack_top_pa

        mov     esi, ebx            ; CPUID overwrites EBX
        mov     eax, 0x80000000
        cpuid
        cmp     eax, 0x80000001
        jb      .no_long_mode
        mov     eax, 0x80000001
        cpuid
        mov     ebx, esi
        test    edx, 1 << 29        ; long mode
        jz      .no_long_mode
        test    edx, 1 << 20        ; no-execute pages
        jz      .no_long_mode

        ; All tables clear, then the levels from the root down.
        mov     edi, boot_tables_pa
        mov     ecx, boot_tables_size
        shr     ecx, 2
        xor     eax, eax
        rep stosd

%define PA(label) boot_tables_pa + (label - boot_root)
        mov     dword [PA(boot_root)], PA(direct_pdpt) + (PTE_P | PTE_W)
        mov     dword [PA(boot_root) + DIRECT_SLOT * 8], PA(direct_pdpt) + (PTE_P | PTE_W)
        mov     dword [PA(boot_root) + DIRECT_SLOT * 8 + 4], PTE_NX_HIGH
        mov     dword [PA(boot_root) + IMAGE_SLOT * 8], PA(image_pdpt) + (PTE_P | PTE_W)
        mov     dword [PA(image_pdpt) + IMAGE_PDPT_SLOT * 8], PA(image_pd) + (PTE_P | PTE_W)

        mov     edi, PA(direct_pdpt)
        mov     eax, PA(direct_pds) + (PTE_P | PTE_W)
        mov     ecx, DIRECT_GIB
        call    .link
        mov     edi, PA(image_pd)
        mov     eax, PA(image_tables) + (PTE_P | PTE_W)
        mov     ecx, BOOT_IMAGE_TABLES
        call    .link

        mov     edi, PA(direct_pds)
        mov     eax, PTE_P | PTE_W | PTE_AD | PTE_BIG | PTE_G
        mov     ecx, DIRECT_GIB * 512
.direct:
        mov     [edi], eax
        add     eax, 0x200000
        add     edi, 8
        dec     ecx
        jnz     .direct

        ; The image: EAX is the first page with its low bits, EDX the high half, ECX where to stop.
        mov     eax, text_start_pa + (PTE_P | PTE_AD | PTE_G)
        xor     edx, edx
        mov     ecx, rodata_start_pa
        call    .pages
        mov     eax, rodata_start_pa + (PTE_P | PTE_AD | PTE_G)
        mov     edx, PTE_NX_HIGH
        mov     ecx, data_start_pa
        call    .pages
        mov     eax, data_start_pa + (PTE_P | PTE_W | PTE_AD | PTE_G)
        mov     ecx, image_end_pa
        call    .pages

        mov     eax, CR4_PAE
        mov     cr4, eax
        mov     eax, PA(boot_root)
        mov     cr3, eax
        mov     ecx, MSR_EFER
        mov     eax, EFER_LME | EFER_NXE | EFER_SCE
        xor     edx, edx
        wrmsr
        mov     eax, CR0_PE | CR0_MP | CR0_NE | CR0_WP | CR0_AM | CR0_PG
        mov     cr0, eax
        lgdt    [boot_gdt_pointer]
        jmp     SEL_KERNEL_CS:boot_64

; Point ECX entries at EDI to consecutive tables, the first entry being EAX.
.link:
        mov     [edi], eax
        add     eax, 0x1000
        add     edi, 8
        dec     ecx
        jnz     .link
        ret

; Map pages of the image up to physical address ECX; EDX:EAX is the first entry.
.pages:
        mov     edi, eax
        and     edi, ~0xfff
        sub     ecx, edi
        jz      .done
        shr     edi, 9
        add     edi, PA(image_tables)
        shr     ecx, 12
.page:
        mov     [edi], eax
        mov     [edi + 4], edx
        add     eax, 0x1000
        add     edi, 8
        dec     ecx
        jnz     .page
.done:
        ret

.no_long_mode:
        mov     esi, .message
        mov     dx, 0x3f8
.next:
        lodsb
        test    al, al
        jz      .halt
        out     dx, al
        jmp     .next
.halt:
        hlt
        jmp     .halt
.message: db "yolk: this CPU has no 64-bit mode with no-execute pages", 10, 0

align 8
boot_gdt:
        dq 0, 0
        dq 0x00209a0000000000       ; SEL_KERNEL_CS: 64-bit code
        dq 0x0040920000000000       ; SEL_KERNEL_DS, "32 bits" as it will be (see control_registers_init)
boot_gdt_pointer:
        dw $ - boot_gdt - 1
        dd boot_gdt

; ------------------------------------------------------------------------------------ 64-bit, still low
bits 64
boot_64:
        mov     eax, SEL_KERNEL_DS
        mov     ss, eax
        xor     eax, eax
        mov     ds, eax
        mov     es, eax
        mov     fs, eax
        mov     gs, eax
        mov     rax, boot_high
        jmp     rax

; ------------------------------------------------------------------------------------ 64-bit, at home
section .text.entry progbits alloc exec nowrite align=16
boot_high:
        mov     rdi, boot_tables_end
        mov     rcx, image_end
        sub     rcx, rdi
        shr     rcx, 3
        xor     eax, eax
        rep stosq                   ; the rest of .bss

        mov     rax, cpu_boot       ; this_cpu() and the stack canary from the first line of C
        mov     rdx, rax
        shr     rdx, 32
        mov     ecx, MSR_GS_BASE
        wrmsr

        mov     rsp, boot_stack_top
        mov     edi, ebp
        mov     esi, ebx
        xor     ebp, ebp            ; backtraces end here
        call    boot_main
        ud2

; The page tables of the whole life of the kernel (see above); the root stays for starting other CPUs.
section .bss.boot_tables nobits alloc noexec write align=4096
global boot_root, direct_pdpt, image_pdpt, image_tables
boot_root:      resb 4096
direct_pdpt:    resb 4096
direct_pds:     resb 4096 * DIRECT_GIB
image_pdpt:     resb 4096
image_pd:       resb 4096
image_tables:   resb 4096 * BOOT_IMAGE_TABLES

; The boot CPU's first stack.  boot_main unmaps the page below it.
section .bss.boot_stack nobits alloc noexec write align=4096
global boot_stack_guard, boot_stack_top
boot_stack_guard: resb 4096
                resb BOOT_STACK_SIZE
boot_stack_top:
