/* What becomes of futexes when a task ends: its robust list is walked, and PI futexes pass to who waits.
 *
 * The robust list is the program's own: a linked list of locks that it holds, in its memory, registered once for each
 * thread (set_robust_list(2)).  Nothing in it can be trusted. */
#include "futex_private.h"

#include <i386/layout.h>

#define ROBUST_MAX 2048 /* ROBUST_LIST_LIMIT: lists may be circular */

/* One lock of the list: mark it, if the word says that the dead task holds it.  False: bad address. */
static bool robust_mark(struct uptr addr, const struct task *t, bool is_pi, bool is_pending)
{
    uint32_t word, seen;

    if (user_load32(addr, &word) < 0)
        return false;
    for (;;) {
        /* It died between taking a contended lock off its waiters and telling us, or after unlocking and before
         * waking: nobody else will wake the next one. */
        if (is_pending && !is_pi && !(word & FUTEX_TID_MASK)) {
            futex_wake_addr(addr);
            return true;
        }
        if ((word & FUTEX_TID_MASK) != (uint32_t)t->tid)
            return true;
        if (user_cmpxchg32(addr, word, (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen) < 0)
            return false;
        if (seen == word)
            break;
        word = seen;
    }
    if (!is_pi && (word & FUTEX_WAITERS))
        futex_wake_addr(addr);
    return true;
}

/* An entry's address has bit 0 set for a PI lock. */
struct entry {
    uintptr_t at;
    bool is_pi;
};

/* How the program lays the list out: i386's words have half the size. */
struct layout {
    size_t word, list, futex_offset, pending;
};

static const struct layout layout_64 = {
    .word = sizeof(uint64_t),
    .list = offsetof(struct robust_list_head, list),
    .futex_offset = offsetof(struct robust_list_head, futex_offset),
    .pending = offsetof(struct robust_list_head, list_op_pending),
};
static const struct layout layout_32 = {
    .word = sizeof(uint32_t),
    .list = offsetof(union i386_robust_list_head, list),
    .futex_offset = offsetof(union i386_robust_list_head, futex_offset),
    .pending = offsetof(union i386_robust_list_head, list_op_pending),
};

static bool entry_read(const struct layout *l, uintptr_t at, struct entry *e)
{
    uintptr_t raw = 0;

    if (user_read(&raw, (struct uptr){at}, l->word) < 0)
        return false;
    *e = (struct entry){raw & ~1UL, raw & 1};
    return true;
}

static void robust_walk(struct task *t)
{
    uintptr_t head = uptr_word(t->robust_list);
    struct entry e, next, pending;
    bool is_small = t->robust_list_len == sizeof(union i386_robust_list_head);
    const struct layout *l = is_small ? &layout_32 : &layout_64;
    int64_t offset = 0;

    if (!entry_read(l, head + l->list, &e) ||
        user_read(&offset, (struct uptr){head + l->futex_offset}, l->word) < 0 ||
        !entry_read(l, head + l->pending, &pending))
        return;
    if (is_small)
        offset = (int32_t)offset;
    for (unsigned n = 0; e.at != head && n < ROBUST_MAX; n++) {
        /* Before the lock is marked: its next owner may free it. */
        bool has_next = entry_read(l, e.at, &next);
        if (e.at != pending.at &&
            !robust_mark((struct uptr){e.at + (uintptr_t)offset}, t, e.is_pi, false))
            return;
        if (!has_next)
            return;
        e = next;
        if (sched_checkpoint())
            continue; /* killed: the list is still walked, it has an end */
    }
    if (pending.at)
        robust_mark((struct uptr){pending.at + (uintptr_t)offset}, t, pending.is_pi, true);
}

void futex_exit_task(struct task *t)
{
    if (!uptr_is_null(t->robust_list)) {
        robust_walk(t);
        t->robust_list = (struct uptr){0};
    }
    futex_pi_exit(t);
}
