/* GDT, TSS, IDT (descriptors.c) and the entry points that the IDT names (entry.asm). */
#pragma once

#include "internal.h"

void descriptors_init_idt(void);            /* once */
void descriptors_init_cpu(struct cpu *cpu); /* fill the tables of a CPU's block */
void descriptors_load(struct cpu *cpu);     /* on that CPU */

extern const char entry_stubs[], entry_int80[], entry_nmi[], entry_double_fault[],
    entry_machine_check[];
extern const char entry_syscall[], entry_syscall_traced[], entry_syscall_compat[];
