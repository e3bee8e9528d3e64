/* System V IPC of i386: the calls by their own numbers, which take the newer structures, and ipc(2), which is all of them. */
#include <base/errno.h>
#include <linux/ipc.h>
#include <syscalls/bodies.h>

#include "abi.h"
#include "abi_sysv.h"

/* --- by their own numbers ---------------------------------------------------------------------------- */

long sys_semctl_32(int semid, int semnum, int cmd, unsigned long arg)
{
    return sysv_semctl(semid, semnum, cmd, arg, false);
}

long sys_shmctl_32(int shmid, int cmd, struct uptr buf)
{
    return sysv_shmctl(shmid, cmd, buf, false);
}

long sys_msgctl_32(int msqid, int cmd, struct uptr buf)
{
    return sysv_msgctl(msqid, cmd, buf, false);
}

long sys_msgsnd_32(int msqid, struct uptr msgp, size_t msgsz, int msgflg)
{
    return sys_msgsnd(msqid, msgp, msgsz, msgflg);
}

/* A size of i386 is signed here. */
long sys_msgrcv_32(int msqid, struct uptr msgp, size_t msgsz, int64_t msgtyp, int msgflg)
{
    return sys_msgrcv(msqid, msgp, (size_t)(int32_t)msgsz, msgtyp, msgflg);
}

long sys_semtimedop_time64_32(int semid, struct uptr sops, size_t nsops, struct uptr timeout)
{
    caller_use_time64();
    return sys_semtimedop(semid, sops, nsops, timeout);
}

/* --- ipc ------------------------------------------------------------------------------------------------ */

/* A command without IPC_64 is about the older structures. */
static bool is_old(int cmd)
{
    return !(cmd & IPC_64);
}

/* The argument of semctl is behind the pointer. */
static long ipc_semctl(int semid, int semnum, int cmd, struct uptr ptr)
{
    uint32_t arg;
    if (uptr_is_null(ptr))
        return -EINVAL;
    if (user_get(ptr, &arg) < 0)
        return -EFAULT;
    return sysv_semctl(semid, semnum, cmd & ~IPC_64, arg, is_old(cmd));
}

/* Version 0 has no register for the type: it and the buffer are behind the pointer. */
static long ipc_msgrcv(unsigned version, int msqid, int size, int flags, struct uptr ptr,
                       unsigned long type)
{
    union i386_ipc_kludge both;
    if (msqid < 0 || size < 0)
        return -EINVAL;
    if (version)
        return sys_msgrcv(msqid, ptr, (size_t)size, (int32_t)type, flags);
    if (uptr_is_null(ptr))
        return -EINVAL;
    if (user_get(ptr, &both) < 0)
        return -EFAULT;
    return sys_msgrcv(msqid, uptr_of_word(both.msgp), (size_t)size, both.msgtyp, flags);
}

static long ipc_shmat(unsigned version, int shmid, struct uptr shmaddr, int flags,
                      struct uptr result)
{
    if (version == 1)
        return -EINVAL;
    long addr = sys_shmat(shmid, uptr_word(shmaddr), flags);
    if (addr < 0 && addr >= -4095)
        return addr;
    return user_put_word(result, (uint64_t)addr);
}

static long ipc_sem(unsigned call, int first, int second, unsigned long third, struct uptr ptr,
                    unsigned long fifth)
{
    switch (call) {
    case SEMOP:
        return sys_semop(first, ptr, (size_t)second);
    case SEMTIMEDOP:
        return sys_semtimedop(first, ptr, (size_t)second, uptr_of_word(fifth));
    case SEMGET:
        return sys_semget(first, second, (int)third);
    case SEMCTL:
        return ipc_semctl(first, second, (int)third, ptr);
    default:
        return -ENOSYS;
    }
}

long sys_ipc_32(unsigned call, int first, int second, unsigned long third, struct uptr ptr,
                unsigned long fifth)
{
    unsigned version = call >> 16;
    switch (call & 0xffff) {
    case MSGSND:
        return sys_msgsnd(first, ptr, (size_t)second, (int)third);
    case MSGRCV:
        return ipc_msgrcv(version, first, second, (int)third, ptr, fifth);
    case MSGGET:
        return sys_msgget(first, second);
    case MSGCTL:
        return sysv_msgctl(first, second & ~IPC_64, ptr, is_old(second));
    case SHMAT:
        return ipc_shmat(version, first, ptr, second, uptr_of_word(third));
    case SHMDT:
        return sys_shmdt(uptr_word(ptr));
    case SHMGET:
        return sys_shmget(first, (unsigned)second, (int)third);
    case SHMCTL:
        return sysv_shmctl(first, second & ~IPC_64, ptr, is_old(second));
    default:
        return ipc_sem(call & 0xffff, first, second, third, ptr, fifth);
    }
}
