/* Priority-inheritance futexes: the word holds the owner's thread id, and the kernel passes ownership on.
 *
 *     bit 31 FUTEX_WAITERS   the owner must call FUTEX_UNLOCK_PI, which hands over to the first waiter
 *     bit 30 FUTEX_OWNER_DIED
 *     the rest               the owner's tid, 0: free
 *
 * Nobody's priority is raised; everything that a program can see is as on Linux.  Each waiter names the task that it
 * waits for, so a dying owner finds its waiters, and a circle of them is found before it closes (-EDEADLK). */
#include "futex_private.h"

/* Guards futex_waiter.owner, is_heir and the fields below of every task; taken under bucket locks. */
static struct spinlock pi_lock = SPINLOCK_INIT(RANK_FUTEX_2);

/* struct task.futex_private, ours: */
enum {
    PI_BLOCKED_ON, /* the struct futex_waiter with which the task waits, or 0 */
    PI_NR_WAITERS, /* how many name this task as owner */
    PI_EXIT_STATE, /* no more waiters may name it */
};
enum { EXIT_NOT_YET, EXIT_UNDER_WAY, EXIT_DONE };

static void pi_set_owner(struct futex_waiter *w, struct task *owner)
{
    if (w->owner)
        w->owner->futex_private[PI_NR_WAITERS]--;
    w->owner = owner;
    if (owner)
        owner->futex_private[PI_NR_WAITERS]++;
}

static void set_exit_state(struct task *t, unsigned state)
{
    spin_lock(&pi_lock);
    t->futex_private[PI_EXIT_STATE] = state;
    spin_unlock(&pi_lock);
}

static struct futex_waiter *first_waiter(struct futex_bucket *b, const struct futex_key *key)
{
    struct futex_waiter *w;

    list_for_each(w, &b->waiters, node)
        if (futex_key_equal(&w->key, key))
            return w;
    return NULL;
}

/* Does `owner` wait, over any number of owners, for `t`?  pi_lock held. */
static bool waits_for(const struct task *owner, const struct task *t)
{
    while (owner != t) {
        const struct futex_waiter *w = (void *)owner->futex_private[PI_BLOCKED_ON];
        if (!w || !w->owner)
            return false;
        owner = w->owner;
    }
    return true;
}

/* Let `w` wait for `owner`.  -EDEADLK; -EAGAIN: the owner is dying, -ESRCH: it is dead. */
static int block_on(struct futex_bucket *b, struct futex_waiter *w, struct task *owner)
{
    int err = 0;

    spin_lock(&pi_lock);
    if (owner->futex_private[PI_EXIT_STATE] != EXIT_NOT_YET)
        err = owner->futex_private[PI_EXIT_STATE] == EXIT_DONE ? -ESRCH : -EAGAIN;
    else if (waits_for(owner, w->task))
        err = -EDEADLK;
    if (err == 0) {
        w->is_pi = true;
        pi_set_owner(w, owner);
        w->task->futex_private[PI_BLOCKED_ON] = (uint64_t)w;
        futex_waiter_queue(b, w);
    }
    spin_unlock(&pi_lock);
    return err;
}

static void stop_waiting(struct futex_waiter *w)
{
    spin_lock(&pi_lock);
    pi_set_owner(w, NULL);
    w->task->futex_private[PI_BLOCKED_ON] = 0;
    spin_unlock(&pi_lock);
}

/* The lock is `heir`'s, the first waiter's: the others wait for it now.  Bucket locked. */
static void pass_on(struct futex_bucket *b, struct futex_waiter *heir)
{
    struct futex_waiter *w;

    spin_lock(&pi_lock);
    list_for_each(w, &b->waiters, node)
        if (w != heir && futex_key_equal(&w->key, &heir->key))
            pi_set_owner(w, heir->task);
    pi_set_owner(heir, NULL);
    heir->task->futex_private[PI_BLOCKED_ON] = 0;
    spin_unlock(&pi_lock);
}

/* Replace `old` by `new` in the word, under the bucket's lock: 0, -EAGAIN (it changed), or -EFAULT. */
static int word_replace(struct uptr addr, uint32_t old, uint32_t new)
{
    uint32_t seen;
    int err = user_cmpxchg32_nofault(addr, old, new, &seen);

    return err < 0 ? err : seen == old ? 0 : -EAGAIN;
}

/* --- FUTEX_LOCK_PI ------------------------------------------------------------------------------------ */

/* The task that `w` must wait for: who the waiters before it name, or the word does.  Referenced.  NULL: gone. */
static struct task *find_owner(struct futex_bucket *b, struct futex_waiter *w, uint32_t word)
{
    struct futex_waiter *first = first_waiter(b, &w->key);
    struct task *owner = NULL;

    if (!first)
        return task_find((int)(word & FUTEX_TID_MASK));
    spin_lock(&pi_lock);
    owner = first->is_heir ? first->task : first->owner;
    if (owner)
        task_get(owner);
    spin_unlock(&pi_lock);
    return owner;
}

enum attempt { LOCK_QUEUED, LOCK_TAKEN, LOCK_WOULD_BLOCK };

/* Wait for whom the word names, which has FUTEX_WAITERS set already: LOCK_QUEUED, or an error as below. */
static int queue_behind_owner(struct futex_bucket *b, struct uptr addr, struct futex_waiter *w,
                              uint32_t word)
{
    struct task *owner = find_owner(b, w, word);
    uint32_t now;
    int err = -ESRCH;

    if (owner) {
        err = block_on(b, w, owner);
        task_put(owner);
    }
    /* Dead; but before that it may have marked the word, after we read it. */
    if (err == -ESRCH && user_load32_nofault(addr, &now) == 0 && now != word)
        err = -EAGAIN;
    return err;
}

/* One attempt, bucket locked: enum attempt; -EAGAIN: again; -EFAULT: fetch the page and again; other errors are
 * final. */
static int lock_or_queue(struct futex_bucket *b, struct uptr addr, struct futex_waiter *w, bool try)
{
    uint32_t word, me = (uint32_t)w->task->tid;
    struct futex_waiter *first = first_waiter(b, &w->key);

    if (user_load32_nofault(addr, &word) < 0)
        return -EFAULT;
    if ((word & FUTEX_TID_MASK) == me)
        return -EDEADLK;
    if (first && !first->is_pi)
        return -EINVAL; /* FUTEX_WAIT on the same word */
    if (!(word & FUTEX_TID_MASK) && !first) {
        int err = word_replace(addr, word, (word & FUTEX_OWNER_DIED) | me);
        return err < 0 ? err : LOCK_TAKEN;
    }
    if (!(word & FUTEX_WAITERS)) {
        int err = word_replace(addr, word, word | FUTEX_WAITERS);
        if (err < 0)
            return err;
    }
    return try ? LOCK_WOULD_BLOCK : queue_behind_owner(b, addr, w, word | FUTEX_WAITERS);
}

/* The owner died without unlocking, and passed the lock to us: say so in the word, and leave the queue, in which we
 * stayed to keep others off meanwhile. */
static int inherit(struct uptr addr, struct futex_waiter *w)
{
    uint32_t word, seen, me = (uint32_t)w->task->tid;
    int err = user_load32(addr, &word);

    while (err == 0) {
        err = user_cmpxchg32(addr, word, FUTEX_WAITERS | FUTEX_OWNER_DIED | me, &seen);
        if (err == 0 && seen == word)
            break;
        word = seen;
    }
    futex_waiter_unqueue(w);
    return err;
}

/* Queued: until the lock is ours.  The heir of a dead owner is woken, but not taken off the queue. */
static int lock_sleep(struct uptr addr, struct futex_waiter *w, const struct clock_deadline *until)
{
    for (;;) {
        int err = wait_sleep_until(until);
        struct futex_bucket *b = futex_bucket_lock(w);
        if (!b)
            return 0;
        bool is_heir = w->is_heir;
        if (!is_heir && err == 0) {
            wait_prepare(WAIT_INTERRUPTIBLE);
        } else if (!is_heir) {
            futex_waiter_unqueue_locked(w);
            stop_waiting(w);
        }
        spin_unlock(&b->lock);
        if (is_heir)
            return inherit(addr, w);
        if (err < 0)
            return err == -EINTR ? -ERESTARTNOINTR : err;
    }
}

/* Until the lock is taken or there is an error, that may be the user's page or the lock's owner in the making. */
static int lock_attempts(struct futex_bucket *b, struct uptr addr, struct futex_waiter *w, bool try,
                         const struct clock_deadline *until)
{
    for (;;) {
        futex_bucket_enter(b);
        int result = lock_or_queue(b, addr, w, try);
        if (result == LOCK_QUEUED) {
            wait_prepare(WAIT_INTERRUPTIBLE);
            spin_unlock(&b->lock);
            return lock_sleep(addr, w, until);
        }
        futex_bucket_leave(b);
        if (result == LOCK_TAKEN)
            return 0;
        if (result == LOCK_WOULD_BLOCK)
            return -EWOULDBLOCK;
        if (result == -EFAULT)
            result = user_fault_in(addr, true) < 0 ? -EFAULT : -EAGAIN;
        if (result != -EAGAIN)
            return result;
        sched_yield();
        if (thread_interrupted())
            return -ERESTARTNOINTR;
    }
}

long futex_lock_pi(struct uptr addr, unsigned flags, const struct clock_deadline *until, bool try)
{
    struct futex_waiter w;
    int err = futex_key_get(addr, flags, &w.key);

    if (err < 0)
        return err;
    /* After execve(2) a task may own locks again. */
    if (current_task()->futex_private[PI_EXIT_STATE] != EXIT_NOT_YET)
        set_exit_state(current_task(), EXIT_NOT_YET);
    futex_waiter_init(&w, FUTEX_BITSET_MATCH_ANY);
    err = lock_attempts(futex_bucket_of(&w.key), addr, &w, try, until);
    futex_key_put(&w.key);
    return err;
}

/* --- FUTEX_UNLOCK_PI ---------------------------------------------------------------------------------- */

/* Bucket locked.  0; -EAGAIN, -EFAULT as above. */
static int unlock_or_pass(struct futex_bucket *b, struct uptr addr, const struct futex_key *key)
{
    struct futex_waiter *heir = first_waiter(b, key);
    uint32_t word;

    if (user_load32_nofault(addr, &word) < 0)
        return -EFAULT;
    if ((word & FUTEX_TID_MASK) != (uint32_t)current_task()->tid)
        return -EPERM;
    if (!heir)
        return word_replace(addr, word, 0);
    if (!heir->is_pi)
        return -EINVAL;
    int err = word_replace(addr, word, FUTEX_WAITERS | (uint32_t)heir->task->tid);
    if (err == 0) {
        pass_on(b, heir);
        futex_waiter_wake(heir);
    }
    return err;
}

long futex_unlock_pi(struct uptr addr, unsigned flags)
{
    struct futex_key key;
    uint32_t word;
    int err = user_get(
        addr, &word); /* at any address: -EPERM comes before what is wrong with it, as on Linux */

    if (err < 0)
        return err;
    if ((word & FUTEX_TID_MASK) != (uint32_t)current_task()->tid)
        return -EPERM;
    err = futex_key_get(addr, flags, &key);
    if (err < 0)
        return err;
    struct futex_bucket *b = futex_bucket_of(&key);
    do {
        spin_lock(&b->lock);
        err = unlock_or_pass(b, addr, &key);
        spin_unlock(&b->lock);
        sched_send_kicks();
        if (err == -EFAULT)
            err = user_fault_in(addr, true) < 0 ? -EFAULT : -EAGAIN;
    } while (err == -EAGAIN);
    futex_key_put(&key);
    return err;
}

/* --- the owner dies ----------------------------------------------------------------------------------- */

/* Somebody in this bucket who waits for `t` and is the first in its queue. */
static struct futex_waiter *find_heir(struct futex_bucket *b, const struct task *t)
{
    struct futex_waiter *w;

    list_for_each(w, &b->waiters, node)
        if (w->is_pi && w->owner == t && first_waiter(b, &w->key) == w)
            return w;
    return NULL;
}

void futex_pi_exit(struct task *t)
{
    struct futex_waiter *heir;

    set_exit_state(t, EXIT_UNDER_WAY);
    for (unsigned i = 0; t->futex_private[PI_NR_WAITERS] > 0 && i < ARRAY_LEN(futex_buckets); i++) {
        struct futex_bucket *b = &futex_buckets[i];
        spin_lock(&b->lock);
        while ((heir = find_heir(b, t))) {
            pass_on(b, heir);
            heir->is_heir = true;
            thread_wake_quiet(&heir->task->thread);
        }
        spin_unlock(&b->lock);
        sched_send_kicks();
    }
    set_exit_state(t, EXIT_DONE);
}
