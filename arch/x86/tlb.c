/* Which address space a CPU is on, and making CPUs forget translations.
 *
 * A CPU that wants others to forget fills its own request, marks itself in each target's mailbox, interrupts the
 * targets and waits until they have all answered.  It waits with interrupts on, so two CPUs that flush at the same
 * time serve each other; nothing that runs in an interrupt starts a flush, so one request a CPU is enough.
 *
 * No translation is missed: a flusher has changed the tables before it reads vm->cpus, and a CPU enters itself in
 * vm->cpus before it loads CR3 (both are full barriers). */
#include "paging.h"

#include <base/log.h>

#define FLUSH_PAGES_MAX 32 /* beyond this, dropping everything is cheaper */
#define CR4_PGE         0x80ull

enum flush_kind { FLUSH_USER, FLUSH_KERNEL, FLUSH_LEAVE };

static struct flush_request {
    alignas(64) struct arch_vm *vm;
    uintptr_t start, end;
    enum flush_kind kind;
    uint64_t waiting; /* targets that have not answered; atomic */
} requests[ARCH_MAX_CPUS];

/* Bit n: CPU n has a request for this CPU; atomic. */
static struct {
    alignas(64) uint64_t from;
} mailboxes[ARCH_MAX_CPUS];

void arch_vm_activate(struct arch_vm *vm)
{
    struct cpu *cpu = this_cpu();
    struct arch_vm *old = cpu->vm;
    uint64_t bit = 1ull << cpu->index;

    if (old == vm)
        return;
    __atomic_fetch_or(&vm->cpus, bit, __ATOMIC_SEQ_CST);
    write_cr3(vm->root.pa);
    cpu->vm = vm;
    if (old)
        __atomic_fetch_and(&old->cpus, ~bit, __ATOMIC_SEQ_CST);
}

/* Everything, or everything but the kernel's global pages. */
static void flush_all(bool global)
{
    uint64_t cr4;

    if (!global || !cpu_has(CPU_PGE)) {
        write_cr3(read_cr3());
        return;
    }
    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("movq %0, %%cr4" ::"r"(cr4 & ~CR4_PGE) : "memory");
    __asm__ volatile("movq %0, %%cr4" ::"r"(cr4) : "memory");
}

static void flush_local(const struct flush_request *r)
{
    bool irqs = arch_irq_save();

    /* An idle CPU leaves an address space that others change, so that it is asked once and not at every change. */
    if (r->kind == FLUSH_LEAVE || (r->kind == FLUSH_USER && this_cpu()->is_idle)) {
        if (this_cpu()->vm == r->vm)
            arch_vm_activate(&paging_kernel_vm);
    } else if (r->kind == FLUSH_KERNEL || this_cpu()->vm == r->vm) {
        if (r->end - r->start > FLUSH_PAGES_MAX * PAGE_SIZE)
            flush_all(r->kind == FLUSH_KERNEL);
        else
            for (uintptr_t va = r->start; va < r->end; va += PAGE_SIZE)
                tlb_flush_page(va);
    }
    arch_irq_restore(irqs);
}

static void flush_irq(unsigned vector, struct regs *regs)
{
    unsigned me = this_cpu()->index;
    uint64_t from = __atomic_exchange_n(&mailboxes[me].from, 0, __ATOMIC_ACQ_REL);

    for (; from != 0; from &= from - 1) {
        struct flush_request *r = &requests[__builtin_ctzll(from)];
        flush_local(r);
        __atomic_fetch_and(&r->waiting, ~(1ull << me), __ATOMIC_ACQ_REL);
    }
}

void tlb_init(void)
{
    irq_vector_set(VECTOR_FLUSH, flush_irq);
}

/* Carry a request out on this CPU and on `cpus`. */
static void flush_everywhere(enum flush_kind kind, struct arch_vm *vm, uint64_t cpus,
                             uintptr_t start, uintptr_t end)
{
    unsigned me = this_cpu()->index;
    struct flush_request *r = &requests[me];

    r->kind = kind;
    r->vm = vm;
    r->start = start;
    r->end = end;
    cpus &= ~(1ull << me);
    __atomic_store_n(&r->waiting, cpus, __ATOMIC_RELEASE);
    for (uint64_t left = cpus; left != 0; left &= left - 1) {
        unsigned target = __builtin_ctzll(left);
        /* A bit that was there already has an interrupt on its way. */
        if (__atomic_fetch_or(&mailboxes[target].from, 1ull << me, __ATOMIC_ACQ_REL) == 0)
            ipi_send(target, VECTOR_FLUSH);
    }
    flush_local(r);
    assert(cpus == 0 || arch_irqs_are_on());
    while (__atomic_load_n(&r->waiting, __ATOMIC_ACQUIRE) != 0)
        arch_relax();
}

void arch_flush(struct arch_vm *vm, uintptr_t start, uintptr_t end)
{
    uint64_t retired = __atomic_exchange_n(&vm->retired, 0, __ATOMIC_ACQ_REL);

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (retired != 0) /* tables went too: everything that was cached of them */
        end = start + (FLUSH_PAGES_MAX + 1) * PAGE_SIZE;
    flush_everywhere(FLUSH_USER, vm, __atomic_load_n(&vm->cpus, __ATOMIC_SEQ_CST), start, end);
    while (retired != 0) {
        struct paddr page = {retired};
        retired = *(uint64_t *)direct_ptr(page);
        *(uint64_t *)direct_ptr(page) = 0;
        up_table_page_free(page);
    }
}

void tlb_leave(struct arch_vm *vm)
{
    flush_everywhere(FLUSH_LEAVE, vm, __atomic_load_n(&vm->cpus, __ATOMIC_SEQ_CST), 0, 0);
}

void arch_kflush(uintptr_t start, uintptr_t end)
{
    uint64_t running = ~0ull >> (64 - arch_cpu_count());

    flush_everywhere(FLUSH_KERNEL, NULL, running, start, end);
}
