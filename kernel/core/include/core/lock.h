/* Spinlocks with ranks, and sleeping mutexes.
 *
 * Which to use: a spinlock guards a few instructions and never spans a sleep, a user copy or a page
 * allocation that may wait; a mutex guards the rest.  Kernel code is not preempted, so a spinlock taken only
 * outside interrupt handlers leaves interrupts alone; one that a handler takes too is always taken with
 * spin_lock_irq.  So is every lock that ranks above the first that a handler takes (RANK_SIGNAL): a handler may
 * come while it is held.
 *
 * Order: a lock may be taken only while every lock held has a LOWER rank (a handler counts only what it took
 * itself).  And while a lock is held that handlers take, no lock may be taken that is ever taken with interrupts on:
 * its holder could be interrupted by a handler that waits for the first.  Debug builds assert all that. */
#pragma once

#include <arch/arch.h>
#include <base/list.h>
#include <base/log.h>

/* The whole order, outermost first.  Mutexes and spinlocks share it; no spinlock rank is below a mutex's. */
enum lock_rank {
    /* mutexes */
    RANK_PROCESS = 1, /* struct process: threads, credentials, children */
    RANK_EPOLL_NEST,  /* which epoll instance watches which */
    RANK_EPOLL, /* an epoll instance: an outer one before those it watches (epoll.c sets the ranks) */
    RANK_EPOLL_LAST = RANK_EPOLL + 4,
    RANK_TTY,
    RANK_PIPE,        /* and other stream objects */
    RANK_PIPE_2,      /* the second of two pipes (splice, tee) */
    RANK_SOCKET_IO,   /* a socket's readers, and bind(2) */
    RANK_NET,         /* the TCP/IP stack */
    RANK_FILE_POS,    /* file offset shared by threads */
    RANK_PSEUDO_FILE, /* the text of an open file in /proc or /sys */
    RANK_MOUNT,
    RANK_RENAME,  /* whole-tree rename */
    RANK_INODE,   /* directory contents and file size: parent before child */
    RANK_INODE_2, /* a second inode, by the order of rename(2) */
    RANK_PROCESS_INNER, /* a process's lock, or an epoll instance's, when /proc takes it inside a file's */
    RANK_VM,            /* struct vm: the area tree */
    RANK_OBJECT,        /* struct vm_object: its pages */
    RANK_DEVICE,
    /* spinlocks */
    RANK_FIRST_SPIN,
    RANK_FDTABLE = RANK_FIRST_SPIN,
    RANK_MOUNT_TREE, /* what is mounted where */
    RANK_DENTRY,
    RANK_AREAS,       /* one address space's areas, for a look (changes take RANK_VM too) */
    RANK_PAGETABLE,   /* one address space's tables */
    RANK_KMAP,        /* where kernel stacks are mapped */
    RANK_FAMILY,      /* which process is whose child */
    RANK_SOCKET_GC,   /* which sockets are on their way in messages */
    RANK_SOCKET_NAME, /* bound names */
    RANK_SOCKET,      /* a socket's state and queue */
    RANK_SOCKET_2,    /* the second of two sockets that are connected */
    RANK_FUTEX,       /* futex bucket; a second bucket by address: RANK_FUTEX_2 */
    RANK_FUTEX_2,
    RANK_SIGNAL, /* pending signals of a process and its tasks */
    RANK_PIDMAP,
    RANK_LDISC,      /* a terminal's or stream's buffers */
    RANK_DRIVER,     /* a device queue */
    RANK_WAITQ_PEER, /* a socket's queue of those who wait to send to it; wakes their own queues */
    RANK_WAITQ,      /* a wait queue; callbacks of its waiters run under it */
    RANK_WAITQ_2,    /* the wait queue of an epoll instance, woken from a callback */
    RANK_WAITQ_3,    /* a nested epoll instance's, up to RANK_WAITQ_LAST */
    RANK_WAITQ_LAST = RANK_WAITQ_2 + 5,
    RANK_TIMER,
    RANK_THREADS, /* the list of all threads */
    RANK_RUNQ,
    RANK_HEAP,
    RANK_PAGE_GROW, /* page_grow.c: RAM that has no struct pages yet */
    RANK_PAGE,
    RANK_TRACE, /* a ring of trace records */
    RANK_LOG,
};

struct spinlock {
    uint32_t is_locked; /* atomic */
#ifdef YOLK_DEBUG
    uint16_t rank;
    uint16_t held_rank;  /* rank, or what spin_lock_nested was given */
    uint16_t cpu_plus_1; /* holder, 0: free */
    uint8_t held_depth;  /* irq_depth when it was taken */
    bool seen_in_irq;    /* a handler has taken it */
    bool seen_irqs_on;   /* taken with interrupts on */
    const char *name;
    struct spinlock *held_below; /* the holder CPU's stack of held spinlocks */
#endif
};

#ifdef YOLK_DEBUG
#define SPINLOCK_INIT(rnk)          \
    {                               \
        .rank = (rnk), .name = #rnk \
    }
#else
#define SPINLOCK_INIT(rnk) \
    {                      \
        0                  \
    }
#endif
void spin_init(struct spinlock *l, enum lock_rank rank);

/* The lock itself. */
void spin_wait(struct spinlock *l);
static inline void spin_take(struct spinlock *l)
{
    if (unlikely(__atomic_exchange_n(&l->is_locked, 1, __ATOMIC_ACQUIRE)))
        spin_wait(l);
}

static short_inline void spin_release(struct spinlock *l)
{
    __atomic_store_n(&l->is_locked, 0, __ATOMIC_RELEASE);
}

/* What everybody calls; debug builds put their checks around it, out of line (lock_check.c).  Any context, but see
 * above for locks that interrupt handlers take. */
#ifdef YOLK_DEBUG
void spin_lock(struct spinlock *l);
void spin_unlock(struct spinlock *l);
/* Like spin_lock, as if the lock had the given rank: the second of two locks of one kind. */
void spin_lock_nested(struct spinlock *l, enum lock_rank rank);
#else
static inline void spin_lock(struct spinlock *l)
{
    spin_take(l);
}
static short_inline void spin_unlock(struct spinlock *l)
{
    spin_release(l);
}
static inline void spin_lock_nested(struct spinlock *l, enum lock_rank rank)
{
    spin_take(l);
}
#endif
bool spin_try(struct spinlock *l);

/* With interrupts off; spin_unlock_irq gets back what spin_lock_irq answered.  Flat, as files compiled for size would make
 * three calls of each. */
__attribute__((flatten)) static inline bool spin_lock_irq(struct spinlock *l)
{
    bool irqs = arch_irq_save();

    spin_lock(l);
    return irqs;
}

__attribute__((flatten)) static inline void spin_unlock_irq(struct spinlock *l, bool irqs_were_on)
{
    spin_unlock(l);
    arch_irq_restore(irqs_were_on);
}

/* A sleeping lock, handed over in arrival order.  Thread context only; the sleep cannot be interrupted. */
struct mutex {
    uintptr_t owner;      /* struct thread *, atomic; bit 0: someone waits */
    struct spinlock lock; /* guards: */
    struct list waiters;  /* not empty exactly while bit 0 of owner is set */
#ifdef YOLK_DEBUG
    uint16_t rank, held_rank;
    struct mutex *held_below; /* the owner's stack of held mutexes */
#endif
};

void mutex_init(struct mutex *m, enum lock_rank rank);
void mutex_lock(struct mutex *m);
/* mutex_lock inside another mutex of the same kind (the second directory of a rename): taken as if its rank were
 * `rank`. */
void mutex_lock_nested(struct mutex *m, enum lock_rank rank);
bool mutex_try(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_is_held(const struct mutex *m); /* by the current thread */

/* For locks whose place in the order depends on how objects are connected (epoll instances). */
#ifdef YOLK_DEBUG
static inline void spin_set_rank(struct spinlock *l, enum lock_rank rank)
{
    l->rank = (uint16_t)rank;
}
static inline void mutex_set_rank(struct mutex *m, enum lock_rank rank)
{
    m->rank = (uint16_t)rank;
}
bool spin_is_held(const struct spinlock *l); /* by this CPU; for assert() */
/* Panics when this CPU holds a spinlock or is in an interrupt handler: callers that may sleep assert with it. */
void lock_assert_may_sleep(void);
#else
static inline void spin_set_rank(struct spinlock *l, enum lock_rank rank)
{
    (void)l;
    (void)rank;
}
static inline void mutex_set_rank(struct mutex *m, enum lock_rank rank)
{
    (void)m;
    (void)rank;
}
static inline bool spin_is_held(const struct spinlock *l)
{
    (void)l;
    return true;
}
static inline void lock_assert_may_sleep(void)
{
}
#endif
