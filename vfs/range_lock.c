/* The arithmetic of record locks: fcntl_locking(2). */
#include <core/heap.h>
#include <linux/fcntl.h>

#include "range_lock.h"

static bool overlaps(const struct range_lock *a, const struct range_lock *b)
{
    return a->start <= b->end && b->start <= a->end;
}

/* Overlapping, or one begins where the other ends. */
static bool touches(const struct range_lock *a, const struct range_lock *b)
{
    return overlaps(a, b) || (a->end < INT64_MAX && a->end + 1 == b->start) ||
           (b->end < INT64_MAX && b->end + 1 == a->start);
}

struct range_lock *range_find_conflict(struct list *locks, const struct range_lock *request)
{
    struct range_lock *l;
    if (request->type == F_UNLCK)
        return NULL;
    list_for_each(l, locks, node)
        if (l->owner != request->owner && overlaps(l, request) &&
            (l->type == F_WRLCK || request->type == F_WRLCK))
            return l;
    return NULL;
}

struct range_lock *range_find_own(struct list *locks, const struct range_lock *request)
{
    struct range_lock *l;
    list_for_each(l, locks, node)
        if (l->owner == request->owner && overlaps(l, request))
            return l;
    return NULL;
}

static struct range_lock *take(struct range_lock *spare[2])
{
    unsigned n = spare[0] ? 0 : 1;
    struct range_lock *l = spare[n];
    spare[n] = NULL;
    return l;
}

/* Cut the request's range out of `l`, which is of the same owner and another type. */
static void cut(struct range_lock *l, const struct range_lock *request, struct range_lock *spare[2])
{
    bool keeps_left = l->start<request->start, keeps_right = l->end> request->end;
    if (keeps_left && keeps_right) {
        struct range_lock *right = take(spare);
        *right = *l;
        right->start = request->end + 1;
        list_add_after(&l->node, &right->node);
        l->end = request->start - 1;
    } else if (keeps_left) {
        l->end = request->start - 1;
    } else if (keeps_right) {
        l->start = request->end + 1;
    } else {
        list_remove(&l->node);
        heap_free(l);
    }
}

bool range_apply(struct list *locks, const struct range_lock *request, struct range_lock *spare[2])
{
    struct range_lock *l, *tmp, joined = *request;
    bool gave_up = false;
    list_for_each_safe(l, tmp, locks, node) {
        if (l->owner != request->owner)
            continue;
        if (l->type == request->type) {
            if (!touches(l, &joined))
                continue;
            joined.start = MIN(joined.start, l->start);
            joined.end = MAX(joined.end, l->end);
            list_remove(&l->node);
            heap_free(l);
        } else if (overlaps(l, request)) {
            gave_up = true;
            cut(l, request, spare);
        }
    }
    if (request->type != F_UNLCK) {
        struct range_lock *new = take(spare);
        *new = joined;
        list_push_back(locks, &new->node);
    }
    return gave_up;
}
