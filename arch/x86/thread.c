/* Threads as the CPU sees them: stacks, segment registers, thread-local bases.
 *
 * While a thread runs, its FPU state, segment selectors and FS/GS bases are in the CPU and the copies in struct
 * arch_thread are stale; arch_switch saves and loads them.  Kernel code uses none of them, so a switch to a thread
 * that never leaves ring 0 keeps the last program's. */
#include "thread.h"

#include <base/errno.h>
#include <base/log.h>
#include <base/string.h>

#include "exception.h"
#include "fpu.h"

#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define GDT_TLS            12

/* Load a selector that the program once loaded itself; 0 when its descriptor has gone. */
#define SEGMENT_LOAD(reg, selector)                                \
    __asm__ volatile("1: movl %0, %%" reg "\n\t"                   \
                     ".pushsection .text.fixup, \"ax\"\n"          \
                     "2: xorl %0, %0\n\t"                          \
                     "jmp 1b\n\t"                                  \
                     ".popsection\n\t" EXCEPTION_ENTRY("1b", "2b") \
                     : "+r"(selector)::"memory")

#define SEGMENT_READ(reg)                                         \
    __extension__({                                               \
        uint32_t selector_;                                       \
        __asm__ volatile("movl %%" reg ", %0" : "=r"(selector_)); \
        (uint16_t) selector_;                                     \
    })

static struct arch_thread *current_arch(void)
{
    return (struct arch_thread *)current_thread();
}

/* --- the user's FS and GS bases; interrupts off, as GS changes hands for a moment ------------------------------ */

static uint64_t fs_base_read(void)
{
    uint64_t v;

    if (!cpu_has(CPU_FSGSBASE))
        return rdmsr(MSR_FS_BASE);
    __asm__ volatile("rdfsbase %0" : "=r"(v));
    return v;
}

static void fs_base_write(uint64_t v)
{
    if (cpu_has(CPU_FSGSBASE))
        __asm__ volatile("wrfsbase %0" ::"r"(v));
    else
        wrmsr(MSR_FS_BASE, v);
}

static uint64_t gs_base_read(void)
{
    uint64_t v;

    if (!cpu_has(CPU_FSGSBASE))
        return rdmsr(MSR_KERNEL_GS_BASE);
    __asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(v)::"memory");
    return v;
}

static void gs_base_write(uint64_t v)
{
    if (cpu_has(CPU_FSGSBASE))
        __asm__ volatile("swapgs; wrgsbase %0; swapgs" ::"r"(v) : "memory");
    else
        wrmsr(MSR_KERNEL_GS_BASE, v);
}

/* Loading the GS selector loads the kernel's base; put that back.  The base that came is the user's. */
static void gs_selector_load(struct cpu *cpu, uint32_t selector)
{
    SEGMENT_LOAD("gs", selector);
    uint64_t base = rdmsr(MSR_GS_BASE);
    wrmsr(MSR_GS_BASE, (uint64_t)cpu);
    wrmsr(MSR_KERNEL_GS_BASE, base);
}

/* --- switching ------------------------------------------------------------------------------------------------ */

static void tls_load(struct cpu *cpu, const struct arch_thread *t)
{
    for (unsigned i = 0; i < ARRAY_LEN(t->tls); i++)
        cpu->arch->gdt[GDT_TLS + i] = t->tls[i];
}

static void user_state_save(struct arch_thread *t)
{
    t->ds = SEGMENT_READ("ds");
    t->es = SEGMENT_READ("es");
    t->fs = SEGMENT_READ("fs");
    t->gs = SEGMENT_READ("gs");
    t->fs_base = fs_base_read();
    t->gs_base = gs_base_read();
}

static void user_state_load(struct cpu *cpu, const struct arch_thread *t)
{
    uint32_t ds = t->ds, es = t->es, fs = t->fs;

    tls_load(cpu, t);
    /* A zero selector over a zero one changes nothing; any other may have another descriptor behind it by now. */
    if (ds | SEGMENT_READ("ds"))
        SEGMENT_LOAD("ds", ds);
    if (es | SEGMENT_READ("es"))
        SEGMENT_LOAD("es", es);
    if (fs | SEGMENT_READ("fs"))
        SEGMENT_LOAD("fs", fs);
    if (t->gs | SEGMENT_READ("gs"))
        gs_selector_load(cpu, t->gs);
    fs_base_write(t->fs_base);
    gs_base_write(t->gs_base);
}

struct thread *arch_switch(struct thread *prev, struct thread *next)
{
    struct arch_thread *p = (struct arch_thread *)prev, *n = (struct arch_thread *)next;
    struct cpu *cpu = this_cpu();
    uint16_t ss = SEGMENT_READ("ss");

    if (p->fpu) {
        user_state_save(p);
        fpu_save(p->fpu);
    }
    if (n->fpu) {
        user_state_load(cpu, n);
        /* The registers may still hold n's state, if only ring-0 threads have run here since. */
        if (cpu->arch->fpu_owner != n || n->fpu_cpu != cpu->index)
            fpu_load(n->fpu);
        cpu->arch->fpu_owner = n;
        n->fpu_cpu = cpu->index;
    }
    /* An interrupt from ring 3 leaves SS null; AMD's SYSRET would hand a null segment's attributes to 32-bit code. */
    if (ss != KERNEL_DS)
        __asm__ volatile("movl %0, %%ss" ::"r"(KERNEL_DS));

    cpu->current = next;
    cpu->kernel_rsp = n->stack_top;
    cpu->arch->tss.rsp[0] = n->stack_top;
    return switch_stacks(prev, next);
}

noreturn void thread_first_run(struct thread *prev, void (*entry)(void *), void *arg)
{
    up_thread_first_run(prev);
    entry(arg);
    panic("a thread's entry function returned");
}

int arch_thread_init(struct arch_thread *t, void *stack_top, void (*entry)(void *), void *arg,
                     bool is_user)
{
    *t = (struct arch_thread){.stack_top = (uint64_t)stack_top, .fpu_cpu = FPU_CPU_NONE};
    if (is_user) {
        t->fpu = fpu_new();
        if (!t->fpu)
            return -ENOMEM;
    }
    struct switch_frame *frame =
        (struct switch_frame *)ALIGN_DOWN((uintptr_t)arch_user_regs(t), 16) - 1;
    *frame = (struct switch_frame){
        .rbx = (uint64_t)entry, .r12 = (uint64_t)arg, .rip = (uint64_t)switch_first};
    t->rsp = (uint64_t)frame;
    return 0;
}

void arch_thread_destroy(struct arch_thread *t)
{
    up_free(t->fpu);
    t->fpu = NULL;
}

uint64_t arch_thread_frame(const struct arch_thread *t)
{
    return (uint64_t) & ((const struct switch_frame *)t->rsp)
                            ->rbp; /* the return address is next to it, as in a call */
}

void arch_enter_user(void)
{
    entry_return(arch_user_regs(current_arch()));
}

void arch_thread_copy_user_state(struct arch_thread *to)
{
    struct arch_thread *from = current_arch();
    bool irqs = arch_irq_save();

    user_state_save(to);
    fpu_save_full(to->fpu);
    memcpy(to->tls, from->tls, sizeof(to->tls));
    arch_irq_restore(irqs);
}

void arch_tls_load(void)
{
    bool irqs = arch_irq_save();

    tls_load(this_cpu(), current_arch());
    arch_irq_restore(irqs);
}

/* --- arch_prctl(2) --------------------------------------------------------------------------------------------- */

int arch_set_fs_base(uint64_t base)
{
    uint32_t null = 0;

    if (base >= USER_TOP)
        return -EPERM;
    bool irqs = arch_irq_save();
    if (SEGMENT_READ("fs") != 0)
        SEGMENT_LOAD("fs", null);
    fs_base_write(base);
    arch_irq_restore(irqs);
    return 0;
}

int arch_set_gs_base(uint64_t base)
{
    if (base >= USER_TOP)
        return -EPERM;
    bool irqs = arch_irq_save();
    if (SEGMENT_READ("gs") != 0)
        gs_selector_load(this_cpu(), 0);
    gs_base_write(base);
    arch_irq_restore(irqs);
    return 0;
}

uint64_t arch_get_fs_base(void)
{
    return fs_base_read();
}

uint64_t arch_get_gs_base(void)
{
    bool irqs = arch_irq_save();
    uint64_t base = gs_base_read();

    arch_irq_restore(irqs);
    return base;
}
