/* Restartable sequences, rseq(2): the program reads its CPU's number from its own memory, and a short critical section
 * that is preempted starts again. */
#pragma once

#include <arch/regs.h>
#include <base/types.h>

struct task;

/* rseq(2) for the current task. */
must_check long rseq_register(struct uptr area, uint32_t len, uint32_t sig);
must_check long rseq_unregister(struct uptr area, uint32_t len, uint32_t sig);
void rseq_reset(struct task *t);
/* On the way to ring 3 after a switch (THREAD_CALL) or before a handler's frame: restart an interrupted critical
 * section and store the CPU's number.  Bad data in the program's area is a SIGSEGV. */
void rseq_return_to_user(struct regs *regs);
