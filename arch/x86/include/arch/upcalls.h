/* Everything the CPU asks of the portable kernel, implemented above this layer.
 *
 * "From user" below means that interrupts are on, the current thread's own kernel stack is in use and the
 * upcall may sleep; otherwise the upcall runs with interrupts off and may not. */
#pragma once

#include <arch/bootinfo.h>
#include <arch/regs.h>
#include <base/types.h>

struct thread;

/* kernel/main.c: the boot CPU in 64-bit C with a stack, a GDT, an IDT and the direct map of the first
 * 4 GiB of what bootinfo lists; this_cpu() works and ->current is NULL.  Interrupts off. */
noreturn void up_main(const struct bootinfo *info);
/* core/sched_idle.c: another CPU, likewise; this_cpu()->core is NULL until it calls core_cpu_init. */
noreturn void up_cpu_main(void);

/* syscalls/dispatch.c: SYSCALL from user with these argument registers, the number in the low half of orig_rax; answers
 * what regs->rax becomes.  Whoever changes anything else of the user's registers while it runs also sets their orig_rax
 * to -1: the short way back to ring 3 restores only what the CPU and C have not kept.  Interrupts on. */
long up_syscall(uint64_t rdi, uint64_t rsi, uint64_t rdx, uint64_t r10, uint64_t r8, uint64_t r9,
                uint64_t orig_rax);
/* The same, after arch_trace_syscalls. */
long up_syscall_traced(uint64_t rdi, uint64_t rsi, uint64_t rdx, uint64_t r10, uint64_t r8,
                       uint64_t r9, uint64_t orig_rax);
/* int 0x80 from either code segment; the callee stores the result in regs->rax, which is -ENOSYS. */
void up_syscall_32(struct regs *regs);

enum { FAULT_PRESENT = 1, FAULT_WRITE = 2, FAULT_USER = 4, FAULT_RESERVED = 8, FAULT_EXEC = 16 };
/* proc/traps.c: a page fault on a user address, from user or from a user copy in the kernel (then without
 * FAULT_USER; interrupts are as they were at the fault).  Answers whether the access should be tried again;
 * false ends a user copy with -EFAULT (from user, the callee has posted a signal and the answer is ignored). */
bool up_page_fault(struct regs *regs, uintptr_t addr, unsigned flags);
/* syscalls/custom: kernel code that is no user copy has touched the user address `addr`.  Interrupts off.  Does not
 * return when a custom call's handler did it, which ends that call; returns when this is a bug of the kernel's. */
void up_wild_access(struct regs *regs, uintptr_t addr);
/* proc/traps.c: another exception from user: `vector` and `error` as the CPU gave them. */
void up_fault(struct regs *regs, unsigned vector, uint64_t error);

/* core/timer.c: the deadline of arch_timer_arm has come. */
void up_timer_irq(void);
/* core/sched.c: arch_send_resched reached this CPU. */
void up_resched_irq(void);
/* core/dump.c: another CPU panicked; note where we were. */
void up_halt_irq(const struct regs *regs);
/* core/dump.c: a non-maskable interrupt, which may have come in the middle of anything: say what this CPU does.  On
 * that interrupt's own stack. */
void up_dump_nmi(const struct regs *regs);

/* Bits of struct cpu.work: why the way back to ring 3 takes the slow path.  WORK_RESCHED belongs to the CPU;
 * WORK_THREAD is copied from the thread at each switch (core/sched.c) and set again by whoever posts. */
enum { WORK_RESCHED = 1, WORK_THREAD = 2 };
/* core/sched.c: called before ring 3 is entered while ->work is not 0, on the thread's stack, interrupts on;
 * called again until it is 0 with interrupts off. */
void up_return_to_user(struct regs *regs);

/* core/sched.c: a new thread runs for the first time, on its own stack, interrupts off: what arch_switch answers
 * to an old one.  The thread's entry is called next. */
void up_thread_first_run(struct thread *prev);

/* core/page.c: a zeroed page for a page table; pa 0 when there is none, or not yet (before page_init).  Any
 * context.  And its end. */
struct paddr up_table_page_alloc(void);
void up_table_page_free(struct paddr page);
/* core/heap.c, for per-thread FPU areas and per-CPU blocks: 64-byte aligned, zeroed; NULL when out of memory. */
void *up_alloc(size_t size);
void up_free(void *p);
