/* Records of calls: the decoder runs over the program's memory, and what it looks at goes into the record.
 *
 * Only user_read_some reaches that memory, as the body of the call itself does: a page that is not there is brought in,
 * and an address that is none leaves the pointer to be shown.  No lock is held here, and none is taken but a ring's. */
#include <arch/arch.h>
#include <arch/upcalls.h>
#include <base/errno.h>
#include <base/log.h>
#include <base/string.h>
#include <core/atomic.h>
#include <core/heap.h>
#include <core/timer.h>
#include <core/trace_ring.h>
#include <core/usercopy.h>
#include <proc/process.h>
#include <proc/trace.h>
#include <syscalls/custom.h>
#include <syscalls/trace_record.h>
#include <syscalls/tracer.h>

#define FIRST_SIZE 1024
#define SIGMASK_AT \
    296 /* of the mask in struct ucontext, behind the return address that is already off the stack */
#define RETURN_AT_32 \
    4 /* of i386's frames: the return address is off the stack, of the old one the signal, too */
#define SIGNAL_AT_32 4

static struct {
    bool is_on;
    bool follows;
    struct trace_set calls;
    uint64_t signals;
    struct trace_options options;
    uint64_t nr_lost; /* atomic: chunks that found no room */
} tracer;

bool tracer_is_on(void)
{
    return tracer.is_on;
}

/* --- one record --------------------------------------------------------------------------------------------------------- */

/* On the kernel stack of whoever makes a record; the bytes are on the heap, and grow. */
struct record {
    struct trace_record *head;
    size_t len, size;
};

static bool record_begin(struct record *r, enum trace_type type)
{
    *r = (struct record){
        .head = heap_alloc(FIRST_SIZE), .size = FIRST_SIZE, .len = sizeof(struct trace_record)};
    if (!r->head) {
        atomic_add(&tracer.nr_lost, 1);
        return false;
    }
    *r->head = (struct trace_record){.type = (uint8_t)type,
                                     .tid = (uint32_t)current_task()->tid,
                                     .time_ns = clock_mono_ns(),
                                     .cpu_ns = sched_thread_ns(current_thread())};
    return true;
}

static void record_end(struct record *r)
{
    struct trace_record *head = r->head;

    head->size = (uint32_t)r->len;
    trace_ring_put(head, r->len, &head->seq, &head->cpu);
    heap_free(head);
}

static bool record_grow(struct record *r, size_t n)
{
    size_t size = r->size;

    while (size < r->len + n)
        size *= 2;
    if (size > TRACE_RECORD_MAX)
        return false;
    struct trace_record *bigger = heap_alloc(size);
    if (!bigger)
        return false;
    memcpy(bigger, r->head, r->len);
    heap_free(r->head);
    r->head = bigger;
    r->size = size;
    return true;
}

/* Room for a chunk of n bytes; NULL: there is none. */
static struct trace_chunk *record_chunk(struct record *r, uint64_t addr, size_t n)
{
    size_t total = sizeof(struct trace_chunk) + ALIGN_UP(n, 8);

    if (n > TRACE_RECORD_MAX || (r->len + total > r->size && !record_grow(r, total))) {
        atomic_add(&tracer.nr_lost, 1);
        return NULL;
    }
    struct trace_chunk *c = (struct trace_chunk *)((uint8_t *)r->head + r->len);
    *c = (struct trace_chunk){.addr = addr, .asked = (uint32_t)n};
    return c;
}

static void chunk_keep(struct record *r, struct trace_chunk *c)
{
    size_t padded = ALIGN_UP((size_t)c->got, 8);

    memset((uint8_t *)(c + 1) + c->got, 0, padded - c->got);
    r->len += sizeof(*c) + padded;
}

/* --- what the decoder asks for -------------------------------------------------------------------------------------------- */

struct capture {
    struct trace *t;
    struct record record;
};

static size_t read_fd_name(uint64_t addr, char *dst, size_t n)
{
    return process_fd_name((int)(addr >> 16 & 0xffffffff), addr & 0xffff, dst, n);
}

static size_t capture_bytes(uint64_t addr, void *dst, size_t n)
{
    if (addr >= TRACE_FD_NAME(0))
        return read_fd_name(addr, dst, n);
    return user_read_some(dst, uptr_of_word(addr), n);
}

static size_t capture_read(struct trace *t, uint64_t addr, void *dst, size_t n)
{
    struct record *r = t->owner;
    struct trace_chunk *c = record_chunk(r, addr, n);

    if (!c)
        return 0;
    c->got = (uint32_t)capture_bytes(addr, c + 1, n);
    if (dst)
        memcpy(dst, c + 1, c->got);
    size_t got = c->got;
    chunk_keep(r, c);
    return got;
}

/* --- calls ------------------------------------------------------------------------------------------------------------------ */

static bool concerns_us(const struct task *t)
{
    return tracer.is_on && (tracer.follows || t->tid == 1);
}

static void fill_head(struct record *r, const struct trace *t)
{
    r->head->abi = t->abi;
    r->head->nr = t->nr;
    r->head->ret = t->ret;
    r->head->extra = t->saved_mask_at;
    memcpy(r->head->arg, t->arg, sizeof(t->arg));
}

static void record_enter(struct trace *t)
{
    struct record r;

    if (!record_begin(&r, TRACE_ENTER))
        return;
    fill_head(&r, t);
    t->owner = &r;
    trace_enter(t);
    record_end(&r);
}

static void record_leave(struct trace *t)
{
    struct record r;

    if (!record_begin(&r, TRACE_LEAVE))
        return;
    fill_head(&r, t);
    t->owner = &r;
    trace_leave_args(t);
    trace_result(t);
    record_end(&r);
}

static void call_init(struct trace *t, enum abi abi, uint64_t nr,
                      const uint64_t arg[SYSCALL_MAX_ARGS])
{
    *t = (struct trace){.sc = syscall_of_row(syscall_find_row(abi, nr)),
                        .options = &tracer.options,
                        .read = capture_read,
                        .abi = (uint8_t)abi,
                        .nr = (uint32_t)nr};
    memcpy(t->arg, arg, sizeof(t->arg));
}

bool tracer_enter(struct tracer_call *c, enum abi abi, uint64_t nr,
                  const uint64_t arg[SYSCALL_MAX_ARGS], const struct regs *regs)
{
    if (!concerns_us(current_task()) || !tracer.calls.rows[trace_row(abi, nr, arg[0])])
        return false;
    call_init(&c->t, abi, nr, arg);
    if (c->t.sc == &syscalls[ROW_rt_sigreturn])
        c->t.saved_mask_at = regs->rsp + (abi == ABI_X86_64 ? SIGMASK_AT : -RETURN_AT_32);
    else if (c->t.sc == &syscalls[ROW_sigreturn_32])
        c->t.saved_mask_at = regs->rsp - RETURN_AT_32 - SIGNAL_AT_32;
    record_enter(&c->t);
    return true;
}

void tracer_leave(struct tracer_call *c, long ret)
{
    c->t.ret = ret;
    /* What sigreturn gives back has the 32 bits of a register. */
    if (c->t.abi == ABI_I386 && (int32_t)ret >= -4095 && (int32_t)ret < 0)
        c->t.ret = (int32_t)ret;
    record_leave(&c->t);
}

/* --- tasks --------------------------------------------------------------------------------------------------------------------- */

static void task_begins(struct task *t)
{
    struct record r;

    if (concerns_us(t) && record_begin(&r, TRACE_CLONE))
        record_end(&r);
}

static void task_signal(struct task *t, int sig, const siginfo_t *info)
{
    struct record r;

    if (!concerns_us(t) || !(tracer.signals >> (sig - 1) & 1) || !record_begin(&r, TRACE_SIGNAL))
        return;
    r.head->nr = (uint32_t)sig;
    struct trace_chunk *c = record_chunk(&r, TRACE_SIGINFO_AT, sizeof(siginfo_t));
    if (c) {
        siginfo_t *copy = (siginfo_t *)(c + 1);
        memset(copy, 0, sizeof(*copy));
        siginfo_copy(copy, info);
        c->got = sizeof(*copy);
        chunk_keep(&r, c);
    }
    record_end(&r);
}

static void task_stops(struct task *t, int sig)
{
    struct record r;

    if (!concerns_us(t) || !record_begin(&r, TRACE_STOP))
        return;
    r.head->nr = (uint32_t)sig;
    record_end(&r);
}

static void task_ends(struct task *t, int wait_status)
{
    struct record r;

    if (!concerns_us(t) || !record_begin(&r, TRACE_EXIT))
        return;
    r.head->ret = wait_status;
    record_end(&r);
}

/* The first program came by no call of its own: shown is the one that would have started it, with what is on its stack
 * (an i386 program's words have 32 bits). */
static void task_starts(struct task *t)
{
    const struct process *p = t->process;
    enum abi abi = p->is_i386 ? ABI_I386 : ABI_X86_64;
    size_t word = p->is_i386 ? sizeof(uint32_t) : sizeof(uint64_t);
    uint64_t sp = arch_user_regs(&t->thread.arch)->rsp, argc = 0;
    struct trace call;

    if (!concerns_us(t) || !tracer.calls.rows[ROW_execve] ||
        user_read(&argc, uptr_of_word(sp), word) < 0)
        return;
    const uint64_t arg[SYSCALL_MAX_ARGS] = {p->env_end, sp + word, sp + (argc + 2) * word};
    call_init(&call, abi, (uint64_t)syscall_number(abi, ROW_execve), arg);
    record_enter(&call);
    record_leave(&call);
}

static const struct trace_hooks hooks = {.begins = task_begins,
                                         .signal = task_signal,
                                         .stops = task_stops,
                                         .ends = task_ends,
                                         .starts = task_starts};

/* --- beginning and end ------------------------------------------------------------------------------------------------------------ */

int tracer_start(const struct tracer_request *r)
{
    const char *bad;
    size_t len;

    if (trace_select(&tracer.calls, r->calls ? r->calls : "all", &bad, &len) < 0 ||
        trace_select_signals(&tracer.signals, r->signals ? r->signals : "all", &bad, &len) < 0) {
        log_error("yolk.trace: there is no \"%.*s\"", (int)len, bad);
        return -EINVAL;
    }
    int err = trace_ring_init();
    if (err)
        return err;
    tracer.follows = r->follows;
    tracer.options = r->options;
    tracer.is_on = true;
    trace_hooks = &hooks;
    arch_trace_syscalls();
    return 0;
}

static void put_plain(enum trace_type type, uint64_t first, uint64_t second)
{
    struct trace_record record = {.size = sizeof(record),
                                  .type = (uint8_t)type,
                                  .time_ns = clock_mono_ns(),
                                  .arg = {first, second}};

    trace_ring_put(&record, sizeof(record), &record.seq, &record.cpu);
}

void tracer_begin(void)
{
    put_plain(TRACE_HELLO, TRACE_VERSION, clock_wall_ns() - clock_mono_ns());
}

void tracer_end(void)
{
    put_plain(TRACE_END, atomic_load(&tracer.nr_lost), 0);
}
