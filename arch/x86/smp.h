/* Between smp.c and smp_trampoline.asm, which repeats these numbers and offsets. */
#pragma once

#include <arch/cpu.h>
#include <base/types.h>

#define SMP_TRAMPOLINE 0x8000     /* physical; in the low 64 KiB, which the boot code keeps free */
#define SMP_CLOSED     0x40000000 /* smp_next_slot once nobody may enter any more */

struct smp_slot {
    struct cpu *cpu; /* 0 */
    void *stack_top; /* 8 */
};
extern struct smp_slot smp_slots[ARCH_MAX_CPUS];
extern uint32_t smp_next_slot, smp_nr_slots;

/* In the trampoline's copy. */
struct smp_params {
    uint32_t cr3;   /* 0 */
    uint32_t efer;  /* 4 */
    uint64_t entry; /* 8 */
};

extern const uint8_t smp_trampoline[];
extern const uint32_t smp_trampoline_size, smp_trampoline_params; /* offset of struct smp_params */
void smp_entry(void); /* 64-bit mode, no stack: takes a slot */
noreturn void smp_cpu_main(struct cpu *cpu);
