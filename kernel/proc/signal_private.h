/* What the signal files know of each other.  Everything here is called with sighand->lock held. */
#pragma once

#include "private.h"

#include <linux/signal.h>

#define SIG_SET(name) SIG_BIT(SIG##name)
#define UNBLOCKABLE   (SIG_SET(KILL) | SIG_SET(STOP))

/* Classes of signals; bits. */
enum { SIGNALS_SYNC = 1, SIGNALS_STOP = 2, SIGNALS_IGNORED = 4, SIGNALS_REPORT = 8 };

static inline uint64_t signal_class(unsigned classes)
{
    uint64_t set = 0;
    if (classes & SIGNALS_SYNC)
        set |= SIG_SET(SEGV) | SIG_SET(BUS) | SIG_SET(ILL) | SIG_SET(TRAP) | SIG_SET(FPE) |
               SIG_SET(SYS);
    if (classes & SIGNALS_STOP)
        set |= SIG_SET(STOP) | SIG_SET(TSTP) | SIG_SET(TTIN) | SIG_SET(TTOU);
    if (classes & SIGNALS_IGNORED) /* by default */
        set |= SIG_SET(CONT) | SIG_SET(CHLD) | SIG_SET(WINCH) | SIG_SET(URG);
    if (classes & SIGNALS_REPORT) /* where Linux would dump core */
        set |= SIG_SET(QUIT) | SIG_SET(ILL) | SIG_SET(TRAP) | SIG_SET(ABRT) | SIG_SET(FPE) |
               SIG_SET(SEGV) | SIG_SET(BUS) | SIG_SET(SYS) | SIG_SET(XCPU) | SIG_SET(XFSZ);
    return set;
}

static inline bool signal_is(int sig, unsigned classes)
{
    return signal_class(classes) & SIG_BIT(sig);
}

static inline bool action_is_default(const struct sigaction_k *a)
{
    return a->handler == (uintptr_t)SIG_DFL;
}

/* Would the signal be thrown away on delivery? */
static inline bool action_ignores(const struct sigaction_k *a, int sig)
{
    return a->handler == (uintptr_t)SIG_IGN ||
           (action_is_default(a) && signal_is(sig, SIGNALS_IGNORED));
}

/* signal_queue.c */

void signal_queue_slab_init(void);
/* 0, or -EAGAIN: a realtime signal beyond RLIMIT_SIGPENDING. */
must_check int signal_queue_add(struct process *p, struct signal_queue *q, int sig,
                                const siginfo_t *info);
bool signal_queue_has(struct signal_queue *q, int sig);
/* Out of the process's queue and every task's. */
void signal_flush_everywhere(struct process *p, uint64_t mask);
/* The next signal of `set` for `t`, taken out of its queue; 0: none.  And the next fault of its
 * own. */
int signal_take_next(struct task *t, uint64_t set, siginfo_t *info);
int signal_take_fault(struct task *t, siginfo_t *info);

/* signal.c */

/* Tell other tasks what `from` can no longer take of the process's signals `set`. */
void signal_retarget(struct process *p, struct task *from, uint64_t set);

/* signal_mask.c */

void signal_set_blocked(struct task *t, uint64_t mask);
