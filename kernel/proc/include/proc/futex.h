/* futex(2) in kernel form: threads sleep on a word of user memory until another wakes them.
 *
 * `flags`: without FUTEX_SHARED a word is known by its address (FUTEX_PRIVATE_FLAG), with it by what is mapped there;
 * as on Linux the two never meet.  Answers are futex(2)'s, including the restart codes.  Thread context. */
#pragma once

#include <base/types.h>
#include <core/timer.h>

struct task;

enum { FUTEX_SHARED = 1 };

/* `until` may be NULL: no time-out. */
must_check long futex_wait(struct uptr addr, unsigned flags, uint32_t value,
                           const struct clock_deadline *until, uint32_t bitset);
must_check long futex_wake(struct uptr addr, unsigned flags, int nr, uint32_t bitset);
/* `expected` NULL: FUTEX_REQUEUE, else FUTEX_CMP_REQUEUE. */
must_check long futex_requeue(struct uptr from, struct uptr to, unsigned flags, int nr_wake,
                              int nr_requeue, const uint32_t *expected);
must_check long futex_wake_op(struct uptr addr, struct uptr addr2, unsigned flags, int nr, int nr2,
                              uint32_t op);

must_check long futex_lock_pi(struct uptr addr, unsigned flags, const struct clock_deadline *until,
                              bool try);
must_check long futex_unlock_pi(struct uptr addr, unsigned flags);

/* Wait on several words at once; the index of the one that was woken. */
struct futex_one {
    struct uptr addr;
    uint32_t value;
    unsigned flags;
};
must_check long futex_wait_multiple(const struct futex_one *f, unsigned nr,
                                    const struct clock_deadline *until);

void futex_init(void); /* boot */
/* The current task ends or leaves its memory: robust list, PI futexes that it holds. */
void futex_exit_task(struct task *t);
/* Wake one waiter of the word that clear_child_tid points at. */
void futex_wake_addr(struct uptr addr);
