/* The descriptor tables: GDT and TSS of each CPU, the one IDT.
 *
 * Selectors are Linux's (arch/regs.h): programs see them in signal frames, i386 programs ask for their thread-local
 * segments by number (entries 12 to 14), and the vDSO reads the CPU's number from the limit of entry 15. */
#include "descriptors.h"

#include <arch/offsets.h>

#define GDT_KERNEL32_CS 1
#define GDT_KERNEL_CS   2
#define GDT_KERNEL_DS   3
#define GDT_USER32_CS   4
#define GDT_USER_DS     5
#define GDT_USER_CS     6
#define GDT_TSS         8
#define GDT_CPU_NUMBER  15

#define CODE32     0x00cf9b000000ffffull
#define CODE64     0x00af9b000000ffffull
#define DATA       0x00cf93000000ffffull
#define CPU_NUMBER 0x0040f50000000000ull /* a read-only segment of ring 3, limit to be filled in */
#define DPL3       (3ull << 45)
#define TSS_TYPE   0x89ull

#define GATE_INTERRUPT 0x8e
/* entry.asm */
#define STUB_SIZE           16
#define INTERRUPT_STUB_SIZE 8

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static alignas(16) struct gate idt[NUM_VECTORS];

static void gate_set(unsigned vector, const void *entry, unsigned ist, unsigned dpl)
{
    uintptr_t e = (uintptr_t)entry;

    idt[vector] = (struct gate){
        .offset_low = (uint16_t)e,
        .selector = KERNEL_CS,
        .ist = ist,
        .type = GATE_INTERRUPT | dpl << 5,
        .offset_middle = (uint16_t)(e >> 16),
        .offset_high = e >> 32,
    };
}

void descriptors_init_idt(void)
{
    const char *stub = entry_stubs;

    for (unsigned v = 0; v < NUM_VECTORS; v++) {
        gate_set(v, stub, 0, v == VECTOR_BREAKPOINT || v == VECTOR_OVERFLOW ? 3 : 0);
        stub += v < NUM_EXCEPTIONS ? STUB_SIZE : INTERRUPT_STUB_SIZE;
    }
    gate_set(VECTOR_SYSCALL, entry_int80, 0, 3);
    gate_set(VECTOR_NMI, entry_nmi, IST_NMI, 0);
    gate_set(VECTOR_DOUBLE_FAULT, entry_double_fault, IST_DOUBLE_FAULT, 0);
    gate_set(VECTOR_MACHINE_CHECK, entry_machine_check, IST_MACHINE_CHECK, 0);
}

void descriptors_init_cpu(struct cpu *cpu)
{
    struct arch_cpu *a = cpu->arch;
    uint64_t tss = (uint64_t)&a->tss;

    a->gdt[GDT_KERNEL32_CS] = CODE32;
    a->gdt[GDT_KERNEL_CS] = CODE64;
    a->gdt[GDT_KERNEL_DS] = DATA;
    a->gdt[GDT_USER32_CS] = CODE32 | DPL3;
    a->gdt[GDT_USER_DS] = DATA | DPL3;
    a->gdt[GDT_USER_CS] = CODE64 | DPL3;
    a->gdt[GDT_TSS] = (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 | TSS_TYPE << 40 |
                      (tss >> 24 & 0xff) << 56;
    a->gdt[GDT_TSS + 1] = tss >> 32;
    a->gdt[GDT_CPU_NUMBER] = CPU_NUMBER | cpu->index;

    a->tss.iomap = sizeof(struct tss); /* no ports for ring 3 */
    for (unsigned i = 0; i < IST_COUNT; i++) {
        /* The handler finds its CPU's block at the top, as it cannot trust GS: see entry.asm. */
        struct cpu **top = (struct cpu **)&a->ist_stack[i][IST_STACK_SIZE - 16];
        *top = cpu;
        a->tss.ist[i] = (uint64_t)top;
    }
}

void descriptors_load(struct cpu *cpu)
{
    struct table_pointer gdt = {sizeof(cpu->arch->gdt) - 1, (uint64_t)cpu->arch->gdt};
    struct table_pointer idtr = {sizeof(idt) - 1, (uint64_t)idt};
    uint64_t scratch;

    __asm__ volatile(
        "lgdt %1\n\t"
        "lidt %2\n\t"
        "ltr %w3\n\t"
        "lldt %w5\n\t" /* none: after a reset there is one at address 0, which a program could name */
        "movl %4, %%ss\n\t"
        "movl %5, %%ds\n\t"
        "movl %5, %%es\n\t"
        "movl %5, %%fs\n\t" /* GS keeps its base: the selector was zeroed by the entry code */
        "pushq %6\n\t"
        "leaq 1f(%%rip), %0\n\t"
        "pushq %0\n\t"
        "lretq\n"
        "1:"
        : "=&r"(scratch)
        : "m"(gdt), "m"(idtr), "r"(GDT_TSS * 8), "r"(KERNEL_DS), "r"(0), "i"(KERNEL_CS)
        : "memory");
}
