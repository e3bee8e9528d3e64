/* Layouts of the structures of System V IPC.
 *
 * `is_old`: what ipc(2) of i386 takes without IPC_64, with ids of 16 bits. */
#pragma once

#include <core/usercopy.h>
#include <proc/sysv.h>

#define SYSV_SLOTS 512 /* of each kind (kernel/proc/sysv_private.h) */

/* 0 or -EFAULT. */
must_check int user_put_shm_stat(struct uptr p, const struct shm_stat *st, bool is_old);
must_check int user_put_sem_stat(struct uptr p, const struct sem_stat *st, bool is_old);
must_check int user_put_msg_stat(struct uptr p, const struct msg_stat *st, bool is_old);
/* IPC_SET's part of each; *most_bytes is the message queue's. */
must_check int user_get_shm_owner(struct uptr p, struct sysv_owner *owner, bool is_old);
must_check int user_get_sem_owner(struct uptr p, struct sysv_owner *owner, bool is_old);
must_check int user_get_msg_owner(struct uptr p, struct sysv_owner *owner, uint64_t *most_bytes,
                                  bool is_old);
/* IPC_INFO (`used` NULL) and SHM_INFO, SEM_INFO, MSG_INFO. */
must_check int user_put_shminfo(struct uptr p, bool is_old);
must_check int user_put_shm_info(struct uptr p, const struct sysv_info *used);
must_check int user_put_seminfo(struct uptr p, const struct sysv_info *used);
must_check int user_put_msginfo(struct uptr p, const struct sysv_info *used);
/* The type in front of a message's text. */
must_check int user_get_msg_type(struct uptr p, long *type);
must_check int user_put_msg_type(struct uptr p, long type);
struct uptr user_msg_text(struct uptr p);
/* The same, for i386. */
must_check int user_put_shm_stat_32(struct uptr p, const struct shm_stat *st, bool is_old);
must_check int user_put_sem_stat_32(struct uptr p, const struct sem_stat *st, bool is_old);
must_check int user_put_msg_stat_32(struct uptr p, const struct msg_stat *st, bool is_old);
must_check int user_get_owner_32(struct uptr p, struct sysv_owner *owner, bool is_old);
must_check int user_get_msg_owner_32(struct uptr p, struct sysv_owner *owner, uint64_t *most_bytes,
                                     bool is_old);
must_check int user_put_shminfo_32(struct uptr p, bool is_old);
must_check int user_put_shm_info_32(struct uptr p, const struct sysv_info *used);

/* The bodies of the calls that take commands, told which layout they are to use (sysv.c). */
long sysv_shmctl(int shmid, int cmd, struct uptr buf, bool is_old);
long sysv_semctl(int semid, int semnum, int cmd, unsigned long arg, bool is_old);
long sysv_msgctl(int msqid, int cmd, struct uptr buf, bool is_old);
