/* The three kinds' common part: a table of objects with keys, ids and permissions.  See sysv.c. */
#pragma once

#include "private.h"

#include <linux/ipc.h>
#include <proc/sysv.h>

#define SYSV_SLOTS 512

/* The first member of an object. */
struct sysv_object {
    struct ref ref; /* the table's, and of whoever sleeps in it */
    struct sysv_perm perm;
    bool is_removed; /* atomic */
};

struct sysv_table {
    struct mutex lock; /* RANK_PIPE - guards the table and every object in it */
    struct sysv_object *slot[SYSV_SLOTS];
    unsigned nr, last_seq;
};

void sysv_table_init(struct sysv_table *t);
void sem_init(void); /* the kinds, called by sysv_init */
void msg_init(void);
/* All with t->lock held. */
/* *get(2)'s rules for keys: the id of what is there, or -ENOENT when one is to be made, or -errno; *found is what is
 * there (NULL: nothing). */
must_check long sysv_find_key(struct sysv_table *t, int key, int flags, struct sysv_object **found);
/* A new one into the table, which takes its reference over: the id or -ENOSPC. */
must_check long sysv_add(struct sysv_table *t, struct sysv_object *o, int key, int flags);
/* By id: NULL is -EINVAL. */
struct sysv_object *sysv_find(struct sysv_table *t, int id);
/* Also by place; 0 and *o, or -EINVAL, -EACCES. */
must_check int sysv_find_stat(struct sysv_table *t, int id, enum sysv_stat how,
                              struct sysv_object **o);
/* What the caller may do: `mode` of S_IRUSR and S_IWUSR.  0 or -EACCES. */
must_check int sysv_may(const struct sysv_object *o, unsigned mode);
/* IPC_SET, IPC_RMID: the owner's and the maker's right.  0 or -EPERM. */
must_check int sysv_may_control(const struct sysv_object *o);
/* IPC_SET. */
must_check int sysv_change(struct sysv_object *o, const struct sysv_owner *owner);
/* Out of the table; the table's reference becomes the caller's. */
void sysv_take_out(struct sysv_table *t, struct sysv_object *o);
long sysv_count(const struct sysv_table *t, struct sysv_info *info); /* the highest place */
int64_t sysv_now(void);                                              /* seconds */
