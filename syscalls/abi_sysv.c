/* Layouts of the structures of System V IPC; i386's own are in abi_sysv_32.c. */
#include "abi_sysv.h"

#include "abi.h"

#include <base/errno.h>
#include <linux/ipc.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <asm/shmbuf.h>

static struct ipc64_perm perm_of(const struct sysv_perm *p)
{
    return (struct ipc64_perm){.key = p->key,
                               .uid = p->uid,
                               .gid = p->gid,
                               .cuid = p->cuid,
                               .cgid = p->cgid,
                               .mode = p->mode,
                               .seq = (unsigned short)p->seq};
}

static void owner_of(const struct ipc64_perm *p, struct sysv_owner *owner)
{
    *owner = (struct sysv_owner){p->uid, p->gid, p->mode};
}

int user_put_shm_stat(struct uptr p, const struct shm_stat *st, bool is_old)
{
    if (caller_is_i386())
        return user_put_shm_stat_32(p, st, is_old);
    struct shmid64_ds ds = {.shm_perm = perm_of(&st->perm),
                            .shm_segsz = st->size,
                            .shm_atime = st->atime,
                            .shm_dtime = st->dtime,
                            .shm_ctime = st->ctime,
                            .shm_cpid = st->cpid,
                            .shm_lpid = st->lpid,
                            .shm_nattch = st->nr_attached};
    return user_put(p, &ds);
}

int user_put_sem_stat(struct uptr p, const struct sem_stat *st, bool is_old)
{
    if (caller_is_i386())
        return user_put_sem_stat_32(p, st, is_old);
    struct semid64_ds ds = {.sem_perm = perm_of(&st->perm),
                            .sem_otime = st->otime,
                            .sem_ctime = st->ctime,
                            .sem_nsems = st->nr};
    return user_put(p, &ds);
}

int user_put_msg_stat(struct uptr p, const struct msg_stat *st, bool is_old)
{
    if (caller_is_i386())
        return user_put_msg_stat_32(p, st, is_old);
    struct msqid64_ds ds = {.msg_perm = perm_of(&st->perm),
                            .msg_stime = st->stime,
                            .msg_rtime = st->rtime,
                            .msg_ctime = st->ctime,
                            .msg_cbytes = st->bytes,
                            .msg_qnum = st->nr,
                            .msg_qbytes = st->most_bytes,
                            .msg_lspid = st->lspid,
                            .msg_lrpid = st->lrpid};
    return user_put(p, &ds);
}

int user_get_shm_owner(struct uptr p, struct sysv_owner *owner, bool is_old)
{
    if (caller_is_i386())
        return user_get_owner_32(p, owner, is_old);
    struct shmid64_ds ds;
    if (user_get(p, &ds) < 0)
        return -EFAULT;
    owner_of(&ds.shm_perm, owner);
    return 0;
}

int user_get_sem_owner(struct uptr p, struct sysv_owner *owner, bool is_old)
{
    if (caller_is_i386())
        return user_get_owner_32(p, owner, is_old);
    struct semid64_ds ds;
    if (user_get(p, &ds) < 0)
        return -EFAULT;
    owner_of(&ds.sem_perm, owner);
    return 0;
}

int user_get_msg_owner(struct uptr p, struct sysv_owner *owner, uint64_t *most_bytes, bool is_old)
{
    if (caller_is_i386())
        return user_get_msg_owner_32(p, owner, most_bytes, is_old);
    struct msqid64_ds ds;
    if (user_get(p, &ds) < 0)
        return -EFAULT;
    owner_of(&ds.msg_perm, owner);
    *most_bytes = ds.msg_qbytes;
    return 0;
}

int user_put_shminfo(struct uptr p, bool is_old)
{
    if (caller_is_i386())
        return user_put_shminfo_32(p, is_old);
    struct shminfo64 info = {.shmmax = UINT64_MAX - (1UL << 24),
                             .shmmin = 1,
                             .shmmni = SYSV_SLOTS,
                             .shmseg = SYSV_SLOTS,
                             .shmall = UINT64_MAX - (1UL << 24)};
    return user_put(p, &info);
}

int user_put_shm_info(struct uptr p, const struct sysv_info *used)
{
    if (caller_is_i386())
        return user_put_shm_info_32(p, used);
    struct {
        int used_ids;
        unsigned long shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes;
    } info = {.used_ids = (int)used->nr, .shm_tot = used->a, .shm_rss = used->b};
    return user_put(p, &info);
}

int user_put_seminfo(struct uptr p, const struct sysv_info *used)
{
    struct seminfo info = {.semmap = SEM_MOST * SYSV_SLOTS,
                           .semmni = SYSV_SLOTS,
                           .semmns = SEM_MOST * SYSV_SLOTS,
                           .semmnu = SEM_MOST * SYSV_SLOTS,
                           .semmsl = SEM_MOST,
                           .semopm = SEM_MOST_OPS,
                           .semume = SEM_MOST_OPS,
                           .semusz = used ? (int)used->nr : 20,
                           .semvmx = SEM_MAX_VALUE,
                           .semaem = used ? (int)used->a : SEM_MAX_VALUE};
    return user_put(p, &info);
}

int user_put_msginfo(struct uptr p, const struct sysv_info *used)
{
    struct msginfo info = {.msgpool = used ? (int)used->nr : SYSV_SLOTS * MSG_QUEUE_BYTES / 1024,
                           .msgmap = used ? (int)used->a : MSG_QUEUE_BYTES,
                           .msgmax = MSG_MOST_BYTES,
                           .msgmnb = MSG_QUEUE_BYTES,
                           .msgmni = SYSV_SLOTS,
                           .msgssz = 16,
                           .msgtql = used ? (int)used->b : MSG_QUEUE_BYTES,
                           .msgseg = 0xffff};
    return user_put(p, &info);
}

int user_get_msg_type(struct uptr p, long *type)
{
    int32_t small;
    if (!caller_is_i386())
        return user_get(p, type);
    if (user_get(p, &small) < 0)
        return -EFAULT;
    *type = small;
    return 0;
}

int user_put_msg_type(struct uptr p, long type)
{
    return user_put_word(p, (uint64_t)type);
}

struct uptr user_msg_text(struct uptr p)
{
    return uptr_add(p, caller_word());
}
