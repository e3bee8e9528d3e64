/* Layouts of the user structures that the file calls take. */
#pragma once

#include <core/usercopy.h>
#include <vfs/inode.h>

/* 0 or -EFAULT; -EOVERFLOW where a number does not fit its field. */
must_check int user_put_stat(struct uptr p, const struct inode_stat *st);
/* i386's three, whoever calls. */
must_check int user_put_old_stat_32(struct uptr p, const struct inode_stat *st);
must_check int user_put_stat_32(struct uptr p, const struct inode_stat *st);
must_check int user_put_stat64_32(struct uptr p, const struct inode_stat *st);
/* The bodies of stat(2) and its like, for each of these (stat.c). */
typedef int put_stat_fn(struct uptr p, const struct inode_stat *st);
long stat_path(int dirfd, struct uptr pathname, int flags, struct uptr statbuf, put_stat_fn *put);
long stat_fd(int fd, struct uptr statbuf, put_stat_fn *put);
long stat_at(int dirfd, struct uptr pathname, struct uptr statbuf, int flags, put_stat_fn *put);

/* A user's or group's id for the calls of 16 bits. */
uint16_t id_to_16(uint32_t id);
/* `wanted`: STATX_* as the caller asks; all but the time of birth is answered in any case. */
must_check int user_put_statx(struct uptr p, const struct inode_stat *st, unsigned wanted,
                              int mount_id, bool is_mount_root);
must_check int user_put_statfs(struct uptr p, const struct fs_stat *st, unsigned mount_flags);
must_check int user_put_statfs64_32(struct uptr p, const struct fs_stat *st, unsigned mount_flags);
/* The bodies of statfs(2) and fstatfs(2), for both of these (stat.c). */
typedef int put_statfs_fn(struct uptr p, const struct fs_stat *st, unsigned mount_flags);
long statfs_path(struct uptr path, struct uptr buf, put_statfs_fn *put);
long statfs_fd(int fd, struct uptr buf, put_statfs_fn *put);

/* Two times (access, modification) in nanoseconds since the epoch, or TIME_NOW, TIME_OMIT. -EFAULT,
 * -EINVAL. */
#define TIME_NOW  INT64_MIN
#define TIME_OMIT (INT64_MIN + 1)
#define TIME_BAD  (INT64_MIN + 2) /* no number of nanoseconds: -EINVAL, once the file is found */
must_check int user_get_two_timespecs(struct uptr p, int64_t ns[2]);
must_check int user_get_two_timevals(struct uptr p, int64_t ns[2]);
must_check int user_get_utimbuf(struct uptr p, int64_t ns[2]);

/* Directory entries, packed one behind the other into the caller's buffer. */
struct dirent_buf {
    struct uptr at;
    size_t left;
    bool is_old; /* getdents(2)'s layout, else getdents64(2)'s */
    int error;   /* why the first entry was refused: -EINVAL (no room), -EFAULT */
};
/* Both are dir_emit_fns; `arg` is a struct dirent_buf. */
bool dirent_emit_one_32(void *arg, const char *name, size_t len, uint64_t ino, unsigned type,
                        int64_t next_pos);
bool dirent_emit(void *arg, const char *name, size_t len, uint64_t ino, unsigned type,
                 int64_t next_pos);
