/* What a tracer hears of tasks beside their calls.  Nobody asks for it in an ordinary run. */
#pragma once

#include <asm/siginfo.h>
#include <base/types.h>

struct task;

/* Called by the task itself, in thread context, with no lock held. */
struct trace_hooks {
    void (*begins)(struct task *t); /* a new task, before its first instruction */
    void (*signal)(struct task *t, int sig, const siginfo_t *info); /* is about to be carried out */
    void (*stops)(struct task *t, int sig);
    void (*ends)(struct task *t, int wait_status);
    /* The first program is about to run; by its task, with its address space and registers as it will find them. */
    void (*starts)(struct task *t);
};

/* NULL: nobody listens.  Set at boot, before there are tasks. */
extern const struct trace_hooks *trace_hooks;
