/* System V IPC: keys, ids and permissions, which shared memory, semaphores and message queues have in common.
 *
 * An id is a place in the table and the number of its tenants so far, so that a stale one is refused, as on Linux.
 * One mutex guards a table and all that is in it: these objects are for a few words now and then, not for speed. */
#include "sysv_private.h"

#include <core/timer.h>
#include <linux/stat.h>
#include <proc/cred.h>

#define SEQ_SHIFT 15 /* ids on Linux: places below 32768 */
#define SEQ_MAX   0xffffu

void sysv_table_init(struct sysv_table *t)
{
    mutex_init(&t->lock, RANK_PIPE);
}

int64_t sysv_now(void)
{
    return (int64_t)(clock_wall_ns() / 1000000000UL);
}

int sysv_may(const struct sysv_object *o, unsigned mode)
{
    const struct cred *cred = current_cred();
    const struct sysv_perm *p = &o->perm;
    unsigned granted = p->mode & 7;
    if (cred->euid == p->uid || cred->euid == p->cuid)
        granted = p->mode >> 6 & 7;
    else if (cred_in_group(cred, p->gid) || cred_in_group(cred, p->cgid))
        granted = p->mode >> 3 & 7;
    return mode >> 6 & ~granted && !cred_has_cap(cred, CAP_IPC_OWNER) ? -EACCES : 0;
}

int sysv_may_control(const struct sysv_object *o)
{
    const struct cred *cred = current_cred();
    bool may = cred->euid == o->perm.uid || cred->euid == o->perm.cuid ||
               cred_has_cap(cred, CAP_SYS_ADMIN);
    return may ? 0 : -EPERM;
}

int sysv_change(struct sysv_object *o, const struct sysv_owner *owner)
{
    int ret = sysv_may_control(o);
    if (ret < 0)
        return ret;
    if (owner->uid == UINT32_MAX || owner->gid == UINT32_MAX)
        return -EINVAL;
    o->perm.uid = owner->uid;
    o->perm.gid = owner->gid;
    o->perm.mode = (o->perm.mode & ~0777u) | (owner->mode & 0777);
    return 0;
}

long sysv_find_key(struct sysv_table *t, int key, int flags, struct sysv_object **found)
{
    assert(mutex_is_held(&t->lock));
    *found = NULL;
    for (unsigned i = 0; key != IPC_PRIVATE && i < SYSV_SLOTS && !*found; i++)
        if (t->slot[i] && t->slot[i]->perm.key == key)
            *found = t->slot[i];
    if (!*found) /* to be made, or not */
        return -ENOENT;
    if (flags & IPC_CREAT && flags & IPC_EXCL)
        return -EEXIST;
    return (*found)->perm.id;
}

long sysv_add(struct sysv_table *t, struct sysv_object *o, int key, int flags)
{
    const struct cred *cred = current_cred();
    assert(mutex_is_held(&t->lock));
    for (unsigned i = 0; i < SYSV_SLOTS; i++) {
        if (t->slot[i])
            continue;
        t->slot[i] = o;
        t->nr++;
        t->last_seq = (t->last_seq + 1) & SEQ_MAX;
        o->perm = (struct sysv_perm){
            .key = key,
            .id = (int)(t->last_seq << SEQ_SHIFT & INT32_MAX) | (int)i,
            .uid = cred->euid,
            .gid = cred->egid,
            .cuid = cred->euid,
            .cgid = cred->egid,
            .mode = (uint32_t)flags & 0777,
            .seq = t->last_seq,
        };
        return o->perm.id;
    }
    return -ENOSPC;
}

struct sysv_object *sysv_find(struct sysv_table *t, int id)
{
    assert(mutex_is_held(&t->lock));
    unsigned place = (unsigned)id & ((1u << SEQ_SHIFT) - 1);
    struct sysv_object *o = id >= 0 && place < SYSV_SLOTS ? t->slot[place] : NULL;
    return o && o->perm.id == id ? o : NULL;
}

int sysv_find_stat(struct sysv_table *t, int id, enum sysv_stat how, struct sysv_object **o)
{
    if (how == SYSV_BY_ID)
        *o = sysv_find(t, id);
    else
        *o = id >= 0 && id < SYSV_SLOTS ? t->slot[id] : NULL;
    if (!*o)
        return -EINVAL;
    return how == SYSV_BY_INDEX_ANY ? 0 : sysv_may(*o, S_IRUSR);
}

void sysv_take_out(struct sysv_table *t, struct sysv_object *o)
{
    assert(mutex_is_held(&t->lock));
    t->slot[o->perm.id & ((1 << SEQ_SHIFT) - 1)] = NULL;
    t->nr--;
}

long sysv_count(const struct sysv_table *t, struct sysv_info *info)
{
    long highest = 0;
    for (unsigned i = 0; i < SYSV_SLOTS; i++)
        if (t->slot[i])
            highest = i;
    info->nr = t->nr;
    info->highest = (unsigned)highest;
    return highest;
}
