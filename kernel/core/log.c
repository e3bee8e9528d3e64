/* The kernel log: a ring of text that dmesg-like readers see, and sinks that show lines as they come.
 *
 * Everything here works in any context.  One lock orders lines; a panic takes it away from whoever holds it,
 * because that holder may be a CPU that will never run again. */
#include <arch/upcalls.h>
#include <base/string.h>
#include <core/console.h>
#include <core/lock.h>
#include <core/sched.h>

#define LOG_SIZE (16 * 1024)

static char ring[LOG_SIZE]; /* guarded by the_log.lock; apart, as it has no place in the image */
static struct {
    struct spinlock lock; /* guards: */
    char line[LOG_LINE_SIZE];
    uint64_t written; /* bytes since boot; the ring holds the last LOG_SIZE of them */
    struct log_sink *sinks;
} the_log = {.lock = SPINLOCK_INIT(RANK_LOG)};
static enum log_level shown = LOG_WARN;

static bool is_panicking;

/* An NMI may have come while this CPU was writing a line: its handler waits for the lock once, then goes without, and
 * that line is spoilt. */
#define NMI_PATIENCE_NS 20000000ULL
static unsigned nmi_cpu_plus_1; /* atomic: whose NMI speaks; that one has: */
static uint64_t nmi_patience_ns;

enum { LOG_IRQS = 1, LOG_LOCKED = 2 };

/* Answers what log_leave takes: LOG_* bits. */
static unsigned log_enter(void)
{
    unsigned irqs = arch_irq_save() ? LOG_IRQS : 0;

    if (__atomic_load_n(&is_panicking, __ATOMIC_RELAXED))
        return irqs;
    if (unlikely(atomic_load(&nmi_cpu_plus_1) == this_cpu()->index + 1)) {
        uint64_t give_up = arch_clock_ns() + nmi_patience_ns;
        while (!spin_try(&the_log.lock)) {
            if (arch_clock_ns() >= give_up) {
                nmi_patience_ns = 0;
                return irqs;
            }
            arch_relax();
        }
    } else {
        spin_lock(&the_log.lock);
    }
    return irqs | LOG_LOCKED;
}

static void log_leave(unsigned entered)
{
    if (entered & LOG_LOCKED && !__atomic_load_n(&is_panicking, __ATOMIC_RELAXED))
        spin_unlock(&the_log.lock);
    arch_irq_restore(entered & LOG_IRQS);
}

void log_nmi_begin(void)
{
    nmi_patience_ns = NMI_PATIENCE_NS;
    atomic_store(&nmi_cpu_plus_1, this_cpu()->index + 1);
}

void log_nmi_end(void)
{
    atomic_store(&nmi_cpu_plus_1, 0u);
}

void log_add_sink(struct log_sink *sink)
{
    unsigned entered = log_enter();

    sink->next = the_log.sinks;
    the_log.sinks = sink;
    log_leave(entered);
}

void log_set_level(enum log_level level)
{
    shown = level;
}

static void log_put(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ring[the_log.written++ % LOG_SIZE] = s[i];
}

static void log_vline(enum log_level level, const char *format, va_list args)
{
    static const char *const prefix[] = {"panic: ", "error: ", "warning: ", "", ""};
    unsigned entered = log_enter();
    size_t head = strlcpy(the_log.line, "yolk: ", LOG_LINE_SIZE);

    head += strlcpy(the_log.line + head, prefix[level], LOG_LINE_SIZE - head);
    int len = vsnprintf(the_log.line + head, LOG_LINE_SIZE - head - 1, format, args);
    size_t total = MIN(head + (size_t)len, (size_t)LOG_LINE_SIZE - 2);
    the_log.line[total++] = '\n';
    the_log.line[total] = '\0';
    log_put(the_log.line, total);
    if (level <= shown)
        for (struct log_sink *s = the_log.sinks; s; s = s->next)
            s->write(level, the_log.line, total);
    log_leave(entered);
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list args;

    if (level >= LOG_INFO && level > shown)
        return;
    va_start(args, format);
    log_vline(level, format, args);
    va_end(args);
}

size_t log_read(char *buf, size_t size)
{
    unsigned entered = log_enter();
    uint64_t n = MIN(MIN(the_log.written, (uint64_t)LOG_SIZE), size);

    for (uint64_t i = 0; i < n; i++)
        buf[i] = ring[(the_log.written - n + i) % LOG_SIZE];
    log_leave(entered);
    return n;
}

void log_addresses(const uint64_t *addr, unsigned n)
{
    char name[96];

    for (unsigned i = 0; i < n; i++) {
        if (!symbol_name(addr[i], name, sizeof(name)))
            name[0] = '\0';
        log_line(LOG_PANIC, "  %#lx %s", (unsigned long)addr[i], name);
    }
}

void log_backtrace(uint64_t frame)
{
    uint64_t addr[LOG_BACKTRACE_MAX];

    log_addresses(addr, arch_backtrace(frame, addr, ARRAY_LEN(addr)));
}

static panic_hook_fn *panic_hook;

void log_on_panic(panic_hook_fn *hook)
{
    panic_hook = hook;
}

noreturn void panic(const char *format, ...)
{
    va_list args;

    arch_irq_off();
    /* A second panic, on this CPU while reporting or on another, must not garble or loop. */
    if (__atomic_exchange_n(&is_panicking, true, __ATOMIC_ACQ_REL))
        arch_poweroff(125);
    va_start(args, format);
    log_vline(LOG_PANIC, format, args);
    va_end(args);
    log_line(LOG_PANIC, "on cpu %u:", this_cpu()->index);
    log_backtrace(0);
    arch_halt_others();
    sched_dump_halted();
    if (panic_hook)
        panic_hook();
    arch_poweroff(125);
}
