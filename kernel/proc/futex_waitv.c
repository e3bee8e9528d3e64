/* futex_waitv(2): sleep on several words until one of them is woken. */
#include "futex_private.h"

#include <core/heap.h>

/* Take all back; the index of one that was woken, or -1. */
static int unqueue_all(struct futex_waiter *w, unsigned nr)
{
    int woken = -1;

    for (unsigned i = 0; i < nr; i++)
        if (!futex_waiter_unqueue(&w[i]))
            woken = (int)i;
    return woken;
}

static int queue_one(struct uptr addr, uint32_t value, struct futex_waiter *w)
{
    int err = futex_waiter_queue_if(addr, value, w);

    if (err == 0)
        spin_unlock(&w->bucket->lock);
    return err;
}

static bool was_any_woken(struct futex_waiter *w, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        if (!atomic_load(&w[i].is_queued))
            return true;
    return false;
}

/* All are queued: 0 when one was woken, -ETIMEDOUT, -EINTR. */
static int sleep_on_all(struct futex_waiter *w, unsigned nr, const struct clock_deadline *until)
{
    for (;;) {
        wait_prepare(WAIT_INTERRUPTIBLE);
        if (was_any_woken(w, nr)) {
            wait_cancel();
            return 0;
        }
        int err = wait_sleep_until(until);
        if (err < 0)
            return err;
    }
}

static long wait_on_all(const struct futex_one *f, struct futex_waiter *w, unsigned nr,
                        const struct clock_deadline *until)
{
    unsigned queued = 0;
    int err = 0;

    while (err == 0 && queued < nr) {
        err = queue_one(f[queued].addr, f[queued].value, &w[queued]);
        queued += err == 0;
    }
    if (err == 0)
        err = sleep_on_all(w, nr, until);
    int woken = unqueue_all(w, queued);
    if (woken >= 0)
        return woken;
    return err == -EINTR ? -ERESTARTSYS : err;
}

long futex_wait_multiple(const struct futex_one *f, unsigned nr, const struct clock_deadline *until)
{
    struct futex_waiter *w = heap_alloc(nr * sizeof(*w));
    unsigned keys = 0;
    long result = 0;

    if (!w)
        return -ENOMEM;
    for (; result == 0 && keys < nr; keys++) {
        result = futex_key_get(f[keys].addr, f[keys].flags, &w[keys].key);
        if (result < 0)
            break;
        futex_waiter_init(&w[keys], FUTEX_BITSET_MATCH_ANY);
    }
    if (result == 0)
        result = wait_on_all(f, w, nr, until);
    for (unsigned i = 0; i < keys; i++)
        futex_key_put(&w[i].key);
    heap_free(w);
    return result;
}
