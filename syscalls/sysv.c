/* System V IPC: taking arguments apart; proc/sysv.h does the rest. */
#include "abi_sysv.h"

#include <abi_io.h>
#include <base/errno.h>
#include <core/heap.h>
#include <core/timer.h>
#include <linux/ipc.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <syscalls/bodies.h>

/* --- shared memory ---------------------------------------------------------------------------- */

long sys_shmget(int key, size_t size, int shmflg)
{
    return shm_get(key, size, shmflg);
}

long sys_shmat(int shmid, uintptr_t shmaddr, int shmflg)
{
    return shm_attach(shmid, shmaddr, shmflg);
}

long sys_shmdt(uintptr_t shmaddr)
{
    return shm_detach(shmaddr);
}

/* IPC_STAT and its like: 0 or the id. */
static long stat_shm(int shmid, enum sysv_stat how, struct uptr buf, bool is_old)
{
    struct shm_stat st;
    long ret = shm_status(shmid, how, &st);
    return ret >= 0 && user_put_shm_stat(buf, &st, is_old) < 0 ? -EFAULT : ret;
}

static long set_shm(int shmid, struct uptr buf, bool is_old)
{
    struct sysv_owner owner;
    return user_get_shm_owner(buf, &owner, is_old) < 0 ? -EFAULT : shm_change(shmid, &owner);
}

static long info_shm(int cmd, struct uptr buf, bool is_old)
{
    struct sysv_info used;
    long ret = shm_info(&used);
    int err = cmd == IPC_INFO ? user_put_shminfo(buf, is_old) : user_put_shm_info(buf, &used);
    return err < 0 ? err : ret;
}

long sysv_shmctl(int shmid, int cmd, struct uptr buf, bool is_old)
{
    if (cmd < 0 || shmid < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case SHM_INFO:
        return info_shm(cmd, buf, is_old);
    case IPC_STAT:
        return stat_shm(shmid, SYSV_BY_ID, buf, is_old);
    case SHM_STAT:
        return stat_shm(shmid, SYSV_BY_INDEX, buf, is_old);
    case SHM_STAT_ANY:
        return stat_shm(shmid, SYSV_BY_INDEX_ANY, buf, is_old);
    case IPC_SET:
        return set_shm(shmid, buf, is_old);
    case IPC_RMID:
        return shm_remove(shmid);
    case SHM_LOCK:
    case SHM_UNLOCK:
        return shm_lock(shmid, cmd == SHM_LOCK);
    default:
        return -EINVAL;
    }
}

long sys_shmctl(int shmid, int cmd, struct uptr buf)
{
    return sysv_shmctl(shmid, cmd, buf, false);
}

/* --- semaphores ------------------------------------------------------------------------------- */

long sys_semget(int key, int nsems, int semflg)
{
    return sem_get(key, nsems, semflg);
}

static int read_ops(struct uptr p, struct sem_op *ops, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++) {
        struct sembuf b;
        if (user_get(uptr_add(p, i * sizeof(b)), &b) < 0)
            return -EFAULT;
        ops[i] = (struct sem_op){b.sem_num, b.sem_op, b.sem_flg};
    }
    return 0;
}

static long operate(int semid, struct uptr sops, unsigned nsops, struct uptr timeout)
{
    struct clock_deadline deadline, *until = NULL;
    struct sem_op few[8], *ops = few;
    int64_t ns;
    int err = 0; /* a wrong time is found out after the operations are read */
    if (!uptr_is_null(timeout)) {
        err = user_get_timespec_ns(timeout, &ns);
        if (err == -EFAULT)
            return err;
        deadline = (struct clock_deadline){.ns = clock_mono_ns() + (uint64_t)ns};
        until = &deadline;
    }
    if (nsops < 1)
        return -EINVAL;
    if (nsops > SEM_MOST_OPS)
        return -E2BIG;
    if (nsops > ARRAY_LEN(few))
        ops = heap_alloc(nsops * sizeof(*ops));
    if (!ops)
        return -ENOMEM;
    long ret = read_ops(sops, ops, nsops);
    if (ret == 0)
        ret = semid < 0 ? -EINVAL : err;
    if (ret == 0)
        ret = sem_operate(semid, ops, nsops, until);
    if (ops != few)
        heap_free(ops);
    return ret;
}

long sys_semop(int semid, struct uptr sops, size_t nsops)
{
    return operate(semid, sops, (unsigned)nsops, (struct uptr){0});
}

long sys_semtimedop(int semid, struct uptr sops, size_t nsops, struct uptr timeout)
{
    return operate(semid, sops, (unsigned)nsops, timeout);
}

static long stat_sem(int semid, enum sysv_stat how, struct uptr buf, bool is_old)
{
    struct sem_stat st;
    long ret = sem_status(semid, how, &st);
    return ret >= 0 && user_put_sem_stat(buf, &st, is_old) < 0 ? -EFAULT : ret;
}

static long set_sem(int semid, struct uptr buf, bool is_old)
{
    struct sysv_owner owner;
    return user_get_sem_owner(buf, &owner, is_old) < 0 ? -EFAULT : sem_change(semid, &owner);
}

static long info_sem(int cmd, struct uptr buf)
{
    struct sysv_info used;
    long ret = sem_info(&used);
    int err = user_put_seminfo(buf, cmd == IPC_INFO ? NULL : &used);
    return err < 0 ? err : ret;
}

/* GETALL and SETALL, through a kernel array. */
static long all_values(int semid, int cmd, struct uptr array)
{
    struct sem_stat st;
    long ret = sem_status(semid, SYSV_BY_ID, &st);
    if (ret == -EACCES && cmd == SETALL)
        return ret;
    if (ret < 0)
        return ret;
    uint16_t *values = heap_alloc(st.nr * sizeof(*values));
    if (!values)
        return -ENOMEM;
    if (cmd == GETALL)
        ret = sem_get_all(semid, values, st.nr);
    else if (user_read(values, array, st.nr * sizeof(*values)) < 0)
        ret = -EFAULT;
    else
        ret = sem_set_all(semid, values, st.nr);
    if (ret == 0 && cmd == GETALL && user_write(array, values, st.nr * sizeof(*values)) < 0)
        ret = -EFAULT;
    heap_free(values);
    return ret;
}

long sysv_semctl(int semid, int semnum, int cmd, unsigned long arg, bool is_old)
{
    struct uptr p = uptr_of_word(arg);
    if (semid < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case SEM_INFO:
        return info_sem(cmd, p);
    case IPC_STAT:
        return stat_sem(semid, SYSV_BY_ID, p, is_old);
    case SEM_STAT:
        return stat_sem(semid, SYSV_BY_INDEX, p, is_old);
    case SEM_STAT_ANY:
        return stat_sem(semid, SYSV_BY_INDEX_ANY, p, is_old);
    case IPC_SET:
        return set_sem(semid, p, is_old);
    case IPC_RMID:
        return sem_remove(semid);
    case GETALL:
    case SETALL:
        return all_values(semid, cmd, p);
    case GETVAL:
        return sem_ask(semid, semnum, SEM_VALUE);
    case GETPID:
        return sem_ask(semid, semnum, SEM_PID);
    case GETNCNT:
        return sem_ask(semid, semnum, SEM_NR_GREATER);
    case GETZCNT:
        return sem_ask(semid, semnum, SEM_NR_ZERO);
    case SETVAL:
        return sem_set(semid, semnum, (int)arg);
    default:
        return -EINVAL;
    }
}

long sys_semctl(int semid, int semnum, int cmd, unsigned long arg)
{
    return sysv_semctl(semid, semnum, cmd, arg, false);
}

/* --- message queues --------------------------------------------------------------------------- */

long sys_msgget(int key, int msgflg)
{
    return msg_get(key, msgflg);
}

long sys_msgsnd(int msqid, struct uptr msgp, size_t msgsz, int msgflg)
{
    long type;
    if (user_get_msg_type(msgp, &type) < 0)
        return -EFAULT;
    if (msgsz > MSG_MOST_BYTES || msqid < 0 || type < 1)
        return -EINVAL;
    char *text = heap_alloc(MAX(msgsz, 1ul));
    if (!text)
        return -ENOMEM;
    long ret = user_read(text, user_msg_text(msgp), msgsz);
    if (ret == 0)
        ret = msg_send(msqid, type, text, msgsz, msgflg);
    heap_free(text);
    return ret;
}

long sys_msgrcv(int msqid, struct uptr msgp, size_t msgsz, long msgtyp, int msgflg)
{
    if (msqid < 0 || (ssize_t)msgsz < 0)
        return -EINVAL;
    msgsz = MIN(msgsz, (size_t)MSG_MOST_BYTES); /* no message is longer */
    char *text = heap_alloc(MAX(msgsz, 1ul));
    if (!text)
        return -ENOMEM;
    long ret = msg_receive(msqid, text, msgsz, &msgtyp, msgflg);
    if (ret >= 0 && (user_put_msg_type(msgp, msgtyp) < 0 ||
                     user_write(user_msg_text(msgp), text, (size_t)ret) < 0))
        ret = -EFAULT;
    heap_free(text);
    return ret;
}

static long stat_msg(int msqid, enum sysv_stat how, struct uptr buf, bool is_old)
{
    struct msg_stat st;
    long ret = msg_status(msqid, how, &st);
    return ret >= 0 && user_put_msg_stat(buf, &st, is_old) < 0 ? -EFAULT : ret;
}

static long set_msg(int msqid, struct uptr buf, bool is_old)
{
    struct sysv_owner owner;
    uint64_t most;
    return user_get_msg_owner(buf, &owner, &most, is_old) < 0 ? -EFAULT
                                                              : msg_change(msqid, &owner, most);
}

static long info_msg(int cmd, struct uptr buf)
{
    struct sysv_info used;
    long ret = msg_info(&used);
    int err = user_put_msginfo(buf, cmd == IPC_INFO ? NULL : &used);
    return err < 0 ? err : ret;
}

long sysv_msgctl(int msqid, int cmd, struct uptr buf, bool is_old)
{
    if (msqid < 0 || cmd < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case MSG_INFO:
        return info_msg(cmd, buf);
    case IPC_STAT:
        return stat_msg(msqid, SYSV_BY_ID, buf, is_old);
    case MSG_STAT:
        return stat_msg(msqid, SYSV_BY_INDEX, buf, is_old);
    case MSG_STAT_ANY:
        return stat_msg(msqid, SYSV_BY_INDEX_ANY, buf, is_old);
    case IPC_SET:
        return set_msg(msqid, buf, is_old);
    case IPC_RMID:
        return msg_remove(msqid);
    default:
        return -EINVAL;
    }
}

long sys_msgctl(int msqid, int cmd, struct uptr buf)
{
    return sysv_msgctl(msqid, cmd, buf, false);
}
