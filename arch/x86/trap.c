/* Exceptions and interrupts in C: who gets what.  entry.asm calls these with interrupts off. */
#include "trap.h"

#include <base/log.h>
#include <base/string.h>

#include "exception.h"

#define FIRST_IRQ 0x20

struct exception_entry {
    int32_t from, end, to; /* each from its own place */
};
extern const struct exception_entry exception_table_start[], exception_table_end[];

static irq_vector_fn *handlers[256];
static bool is_halting;    /* atomic: arch_halt_others was called */
static unsigned nr_halted; /* atomic */

void irq_vector_set(unsigned vector, irq_vector_fn *handler)
{
    __atomic_store_n(&handlers[vector], handler, __ATOMIC_RELEASE);
}

uint64_t exception_fixup(uint64_t rip)
{
    for (const struct exception_entry *e = exception_table_start; e < exception_table_end; e++)
        if (rip >= (uintptr_t)&e->from + e->from && rip < (uintptr_t)&e->end + e->end)
            return (uintptr_t)&e->to + e->to;
    return 0;
}

static uint64_t read_cr2(void)
{
    uint64_t v;
    __asm__ volatile("movq %%cr2, %0" : "=r"(v));
    return v;
}

static void irq_dispatch(unsigned vector, struct regs *regs)
{
    struct cpu *cpu = this_cpu();
    irq_vector_fn *handler = __atomic_load_n(&handlers[vector], __ATOMIC_ACQUIRE);
    bool is_pic = vector >= VECTOR_PIC && vector < VECTOR_DEVICE_FIRST;

    cpu->irq_depth++;
    if (handler)
        handler(vector, regs);
    else if (!is_pic && vector != VECTOR_SPURIOUS)
        log_warn("interrupt vector %#x has no handler", vector);
    if (!is_pic && vector != VECTOR_SPURIOUS)
        apic_eoi();
    cpu->irq_depth--;
}

void trap_user(unsigned vector, uint64_t error, struct regs *regs)
{
    if (vector >= FIRST_IRQ) {
        irq_dispatch(vector, regs);
        return;
    }
    if (vector == VECTOR_PAGE_FAULT) {
        uintptr_t addr = read_cr2();
        arch_irq_on();
        /* An access of the supervisor in ring 3, which only an emulator makes of a far return's: SMAP forbids it as
         * often as it is tried, so that it is an exception like the others. */
        if ((error & FAULT_USER) || !cpu_has(CPU_SMAP)) {
            (void)up_page_fault(regs, addr, error | FAULT_USER);
            return;
        }
    }
    arch_irq_on();
    up_fault(regs, vector, error);
}

static seldom_called noreturn void trap_panic(const char *what, unsigned vector, uint64_t error,
                                              const struct regs *r)
{
    log_line(LOG_PANIC, "rip %016lx rsp %016lx rflags %08lx cs %02lx", r->rip, r->rsp, r->rflags,
             r->cs);
    log_line(LOG_PANIC, "rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx,
             r->rdx);
    log_line(LOG_PANIC, "rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi, r->rbp,
             r->r8);
    log_line(LOG_PANIC, "r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10, r->r11,
             r->r12);
    log_line(LOG_PANIC, "r13 %016lx r14 %016lx r15 %016lx cr2 %016lx", r->r13, r->r14, r->r15,
             read_cr2());
    panic("%s: vector %u, error %#lx, at %#lx", what, vector, error, r->rip);
}

/* A page fault of kernel code: of a user copy, of a root entry that is not here yet, or a bug. */
static void kernel_page_fault(uint64_t error, struct regs *regs)
{
    uintptr_t addr = read_cr2();
    uint64_t fixup = exception_fixup(regs->rip);

    if (addr >= USER_TOP) {
        if (!(error & FAULT_PRESENT) && paging_sync_upper(addr))
            return;
    } else if (fixup != 0) {
        arch_irq_restore(regs->rflags & RFLAGS_IF);
        if (up_page_fault(regs, addr, error & ~FAULT_USER))
            return;
    }
    if (fixup == 0) {
        if (addr < USER_TOP)
            up_wild_access(regs, addr);
        trap_panic("page fault in the kernel", VECTOR_PAGE_FAULT, error, regs);
    }
    regs->rip = fixup;
}

void trap_kernel(unsigned vector, uint64_t error, struct regs *regs)
{
    if (vector >= FIRST_IRQ) {
        irq_dispatch(vector, regs);
    } else if (vector == VECTOR_PAGE_FAULT) {
        kernel_page_fault(error, regs);
    } else {
        uint64_t fixup = exception_fixup(regs->rip);
        if (fixup == 0)
            trap_panic("exception in the kernel", vector, error, regs);
        regs->rip = fixup;
    }
}

seldom_called struct regs *trap_bad_iret(struct regs *fault)
{
    struct regs *user = (struct regs *)this_cpu()->kernel_rsp - 1;

    /* IRET's operands are still where they belong; the general registers moved down a little. */
    memmove(user, fault, offsetof(struct regs, orig_rax));
    user->orig_rax = -1;
    return user;
}

static noreturn void halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

seldom_called void trap_nmi(unsigned vector, uint64_t error, struct regs *regs)
{
    if (!__atomic_load_n(&is_halting, __ATOMIC_ACQUIRE)) {
        up_dump_nmi(regs); /* arch_dump_cpus, or somebody at the machine's button */
        return;
    }
    up_halt_irq(regs);
    __atomic_fetch_add(&nr_halted, 1, __ATOMIC_RELEASE);
    halt_forever();
}

void trap_fatal(unsigned vector, uint64_t error, struct regs *regs)
{
    trap_panic(vector == VECTOR_DOUBLE_FAULT ? "double fault" : "machine check", vector, error,
               regs);
}

seldom_called void arch_dump_cpus(void)
{
    unsigned me = this_cpu()->index;

    for (unsigned i = 0; i < arch_cpu_count(); i++)
        if (i != me)
            ipi_send_nmi(i);
    ipi_send_nmi(me); /* last: it comes at once, and its handler may wait for the others */
}

seldom_called void arch_halt_others(void)
{
    const uint64_t patience_cycles = 1000 * 1000 * 1000; /* a CPU may be gone already */
    unsigned me = this_cpu()->index, others = 0;

    if (__atomic_exchange_n(&is_halting, true, __ATOMIC_ACQ_REL))
        halt_forever(); /* another CPU does the talking */
    for (unsigned i = 0; i < arch_cpu_count(); i++) {
        if (i != me) {
            ipi_send_nmi(i);
            others++;
        }
    }
    uint64_t start = rdtsc();
    while (__atomic_load_n(&nr_halted, __ATOMIC_ACQUIRE) < others &&
           rdtsc() - start < patience_cycles)
        arch_relax();
}
