/* The ring of page-sized buffers inside a pipe; shared by pipe.c and splice.c, and pure enough for a host test.
 *
 *      tail                head
 *       v                   v
 *   |   | buf | buf | buf   |   |   |   |      slot of index i: ring[i & (nr_slots - 1)]
 *
 * `head` and `tail` only grow, so head - tail is the number of full slots also after they wrap around.  As on
 * Linux the capacity is counted in slots: a pipe is full when every slot holds something, be it one byte. */
#pragma once

#include <core/lock.h>
#include <core/page.h>
#include <core/wait.h>
#include <vfs/file.h>

#define PIPE_DEFAULT_SLOTS 16

enum {
    PIPE_BUF_MERGE = 1,  /* the next write may be appended to this page: nobody else refers to it */
    PIPE_BUF_PACKET = 2, /* O_DIRECT: one read takes this buffer and no more */
};

struct pipe_buf {
    struct page *page; /* referenced */
    uint16_t offset, len;
    uint16_t flags;
};

struct pipe {
    /* RANK_PIPE - guards, although waiters look at head, tail and the counts without it: */
    struct mutex lock;
    unsigned head, tail, nr_slots; /* nr_slots is a power of two */
    struct pipe_buf *ring;
    unsigned readers, writers; /* open files */
    unsigned r_counter,
        w_counter;      /* opens for reading, writing so far: what a FIFO's opener waits for */
    struct page *spare; /* or NULL */
    bool was_polled;    /* then every write is announced: edge-triggered pollers rely on it */

    unsigned files; /* open files, guarded by the inode's lock */
    struct waitq read_wait, write_wait;
};

static inline unsigned pipe_used(const struct pipe *p)
{
    return p->head - p->tail;
}

static inline bool pipe_is_empty(const struct pipe *p)
{
    return atomic_load(&p->head) == atomic_load(&p->tail);
}

static inline bool pipe_is_full(const struct pipe *p)
{
    return atomic_load(&p->head) - atomic_load(&p->tail) >= atomic_load(&p->nr_slots);
}

static inline struct pipe_buf *pipe_slot(struct pipe *p, unsigned index)
{
    return &p->ring[index & (p->nr_slots - 1)];
}

/* The slots for a capacity of `size` bytes, as F_SETPIPE_SZ rounds it; 0: too large. */
static inline unsigned pipe_round_slots(unsigned long size)
{
    if (size > 1UL << 31)
        return 0;
    unsigned slots = 1;
    while (slots * PAGE_SIZE < size)
        slots *= 2;
    return slots;
}

/* Append a page, whose reference the pipe takes over; the pipe is not full.  Locked. */
static inline void pipe_push(struct pipe *p, struct page *page, unsigned offset, unsigned len,
                             unsigned flags)
{
    *pipe_slot(p, p->head) = (struct pipe_buf){page, offset, len, flags};
    atomic_store(&p->head, p->head + 1);
}

/* A page to be filled, the spare one if possible; NULL: no memory.  Locked. */
struct page *pipe_take_page(struct pipe *p);
/* The end of a page that is in no slot any more.  Locked. */
void pipe_give_page(struct pipe *p, struct page *page);
/* Drop the first buffer.  Locked. */
void pipe_pop(struct pipe *p);

/* Sleep until there is something to read or no writer left (room or no reader left): 0, -EAGAIN,
 * -ERESTARTSYS.  Called and left with the lock, which it gives up meanwhile. */
must_check int pipe_wait_readable(struct pipe *p, bool nonblock);
must_check int pipe_wait_writable(struct pipe *p, bool nonblock);
/* Tell the readers about data, the writers about room. */
void pipe_wake_readers(struct pipe *p);
void pipe_wake_writers(struct pipe *p);
