/* The per-CPU block that GS points at in ring 0, and the current thread.
 *
 * Offsets of the first fields are used by assembly: they are in arch/offsets.h and asserted in cpu.c. */
#pragma once

#include <base/types.h>

#define ARCH_MAX_CPUS 64

struct thread;
struct core_cpu;

struct cpu {
    struct cpu *self;       /*  0 */
    struct thread *current; /*  8: set by arch_switch */
    uint64_t kernel_rsp;    /* 16: top of current's kernel stack: where SYSCALL lands */
    uint64_t user_rsp;      /* 24: scratch of the SYSCALL entry */
    uint64_t work;          /* 32: not 0: call up_return_to_user before ring 3 (see upcalls.h) */
    uint64_t canary;        /* 40: -fstack-protector's, %gs:40 */
    unsigned index;         /* 48: 0 is the boot CPU */
    uint32_t apic_id;       /* 52 */
    struct core_cpu *core;  /* 56: kernel/core's per-CPU data */
    unsigned irq_depth;     /* 64: > 0 in an interrupt handler */
    struct arch_cpu *arch;  /* 72: arch's own */
    struct arch_vm *vm;     /* 80: the address space in CR3 */
    uint64_t kicks;         /* core's: the CPUs that sched_send_kicks is to interrupt; atomic */
    bool is_idle;           /* in arch_cpu_idle: private, seen by this CPU's interrupt handlers */
};

/* Uses close together share one load; the operand that nothing reads is memory that any call may have changed, so
 * that the compiler keeps no value across a call in which the thread may have moved to another CPU. */
extern uint64_t cpu_may_have_changed;
static inline struct cpu *this_cpu(void)
{
    struct cpu *c;
    __asm__("movq %%gs:0, %0" : "=r"(c) : "m"(cpu_may_have_changed));
    return c;
}

/* The running thread: unlike this_cpu() it stays true across a switch to another CPU, or to another thread and back, as
 * what runs on one stack is one thread.  So a function may load it once and keep it, which is why the load is neither
 * volatile nor depends on memory.  It changes under nobody but core_cpu_init, before which no one may ask. */
static inline struct thread *current_thread(void)
{
    struct thread *t;
    __asm__("movq %%gs:8, %0" : "=r"(t));
    return t;
}

/* CPUs that run (not those the machine merely lists). */
unsigned arch_cpu_count(void);
struct cpu *arch_cpu(unsigned index);
