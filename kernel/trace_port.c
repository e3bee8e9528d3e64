/* Where trace records go: the port yolk.trace, which a thread of its own feeds from the rings.  A machine without such a
 * port (a serial console alone) cannot be traced, and says so. */
#include <arch/arch.h>
#include <base/log.h>
#include <core/atomic.h>
#include <core/heap.h>
#include <core/sched.h>
#include <core/trace_ring.h>
#include <core/wait.h>
#include <dev/console.h>
#include <image/boot.h>
#include <syscalls/tracer.h>

#define STRINGS_MAX 32768

static struct {
    struct port *port;
    bool is_on;
    bool may_write; /* atomic: the port has asked for more */
    bool is_idle;   /* atomic: what was taken from the rings is written */
    struct waitq wait;
    uint8_t bytes[TRACE_RING_SIZE]; /* the writer's */
} out;

static void writable(struct port_user *u, struct port *p)
{
    (void)u;
    (void)p;
    atomic_store(&out.may_write, true);
    waitq_wake_all(&out.wait);
}

static struct port_user user = {.writable = writable};

static void write_all(const uint8_t *bytes, size_t n)
{
    while (n) {
        atomic_store(&out.may_write, false);
        size_t taken = port_write(out.port, bytes, n);
        bytes += taken;
        n -= taken;
        if (n &&
            WAIT_EVENT(&out.wait, atomic_load(&out.may_write), WAIT_UNINTERRUPTIBLE, TIME_NEVER))
            return;
    }
}

static void feed(void *unused)
{
    (void)unused;
    for (;;) {
        size_t n = trace_ring_take(out.bytes);
        if (n) {
            write_all(out.bytes, n);
            continue;
        }
        atomic_store(&out.is_idle, true);
        waitq_wake_all(&out.wait);
        trace_ring_wait();
        atomic_store(&out.is_idle, false);
    }
}

void boot_trace(const struct cmdline *line)
{
    const struct tracer_request r = {
        .calls = line->trace,
        .signals = line->trace_signals,
        .follows = line->trace_follows,
        .options = {.strings =
                        line->trace_strings ? MIN(line->trace_strings, STRINGS_MAX) : TRACE_STRINGS,
                    .is_verbose = line->trace_is_verbose,
                    .names_fds = line->trace_names_fds},
    };

    out.is_on = line->is_traced && tracer_start(&r) == 0;
}

void boot_trace_port(void)
{
    if (!out.is_on)
        return;
    waitq_init(&out.wait);
    out.port = port_find("yolk.trace");
    if (!out.port || port_open(out.port, &user) < 0)
        control_end(125, "a trace was asked for, and there is no port for it");
    if (!thread_spawn("trace", feed, NULL))
        control_end(125, "no memory for the trace");
    tracer_begin();
}

void trace_port_end(void)
{
    if (!out.is_on)
        return;
    tracer_end();
    trace_ring_drain();
    int err = WAIT_EVENT(&out.wait, atomic_load(&out.is_idle), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
    (void)err; /* cannot be */
    while (!port_is_flushed(out.port))
        sched_yield();
}
