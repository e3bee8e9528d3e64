/* Futexes: hash buckets of waiters, waiting, waking, moving.
 *
 * A waiter counts itself in its bucket (a full barrier) before it reads the user's word; a waker, whose program has
 * changed the word before, looks at the count after a full barrier and returns at once when it is 0.  So either
 * the waiter sees the new value, or the waker sees the waiter.
 *
 * The word is read under the bucket's lock, where page faults cannot be served: a page that is not there is fetched
 * without the lock, and then everything starts again. */
#include "futex_op.h"
#include "futex_private.h"

struct futex_bucket futex_buckets[1 << FUTEX_BUCKET_BITS];

void futex_init(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(futex_buckets); i++) {
        spin_init(&futex_buckets[i].lock, RANK_FUTEX);
        list_init(&futex_buckets[i].waiters);
    }
}

int futex_key_share(struct futex_key *key)
{
    uint64_t offset;
    int err = vm_futex_key(current_thread()->vm, key->offset, &key->object, &offset);

    if (err < 0)
        return err;
    if (key->object)
        *key = (struct futex_key){.what = key->object, .offset = offset, .object = key->object};
    else
        key->offset |= 1;
    return 0;
}

static void lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
    struct futex_bucket *first = a < b ? a : b, *second = a < b ? b : a;

    spin_lock(&first->lock);
    if (first != second)
        spin_lock_nested(&second->lock, RANK_FUTEX_2);
}

static void unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
    spin_unlock(&a->lock);
    if (a != b)
        spin_unlock(&b->lock);
    sched_send_kicks();
}

/* --- waiters ---------------------------------------------------------------------------------------- */

static void waiter_take_off(struct futex_waiter *w)
{
    assert(spin_is_held(&w->bucket->lock));
    list_remove(&w->node);
    atomic_add(&w->bucket->nr, -1u);
}

void futex_waiter_wake(struct futex_waiter *w)
{
    waiter_take_off(w);
    atomic_store(&w->is_queued, false);
    thread_wake_quiet(&w->task->thread);
    atomic_store(&w->bucket, NULL);
}

struct futex_bucket *futex_bucket_lock(struct futex_waiter *w)
{
    for (;;) {
        struct futex_bucket *b = atomic_load(&w->bucket);
        if (!b)
            return NULL;
        spin_lock(&b->lock);
        if (likely(w->bucket == b))
            return b;
        spin_unlock(&b->lock); /* moved by a requeue, or woken */
    }
}

void futex_waiter_unqueue_locked(struct futex_waiter *w)
{
    waiter_take_off(w);
    w->is_queued = false;
    w->bucket = NULL;
}

bool futex_waiter_unqueue(struct futex_waiter *w)
{
    struct futex_bucket *b = futex_bucket_lock(w);

    if (!b)
        return false;
    futex_waiter_unqueue_locked(w);
    spin_unlock(&b->lock);
    return true;
}

int futex_waiter_sleep(struct futex_waiter *w, const struct clock_deadline *until)
{
    for (;;) {
        int err = likely(!until) ? wait_sleep(TIME_NEVER) : wait_sleep_until(until);
        if (!atomic_load(&w->bucket))
            return 0;
        if (err < 0)
            return futex_waiter_unqueue(w) ? err : 0;
        struct futex_bucket *b = futex_bucket_lock(w);
        if (!b)
            return 0;
        wait_prepare(WAIT_INTERRUPTIBLE); /* woken by something else: again */
        spin_unlock(&b->lock);
    }
}

int futex_load_locked(struct futex_bucket *b, struct uptr addr, uint32_t *value)
{
    if (likely(user_load32_nofault(addr, value) == 0))
        return 0;
    spin_unlock(&b->lock);
    int err = user_load32(addr, value);
    spin_lock(&b->lock);
    return err < 0 ? err : -EAGAIN;
}

/* --- FUTEX_WAIT ------------------------------------------------------------------------------------- */

int futex_waiter_queue_if(struct uptr addr, uint32_t value, struct futex_waiter *w)
{
    struct futex_bucket *b = futex_bucket_of(&w->key);
    uint32_t seen;
    int err;

    futex_bucket_enter(b);
    do {
        err = futex_load_locked(b, addr, &seen);
    } while (err == -EAGAIN);
    if (err == 0 && seen != value)
        err = -EAGAIN;
    if (err < 0) {
        futex_bucket_leave(b);
        return err;
    }
    futex_waiter_queue(b, w);
    return 0;
}

/* Queue the current thread if the word has the value: 0 and prepared to sleep, or -EAGAIN, -EFAULT. */
static int wait_setup(struct uptr addr, uint32_t value, struct futex_waiter *w)
{
    int err = futex_waiter_queue_if(addr, value, w);

    if (err < 0)
        return err;
    wait_prepare(WAIT_INTERRUPTIBLE);
    spin_unlock(&w->bucket->lock);
    return 0;
}

static long wait_restart(struct restart_block *r)
{
    struct clock_deadline until = {.ns = r->arg[3], .is_wall = r->arg[4]};

    return futex_wait((struct uptr){r->arg[0]}, (unsigned)r->arg[1], (uint32_t)r->arg[2], &until,
                      (uint32_t)r->arg[5]);
}

/* A signal ended the wait: how the call is to be restarted. */
static long wait_interrupted(struct uptr addr, unsigned flags, uint32_t value,
                             const struct clock_deadline *until, uint32_t bitset)
{
    if (!until)
        return -ERESTARTSYS;
    current_task()->restart = (struct restart_block){
        .fn = wait_restart,
        .arg = {uptr_word(addr), flags, value, until->ns, until->is_wall, bitset},
    };
    return -ERESTART_RESTARTBLOCK;
}

long futex_wait(struct uptr addr, unsigned flags, uint32_t value,
                const struct clock_deadline *until, uint32_t bitset)
{
    struct futex_waiter w;

    if (bitset == 0)
        return -EINVAL;
    int err = futex_key_get(addr, flags, &w.key);
    if (err < 0)
        return err;
    futex_waiter_init(&w, bitset);
    err = wait_setup(addr, value, &w);
    if (err == 0)
        err = futex_waiter_sleep(&w, until);
    futex_key_put(&w.key); /* a requeue may have given it another */
    if (unlikely(err == -EINTR))
        return wait_interrupted(addr, flags, value, until, bitset);
    return err;
}

/* --- FUTEX_WAKE, FUTEX_WAKE_OP ------------------------------------------------------------------------ */

/* Wake up to `nr` waiters of `key` (one when nr is 0, as Linux does); -EINVAL at a PI waiter.  Locked. */
static long wake_locked(struct futex_bucket *b, const struct futex_key *key, int nr,
                        uint32_t bitset)
{
    struct futex_waiter *w, *next;
    long woken = 0;

    list_for_each_safe(w, next, &b->waiters, node) {
        if (!futex_key_equal(&w->key, key))
            continue;
        if (w->is_pi)
            return -EINVAL;
        if (!(w->bitset & bitset))
            continue;
        futex_waiter_wake(w);
        if (++woken >= nr)
            break;
    }
    return woken;
}

static __attribute__((noinline)) long wake_slow(struct futex_bucket *b, const struct futex_key *key,
                                                int nr, uint32_t bitset)
{
    spin_lock(&b->lock);
    long result = wake_locked(b, key, nr, bitset);
    spin_unlock(&b->lock);
    sched_send_kicks();
    return result;
}

long futex_wake(struct uptr addr, unsigned flags, int nr, uint32_t bitset)
{
    struct futex_key key;
    long result = 0;

    if (bitset == 0)
        return -EINVAL;
    int err = futex_key_get(addr, flags, &key);
    if (err < 0)
        return err;
    struct futex_bucket *b = futex_bucket_of(&key);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (atomic_load(&b->nr) > 0)
        result = wake_slow(b, &key, nr, bitset);
    futex_key_put(&key);
    return result;
}

void futex_wake_addr(struct uptr addr)
{
    long woken = futex_wake(addr, FUTEX_SHARED, 1, FUTEX_BITSET_MATCH_ANY);
    (void)woken; /* a bad address is the program's own affair */
}

/* Change the word at `addr` without serving faults: 0 or 1 as the old value compares, -ENOSYS, -EFAULT. */
static int wake_op_run(const struct futex_op *o, struct uptr addr)
{
    uint32_t old, new, seen;
    int err = user_load32_nofault(addr, &old);

    while (err == 0) {
        err = futex_op_apply(o, old, &new);
        if (err == 0)
            err = user_cmpxchg32_nofault(addr, old, new, &seen);
        if (err == 0) {
            if (seen == old)
                return futex_op_compare(o, (int)old);
            old = seen;
        }
    }
    return err;
}

/* Both buckets locked on success (0 or 1, the comparison's result) only. */
static int wake_op_locked(const struct futex_op *o, struct uptr addr, struct futex_bucket *a,
                          struct futex_bucket *b)
{
    for (;;) {
        lock_two(a, b);
        int result = wake_op_run(o, addr);
        if (result >= 0)
            return result;
        unlock_two(a, b);
        if (result != -EFAULT)
            return result;
        result = user_fault_in(addr, true);
        if (result < 0)
            return result;
    }
}

/* The keys of two words: 0, or an error with neither held. */
static int get_two_keys(struct uptr a, struct uptr b, unsigned flags, struct futex_key *ka,
                        struct futex_key *kb)
{
    int err = futex_key_get(a, flags, ka);

    if (err < 0)
        return err;
    err = futex_key_get(b, flags, kb);
    if (err < 0)
        futex_key_put(ka);
    return err;
}

long futex_wake_op(struct uptr addr, struct uptr addr2, unsigned flags, int nr, int nr2,
                   uint32_t encoded)
{
    struct futex_op o = futex_op_decode(encoded);
    struct futex_key key, key2;
    int err = get_two_keys(addr, addr2, flags, &key, &key2);

    if (err < 0)
        return err;
    struct futex_bucket *a = futex_bucket_of(&key), *b = futex_bucket_of(&key2);
    long result = wake_op_locked(&o, addr2, a, b);
    if (result >= 0) {
        bool also_second = result > 0;
        result = wake_locked(a, &key, nr, FUTEX_BITSET_MATCH_ANY);
        if (result >= 0 && also_second) {
            long more = wake_locked(b, &key2, nr2, FUTEX_BITSET_MATCH_ANY);
            result = more < 0 ? more : result + more;
        }
        unlock_two(a, b);
    }
    futex_key_put(&key);
    futex_key_put(&key2);
    return result;
}

/* --- FUTEX_REQUEUE ------------------------------------------------------------------------------------- */

/* To the other key and bucket; both locked.  The old object's reference cannot be the last one: the caller has
 * one, too. */
static void waiter_move(struct futex_waiter *w, struct futex_bucket *to,
                        const struct futex_key *key)
{
    waiter_take_off(w);
    if (key->object)
        vm_object_get(key->object);
    futex_key_put(&w->key);
    w->key = *key;
    atomic_add(&to->nr, 1);
    list_push_back(&to->waiters, &w->node);
    atomic_store(&w->bucket, to);
}

/* Stops at the last waiter that was there at the start: those that move within one bucket come behind it. */
static long requeue_locked(struct futex_bucket *from, struct futex_bucket *to,
                           const struct futex_key *from_key, const struct futex_key *to_key,
                           int nr_wake, int nr_requeue)
{
    struct list *node = from->waiters.next, *last = from->waiters.prev, *next;
    long count = 0;

    for (bool more = !list_is_empty(&from->waiters); more && count - nr_wake < nr_requeue;
         node = next) {
        struct futex_waiter *w = list_entry(node, struct futex_waiter, node);
        next = node->next;
        more = node != last;
        if (!futex_key_equal(&w->key, from_key))
            continue;
        if (w->is_pi)
            return -EINVAL;
        if (++count <= nr_wake)
            futex_waiter_wake(w);
        else
            waiter_move(w, to, to_key);
    }
    return count;
}

seldom_called long futex_requeue(struct uptr from, struct uptr to, unsigned flags, int nr_wake,
                                 int nr_requeue, const uint32_t *expected)
{
    struct futex_key key, key2;
    uint32_t seen;

    if (nr_wake < 0 || nr_requeue < 0)
        return -EINVAL;
    long result = get_two_keys(from, to, flags, &key, &key2);
    if (result < 0)
        return result;
    struct futex_bucket *a = futex_bucket_of(&key), *b = futex_bucket_of(&key2);
    for (;;) {
        lock_two(a, b);
        result = expected ? user_load32_nofault(from, &seen) : 0;
        if (result == 0)
            break;
        unlock_two(a, b);
        result = user_load32(from, &seen);
        if (result < 0)
            goto out;
    }
    if (expected && seen != *expected)
        result = -EAGAIN;
    else
        result = requeue_locked(a, b, &key, &key2, nr_wake, nr_requeue);
    unlock_two(a, b);
out:
    futex_key_put(&key);
    futex_key_put(&key2);
    return result;
}
