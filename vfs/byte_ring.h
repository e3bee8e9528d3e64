/* A ring of bytes, and a turn: what terminals and streams are made of.  Pure but for the turn; the owner of a ring
 * serialises. */
#pragma once

#include <base/string.h>
#include <core/atomic.h>
#include <core/wait.h>

/* The indices only grow; size is a power of two. */
struct byte_ring {
    uint8_t *buf;
    unsigned size, read, head;
};

static inline unsigned ring_used(const struct byte_ring *r)
{
    return r->head - r->read;
}

static inline unsigned ring_room(const struct byte_ring *r)
{
    return r->size - ring_used(r);
}

/* The bytes that lie in one piece at the front: how many. */
static inline unsigned ring_front(const struct byte_ring *r, const uint8_t **bytes)
{
    unsigned at = r->read & (r->size - 1);
    *bytes = r->buf + at;
    return MIN(ring_used(r), r->size - at);
}

/* As many as there is room for. */
static inline unsigned ring_put(struct byte_ring *r, const void *bytes, unsigned n)
{
    n = MIN(n, ring_room(r));
    unsigned at = r->head & (r->size - 1), first = MIN(n, r->size - at);
    memcpy(r->buf + at, bytes, first);
    memcpy(r->buf, (const uint8_t *)bytes + first, n - first);
    r->head += n;
    return n;
}

/* As many as there are. */
static inline unsigned ring_get(struct byte_ring *r, void *bytes, unsigned n)
{
    const uint8_t *front;
    unsigned done = 0, len;
    while (done < n && (len = ring_front(r, &front)) > 0) {
        len = MIN(len, n - done);
        memcpy((uint8_t *)bytes + done, front, len);
        r->read += len;
        done += len;
    }
    return done;
}

/* One reader or writer at a time, for as long as its call lasts: a lock whose wait a signal can end. */
struct turn {
    bool is_taken; /* atomic */
    struct waitq wait;
};

static inline void turn_init(struct turn *t)
{
    t->is_taken = false;
    waitq_init(&t->wait);
}

static inline bool turn_try(struct turn *t)
{
    return !atomic_swap(&t->is_taken, true);
}

/* 0, -EAGAIN or -ERESTARTSYS. */
must_check static inline int turn_take(struct turn *t, bool nonblock)
{
    if (turn_try(t))
        return 0;
    if (nonblock)
        return -EAGAIN;
    return WAIT_EVENT_EXCLUSIVE(&t->wait, turn_try(t), WAIT_INTERRUPTIBLE, TIME_NEVER) < 0
               ? -ERESTARTSYS
               : 0;
}

static inline void turn_give(struct turn *t)
{
    atomic_store(&t->is_taken, false);
    waitq_wake(&t->wait, 1, 0);
}
