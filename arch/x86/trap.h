/* What entry.asm calls, interrupts off (trap.c). */
#pragma once

#include "internal.h"

/* An exception or interrupt from ring 3, on the thread's stack; interrupts may be on at return. */
void trap_user(unsigned vector, uint64_t error, struct regs *regs);
/* One from ring 0. */
void trap_kernel(unsigned vector, uint64_t error, struct regs *regs);
/* IRET to ring 3 faulted: rebuild and answer the user's registers from those at the fault. */
struct regs *trap_bad_iret(struct regs *fault);
/* On the stacks of their own. */
void trap_nmi(unsigned vector, uint64_t error, struct regs *regs);
void trap_fatal(unsigned vector, uint64_t error, struct regs *regs);
