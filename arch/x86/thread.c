/* Threads as the CPU sees them: stacks, segment registers, thread-local bases.
 *
 * While a thread runs, its FPU state, segment selectors and FS/GS bases are in the CPU and the copies in struct
 * arch_thread are stale; arch_switch saves and loads them.  Kernel code uses none of them, so a switch to a thread
 * that never leaves ring 0 keeps the last program's. */
#include "thread.h"

#include <asm/ldt.h>
#include <base/errno.h>
#include <base/log.h>
#include <base/string.h>

#include "exception.h"
#include "fpu.h"

#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

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
        uint32_t selector_; /* the CPU clears the upper half */   \
        __asm__ volatile("movl %%" reg ", %0" : "=r"(selector_)); \
        selector_;                                                \
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
static inline void gs_selector_load(struct cpu *cpu, uint32_t selector)
{
    SEGMENT_LOAD("gs", selector);
    uint64_t base = rdmsr(MSR_GS_BASE);
    wrmsr(MSR_GS_BASE, (uint64_t)cpu);
    wrmsr(MSR_KERNEL_GS_BASE, base);
}

/* --- switching ------------------------------------------------------------------------------------------------ */

/* A program has made an entry: until then every thread's are empty, and every CPU's.  Who switches to a thread that has
 * one has taken a lock since it was made. */
static bool tls_is_used;

static void tls_load(struct cpu *cpu, const struct arch_thread *t)
{
    for (unsigned i = 0; i < ARRAY_LEN(t->tls); i++)
        cpu->arch->gdt[ARCH_TLS_FIRST + i] = t->tls[i];
}

/* Not 0 when one of the live selectors is not. */
static inline uint32_t any_selector(void)
{
    return SEGMENT_READ("ds") | SEGMENT_READ("es") | SEGMENT_READ("fs") | SEGMENT_READ("gs");
}

static void user_state_save(struct arch_thread *t, uint32_t any)
{
    t->selectors.all = 0;
    if (unlikely(any))
        arch_get_selectors(&t->selectors);
    t->fs_base = fs_base_read();
    t->gs_base = gs_base_read();
}

/* A zero selector over a zero one changes nothing; any other may have another descriptor behind it by now. */
static void selectors_load(struct cpu *cpu, const struct arch_selectors *s)
{
    uint32_t ds = s->ds, es = s->es, fs = s->fs;

    if (ds | SEGMENT_READ("ds"))
        SEGMENT_LOAD("ds", ds);
    if (es | SEGMENT_READ("es"))
        SEGMENT_LOAD("es", es);
    if (fs | SEGMENT_READ("fs"))
        SEGMENT_LOAD("fs", fs);
    if (s->gs | SEGMENT_READ("gs"))
        gs_selector_load(cpu, s->gs);
}

static void user_state_load(struct cpu *cpu, const struct arch_thread *t, uint32_t any)
{
    if (unlikely(__atomic_load_n(&tls_is_used, __ATOMIC_RELAXED)))
        tls_load(cpu, t);
    if (unlikely(t->selectors.all | any))
        selectors_load(cpu, &t->selectors);
    fs_base_write(t->fs_base);
    gs_base_write(t->gs_base);
}

struct thread *arch_switch(struct thread *prev, struct thread *next)
{
    struct arch_thread *p = (struct arch_thread *)prev, *n = (struct arch_thread *)next;
    struct cpu *cpu = this_cpu();
    uint32_t any = any_selector();

    if (p->fpu) {
        user_state_save(p, any);
        fpu_save(p->fpu);
    }
    if (n->fpu) {
        user_state_load(cpu, n, any);
        /* The registers may still hold n's state, if only ring-0 threads have run here since. */
        if (cpu->arch->fpu_owner != n || n->fpu_cpu != cpu->index)
            fpu_load(n->fpu);
        cpu->arch->fpu_owner = n;
        n->fpu_cpu = cpu->index;
    }

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

    user_state_save(to, any_selector());
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

/* --- selectors ------------------------------------------------------------------------------------------------- */

void arch_get_selectors(struct arch_selectors *s)
{
    s->ds = (uint16_t)SEGMENT_READ("ds");
    s->es = (uint16_t)SEGMENT_READ("es");
    s->fs = (uint16_t)SEGMENT_READ("fs");
    s->gs = (uint16_t)SEGMENT_READ("gs");
}

void arch_set_selectors(const struct arch_selectors *s)
{
    uint32_t ds = s->ds, es = s->es, fs = s->fs;
    bool irqs = arch_irq_save();

    if (ds != SEGMENT_READ("ds"))
        SEGMENT_LOAD("ds", ds);
    if (es != SEGMENT_READ("es"))
        SEGMENT_LOAD("es", es);
    if (fs != SEGMENT_READ("fs"))
        SEGMENT_LOAD("fs", fs);
    if (s->gs != SEGMENT_READ("gs"))
        gs_selector_load(this_cpu(), s->gs);
    arch_irq_restore(irqs);
}

void arch_user_reset(bool is_i386)
{
    const uint16_t data = is_i386 ? USER_DS : 0;
    struct arch_thread *t = current_arch();
    bool irqs = arch_irq_save();

    memset(t->tls, 0, sizeof(t->tls));
    arch_set_selectors(&(struct arch_selectors){.ds = data, .es = data});
    tls_load(this_cpu(), t);
    fs_base_write(0);
    gs_base_write(0);
    arch_irq_restore(irqs);
    arch_fpu_reset();
}

/* --- set_thread_area(2) ---------------------------------------------------------------------------------------- */

#define TLS_SELECTOR(entry) ((uint16_t)((entry) << 3 | 3))

static bool is_tls_entry(unsigned entry)
{
    return entry >= ARCH_TLS_FIRST && entry < ARCH_TLS_FIRST + ARCH_TLS_ENTRIES;
}

/* What asks for an empty entry: all zero, or what modify_ldt(2) takes for that. */
static bool is_empty(const struct user_desc *d)
{
    bool has_nothing = d->base_addr == 0 && d->limit == 0 && d->contents == 0 && !d->seg_32bit &&
                       !d->limit_in_pages && !d->useable;
    return has_nothing && d->read_exec_only == d->seg_not_present;
}

static uint64_t descriptor_of(const struct user_desc *d)
{
    const uint64_t accessed = 1, writable = 2, code_or_data = 0x10, dpl3 = 0x60, present = 0x80;
    uint64_t type = accessed | code_or_data | dpl3 | (d->read_exec_only ? 0 : writable) |
                    (uint64_t)d->contents << 2 | (d->seg_not_present ? 0 : present);
    uint64_t flags =
        (uint64_t)d->useable | (uint64_t)d->seg_32bit << 2 | (uint64_t)d->limit_in_pages << 3;

    return (d->limit & 0xffff) | (uint64_t)(d->base_addr & 0xffffff) << 16 | type << 40 |
           (uint64_t)(d->limit >> 16 & 0xf) << 48 | flags << 52 |
           (uint64_t)(d->base_addr >> 24) << 56;
}

int arch_tls_find_free(void)
{
    const struct arch_thread *t = current_arch();

    for (unsigned i = 0; i < ARCH_TLS_ENTRIES; i++)
        if (t->tls[i] == 0)
            return (int)(ARCH_TLS_FIRST + i);
    return -ESRCH;
}

/* Whoever uses the entry now sees what it has become. */
static void tls_reload(unsigned entry)
{
    const uint16_t selector = TLS_SELECTOR(entry);
    struct arch_selectors s, without;

    arch_get_selectors(&s);
    without = (struct arch_selectors){
        .ds = s.ds == selector ? 0 : s.ds,
        .es = s.es == selector ? 0 : s.es,
        .fs = s.fs == selector ? 0 : s.fs,
        .gs = s.gs == selector ? 0 : s.gs,
    };
    arch_set_selectors(&without);
    arch_set_selectors(&s);
}

seldom_called int arch_tls_set(struct arch_thread *t, unsigned entry, const struct user_desc *d)
{
    bool is_zero = is_empty(d);

    if (!is_tls_entry(entry))
        return -EINVAL;
    if (!is_zero && (!d->seg_32bit || d->contents > 1 || d->seg_not_present))
        return -EINVAL;
    __atomic_store_n(&tls_is_used, true, __ATOMIC_RELAXED);
    t->tls[entry - ARCH_TLS_FIRST] = is_zero ? 0 : descriptor_of(d);
    if (t == current_arch()) {
        bool irqs = arch_irq_save();
        tls_load(this_cpu(), t);
        tls_reload(entry);
        arch_irq_restore(irqs);
        return 0;
    }
    if (t->selectors.fs == TLS_SELECTOR(entry))
        t->fs_base = d->base_addr;
    if (t->selectors.gs == TLS_SELECTOR(entry))
        t->gs_base = d->base_addr;
    return 0;
}

int arch_tls_get(unsigned entry, struct user_desc *d)
{
    if (!is_tls_entry(entry))
        return -EINVAL;
    uint64_t v = current_arch()->tls[entry - ARCH_TLS_FIRST];
    *d = (struct user_desc){
        .entry_number = entry,
        .base_addr = (uint32_t)(v >> 16 & 0xffffff) | (uint32_t)(v >> 56) << 24,
        .limit = (uint32_t)(v & 0xffff) | (uint32_t)(v >> 48 & 0xf) << 16,
        .seg_32bit = v >> 54 & 1,
        .contents = v >> 42 & 3,
        .read_exec_only = !(v >> 41 & 1),
        .limit_in_pages = v >> 55 & 1,
        .seg_not_present = !(v >> 47 & 1),
        .useable = v >> 52 & 1,
    };
    return 0;
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
