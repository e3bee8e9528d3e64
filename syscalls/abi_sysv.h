/* Layouts of the structures of System V IPC. */
#pragma once

#include <core/usercopy.h>
#include <proc/sysv.h>

/* 0 or -EFAULT. */
must_check int user_put_shm_stat(struct uptr p, const struct shm_stat *st);
must_check int user_put_sem_stat(struct uptr p, const struct sem_stat *st);
must_check int user_put_msg_stat(struct uptr p, const struct msg_stat *st);
/* IPC_SET's part of each; *most_bytes is the message queue's. */
must_check int user_get_shm_owner(struct uptr p, struct sysv_owner *owner);
must_check int user_get_sem_owner(struct uptr p, struct sysv_owner *owner);
must_check int user_get_msg_owner(struct uptr p, struct sysv_owner *owner, uint64_t *most_bytes);
/* IPC_INFO (`used` NULL) and SHM_INFO, SEM_INFO, MSG_INFO. */
must_check int user_put_shminfo(struct uptr p);
must_check int user_put_shm_info(struct uptr p, const struct sysv_info *used);
must_check int user_put_seminfo(struct uptr p, const struct sysv_info *used);
must_check int user_put_msginfo(struct uptr p, const struct sysv_info *used);
/* The type in front of a message's text. */
must_check int user_get_msg_type(struct uptr p, long *type);
must_check int user_put_msg_type(struct uptr p, long type);
struct uptr user_msg_text(struct uptr p);
