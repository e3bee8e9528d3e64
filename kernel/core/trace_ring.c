/* Rings of trace records: a producer's side that costs one copy, and a reader that is woken seldom. */
#include <arch/arch.h>
#include <arch/cpu.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/atomic.h>
#include <core/heap.h>
#include <core/page.h>
#include <core/sched.h>
#include <core/timer.h>
#include <core/trace_ring.h>
#include <core/wait.h>

#define RING_ORDER    5 /* pages: TRACE_RING_SIZE */
#define WAKE_DELAY_NS 1000000

_Static_assert(TRACE_RING_SIZE == PAGE_SIZE << RING_ORDER, "a ring is one block of pages");

/* Bytes [tail, head) modulo the size are waiting. */
struct ring {
    struct spinlock lock; /* interrupts off; guards: */
    uint8_t *bytes;
    uint64_t head, tail;
};

static struct {
    struct ring *ring; /* one for each CPU */
    unsigned nr;
    /* atomic; moved under a ring's lock, so that what has a number is in a ring */
    uint64_t next_seq;
    bool is_timer_armed; /* atomic */
    struct timer timer;
    struct waitq reader; /* something is there */
    struct waitq room;   /* something was taken */
} trace;

static void wake_reader(struct timer *t)
{
    (void)t;
    atomic_store(&trace.is_timer_armed, false);
    waitq_wake_all(&trace.reader);
}

int trace_ring_init(void)
{
    trace.nr = ARCH_MAX_CPUS;
    trace.ring = heap_zalloc(trace.nr * sizeof(*trace.ring));
    if (!trace.ring)
        return -ENOMEM;
    for (unsigned i = 0; i < trace.nr; i++)
        spin_init(&trace.ring[i].lock, RANK_TRACE);
    timer_init(&trace.timer, wake_reader);
    waitq_init(&trace.reader);
    waitq_init(&trace.room);
    return 0;
}

/* A CPU's ring comes with its first record. */
static bool ring_has_memory(struct ring *r)
{
    if (atomic_load(&r->bytes))
        return true;
    struct page *page = page_alloc(RING_ORDER, PG_MAY_FAIL);
    if (!page)
        return false;
    bool irqs = spin_lock_irq(&r->lock);
    bool is_late = r->bytes != NULL;
    if (!is_late)
        atomic_store(&r->bytes, (uint8_t *)page_ptr(page));
    spin_unlock_irq(&r->lock, irqs);
    if (is_late)
        page_put(page);
    return true;
}

static void copy_in(struct ring *r, const void *bytes, size_t n)
{
    size_t at = r->head % TRACE_RING_SIZE, first = MIN(n, TRACE_RING_SIZE - at);

    memcpy(r->bytes + at, bytes, first);
    memcpy(r->bytes, (const uint8_t *)bytes + first, n - first);
    r->head += n;
}

/* Into this CPU's ring if there is room: the number of bytes that wait in it then, or 0. */
static size_t put_now(const void *record, size_t n, uint64_t *seq, uint16_t *cpu)
{
    bool irqs = arch_irq_save();
    struct ring *r = &trace.ring[this_cpu()->index];
    size_t used = 0;

    *cpu = (uint16_t)this_cpu()->index;
    spin_lock(&r->lock);
    if (r->bytes && r->head - r->tail + n <= TRACE_RING_SIZE) {
        *seq = atomic_add(&trace.next_seq, 1) - 1;
        copy_in(r, record, n);
        used = r->head - r->tail;
    }
    spin_unlock(&r->lock);
    arch_irq_restore(irqs);
    return used;
}

static bool has_room(unsigned cpu, size_t n)
{
    struct ring *r = &trace.ring[cpu];
    bool irqs = spin_lock_irq(&r->lock);
    bool fits = r->bytes && r->head - r->tail + n <= TRACE_RING_SIZE;

    spin_unlock_irq(&r->lock, irqs);
    return fits;
}

void trace_ring_put(const void *record, size_t n, uint64_t *seq, uint16_t *cpu)
{
    size_t used;

    while ((used = put_now(record, n, seq, cpu)) == 0) {
        struct ring *r = &trace.ring[*cpu];
        if (!ring_has_memory(r)) {
            sched_yield(); /* others give memory back */
            continue;
        }
        waitq_wake_all(&trace.reader);
        int err = WAIT_EVENT(&trace.room, has_room(*cpu, n), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
        (void)err; /* cannot be */
    }
    if (used > TRACE_RING_SIZE / 2)
        waitq_wake_all(&trace.reader);
    else if (!atomic_load(&trace.is_timer_armed) && !atomic_swap(&trace.is_timer_armed, true))
        timer_arm(&trace.timer, arch_clock_ns() + WAKE_DELAY_NS);
}

static size_t take_from(struct ring *r, uint8_t *buf)
{
    if (!atomic_load(&r->bytes))
        return 0;
    bool irqs = spin_lock_irq(&r->lock);
    size_t n = r->head - r->tail, at = r->tail % TRACE_RING_SIZE;
    size_t first = MIN(n, TRACE_RING_SIZE - at);

    memcpy(buf, r->bytes + at, first);
    memcpy(buf + first, r->bytes, n - first);
    r->tail += n;
    spin_unlock_irq(&r->lock, irqs);
    return n;
}

size_t trace_ring_take(void *buf)
{
    size_t n = 0;

    for (unsigned i = 0; i < trace.nr && !n; i++)
        n = take_from(&trace.ring[i], buf);
    if (n)
        waitq_wake_all(&trace.room);
    return n;
}

static bool is_empty(void)
{
    for (unsigned i = 0; i < trace.nr; i++)
        if (atomic_load(&trace.ring[i].head) != atomic_load(&trace.ring[i].tail))
            return false;
    return true;
}

void trace_ring_wait(void)
{
    int err = WAIT_EVENT(&trace.reader, !is_empty(), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
    (void)err; /* cannot be */
}

void trace_ring_drain(void)
{
    waitq_wake_all(&trace.reader);
    int err = WAIT_EVENT(&trace.room, is_empty(), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
    (void)err; /* cannot be */
}
