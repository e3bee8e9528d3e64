/* What the futex files know of each other. */
#pragma once

#include <base/errno.h>
#include <core/sched.h>
#include <core/usercopy.h>
#include <core/vm.h>
#include <core/wait.h>
#include <linux/futex.h>
#include <proc/futex.h>
#include <proc/process.h>

/* What identifies a word: a shared object and the offset in it, or an address space and the address.  In the latter
 * case bit 0 of `offset` tells FUTEX_SHARED from private, as Linux does. */
struct futex_key {
    const void *what;
    uint64_t offset;
    struct vm_object *object; /* referenced by whoever holds the key; NULL: not shared memory */
};

struct futex_bucket {
    struct spinlock lock; /* RANK_FUTEX; thread context only - guards: */
    struct list waiters;  /* struct futex_waiter.node */
    unsigned nr;          /* atomic: those on the list, and those about to be */
};

struct futex_waiter {
    struct task *task;
    /* guarded by the lock of `bucket` */
    struct list node;
    /* atomic; NULL: woken, and the waker is done with this waiter and its task */
    struct futex_bucket *bucket;
    struct futex_key key;
    uint32_t bitset;
    bool is_queued; /* atomic: false before the task is woken */
    /* LOCK_PI, also guarded by pi_lock */
    bool is_pi;
    bool is_heir;       /* the owner died: the lock is this waiter's, the word not yet */
    struct task *owner; /* whom it waits for; not referenced: exit leaves no waiter behind */
};

/* Replace the private key of an address by what it is known by when it is shared.  0 or -EFAULT. */
must_check int futex_key_share(struct futex_key *key);

/* 0, -EINVAL (not aligned) or -EFAULT. */
must_check static inline int futex_key_get(struct uptr addr, unsigned flags, struct futex_key *key)
{
    uintptr_t va = uptr_word(addr);

    if (unlikely(va % sizeof(uint32_t) != 0))
        return -EINVAL;
    if (unlikely(va > USER_TOP - sizeof(uint32_t)))
        return -EFAULT;
    *key = (struct futex_key){.what = current_thread()->vm, .offset = va};
    return likely(!(flags & FUTEX_SHARED)) ? 0 : futex_key_share(key);
}

static inline void futex_key_put(struct futex_key *key)
{
    if (key->object)
        vm_object_put(key->object);
}

static inline bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
    return a->what == b->what && a->offset == b->offset;
}

#define FUTEX_BUCKET_BITS 8
extern struct futex_bucket futex_buckets[1 << FUTEX_BUCKET_BITS];

static inline struct futex_bucket *futex_bucket_of(const struct futex_key *key)
{
    uint64_t mixed = ((uintptr_t)key->what >> 4) + (key->offset >> 2);

    return &futex_buckets[mixed * 0x9e3779b97f4a7c15ULL >> (64 - FUTEX_BUCKET_BITS)];
}
/* Count a waiter that may be about to come, then lock: from here on no waker overlooks it. */
static inline void futex_bucket_enter(struct futex_bucket *b)
{
    atomic_add(&b->nr, 1);
    spin_lock(&b->lock);
}

/* It did not come after all. */
static inline void futex_bucket_leave(struct futex_bucket *b)
{
    spin_unlock(&b->lock);
    atomic_add(&b->nr, -1u);
}

/* A waiter of the current task, whose key is set already. */
static inline void futex_waiter_init(struct futex_waiter *w, uint32_t bitset)
{
    w->task = current_task();
    w->bucket = NULL;
    w->bitset = bitset;
    w->is_queued = w->is_pi = w->is_heir = false;
    w->owner = NULL;
}

/* Into the bucket that was entered, before its lock is dropped. */
static inline void futex_waiter_queue(struct futex_bucket *b, struct futex_waiter *w)
{
    w->bucket = b;
    w->is_queued = true;
    list_push_back(&b->waiters, &w->node);
}

/* Take it off its bucket's list and wake it; that bucket's lock is held, and sched_send_kicks follows when it is
 * given back.  `w` may be gone when this returns. */
void futex_waiter_wake(struct futex_waiter *w);
/* The bucket that `w` is in now, locked; NULL when it was woken. */
struct futex_bucket *futex_bucket_lock(struct futex_waiter *w);
/* Take it back: true when nobody had woken it. */
bool futex_waiter_unqueue(struct futex_waiter *w);
void futex_waiter_unqueue_locked(struct futex_waiter *w); /* it is queued, its bucket locked */
/* Sleep until woken: 0, and otherwise -ETIMEDOUT or -EINTR with the waiter taken back.  The caller did wait_prepare
 * before it dropped the bucket's lock. */
must_check int futex_waiter_sleep(struct futex_waiter *w, const struct clock_deadline *until);

/* The value at `addr` under the bucket's lock.  -EAGAIN: the page had to be fetched, and the lock was dropped for
 * it and taken again.  -EFAULT, likewise locked. */
must_check int futex_load_locked(struct futex_bucket *b, struct uptr addr, uint32_t *value);
/* Queue the waiter, whose key is set, if the word has the value: 0 with its bucket's lock held, for the caller to drop;
 * -EAGAIN or -EFAULT with nothing held. */
must_check int futex_waiter_queue_if(struct uptr addr, uint32_t value, struct futex_waiter *w);

/* futex_pi.c: hand over what the dying task holds. */
void futex_pi_exit(struct task *t);
