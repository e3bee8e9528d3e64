/* Byte ranges held by owners: the arithmetic of record locks, without locking, waiting or files. */
#pragma once

#include <base/list.h>

struct range_lock {
    struct list node;
    void *owner;
    int type; /* F_RDLCK or F_WRLCK; in a request F_UNLCK too */
    int pid;
    int64_t start, end; /* inclusive */
};

/* A lock of the request's owner that overlaps it; NULL: none. */
struct range_lock *range_find_own(struct list *locks, const struct range_lock *request);
/* A lock in the list that stands in the way of the request; NULL: none. */
struct range_lock *range_find_conflict(struct list *locks, const struct range_lock *request);

/* Make the list say what the request says: what its owner held there before is replaced, split,
 * shortened or joined. Uses up to two of `spare` (each NULL afterwards if used), and hands back a
 * lock that is not needed any more by heap_free.  True when something was given up that others may
 * wait for. */
bool range_apply(struct list *locks, const struct range_lock *request, struct range_lock *spare[2]);
