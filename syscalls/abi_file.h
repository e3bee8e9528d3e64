/* Layouts of the user structures that the file calls take. */
#pragma once

#include <core/usercopy.h>
#include <vfs/inode.h>

/* 0 or -EFAULT; -EOVERFLOW where a number does not fit its field. */
must_check int user_put_stat(struct uptr p, const struct inode_stat *st);
/* `wanted`: STATX_* as the caller asks; all but the time of birth is answered in any case. */
must_check int user_put_statx(struct uptr p, const struct inode_stat *st, unsigned wanted,
                              int mount_id, bool is_mount_root);
must_check int user_put_statfs(struct uptr p, const struct fs_stat *st, unsigned mount_flags);

/* Two times (access, modification) in nanoseconds since the epoch, or TIME_NOW, TIME_OMIT. -EFAULT,
 * -EINVAL. */
#define TIME_NOW  INT64_MIN
#define TIME_OMIT (INT64_MIN + 1)
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
/* A dir_emit_fn; `arg` is a struct dirent_buf. */
bool dirent_emit(void *arg, const char *name, size_t len, uint64_t ino, unsigned type,
                 int64_t next_pos);
