/* i386's structures of System V IPC: those of IPC_64, and the ones before, with ids of 16 bits. */
#include "abi_sysv.h"

#include <base/errno.h>
#include <base/string.h>

#include "abi.h"
#include "abi_file.h"

static void put_perm_old(uint8_t *at, const struct sysv_perm *p)
{
    union i386_ipc_perm perm;
    perm.key = p->key;
    perm.uid = id_to_16(p->uid);
    perm.gid = id_to_16(p->gid);
    perm.cuid = id_to_16(p->cuid);
    perm.cgid = id_to_16(p->cgid);
    perm.mode = (uint16_t)p->mode;
    perm.seq = (uint16_t)p->seq;
    memcpy(at, &perm, sizeof(perm));
}

static void put_perm(uint8_t *at, const struct sysv_perm *p)
{
    union i386_ipc64_perm perm;
    memset(&perm, 0, sizeof(perm));
    perm.key = p->key;
    perm.uid = p->uid;
    perm.gid = p->gid;
    perm.cuid = p->cuid;
    perm.cgid = p->cgid;
    perm.mode = (uint16_t)p->mode;
    perm.seq = (uint16_t)p->seq;
    memcpy(at, &perm, sizeof(perm));
}

static int put_shm_old(struct uptr p, const struct shm_stat *st)
{
    union i386_shmid ds;
    memset(&ds, 0, sizeof(ds));
    put_perm_old(ds.perm, &st->perm);
    ds.segsz = (int32_t)st->size;
    ds.atime = (int32_t)st->atime;
    ds.dtime = (int32_t)st->dtime;
    ds.ctime = (int32_t)st->ctime;
    ds.cpid = (uint16_t)st->cpid;
    ds.lpid = (uint16_t)st->lpid;
    ds.nattch = (uint16_t)st->nr_attached;
    return user_put(p, &ds);
}

int user_put_shm_stat_32(struct uptr p, const struct shm_stat *st, bool is_old)
{
    union i386_shmid64 ds;
    if (is_old)
        return put_shm_old(p, st);
    memset(&ds, 0, sizeof(ds));
    put_perm(ds.perm, &st->perm);
    ds.segsz = (uint32_t)st->size;
    ds.atime = (uint32_t)st->atime;
    ds.atime_high = (uint32_t)(st->atime >> 32);
    ds.dtime = (uint32_t)st->dtime;
    ds.dtime_high = (uint32_t)(st->dtime >> 32);
    ds.ctime = (uint32_t)st->ctime;
    ds.ctime_high = (uint32_t)(st->ctime >> 32);
    ds.cpid = st->cpid;
    ds.lpid = st->lpid;
    ds.nattch = (uint32_t)st->nr_attached;
    return user_put(p, &ds);
}

static int put_sem_old(struct uptr p, const struct sem_stat *st)
{
    union i386_semid ds;
    memset(&ds, 0, sizeof(ds));
    put_perm_old(ds.perm, &st->perm);
    ds.otime = (int32_t)st->otime;
    ds.ctime = (int32_t)st->ctime;
    ds.nsems = (uint16_t)st->nr;
    return user_put(p, &ds);
}

int user_put_sem_stat_32(struct uptr p, const struct sem_stat *st, bool is_old)
{
    union i386_semid64 ds;
    if (is_old)
        return put_sem_old(p, st);
    memset(&ds, 0, sizeof(ds));
    put_perm(ds.perm, &st->perm);
    ds.otime = (uint32_t)st->otime;
    ds.otime_high = (uint32_t)(st->otime >> 32);
    ds.ctime = (uint32_t)st->ctime;
    ds.ctime_high = (uint32_t)(st->ctime >> 32);
    ds.nsems = st->nr;
    return user_put(p, &ds);
}

static int put_msg_old(struct uptr p, const struct msg_stat *st)
{
    union i386_msqid ds;
    memset(&ds, 0, sizeof(ds));
    put_perm_old(ds.perm, &st->perm);
    ds.stime = (int32_t)st->stime;
    ds.rtime = (int32_t)st->rtime;
    ds.ctime = (int32_t)st->ctime;
    ds.cbytes = (uint16_t)st->bytes;
    ds.qnum = (uint16_t)st->nr;
    ds.qbytes = (uint16_t)st->most_bytes;
    ds.lspid = (uint16_t)st->lspid;
    ds.lrpid = (uint16_t)st->lrpid;
    return user_put(p, &ds);
}

int user_put_msg_stat_32(struct uptr p, const struct msg_stat *st, bool is_old)
{
    union i386_msqid64 ds;
    if (is_old)
        return put_msg_old(p, st);
    memset(&ds, 0, sizeof(ds));
    put_perm(ds.perm, &st->perm);
    ds.stime = (uint32_t)st->stime;
    ds.stime_high = (uint32_t)(st->stime >> 32);
    ds.rtime = (uint32_t)st->rtime;
    ds.rtime_high = (uint32_t)(st->rtime >> 32);
    ds.ctime = (uint32_t)st->ctime;
    ds.ctime_high = (uint32_t)(st->ctime >> 32);
    ds.cbytes = (uint32_t)st->bytes;
    ds.qnum = (uint32_t)st->nr;
    ds.qbytes = (uint32_t)st->most_bytes;
    ds.lspid = st->lspid;
    ds.lrpid = st->lrpid;
    return user_put(p, &ds);
}

/* Ids of 16 bits are taken as they are: 65535 is no -1 here. */
static int get_owner_old(struct uptr p, struct sysv_owner *owner)
{
    union i386_ipc_perm perm;
    if (user_get(p, &perm) < 0)
        return -EFAULT;
    *owner = (struct sysv_owner){perm.uid, perm.gid, perm.mode};
    return 0;
}

/* A structure begins with its permissions. */
int user_get_owner_32(struct uptr p, struct sysv_owner *owner, bool is_old)
{
    union i386_ipc64_perm perm;
    if (is_old)
        return get_owner_old(p, owner);
    if (user_get(p, &perm) < 0)
        return -EFAULT;
    *owner = (struct sysv_owner){perm.uid, perm.gid, perm.mode};
    return 0;
}

int user_get_msg_owner_32(struct uptr p, struct sysv_owner *owner, uint64_t *most_bytes,
                          bool is_old)
{
    union i386_msqid old;
    union i386_msqid64 ds;
    int err = is_old ? user_get(p, &old) : user_get(p, &ds);
    if (err < 0)
        return err;
    *most_bytes = is_old ? old.qbytes : ds.qbytes;
    return user_get_owner_32(p, owner, is_old);
}

int user_put_shminfo_32(struct uptr p, bool is_old)
{
    union i386_shminfo64 info;
    memset(&info, 0, sizeof(info));
    info.shmmax = INT32_MAX; /* what is larger is cut to this */
    info.shmmin = 1;
    info.shmmni = SYSV_SLOTS;
    info.shmseg = SYSV_SLOTS;
    info.shmall = UINT32_MAX - (1 << 24);
    /* The older one has the same words in front, and no others. */
    return user_write(p, &info, is_old ? sizeof(union i386_shminfo) : sizeof(info));
}

int user_put_shm_info_32(struct uptr p, const struct sysv_info *used)
{
    union i386_shm_info info;
    memset(&info, 0, sizeof(info));
    info.used_ids = (int32_t)used->nr;
    info.tot = (uint32_t)used->a;
    info.rss = (uint32_t)used->b;
    return user_put(p, &info);
}
