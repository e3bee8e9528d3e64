/* File calls that only i386 has, or that it has with other arguments: each is a line over the body that both share. */
#include <base/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <syscalls/bodies.h>

#include "abi.h"
#include "abi_file.h"
#include "i386.h"

/* --- three generations of stat ---------------------------------------------------------------------- */

long sys_oldstat_32(struct uptr path, struct uptr statbuf)
{
    return stat_path(AT_FDCWD, path, 0, statbuf, user_put_old_stat_32);
}

long sys_oldlstat_32(struct uptr path, struct uptr statbuf)
{
    return stat_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, statbuf, user_put_old_stat_32);
}

long sys_oldfstat_32(int fd, struct uptr statbuf)
{
    return stat_fd(fd, statbuf, user_put_old_stat_32);
}

long sys_stat_32(struct uptr path, struct uptr statbuf)
{
    return stat_path(AT_FDCWD, path, 0, statbuf, user_put_stat_32);
}

long sys_lstat_32(struct uptr path, struct uptr statbuf)
{
    return stat_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, statbuf, user_put_stat_32);
}

long sys_fstat_32(int fd, struct uptr statbuf)
{
    return stat_fd(fd, statbuf, user_put_stat_32);
}

long sys_stat64_32(struct uptr path, struct uptr statbuf)
{
    return stat_path(AT_FDCWD, path, 0, statbuf, user_put_stat64_32);
}

long sys_lstat64_32(struct uptr path, struct uptr statbuf)
{
    return stat_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, statbuf, user_put_stat64_32);
}

long sys_fstat64_32(int fd, struct uptr statbuf)
{
    return stat_fd(fd, statbuf, user_put_stat64_32);
}

long sys_fstatat64_32(int dirfd, struct uptr pathname, struct uptr statbuf, int flags)
{
    return stat_at(dirfd, pathname, statbuf, flags, user_put_stat64_32);
}

long sys_statfs64_32(struct uptr path, size_t sz, struct uptr buf)
{
    if (sz != sizeof(union i386_statfs64))
        return -EINVAL;
    return statfs_path(path, buf, user_put_statfs64_32);
}

long sys_fstatfs64_32(int fd, size_t sz, struct uptr buf)
{
    if (sz != sizeof(union i386_statfs64))
        return -EINVAL;
    return statfs_fd(fd, buf, user_put_statfs64_32);
}

/* --- owners ------------------------------------------------------------------------------------------- */

long sys_chown_32(struct uptr pathname, unsigned owner, unsigned group)
{
    return sys_chown(pathname, id_from_16(owner), id_from_16(group));
}

long sys_lchown_32(struct uptr pathname, unsigned owner, unsigned group)
{
    return sys_lchown(pathname, id_from_16(owner), id_from_16(group));
}

long sys_fchown_32(int fd, unsigned owner, unsigned group)
{
    return sys_fchown(fd, id_from_16(owner), id_from_16(group));
}

long sys_chown32_32(struct uptr pathname, unsigned owner, unsigned group)
{
    return sys_chown(pathname, owner, group);
}

long sys_lchown32_32(struct uptr pathname, unsigned owner, unsigned group)
{
    return sys_lchown(pathname, owner, group);
}

long sys_fchown32_32(int fd, unsigned owner, unsigned group)
{
    return sys_fchown(fd, owner, group);
}

/* --- offsets of 64 bits --------------------------------------------------------------------------------- */

long sys__llseek_32(int fd, unsigned long offset_high, unsigned long offset_low, struct uptr result,
                    int whence)
{
    long pos = sys_lseek(fd, (int64_t)(offset_high << 32 | offset_low), whence);
    if (pos < 0)
        return pos;
    return user_put(result, &pos);
}

long sys_truncate64_32(struct uptr path, int64_t length)
{
    return sys_truncate(path, length);
}

long sys_ftruncate64_32(int fd, int64_t length)
{
    return sys_ftruncate(fd, length);
}

long sys_fadvise64_64_32(int fd, int64_t offset, int64_t len, int advice)
{
    return sys_fadvise64(fd, offset, (size_t)len, advice);
}

long sys_preadv_32(int fd, struct uptr iov, size_t iovcnt, int64_t offset)
{
    return sys_preadv(fd, iov, iovcnt, offset, 0);
}

long sys_pwritev_32(int fd, struct uptr iov, size_t iovcnt, int64_t offset)
{
    return sys_pwritev(fd, iov, iovcnt, offset, 0);
}

long sys_preadv2_32(int fd, struct uptr iov, size_t iovcnt, int64_t offset, int flags)
{
    return sys_preadv2(fd, iov, iovcnt, offset, 0, flags);
}

long sys_pwritev2_32(int fd, struct uptr iov, size_t iovcnt, int64_t offset, int flags)
{
    return sys_pwritev2(fd, iov, iovcnt, offset, 0, flags);
}

/* --- the rest ---------------------------------------------------------------------------------------------- */

long sys_umount_32(struct uptr target)
{
    return sys_umount2(target, 0);
}

long sys_select_32(struct uptr args)
{
    union i386_select_args a;
    if (user_get(args, &a))
        return -EFAULT;
    return sys_select((int)a.nr, uptr_of_word(a.in), uptr_of_word(a.out), uptr_of_word(a.ex),
                      uptr_of_word(a.timeout));
}

long sys__newselect_32(int nfds, struct uptr readfds, struct uptr writefds, struct uptr exceptfds,
                       struct uptr timeout)
{
    return sys_select(nfds, readfds, writefds, exceptfds, timeout);
}
