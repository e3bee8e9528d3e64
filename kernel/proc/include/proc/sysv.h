/* System V shared memory, semaphores and message queues (sysvipc(7)), in kernel form: answers are the system calls'.
 *
 * Objects have keys and ids and outlive who made them.  Everything is for thread context; locking is inside. */
#pragma once

#include <base/types.h>

struct process;
struct clock_deadline;

/* What all three have: struct ipc64_perm before it is laid out. */
struct sysv_perm {
    int key, id;
    uint32_t uid, gid, cuid, cgid;
    uint32_t mode;
    unsigned seq;
};

/* IPC_SET: of these. */
struct sysv_owner {
    uint32_t uid, gid, mode;
};

/* How an object is found for IPC_STAT and its like. */
enum sysv_stat {
    SYSV_BY_ID,        /* IPC_STAT: read permission */
    SYSV_BY_INDEX,     /* *_STAT: place in the table; answers the id */
    SYSV_BY_INDEX_ANY, /* *_STAT_ANY: no permission asked for */
};
/* *_INFO: how many there are, and the highest place that is taken. */
struct sysv_info {
    unsigned nr, highest;
    uint64_t a, b; /* shm: pages, pages resident; sem: semaphores; msg: messages, bytes */
};

/* --- shared memory --- */
/* <linux/shm.h>, which cannot be read without a libc. */
#define SHM_HUGETLB  04000
#define SHM_RDONLY   010000
#define SHM_RND      020000
#define SHM_REMAP    040000
#define SHM_EXEC     0100000
#define SHM_LOCK     11
#define SHM_UNLOCK   12
#define SHM_STAT     13
#define SHM_INFO     14
#define SHM_STAT_ANY 15
struct shm_stat {
    struct sysv_perm perm;
    uint64_t size, nr_attached;
    int64_t atime, dtime, ctime;
    int cpid, lpid;
};
must_check long shm_get(int key, size_t size, int flags);
must_check long shm_attach(int id, uintptr_t addr, int flags);
must_check long shm_detach(uintptr_t addr);
must_check long shm_status(int id, enum sysv_stat how, struct shm_stat *st);
must_check long shm_change(int id, const struct sysv_owner *owner);
must_check long shm_remove(int id);
must_check long shm_lock(int id, bool locks); /* SHM_LOCK, SHM_UNLOCK: memory is never paged out */
long shm_info(struct sysv_info *info);

/* --- semaphores --- */
enum { SEM_MOST_OPS = 500, SEM_MOST = 32000, SEM_MAX_VALUE = 32767 };
struct sem_op {
    uint16_t nr;
    int16_t op, flags;
};
struct sem_stat {
    struct sysv_perm perm;
    int64_t otime, ctime;
    unsigned nr;
};
must_check long sem_get(int key, int nr, int flags);
/* `until` NULL: no time-out. */
must_check long sem_operate(int id, const struct sem_op *ops, unsigned nr,
                            const struct clock_deadline *until);
enum sem_question { SEM_VALUE, SEM_PID, SEM_NR_GREATER, SEM_NR_ZERO };
must_check long sem_ask(int id, int nr, enum sem_question what);
must_check long sem_set(int id, int nr, int value);
/* All values, of `nr` semaphores (as sem_status told): -EIDRM when it is another set by now. */
must_check long sem_get_all(int id, uint16_t *values, unsigned nr);
must_check long sem_set_all(int id, const uint16_t *values, unsigned nr);
must_check long sem_status(int id, enum sysv_stat how, struct sem_stat *st);
must_check long sem_change(int id, const struct sysv_owner *owner);
must_check long sem_remove(int id);
long sem_info(struct sysv_info *info);
/* The process ends: SEM_UNDO. */
void sem_exit(struct process *p);

/* --- message queues --- */
enum { MSG_MOST_BYTES = 8192, MSG_QUEUE_BYTES = 16384 };
struct msg_stat {
    struct sysv_perm perm;
    int64_t stime, rtime, ctime;
    uint64_t nr, bytes, most_bytes;
    int lspid, lrpid;
};
must_check long msg_get(int key, int flags);
/* The text is in kernel memory; MSG_* and IPC_NOWAIT in flags. */
must_check long msg_send(int id, long type, const void *text, size_t size, int flags);
/* At most `size` bytes into `text`: how many, and *type. */
must_check long msg_receive(int id, void *text, size_t size, long *type, int flags);
must_check long msg_status(int id, enum sysv_stat how, struct msg_stat *st);
must_check long msg_change(int id, const struct sysv_owner *owner, uint64_t most_bytes);
must_check long msg_remove(int id);
long msg_info(struct sysv_info *info);

void sysv_init(void); /* boot */
