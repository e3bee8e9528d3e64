/* What lock.c tells the lock checker; nothing at all in release builds. */
#pragma once

#include <core/lock.h>

#ifdef YOLK_DEBUG

static inline unsigned spin_rank(const struct spinlock *l)
{
    return l->rank;
}

static inline unsigned mutex_rank(const struct mutex *m)
{
    return m->rank;
}

void spin_check_context(struct spinlock *l); /* an interrupt handler's lock with interrupts on? */
void spin_note_taken(struct spinlock *l, unsigned rank);
void mutex_check_before(const struct mutex *m, unsigned rank);
void mutex_note_taken(struct mutex *m, unsigned rank);
void mutex_note_released(struct mutex *m);

#else

#define spin_rank(l)                0
#define mutex_rank(m)               0
#define spin_check_context(l)       ((void)0)
#define spin_note_taken(l, rank)    ((void)(rank))
#define mutex_check_before(m, rank) ((void)(rank))
#define mutex_note_taken(m, rank)   ((void)(rank))
#define mutex_note_released(m)      ((void)0)

#endif
