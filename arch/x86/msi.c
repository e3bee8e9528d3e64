/* Device interrupts: vectors handed out to lines (which devices may share) and to messages, and the
 * call of their handlers.
 *
 * Handlers are only ever added, while the vector may already be firing: a new one is linked in with
 * one store, so that the interrupt path needs no lock. */
#include "platform.h"

#include <base/errno.h>
#include <base/log.h>

#define NR_VECTORS (VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1)

struct irq_action {
    irq_handler *handler;
    void *arg;
    struct irq_action *next;
};

/* Guards everything here against other setters, but not against interrupts. */
static struct platform_lock lock;
static struct irq_action *actions[NR_VECTORS]; /* by vector; read without the lock */
static unsigned next_vector = VECTOR_DEVICE_FIRST;
static struct irq_line {
    uint32_t gsi;
    unsigned vector;
} lines[NR_VECTORS];
static unsigned nr_lines;

static void dispatch(unsigned vector, struct regs *regs)
{
    struct irq_action *a =
        __atomic_load_n(&actions[vector - VECTOR_DEVICE_FIRST], __ATOMIC_ACQUIRE);
    for (; a; a = a->next)
        a->handler(a->arg);
}

/* A vector nobody has, with its dispatcher in place; 0 when all are taken.  Under the lock. */
static unsigned vector_take_locked(void)
{
    if (next_vector == VECTOR_SYSCALL)
        next_vector++;
    if (next_vector > VECTOR_DEVICE_LAST)
        return 0;
    irq_vector_set(next_vector, dispatch);
    return next_vector++;
}

static void action_add_locked(unsigned vector, struct irq_action *a)
{
    a->next = actions[vector - VECTOR_DEVICE_FIRST];
    __atomic_store_n(&actions[vector - VECTOR_DEVICE_FIRST], a, __ATOMIC_RELEASE);
}

static struct irq_action *action_new(irq_handler *handler, void *arg)
{
    struct irq_action *a = up_alloc(sizeof(*a));
    if (a)
        *a = (struct irq_action){handler, arg, NULL};
    return a;
}

static struct irq_line *line_find_locked(uint32_t gsi)
{
    for (unsigned i = 0; i < nr_lines; i++)
        if (lines[i].gsi == gsi)
            return &lines[i];
    return NULL;
}

/* The first user of a line gives it a vector and decides how it is triggered. */
static int line_open_locked(uint32_t gsi, bool is_level, bool is_low, struct irq_action *a)
{
    unsigned vector = vector_take_locked();
    if (!vector)
        return -EBUSY;
    action_add_locked(vector, a); /* before the first interrupt can come */
    int err = ioapic_route(gsi, vector, is_level, is_low);
    if (err) {
        actions[vector - VECTOR_DEVICE_FIRST] = NULL;
        next_vector = vector;
        return err;
    }
    lines[nr_lines++] = (struct irq_line){gsi, vector};
    return 0;
}

int arch_irq_line(unsigned irq, bool is_level, irq_handler *handler, void *arg)
{
    uint32_t gsi = irq;
    bool is_low = is_level; /* PCI's lines are; an ISA interrupt is what the tables say */
    if (irq < MACHINE_ISA_IRQS) {
        gsi = platform.isa[irq].gsi;
        is_low = platform.isa[irq].is_low;
        is_level |= platform.isa[irq].is_level;
    }
    struct irq_action *a = action_new(handler, arg);
    if (!a)
        return -EBUSY;

    int err = 0;
    bool irqs = platform_lock(&lock);
    struct irq_line *line = line_find_locked(gsi);
    if (line)
        action_add_locked(line->vector, a);
    else
        err = line_open_locked(gsi, is_level, is_low, a);
    platform_unlock(&lock, irqs);
    if (err)
        up_free(a);
    return err;
}

int arch_irq_msi(unsigned cpu, irq_handler *handler, void *arg, uint64_t *address, uint32_t *data)
{
    struct irq_action *a = action_new(handler, arg);
    if (!a)
        return -ENOSPC;
    bool irqs = platform_lock(&lock);
    unsigned vector = vector_take_locked();
    if (vector)
        action_add_locked(vector, a);
    platform_unlock(&lock, irqs);
    if (!vector) {
        up_free(a);
        return -ENOSPC;
    }
    *address = apic_msi_address(arch_cpu(cpu)->apic_id);
    *data = vector; /* edge, fixed delivery */
    return 0;
}
