/* flock(2).  Record locks are commands of fcntl(2). */
#include <asm/fcntl.h>
#include <base/errno.h>
#include <syscalls/bodies.h>
#include <vfs/file_locks.h>

#include "names.h"

long sys_flock(int fd, int operation)
{
    if (operation & LOCK_MAND) /* a kind that never worked: Linux does nothing about it */
        return 0;
    int kind = operation & ~LOCK_NB;
    if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN)
        return -EINVAL;
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    bool may = f->can_read || f->can_write || kind == LOCK_UN;
    long ret = may ? locks_flock(f, operation) : -EBADF;
    file_put(f);
    return ret;
}
