/* The kernel's side of a trace: which calls are traced, and their records. */
#pragma once

#include <arch/regs.h>
#include <base/types.h>
#include <syscalls/trace.h>

/* How the boot line asks for a trace. */
struct tracer_request {
    const char *calls;   /* strace's -e trace=; NULL: all */
    const char *signals; /* strace's -e signal=; NULL: all */
    bool follows;        /* tasks other than the first, too (-f) */
    struct trace_options options;
};

/* Start tracing; at boot, before there are tasks.  0, -EINVAL (a word that means nothing, said on the log), -ENOMEM. */
must_check int tracer_start(const struct tracer_request *r);
/* The first record; in thread context. */
void tracer_begin(void);
/* The last record: all others are in the rings. */
void tracer_end(void);

/* One call on its way: dispatch.c's. */
struct tracer_call {
    struct trace t;
};
/* Does this call concern the tracer?  Then its entry is recorded. */
bool tracer_enter(struct tracer_call *c, enum abi abi, uint64_t nr,
                  const uint64_t arg[SYSCALL_MAX_ARGS], const struct regs *regs);
void tracer_leave(struct tracer_call *c, long ret);
bool tracer_is_on(void);
